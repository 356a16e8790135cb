"""A phone drops its copy of an answer that somebody had erased."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from collector.clock import now_ms
from collector.db import writing
from collector.queries.records import ingest
from sync.statements import make_tombstone
from tests.browser.conftest import Phone, fill_tarjeta, go_on, ready, until
from tests.browser.test_offline import stored
from tests.conftest import Node

ENTRIES = """async () => {
  const outbox = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'));
  await outbox.drain();
  return await outbox.all();
}"""


def entries(page: Page) -> list[dict[str, Any]]:
    """Let the phone ask its node, and return what it keeps."""
    found: list[dict[str, Any]] = page.evaluate(ENTRIES)
    return found


def test_an_answer_erased_at_the_node_is_dropped_by_the_phone(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo", upstream=make_node("central"))
    publish(node, "tarjeta")
    page = phone.open()
    page.goto(f"{node.url}/f/tarjeta")
    ready(page)
    fill_tarjeta(page, "lo que nadie debe leer")
    go_on(page, "send")
    until(page, lambda: stored(node) == 1)
    until(page, lambda: [entry["state"] for entry in entries(page)] == ["sent"])
    [entry] = entries(page)
    assert "lo que nadie debe leer" in entry["body"]
    with writing(node.app.state.engine) as session:
        ingest(session, [make_tombstone(entry["id"], "person", "")], now_ms())
    until(page, lambda: [entry["state"] for entry in entries(page)] == ["erased"])
    assert [entry["body"] for entry in entries(page)] == [""]
