"""The lab's pages and files with rows in rows: counts by rows, one record in full, CSV in a ZIP, ODK's XML."""

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.lab.csv import CsvRecord, Layout, csv_lines, file_names, row_lines
from collector.lab.results import Counted, CountedTable, keys_to_count, results_of, samples_of
from collector.lab.tables import rows_at, shown, tables_of
from collector.lab.whole_record import MOST_ROWS, RecordReader, Rows, notices
from collector.lab.words import words_of
from collector.lab.zipped import zip_pieces
from tests.forms.household import household
from tests.lab.conftest import Lab
from tests.lab.test_charts import PANAMA
from tests.lab.visitas import visitas, visitas_xml
from tests.submission_reader import from_xml

SPANISH = "Español (es)"
ANSWERS: dict[str, Any] = {
    "jefa": "Ñandú",
    "doble": "Ñandú",
    "cuando": "2026-11-20T10:00:00.000-05:00",
    "casa/punto": "8.98 -79.52 20 5",
    "casa/camino": "8.0 -80.5 0 0;8.1 -80.6 0 0",
    "casa/persona": [
        {"nombre": "Ana", "edad": "41", "trabaja": "si", "usa": "luz agua", "salud/dolor": "7", "foto": "ana.jpg",
         "visita": [{"hora": "09:30:00.000-05:00", "costo": "2.50"}, {"hora": "10:05", "costo": "1"}]},
        {"nombre": "José", "edad": "9", "trabaja": "ns"},
    ],
    "orden": "luz caminos agua",
    "listo": "OK",
    "meta/instanceName": "Ñandú",
}  # fmt: skip


@pytest.fixture
def visits(open_lab: Lab) -> Lab:
    """Give the node with the form of visits."""
    open_lab.publish(visitas_xml())
    return open_lab


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").split())


def card(html: str, label: str) -> str:
    """Return the words of the card of one question."""
    found = re.search(rf'<section class="card"(?: id="[^"]*")?><h2>{re.escape(label)}</h2>.*?</section>', html, re.S)
    assert found, f"no card {label}"
    return words(found[0])


# --- texts


def test_a_label_that_shows_an_answer_names_the_question_in_braces() -> None:
    table = tables_of([household()])
    people = table.inner[0]
    assert [column.label(SPANISH) for column in people.columns][:2] == ["¿Cómo se llama?", "¿Edad de {nombre}?"]
    cosas = next(column for column in table.columns if column.key == "cosas")
    assert cosas.choice_labels("English (en)") == {"agua": "Water", "luz": "Light of {casa}"}


def test_a_label_of_a_row_may_name_a_question_outside_it() -> None:
    people = next(table for table in tables_of([visitas()]).walk() if table.key == "casa/persona")
    assert next(c for c in people.columns if c.key == "trabaja").label(SPANISH) == "¿Trabaja en casa de {jefa}?"


def test_a_mark_without_an_expression_is_three_dots() -> None:
    assert words_of({"": "Hola \ufffc9\ufffc"}, "", household()) == "Hola {…}"


# --- one form


def test_questions_in_rows_are_counted_by_rows_and_the_page_says_so(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS), visits.record("visitas", {"jefa": "Luz"}))
    page = visits.browser.get("/lab/forms/visitas").text
    assert "Se repite: Persona" in page and "Filas: 2. Respuestas que las tienen: 1." in page
    assert "n = 2 filas" in card(page, "¿Cuántos años tiene {nombre}?")
    assert "mediana 25, promedio 25, de 9 a 41" in card(page, "¿Cuántos años tiene {nombre}?")
    assert "n = 1 fila" in card(page, "¿Trabaja en casa de {jefa}?")
    assert "No sé: 1" in card(page, "¿Trabaja en casa de {jefa}?")
    assert "n = 1 respuesta" in card(page, "Ordene") and "Luz 1.0 1" in card(page, "Ordene")
    assert "09:00–09:59 50 % 1" in card(page, "¿A qué hora?")
    assert "De 2026-11-20 10:00 a 2026-11-20 10:00" in card(page, "¿Cuándo fue?")
    assert "8.98, -79.52 (± 5 m)" in card(page, "¿Dónde?")
    assert "7 100 % 1" in card(page, "¿Cuánto le duele?")
    assert "n = 1 fila" in card(page, "Foto") and "ana.jpg" not in card(page, "Foto")
    assert "José" in card(page, "¿Cómo se llama?")


def test_the_interval_of_people_is_not_said_of_rows(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    page = visits.browser.get("/lab/forms/visitas").text
    assert "intervalo" not in card(page, "¿Trabaja en casa de {jefa}?")


def test_the_table_of_records_says_how_many_rows_each_has(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS), visits.record("visitas", {"casa/persona": [{"nombre": "x"}]}))
    page = visits.browser.get("/lab/forms/visitas", headers={"HX-Request": "true"}).text
    cells = re.findall(r"<td>(\d+ filas?)</td>", page)
    assert cells == ["1 fila", "2 filas"]


