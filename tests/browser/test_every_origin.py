"""What must hold on https and on plain http alike: each rule in a real browser, on a secure and an insecure origin."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route

from collector.db import reading
from collector.queries import records
from tests.browser.conftest import PATIENCE_SECONDS, fill_tarjeta, go_on, ready, until, until_kept
from tests.browser.origins import (
    HOSTS,
    OUTBOX,
    SAVED,
    Visitor,
    counts,
    drafts,
    entries,
    held,
    shared,
    visit,
    visitor,
)
from tests.browser.usual_answers import fill_usual
from tests.conftest import Node
from tests.forms.usual_form import usual_xform

__all__ = ["shared", "visit", "visitor"]
BLOCKED = "Object.defineProperty(window, 'indexedDB', { value: undefined })"
FILL_THE_STORE = """async () => {
  const database = await (await module('outbox.js')).open();
  const put = (size, n) => new Promise((resolve) => {
    const transaction = database.transaction('meta', 'readwrite', { durability: 'strict' });
    transaction.objectStore('meta').put(crypto.getRandomValues(new Uint8Array(size)), `${size} ${n}`);
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => resolve(false);
  });
  let count = 0;
  for (const size of [50000, 5000, 500]) while (count < 500 && await put(size, count)) count++;
  return count;
}"""
NEVER_ANSWERED = """{
  const real = fetch;
  window.fetch = (address, how) => {
    if (!String(address).includes('/sync/v1/outbox')) return real(address, how);
    window.isSending = true;
    return new Promise(() => 0);
  };
}"""
# another tab takes the lease over while this one posts, and a second record comes meanwhile
TAKEN_OVER = """{
  const real = fetch;
  window.posted = [];
  window.fetch = async (address, how) => {
    if (!String(address).includes('/sync/v1/outbox')) return real(address, how);
    posted.push(performance.now());
    if (posted.length > 1) return real(address, how);
    const { add, all, canonical, open, uuid7 } = await module('outbox.js');
    const [first] = await all();
    const id = uuid7();
    await add({ ...first, id, body: canonical({ ...JSON.parse(first.body), id }) }, 'none');
    const meta = (await open()).transaction('meta', 'readwrite').objectStore('meta');
    meta.put({ me: 1, until: Date.now() + 4000 }, 'lease');
    await new Promise((resolve) => { meta.transaction.oncomplete = resolve; });
    return new Response('{}', { status: 413, headers: { 'X-Collector': '1' } });
  };
}"""
NO_ANSWERS = [
    {"status": 200, "body": "<html>Acepte los términos</html>", "content_type": "text/html"},
    {"status": 200, "body": '{"results": {}}', "headers": {"X-Collector": "1"}},
    {"status": 200, "body": '{"results": {"', "headers": {"X-Collector": "1"}},
    {"status": 302, "headers": {"Location": "http://portal.lan/"}},
    {"status": 500, "body": "{}", "headers": {"X-Collector": "1"}},
    {"status": 413, "body": "<html>413</html>"},
    {"status": 413, "body": '{"title": "Pesa demasiado."}', "headers": {"X-Collector": "1"}},
    {"status": 429, "body": "{}", "headers": {"X-Collector": "1"}},
]


def send_tarjeta(page: Page, words: str = "Falta alumbrado en la calle.") -> str:
    """Fill the form, send it, and return the record's id once the page says that it is saved."""
    fill_tarjeta(page, words)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    return str(page.get_attribute("[data-record]", "data-record"))


def said_in(node: Node, record_id: str) -> dict[str, object]:
    with reading(node.app.state.engine) as session:
        record = records.record_by_id(session, record_id)
    assert record is not None
    content: dict[str, object] = json.loads(record.body or "")
    return content


def test_no_answer_but_one_that_names_the_record_takes_it_off_the_phone(visitor: Visitor) -> None:
    page = visitor.page()
    answers: list[dict[str, Any]] = []
    given: list[int] = []

    def reply(route: Route) -> None:
        route.fulfill(**answers[-1])
        given.append(len(answers))

    page.route(OUTBOX, reply)
    ids = []
    for one in NO_ANSWERS:
        answers.append(one)
        visitor.form(page=page)
        ids.append(send_tarjeta(page))
        until(page, lambda: len(answers) in given)
    kept = entries(page)
    assert {entry["id"] for entry in kept} == set(ids)
    assert all(entry["body"] and entry["state"] in ("saved", "stopped") for entry in kept)
    page.unroute(OUTBOX)
    visitor.mine(page)
    page.click("[data-again]")
    until(page, lambda: all(held(visitor.node, record_id) for record_id in ids))


