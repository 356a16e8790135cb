"""What a visit costs, counted on the line itself: every byte of every request and answer, headers too."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import go_on, ready, until, until_all_is_here
from tests.browser.origins import HOSTS, OUTBOX, SAVED, Visitor, counts, entries, shared, visit
from tests.browser.test_offline import keep_page
from tests.browser.usual_answers import fill_usual
from tests.conftest import Node
from tests.faults.proxy import FaultProxy
from tests.page_budgets import POST_BYTES, WHOLE_BYTES, WORKER_BYTES

__all__ = ["shared", "visit"]
FORM = "/f/usual"
WEIGH = """{
  const real = fetch;
  window.weights = [];
  window.fetch = (address, how) => {
    if (how && how.body) weights.push(how.body.size || how.body.length);
    return real(address, how);
  };
}"""
# whatever else may come after the page is ready would be asked for in this time
QUIET_MS = 1500


@pytest.fixture
def line(shared: Node) -> Iterator[FaultProxy]:
    """A line to the node that counts what it carries."""
    proxy = FaultProxy(shared.port)
    yield proxy
    proxy.stop()


def open_form(page: Page, host: str, line: FaultProxy, path: str = FORM) -> None:
    page.goto(f"http://{host}:{line.port}{path}")
    ready(page)
    until_all_is_here(page)
    if host == "localhost":
        keep_page(page)
    before = -1
    while line.up != before:
        before = line.up
        page.wait_for_timeout(QUIET_MS)


@pytest.mark.parametrize("host", HOSTS)
def test_the_first_visit_keeps_to_its_bytes_and_the_next_costs_none(
    visit: Callable[..., Visitor], line: FaultProxy, host: str
) -> None:
    page = visit(host).page()
    open_form(page, host, line)
    assert 0 < line.down <= WHOLE_BYTES + (WORKER_BYTES if host == "localhost" else 0), line.down
    carried = (line.up, line.down)
    page.close()
    other = visit_again(page)
    open_form(other, host, line)
    assert (line.up, line.down) == carried, "a visit of an unchanged form asked for something"
    other.fill("[name=edad]", "41")
    go_on(other)
    assert other.is_visible("text=Pregunta 2 de")


def visit_again(page: Page) -> Page:
    """Open a new tab of the same phone."""
    other = page.context.new_page()
    return other


@pytest.mark.parametrize("host", HOSTS)
def test_one_answer_of_25_questions_is_sent_in_few_bytes(visit: Callable[..., Visitor], host: str) -> None:
    visitor = visit(host)
    page = visitor.page()
    page.add_init_script(WEIGH)
    visitor.form("usual", page)
    fill_usual(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    page.wait_for_selector("[data-step=sent].done")
    [size] = page.evaluate("weights")
    assert 0 < size <= POST_BYTES


@pytest.mark.parametrize("host", HOSTS)
def test_25_answers_given_without_a_signal_arrive_in_three_requests_or_fewer(
    visit: Callable[..., Visitor], host: str
) -> None:
    visitor = visit(host, service_workers="block")
    page = visitor.form("usual")
    page.route(OUTBOX, lambda route: route.abort())
    before = counts(visitor.node)[0]
    fill_usual(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    page.evaluate(
        """async () => {
          const { add, all, canonical, uuid7 } = await module('outbox.js');
          const [first] = await all();
          for (let n = 0; n < 24; n++) {
            const id = uuid7();
            await add({ ...first, id, body: canonical({ ...JSON.parse(first.body), id }) }, 'none');
          }
        }"""
    )
    page.unroute(OUTBOX)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.evaluate("dispatchEvent(new Event('online'))")
    until(page, lambda: counts(visitor.node)[0] == before + 25)
    until(page, lambda: all(entry["state"] == "central" for entry in entries(page)))
    assert len(posts) <= 3
