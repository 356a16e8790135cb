"""How large what one taps is, and whether a page is wider than its screen: asked of the page itself."""

from playwright.sync_api import Page

# links within a sentence may be small (WCAG 2.5.8); an option is as large as its row
SMALL = """(least) => [...document.querySelectorAll('a, button, input, select, textarea, summary, audio[controls]')]
  .filter((one) => one.checkVisibility() && one.type !== 'hidden' && !one.matches('.skip'))
  .map((one) => (one.closest('.opt') && one.matches('input') ? one.closest('.opt') : one))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.width && (box.width < least - .5 || box.height < least - .5))
  .filter(([one]) => !(one.matches('a') && getComputedStyle(one).display === 'inline'))
  .map(([one, box]) => `${one.tagName}.${one.className} «${(one.textContent || one.name).trim().slice(0, 30)}» `
    + `${Math.round(box.width)}x${Math.round(box.height)}`)"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LARGE_TEXT = "(share) => { document.documentElement.style.fontSize = share; }"


def small_targets(page: Page, least: int = 44) -> list[str]:
    """Return what can be tapped now and is smaller than `least` pixels either way."""
    found: list[str] = page.evaluate(SMALL, least)
    return found


def too_wide(page: Page) -> list[str]:
    """Return at which width, or with which text, the page scrolls sideways: a small phone, text twice as large."""
    size = page.viewport_size
    found = []
    for width, share in ((320, ""), (360, "225%")):  # 225 %: twice the 18 px of a citizen's page
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate(LARGE_TEXT, share)
        over = page.evaluate(WIDER)
        if over > 0:
            found.append(f"{width} px {share or '100%'}: {over} px too wide")
    page.evaluate(LARGE_TEXT, "")
    if size:
        page.set_viewport_size(size)
    return found
