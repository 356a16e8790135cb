"""People first: surveys are filled in with the keyboard alone and the finger alone, heard, read in any size."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from collector.db import reading
from collector.settings import Settings
from tests.browser.conftest import go_on, ready, until
from tests.browser.people_form import people_files, people_xform
from tests.browser.sizes import small_targets, too_wide
from tests.conftest import Node, serve
from tests.stored import stored_records

PHONE = ViewportSize(width=360, height=640)
# what has the focus: its box, whether something lies over its middle, and how its outline is drawn
FOCUS = """() => {
  const element = document.activeElement;
  const drawn = element.matches('.opt input') ? element.nextElementSibling : element;
  const { top, bottom, left, right } = drawn.getBoundingClientRect();
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const style = getComputedStyle(drawn);
  return {
    name: element.name || element.className || element.tagName, value: element.value || '', type: element.type || '',
    hidden: !(over && (drawn.contains(over) || over.contains(drawn) || element === over)),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""

ONLY = "(at) => document.querySelectorAll('.page').forEach((one, n) => { one.hidden = n !== at; })"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    one = serve(Settings(data_dir=tmp_path_factory.mktemp("people"), name="Escuela", sync_seconds=0))
    one.app.state.forms.install(people_xform(), files=people_files())
    one.app.state.forms.install(starter_xforms["confianza"])
    yield one
    one.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    one = browser.new_context(viewport=PHONE, locale="es-PA", has_touch=True)
    yield one
    one.close()


def open_form(
    context: BrowserContext, node: Node, form: str = "fuentes", host: str = "localhost", page: Page | None = None
) -> Page:
    page = page or context.new_page()
    page.goto(f"http://{host}:{node.port}/f/{form}")
    ready(page)
    return page


def answers(node: Node) -> list[dict[str, Any]]:
    with reading(node.app.state.engine) as session:
        return [json.loads(row.body or "{}")["answers"] for row in stored_records(session)]


def shown(page: Page) -> str:
    """Return the name of the first control of the page in sight."""
    return str(page.evaluate("() => document.querySelector('.page:not([hidden]) [name]').name"))


# --- with the keyboard alone


class Keyboard:
    """Moves with Tab and arrows only, and checks at every stop that the focus can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> dict[str, Any]:
        for key in keys:
            self.page.keyboard.press(key)
        self.page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        found: dict[str, Any] = self.page.evaluate(FOCUS)
        return found

    def go_to(self, name: str, value: str = "") -> None:
        """Press Tab until the control has the focus."""
        for _ in range(40):
            found = self.press("Tab")
            assert found["ring"] and not found["hidden"], found
            if found["name"] == name and (not value or found["value"] == value):
                return
        raise AssertionError(f"{name} {value} was never reached")

    def go_on(self, button: str = "next") -> None:
        self.go_to("_go", button)
        self.press("Enter")


def test_a_survey_is_filled_in_with_the_keyboard_alone(node: Node, context: BrowserContext) -> None:
    before = len(answers(node))
    page = open_form(context, node)
    keys = Keyboard(page)
    keys.go_on()  # nothing chosen: the error takes the focus, its link leads to the question
    assert page.evaluate("() => document.activeElement.id") == "trouble"
    assert "Falta una respuesta" in page.inner_text("#trouble")
    assert page.locator("#trouble a").get_attribute("href") == "#q-0"
    keys.go_to("btn hear")
    keys.go_to("agua", "pozo")
    keys.press("Space", "ArrowDown")
    keys.go_on()
    keys.go_to("otras", "rio")
    keys.press("Space")
    keys.go_on()
    keys.go_to("confia")
    keys.press("Space", *["ArrowRight"] * 7)
    assert page.inner_text("[data-echo] b") == "Usted marcó 7 de 10"
    keys.go_on()
    for place in range(4):
        keys.go_to("orden")
        keys.press(*["ArrowDown"] * (place + 1))
    keys.go_on()
    keys.go_to("nota")
    keys.press("Space", "ArrowRight")
    keys.go_on()
    keys.go_to("gasto")
    page.keyboard.type("25")
    keys.go_on()
    keys.go_on("back")
    assert page.input_value("#a-5") == "25"
    keys.go_on()
    keys.go_on()  # the recording
    keys.go_on()  # the place
    page.wait_for_selector("[data-add]:visible")
    if not page.locator("[data-row]:visible").count():
        keys.go_to("_go", "add:persona")
        keys.press("Enter")
    keys.go_to("persona[1]/nombre")
    page.keyboard.type("Ana")
    keys.go_to("persona[1]/edad")
    page.keyboard.type("40")
    keys.go_on("send")
    page.wait_for_selector("section.thanks")
    until(page, lambda: len(answers(node)) > before)
    (given,) = answers(node)[before:]
    assert (given["agua"], given["otras"], given["confia"], given["nota"], given["gasto"]) == (
        "rio",
        "rio",
        "7",
        "1",
        "25",
    )
    assert given["orden"].split() == ["pozo", "rio", "tubo", "ns"]
    assert given["persona"] == [{"nombre": "Ana", "edad": "40"}]


# --- with the finger alone


def tap(page: Page, selector: str) -> None:
    """Tap it; the target must be large enough and nothing may lie over it."""
    page.locator(selector).first.tap()


def test_a_survey_is_filled_in_by_taps_alone(node: Node, context: BrowserContext) -> None:
    before = len(answers(node))
    page = open_form(context, node)
    small: list[str] = []

    def next_page(button: str = "next") -> None:
        small.extend(small_targets(page))
        tap(page, f"button[name=_go][value={button}]:visible")

    tap(page, ".say:has([value=rio]) .opt")
    next_page()
    tap(page, ".opt:has([value=pozo]):visible")
    next_page()
    tap(page, ".opt:has([value='10']):visible")
    next_page()
    for place, name in enumerate(("rio", "pozo", "tubo", "ns")):
        page.locator("select[name=orden]").nth(place).select_option(name)  # the phone's own list opens over the page
    next_page()
    tap(page, ".steps .opt:has([value='4'])")
    next_page()
    box = page.locator("[data-slide]:visible").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    next_page()
    next_page()
    next_page()
    if not page.locator("[data-row]:visible").count():
        tap(page, "[data-add]:visible")
    tap(page, "[data-add]:visible")
    assert page.locator("[data-row]:visible").count() == 2
    tap(page, "[data-row]:visible >> nth=1 >> [data-remove]")
    page.locator("[name='persona[1]/nombre']").tap()
    page.keyboard.insert_text("Beto")
    next_page("send")
    page.wait_for_selector("section.thanks")
    until(page, lambda: len(answers(node)) > before)
    (given,) = answers(node)[before:]
    assert (given["agua"], given["otras"], given["confia"], given["nota"]) == ("rio", "pozo", "10", "4")
    assert given["orden"] == "rio pozo tubo ns" and 240 <= int(given["gasto"]) <= 260
    assert given["persona"] == [{"nombre": "Beto"}]
    assert not small


# --- hearing

PLAYERS = """{
  const Real = Audio;
  window.players = [];
  window.Audio = function () {
    const made = new Real();
    players.push(made);
    return made;
  };
}"""
HEARD = "performance.getEntriesByType('resource').filter((one) => /media/.test(one.name)).length"
KEPT = "async () => navigator.serviceWorker.controller ? (await (await caches.open('media')).keys()).length : 0"


def test_hearing_an_option_never_chooses_it_and_one_sound_speaks_at_a_time(node: Node, context: BrowserContext) -> None:
    page = context.new_page()
    page.add_init_script(PLAYERS)
    open_form(context, node, page=page)
    round_button = page.locator("#q-0 .audio >> nth=0")
    box = round_button.bounding_box()
    assert box and (box["width"], box["height"]) == (48, 48)
    assert round_button.get_attribute("aria-label") == "Escuchar: Pozo"
    round_button.tap()
    page.wait_for_selector(".say:has([value=pozo]) .speaking")
    assert not page.is_checked("[name=agua][value=pozo]")
    page.locator(".hear:visible").tap()
    page.wait_for_selector("legend.speaking")
    assert page.locator(".speaking").count() == 1
    playing = "players.filter((player) => !player.paused && player.duration > 0)"  # NaN until the file is read
    until(page, lambda: page.evaluate(playing + ".length") == 1)
    page.evaluate(playing + ".forEach((player) => { player.currentTime = player.duration - 0.1; })")
    page.wait_for_selector(".speaking", state="detached")  # it came to its end
    assert page.inner_text(".hear:visible") == "Escuchar"
    page.locator(".hear:visible").tap()  # and again
    page.wait_for_selector("legend.speaking")
    page.locator(".hear:visible").tap()
    page.wait_for_selector(".speaking", state="detached")
    assert not page.evaluate("players.some((player) => player.ended)"), "the second tap stops it"
    tap(page, ".say:has([value=pozo]) .opt")
    assert page.is_checked("[name=agua][value=pozo]")


@pytest.mark.parametrize("host", ["localhost", "nodo.lan"])
def test_what_is_heard_is_there_without_a_signal(node: Node, context: BrowserContext, host: str) -> None:
    page = open_form(context, node, host=host)
    kept = KEPT if host == "localhost" else "() => " + HEARD
    until(page, lambda: page.evaluate(kept) >= 7)
    context.set_offline(True)
    page.locator("#q-0 .say:has([value=rio]) .audio").tap()
    page.wait_for_selector("#q-0 .say:has([value=rio]) .speaking")
    assert not page.locator(".unheard").count()
    context.set_offline(False)


def test_without_scripts_every_sound_has_a_player_beside_its_option(node: Node, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"http://localhost:{node.port}/f/fuentes")
    assert page.locator(".page:not([hidden]) audio[controls]:visible").count() == 3
    assert page.locator(".opt audio").count() == 0
    page.click("button[value=next]")
    assert page.inner_text("#trouble a").startswith("Falta una respuesta")
    page.check("[name=agua][value=rio]")
    page.click("button[value=next]")
    page.click("button[value=back]")
    assert page.is_checked("[name=agua][value=rio]")
    context.close()


# --- scales, sizes, languages


@pytest.mark.parametrize(("width", "rows"), [(320, 2), (360, 2), (768, 1)])
def test_the_eleven_faces_stand_in_two_rows_on_a_phone_and_in_one_on_a_tablet(
    node: Node, browser: Browser, width: int, rows: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, locale="es-PA")
    page = open_form(context, node)
    page.check("[name=agua][value=rio]")
    go_on(page)
    go_on(page)
    tops = page.evaluate("() => [...document.querySelectorAll('.scale .opt')].map((one) => one.offsetTop)")
    counts = [tops.count(top) for top in sorted(set(tops))]
    assert counts == ([6, 5] if rows == 2 else [11])
    assert page.inner_text("[data-echo]") == "Toque una cara"
    page.check("[name=confia][value='0']")
    assert page.inner_text("[data-echo]") == "Usted marcó 0 de 10"
    page.click("[data-lang^=English]")
    assert page.inner_text("[data-echo]") == "You chose 0 out of 10"
    context.close()


def test_a_text_that_nobody_has_translated_says_its_own_language(node: Node, context: BrowserContext) -> None:
    page = open_form(context, node)
    page.click("[data-lang^=Ng]")
    assert page.get_attribute("html", "lang") == "gym"
    legend = page.locator("#q-0 legend")
    assert legend.inner_text() == "Ñö ngwarbe: ä ö ü ñ" and legend.get_attribute("lang") is None
    page.wait_for_selector("#q-0 .opt b[lang=es]:has-text('Pozo')")
    assert page.get_attribute("[name=_go][value=next] span", "lang") == "es"
    page.click("[data-lang^=English]")
    page.wait_for_selector("#q-0 .opt b:not([lang]):has-text('Well')")


@pytest.mark.parametrize("form", ["fuentes", "confianza"])
def test_no_page_of_a_survey_scrolls_sideways_at_320_pixels_and_at_200_percent(
    node: Node, browser: Browser, form: str
) -> None:
    context = browser.new_context(viewport=PHONE, locale="es-PA")
    page = open_form(context, node, form)
    wide: list[tuple[int, str]] = []
    for number in range(page.locator(".page").count()):
        page.evaluate(
            "(at) => document.querySelectorAll('.page').forEach((one, n) => { one.hidden = n !== at; })", number
        )
        wide += [(number, each) for each in too_wide(page)]
    context.close()
    assert not wide


def test_the_survey_prints_every_question(node: Node, context: BrowserContext, tmp_path: Path) -> None:
    page = open_form(context, node)
    page.emulate_media(media="print")
    assert page.locator(".page:visible").count() == page.locator(".page").count()
    assert not page.locator(".foot:visible").count()
