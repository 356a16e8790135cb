"""The lab takes a form away: every format whole, with its labels; for a purpose that stays in the audit."""

import csv
import hashlib
import io
import json
import random
import sqlite3
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet
import pyreadstat
import pytest
from frictionless import Package
from pyxform.xls2xform import convert

from collector.db import reading, writing
from collector.exports import formats
from collector.exports.codebook import codebook
from collector.exports.columnar import codes_of, variable_names
from collector.exports.profile import profile_of
from collector.exports.records import source_of
from collector.exports.sheets import Field, Options, sheets_of
from collector.exports.writing import Take, TooManyError, write_xlsx
from collector.lab.tables import TEXT, tables_of
from collector.problems import PROBLEMS
from collector.queries.audit import list_entries
from collector.queries.blobs import add_blob
from collector.queries.lab import newest_records
from collector.queries.people import put_user
from collector.tables.log import Record
from tests.lab.conftest import MOMENT_MS, PASSWORD, Lab, hashed
from tests.lab.test_repeats import ANSWERS
from tests.lab.visitas import visitas_xml

EVERY_FORMAT = ("csv", "files", "xlsx", "jsonl", "geojson", "sqlite", "parquet", "sav", "dta")
PURPOSE = "informe de junio"


def take(lab: Lab, form: str = "barrio", browser: httpx.Client | None = None, /, **fields: str) -> bytes:
    """Ask for a file, wait until it is made, and return it."""
    browser = browser or lab.browser
    asked = browser.post(f"/lab/forms/{form}/llevar", data={"purpose": PURPOSE, **fields})
    assert asked.status_code == 303, asked.text
    page = asked.headers["location"]
    until = time.monotonic() + 60
    while "Preparando el archivo" in (shown := browser.get(page).text):
        assert time.monotonic() < until, shown
        time.sleep(0.05)
    assert "El archivo está listo" in shown, shown
    answer = browser.get(f"{page}/archivo")
    assert answer.status_code == 200
    return answer.content


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def table_in(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def filled(open_lab: Lab) -> Lab:
    """Give a node with three answers, one of them with a number that is none."""
    open_lab.put(
        open_lab.answer(edad="34", gusta="si", temas="agua luz", idea="=SUMA(1)\nñ"),
        open_lab.answer(edad="muchos", gusta="ns", temas="luz"),
        open_lab.answer(pago="2.50", lugar__municipio="0401"),
    )
    return open_lab


@pytest.fixture
def visits(open_lab: Lab) -> Lab:
    """Give a node with a form of repeats inside repeats and two records."""
    open_lab.publish(visitas_xml())
    open_lab.put(open_lab.record("visitas", {"jefa": "Luz"}), open_lab.record("visitas", ANSWERS))
    return open_lab


PHOTOS = (
    "| survey | | | | |\n| | type | name | label | bind::privacy |\n| | text | idea | ¿Qué ve? | |\n"
    "| | image | rio | El río | |\n| | image | cara | Su foto | direct |\n"
    "| settings | | |\n| | form_id | version |\n| | fotos | 1 |\n"
)


def put_files(lab: Lab, answers: dict[str, str], files: dict[str, bytes]) -> str:
    """Store files and a record that names them, and one more that has not come; return the record's id."""
    blobs = [{"name": "lejos.jpg", "sha256": "0" * 64, "bytes": 9, "type": "image/jpeg"}]
    with writing(lab.node.app.state.engine) as session:
        for name, content in files.items():
            sha256 = add_blob(session, content, "image/jpeg")
            blobs.append({"name": name, "sha256": sha256, "bytes": len(content), "type": "image/jpeg"})
    (record_id,) = lab.put(lab.record("fotos", answers, blobs=blobs))
    return record_id


def test_photos_come_with_the_tables_in_a_folder_of_their_record(open_lab: Lab) -> None:
    open_lab.publish(str(convert(PHOTOS, validate=False, file_type=".md").xform))
    large = b"agua" * 300_000
    answers = {"rio": "foto.jpg", "cara": "yo.jpg", "meta/audit": "audit.csv"}
    one = put_files(open_lab, answers, {"foto.jpg": b"r", "yo.jpg": b"y", "audit.csv": b"a"})
    other = put_files(open_lab, {"rio": "foto.jpg"}, {"foto.jpg": large, "FOTO:.jpg": b"F", "odk:submission.xml": b"<"})
    found = members(take(open_lab, "fotos", format="files"))
    again = hashlib.sha256(large).hexdigest()  # some systems do not tell capitals apart
    assert {name: content for name, content in found.items() if name.startswith("archivos/")} == {
        f"archivos/{one}/foto.jpg": b"r", f"archivos/{one}/yo.jpg": b"y", f"archivos/{one}/audit.csv": b"a",
        f"archivos/{other}/FOTO.jpg": b"F", f"archivos/{other}/{again}-foto.jpg": large,
    }  # fmt: skip
    assert {row["KEY"].removeprefix("uuid:") for row in table_in(found["fotos.csv"])} == {one, other}
    with writing(open_lab.node.app.state.engine) as session:
        put_user(session, "analista@ejemplo.pa", hashed(PASSWORD), MOMENT_MS, "analyst")
    with httpx.Client(base_url=open_lab.node.url, headers={"Accept": "text/html"}, timeout=30) as analyst:
        analyst.post("/lab/login", data={"email": "analista@ejemplo.pa", "password": PASSWORD})
        theirs = members(take(open_lab, "fotos", analyst, format="files"))
    assert [name for name in theirs if one in name] == [f"archivos/{one}/foto.jpg"]


def test_photos_are_not_for_sharing(filled: Lab) -> None:
    asked = {"purpose": PURPOSE, "profile": "1", "recipient": "Universidad", "format": "files"}
    refused = filled.browser.post("/lab/forms/barrio/llevar", data=asked)
    assert refused.status_code == 422 and "no se comparten" in refused.text


def test_without_a_purpose_nothing_is_read(filled: Lab) -> None:
    for said in ({}, {"purpose": ""}, {"purpose": " x "}):
        answer = filled.browser.post("/lab/forms/barrio/llevar", data=said)
        assert answer.status_code == 422 and "para qué" in answer.text
    assert filled.browser.get("/lab/forms/barrio/export.csv").status_code == 422
    with reading(filled.node.app.state.engine) as session:
        assert not list_entries(session, action="export")


def test_what_was_taken_stands_in_the_audit_with_its_hash(filled: Lab) -> None:
    content = take(filled, format="csv", recipient="Alcaldía")
    with reading(filled.node.app.state.engine) as session:
        (entry,) = list_entries(session, action="export")
    detail = json.loads(entry.detail)
    assert (entry.subject, entry.purpose, entry.count) == ("barrio", PURPOSE, 3)
    assert detail["sha256"] == hashlib.sha256(content).hexdigest()
    assert (detail["format"], detail["recipient"], detail["bytes"]) == ("csv", "Alcaldía", len(content))


def test_the_zip_of_csv_says_what_it_holds(filled: Lab, tmp_path: Path) -> None:
    files = members(take(filled, format="csv"))
    rows = table_in(files["barrio.csv"])
    assert [row["edad"] for row in rows] == ["", "", "34"]
    assert json.loads(rows[1]["_unread"]) == {"edad": "muchos"}
    assert rows[2]["idea"] == "=SUMA(1)\nñ" and rows[2]["temas/agua"] == "1"
    assert rows[1]["temas/agua"] == "0" and rows[0]["temas/agua"] == ""
    package = json.loads(files["datapackage.json"])
    assert package["purpose"] == PURPOSE and package["resources"][0]["rowCount"] == 3
    book = table_in(files["codebook.csv"])
    assert {row["nombre"]: row["respuestas"] for row in book}["edad"] == "2"


def test_the_data_package_holds_for_frictionless(visits: Lab, tmp_path: Path) -> None:
    for name, content in members(take(visits, "visitas", format="csv")).items():
        (tmp_path / name).write_bytes(content)
    package = Package(str(tmp_path / "datapackage.json"))
    assert len(package.resources) == 3
    report = package.validate()
    assert report.valid, report.flatten(["title", "message"])


def test_a_workbook_has_a_sheet_a_table_and_runs_no_formula(visits: Lab, filled: Lab) -> None:
    book = openpyxl.load_workbook(io.BytesIO(take(visits, "visitas", format="xlsx")))
    assert book.sheetnames[0] == "visitas" and "codebook" in book.sheetnames and len(book.sheetnames) == 4
    own = openpyxl.load_workbook(io.BytesIO(take(filled, format="xlsx")))["barrio"]
    head, *rows = own.iter_rows(values_only=True)
    at = head.index("idea")
    assert rows[2][at] == "=SUMA(1)\nñ" and own.cell(4, at + 1).data_type == "s"
    assert rows[2][head.index("edad")] == 34


def test_labels_stand_in_place_of_names_when_asked(filled: Lab) -> None:
    rows = table_in(members(take(filled, format="csv", labels="1"))["barrio.csv"])
    assert [row["lugar-municipio"] for row in rows] == ["Alanje", "San Miguelito", "San Miguelito"]
    english = table_in(members(take(filled, format="csv", labels="1", language="English (en)"))["barrio.csv"])
    assert english[2]["gusta"] == "Yes"


def test_json_lines_hold_the_bytes_of_the_records(filled: Lab) -> None:
    lines = take(filled, format="jsonl").decode().splitlines()
    with reading(filled.node.app.state.engine) as session:
        bodies = [record.body for record in newest_records(session, "barrio", None, 10)]
    assert len(lines) == 3
    for line, body in zip(lines, bodies, strict=True):
        assert line.endswith(f'"record": {body}}}') and json.loads(line)["received"]


def test_a_sqlite_file_ties_the_rows_of_repeats_to_theirs(visits: Lab, tmp_path: Path) -> None:
    path = tmp_path / "visitas.db"
    path.write_bytes(take(visits, "visitas", format="sqlite"))
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        inner = [table for table in tables if table not in ("visitas", "codebook")]
        assert len(inner) == 2
        for table in inner:
            assert database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] > 0


