"""A facilitator's page that asks again and again, and a program that is replaced under open pages."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from collector import people
from collector.clock import now_ms
from collector.db import writing
from collector.queries import records
from collector.settings import Settings
from sync.statements import made
from tests.browser.conftest import ready, until
from tests.browser.origins import HOSTS, Visitor, drafts, shared, visit
from tests.conftest import Node, serve, submission

__all__ = ["shared", "visit"]
POLL_NOW = "htmx.trigger('#sending', 'every 10s')"


@pytest.fixture
def field(make_node: Callable[..., Node]) -> Iterator[Node]:
    """A node of a facilitator, with its PIN."""
    node = make_node("campo")
    with writing(node.app.state.engine) as session:
        people.set_pin(session, "482913")
    yield node


def facilitator(page: Page, node: Node, host: str) -> None:
    page.clock.install()
    page.goto(f"http://{host}:{node.port}/equipo")
    page.fill("[name=pin]", "482913")
    page.click("form button[type=submit], form .btn")
    page.wait_for_selector("#sending")
    page.wait_for_function("() => window.htmx")


def poll(page: Page) -> int:
    """Let ten seconds pass; return the status of the answer."""
    with page.expect_response("**/equipo") as waiting:
        page.clock.run_for(10_500)
    return waiting.value.status


@pytest.mark.parametrize("host", HOSTS)
def test_an_unchanged_part_is_not_sent_again_and_the_page_stays_as_it_is(
    visit: Callable[..., Visitor], field: Node, host: str
) -> None:
    page = visit(host).page()
    facilitator(page, field, host)
    mark = "(word) => { document.querySelector('#sending section').dataset.mine = word; }"
    page.evaluate(mark, "old")
    assert poll(page) == 200  # the first one brings the tag
    page.wait_for_selector("#sending section:not([data-mine])")  # and is swapped in a moment after it came
    page.evaluate(mark, "untouched")
    assert poll(page) == 304
    assert page.get_attribute("#sending section", "data-mine") == "untouched"
    with writing(field.app.state.engine) as session:
        records.ingest(session, [made(submission())], now_ms())
    assert poll(page) == 200
    page.wait_for_selector("#sending section:not([data-mine])")
    assert "1" in page.inner_text("#sending .count >> nth=-1")


@pytest.mark.parametrize("host", HOSTS)
def test_a_node_that_restarts_between_two_questions_is_waited_for(
    visit: Callable[..., Visitor], field: Node, host: str
) -> None:
    page = visit(host).page()
    facilitator(page, field, host)
    assert poll(page) == 200
    field.stop()
    page.clock.run_for(10_500)
    page.wait_for_selector("#silent", state="visible")
    assert page.is_visible("#sending h2 >> nth=0")
    back = serve(Settings(data_dir=field.data_dir, sync_seconds=0), field.port)
    try:
        assert poll(page) in (200, 304)
        page.wait_for_selector("#silent", state="hidden")
    finally:
        back.stop()


def test_a_new_program_waits_until_somebody_says_so_and_a_draft_goes_on(
    visit: Callable[..., Visitor], shared: Node
) -> None:
    visitor = visit("localhost")
    page = visitor.form()
    controlled = "async () => !!(await navigator.serviceWorker.ready).active && !!navigator.serviceWorker.controller"
    until(page, lambda: bool(page.evaluate(controlled)))
    page.fill("[name=relato]", "a medias")
    until(page, lambda: len(drafts(page)) == 1)
    assets = shared.app.state.assets
    shared.app.state.assets = replace(assets, version="0123456789ab")  # as after an update of the node
    try:
        loads: list[str] = []
        page.on("load", lambda: loads.append(page.url))
        visitor.devtools(page).send("Network.clearBrowserCache")
        page.evaluate("async () => { await (await navigator.serviceWorker.ready).update(); }")
        page.wait_for_selector("text=Hay una versión nueva.")
        page.wait_for_timeout(500)
        assert loads == [] and page.input_value("[name=relato]") == "a medias"  # nothing by itself
        page.fill("[name=relato]", "a medias y algo más")
        page.click("#update button")
        until(page, lambda: len(loads) == 1)
        ready(page)
        page.wait_for_timeout(700)
        assert len(loads) == 1 and page.input_value("[name=relato]") == "a medias y algo más"
        assert page.is_hidden("#update")
    finally:
        shared.app.state.assets = assets
