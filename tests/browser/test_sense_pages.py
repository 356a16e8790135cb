"""The lab's pages of themes in Chromium: no barrier that axe finds, nothing wider than a phone, all by keyboard."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from collector.db import writing
from collector.demo_room import open_demo_room
from collector.queries.people import put_user
from tests.browser.axe import violations
from tests.conftest import Node
from tests.consented import publish_with_notice
from tests.lab.conftest import PASSWORD, hashed
from tests.rooms_web.furnished_room import node_with_pin
from tests.rooms_web.test_open_answers_codes import HERE, cards, mark
from tests.rooms_web.test_rooms_codes import ANA, LUIS, coder

PAGES = (
    "/lab/salas", HERE, "/lab/temas/libro", "/lab/temas",
    "/lab/temas/celda?por=place&tema=desigualdades/luz&col=0810", "/lab/temas.html",
)  # fmt: skip
OF_ROOM = ("", "/temas", "/iceberg-iceberg.html", "/actores.html", "/acuerdos.html", "/frases-frases.html")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with coded answers of two people, and the demonstration."""
    found = node_with_pin(Path(tmp_path_factory.mktemp("temas")))
    with writing(found.app.state.engine) as session:
        for person in (ANA, LUIS):
            put_user(session, person, hashed(PASSWORD), 1_795_000_000_000)
    publish_with_notice(found, "tarjeta")
    with coder(found, ANA) as ana, coder(found, LUIS) as luis:
        for target in cards(found, *(f"Falta luz {number}" for number in range(7))):
            mark(ana, target, "desigualdades/luz")
            mark(luis, target, "desigualdades/luz")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def room(node: Node) -> str:
    return str(open_demo_room(node.app.state.rooms, date(2026, 11, 22)))


@pytest.fixture(params=[360, 1280])
def page(browser: Browser, node: Node, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 800}, locale="es-PA")
    page = context.new_page()
    page.goto(f"{node.url}/lab/login")
    page.fill("[name=email]", ANA)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/lab")
    yield page
    context.close()


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Page, node: Node, room: str) -> None:
    found: list[str] = []
    for path in (*PAGES, *(f"/lab/salas/{room}{each}" for each in OF_ROOM)):
        answer = page.goto(node.url + path)
        assert answer is not None and answer.status == 200, path
        found += violations(page, path)
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{path}: {width} px too wide"] if width > 0 else []
    assert not found


def test_an_answer_is_coded_by_keyboard_alone(page: Page, node: Node) -> None:
    (target,) = cards(node, "Hace falta una cancha")
    page.goto(node.url + HERE)
    card = page.locator(f'[id="t-{target.replace("#", "%23")}"]')
    for _ in range(60):
        page.keyboard.press("Tab")
        if card.locator("[name=path]").evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("desigualdades/espacios")
    page.keyboard.press("Enter")
    card.locator("button.chip").wait_for()
    assert "desigualdades/espacios" in card.inner_text()
