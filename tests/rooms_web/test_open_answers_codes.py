"""The lab codes open answers with the same codebook as rooms, keeps the book, and hands out tables over both."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.db import reading, writing
from collector.queries.contributions import bodies_of
from collector.queries.people import put_user
from collector.queries.records import Arrival, ingest
from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.sense.sessions import CODEBOOK_SESSION, answers_session
from collector.sense_store import SenseStore
from sync.records import canonical_bytes, read_record
from sync.statements import made, make_tombstone
from tests.conftest import Node
from tests.consented import card_record, publish_with_notice
from tests.lab.conftest import PASSWORD, hashed
from tests.rooms_web.furnished_room import node_with_pin
from tests.rooms_web.test_rooms_codes import ANA, LUIS, coder

HERE = "/lab/forms/tarjeta/temas"
MOMENT_MS = 1_795_190_400_000


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    found = node_with_pin(tmp_path)
    with writing(found.app.state.engine) as session:
        for person in (ANA, LUIS):
            put_user(session, person, hashed(PASSWORD), MOMENT_MS)
    publish_with_notice(found, "tarjeta")
    yield found
    found.stop()


@pytest.fixture
def ana(node: Node) -> Iterator[httpx.Client]:
    with coder(node, ANA) as client:
        client.headers["X-Purpose"] = "informe de junio"
        yield client


def put(node: Node, *contents: dict[str, Any]) -> list[str]:
    """Put records into the log; return their ids."""
    read = [read_record(canonical_bytes(content).decode()) for content in contents]
    arrivals = [
        Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version, r.why, device_ms=MOMENT_MS + n)
        for n, r in enumerate(read)
    ]
    with writing(node.app.state.engine) as session:
        ingest(session, arrivals, MOMENT_MS)
    return [r.id for r in read]


def cards(node: Node, *texts: str, **changes: str) -> list[str]:
    """Put an answer for each text; return the targets of their words."""
    return [f"{each}#relato" for each in put(node, *(card_record(relato=text, **changes) for text in texts))]


def shown_texts(page: str) -> list[str]:
    return re.findall(r"<section class=\"card\" id=\"t-[^\"]*\">\s*<p><b>([^<]*)</b>", page)


def mark(client: httpx.Client, target: str, path: str, **more: str) -> httpx.Response:
    return client.post(HERE, data={"target": target, "path": path, **more})


def table_of(client: httpx.Client, por: str = "place") -> dict[str, dict[str, str]]:
    """Return code -> cells of a table as it is handed out."""
    text = client.get("/lab/temas.csv", params={"por": por}).text
    return {row["Código"]: row for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}


def room_with_notes(node: Node, place: str, count: int) -> tuple[str, list[str]]:
    """Open a room in which so many people say one thing each; return its id and their notes."""
    rooms, host = node.app.state.rooms, Writer(new_token())
    session = str(rooms.open({"title": "Taller", "place": place, "date": "2026-11-22"}, host))
    notes = [
        make_contribution(session, "note", {"text": f"Nota {n} de {place}"}, host, n, seat=f"P{n}")
        for n in range(1, count + 1)
    ]
    rooms.add_all(notes)
    return session, [str(note["id"]) for note in notes]


# --- open answers


def test_answers_are_listed_newest_first_and_found_without_accents(node: Node, ana: httpx.Client) -> None:
    cards(node, "Falta luz en la calle", "La JUNTA comunal escuchó")
    assert shown_texts(ana.get(HERE).text) == ["La JUNTA comunal escuchó", "Falta luz en la calle"]
    assert shown_texts(ana.get(HERE, params={"q": "escucho"}).text) == ["La JUNTA comunal escuchó"]
    assert shown_texts(ana.get(HERE, params={"question": "no hay tal"}).text) == []
    assert "San Miguelito" in ana.get(HERE).text


def test_two_coders_mark_an_answer_take_it_off_and_are_compared(node: Node, ana: httpx.Client) -> None:
    first, second = cards(node, "Falta luz", "Nadie responde")
    with coder(node, LUIS) as luis:
        for client in (ana, luis):
            mark(client, first, "Desigualdades / Luz")
            mark(client, second, "gobernanza/reclamos")
        page = mark(luis, second, "gobernanza/reclamos", on="no").text
    assert f"{ANA}, {LUIS}" in page
    luz = page.partition('<small class="code">desigualdades/luz</small>')[2].partition("</tr>")[0]
    assert "Coinciden: se puede concluir con estos temas." in luz and "1.00" in luz
    reclamos = page.partition('<small class="code">gobernanza/reclamos</small>')[2].partition("</tr>")[0]
    assert "No coinciden" in reclamos and "0.50" in reclamos
    assert shown_texts(ana.get(HERE, params={"todo": "1"}).text) == []


@pytest.mark.parametrize("typed", ["///", "a/b/c/d/e/f/g"])
def test_a_code_that_cannot_be_is_said_and_what_is_no_answer_takes_none(
    node: Node, ana: httpx.Client, typed: str
) -> None:
    (target,) = cards(node, "Falta luz")
    answer = mark(ana, target, typed)
    assert answer.status_code == 422 and f"«{typed}»" in answer.text
    assert mark(ana, target + "2", "gobernanza").status_code == 404
    assert mark(ana, "x", "gobernanza").status_code == 404


def test_an_erased_answer_takes_its_codings_along(node: Node, ana: httpx.Client) -> None:
    targets = cards(node, *(f"Falta luz {n}" for n in range(6)))
    for target in targets:
        mark(ana, target, "desigualdades/luz")
    assert "Falta luz 3" in ana.get(f"{HERE}/textos.csv").text
    with writing(node.app.state.engine) as session:
        ingest(session, [make_tombstone(targets[3].partition("#")[0], "lab", "")], MOMENT_MS)
    assert "Falta luz 3" not in ana.get(f"{HERE}/textos.csv").text
    assert "Falta luz 3" not in ana.get("/lab/temas/celda?por=place&tema=desigualdades/luz&col=0810").text
    assert shown_texts(ana.get(HERE, params={"q": "luz 3"}).text) == []


def test_codings_hold_no_text_and_travel_as_records(node: Node, ana: httpx.Client) -> None:
    (target,) = cards(node, "Palabras que nadie más escribe")
    mark(ana, target, "confianza/vecinos")
    (item,) = SenseStore(node.app.state.engine).get(answers_session("tarjeta")).items
    assert item.payload == {"target": target, "path": "confianza/vecinos", "coder": ANA, "on": True}
    assert not node.app.state.rooms.ids()  # it is no room


def test_two_nodes_that_never_met_write_into_the_same_book_and_the_same_answers(
    node: Node, ana: httpx.Client, make_node: Callable[..., Node]
) -> None:
    """What the hub coded comes to central as records, in any order, and counts there with what central coded."""
    hub = make_node("hub")
    with writing(hub.app.state.engine) as session:
        put_user(session, LUIS, hashed(PASSWORD), MOMENT_MS)
    publish_with_notice(hub, "tarjeta")
    content = card_record(relato="Falta luz")
    (record,) = put(node, content)
    put(hub, content)
    mark(ana, f"{record}#relato", "desigualdades/luz")
    with coder(hub, LUIS) as luis:
        mark(luis, f"{record}#relato", "desigualdades/luz")
    with reading(hub.app.state.engine) as session:
        sent = [body for each in (answers_session("tarjeta"), CODEBOOK_SESSION) for body in bodies_of(session, each)]
    with writing(node.app.state.engine) as session:
        assert set(ingest(session, [made(json.loads(body)) for body in reversed(sent)], MOMENT_MS)) == {"stored"}
    page = ana.get(HERE).text
    assert f"{ANA}, {LUIS}" in page and "1.00" in page
    assert "1 texto, 2 personas lo marcaron" in ana.get("/lab/temas/libro").text


def test_only_what_may_be_quoted_leaves_for_other_programs(node: Node, ana: httpx.Client) -> None:
    cards(node, "Esto se puede citar", "Llámeme al 6123-4567")
    cards(node, "Esto no", consent__purposes="")
    comments = list(csv.DictReader(io.StringIO(ana.get(f"{HERE}/comentarios.csv").text)))
    assert [each["comment"] for each in comments] == ["Esto se puede citar"] and list(comments[0]) == ["id", "comment"]
    people = list(csv.DictReader(io.StringIO(ana.get(f"{HERE}/participantes.csv").text)))
    assert people == [{"participant_id": "1", "survey_text": "Esto se puede citar"}]
    assert ana.get(f"{HERE}/nada.csv").status_code == 404


def test_the_project_of_a_survey_holds_the_coded_answers(node: Node, ana: httpx.Client) -> None:
    first, _ = cards(node, "Falta luz", "Nadie responde")
    mark(ana, first, "desigualdades/luz")
    with zipfile.ZipFile(io.BytesIO(ana.get(f"{HERE}/proyecto.qdpx").content)) as project:
        texts = [project.read(name).decode() for name in project.namelist() if name.startswith("sources/")]
    assert texts == ["Falta luz"]


def test_strangers_see_no_answers_book_or_tables(node: Node) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as stranger:
        for path in (HERE, f"{HERE}/textos.csv", "/lab/temas/libro", "/lab/temas/libro.qdc", "/lab/temas",
                     "/lab/temas/celda?por=place", "/lab/temas.html"):  # fmt: skip
            assert stranger.get(path).status_code in (303, 401), path
        assert stranger.post("/lab/temas/libro", data={"path": "x"}).status_code in (303, 401)
        assert stranger.post(HERE, data={"target": "x"}).status_code in (303, 401)


# --- the book


def test_the_book_is_added_to_renamed_merged_and_undone(node: Node, ana: httpx.Client) -> None:
    book = "/lab/temas/libro"
    ana.post(
        book, data={"action": "add", "path": "Confianza/Vecinos", "label": "Vecindad", "description": "De la calle"}
    )
    (target,) = cards(node, "Nos cuidamos")
    page = mark(ana, target, "confianza/barrio")
    assert 'value="confianza/vecinos"' in page.text  # the form's page offers it
    page = ana.post(book, data={"action": "become", "path": "confianza/barrio", "becomes": "confianza/vecinos"})
    assert "Vecindad" in page.text and "De la calle" in page.text and "1 texto, 1 persona lo marcó" in page.text
    assert '<small class="code">confianza/barrio</small>' not in page.text
    assert "confianza/vecinos" in ana.get(f"{HERE}/textos.csv").text
    page = ana.post(book, data={"action": "undo"})
    assert '<small class="code">confianza/barrio</small>' in page.text
    assert "confianza/barrio" in ana.get(f"{HERE}/textos.csv").text
    codes = ana.get(f"{book}.qdc").text
    assert "Vecindad" in codes and "barrio" in codes.lower()


@pytest.mark.parametrize(
    ("path", "becomes", "sentence"),
    [
        ("confianza", "confianza/vecinos/nuevos", "debajo de sí mismo"),
        ("confianza", "///", "Ese tema no sirve."),
        ("confianza", "a/b/c/d/e/f", "Ese tema no sirve."),  # what stands below it would be too deep
    ],
)
def test_a_code_goes_neither_under_itself_nor_too_deep(
    ana: httpx.Client, path: str, becomes: str, sentence: str
) -> None:
    ana.post("/lab/temas/libro", data={"action": "add", "path": "confianza/vecinos"})
    answer = ana.post("/lab/temas/libro", data={"action": "become", "path": path, "becomes": becomes})
    assert answer.status_code == 422 and sentence in answer.text


def test_an_empty_book_has_a_page_and_no_file(ana: httpx.Client) -> None:
    assert "Todavía no hay temas." in ana.get("/lab/temas/libro").text
    assert ana.get("/lab/temas/libro.qdc").status_code == 404


# --- tables


def test_a_table_counts_rooms_and_answers_and_each_cell_leads_to_its_records(node: Node, ana: httpx.Client) -> None:
    session, notes = room_with_notes(node, "0911", 7)
    for note in notes:
        ana.post(f"/lab/salas/{session}/temas", data={"target": note, "path": "desigualdades/luz"})
    for target in cards(node, *(f"Falta luz {n}" for n in range(6))):
        mark(ana, target, "desigualdades/luz")
    row = table_of(ana)["desigualdades/luz"]
    assert (row["Soná"], row["San Miguelito"], row["Total"]) == ("7", "6", "13")
    page = ana.get("/lab/temas").text
    links = re.findall(r'href="(/lab/temas/celda[^"]*)" aria-label="[^"]*: (\d+)"', page)
    assert sorted(count for _, count in links) == ["6", "7"]
    for address, count in links:
        cell = ana.get(address.replace("&amp;", "&")).text
        assert f"{count} registros" in cell and cell.count('<section class="card">') == int(count)
    assert ana.get("/lab/temas/celda?por=place&tema=nada&col=0810").status_code == 404
    assert ana.get("/lab/temas?por=nada").status_code == 404


def test_by_segment_a_survey_and_a_room_stand_in_the_same_columns(node: Node, ana: httpx.Client) -> None:
    for target in cards(node, *(f"Falta luz {n}" for n in range(6)), age_band="18_mas"):
        mark(ana, target, "desigualdades/luz")
    page = ana.get("/lab/temas").text
    por = re.findall(r'<option value="(segment:[^"]*)"', page)
    assert "segment:age_band" in por
    row = table_of(ana, "segment:age_band")["desigualdades/luz"]
    assert row["Total"] == "6" and "6" in [value for key, value in row.items() if key not in ("Total", "Código")]
    printed = ana.get("/lab/temas.html", params={"por": "segment:age_band"})
    assert '<th scope="row">Luz</th>' in printed.text and "no llevan total" in printed.text
    assert "default-src 'none'" in printed.headers["content-security-policy"]


def test_what_was_handed_out_changes_only_when_k_people_came(node: Node, ana: httpx.Client) -> None:
    for target in cards(node, *(f"Falta luz {n}" for n in range(9))):
        mark(ana, target, "desigualdades/luz")
    assert table_of(ana)["desigualdades/luz"]["Total"] == "9"
    for target in cards(node, *(f"Otra {n}" for n in range(3))):
        mark(ana, target, "desigualdades/luz")
    assert table_of(ana)["desigualdades/luz"]["Total"] == "9"
    for target in cards(node, *(f"Y otra {n}" for n in range(2))):
        mark(ana, target, "desigualdades/luz")
    assert table_of(ana)["desigualdades/luz"]["Total"] == "14"


def test_for_the_public_ten_people_are_needed(node: Node, ana: httpx.Client) -> None:
    for target in cards(node, *(f"Falta luz {n}" for n in range(9))):
        mark(ana, target, "desigualdades/luz")
    assert ana.post("/lab/temas", data={"k": "7"}).status_code == 400
    assert ana.post("/lab/temas", data={"k": "10"}).status_code == 200
    assert table_of(ana)["desigualdades/luz"]["Total"] == "prot."
