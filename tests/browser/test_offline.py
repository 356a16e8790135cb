"""A phone that was offline: nothing is lost, and everything arrives once."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Error, Page, Playwright

from collector.db import reading
from collector.queries import records
from collector.settings import Settings
from tests.browser.conftest import (
    Phone,
    fill_confianza,
    fill_tarjeta,
    go_on,
    ready,
    until,
    until_all_is_here,
    until_kept,
)  # fmt: skip
from tests.conftest import Node, free_port, serve
from tests.faults.kill_phone import run
from tests.stored import count_entries

SAVED = "Guardado en este dispositivo"
BODY_OF_THE_FIRST = """async () => {
  const script = document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js');
  return (await (await import(script)).all())[0].body;
}"""


def stored(node: Node) -> int:
    with reading(node.app.state.engine) as session:
        return count_entries(session)


def again(node: Node) -> Node:
    """Serve the same store on the same port: the network is back."""
    return serve(Settings(data_dir=node.data_dir, sync_seconds=0), node.port)


@pytest.mark.parametrize("host", ["localhost", "nodo.lan"])
def test_a_form_opened_once_can_be_filled_in_without_a_network_and_arrives_once(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone, host: str
) -> None:
    node = make_node("campo")
    publish(node, "confianza")
    address = f"http://{host}:{node.port}/f/confianza"
    page = phone.open()
    page.goto(address)
    ready(page)
    until_all_is_here(page)
    if host == "localhost":
        keep_page(page)
    phone.close()
    node.stop()

    page = phone.open()
    page.goto(address)
    ready(page)
    fill_confianza(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    assert page.is_visible("text=Su respuesta está guardada")
    phone.close()

    back = again(node)
    try:
        assert stored(back) == 0
        page = phone.open()
        page.goto(f"http://{host}:{node.port}/mis-respuestas")
        page.wait_for_selector("text=Todo enviado")
        phone.close()
        page = phone.open()
        page.goto(address)
        ready(page)
        assert stored(back) == 1
    finally:
        back.stop()


def keep_page(page: Page) -> None:
    """Wait until the service worker holds the page and what it is made of."""
    kept = """async () => {
      await navigator.serviceWorker.ready;
      return (await (await caches.open('pages')).keys()).length;
    }"""
    until(page, lambda: int(page.evaluate(kept)) >= 2)


def test_reloading_without_a_network_works_where_a_service_worker_can(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    page.goto(f"http://localhost:{node.port}/f/tarjeta")
    ready(page)
    keep_page(page)
    node.stop()
    page.reload()
    ready(page)
    page.goto(f"http://localhost:{node.port}/equis")
    assert page.is_visible("text=Esta página no está en su teléfono")


def test_kill_9_at_random_instants_loses_nothing_that_was_told_to_be_saved(
    tmp_path: Path, playwright: Playwright
) -> None:
    survived = run(12, tmp_path, playwright)
    assert survived.kills == 12 and survived.told >= 3
    assert survived.control_lost > 0, "the control must lose, else the kills prove nothing"


@pytest.mark.parametrize("host", ["localhost", "nodo.lan"])
def test_answers_half_given_are_there_again_after_a_kill_also_without_a_network(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone, host: str
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    address = f"http://{host}:{node.port}/f/tarjeta"
    page = phone.open()
    page.goto(address)
    ready(page)
    if host == "localhost":
        keep_page(page)
    page.fill("[name=relato]", "A medias")
    go_on(page)
    until_kept(page, '"step":[2,3]')
    page.wait_for_timeout(1500)  # a draft is written relaxed: the browser hands it to the disk a moment later
    phone.kill()
    node.stop()
    page = phone.open()
    page.goto(address)
    page.click("text=Seguir la que dejó a medias")
    ready(page)
    assert page.is_visible("text=Pregunta 2 de 3")
    go_on(page, "back")
    assert page.input_value("[name=relato]") == "A medias"


def test_a_date_of_another_year_would_keep_no_page_so_a_node_sends_none(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    port = free_port()
    wrong = [("date", "Mon, 01 Jan 2001 00:00:00 GMT")]
    config = uvicorn.Config(node.app, port=port, log_level="error", lifespan="off", date_header=False, headers=wrong)
    dated = uvicorn.Server(config)
    thread = threading.Thread(target=dated.run)
    thread.start()
    addresses = [f"http://nodo.lan:{number}/f/tarjeta" for number in (node.port, port)]
    page = phone.open()
    for address in addresses:
        page.goto(address)
        ready(page)
    phone.close()
    dated.should_exit = True
    thread.join(10)
    node.stop()
    page = phone.open()
    page.goto(addresses[0])
    ready(page)
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        page.goto(addresses[1])


def test_pressing_send_twice_makes_one_record(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    page.goto(f"{node.url}/f/tarjeta")
    ready(page)
    fill_tarjeta(page)
    page.evaluate("() => { const b = document.querySelector('[value=send]'); b.click(); b.click(); b.click(); }")
    page.wait_for_selector(f"text={SAVED}")
    until(page, lambda: stored(node) >= 1)
    page.wait_for_timeout(1500)
    with reading(node.app.state.engine) as session:
        assert (count_entries(session), records.count_quarantine(session)) == (1, 0)


def test_the_receipt_says_when_central_has_it(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone
) -> None:
    central = make_node("central")
    publish(central, "tarjeta")
    field = make_node("campo", upstream=central, sync_seconds=0.2)
    page = phone.open()
    until(page, lambda: len(field.app.state.forms.current()) == 1)
    page.goto(f"{field.url}/f/tarjeta")
    ready(page)
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector("h1:has-text('Su respuesta llegó')")
    assert stored(central) == 1
    assert page.evaluate(BODY_OF_THE_FIRST) == ""
