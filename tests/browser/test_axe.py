"""axe finds nothing on any page, in light and in dark; every target is large enough and nothing scrolls sideways."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from collector.assets import asset_dir
from tests.browser.axe import bad_colours, violations
from tests.browser.every_page import NO_PAGE, WALKS, Walk, World, all_addresses, furnished
from tests.browser.sizes import small_targets, too_wide

CSS = asset_dir("static") / "css"
DARK = re.compile(r"prefers-color-scheme[^{]*\{(.*?\})\s*\}", re.DOTALL)
ONLY_COLOURS = re.compile(r"\s*:root \{(?:\s*--[a-z0-9]+: #[0-9a-f]{3,8};)+\s*\}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[World]:
    with furnished(tmp_path_factory.mktemp("axe"), starter_xforms) as one:
        yield one


def test_every_page_of_the_project_stands_in_a_walk(world: World) -> None:
    walked = {address for addresses in WALKS.values() for address in addresses}
    existing = all_addresses()
    assert existing - walked - NO_PAGE == set()
    assert (walked | NO_PAGE) - existing == set()


def test_the_dark_changes_colours_alone() -> None:
    found = [block for sheet in CSS.glob("*.css") for block in DARK.findall(sheet.read_text(encoding="utf-8"))]
    assert len(found) >= 2
    assert [block for block in found if not ONLY_COLOURS.fullmatch(block)] == []
    scripts_and_pages = [*CSS.parent.glob("js/**/*.js"), *asset_dir("templates").rglob("*.html")]
    assert [file.name for file in scripts_and_pages if "color-scheme:" in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_axe_finds_nothing(world: World, browser: Browser, walk: Walk, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    found: list[str] = []
    for state in walk(page, world):
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        found += violations(page, f"{state} light")
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        found += bad_colours(page, f"{state} dark")
        found += [f"{state}: {each}" for each in too_wide(page)]
        if "/lab" not in page.url:  # people of the lab sit at a desk: 24 px, which axe asks
            found += [f"{state}: {each}" for each in small_targets(page)]
    context.close()
    assert not found
