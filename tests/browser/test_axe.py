"""axe finds nothing on any page, in light and in dark; every target is large enough and nothing scrolls sideways."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.browser.every_page import NO_PAGE, WALKS, Walk, World, addresses_of, furnished
from tests.browser.sizes import small_targets, too_wide

# WCAG 2.0 to 2.2 at A and AA, and what axe counts as good practice
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[World]:
    with furnished(tmp_path_factory.mktemp("axe"), starter_xforms) as one:
        yield one


def test_every_page_of_the_project_stands_in_a_walk(world: World) -> None:
    walked = {address for addresses in WALKS.values() for address in addresses}
    existing = addresses_of(world.central.app)
    assert existing - walked - NO_PAGE == set()
    assert (walked | NO_PAGE) - existing == set()


def violations(page: Page, state: str) -> list[str]:
    """Return what axe finds in the page as it is: state, rule, and where."""
    page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(RUN)["violations"]
    return [
        f"{state}: {each['id']}: {', '.join(str(node['target']) for node in each['nodes'][:4])}: {each['help']}"
        for each in found
    ]


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_axe_finds_nothing(world: World, browser: Browser, walk: Walk, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    found: list[str] = []
    for state in walk(page, world):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += violations(page, f"{state} {scheme}")
        found += [f"{state}: {each}" for each in too_wide(page)]
        if "/lab" not in page.url:  # people of the lab sit at a desk: 24 px, which axe asks
            found += [f"{state}: {each}" for each in small_targets(page)]
    context.close()
    assert not found
