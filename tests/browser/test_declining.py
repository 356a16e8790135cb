"""Saying no to the notice is one tap, and leaves nothing behind."""

from collections.abc import Callable

from playwright.sync_api import Browser

from collector import people
from collector.db import writing
from tests.browser.conftest import choose, go_on, ready, until
from tests.browser.test_kiosk import IN_STORE, hand_over, neutral, new_tablet, take
from tests.conftest import Node
from tests.consented import publish_with_notice


def test_who_says_no_to_the_notice_leaves_no_draft(make_node: Callable[..., Node], browser: Browser) -> None:
    node = make_node("campo")
    address = publish_with_notice(node, "tarjeta")
    page = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA").new_page()
    page.goto(node.url + address)
    ready(page)
    choose(page, "age_band", "18_mas")
    go_on(page)
    choose(page, "consent/accepted", "OK")
    until(page, lambda: "18_mas" in str(page.evaluate(IN_STORE)["drafts"]))
    page.click("a:has-text('No, gracias')")
    page.wait_for_url(node.url + "/")
    page.wait_for_selector("text=Su voz cuenta")
    assert page.evaluate(IN_STORE)["drafts"] == []
    assert not page.is_visible("text=Dejó una respuesta a medias")
    page.context.close()


def test_on_a_tablet_that_is_handed_round_it_is_the_next_persons_turn(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("campo")
    publish_with_notice(node, "tarjeta")
    with writing(node.app.state.engine) as session:
        people.set_pin(session, "4321")
    page = new_tablet(browser).new_page()
    page.goto(f"{node.url}/")
    hand_over(page, node, "127.0.0.1")
    survey = take(page)
    choose(survey, "age_band", "18_mas")
    go_on(survey)
    survey.click("a:has-text('No, gracias')")
    neutral(page)
    assert page.is_visible("text=Lo que quedó a medias se borró")
    assert page.evaluate(IN_STORE)["drafts"] == []
    page.context.close()


def test_without_scripts_it_is_a_link_to_the_first_page(make_node: Callable[..., Node], browser: Browser) -> None:
    node = make_node("campo")
    address = publish_with_notice(node, "tarjeta")
    page = browser.new_context(java_script_enabled=False, locale="es-PA").new_page()
    page.goto(node.url + address)
    page.check("[name=age_band][value='18_mas']")
    page.click("button[value=next]")
    page.click("a:has-text('No, gracias')")
    page.wait_for_url(node.url + "/")
    page.context.close()
