"""What a facilitator does with a room, over real HTTP: opening one, steps, seats, moderation, undo, the end."""

import re

import httpx
import pytest

from collector.links import room_code
from collector.room_guides import starter_guides
from collector.room_store import make_contribution
from tests.conftest import Node
from tests.rooms_web.furnished_room import HOST, open_small_room, put, signed_in, told_in
from tests.test_links import squares_in


@pytest.fixture
def room(node: Node) -> str:
    """A room of its own, with nobody in it."""
    return open_small_room(node)


def errors_in(html: str) -> list[str]:
    return re.findall(r'<div class="banner act".*?</div></div>', html, re.S)


# --- opening one


def test_a_session_opens_from_a_guide_with_seats_and_the_consent_of_the_group(host: httpx.Client, node: Node) -> None:
    assert "Lectura compartida en el municipio" in host.get("/sala/nueva").text
    assert "Título de la sesión" in host.get("/sala/nueva?guia=municipal").text
    page = host.post(
        "/sala/nueva",
        data={"guide": "municipal", "title": "Taller de Soná", "place": "0911", "date": "2026-11-22", "seats": "3",
              "round": "1", "group_consent": "si"},
    )  # fmt: skip
    assert page.status_code == 200 and str(page.url.path).startswith("/sala/")
    session = page.url.path.rpartition("/")[2]
    kept = node.app.state.rooms.get(session)
    assert (kept.facts.title, kept.facts.place, kept.facts.guide, kept.facts.round) == (
        "Taller de Soná", "Soná", "municipal", 1,
    )  # fmt: skip
    assert list(kept.seats) == ["P1", "P2", "P3"] and kept.allows("P1", "participate")
    assert [step.name for step in kept.guide.steps] == [step.name for step in starter_guides()["municipal"].steps]
    assert squares_in(page.text) == [f"{node.url.replace('127.0.0.1', _lan(page.text))}/s/{room_code(session)}"]
    assert "Taller de Soná" in host.get("/sala").text


def _lan(html: str) -> str:
    return str(re.findall(r'class="where"><b>([\d.]+):', html)[0])


def test_a_session_without_a_title_is_called_as_its_guide(host: httpx.Client, node: Node) -> None:
    page = host.post("/sala/nueva", data={"guide": "municipal", "date": "2026-11-22", "seats": "0"})
    kept = node.app.state.rooms.get(page.url.path.rpartition("/")[2])
    assert kept.facts.title == "Lectura compartida en el municipio" and not kept.seats and not kept.consents


def test_a_day_that_is_none_is_refused_with_its_value_and_keeps_what_was_typed(host: httpx.Client, node: Node) -> None:
    before = node.app.state.rooms.ids()
    page = host.post("/sala/nueva", data={"guide": "municipal", "title": "Reunión «ñ»", "date": "31/12", "seats": "4"})
    assert page.status_code == 422
    assert "«Fecha» dice «31/12»" in errors_in(page.text)[0]
    assert 'value="Reunión «ñ»"' in page.text and 'value="4"' in page.text
    assert node.app.state.rooms.ids() == before


def test_hoy_leads_to_the_rooms(host: httpx.Client) -> None:
    assert host.get("/equipo").text.count('href="/sala"') == 2  # in the band and on its card


def test_a_guide_that_is_not_here_leads_back_to_the_list(host: httpx.Client) -> None:
    page = host.post("/sala/nueva", data={"guide": "../etc/passwd"})
    assert page.status_code == 422 and "¿Con qué guía?" in page.text
    assert "¿Con qué guía?" in host.get("/sala/nueva?guia=nada").text


@pytest.mark.parametrize("path", ["", "/nueva", "/{room}", "/{room}/notas", "/{room}/tablero", "/{room}/cerrar",
                                  "/{room}/puesto/P1", "/{room}/tablero/frases"])  # fmt: skip
def test_no_page_of_rooms_opens_without_the_pin(node: Node, room: str, path: str) -> None:
    answer = httpx.get(f"{node.url}/sala{path.format(room=room)}", headers={"Accept": "text/html"})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/equipo/pin?next=")


