"""The lab codes what was said in a room: several people, offline, and what leaves is protected."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest

from collector.db import writing
from collector.demo_room import open_demo_room
from collector.queries.people import put_user
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.room import Room
from collector.rooms.sense.coding import coded, read_codebook, read_codings
from collector.rooms.sense.pieces import said_in_order
from tests.conftest import Node
from tests.lab.conftest import PASSWORD, hashed
from tests.rooms_web.furnished_room import node_with_pin

ANA, LUIS = "ana@ejemplo.pa", "luis@ejemplo.pa"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    found = node_with_pin(Path(tmp_path_factory.mktemp("temas")))
    with writing(found.app.state.engine) as session:
        for person in (ANA, LUIS):
            put_user(session, person, hashed(PASSWORD), 1_795_000_000_000)
    yield found
    found.stop()


@contextmanager
def coder(node: Node, person: str) -> Iterator[httpx.Client]:
    """Give a browser-like client of somebody in the lab."""
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        client.post("/lab/login", data={"email": person, "password": PASSWORD, "next": "/lab"})
        yield client


@pytest.fixture
def session(node: Node) -> str:
    """A room of its own with six people's notes, of San Miguelito."""
    rooms: RoomStore = node.app.state.rooms
    host = Writer(new_token())
    session = rooms.open({"title": "Taller", "place": "San Miguelito", "date": "2026-11-22"}, host)
    notes = [
        make_contribution(session, "note", {"text": f"La basura, día {n}"}, host, n, seat=f"P{n}") for n in range(1, 7)
    ]
    rooms.add_all([*notes, make_contribution(session, "note", {"text": "Los jóvenes y la cancha"}, host, 7, seat="P1")])
    return session


def room_of(node: Node, session: str) -> Room:
    room = node.app.state.rooms.get(session)
    assert isinstance(room, Room)
    return room


def test_two_coders_mark_take_back_and_are_compared(node: Node, session: str) -> None:
    notes = [item.id for item in room_of(node, session).of("note")]
    address = f"/lab/salas/{session}/temas"
    with coder(node, ANA) as ana, coder(node, LUIS) as luis:
        for target in notes[:3]:
            assert ana.post(address, data={"target": target, "path": "Confianza / Vecinos"}).status_code == 200
            luis.post(address, data={"target": target, "path": "confianza/vecinos"})
        luis.post(address, data={"target": notes[3], "path": "gobernanza"})
        ana.post(address, data={"target": notes[3], "path": "confianza"})
        page = ana.post(address, data={"target": notes[2], "path": "confianza/vecinos", "on": "no"})
        assert "En qué coinciden quienes marcan" in page.text and f"{ANA}, {LUIS}" in page.text
    items = said_in_order([room_of(node, session)])
    found = coded(read_codings(items), read_codebook(items))
    assert found.by_target[notes[0]] == {ANA: {"confianza/vecinos"}, LUIS: {"confianza/vecinos"}}
    assert found.by_target[notes[2]] == {ANA: frozenset(), LUIS: {"confianza/vecinos"}}


def test_what_is_looked_for_is_found_without_accents_and_what_is_done_can_be_left_out(node: Node, session: str) -> None:
    notes = [item.id for item in room_of(node, session).of("note")]
    with coder(node, ANA) as ana:
        address = f"/lab/salas/{session}/temas"
        assert "1 textos" in ana.get(address, params={"q": "JOVENES"}).text
        ana.post(address, data={"target": notes[0], "path": "confianza"})
        assert "6 textos" in ana.get(address, params={"todo": "1"}).text


@pytest.mark.parametrize("typed", ["", "///", "a/b/c/d/e/f/g"])
def test_a_code_that_cannot_be_is_said_and_nothing_is_kept(node: Node, session: str, typed: str) -> None:
    target = room_of(node, session).of("note")[0].id
    mark = node.app.state.rooms.mark(session)
    with coder(node, ANA) as ana:
        answer = ana.post(f"/lab/salas/{session}/temas", data={"target": target, "path": typed})
        assert answer.status_code == 422 and "Ese tema no sirve." in answer.text and f"«{typed}»" in answer.text
        assert ana.post(f"/lab/salas/{session}/temas", data={"target": "x", "path": "confianza"}).status_code == 404
    assert node.app.state.rooms.mark(session) == mark


def test_themes_over_all_rooms_leave_the_demonstration_out_and_hide_small_cells(node: Node, session: str) -> None:
    rooms = node.app.state.rooms
    demo = rooms.get(open_demo_room(rooms, date(2026, 11, 22)))
    with coder(node, ANA) as ana:
        for item in room_of(node, session).of("note")[:6]:
            ana.post(f"/lab/salas/{session}/temas", data={"target": item.id, "path": "desigualdades/basura"})
        ana.post(f"/lab/salas/{session}/temas", data={"target": room_of(node, session).of("note")[6].id,
                                                        "path": "desigualdades/espacios"})  # fmt: skip
        secret = "gobernanza/solo-en-la-demostracion"
        ana.post(f"/lab/salas/{demo.session}/temas", data={"target": demo.of("note")[0].id, "path": secret})
        page, table = ana.get("/lab/temas").text, ana.get("/lab/temas.csv").text
    assert "solo-en-la-demostracion" not in table and "prot." in page
    rows = {row[1]: row[-1] for row in csv.reader(io.StringIO(table.lstrip("\ufeff")))}
    assert rows["desigualdades/espacios"] == "prot."


def test_strangers_code_nothing(node: Node, session: str) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as stranger:
        assert stranger.get(f"/lab/salas/{session}/temas").status_code in (303, 401)
        assert stranger.post(f"/lab/salas/{session}/temas", data={"target": "x"}).status_code in (303, 401)
        assert stranger.get("/lab/temas.csv").status_code in (303, 401)
