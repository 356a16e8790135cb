"""A phone leaves its drafts and answers sealed on a node; another device takes them up by the code, and goes on."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.browser.conftest import Phone, a_phone, fill_tarjeta, go_on, ready, until, until_kept
from tests.browser.test_files import HOSTS, add_record, holds, open_page, take_noise
from tests.browser.test_offline import stored
from tests.conftest import Node

SECRET = "La quebrada huele mal desde enero."


@pytest.fixture
def other(playwright: Playwright, tmp_path: Path) -> Iterator[Phone]:
    """A second device."""
    with a_phone(playwright, tmp_path / "other") as one:
        yield one


def address(node: Node, host: str) -> str:
    return f"http://{host}:{node.port}"


def begin_tarjeta(page: Page, node: Node, host: str) -> None:
    page.goto(f"{address(node, host)}/f/tarjeta")
    ready(page)
    page.fill("[name=relato]", SECRET)
    go_on(page)
    until_kept(page, '"step":[2,')


def leave_here(page: Page, node: Node, host: str) -> str:
    page.goto(f"{address(node, host)}/pasar")
    page.click("button:visible[data-go]")
    page.wait_for_selector("h1:visible:has-text('Está guardado en el equipo')")
    return page.inner_text("[data-fill=code]")


@pytest.mark.parametrize("host", HOSTS)
def test_a_lost_phone_is_not_lost_answers(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone, other: Phone, host: str
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = open_page(phone, node, host)
    page.route("**/sync/v1/outbox", lambda route: route.abort())
    photo = take_noise(page, 400_000)
    add_record(page, photo)
    begin_tarjeta(page, node, host)
    code = leave_here(page, node, host)
    assert re.fullmatch(r"([0-9A-Z]{4}-){5}.", code)
    assert re.search(rf"http://[^/\s]+:{node.port}/retomar y escriba", page.inner_text("main"))
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in node.data_dir.glob("collector.db*"))
    phone.kill()  # the phone fell into the river

    there = other.open()
    there.goto(f"{address(node, host)}/retomar#{code}")
    there.wait_for_selector("h1:visible:has-text('Ya están en este equipo')")
    assert "#" not in there.url
    until(there, lambda: stored(node) == 1 and holds(node, photo))
    there.goto(f"{address(node, host)}/mis-respuestas")
    there.click("a:visible:has-text('Seguir')")
    ready(there)
    go_on(there, "back")
    assert there.input_value("[name=relato]") == SECRET
    fill_tarjeta(there, SECRET)
    go_on(there, "send")
    there.wait_for_selector("section.thanks")
    until(there, lambda: stored(node) == 2)
    there.goto(f"{address(node, host)}/retomar#{code}")
    there.wait_for_selector("text=No encontramos nada")  # taken up once: the node dropped it
