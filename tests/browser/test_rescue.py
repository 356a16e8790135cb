"""A phone that cannot send saves its answers into one file; another node takes it, and each arrives once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from collector import people
from collector.db import reading, writing
from collector.queries import nodes
from tests.browser.conftest import Phone, fill_confianza, go_on, ready, until
from tests.browser.test_files import HOSTS, add_record, entry_of, holds, open_page, take_noise
from tests.browser.test_offline import stored
from tests.conftest import Node


def save_to_file(page: Page) -> Path:
    with page.expect_download() as waiting:
        page.click("text=Guardar mis respuestas en un archivo")
    assert waiting.value.suggested_filename.startswith("mis-respuestas-")
    return Path(waiting.value.path())


def facilitator_page(browser: Browser, node: Node) -> Page:
    with writing(node.app.state.engine) as session:
        people.set_pin(session, "482913")
    page = browser.new_page()
    page.goto(f"{node.url}/equipo/paquetes")
    page.fill("[name=pin]", "482913")
    page.click("form button[type=submit], form .btn")
    page.wait_for_selector("h1:has-text('Llevar y traer')")
    return page


def bring(page: Page, file: Path) -> None:
    page.set_input_files("#file", str(file))
    page.click("button:has-text('Traer')")


@pytest.mark.parametrize("host", HOSTS)
def test_answers_and_files_of_a_phone_reach_another_node_by_a_file_and_arrive_once(
    make_node: Callable[..., Node], phone: Phone, browser: Browser, host: str
) -> None:
    lost, other = make_node("perdido"), make_node("otro")
    page = open_page(phone, lost, host)
    page.route("**/sync/v1/**", lambda route: route.abort())
    photo, sound = take_noise(page, 500_000), take_noise(page, 5_000, kind="audio")
    ids = {add_record(page, photo, sound), add_record(page), add_record(page)}
    lost.stop()  # for good
    file = save_to_file(page)
    lines = file.read_bytes().splitlines()
    assert {json.loads(line)["id"] for line in lines[:3]} == ids
    assert [json.loads(line)["blob"] == photo["sha256"] for line in lines[3:]] == [True, True, True, False]
    there = facilitator_page(browser, other)
    bring(there, file)
    there.wait_for_selector("text=Nuevas: 3. Ya estaban: 0. En revisión: 0.")
    assert there.is_visible("text=Fotos o archivos completos: 2.")
    bring(there, file)
    there.wait_for_selector("text=Nuevas: 0. Ya estaban: 3. En revisión: 0.")
    assert stored(other) == 3 and holds(other, photo) and holds(other, sound)
    there.close()


def test_a_real_form_saved_to_a_file_and_sent_later_too_is_stored_once(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone, browser: Browser
) -> None:
    node = make_node("campo")
    publish(node, "confianza")
    page = phone.open()
    page.goto(f"{node.url}/f/confianza")
    ready(page)
    page.route("**/sync/v1/**", lambda route: route.abort())
    fill_confianza(page)
    go_on(page, "send")
    page.wait_for_selector("[data-record]")
    page.goto(f"{node.url}/mis-respuestas")
    file = save_to_file(page)
    there = facilitator_page(browser, node)
    bring(there, file)
    there.wait_for_selector("text=Nuevas: 1. Ya estaban: 0. En revisión: 0.")
    with reading(node.app.state.engine) as session:
        assert nodes.node_status(session).counts.quarantined == 0
    page.unroute("**/sync/v1/**")
    page.reload()  # the line is back: the phone sends what it still holds
    page.wait_for_selector("text=Todo enviado")
    assert stored(node) == 1
    there.close()


def test_what_the_node_has_but_central_does_not_is_saved_too(make_node: Callable[..., Node], phone: Phone) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)
    page = open_page(phone, field)
    entry = take_noise(page, 70_000)
    record_id = add_record(page, entry)
    until(page, lambda: entry_of(page, record_id)["state"] == "sent" and holds(field, entry))
    lines = save_to_file(page).read_text().splitlines()
    assert json.loads(lines[0])["id"] == record_id
    assert json.loads(lines[1])["blob"] == entry["sha256"] and len(lines) == 2


def test_a_bundle_is_made_in_the_browser_and_the_page_fits_a_phone_and_a_desk(
    make_node: Callable[..., Node], phone: Phone, browser: Browser
) -> None:
    field = make_node("municipio", upstream=make_node("central"))
    page = open_page(phone, field)
    page.route("**/sync/v1/**", lambda route: route.abort())
    add_record(page)
    file = save_to_file(page)
    there = facilitator_page(browser, field)
    bring(there, file)
    there.wait_for_selector("text=Respuestas de un teléfono")
    with there.expect_download() as waiting:
        there.click("text=Hacer y bajar")
    assert Path(waiting.value.path()).read_bytes().startswith(b"age-encryption.org/v1")
    there.goto(f"{field.url}/equipo/paquetes")
    for width in (360, 1280):
        there.set_viewport_size({"width": width, "height": 800})
        assert there.evaluate("document.documentElement.scrollWidth") <= width
    there.close()