@pytest.mark.parametrize("host", HOSTS)
def test_a_full_store_keeps_the_form_on_the_screen_and_sends_to_the_node_itself(
    visit: Callable[..., Visitor], host: str
) -> None:
    visitor = visit(host, service_workers="block")  # a test cannot cut the line of a service worker
    page = visitor.page()
    visitor.devtools(page).send("Storage.overrideQuotaForOrigin", {"origin": visitor.url, "quotaSize": 400_000})
    visitor.form(page=page)
    page.evaluate(FILL_THE_STORE)
    fill_tarjeta(page, "sin espacio " * 200)
    before = counts(visitor.node)[0]
    page.route("**/static/**/htmx.min.js", lambda route: route.abort())
    go_on(page, "send")
    page.wait_for_selector("#unsaved:visible")
    assert page.is_visible("text=Todavía no está guardada") and page.is_visible("button[value=send]")
    assert not entries(page) and counts(visitor.node)[0] == before
    page.unroute("**/static/**/htmx.min.js")
    go_on(page, "send")
    page.wait_for_selector("text=Su respuesta llegó")
    assert counts(visitor.node)[0] == before + 1


def test_a_blocked_store_sends_to_the_node_at_once_and_only_once(visitor: Visitor) -> None:
    page = visitor.page()
    page.add_init_script(BLOCKED)
    visitor.form(page=page)
    before = counts(visitor.node)[0]
    fill_tarjeta(page)
    page.dblclick("button[value=send]")
    page.wait_for_selector("text=Gracias por su voz.")
    page.wait_for_timeout(300)
    assert counts(visitor.node)[0] == before + 1


def test_without_javascript_the_form_is_answered_page_by_page(visitor: Visitor, browser_without_scripts: Page) -> None:
    page = browser_without_scripts
    page.goto(f"{visitor.url}/f/tarjeta")
    before = counts(visitor.node)[0]
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector("text=Gracias por su voz.")
    assert counts(visitor.node)[0] == before + 1


@pytest.fixture
def browser_without_scripts(visitor: Visitor) -> Page:
    """A tab of a browser that runs no scripts."""
    browser = visitor.context.browser
    assert browser is not None
    page = browser.new_context(java_script_enabled=False).new_page()
    return page


def test_two_clicks_and_two_enters_make_one_record(visitor: Visitor) -> None:
    before = counts(visitor.node)
    page = visitor.form()
    fill_tarjeta(page)
    page.dblclick("button[value=send]")
    page.wait_for_selector(f"text={SAVED}")
    visitor.form(page=page, fragment="#nueva")
    fill_tarjeta(page)
    page.focus("button[value=send]")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={SAVED}")
    until(page, lambda: counts(visitor.node)[0] >= before[0] + 2)
    page.wait_for_timeout(500)
    assert counts(visitor.node) == (before[0] + 2, before[1])


def test_an_open_tab_goes_on_saving_after_another_one_brought_a_newer_store(visitor: Visitor) -> None:
    old = visitor.form()
    old.fill("[name=relato]", "de una pestaña vieja")
    new = visitor.mine()
    assert (
        new.evaluate(
            """() => new Promise((resolve, reject) => {
          const request = indexedDB.open('collector', 2);
          request.onupgradeneeded = () => request.result.createObjectStore('later');
          request.onsuccess = () => { const { version } = request.result; request.result.close(); resolve(version); };
          request.onblocked = () => reject(new Error('the old tab stands in the way'));
          request.onerror = () => reject(request.error);
        })"""
        )
        == 2
    )
    old.bring_to_front()
    record_id = send_tarjeta(old, "de una pestaña vieja")
    assert [entry["id"] for entry in entries(old)] == [record_id]
    until(old, lambda: bool(held(visitor.node, record_id)))


def test_a_record_begun_with_the_old_version_is_stored_as_that_version(visitor: Visitor) -> None:
    node = visitor.node
    first = next(row.version for row in node.app.state.forms.current() if row.form_id == "usual")
    page = visitor.form("usual")
    page.fill("[name=edad]", "41")
    until_kept(page, '"41"')
    later = str(int(first) + 1)
    node.app.state.forms.install(usual_xform(later))
    quarantined = counts(node)[1]
    # the short link and the start page lead to the new version, which says what was begun with the old one
    other = visitor.page()
    other.goto(f"{visitor.url}/f/usual/{later}")
    other.wait_for_selector("text=Es de una versión anterior")
    other.click("text=Seguir la que dejó a medias")
    ready(other)
    assert other.url.startswith(f"{visitor.url}/f/usual/{first}#b=") and other.input_value("[name=edad]") == "41"
    other.close()
    fill_usual(page)
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")
    record_id = str(page.get_attribute("[data-record]", "data-record"))
    until(page, lambda: bool(held(node, record_id)))
    assert said_in(node, record_id)["version"] == first
    assert counts(node)[1] == quarantined


def test_nothing_is_said_in_the_console_and_plain_http_asks_for_nothing_it_lacks(visitor: Visitor) -> None:
    page = visitor.page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    visitor.form(page=page)
    assert page.evaluate("isSecureContext") == visitor.is_secure
    record_id = send_tarjeta(page)
    until(page, lambda: bool(held(visitor.node, record_id)))
    visitor.mine(page)
    page.wait_for_selector("text=Todo enviado")
    page.wait_for_selector("[data-health]:not([hidden])")
    page.goto(visitor.url)
    page.wait_for_timeout(300)  # what comes late would be said by now
    assert said == []


