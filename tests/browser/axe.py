"""What axe finds in a page, as lines for an assertion."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

HAS_AXE = "() => 'axe' in window"
# without `runOnly`: WCAG 2.0 to 2.2 at A and AA, and what axe counts as good practice; it takes 0.4 s of a page
RUN = "(given) => axe.run(document, { resultTypes: ['violations'], ...given })"
ABOUT_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, state: str) -> list[str]:
    """Return what axe finds in the page as it is: state, rule, and where."""
    return _found_by(page, state, {})


def bad_colours(page: Page, state: str) -> list[str]:
    """Return what axe finds in the colours of the page: enough where they alone differ from what `violations` saw."""
    return _found_by(page, state, {"runOnly": ABOUT_COLOURS})


def _found_by(page: Page, state: str, given: dict[str, Any]) -> list[str]:
    if not page.evaluate(HAS_AXE):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(RUN, given)["violations"]
    return [
        f"{state}: {each['id']}: {', '.join(str(node['target']) for node in each['nodes'][:4])}: {each['help']}"
        for each in found
    ]
