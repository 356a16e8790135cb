"""What a citizen waits for on 2G with a slow phone: the first question, the scripts, the thank-you; what sending costs.

Chromium, 50 kbit/s each way, 500 ms to each answer, CPU slowed down six times; 25 questions, nothing kept yet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, Request, sync_playwright

from bench.node import Node
from bench.report import Bar, Row
from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.browser.usual_answers import fill_usual
from tests.forms.usual_form import usual_xform

SLOWER = 6
BYTES_PER_SECOND = 50_000 / 8
LATENCY_MS = 500
VISITS = 3
OFFLINE_ANSWERS = 25
FIRST_QUESTION = Bar(most=3.0, unit=" s")
THANKED = Bar(most=300, unit=" ms")
FEW_REQUESTS = Bar(most=3)
# seen: the first question is painted, and answered at once, before any script is there. begun: the page itself keeps it
WATCH = """() => {
  window.moments = {};
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (name !== 'first-contentful-paint') continue;
      moments.seen = startTime;
      const field = document.querySelector('.page:not([hidden]) input');
      field.value = '41';
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
  }).observe({ type: 'paint', buffered: true });
  const look = () => {
    if (document.body && document.body.dataset.ready && !moments.begun) moments.begun = performance.now();
    if (document.querySelector('.thanks') && moments.tapped && !moments.thanked) {
      document.body.offsetHeight;
      moments.thanked = performance.now() - moments.tapped;
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  addEventListener('click', (event) => {
    if (event.target.closest('[value=send]')) moments.tapped = performance.now();
  }, true);
}"""
KEPT = """async () => {
  const outbox = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'));
  dispatchEvent(new Event('pagehide'));
  return (await outbox.drafts()).some((draft) => draft.raw.includes('41'));
}"""


def capture_xform() -> str:
    """Return the form that is measured."""
    return usual_xform()


def capture_rows(node: Node) -> list[Row]:
    """Measure the form of 25 questions, which the node serves."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(playwright), args=[*ARGUMENTS[1:], "--no-sandbox"]
        )
        visits = [_visit(browser, node) for _ in range(VISITS)]
        requests = _send_many(browser, node)
        browser.close()
    seen, begun, thanked = (median(column) for column in zip(*visits, strict=True))
    line = f"25 questions, 50 kbit/s, 500 ms, CPU {SLOWER}x slower:"
    return [
        Row(f"{line} first question can be answered", f"{seen:.1f} s", seen, FIRST_QUESTION),
        Row(f"{line} answers are kept by the page", f"{begun:.1f} s"),
        Row(f"{line} thank-you after the tap", f"{thanked:.0f} ms", thanked, THANKED),
        Row(f"{OFFLINE_ANSWERS} answers saved offline, then sent: requests", str(requests), requests, FEW_REQUESTS),
    ]


@contextmanager
def _page(browser: Browser) -> Iterator[tuple[Page, CDPSession]]:
    """Give a page of a phone that has never been here, and the means to slow it down."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page, context.new_cdp_session(page)
    context.close()


def _limit(session: CDPSession, *, offline: bool = False, slow: bool = True) -> None:
    limits = {"latency": LATENCY_MS, "downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND}
    free = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {"offline": offline, **(limits if slow else free)})


def _visit(browser: Browser, node: Node) -> tuple[float, float, float]:
    """Return the seconds to the first question and to the scripts, and the milliseconds from tap to thank-you."""
    with _page(browser) as (page, session):
        page.add_init_script(f"({WATCH})()")
        session.send("Network.enable")
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        _limit(session)
        page.goto(_address(node), wait_until="commit")
        page.wait_for_function("() => window.moments.begun")
        if not page.evaluate(KEPT):
            raise ValueError("an answer given before the scripts were there was lost")
        page.wait_for_load_state("networkidle")  # the receipt's script is there before anybody comes to the end
        fill_usual(page)
        page.click("button[value=send]")
        page.wait_for_function("() => window.moments.thanked")
        moments = page.evaluate("moments")
    return moments["seen"] / 1000, moments["begun"] / 1000, moments["thanked"]


def _send_many(browser: Browser, node: Node) -> int:
    """Answer the form again and again without a network; return how many requests bring all of it to the node."""
    with _page(browser) as (page, session):
        session.send("Network.enable")
        page.goto(_address(node))
        page.wait_for_selector("body[data-ready]", state="attached")
        page.wait_for_load_state("networkidle")
        _limit(session, offline=True, slow=False)
        for _ in range(OFFLINE_ANSWERS):
            page.goto(_address(node))
            page.wait_for_selector("body[data-ready]", state="attached")
            fill_usual(page)
            page.click("button[value=send]")
            page.wait_for_selector(".thanks")
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request) if request.method == "POST" else None)
        _limit(session, slow=False)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_selector("[data-step=sent].done")
    return len(asked)


def _address(node: Node) -> str:
    """Return the form's page as a phone on the node's Wi-Fi opens it: plain http, no service worker."""
    return f"http://nodo.lan:{node.server.port}/f/usual/1"
