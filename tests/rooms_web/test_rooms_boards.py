"""Boards on the wall over real HTTP: blind until the reveal, every kind drawn with its n, nothing new costs little."""

import html
import re
import socket

import httpx
import pytest

from collector.links import room_code
from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.guide import STEP_TYPES, Guide, steps_as_json
from collector.routes.rooms_drawn import LISTED, MAKERS
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms.sample import STEPS
from tests.rooms_web.furnished_room import HOST, open_full_room, open_small_room, put

CHROMIUM = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36"
)


@pytest.fixture(scope="module")
def full(node: Node) -> str:
    """A room with something on every board, everything revealed."""
    return open_full_room(node)


@pytest.fixture
def room(node: Node) -> str:
    """A room of its own, with nobody in it."""
    return open_small_room(node)


def words(page: httpx.Response) -> str:
    """Return what a page says, without its marks."""
    main = page.text.partition("<main")[2].partition("</main>")[0] or page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def vote(node: Node, room: str, ref: str, choice: str, step: str = "frases") -> None:
    ballot = Writer(new_token())
    put(node, make_contribution(room, "vote", {"choice": choice}, ballot, 1, step=step, ref=ref))


def phrase(node: Node, room: str, text: str) -> str:
    said = make_contribution(room, "statement", {"text": text}, HOST, 5, seat="P1", step="frases")
    put(node, said)
    return str(said["id"])


def test_with_nothing_open_the_wall_tells_how_to_join(node: Node, host: httpx.Client, room: str) -> None:
    page = host.get(f"/sala/{room}/tablero")
    assert "Entre a la sala" in page.text and room_code(room) in page.text and 'class="qr"' in page.text


