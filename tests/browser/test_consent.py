"""The notice in a real browser: nothing is ticked, nobody gets past it, and what is sent says what was accepted."""

import json
import time
from collections.abc import Callable

from playwright.sync_api import Browser, Page

from collector.db import reading
from collector.queries import records
from collector.tables import Record
from tests.browser.conftest import choose, go_on, ready
from tests.conftest import Node
from tests.consented import publish_with_notice

TOLD = "Para empezar, marque que acepta; si no quiere participar, cierre la página."


def is_at_notice(page: Page) -> bool:
    return page.is_visible("text=Antes de empezar") and not page.is_visible("[name=relato]")


def test_the_notice_holds_until_it_is_accepted_and_again_when_the_tick_is_taken_away(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("campo")
    address = publish_with_notice(node, "tarjeta")
    page = browser.new_context(viewport={"width": 320, "height": 640}, locale="es-PA").new_page()
    page.set_default_timeout(60_000)
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
    page.wait_for_timeout(600)
    go_on(page, "back")
    page.uncheck("[name='consent/accepted']")
    page.wait_for_timeout(600)  # the draft is kept
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
    page.set_default_timeout(60_000)
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
    record = first_record(node)
    content = json.loads(record.body or "{}")
    answers = content["answers"]
    assert record.flags == "" and content["lang"] == "en"
    assert content["started"] <= answers["consent/at"] <= content["finished"]
    assert answers["consent/at"].endswith("-05:00") and answers["consent/notice_version"] == "1"
    page.context.close()


def first_record(node: Node) -> Record:
    """Wait for the record of the only phone there is."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with reading(node.app.state.engine) as session:
            found = records.records_after(session, 0, 10)
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("nothing arrived")


def fill_from_age(page: Page) -> None:
    """Answer `confianza` from its first page on, with the notice accepted before."""
    choose(page, "edad", "18_29")
    go_on(page)
    assert page.is_checked("[name='consent/accepted']")
    fill_confianza_after_notice(page)


def fill_confianza_after_notice(page: Page) -> None:
    go_on(page)
    page.select_option("[name='lugar/provincia']", "08")
    page.select_option("[name='lugar/municipio']", "0810")
    go_on(page)
    for name, value in (("brecha", "crecio"), ("trato", "nunca"), ("escucha", "poco"), ("reuniones", "una")):
        choose(page, name, value)
        go_on(page)
    choose(page, "confianza_gente", "7")
    go_on(page)
    choose(page, "confianza_municipio", "ns")
