"""A tablet prepared once with a signal works alone: surveys never opened before, drafts, outbox, kiosk mode."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Phone, fill_tarjeta, go_on, ready, until
from tests.browser.test_offline import stored
from tests.conftest import Node, free_port

Start = Callable[..., Node]


def prepare(page: Page, node: Node) -> None:
    page.goto(f"http://localhost:{node.port}/app")
    page.click("button:visible:has-text('Preparar esta tableta')")
    page.wait_for_selector("[data-ready=yes]:visible")


def test_a_tablet_prepared_once_works_with_no_node_in_the_room(
    make_node: Start, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    port = free_port()
    central = make_node("central", port=port)
    publish(central, "tarjeta")
    publish(central, "servicios")
    page = phone.open()
    prepare(page, central)
    assert page.inner_text("[data-fill=forms]") == "2"
    phone.close()
    central.stop()

    page = phone.open()
    page.goto(f"http://localhost:{port}/app")
    page.wait_for_selector("text=Lista para trabajar sin señal")
    page.click("li:has-text('Tarjeta') a:has-text('Empezar')")  # never opened before
    ready(page)
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector("text=Su respuesta está guardada")
    page.goto(f"http://localhost:{port}/app")
    until(page, lambda: page.inner_text("[data-fill=waiting]") == "1")
    page.click("li:has-text('Tarjeta') a:has-text('Modo de entrega')")
    page.wait_for_selector("h1:visible:has-text('Entregar la tableta')")
    page.goto(f"http://localhost:{port}/mis-respuestas")
    page.wait_for_selector("text=sin enviar")

    central = make_node("central", port=port)
    page.goto(f"http://localhost:{port}/app")
    until(page, lambda: stored(central) == 1)


def test_a_survey_published_later_comes_down_by_itself(
    make_node: Start, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("central")
    publish(node, "tarjeta")
    page = phone.open()
    prepare(page, node)
    publish(node, "servicios")
    page.goto(f"http://localhost:{node.port}/app")
    until(page, lambda: page.inner_text("[data-fill=forms]") == "2")
    node.stop()
    page.goto(f"http://localhost:{node.port}/app")
    page.click("li:has-text('Servicios') a:has-text('Empezar')")
    ready(page)


def test_a_signal_that_breaks_while_preparing_takes_nothing_away(
    make_node: Start, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("central")
    publish(node, "tarjeta")
    page = phone.open()
    page.route("**/k/tarjeta/*", lambda route: route.fulfill(status=200, body="<h1>Wi-Fi del parque</h1>"))
    page.goto(f"http://localhost:{node.port}/app")
    page.click("button:visible:has-text('Preparar esta tableta')")
    page.wait_for_selector("text=No se pudo preparar completa")
    page.unroute_all()
    page.click("button:visible:has-text('Intentar otra vez')")
    page.wait_for_selector("[data-ready=yes]:visible")


def test_plain_http_says_that_it_cannot_be_installed(
    make_node: Start, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"http://nodo.lan:{node.port}/app")
    page.wait_for_selector("text=En esta dirección no se puede instalar")
    page.click("a:has-text('Empezar')")
    ready(page)
    assert problems == []


@pytest.mark.parametrize("name", ["icon-192", "icon-512", "maskable-512"])
def test_the_manifest_names_icons_that_are_there(make_node: Start, name: str) -> None:
    node = make_node("campo")
    answer = httpx.get(f"{node.url}/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    (icon,) = [icon for icon in answer.json()["icons"] if name in icon["src"]]
    picture = httpx.get(node.url + icon["src"])
    size = int(icon["sizes"].partition("x")[0])
    assert picture.content[:8] == b"\x89PNG\r\n\x1a\n" and int.from_bytes(picture.content[16:20], "big") == size