def test_the_page_speaks_english_too(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    page = visits.browser.get("/lab/forms/visitas", headers={"Accept-Language": "en"}).text
    assert "Repeats: Person" in page and "n = 2 rows" in card(page, "Age of {nombre}?")


# --- one record


def test_a_record_shows_its_rows_with_their_numbers(visits: Lab) -> None:
    flags = [
        {"key": "casa/persona[2]/edad", "what": "constraint", "text": "9"},
        {"key": "casa/persona[1]/visita[2]/costo", "what": "type", "text": "1"},
        {"key": "casa/persona", "what": "rows", "text": "2"},
    ]
    record_id = visits.put(visits.record("visitas", ANSWERS), flags=json.dumps(flags))[0]
    page = visits.browser.get(f"/lab/records/{record_id}").text
    said = words(page)
    for part in ("Persona 2 · ¿Cuántos años tiene {nombre}?", "Persona 1 · Visita 2 · Costo", "Luz · Agua",
                 "casa/persona[1]/visita · 2 filas", "¿Cuándo fue? cuando 2026-11-20 10:00 ",
                 "1. Luz · 2. Caminos · 3. Agua", "8.98, -79.52 (± 5 m)",
                 "8.0, -80.5 → 8.1, -80.6", "ana.jpg"):  # fmt: skip
        assert part in said, part
    second = page[page.index('id="casa/persona[2]"') :]
    assert re.search(r">edad</small>.*?>9<p[^>]*>.*?La respuesta no cumple la regla", second, re.S)
    assert (
        "La respuesta no cumple la regla"
        not in page[page.index('id="casa/persona[1]"') : page.index('id="casa/persona[2]"')]
    )


def test_a_record_of_thousands_of_rows_shows_the_first_and_says_so(visits: Lab) -> None:
    flags = [{"key": f"casa/persona[{number}]", "what": "not_text", "text": ""} for number in range(1, 2001)]
    answers: dict[str, Any] = {"casa/persona": [{}] * 60_000}
    record_id = visits.put(visits.record("visitas", answers), flags=json.dumps(flags))[0]
    page = visits.browser.get(f"/lab/records/{record_id}").text
    assert "60,000 filas" in page and f"aquí se ven {MOST_ROWS}" in page and len(page) < 3_000_000
    assert page.count('<section class="card" id="casa/persona[') == MOST_ROWS
    assert "y 1,950 avisos más" in page


def test_a_file_that_the_record_names_is_linked(visits: Lab) -> None:
    blobs = [{"name": "ana.jpg", "sha256": "ab" * 32, "bytes": 3, "type": "image/jpeg"}, {"name": 4}, "x"]
    record_id = visits.put(visits.record("visitas", ANSWERS, blobs=blobs))[0]
    page = visits.browser.get(f"/lab/records/{record_id}").text
    assert f'<a href="/lab/archivo/{"ab" * 32}">ana.jpg</a>' in page


def test_a_hash_that_is_none_becomes_no_link(visits: Lab) -> None:
    record_id = visits.put(visits.record("visitas", ANSWERS, blobs=[{"name": "ana.jpg", "sha256": "../../x"}]))[0]
    assert "/lab/archivo/" not in visits.browser.get(f"/lab/records/{record_id}").text


def test_a_record_can_be_taken_as_odk_writes_it(visits: Lab) -> None:
    record_id = visits.put(visits.record("visitas", ANSWERS))[0]
    answer = visits.browser.get(f"/lab/records/{record_id}.xml")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "application/xml")
    assert from_xml(visitas(), answer.content.decode()) == ANSWERS
    assert f"uuid:{record_id}" in answer.text
    assert f'href="/lab/records/{record_id}.xml"' in visits.browser.get(f"/lab/records/{record_id}").text


def test_the_xml_of_what_is_not_here_is_not_found_and_nobody_else_gets_one(visits: Lab) -> None:
    first, second, third = visits.put(
        visits.record("visitas", ANSWERS), visits.record("visitas", ANSWERS), visits.record("ajeno", ANSWERS)
    )
    visits.erase(second)
    assert [visits.browser.get(f"/lab/records/{each}.xml").status_code for each in (second, third, "x")] == [404] * 3
    visits.browser.cookies.clear()
    assert visits.browser.get(f"/lab/records/{first}.xml").status_code == 303


# --- CSV


def export(lab: Lab, query: str = "") -> dict[str, list[dict[str, str]]]:
    answer = lab.browser.get(f"/lab/forms/visitas/export.csv?purpose=prueba{query}")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text, newline=""))) for name, text in texts.items()}


