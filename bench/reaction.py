"""How long the page of a large form needs for one answer, in Chromium with its CPU slowed down six times."""

from playwright.sync_api import Page, sync_playwright

from bench.node import Node
from bench.report import Bar, Row
from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.forms.big_form import big_xform

SLOWER = 6
ANSWERS = 60
AT_MOST = Bar(most=50, unit=" ms")
# an answer as people give it: the event, everything the page does for it, and the layout that follows
MEASURE = """(count) => {
  const spent = [];
  for (let n = 0; n < count; n++) {
    const field = document.querySelector(`[name=q${(n * 5) % 300}]`);
    field.value = String(1 + n % 3);
    const began = performance.now();
    field.dispatchEvent(new Event('input', { bubbles: true }));
    document.body.offsetHeight;
    spent.push(performance.now() - began);
  }
  return spent;
}"""


def reaction_forms() -> dict[str, str]:
    """Return the forms that are measured: one question a page; all in one page; the same with rows, by rows.js."""
    alone = big_xform()
    opened = alone.replace("<h:body>", '<h:body><group appearance="field-list">')
    together = opened.replace("</h:body>", "</group></h:body>")
    named = {"one question a page": alone, "all in one page": together, "with a repeat": big_xform("fila")}
    return {name: xform.replace('id="grande"', f'id="grande_{n}"') for n, (name, xform) in enumerate(named.items())}


def reaction_rows(node: Node) -> list[Row]:
    """Measure the forms of `reaction_forms`, which the node serves."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(playwright), args=[*ARGUMENTS[1:], "--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        rows = [_row(page, node, name, f"grande_{number}") for number, name in enumerate(reaction_forms())]
        browser.close()
    return rows


def _row(page: Page, node: Node, name: str, form_id: str) -> Row:
    page.goto(f"{node.url}/f/{form_id}")
    page.wait_for_selector("body[data-ready]", state="attached", timeout=60_000)
    spent = sorted(page.evaluate(MEASURE, ANSWERS))
    late = spent[int(len(spent) * 0.95)]
    return Row(
        name=f"answer in a form of 300 questions, {name}, CPU {SLOWER}x slower: 95 %",
        node=f"{late:.0f} ms",
        judged=late,
        bar=AT_MOST,
    )
