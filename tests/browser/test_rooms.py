"""A facilitator, a note-taker and a wall in Chromium, on the plain address of the node: what changes by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from collector.room_store import Writer, make_contribution, new_token
from tests.browser.origins import HOSTS
from tests.conftest import Node
from tests.rooms.sample import STEPS
from tests.rooms_web.furnished_room import HOST, PIN, node_with_pin, open_full_room, open_small_room, put

POLLED_MS = 9_000  # two rounds of asking, and some patience


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with a PIN; the tests of this file only add rooms to it."""
    found = node_with_pin(Path(tmp_path_factory.mktemp("salas")))
    yield found
    found.stop()


@contextmanager
def staff_page(browser: Browser, node: Node, path: str, host: str, **more: object) -> Iterator[Page]:
    """Give a page of somebody who has given the PIN."""
    context: BrowserContext = browser.new_context(locale="es-PA", **more)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(f"http://{host}:{node.port}{path}")
        page.fill("[name=pin]", PIN)
        page.click("main button.next")
        page.wait_for_url(f"**{path}")
        yield page
    finally:
        context.close()


def give_votes(node: Node, room: str, ref: str, choices: list[str]) -> None:
    for choice in choices:
        voter = Writer(new_token())
        put(node, make_contribution(room, "vote", {"choice": choice}, voter, 1, step="frases", ref=ref))


@pytest.mark.parametrize("host", HOSTS)
def test_a_session_opens_runs_blind_reveals_and_closes(browser: Browser, node: Node, host: str) -> None:
    with staff_page(browser, node, "/sala/nueva", host) as page, page.context.expect_page() as opened:
        page.click("text=Usar esta guía >> nth=0")
        page.fill("[name=title]", f"Prueba {host}")
        page.fill("[name=seats]", "2")
        page.check("[name=group_consent]")
        page.click("button:has-text('Abrir la sala')")
        expect(page.locator("h1")).to_have_text(f"Prueba {host}")
        room = page.url.rpartition("/")[2]
        page.click("a:has-text('Pantalla')")
        wall = opened.value
        expect(wall.locator("h1")).to_have_text("Entre a la sala")
        # the first step is only read aloud: nothing of it is shown
        page.click("button:has-text('Abrir') >> nth=1")
        expect(page.locator(".step.open")).to_have_count(1)
        # the wall notices by itself
        expect(wall.locator(".over")).to_have_text("Paso abierto", timeout=POLLED_MS)
        page.click(".step.open button:has-text('Mostrar al grupo')")
        expect(wall.locator(".over")).to_have_text("Resultado", timeout=POLLED_MS)
        page.click("button:has-text('Deshacer')")
        expect(wall.locator(".over")).to_have_text("Paso abierto", timeout=POLLED_MS)
        page.click("a:has-text('Cerrar la sesión')")
        page.fill("[name=summary]", "Se habló del agua.")
        page.check("[name=read_back]")
        page.click("button:has-text('Cerrar la sesión')")
        expect(page.locator(".banner.done")).to_contain_text("El acta se leyó al grupo.")
    assert node.app.state.rooms.get(room).is_closed


@pytest.mark.parametrize("host", HOSTS)
def test_the_wall_counts_voters_and_shows_nothing_else_until_the_reveal(
    browser: Browser, node: Node, host: str
) -> None:
    room = open_small_room(node)
    phrase = make_contribution(room, "statement", {"text": "El agua llega poco"}, HOST, 3, seat="P1", step="frases")
    put(node, make_contribution(room, "step", {"state": "open"}, HOST, 2, step="frases"), phrase)
    with staff_page(browser, node, f"/sala/{room}/tablero", host) as wall:
        expect(wall.locator("#board")).to_contain_text("El agua llega poco")
        give_votes(node, room, phrase["id"], ["agree"] * 4 + ["disagree"] * 2)
        expect(wall.locator(".said-count b")).to_have_text("6", timeout=POLLED_MS)
        expect(wall.locator(".circles .done")).to_have_count(6)
        assert wall.locator(".share-bar").count() == 0
        put(node, make_contribution(room, "step", {"state": "revealed"}, HOST, 9, step="frases"))
        expect(wall.locator(".wall-table .share-bar")).to_have_count(1, timeout=POLLED_MS)
        expect(wall.locator("#board")).to_contain_text("entre 30 y 90")