def test_a_form_with_repeats_comes_as_a_zip_with_a_table_each(visits: Lab) -> None:
    first, second = visits.put(visits.record("visitas", {"jefa": "Luz"}), visits.record("visitas", ANSWERS))
    answer = visits.browser.get("/lab/forms/visitas/export.csv?purpose=prueba")
    assert answer.headers["content-disposition"] == "attachment; filename=\"visitas.zip\"; filename*=UTF-8''visitas.zip"
    files = export(visits)
    assert list(files) == ["visitas.csv", "visitas-persona.csv", "visitas-visita.csv"]
    main, people, visit = files.values()
    assert list(main[0])[:14] == [
        "SubmissionDate", "jefa", "doble", "cuando", "casa-punto-Latitude", "casa-punto-Longitude",
        "casa-punto-Altitude", "casa-punto-Accuracy", "casa-camino", "SET-OF-casa-persona", "orden", "listo",
        "meta-instanceID", "meta-instanceName",
    ]  # fmt: skip
    assert [row["KEY"] for row in main] == [f"uuid:{second}", f"uuid:{first}"]
    assert [main[0][f"casa-punto-{part}"] for part in ("Latitude", "Longitude", "Altitude", "Accuracy")] == [
        "8.98", "-79.52", "20", "5",
    ]  # fmt: skip
    assert list(people[0]) == [
        "nombre", "edad", "trabaja", "usa", "salud-dolor", "foto", "SET-OF-visita", "PARENT_KEY", "KEY",
    ]  # fmt: skip
    assert [(row["nombre"], row["PARENT_KEY"], row["KEY"]) for row in people] == [
        ("Ana", f"uuid:{second}", f"uuid:{second}/casa/persona[1]"),
        ("José", f"uuid:{second}", f"uuid:{second}/casa/persona[2]"),
    ]
    assert [(row["costo"], row["PARENT_KEY"], row["KEY"]) for row in visit] == [
        ("2.50", people[0]["KEY"], f"uuid:{second}/casa/persona[1]/visita[1]"),
        ("1", people[0]["KEY"], f"uuid:{second}/casa/persona[1]/visita[2]"),
    ]
    assert visit[0]["KEY"].startswith(people[0]["SET-OF-visita"] + "[")
    assert (main[0]["AttachmentsPresent"], main[0]["AttachmentsExpected"]) == ("0", "1")


