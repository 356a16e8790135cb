"""The fleet board, the code's picture and the wipe page in a real browser, at a phone's and at a desktop's width."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from collector.clock import now_ms
from collector.db import writing
from collector.queries import nodes, store
from collector.queries.fleet import note_report
from collector.queries.people import put_user
from sync.push import sync_once
from tests.browser.drawn import squares_on
from tests.conftest import Node, submission
from tests.lab.conftest import EMAIL, PASSWORD, PIN, hashed

DAY_MS = 86_400_000
WIDTHS = {"telefono": (360, 740), "escritorio": (1280, 800)}


@pytest.fixture(params=sorted(WIDTHS))
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[], Page]]:
    """Give a function that opens a page of this width without scripts of ours having to run."""
    width, height = WIDTHS[request.param]
    contexts = []

    def open_one() -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, locale="es-PA"))
        page = contexts[-1].new_page()
        return page

    yield open_one
    for context in contexts:
        context.close()


def sync(node: Node) -> None:
    with httpx.Client() as http:
        assert sync_once(node.app.state.engine, http, now_ms(), node.app.state.install_form).error == ""


def give_keys(node: Node) -> None:
    with writing(node.app.state.engine) as session:
        put_user(session, EMAIL, hashed(PASSWORD), now_ms())
        store.set_fact(session, "pin_hash", hashed(PIN))


def sign_in_lab(page: Page, node: Node) -> None:
    page.goto(f"{node.url}/lab/login?next=/lab/equipos")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/lab/equipos")


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_board_is_read_and_a_late_node_is_revoked(
    make_node: Callable[..., Node], open_page: Callable[[], Page], tmp_path: Path
) -> None:
    central = make_node("Central")
    give_keys(central)
    hub = make_node("Nodo Soná", upstream=central)
    tablets = [make_node(name, upstream=hub) for name in ("Tableta 3", "Tableta 5")]
    lost = make_node("Besiko, tableta 1", upstream=central)
    for node in (*tablets, hub, lost):
        sync(node)
    with writing(central.app.state.engine) as session:
        nodes.note_contact(session, lost.app.state.node_id, now_ms() - 9 * DAY_MS, -6 * 365 * DAY_MS)
        said = {"version": "0.1.0", "forms": [], "waiting": 14, "free_bytes": 4 * 10**8, "quarantine": 2}
        note_report(session, lost.app.state.node_id, said, now_ms() - 9 * DAY_MS)
        nodes.note_alarm(session, hub.app.state.node_id, "history_changed")
    page = open_page()
    sign_in_lab(page, central)
    assert has_no_sideways_scroll(page)
    page.screenshot(path=tmp_path / "board.png", full_page=True)
    assert page.locator("tbody tr").count() == 4
    assert "Besiko, tableta 1 no habla con Central desde hace 9 días" in page.inner_text(".messages")
    page.click("text=Nodo Soná >> nth=0")
    page.click("text=Ya lo revisé: quitar la alarma")
    expect(page.locator("text=Todo bien")).to_have_count(1)
    page.goto(f"{central.url}/lab/equipos")
    page.click("table >> text=Besiko, tableta 1")
    page.screenshot(path=tmp_path / "node.png", full_page=True)
    assert has_no_sideways_scroll(page)
    page.click("text=Dar de baja…")
    page.screenshot(path=tmp_path / "revoke.png", full_page=True)
    page.click("text=Sí, dar de baja")
    page.wait_for_selector("main >> text=De baja desde")


def test_a_tablet_enrols_by_what_the_picture_says_and_is_proven_safe(
    make_node: Callable[..., Node],
    open_page: Callable[[], Page],
    send_outbox: Callable[..., httpx.Response],
    tmp_path: Path,
) -> None:
    central, tablet = make_node("Central"), make_node("Tableta 7")
    for node in (central, tablet):
        give_keys(node)
    lab = open_page()
    sign_in_lab(lab, central)
    lab.click("text=Inscribir un equipo")
    link = lab.inner_text("text=http://localhost:8000/equipo/inscribir")
    lab.screenshot(path=tmp_path / "code.png", full_page=True)
    assert has_no_sideways_scroll(lab)
    assert squares_on(lab, ".qr svg") == [link]

    page = open_page()
    page.goto(link.replace("http://localhost:8000", tablet.url))
    page.fill("[name=pin]", PIN)
    page.click("main button")
    page.wait_for_url("**/equipo/inscribir?**")
    page.screenshot(path=tmp_path / "enrol.png", full_page=True)
    assert has_no_sideways_scroll(page)
    page.fill("[name=url]", central.url)  # the test's central stands on this machine alone, not on a network
    page.click("main form button")
    assert "Listo: este equipo quedó inscrito" in page.inner_text("main")

    assert send_outbox(tablet, submission(), submission()).status_code == 200
    page.goto(f"{tablet.url}/equipo/vaciar")
    page.click("text=Preguntar a central ahora")
    assert "Todavía no." in page.inner_text("main") and page.locator("tbody tr").count() == 2
    page.screenshot(path=tmp_path / "not-yet.png", full_page=True)
    assert has_no_sideways_scroll(page)
    sync(tablet)
    page.click("text=Preguntar otra vez")
    assert "Sí, se puede vaciar." in page.inner_text("main")
    page.screenshot(path=tmp_path / "yes.png", full_page=True)
    page.goto(f"{tablet.url}/equipo")
    page.screenshot(path=tmp_path / "today.png", full_page=True)
    assert has_no_sideways_scroll(page)
    lab.goto(f"{central.url}/lab/equipos")
    assert "Tableta 7" in lab.inner_text("table")
