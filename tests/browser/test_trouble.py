"""Trouble on the way: two tabs, a Wi-Fi portal, a node that refuses or forgets, a browser that keeps nothing."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from collector.db import reading
from collector.queries import records
from tests.browser.conftest import Phone, fill_tarjeta, go_on, ready, until, until_kept
from tests.browser.test_offline import keep_page, stored
from tests.conftest import Node
from tests.stored import stored_records

SAVED = "Guardado en este dispositivo"
OUTBOX = "**/sync/v1/outbox"


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("campo")
    publish(one, "tarjeta")
    return one


def open_form(phone: Phone, node: Node, page: Page | None = None) -> Page:
    page = page or phone.open()
    page.goto(f"{node.url}/f/tarjeta")
    ready(page)
    return page


def test_two_tabs_that_began_from_one_draft_give_two_records(node: Node, phone: Phone) -> None:
    first = open_form(phone, node)
    first.fill("[name=relato]", "primera")
    until_kept(first, "primera")
    second = phone.context.new_page()
    second.goto(f"{node.url}/f/tarjeta")
    second.click("text=Seguir la que dejó a medias")
    ready(second)
    for page, words in ((first, "primera"), (second, "segunda")):
        page.bring_to_front()
        fill_tarjeta(page, words)
        go_on(page, "send")
        page.wait_for_selector(f"text={SAVED}")
    until(second, lambda: stored(node) == 2)
    with reading(node.app.state.engine) as session:
        assert records.count_quarantine(session) == 0
        said = {json.loads(record.body or "")["answers"]["relato"] for record in stored_records(session)}
    assert said == {"primera", "segunda"}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<html>Acepte los términos</html>", "content_type": "text/html"},
        {"status": 200, "body": '{"results": {}}', "headers": {"X-Collector": "1"}},
        {"status": 200, "body": '{"results": {"', "headers": {"X-Collector": "1"}},
        {"status": 302, "headers": {"Location": "http://portal.lan/"}},
        {"status": 500, "body": "{}", "headers": {"X-Collector": "1"}},
        {"status": 429, "body": "{}", "headers": {"X-Collector": "1"}},
    ],
    ids=["portal", "names nothing", "cut", "redirect", "500", "429"],
)
def test_an_answer_that_does_not_name_the_record_sends_nothing(
    node: Node, phone: Phone, answer: dict[str, object]
) -> None:
    page = open_form(phone, node)
    answered: list[str] = []

    def reply(route: Route) -> None:
        route.fulfill(**answer)
        answered.append(route.request.url)

    page.route(OUTBOX, reply)
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    until(page, lambda: bool(answered))
    page.wait_for_timeout(500)  # nothing changes by it
    assert page.is_visible("h1:has-text('Su respuesta está guardada')")
    page.unroute(OUTBOX)
    page.goto(f"{node.url}/mis-respuestas")
    until(page, lambda: stored(node) == 1)


def test_a_record_that_the_node_cannot_take_does_not_stop_the_others(node: Node, phone: Phone) -> None:
    def refuse_large(route: Route) -> None:
        large = (
            b"x" * 400 in (route.request.post_data_buffer or b"") or len(route.request.post_data_buffer or b"") > 5000
        )
        if large:
            route.fulfill(status=413, body="{}", headers={"X-Collector": "1"})
        else:
            route.continue_()

    page = open_form(phone, node)
    page.add_init_script("delete window.CompressionStream")
    page.route(OUTBOX, refuse_large)
    open_form(phone, node, page)
    for words in ("x" * 6000, "corta"):
        fill_tarjeta(page, words)
        go_on(page, "send")
        page.wait_for_selector(f"text={SAVED}")
        open_form(phone, node, page)
    until(page, lambda: stored(node) == 1)
    page.goto(f"{node.url}/mis-respuestas")
    page.wait_for_selector("text=Una respuesta necesita ayuda")
    assert page.locator("text=detenida >> visible=true").count() == 1


def test_what_the_node_forgot_is_sent_again(node: Node, phone: Phone) -> None:
    page = open_form(phone, node)

    def pretend(route: Route) -> None:
        record_id = json.loads((route.request.post_data or "").splitlines()[0])["id"]
        body = json.dumps({"node": "x", "central": False, "results": {record_id: "stored"}})
        route.fulfill(status=200, body=body, headers={"X-Collector": "1"})

    page.add_init_script("delete window.CompressionStream")
    open_form(phone, node, page)
    page.route(OUTBOX, pretend, times=1)
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    until(page, lambda: stored(node) == 1)


def test_a_browser_that_keeps_nothing_sends_to_the_node_at_once_and_only_once(node: Node, phone: Phone) -> None:
    page = phone.open()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    open_form(phone, node, page)
    fill_tarjeta(page)
    page.dblclick("button[value=send]")
    page.wait_for_selector("text=Gracias por su voz.")
    page.wait_for_timeout(500)
    assert stored(node) == 1
    page.goto(f"{node.url}/mis-respuestas")
    page.wait_for_selector("text=Este navegador no guarda respuestas")


def test_nothing_kept_and_no_signal_is_said_plainly(node: Node, phone: Phone) -> None:
    page = phone.open()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    open_form(phone, node, page)
    fill_tarjeta(page)
    node.stop()
    go_on(page, "send")
    page.wait_for_selector("text=Todavía no está guardada")
    assert page.is_visible("button[value=send]")


def test_short_links_work_while_the_service_worker_is_in_control(
    node: Node, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    publish(node, "servicios")
    page = phone.open()
    page.goto(f"http://localhost:{node.port}/f/tarjeta")
    ready(page)
    keep_page(page)
    page.goto(f"http://localhost:{node.port}/")
    page.evaluate("location.href = '/f/servicios'")
    page.wait_for_url("**/f/servicios/*")
    ready(page)
    assert page.url.endswith("/f/servicios/2026112200")