def test_the_links_of_rows_can_be_left_out_for_centrals_own_columns(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    assert not [name for rows in export(visits, "&sets=0").values() for name in rows[0] if name.startswith("SET-OF")]


def test_choices_in_rows_are_split_too(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    people = export(visits, "&split=1")["visitas-persona.csv"]
    assert [(row["usa/agua"], row["usa/luz"]) for row in people] == [("1", "1"), ("0", "0")]


def test_formulas_in_rows_and_places_are_disarmed_when_asked(visits: Lab) -> None:
    answers = {"casa/punto": "=1 -79.5", "casa/persona": [{"nombre": "=2", "edad": "-3", "trabaja": "@x"}]}
    visits.put(visits.record("visitas", answers))
    files = export(visits, "&safe=1")
    assert (
        files["visitas-persona.csv"][0] | {"nombre": "'=2", "edad": "-3", "trabaja": "'@x"}
        == files["visitas-persona.csv"][0]
    )
    assert [files["visitas.csv"][0][f"casa-punto-{part}"] for part in ("Latitude", "Longitude")] == ["'=1", "-79.5"]
    assert export(visits)["visitas-persona.csv"][0]["nombre"] == "=2"


def test_versions_of_a_form_with_repeats_stand_in_one_file(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    visits.publish(visitas_xml("2"))
    visits.put(visits.record("visitas", ANSWERS | {"otra": "sí"}, version="2"))
    files = export(visits)
    assert list(files["visitas.csv"][0])[9:15] == [
        "SET-OF-casa-persona", "orden", "otra", "meta-instanceID", "meta-instanceName", "listo",
    ]  # fmt: skip
    assert [row["otra"] for row in files["visitas.csv"]] == ["sí", ""]
    assert len(files["visitas-persona.csv"]) == 4


def test_file_names_hold_nothing_that_leads_out_of_the_folder() -> None:
    names = list(file_names("../a/b:c", tables_of([visitas()])).values())
    assert names == ["_a_b_c.csv", "_a_b_c-persona.csv", "_a_b_c-visita.csv"]


def test_two_repeats_of_one_name_get_two_files() -> None:
    table = tables_of([visitas()])
    inner = table.inner[0]
    twice = type(table)((), (inner, type(inner)(("otra/persona",), (), inner.repeat, inner.form)), None, table.form)
    assert list(file_names("f", twice).values()) == ["f.csv", "f-persona.csv", "f-visita.csv", "f-persona~1.csv"]


def test_twenty_thousand_rows_stream_in_flat_memory() -> None:
    """Each record makes five rows in the three files."""
    table = tables_of([visitas()])
    layout = Layout(table)

    def records(many: int) -> Iterator[CsvRecord]:
        for number in range(many):
            yield CsvRecord({"id": f"i{number}", "version": "1", "answers": ANSWERS}, "t", "nodo")

    def peak(many: int) -> tuple[int, int]:
        files = [("a.csv", csv_lines(layout, records(many)))]
        files += [
            (f"{t.key}.csv".replace("/", "-"), row_lines(layout, t, records(many))) for t in table.walk() if t.steps
        ]
        tracemalloc.start()
        sent = sum(len(piece) for piece in zip_pieces(files, datetime(2026, 11, 20, tzinfo=PANAMA)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return sent, top

    few_sent, few = peak(400)
    sent, most = peak(4000)
    assert sent > 5 * few_sent
    assert most < few * 1.2, (few, most)


# --- any JSON where answers should be

TEXTS = ["", "si", "8 -80", "=x", "agua luz", "\ufffc0\ufffc", "10:00", "-"]
KEYS = ["jefa", "casa/punto", "casa/persona", "nombre", "edad", "visita", "costo", "orden", "x", "cuando"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@given(JSON)
def test_nothing_that_a_record_can_hold_breaks_a_page_or_a_file(answers: object) -> None:
    table = tables_of([visitas("1"), visitas("2")])
    content = {"id": "i", "answers": answers}
    record = CsvRecord(content, "t", "nodo")
    for split in ({}, {"casa/persona/usa": ["agua"]}):
        layout = Layout(table, split, extra=True, safe=True)
        heads = [len(next(csv.reader([line]))) for line in list(csv_lines(layout, [record]))]
        assert len(set(heads)) == 1
        for each in table.walk():
            if each.steps:
                list(row_lines(layout, each, [record]))
    found = notices(table, [{"key": "casa/persona[1]/x[2]", "what": "nuevo"}], SPANISH)
    reader = RecordReader(SPANISH, {}, {key: [notice] for key, notice in found})
    given_answers = answers if isinstance(answers, dict) else {}
    parts = reader.parts(table, given_answers)
    people = [part for part in parts if isinstance(part, Rows) and part.key == "casa/persona"]
    assert sum(part.count for part in people) == len(rows_at(given_answers, "casa/persona"))
    samples = samples_of(table, [content])
    tables = {
        each.steps: CountedTable(1, 1, {key: {"=x": 1, "": 2} for key in keys_to_count(each)}) for each in table.walk()
    }
    results_of(table, Counted(tables, [], None, samples), [], SPANISH, datetime.now(PANAMA).date(), PANAMA)
    for column in table.columns:
        shown(column, json.dumps(answers), SPANISH)


ODD: list[Any] = [
    {}, {"casa/persona": "no"}, {"casa/persona": {"nombre": "x"}}, {"casa/persona": []},
    {"casa/persona": [1, None, "x", [], {"nombre": 3, "visita": "no"}, {"visita": [[], {"costo": [1]}, "[1"]}]},
    {"casa/persona": ["{", "[", '"'], "casa/punto": "8", "orden": "x x y", "jefa": {"a": 1}, "edad": ["41"]},
    {"casa/persona": [{"edad": "9" * 5000, "usa": "a " * 9000}, {"trabaja": "\ufffc0\ufffc", "visita": [{}]}]},
]  # fmt: skip


def test_odd_records_are_shown_counted_and_exported_like_any(visits: Lab) -> None:
    ids = visits.put(*(visits.record("visitas", answers) for answers in [*ODD, ANSWERS]))
    page = visits.browser.get("/lab/forms/visitas")
    assert page.status_code == 200
    # rows in a list count, whatever they are; what is no list has none
    assert "Filas: 13. Respuestas que las tienen: 4." in page.text
    assert "n = 2 filas" in card(page.text, "Costo")
    for record_id in ids:
        assert visits.browser.get(f"/lab/records/{record_id}").status_code == 200
        assert visits.browser.get(f"/lab/records/{record_id}.xml").status_code == 200
    files = export(visits, "&split=1&extra=1&safe=1")
    assert len(files["visitas.csv"]) == len(ids) and len(files["visitas-persona.csv"]) == 13


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5))
def test_the_store_counts_any_json(visits: Lab, answers: object) -> None:
    record_id = visits.put(visits.record("visitas", answers))[0]
    for path in ("/lab/forms/visitas", f"/lab/records/{record_id}"):
        assert visits.browser.get(path).status_code == 200
