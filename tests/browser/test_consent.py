"""The notice in a real browser: nothing is ticked, nobody gets past it, and what is sent says what was accepted."""

import json
from collections.abc import Callable

from playwright.sync_api import Browser, Page

from collector.db import reading
from collector.tables.log import Record
from tests.browser.conftest import choose, fill_confianza_from_place, go_on, ready, until
from tests.conftest import Node
from tests.consented import publish_with_notice
from tests.stored import stored_records

TOLD = "Para empezar, marque que acepta; si no quiere participar, toque «No, gracias»."


def is_at_notice(page: Page) -> bool:
    return page.is_visible("text=Antes de empezar") and not page.is_visible("[name=relato]")


def test_the_notice_holds_until_it_is_accepted_and_again_when_the_tick_is_taken_away(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("campo")
    address = publish_with_notice(node, "tarjeta")
    page = browser.new_context(viewport={"width": 320, "height": 640}, locale="es-PA").new_page()
    page.goto(f"{node.url}{address}#q-12")
    ready(page)
    choose(page, "age_band", "menos_18")
    go_on(page)
    assert is_at_notice(page) and page.is_visible("text=¿Usted también quiere participar?")
    ticks = page.locator("section.page:visible input[type=checkbox]")
    assert ticks.count() == 3 and not any(ticks.nth(number).is_checked() for number in range(3))
    boxes = [page.locator("section.page:visible .opt").nth(number).bounding_box() for number in range(3)]
    assert all(box and box["height"] >= 48 and box["width"] >= 48 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    go_on(page)
    assert is_at_notice(page) and page.locator(".bad").count() == 3 and page.is_visible(f".err:has-text('{TOLD}')")

    choose(page, "consent/accepted", "OK")
    page.fill("[name='consent/guardian']", "H-12")
    choose(page, "consent/assent", "OK")
    go_on(page)
    page.fill("[name=relato]", "Falta luz.")
    go_on(page, "back")
    page.uncheck("[name='consent/accepted']")
    page.reload()
    ready(page)
    assert is_at_notice(page), "a draft is taken up where it stands"
    assert not page.is_checked("[name='consent/accepted']") and page.is_checked("[name='consent/assent']")
    go_on(page)
    assert is_at_notice(page)
    choose(page, "consent/accepted", "OK")
    go_on(page)
    assert page.input_value("[name=relato]") == "Falta luz."
    page.context.close()


def test_what_a_phone_sends_says_which_notice_was_accepted_and_when(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("campo")
    address = publish_with_notice(node, "confianza")
    page = browser.new_context(viewport={"width": 360, "height": 740}, timezone_id="America/Panama").new_page()
    page.goto(node.url + address)
    ready(page)
    page.click("button[name=_lang][value='English (en)']")
    choose(page, "edad", "18_29")
    go_on(page)
    assert page.is_visible("text=Who asks: The UNDP Accelerator Lab")
    choose(page, "consent/accepted", "OK")
    go_on(page)
    go_on(page, "back")
    go_on(page, "back")
    fill_from_age(page)
    go_on(page, "send")
    record = first_record(node, page)
    content = json.loads(record.body or "{}")
    answers = content["answers"]
    assert record.flags == "" and content["lang"] == "en"
    assert content["started"] <= answers["consent/at"] <= content["finished"]
    assert answers["consent/at"].endswith("-05:00") and answers["consent/notice_version"] == "1"
    page.context.close()


def first_record(node: Node, page: Page) -> Record:
    """Wait for the record of the only phone there is."""
    found: list[Record] = []

    def is_there() -> bool:
        with reading(node.app.state.engine) as session:
            found[:] = stored_records(session)
        return bool(found)

    until(page, is_there)
    return found[0]


def fill_from_age(page: Page) -> None:
    """Answer `confianza` from its first page on, with the notice accepted before."""
    choose(page, "edad", "18_29")
    go_on(page)
    assert page.is_checked("[name='consent/accepted']")
    go_on(page)
    fill_confianza_from_place(page)