@pytest.mark.parametrize("years", [-30, 40])
def test_a_phone_with_a_wrong_clock_loses_nothing(visitor: Visitor, years: int) -> None:
    page = visitor.page()
    shift = years * 365 * 86_400_000
    page.add_init_script(
        f"""{{ const Real = Date; const shift = {shift};
        window.Date = class extends Real {{
          constructor(...given) {{ given.length ? super(...given) : super(Real.now() + shift); }}
          static now() {{ return Real.now() + shift; }}
        }}; }}"""
    )
    visitor.form(page=page)
    page.fill("[name=relato]", "a medias")
    until_kept(page, "a medias")
    page.reload()
    ready(page)
    assert page.input_value("[name=relato]") == "a medias"
    record_id = send_tarjeta(page)
    until(page, lambda: bool(held(visitor.node, record_id)))
    # the clock is set right, as phones do by themselves: what comes after must not wait for years
    right = visitor.form(fragment="#nueva")
    later_id = send_tarjeta(right)
    until(right, lambda: bool(held(visitor.node, later_id)))


def test_a_lease_of_a_clock_that_was_put_back_holds_nobody_up(visitor: Visitor) -> None:
    page = visitor.form()
    page.evaluate(
        """async () => {
          const database = await (await module('outbox.js')).open();
          const meta = database.transaction('meta', 'readwrite').objectStore('meta');
          meta.put({ me: 1, until: Date.now() + 1e12 }, 'lease');
          await new Promise((resolve) => { meta.transaction.oncomplete = resolve; });
        }"""
    )
    record_id = send_tarjeta(page)
    until(page, lambda: bool(held(visitor.node, record_id)))


def test_another_tab_sends_after_one_was_killed_while_it_sent(visitor: Visitor) -> None:
    page = visitor.page()
    page.add_init_script(NEVER_ANSWERED)
    visitor.form(page=page)
    record_id = send_tarjeta(page)
    page.wait_for_function("() => window.isSending")
    page.close()
    assert not held(visitor.node, record_id)
    other = visitor.mine()
    # at once where the browser has locks; else when the lease of 25 s is over
    until(other, lambda: bool(held(visitor.node, record_id)), 20 if visitor.is_secure else PATIENCE_SECONDS)
    other.wait_for_selector("text=Todo enviado")


def test_a_page_left_while_it_sends_does_not_hold_up_the_next_one(visitor: Visitor) -> None:
    page = visitor.form()
    page.evaluate(NEVER_ANSWERED)
    record_id = send_tarjeta(page)
    page.wait_for_function("() => window.isSending")
    visitor.mine(page)
    until(page, lambda: bool(held(visitor.node, record_id)), 20)  # less than the lease of 25 s
    page.wait_for_selector("text=Todo enviado")


def test_a_tab_whose_lease_another_one_took_over_posts_nothing_more_until_it_is_over(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit("nodo.lan")
    page = visitor.form()
    page.evaluate(TAKEN_OVER)
    send_tarjeta(page)
    until(page, lambda: len(entries(page)) == 2)
    ids = [entry["id"] for entry in entries(page)]
    until(page, lambda: all(held(visitor.node, record_id) for record_id in ids))
    first, second, *_ = page.evaluate("posted")
    assert second - first >= 4000


def test_what_is_typed_right_before_the_page_is_left_is_kept_nearly_always(visitor: Visitor) -> None:
    """No browser promises to finish what a page begins while it goes; without asking it to, it never does."""
    page = visitor.form()
    kept = 0
    for words in ("una", "una cosa", "una cosa más", "dos", "dos cosas", "tres"):
        page.fill("[name=relato]", words)
        page.reload()
        ready(page)
        kept += page.input_value("[name=relato]") == words
    assert kept >= 3


def test_pages_that_browsers_keep_know_nobody(shared: Node) -> None:
    page = httpx.get(f"{shared.url}/f/tarjeta", follow_redirects=True)
    paths = [page.url.path, f"{page.url.path}/form.json", "/mis-respuestas", "/offline", "/sw.js", "/f/tarjeta"]
    paths += [link for link in page.text.split('"') if link.startswith("/static/")]
    for path in paths:
        answer = httpx.get(shared.url + path, headers={"Cookie": "lang=en; collector_pin=x"})
        assert "max-age=" in answer.headers["cache-control"], path
        assert "cookie" not in answer.headers.get("vary", "").lower(), path
        assert "set-cookie" not in answer.headers, path


def test_drafts_and_answers_of_one_origin_are_not_seen_by_another(visit: Callable[..., Visitor]) -> None:
    secure, plain = visit("localhost"), visit("nodo.lan")
    page = secure.form()
    page.fill("[name=relato]", "de aquí")
    until(page, lambda: len(drafts(page)) == 1)
    assert drafts(plain.form()) == []
