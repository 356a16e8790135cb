"""In a real browser: the lab reviews by keyboard, the tablet answers, and all of it works without scripts too."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from collector.clock import now_ms
from collector.db import reading, writing
from collector.queries.people import put_user
from collector.queries.records import record_by_id
from tests.browser.conftest import until
from tests.conftest import Node, submission
from tests.lab.conftest import EMAIL, PASSWORD, hashed

QUEUE = "/lab/revisar/confianza"


@pytest.fixture
def central(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    node = make_node("central")
    publish(node, "confianza")
    with writing(node.app.state.engine) as session:
        put_user(session, EMAIL, hashed(PASSWORD), now_ms())
    return node


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, java_script_enabled=request.param, locale="es-PA"
    )
    yield context.new_page()
    context.close()


def sign_in(page: Page, node: Node) -> None:
    page.goto(f"{node.url}/lab/login")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.click("main button.next")


def review_of(node: Node, record_id: str) -> str:
    with reading(node.app.state.engine) as session:
        found = record_by_id(session, record_id)
        return found.review if found else "?"


def shown(page: Page) -> str:
    """Return the id of the record beside the list, "" when none is."""
    field = page.locator("#one [name=pick]")
    return (field.get_attribute("value") or "").split()[0] if field.count() else ""


@pytest.mark.parametrize("page", [True], indirect=True, ids=["scripts"])
def test_a_queue_is_reviewed_with_the_keyboard_alone(
    central: Node, page: Page, send_outbox: Callable[..., object]
) -> None:
    contents = [submission() for _ in range(5)]
    ids = [str(content["id"]) for content in contents]
    send_outbox(central, *contents)
    sign_in(page, central)
    page.goto(central.url + QUEUE)
    page.keyboard.press("j")
    until(page, lambda: shown(page) == ids[0])
    page.keyboard.press("j")
    until(page, lambda: shown(page) == ids[1])
    page.keyboard.press("k")
    until(page, lambda: shown(page) == ids[0])
    page.keyboard.press("a")
    until(page, lambda: review_of(central, ids[0]) == "approved" and shown(page) == ids[1])
    page.keyboard.press("i")  # a comment is missing: it leads there
    until(page, lambda: page.evaluate("document.activeElement.id") == "comment")
    page.keyboard.type("jax: ¿cuántos?")  # letters of a comment press nothing
    page.keyboard.press("Tab")
    page.keyboard.press("i")
    until(page, lambda: review_of(central, ids[1]) == "has_issues" and shown(page) == ids[2])
    page.keyboard.press("x")
    page.keyboard.press("j")
    until(page, lambda: shown(page) == ids[3])
    page.keyboard.press("x")
    assert page.locator("[name=pick]:checked").count() == 2
    page.keyboard.press("c")
    page.keyboard.type("Prueba del equipo")
    page.keyboard.press("Tab")
    page.keyboard.press("r")
    until(page, lambda: [review_of(central, each) for each in ids[2:]] == ["rejected", "rejected", ""])
    page.wait_for_selector("text=Se anotó en 2.")
    page.keyboard.press("?")
    until(page, lambda: page.locator("#keys[open]").count() == 1)


def test_a_record_is_reviewed_corrected_and_approved_by_plain_forms(
    central: Node, page: Page, send_outbox: Callable[..., object]
) -> None:
    content = submission()
    send_outbox(central, content)
    sign_in(page, central)
    page.goto(central.url + QUEUE)
    page.click("[data-line] a")
    page.wait_for_selector("#one")
    page.fill("#comment", "¿Es de San Miguelito?")
    page.click("#one [value=has_issues]")
    page.wait_for_selector("text=Se anotó en 1.")
    assert review_of(central, str(content["id"])) == "has_issues"
    page.goto(f"{central.url}{QUEUE}?state=has_issues&record={content['id']}")
    page.click("a[href$='/corregir']")
    page.locator("label:has([name=edad]:not(:checked))").first.click()
    while page.locator("#why").count() == 0:
        page.click("button[value=next] >> visible=true" if page.is_visible("button[value=next]") else "[value=send]")
    assert page.is_visible("text=1 respuesta cambia") and page.is_visible("td.changed")
    page.fill("#why", "La persona lo confirmó")
    page.click("button[value=send]")
    page.wait_for_selector("#history >> text=La persona lo confirmó")
    edit = shown(page)
    assert edit and edit != content["id"]
    page.click("#one [value=approve]")
    page.wait_for_selector("text=Se anotó en 1.")
    assert review_of(central, edit) == "approved"
