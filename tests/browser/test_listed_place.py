"""Where the device tells no point the place is chosen from a list: on a plain address, and where asking is refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from collector.db import reading
from tests.browser.conftest import Phone, go_on, ready, until
from tests.conftest import Node
from tests.listed_form import listed_xform
from tests.stored import stored_records

SHOWN = "section.page:not([hidden]) "
LIST = SHOWN + "[data-listed]"
PROVINCE, DISTRICT, NEAR = f"{LIST} [data-province]", f"{LIST} [data-code]", f"{LIST} [data-near]"
DRAFTS = """async () => JSON.stringify(await (await import(
  document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'))).drafts())"""
GPS = {"geolocation": {"latitude": 8.98, "longitude": -79.52, "accuracy": 12}, "permissions": ["geolocation"]}


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    one = make_node("campo")
    one.app.state.forms.install(listed_xform())
    return one


@pytest.fixture
def visit(node: Node, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that opens the form on a new phone: `visit("nodo.lan")`; options are those of a context."""
    contexts: list[BrowserContext] = []

    def come(host: str, width: int = 360, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 740}, locale="es-PA", **options))
        page = contexts[-1].new_page()
        page.goto(f"http://{host}:{node.port}/f/tomas")
        if options.get("java_script_enabled", True):
            ready(page)
        return page

    yield come
    for context in contexts:
        context.close()


def content_of(node: Node) -> dict[str, Any]:
    with reading(node.app.state.engine) as session:
        (found,) = stored_records(session)
    content: dict[str, Any] = json.loads(found.body or "")
    assert json.loads(found.flags)[0]["what"] == "place_listed"
    return content


def send(page: Page, node: Node) -> dict[str, Any]:
    """Go on to the end, send, and wait for the record."""
    while page.is_hidden(".foot [value=send]"):
        go_on(page)
    go_on(page, "send")

    def has_come() -> bool:
        with reading(node.app.state.engine) as session:
            return bool(stored_records(session))

    until(page, has_come)
    return content_of(node)


def options_of(page: Page, select: str) -> list[str]:
    return [text.strip() for text in page.locator(f"{select} option").all_text_contents()]


def choose(page: Page, province: str, district: str, near: str) -> None:
    page.select_option(PROVINCE, label=province)
    if district:
        page.select_option(DISTRICT, label=district)
    page.fill(NEAR, near)


def test_on_a_plain_address_the_place_is_chosen_in_two_steps_and_goes_with_the_record(
    node: Node, visit: Callable[..., Page]
) -> None:
    page = visit("nodo.lan")
    assert not page.evaluate("isSecureContext")
    assert "Elija el lugar de la lista" in page.inner_text(SHOWN + "[data-said]")
    go_on(page)
    assert page.is_visible("#trouble"), "the point is required"
    page.click(f"{LIST} summary")
    assert page.is_hidden(DISTRICT), "first the province"
    choose(page, "Darién", "", "")
    assert options_of(page, DISTRICT) == ["Elija una de la lista", "Chepigana", "Pinogana", "Santa Fe (Darién)"]
    assert page.is_hidden(".bad"), "the province alone will do"
    choose(page, "Veraguas", "Santa Fe (Veraguas)", " El  Alto ")
    choose(page, "Darién", "Santa Fe (Darién)", " El  Alto ")
    go_on(page)
    go_on(page)
    page.fill("[name='pozo[1]/nombre']", "Uno")
    page.click(f"{LIST} summary")
    choose(page, "Guna Yala", "", "")
    assert page.is_hidden(DISTRICT), "Guna Yala has no districts"
    content = send(page, node)
    assert content["places"] == {"punto": {"code": "0503", "place": "El Alto"}, "pozo[1]/sitio": {"code": "10"}}
    assert content["answers"] == {"pozo": [{"nombre": "Uno"}]}


def test_where_the_device_can_tell_the_list_waits_until_it_is_refused(node: Node, visit: Callable[..., Page]) -> None:
    page = visit("localhost")
    assert page.evaluate("isSecureContext") and page.is_hidden(LIST)
    page.context.grant_permissions([])  # nobody may ask for the place
    page.click(SHOWN + "[data-here]")
    page.wait_for_selector("text=No se pudo saber el punto. Elija el lugar de la lista")
    assert page.get_attribute(LIST, "open") is not None
    choose(page, "Panamá", "San Miguelito", "Barrio X")
    content = send(page, node)
    assert content["places"] == {"punto": {"code": "0810", "place": "Barrio X"}}
    assert "punto" not in content["answers"]


def test_where_the_device_tells_its_place_nobody_sees_the_list(visit: Callable[..., Page]) -> None:
    page = visit("localhost", **GPS)
    page.click(SHOWN + "[data-here]")
    page.wait_for_selector("text=Precisión: 12 m")
    assert page.is_hidden(LIST)


def test_a_place_outlives_a_killed_browser(node: Node, phone: Phone) -> None:
    page = phone.open()
    address = f"http://nodo.lan:{node.port}/f/tomas"
    page.goto(address)
    ready(page)
    page.click(f"{LIST} summary")
    choose(page, "Panamá", "San Miguelito", "Barrio X")
    until(page, lambda: "0810 Barrio X" in page.evaluate(DRAFTS))
    phone.kill()
    page = phone.open()
    page.goto(address)
    page.click("text=Seguir la que dejó a medias")
    ready(page)
    assert (page.input_value(PROVINCE), page.input_value(DISTRICT)) == ("Panamá", "0810")
    assert page.input_value(NEAR) == "Barrio X"
    assert send(page, node)["places"] == {"punto": {"code": "0810", "place": "Barrio X"}}


def test_a_row_that_goes_takes_its_place_along(node: Node, visit: Callable[..., Page]) -> None:
    page = visit("nodo.lan")
    page.click(f"{LIST} summary")
    choose(page, "Panamá", "", "")
    go_on(page)
    go_on(page)
    page.click("[data-add]")
    for number, province in ((1, "Herrera"), (2, "Coclé")):
        row = page.locator(f"[data-row]:visible >> nth={number - 1}")
        row.locator("summary").click()
        row.locator("[data-province]").select_option(label=province)
        assert row.locator("[data-code]").get_attribute("name") == f"_list/pozo[{number}]/sitio"
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("[data-remove]:visible").first.click()
    assert send(page, node)["places"] == {"punto": {"code": "08"}, "pozo[1]/sitio": {"code": "02"}}


def test_without_scripts_the_whole_list_stands_there(node: Node, visit: Callable[..., Page]) -> None:
    page = visit("nodo.lan", width=320, java_script_enabled=False)
    page.click(f"{LIST} summary")
    assert page.is_hidden(PROVINCE) and page.locator(f"{DISTRICT} optgroup").count() == 14
    page.select_option(DISTRICT, "0810")
    page.fill(NEAR, "Barrio X")
    assert send(page, node)["places"] == {"punto": {"code": "0810", "place": "Barrio X"}}


@pytest.mark.parametrize("width", [320, 360])
def test_the_list_fits_a_small_phone_and_every_target_is_large(visit: Callable[..., Page], width: int) -> None:
    page = visit("nodo.lan", width=width)
    page.click(f"{LIST} summary")
    choose(page, "Ngäbe-Buglé", "Santa Catalina o Calovébora", "")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.locator(f"{LIST} :is(summary, select, input):visible")
    heights = [boxes.nth(number).bounding_box() for number in range(boxes.count())]
    assert len(heights) == 4
    assert all(box is not None and box["height"] >= 48 for box in heights)
    fields = page.locator(f"{LIST} :is(select, input):visible")
    assert fields.evaluate_all("all => all.map((each) => each.labels.length)") == [1, 1, 1]


def test_the_list_speaks_the_language_of_the_page(visit: Callable[..., Page]) -> None:
    page = visit("nodo.lan")
    page.click(f"{LIST} summary")
    choose(page, "Herrera", "", "")
    page.click("[data-lang='English (en)']")
    assert page.inner_text(f"{LIST} summary") == "Choose the place from the list"
    assert options_of(page, DISTRICT)[:2] == ["Choose one from the list", "Chitré"]
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator(f"{LIST} [lang]").count() == 0