def test_nobody_changes_a_room_without_the_pin_or_from_another_page(node: Node, host: httpx.Client, room: str) -> None:
    before = told_in(node, room)
    stranger = httpx.post(f"{node.url}/sala/{room}/paso/frases", data={"state": "open"})
    assert stranger.status_code in (303, 401)
    other = host.post(f"/sala/{room}/paso/frases", data={"state": "open"}, headers={"Origin": "http://evil.example"})
    assert other.status_code == 403
    assert told_in(node, room) == before


@pytest.mark.parametrize("session", ["nada", "01890000-0000-7000-8000-00000000ffff", "%00", "a" * 300])
def test_a_room_that_is_not_here_is_said_in_words(host: httpx.Client, session: str) -> None:
    for path in ("", "/notas", "/tablero", "/cerrar"):
        answer = host.get(f"/sala/{session}{path}")
        assert answer.status_code == 404 and "<h1>" in answer.text


def test_the_list_shows_twenty_rooms_a_page(node: Node, host: httpx.Client) -> None:
    made = [open_small_room(node, title=f"Lista {number:02}") for number in range(21)]
    page = host.get("/sala").text
    assert f'href="/sala/{made[-1]}"' in page and f'href="/sala/{made[0]}"' not in page
    assert f'href="/sala/{made[0]}"' in host.get("/sala?desde=20").text
    assert host.get("/sala?desde=-5").status_code == host.get("/sala?desde=9999").status_code == 200


# --- steps


def test_one_step_is_open_at_a_time_and_its_timer_runs(node: Node, host: httpx.Client, room: str) -> None:
    rooms = node.app.state.rooms
    page = host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    assert "Abierto" in page.text and 'data-seconds="' in page.text
    assert 280 <= int(re.findall(r'data-seconds="(\d+)"', page.text)[0]) <= 300  # five minutes, as the guide says
    host.post(f"/sala/{room}/paso/puntos", data={"state": "open"})
    assert {name: run.state for name, run in rooms.get(room).runs.items()} == {"frases": "locked", "puntos": "open"}
    page = host.post(f"/sala/{room}/tiempo/puntos", data={"minutes": "5"})
    page = host.post(f"/sala/{room}/tiempo/puntos", data={"minutes": "5"})
    assert 580 <= int(re.findall(r'data-seconds="(\d+)"', page.text)[0]) <= 600
    assert "data-seconds" not in host.post(f"/sala/{room}/tiempo/puntos", data={"minutes": "0"}).text
    for state in ("locked", "revealed", "hidden"):
        host.post(f"/sala/{room}/paso/puntos", data={"state": state})
        assert rooms.get(room).run("puntos").state == state


def test_a_state_that_is_none_is_refused_in_words_and_changes_nothing(
    node: Node, host: httpx.Client, room: str
) -> None:
    page = host.post(f"/sala/{room}/paso/frases", data={"state": "abierto"})
    assert page.status_code == 422 and "«abierto»" in errors_in(page.text)[0]
    assert host.post(f"/sala/{room}/paso/nada", data={"state": "open"}).status_code == 404
    assert len(told_in(node, room)) == 1


