"""The note pad over real HTTP: one post a note, two note-takers, taking back, who has not spoken."""

import re
from collections.abc import Iterator

import httpx
import pytest

from collector.room_store import make_contribution
from tests.conftest import Node
from tests.rooms_web.furnished_room import HOST, open_small_room, put, signed_in, told_in


@pytest.fixture(scope="module")
def taker(node: Node) -> Iterator[httpx.Client]:
    """A note-taker's browser."""
    with signed_in(node) as client:
        yield client


@pytest.fixture
def room(node: Node) -> str:
    """A room with two seats."""
    made = open_small_room(node)
    for number, group in ((1, "joven"), (2, "mayor")):
        said = {"segments": {"generacion": group}}
        put(node, make_contribution(made, "seat", said, HOST, number, seat=f"P{number}"))
    return made


def note(text: str, **more: str) -> dict[str, str]:
    return {"text": text, "seat": "P1", "step": "frases", "manner": "paraphrase"} | more


def test_a_note_keeps_who_what_how_and_about_what(node: Node, taker: httpx.Client, room: str) -> None:
    sent = note("  Uno va a la junta\r\ny nadie responde. ", manner="verbatim", new_theme="Respuesta", quote="si")
    page = taker.post(f"/sala/{room}/notas", data=sent)
    (kept,) = [body for body in told_in(node, room) if body["what"] == "note"]
    assert kept["payload"] == {
        "text": "Uno va a la junta\ny nadie responde.", "form": "verbatim", "theme": "Respuesta", "quote": True,
    }  # fmt: skip
    assert (kept["seat"], kept["step"]) == ("P1", "frases")
    assert "«Uno va a la junta" in page.text and "1 nota" in page.text
    # the next note begins as this one ended, with an empty sheet
    assert re.search(r'name="seat" value="P1" checked', page.text) and "autofocus></textarea>" in page.text
    assert re.search(r'name="manner" value="verbatim" checked', page.text)


def test_a_theme_written_another_way_is_the_same_theme(node: Node, taker: httpx.Client, room: str) -> None:
    taker.post(f"/sala/{room}/notas", data=note("Uno", new_theme="Participación"))
    taker.post(f"/sala/{room}/notas", data=note("Dos", new_theme=" participacion "))
    page = taker.post(f"/sala/{room}/notas", data=note("Tres", theme="Participación"))
    assert {item.said("theme") for item in node.app.state.rooms.get(room).of("note")} == {"Participación"}
    assert page.text.count('name="theme" value="Participación"') == 1


def test_two_note_takers_write_into_one_timeline(node: Node, taker: httpx.Client, room: str) -> None:
    with signed_in(node) as other:
        for number in range(3):
            taker.post(f"/sala/{room}/notas", data=note(f"de la primera {number}"))
            other.post(f"/sala/{room}/notas", data=note(f"de la segunda {number}", seat="P2"))
        page = other.get(f"/sala/{room}/notas")
    notes = node.app.state.rooms.get(room).of("note")
    assert [item.text for item in notes] == [
        f"de la {who} {number}" for number in range(3) for who in ("primera", "segunda")
    ]
    assert len({item.by for item in notes}) == 2
    assert page.text.index("de la segunda 2") < page.text.index("de la primera 0")  # the newest on top


def test_a_note_is_taken_back_and_put_back(node: Node, taker: httpx.Client, room: str) -> None:
    rooms = node.app.state.rooms
    page = taker.post(f"/sala/{room}/notas", data=note("Esto no se dijo"))
    ref = rooms.get(room).of("note")[0].id
    page = taker.post(f"/sala/{room}/notas/deshacer", data={"ref": ref})
    assert not rooms.get(room).of("note") and "Nota quitada" in page.text
    back = re.findall(r'name="ref" value="([^"]+)"', page.text)
    page = taker.post(f"/sala/{room}/notas/deshacer", data={"ref": back[0]})
    assert rooms.get(room).of("note")[0].text == "Esto no se dijo" and "Nota quitada" not in page.text