def test_votes_are_blind_until_the_reveal_and_then_counted(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/presentes", data={"count": "8"})
    host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    ref = phrase(node, room, "El agua llega poco")
    for choice in ("agree", "agree", "agree", "agree", "disagree", "pass"):
        vote(node, room, ref, choice)
    blind = words(host.get(f"/sala/{room}/tablero"))
    assert "6 de 8 ya votaron" in blind and "El agua llega poco" in blind and "%" not in blind
    host.post(f"/sala/{room}/paso/frases", data={"state": "locked"})
    assert "%" not in words(host.get(f"/sala/{room}/tablero"))
    host.post(f"/sala/{room}/paso/frases", data={"state": "revealed"})
    shown = words(host.get(f"/sala/{room}/tablero"))
    # 4 of the 6 who saw it: Wilson 0.300 to 0.903
    assert "67\N{NO-BREAK SPACE}%".replace("\N{NO-BREAK SPACE}", " ") in shown and "entre 30 y 90" in shown
    assert "4 1 1 6" in shown  # yes, no, pass, n


def test_fewer_than_five_votes_stay_hidden_after_the_reveal(node: Node, host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/paso/frases", data={"state": "open"})
    ref = phrase(node, room, "Somos pocos")
    for _ in range(4):
        vote(node, room, ref, "agree")
    host.post(f"/sala/{room}/paso/frases", data={"state": "revealed"})
    shown = words(host.get(f"/sala/{room}/tablero"))
    assert "hacen falta 5 personas" in shown and "%" not in shown


def test_the_wall_follows_the_step_that_is_open(host: httpx.Client, room: str) -> None:
    host.post(f"/sala/{room}/paso/frases", data={"state": "revealed"})
    host.post(f"/sala/{room}/paso/puntos", data={"state": "open"})
    assert "<h1>puntos</h1>" in host.get(f"/sala/{room}/tablero").text
    assert "<h1>frases</h1>" in host.get(f"/sala/{room}/tablero/frases").text
    assert host.get(f"/sala/{room}/tablero/nada").status_code == 404
    assert "todavía no se ha abierto" in host.get(f"/sala/{room}/tablero/cuidado").text


@pytest.mark.parametrize("step", [step.name for step in STEPS])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_board_is_drawn_with_its_figures(host: httpx.Client, full: str, step: str, language: str) -> None:
    page = host.get(f"/sala/{full}/tablero/{step}?lang={language}")
    assert page.status_code == 200
    said = words(page)
    in_spanish = {
        "s": "De acuerdo", "f": "ideas en", "d": "Los", "e": "Amplitud", "r": "Puesto medio", "t": "no aplica",
        "y": "no aplica", "i": "supuestos", "j": "Nota corregida por juez", "m": "Cambio medio",
    }  # fmt: skip
    assert (in_spanish[step] in said) == (language == "es")
    if step not in "fij":
        assert re.search(r"\bn = \d+|\bn: |Pares|Pairs|\bn\b", said), said


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_no_board_tells_a_ballot_or_who_sent_something(host: httpx.Client, full: str, step: str) -> None:
    text = host.get(f"/sala/{full}/tablero/{step}").text
    assert "ballot-" not in text and "tablet-" not in text
    assert not re.search(r"\bP[1-6]\b", words(host.get(f"/sala/{full}/tablero/{step}")))


def test_every_drawing_stands_beside_its_figures_in_words(host: httpx.Client, full: str) -> None:
    for step in ("s", "d", "e"):
        text = host.get(f"/sala/{full}/tablero/{step}").text
        bars = re.findall(r'<svg class="share-bar" aria-hidden="true"', text)
        assert bars and len(bars) <= len(re.findall(r"entre \d+ y \d+", text))
    for step in ("t", "y"):
        text = host.get(f"/sala/{full}/tablero/{step}").text
        assert 'role="img" aria-label="' in text and "Cuántas personas en cada parte" in text


def test_the_energy_map_compares_with_the_round_before(node: Node, host: httpx.Client) -> None:
    open_full_room(node, seed=3, round=1, place="Soná")
    now = open_full_room(node, seed=4, round=2, place="Soná")
    said = words(host.get(f"/sala/{now}/tablero/e"))
    assert "Desde la ronda 1" in said and re.search(r"[▲▼].*?puntos %", said)


def test_every_type_of_step_has_its_board(node: Node, host: httpx.Client) -> None:
    bare = STEP_TYPES.keys() - MAKERS.keys() - LISTED.keys()
    assert bare == {"prompt"}
    steps = (
        *(step_of(kind, kind) for kind in LISTED), step_of("prompt", "prompt"),
    )  # fmt: skip
    told = {"title": "Listas", "steps": steps_as_json(Guide("listas", "1", {"es": "Listas"}, steps))}
    room = node.app.state.rooms.open(told, HOST)
    said = [
        ("agreement", {"what": "Limpiar la quebrada", "who": "Junta de agua", "by_when": "2026-12-15"}, "agreements"),
        ("commitment", {"actor": "Municipio", "text": "Un camión", "by_when": "2026-12-01"}, "commitments"),
        ("resource", {"actor": "Escuela", "kind": "human", "text": "Diez personas"}, "commitments"),
        ("statement", {"text": "Falta luz"}, "question"),
        ("minute", {"text": "Se leyó"}, "minutes"),
        ("photo", {"file": "pared.jpg", "text": "La pared"}, "photo"),
    ]
    bodies = [
        make_contribution(room, what, payload, HOST, n, step=step) for n, (what, payload, step) in enumerate(said)
    ]
    chosen = make_contribution(
        room, "selection", {"level": "barrio", "reason": "Nos toca"}, HOST, 20, step="selection", ref=bodies[3]["id"]
    )
    put(node, *bodies, chosen)
    for step in steps:
        host.post(f"/sala/{room}/paso/{step.name}", data={"state": "open"})
        assert host.get(f"/sala/{room}/tablero/{step.name}").status_code == 200
    assert "Limpiar la quebrada · Junta de agua · para el 2026-12-15" in words(
        host.get(f"/sala/{room}/tablero/agreements")
    )
    assert "Falta luz · barrio: Nos toca" in words(host.get(f"/sala/{room}/tablero/selection"))


# --- what a poll costs


def test_the_mark_of_a_room_tells_of_something_new_and_nothing_more(node: Node, host: httpx.Client, room: str) -> None:
    address = f"{node.url}/s/{room_code(room)}/cambios"
    first = httpx.get(address)
    assert (first.status_code, first.content) == (204, b"")
    known = {"If-None-Match": first.headers["etag"]}
    assert httpx.get(address, headers=known).status_code == 304
    host.post(f"/sala/{room}/presentes", data={"count": "3"})
    changed = httpx.get(address, headers=known)
    assert changed.status_code == 204 and changed.headers["etag"] != first.headers["etag"]
    assert httpx.get(f"{node.url}/s/zzzzz/cambios").status_code == 404


def test_a_poll_with_nothing_new_costs_at_most_500_bytes_both_ways(node: Node, room: str) -> None:
    path = f"/s/{room_code(room)}/cambios"
    tag = httpx.get(node.url + path).headers["etag"]
    # as Chromium on a phone asks for it on a hotspot's plain address, without cookie and referrer
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: 192.168.43.1:8000\r\nConnection: keep-alive\r\nUser-Agent: {CHROMIUM}\r\n"
        f"If-None-Match: {tag}\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: es\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", node.port), timeout=5) as line:
        line.sendall(asked)
        answer = line.recv(4096)
    assert answer.startswith(b"HTTP/1.1 304")
    assert len(asked) + len(answer) <= 500, (len(asked), len(answer))


def test_a_polled_board_is_not_put_together_twice(host: httpx.Client, full: str) -> None:
    part = host.get(f"/sala/{full}/tablero/e", headers={"HX-Request": "true"})
    known = {"HX-Request": "true", "If-None-Match": part.headers["etag"]}
    again = host.get(f"/sala/{full}/tablero/e", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert host.get(f"/sala/{full}/tablero/s", headers=known).status_code == 200
    english = host.get(f"/sala/{full}/tablero/e?lang=en", headers=known)
    assert english.status_code == 200 and "Breadth" in english.text