def test_htmx_gets_the_living_part_alone_and_304_while_nothing_is_new(
    node: Node, host: httpx.Client, room: str
) -> None:
    part = host.get(f"/sala/{room}", headers={"HX-Request": "true"})
    assert "<html" not in part.text and "frases" in part.text
    again = host.get(f"/sala/{room}", headers={"HX-Request": "true", "If-None-Match": part.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = host.post(f"/sala/{room}/paso/frases", data={"state": "open"}, headers={"HX-Request": "true"})
    assert changed.status_code == 200 and "<html" not in changed.text and "Abierto" in changed.text
    assert host.get(f"/sala/{room}", headers=dict(again.request.headers)).status_code == 200


# --- who is there


def test_people_present_are_counted_and_a_word_is_refused(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/presentes", data={"count": " 12 "})
    assert node.app.state.rooms.get(room).present == 12
    page = host.post(f"/sala/{room}/presentes", data={"count": "doce"})
    assert page.status_code == 422 and "«Cuántas personas» dice «doce»" in errors_in(page.text)[0]


def test_seats_are_added_after_those_that_are_there(node: Node, host: httpx.Client, room: str) -> None:
    put(node, make_contribution(room, "seat", {}, HOST, 1, seat="P2"))
    host.post(f"/sala/{room}/puestos", data={"seats": "2"})
    assert list(node.app.state.rooms.get(room).seats) == ["P1", "P2", "P3"]


def test_a_seat_keeps_its_group_and_its_own_consent(node: Node, host: httpx.Client, room: str) -> None:
    rooms = node.app.state.rooms
    host.post(f"/sala/{room}/puestos", data={"seats": "2"})
    assert "Falta permiso" in host.get(f"/sala/{room}").text
    host.post(f"/sala/{room}/consentimiento", data={"purpose.participate": "si", "purpose.quote": "si"})
    form = {"segment.generacion": "joven", "purpose.participate": "si"}
    page = host.post(f"/sala/{room}/puesto/P1", data=form)
    assert page.status_code == 200 and "Dio permiso" in page.text
    kept = rooms.get(room)
    assert kept.seats["P1"].segments == {"generacion": "joven"}
    assert not kept.allows("P1", "quote") and kept.allows("P2", "quote")
    before = len(told_in(node, room))
    host.post(f"/sala/{room}/puesto/P1", data=form)
    assert len(told_in(node, room)) == before  # the same again is no news
    host.post(f"/sala/{room}/puesto/P1", data=form | {"segment.generacion": "marciana"})
    assert rooms.get(room).seats["P1"].segments == {"generacion": "joven"}
    assert host.get(f"/sala/{room}/puesto/P9").status_code == 404


def test_facts_are_mended_one_by_one(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/datos", data={"title": "Mayores de Soná", "place": "Soná", "date": "2026-11-23"})
    facts = node.app.state.rooms.get(room).facts
    assert (facts.title, facts.place, facts.date, facts.guide) == ("Mayores de Soná", "Soná", "2026-11-23", "prueba")


# --- what waits, and taking back


def test_a_statement_waits_until_the_facilitator_shows_it(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/paso/cuidado", data={"state": "open"})
    said = make_contribution(room, "statement", {"text": "Falta <b>agua</b>"}, HOST, 9, seat="P1", step="cuidado")
    put(node, said)
    assert "Falta &lt;b&gt;agua" in host.get(f"/sala/{room}").text
    assert "agua" not in host.get(f"/sala/{room}/tablero").text
    host.post(f"/sala/{room}/moderar", data={"ref": said["id"], "state": "shown"})
    assert "Falta &lt;b&gt;agua" in host.get(f"/sala/{room}/tablero").text
    host.post(f"/sala/{room}/moderar", data={"ref": said["id"], "state": "hidden"})
    assert "agua" not in host.get(f"/sala/{room}/tablero").text
    refused = host.post(f"/sala/{room}/moderar", data={"ref": "nada", "state": "shown"})
    assert refused.status_code == 422 and "«nada»" in errors_in(refused.text)[0]


def test_the_last_act_is_taken_back_and_brought_back(node: Node, host: httpx.Client, room: str) -> None:
    rooms = node.app.state.rooms
    host.post(f"/sala/{room}/presentes", data={"count": "7"})
    page = host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    assert "Cambió un paso: frases (abierto)" in page.text
    page = host.post(f"/sala/{room}/deshacer", data={"ref": _offered(page.text)[0]})
    assert rooms.get(room).run("frases").state == "hidden" and rooms.get(room).present == 7
    assert "Volver a hacerlo" in page.text and "Contó los presentes" in page.text
    host.post(f"/sala/{room}/deshacer", data={"ref": _offered(page.text)[1]})
    assert rooms.get(room).run("frases").state == "open"


def _offered(html: str) -> list[str]:
    return re.findall(r'/deshacer".*?name="ref" value="([^"]+)"', html, re.S)


def test_neither_the_room_itself_nor_what_people_said_is_taken_back_here(
    node: Node, host: httpx.Client, room: str
) -> None:
    host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    vote = make_contribution(room, "statement", {"text": "Yo digo"}, HOST, 9, seat="P1", step="frases")
    put(node, vote)
    before = told_in(node, room)
    for ref in (room, vote["id"], "nada", ""):
        assert host.post(f"/sala/{room}/deshacer", data={"ref": ref}).status_code == 200
    assert told_in(node, room) == before


# --- the end


def test_a_session_closes_with_its_minutes_and_opens_again_by_undo(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    page = host.post(f"/sala/{room}/cerrar", data={"summary": "Se habló del agua.\r\nHay acuerdo.", "read_back": "si"})
    closing = node.app.state.rooms.get(room).closing
    assert (closing.summary, closing.is_read_back) == ("Se habló del agua.\nHay acuerdo.", True)
    assert "El acta se leyó al grupo." in page.text and "Se habló del agua." in page.text
    page = host.get(f"/sala/{room}")
    assert "La sesión está cerrada." in page.text and 'name="state"' not in page.text
    host.post(f"/sala/{room}/deshacer", data={"ref": _offered(page.text)[0]})
    assert not node.app.state.rooms.get(room).is_closed


def test_minutes_that_are_too_long_are_refused_and_stay_on_the_page(host: httpx.Client, room: str) -> None:
    page = host.post(f"/sala/{room}/cerrar", data={"summary": "ñ" * 10_001})
    assert page.status_code == 422 and "«Resumen» tiene 10001 letras y caben 10000" in errors_in(page.text)[0]
    assert "ñ" * 10_001 in page.text


@pytest.mark.parametrize("body", [b"state=%FF%FE", b"\xff\xfe", b"x" * 20_000, b"&".join([b"a=1"] * 60)])
def test_a_damaged_form_is_answered_in_words(host: httpx.Client, room: str, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("paso/frases", "notas", "presentes", "puestos", "datos", "moderar", "deshacer", "cerrar"):
        answer = host.post(f"/sala/{room}/{path}", content=body, headers=kind)
        assert answer.status_code < 500, path


ODD = ["\0", "ñ" * 130, "-1", "1e9", "０", "💥", "<script>alert(1)</script>", "{}", "../..", "9" * 40]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:12])
def test_odd_values_are_refused_in_words_or_kept_as_text(node: Node, host: httpx.Client, room: str, odd: str) -> None:
    put(node, make_contribution(room, "seat", {}, HOST, 1, seat="P1"))
    fields = ("state", "minutes", "count", "seats", "ref", "title", "place", "date", "text", "seat", "step", "manner",
              "theme", "new_theme", "summary", "segment.generacion", "purpose.participate", "guide",
              "round")  # fmt: skip
    for path in ("paso/frases", "tiempo/frases", "presentes", "puestos", "puesto/P1", "consentimiento", "datos",
                 "moderar", "deshacer", "notas", "notas/deshacer", "cerrar"):  # fmt: skip
        answer = host.post(f"/sala/{room}/{path}", data=dict.fromkeys(fields, odd))
        assert answer.status_code in (200, 422) and "<script>alert" not in answer.text, path
    for path in ("", "/notas", "/tablero", "/cerrar", "/puesto/P1"):
        assert host.get(f"/sala/{room}{path}").status_code == 200
    answer = host.post("/sala/nueva", data=dict.fromkeys(fields, odd) | {"guide": "municipal"})
    assert answer.status_code in (200, 422)


def test_the_pages_speak_english_too(node: Node, room: str) -> None:
    with signed_in(node, **{"Accept-Language": "en"}) as client:
        page = client.post(f"/sala/{room}/presentes", data={"count": "twelve"})
        assert '"How many people" says' in page.text.replace("&#34;", '"')
        assert "Seats" in page.text and "Puestos" not in page.text


def test_what_a_seat_said_is_erased_when_the_person_asks_and_nothing_else(
    host: httpx.Client, node: Node, room: str
) -> None:
    for count, seat in enumerate(("P1", "P2"), 5):
        put(node, make_contribution(room, "note", {"text": f"Dicho por {seat}: chicheme"}, HOST, count, seat=seat))
    address = f"/sala/{room}/puesto/P1/borrar"
    assert "No se puede deshacer" in host.get(f"/sala/{room}/puesto/P1").text
    host.post(address)  # not sure
    assert len(node.app.state.rooms.get(room).of("note")) == 2
    assert host.post(address, data={"sure": "yes"}).status_code == 200
    found = node.app.state.rooms.get(room)
    assert [item.seat for item in found.of("note")] == ["P2"] and "P1" not in found.seats
    database = b"".join(path.read_bytes() for path in node.data_dir.glob("collector.db*"))
    assert b"Dicho por P1: chicheme" not in database and b"Dicho por P2: chicheme" in database
    assert host.post(address, data={"sure": "yes"}).status_code == 404