def test_parquet_keeps_the_types(filled: Lab, tmp_path: Path) -> None:
    path = tmp_path / "barrio.parquet"
    path.write_bytes(take(filled, format="parquet"))
    table = pyarrow.parquet.read_table(path)
    assert table.num_rows == 3 and str(table.schema.field("edad").type) == "int64"
    assert table.column("edad").to_pylist() == [None, None, 34]
    assert table.schema.field("edad").metadata[b"label"].decode() == "¿Cuántos años tiene?"


@pytest.mark.parametrize(("kind", "read"), [("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)])
def test_statistics_programs_get_labels(filled: Lab, tmp_path: Path, kind: str, read: Any) -> None:
    path = tmp_path / f"barrio.{kind}"
    path.write_bytes(take(filled, format=kind))
    frame, about = read(str(path))
    assert len(frame) == 3
    assert dict(zip(about.column_names, about.column_labels, strict=True))["gusta"] == "¿Le gusta su barrio?"
    numbers = about.variable_value_labels["gusta"]
    assert [numbers[value] for value in frame["gusta"].dropna()] == ["No sé", "Sí"]
    assert about.variable_value_labels["lugar_municipio"][810.0] == "San Miguelito"


def test_a_place_becomes_a_point_in_geojson(open_lab: Lab) -> None:
    text = (
        "| survey |\n| | type | name | label |\n| | geopoint | punto | Dónde |\n"
        "| settings |\n| | form_id | version |\n| | mapa | 1 |\n"
    )
    open_lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    open_lab.put(*(open_lab.record("mapa", {"punto": value}) for value in ("9.03 -79.5 12 4", "lejos", "")))
    found = json.loads(take(open_lab, "mapa", format="geojson"))
    assert [feature["geometry"] for feature in found["features"]] == [
        None, None, {"type": "Point", "coordinates": [-79.5, 9.03, 12.0]},
    ]  # fmt: skip


def test_every_format_ends_at_the_same_record_whatever_comes_later(filled: Lab) -> None:
    """Records that arrive while a file is written are in none of its parts."""
    state = filled.node.app.state
    source = source_of(state.engine, state.node_id, "barrio")
    reader: Iterator[Any] = source.records()
    next(reader)
    filled.put(filled.answer(), filled.answer())
    assert 1 + sum(1 for _ in reader) == source.count() == 3
    assert sum(1 for _ in source.lines()) == 3


def test_only_records_of_one_review_state_are_taken_when_asked(filled: Lab) -> None:
    with writing(filled.node.app.state.engine) as session:
        record = session.get(Record, filled.last())
        assert record is not None
        record.review = "approved"
        session.add(record)
    assert len(table_in(members(take(filled, review="approved"))["barrio.csv"])) == 1
    assert len(table_in(members(take(filled, review="received"))["barrio.csv"])) == 2


def test_a_file_is_for_who_asked_for_it_alone(filled: Lab) -> None:
    asked = filled.browser.post("/lab/forms/barrio/llevar", data={"purpose": PURPOSE})
    with writing(filled.node.app.state.engine) as session:
        put_user(session, "luz@ejemplo.pa", hashed(PASSWORD), MOMENT_MS, "lab")
    with httpx.Client(base_url=filled.node.url, headers={"Accept": "text/html"}) as other:
        other.post("/lab/login", data={"email": "luz@ejemplo.pa", "password": PASSWORD})
        for address in (asked.headers["location"], asked.headers["location"] + "/archivo", "/lab/llevar/x"):
            assert other.get(address).status_code == 404


@pytest.mark.parametrize("kind", EVERY_FORMAT)
def test_an_analyst_takes_no_direct_identifier(open_lab: Lab, kind: str) -> None:
    text = (
        "| survey |\n| | type | name | label |\n| | text | nombre | ¿Cómo se llama? |\n| | integer | edad | Edad |\n"
        "| settings |\n| | form_id | version |\n| | gente | 1 |\n"
    )
    open_lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    open_lab.put(open_lab.record("gente", {"nombre": "Xiomara", "edad": "40"}))
    with writing(open_lab.node.app.state.engine) as session:
        put_user(session, "analista@ejemplo.pa", hashed(PASSWORD), MOMENT_MS, "analyst")
    with httpx.Client(base_url=open_lab.node.url, headers={"Accept": "text/html"}, timeout=30) as analyst:
        analyst.post("/lab/login", data={"email": "analista@ejemplo.pa", "password": PASSWORD})
        theirs = take(open_lab, "gente", analyst, format=kind)
    parts = members(theirs).values() if theirs[:2] == b"PK" else [theirs]
    assert not any(b"Xiomara" in part for part in parts)
    ours = take(open_lab, "gente", format=kind)
    assert any(b"Xiomara" in part for part in (members(ours).values() if ours[:2] == b"PK" else [ours]))


def test_a_full_disk_is_told_and_leaves_nothing(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: Any) -> Any:
        raise OSError(28, "No space left on device")

    held = formats.FORMATS["csv"]
    broken = {**formats.FORMATS, "csv": type(held)(held.suffix, held.media_type, full)}
    monkeypatch.setattr("collector.routes.lab_take.FORMATS", broken)
    page = filled.browser.post("/lab/forms/barrio/llevar", data={"purpose": PURPOSE}).headers["location"]
    until = time.monotonic() + 20
    while "Preparando" in (shown := filled.browser.get(page).text) and time.monotonic() < until:
        time.sleep(0.05)
    assert "No se pudo escribir el archivo" in shown
    assert [path.suffix for path in (filled.node.data_dir / "exports").iterdir()] == [".json"]


def test_the_codebook_tells_what_each_version_changed(open_lab: Lab) -> None:
    open_lab.install("2")
    shown = open_lab.browser.get("/lab/forms/barrio/diccionario")
    assert shown.status_code == 200 and "2: tipo integer → decimal" in shown.text and "2: con caminos" in shown.text
    rows = table_in(open_lab.browser.get("/lab/forms/barrio/diccionario.csv").content)
    hijos = next(row for row in rows if row["nombre"] == "hijos")
    assert (hijos["desde"], hijos["tipo"]) == ("2", "integer")


def test_names_and_numbers_that_statistics_programs_take() -> None:
    fields = [Field(name, TEXT, "") for name in ("grupo-edad", "grupo_edad", "1x", "temas/agua", "Grupo-Edad", "ñ")]
    assert variable_names(fields, 32) == ["grupo_edad", "grupo_edad_2", "v_1x", "temas_agua", "Grupo_Edad_3", "n"]
    assert codes_of(Field("a", TEXT, "", {"2": "Dos", "-1": "No"}))[0] == {"2": 2, "-1": -1}
    assert codes_of(Field("a", TEXT, "", {"si": "Sí", "no": "No"})) == ({"si": 1, "no": 2}, {1.0: "Sí", 2.0: "No"})


def test_a_form_too_wide_for_a_workbook_is_refused_in_words(filled: Lab, tmp_path: Path) -> None:
    forms = [filled.node.app.state.forms.get("barrio", "1")]
    (sheet,) = sheets_of("barrio", tables_of(forms), Options())
    wide = type(sheet)(sheet.name, (), "", sheet.fields * 1500, sheet.cells)
    nothing = Take("barrio", "", [wide], lambda: iter(()), lambda: iter(()), codebook(forms, {}), {})
    with pytest.raises(TooManyError):
        write_xlsx(tmp_path / "x.xlsx", nothing, lambda _done: None)
    assert "export_not_found" in PROBLEMS


# --- to share


def test_no_combination_of_a_shared_file_stands_for_fewer_than_five_rows() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        found = [
            (chance.choice(["0810", "0808", "0401", "", "10"]), chance.choice(["a", "b", "c", ""]))
            for _ in range(chance.randint(5, 120))
        ]
        profile = profile_of(found, ("lugar", "edad"), ("lugar",))
        written = Counter(profile.told[values] for values in found)
        assert min(written.values()) >= 5
        report = profile.report
        assert report.whole + report.coarse + report.blank == len(found)


def test_a_shared_file_holds_no_text_and_says_what_was_done(open_lab: Lab) -> None:
    many = [open_lab.answer(idea="Soy Ana", gusta="si", edad="30") for _ in range(9)]
    open_lab.put(*many, open_lab.answer(lugar__municipio="0401", gusta="no"))
    files = members(take(open_lab, profile="1", recipient="Universidad"))
    rows = table_in(files["barrio.csv"])
    assert len(rows) == 10 and not any(b"Soy Ana" in content for content in files.values())
    assert "idea" not in rows[0] and rows[0]["gusta"] == "no" and {len(row["SubmissionDate"]) for row in rows} == {10}
    # ten rows: the one of Alanje alone would tell where it comes from, and so would the blank one
    assert {row["lugar-municipio"] for row in rows} == {""}
    assert json.loads(files["datapackage.json"])["profile"] == {
        "k": 5, "quasi": ["lugar/municipio", "edad"], "whole": 0, "coarse": 0, "blank": 10, "dropped": 0,
    }  # fmt: skip
    said = {"purpose": PURPOSE, "format": "jsonl", "profile": "1", "recipient": "Universidad"}
    refused = open_lab.browser.post("/lab/forms/barrio/llevar", data=said)
    assert refused.status_code == 422 and "no se comparte" in refused.text