def test_the_note_pad_takes_back_notes_alone(node: Node, taker: httpx.Client, room: str) -> None:
    said = make_contribution(room, "commitment", {"actor": "Junta", "text": "Limpiar"}, HOST, 5)
    put(node, said)
    before = told_in(node, room)
    for ref in (room, said["id"], before[1]["id"], "nada", ""):
        assert taker.post(f"/sala/{room}/notas/deshacer", data={"ref": ref}).status_code == 200
    assert told_in(node, room) == before


@pytest.mark.parametrize(
    "sent, said",
    [
        ({"text": "   "}, "«Texto»"),
        ({"text": "ñ" * 2001}, "2001"),
        ({"text": "bien", "new_theme": "t" * 90}, "«Tema» tiene 90 letras y caben 80"),
        ({"text": "bien", "seat": "con espacio"}, "«con espacio»"),
    ],
)
def test_what_cannot_be_kept_is_said_and_stays_on_the_page(
    node: Node, taker: httpx.Client, room: str, sent: dict[str, str], said: str
) -> None:
    page = taker.post(f"/sala/{room}/notas", data=note("x") | sent)
    assert page.status_code == 422 and "La nota no se guardó." in page.text and said in page.text
    assert sent["text"].strip() in page.text
    assert not node.app.state.rooms.get(room).of("note")


def test_who_has_not_spoken_is_shown_with_notes_by_group(taker: httpx.Client, room: str) -> None:
    page = taker.post(f"/sala/{room}/notas", data=note("Habla la joven"))
    assert "No ha hablado todavía: P2." in page.text
    assert re.search(r"joven.*?<b>1\.0</b>.*?mayor.*?<b>0\.0</b>", page.text, re.S)


def test_a_quote_needs_the_consent_of_its_seat(node: Node, taker: httpx.Client, room: str) -> None:
    page = taker.post(f"/sala/{room}/notas", data=note("Mis palabras", manner="verbatim", quote="si"))
    assert "Falta permiso para citar" in page.text
    agreed = {"purposes": {"quote": True}, "how": "oral", "notice_version": "sala-1"}
    put(node, make_contribution(room, "consent", agreed, HOST, 9, seat="P1"))
    assert "Se puede citar" in taker.get(f"/sala/{room}/notas").text


def test_the_polled_list_comes_without_the_pad_and_not_twice(node: Node, taker: httpx.Client, room: str) -> None:
    part = taker.get(f"/sala/{room}/notas", headers={"HX-Request": "true"})
    assert "<textarea" not in part.text and "Quién ha hablado" in part.text
    known = {"HX-Request": "true", "If-None-Match": part.headers["etag"]}
    assert taker.get(f"/sala/{room}/notas", headers=known).status_code == 304
    taker.post(f"/sala/{room}/notas", data=note("nueva"))
    assert "nueva" in taker.get(f"/sala/{room}/notas", headers=known).text


def test_a_long_session_shows_the_last_notes_and_all_on_request(node: Node, taker: httpx.Client, room: str) -> None:
    put(node, *(make_contribution(room, "note", {"text": f"nota-{n:03}"}, HOST, 10 + n) for n in range(40)))
    page = taker.get(f"/sala/{room}/notas").text
    assert "nota-039" in page and "nota-000" not in page and "Ver las 40" in page
    assert "nota-000" in taker.get(f"/sala/{room}/notas?todas=1").text


def test_notes_are_still_taken_after_the_end(node: Node, taker: httpx.Client, room: str) -> None:
    taker.post(f"/sala/{room}/cerrar", data={"summary": "Fin"})
    assert taker.post(f"/sala/{room}/notas", data=note("Al salir dijo que vuelve")).status_code == 200
    assert node.app.state.rooms.get(room).of("note")[0].text == "Al salir dijo que vuelve"
