"""Draw the icons of the installed program from static/favicon.svg with Chromium: python tools/make_icons.py

icon-192.png and icon-512.png as they are; maskable-512.png with the mark inside the middle four fifths: phones
cut their own shape out of it.
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS, find_chromium  # noqa: E402

ICONS = ROOT / "static" / "icons"
PAGE = "<style>body{margin:0;background:%s}svg{display:block;width:%dpx;padding:%dpx}</style>%s"


def main() -> None:
    """Write the three files."""
    drawing = (ROOT / "static" / "favicon.svg").read_text(encoding="utf-8")
    bare = re.sub(r"<rect[^>]*/>", "", drawing)
    ICONS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(playwright), args=[*ARGUMENTS[1:], "--no-sandbox"]
        )
        for size in (192, 512):
            draw(browser, f"icon-{size}", size, PAGE % ("transparent", size, 0, drawing))
        draw(browser, "maskable-512", 512, PAGE % ("#0f3b2d", 384, 64, bare))
        browser.close()


def draw(browser: Browser, name: str, size: int, html: str) -> None:
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(html)
    page.screenshot(path=ICONS / f"{name}.png", omit_background=True)
    page.close()


main()