def test_a_note_being_written_survives_news_and_a_lost_signal(browser: Browser, node: Node) -> None:
    room = open_small_room(node)
    put(node, *(make_contribution(room, "seat", {}, HOST, n, seat=f"P{n}") for n in (1, 2)))
    with staff_page(browser, node, f"/sala/{room}/notas", "nodo.lan") as pad:
        pad.check("[name=seat][value=P2]")
        pad.fill("#text", "Uno va a la junta y nadie")
        put(node, make_contribution(room, "note", {"text": "de la otra tableta"}, HOST, 5, seat="P1"))
        expect(pad.locator("#notas")).to_contain_text("de la otra tableta", timeout=POLLED_MS)
        expect(pad.locator("#text")).to_have_value("Uno va a la junta y nadie")
        pad.context.set_offline(True)
        expect(pad.locator("#silent")).to_be_visible(timeout=POLLED_MS)
        pad.context.set_offline(False)
        expect(pad.locator("#silent")).to_be_hidden(timeout=POLLED_MS)
        pad.locator("#text").press("End")
        pad.locator("#text").type(" responde.")
        pad.click("button:has-text('Guardar nota')")
        expect(pad.locator("#notas")).to_contain_text("Uno va a la junta y nadie responde.")
        expect(pad.locator("#text")).to_have_value("")
        expect(pad.locator("[name=seat][value=P2]")).to_be_checked()
    assert [item.seat for item in node.app.state.rooms.get(room).of("note")] == ["P1", "P2"]


def test_a_note_sent_without_a_signal_is_still_there_to_send_again(browser: Browser, node: Node) -> None:
    room = open_small_room(node)
    with staff_page(browser, node, f"/sala/{room}/notas", "nodo.lan") as pad:
        pad.fill("#text", "No se pierde")
        pad.context.set_offline(True)
        pad.click("button:has-text('Guardar nota')")
        expect(pad.locator("#silent")).to_be_visible(timeout=POLLED_MS)
        expect(pad.locator("#text")).to_have_value("No se pierde")
        pad.context.set_offline(False)
        pad.click("button:has-text('Guardar nota')")
        expect(pad.locator("#notas")).to_contain_text("No se pierde")
    assert [item.text for item in node.app.state.rooms.get(room).of("note")] == ["No se pierde"]


def test_a_note_half_written_is_there_after_a_reload_and_gone_once_saved(browser: Browser, node: Node) -> None:
    room = open_small_room(node)
    with staff_page(browser, node, f"/sala/{room}/notas", "nodo.lan") as pad:
        pad.locator("#text").type("A medias")
        pad.reload()
        expect(pad.locator("#text")).to_have_value("A medias")
        pad.click("button:has-text('Guardar nota')")
        expect(pad.locator("#notas")).to_contain_text("A medias")
        expect(pad.locator("#text")).to_have_value("")
        pad.goto(f"http://nodo.lan:{node.port}/sala/{room}/notas")
        expect(pad.locator("#notas")).to_contain_text("A medias")
        expect(pad.locator("#text")).to_have_value("")


def test_a_room_runs_without_scripts(browser: Browser, node: Node) -> None:
    room = open_small_room(node)
    with staff_page(browser, node, f"/sala/{room}", "nodo.lan", java_script_enabled=False) as page:
        page.click("button:has-text('Abrir') >> nth=0")
        expect(page.locator(".step.open")).to_have_count(1)
        page.click(".step.open button:has-text('Cerrar paso')")
        expect(page.locator(".step.locked")).to_have_count(1)
        page.click("a:has-text('Tomar notas')")
        page.fill("#text", "Sin scripts también")
        page.click("button:has-text('Guardar nota')")
        expect(page.locator("#notas")).to_contain_text("Sin scripts también")
        page.goto(page.url.partition("/notas")[0] + "/tablero")
        expect(page.locator("#board .over")).to_have_text("Paso cerrado")


def test_a_step_is_opened_by_keys_alone_and_the_focus_stays(browser: Browser, node: Node) -> None:
    room = open_small_room(node)
    with staff_page(browser, node, f"/sala/{room}", "nodo.lan") as page:
        page.focus("#open-2")
        page.keyboard.press("Enter")
        expect(page.locator(".step.open")).to_have_count(1)
        page.focus("#lock-2")
        put(node, make_contribution(room, "presentes", {"count": 9}, HOST, 8))
        expect(page.locator("#live")).to_contain_text("Contó los presentes", timeout=POLLED_MS)
        assert page.evaluate("document.activeElement.id") == "lock-2"


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_room_scrolls_sideways(browser: Browser, node: Node, width: int, scheme: str) -> None:
    room = open_full_room(node)
    more = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    paths = ["", "/notas", "/cerrar", "/puesto/P1", *(f"/tablero/{step.name}" for step in STEPS)]
    with staff_page(browser, node, "/sala", "localhost", **more) as page:
        wide = [path for path in paths if _is_too_wide(page, f"http://localhost:{node.port}/sala/{room}{path}")]
    assert not wide


def _is_too_wide(page: Page, address: str) -> bool:
    page.goto(address)
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
