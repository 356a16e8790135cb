"""A facilitator takes a session to a second tablet: the file, what a wrong file is, and where rooms come from."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from collector.db import writing
from collector.demo_room import open_demo_room
from collector.links import room_code
from collector.queries import fleet, nodes
from collector.room_store import make_contribution as contribution
from tests.conftest import Node
from tests.rooms_web.furnished_room import HOST, node_with_pin, open_small_room, put, signed_in, told_in


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A second tablet, which has never talked to the first."""
    found = node_with_pin(Path(tmp_path_factory.mktemp("segunda")), "Tableta 7 · Soná")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def other(second: Node) -> Iterator[httpx.Client]:
    with signed_in(second) as client:
        yield client


@pytest.fixture
def room(node: Node) -> str:
    """A room with two seats, a note and an open step."""
    found = open_small_room(node, district="0911")
    put(node, *(contribution(found, "seat", {}, HOST, n, seat=f"P{n}") for n in (1, 2)))
    put(node, contribution(found, "step", {"state": "open"}, HOST, 3, step="frases"))
    put(node, contribution(found, "note", {"text": "Nadie lo dijo afuera"}, HOST, 4, seat="P1", step="frases"))
    return found


def brought(client: httpx.Client, content: bytes, name: str = "sala.csala") -> httpx.Response:
    return client.post("/sala/traer", files={"file": (name, content)})


def file_of(client: httpx.Client, room: str, notes: bool = False) -> bytes:
    page = client.get(f"/sala/{room}/llevar").text
    ending = "-notas.csala?con=notas" if notes else ".csala"
    (address,) = re.findall(rf'href="(/sala/{room}/llevar/sala-[A-Z]{{5}}{re.escape(ending)})"', page)
    answer = client.get(address)
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    return answer.content


def warning_in(html: str) -> str:
    found = re.search(r'<div class="banner act" id="trouble".*?</div></div>', html, re.S)
    return found.group() if found else ""


def test_a_room_goes_from_one_tablet_to_the_other_in_a_file(
    host: httpx.Client, other: httpx.Client, second: Node, room: str
) -> None:
    assert "Llevar a otra tableta" in host.get(f"/sala/{room}").text
    content = file_of(host, room)
    assert b"Nadie lo dijo afuera" not in content
    answer = brought(other, content)
    assert answer.status_code == 200 and "Aquí está la sala" in answer.text and room_code(room) in answer.text
    found = second.app.state.rooms.get(room)
    assert list(found.seats) == ["P1", "P2"] and found.run("frases").state == "open" and found.items == ()
    listed = other.get("/sala").text
    assert "Se preparó en Tableta 3 · Soná" in listed
    again = brought(other, content)
    assert "ya estaba aquí" in again.text
    # the same five letters join on both
    assert other.get(f"/s/{room_code(room)}").status_code == 200


def test_both_write_and_the_notes_come_together_with_no_network(
    host: httpx.Client, other: httpx.Client, node: Node, second: Node, room: str
) -> None:
    brought(other, file_of(host, room))
    for client, text in ((host, "De la primera"), (other, "De la segunda")):
        answer = client.post(
            f"/sala/{room}/notas", data={"text": text, "seat": "P1", "form": "paraphrase", "step": "frases"}
        )
        assert answer.status_code == 200
    assert brought(host, file_of(other, room, notes=True)).status_code == 200
    assert brought(other, file_of(host, room, notes=True)).status_code == 200
    one, two = node.app.state.rooms.get(room), second.app.state.rooms.get(room)
    assert one == two and [item.text for item in one.of("note")] == [
        "Nadie lo dijo afuera", "De la primera", "De la segunda",
    ]  # fmt: skip
    assert len(told_in(node, room)) == len(told_in(second, room))


def workbook() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (workbook(), "Es una hoja de cálculo"),
        (b"%PDF-1.7\n...", "Es un PDF"),
        (b"\x89PNG\r\n\x1a\n", "Es una imagen"),
        (b"age-encryption.org/v1\n-> X25519", "Es un paquete de respuestas"),
        (b'{"collector":"outbox"}\n{}', "Son respuestas o recibos"),
        (b"<!DOCTYPE html><title>Wi-Fi</title>", "Es una página web"),
        (b"| survey |\n| | type | name | label |\n", "Es una guía escrita como texto"),
        (b"Querida Ana:\n", "Es un texto que no es de una sala"),
        (b"\x00\x01\x02\x03", "No es un archivo de los que hace este programa"),
        (b"  \n", "El archivo está vacío"),
    ],
)
def test_a_wrong_file_is_named_for_what_it_is(other: httpx.Client, second: Node, content: bytes, what: str) -> None:
    before = second.app.state.rooms.ids()
    answer = brought(other, content, "mi archivo.bin")
    assert answer.status_code == 422 and what in warning_in(answer.text) and "mi archivo.bin" in warning_in(answer.text)
    assert second.app.state.rooms.ids() == before


def test_a_changed_or_cut_file_brings_nothing(host: httpx.Client, other: httpx.Client, second: Node, room: str) -> None:
    content = file_of(host, room)
    for wrong in (content[:-10], content.replace(b'"P2"', b'"P7"'), content.replace(b"\n", b"\r\n")):
        answer = brought(other, wrong)
        assert answer.status_code == 422 and "incompleto o cambiado" in warning_in(answer.text)
    assert second.app.state.rooms.get(room) is None


def test_no_file_and_one_without_measure_are_said(other: httpx.Client) -> None:
    assert "Falta elegir un archivo" in other.post("/sala/traer", data={"x": "y"}, files={"z": ("", b"")}).text
    answer = brought(other, b"{" + b" " * (9 * 1024 * 1024))
    assert answer.status_code == 422 and "demasiado grande" in answer.text
    assert other.get("/sala/traer").url.path == "/sala"


def test_a_demonstration_is_never_taken_and_a_closed_room_only_with_its_notes(host: httpx.Client, node: Node) -> None:
    demo = open_demo_room(node.app.state.rooms, date(2026, 11, 22))
    assert "Una demostración no se lleva" in host.get(f"/sala/{demo}/llevar").text
    code = room_code(demo)
    assert host.get(f"/sala/{demo}/llevar/sala-{code}.csala").status_code == 404
    assert host.get(f"/sala/{demo}/llevar/sala-{code}-notas.csala?con=notas").status_code == 404
    closed = open_small_room(node)
    put(node, contribution(closed, "close", {"read_back": True}, HOST, 9))
    page = host.get(f"/sala/{closed}/llevar").text
    assert "Ya no hay nada que preparar" in page and "Bajar la sala con sus notas" in page


def test_the_page_says_which_nodes_have_the_room(host: httpx.Client, node: Node, room: str) -> None:
    assert "Ningún equipo de abajo" not in host.get(f"/sala/{room}/llevar").text  # there are none
    with writing(node.app.state.engine) as session:
        code = nodes.make_enrol_code(session, 1)
        nodes.enrol_node(session, code, "Tableta 9", "f" * 32, 2, "")
    assert "Ningún equipo de abajo" in host.get(f"/sala/{room}/llevar").text
    with writing(node.app.state.engine) as session:
        fleet.note_report(session, "f" * 32, {"rooms": [room]}, 3)
    assert "Tableta 9" in host.get(f"/sala/{room}/llevar").text


def test_the_pages_ask_for_the_pin(node: Node, room: str) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as stranger:
        for path in (f"/sala/{room}/llevar", f"/sala/{room}/llevar/sala-{room_code(room)}.csala", "/sala/traer"):
            assert stranger.get(path).status_code in (303, 401)
        assert brought(stranger, b"x").status_code in (303, 401, 403)
