"""Paper in a real browser: sheets entered by the keyboard alone, posters and sheets as they are printed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from collector import people
from collector.db import reading, writing
from collector.links import wifi_text
from collector.paper.serials import make_serial
from collector.queries import records, single_use
from collector.settings import Settings
from tests.browser.drawn import squares_on
from tests.conftest import Node, serve
from tests.paper_form import paper_xform

PIN = "482913"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    found = serve(Settings(data_dir=Path(tmp_path_factory.mktemp("papel")), name="Municipio de Soná", sync_seconds=0))
    found.app.state.forms.install(paper_xform())
    with writing(found.app.state.engine) as session:
        people.set_pin(session, PIN)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def cookie(node: Node) -> str:
    """What a facilitator's browser holds once the PIN is given."""
    with httpx.Client(base_url=node.url) as client:
        client.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"})
        return client.cookies["collector_pin"]


@pytest.fixture
def page(browser: Browser, node: Node, cookie: str) -> Iterator[Page]:
    """A page of a facilitator, of a test of its own: one changes its width; a script error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="es-PA", device_scale_factor=2)
    context.add_cookies([{"name": "collector_pin", "value": cookie, "url": node.url}])
    one = context.new_page()
    one.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    yield one
    context.close()


def type_serial(page: Page, serial: str) -> None:
    """Type a serial where the page has put the focus, and open its sheet."""
    page.wait_for_selector("#hoja:focus")
    press(page, serial, "Enter")
    page.wait_for_selector("form[data-entry] :focus")


def press(page: Page, *keys: str) -> None:
    """Press keys as fast as a machine does; a text is typed letter by letter."""
    for key in keys:
        if key in ("Enter", "Tab", "Backspace") or "+" in key:
            page.keyboard.press(key)
            continue
        for letter in key:
            press_letter(page, letter)


def press_letter(page: Page, letter: str) -> None:
    """Press the key of a letter, accents included: Playwright's own would come without a key."""
    if letter.isascii():
        page.keyboard.press("Space" if letter == " " else letter)
        return
    session = page.context.new_cdp_session(page)
    for kind in ("keyDown", "keyUp"):
        session.send(
            "Input.dispatchKeyEvent", {"type": kind, "key": letter, "text": letter if kind == "keyDown" else ""}
        )
    session.detach()


def answers_of(node: Node, serial: str) -> dict[str, object]:
    with reading(node.app.state.engine) as session:
        record = records.record_by_id(session, single_use.holder_of(session, single_use.PAPER, serial))
    assert record is not None and record.body
    content = json.loads(record.body)
    assert (content["mode"], content["paper"]) == ("paper", serial)
    found: dict[str, object] = content["answers"]
    return found


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_three_sheets_of_ten_answers_are_entered_by_the_keyboard_alone(node: Node, page: Page) -> None:
    serials = [make_serial("agua") for _ in range(3)]
    page.goto(f"{node.url}/equipo/digitar/agua")
    type_serial(page, serials[0])
    # a scale takes 7 for 7; 11 is one of twelve uses, not twice the first; 9 days make one more question appear
    press(page, "1", "Enter", "2", "Enter", "Barrio 27", "Enter", "4", "Enter", "Pozo de José", "Enter")
    press(page, "11", " ", "3", "Enter", "7", "Enter", "9", "Enter", "Se dañó la bomba", "Enter")
    press(page, "Ana", "Enter", "31", "Enter", "Enter")  # the last one adds a row
    page.wait_for_selector("[data-row='persona[2]']")
    press(page, "Luz", "Enter", "8", "Enter", "Tab", "Más tubos", "Enter", "Enter")
    page.wait_for_selector("text=guardada")
    assert answers_of(node, serials[0]) == {
        "consent/accepted": "OK", "zona": "z2", "barrio": "z2b7", "fuente": "otra", "fuente_otra": "Pozo de José",
        "usos": "u3 u11", "nota": "7", "dias": "9", "por_que": "Se dañó la bomba", "comentario": "Más tubos",
        "persona": [{"edad": "31", "nombre": "Ana"}, {"edad": "8", "nombre": "Luz"}],
    }  # fmt: skip
    # the next sheet: the field has the focus; only the nine last letters; a wrong answer is taken back
    type_serial(page, serials[1][5:].lower())
    press(page, "1", "Enter", "1", "Enter", "Barrio 1", "Enter", "4", "Backspace", "1", "Enter")
    press(page, "10112026", "Enter", "12.50", "Enter", "2", "Enter", "a", "Enter", "muchos", "Enter")
    with page.expect_navigation():  # a sheet that is sent comes back as a page of its own
        press(page, "Control+Enter")
    page.wait_for_selector(".line.bad :focus")
    press(page, "2", "Enter", "Control+Enter")
    page.wait_for_selector("#hoja:focus")
    page.wait_for_selector("text=Hoy van")
    second = answers_of(node, serials[1])
    assert second["corte"] == "2026-11-10" and second["pago"] == "12.50" and second["nota"] == "nr"
    assert second["dias"] == "2" and "fuente_otra" not in second
    # a sheet that is mostly blank, and its serial again
    type_serial(page, serials[2])
    press(page, "1", "Enter", "1", "Enter", "Enter", "a", "Control+Enter")
    page.wait_for_selector("#hoja:focus")
    page.wait_for_selector("text=Hoy van")
    assert answers_of(node, serials[2]) == {
        "consent/accepted": "OK", "zona": "z1", "fuente": "ns", "persona": [{}],
    }  # fmt: skip
    page.wait_for_selector("#hoja:focus")
    press(page, serials[2], "Enter")
    page.wait_for_selector("text=ya se digitó")


def test_a_sheet_is_entered_with_scripts_that_cannot_reach_the_node_in_between(node: Node, page: Page) -> None:
    serial = make_serial("agua")
    page.goto(f"{node.url}/equipo/digitar/agua?hoja={serial}")
    page.wait_for_selector("form[data-entry] :focus")
    page.route("**/equipo/digitar/agua", lambda route: route.abort())
    press(page, "1", "Enter", "2", "Enter", "Enter", "4", "Enter")
    assert page.evaluate("document.activeElement.closest('[data-line]') !== null")
    page.unroute("**/equipo/digitar/agua")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=ahora hay más preguntas")
    page.fill("[name=fuente_otra]", "Pozo")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=guardada")
    assert answers_of(node, serial)["fuente_otra"] == "Pozo"


def test_sheets_are_laid_out_page_by_page_each_with_its_serial(node: Node, page: Page) -> None:
    page.goto(f"{node.url}/equipo/papel/agua?n=2")
    page.click("main form button")
    page.wait_for_selector(".a4 [data-page]")
    serials = page.locator(".serial").all_inner_texts()
    numbers = page.locator("[data-page]").all_inner_texts()
    half = len(numbers) // 2
    assert half >= 2 and numbers == [f"· página {n} de {half}" for n in range(1, half + 1)] * 2
    assert serials == [serials[0]] * half + [serials[-1]] * half and serials[0] != serials[-1]
    assert squares_on(page, ".a4 >> nth=0") == [serials[0].replace("-", "")]
    heights = page.evaluate("[...document.querySelectorAll('.a4:not(.blank)')].map((page) => page.offsetHeight)")
    assert len(set(heights)) == 1, "no page is longer than the paper"
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 2 * half
    page.locator("[data-two-sided] input").check()
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 2 * (half + half % 2)


def test_sheets_print_without_scripts_too(node: Node, page: Page, browser: Browser) -> None:
    page.goto(f"{node.url}/equipo/papel/agua?n=1")
    page.click("main form button")
    page.wait_for_selector(".a4 [data-page]")
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    sheet = plain.new_page()
    sheet.goto(page.url)
    assert sheet.locator(".serial").count() == 1
    # the browser's own breaks fill a page to the edge, ours leave a little for printers
    laid_out = page.locator(".a4:not(.blank)").count()
    assert laid_out - 1 <= pages_of(sheet.pdf(prefer_css_page_size=True)) <= laid_out
    plain.close()


def test_the_printed_poster_is_one_page_and_a_camera_reads_both_squares(node: Node, page: Page) -> None:
    page.goto(f"{node.url}/equipo/cartel/agua")
    page.fill("[name=wifi]", "ENCUESTA-SONA")
    page.fill("[name=clave]", 'a;b,"c":\\')
    page.fill("[name=quien]", "Municipio de Soná y Junta Comunal de Bahía Honda, con la escuela y el centro de salud")
    page.click("main form .next")
    page.wait_for_selector(".poster")
    page.emulate_media(media="print")
    wifi, form = squares_on(page, ".poster")
    assert wifi == wifi_text("ENCUESTA-SONA", 'a;b,"c":\\')
    address = httpx.get(f"{node.url}{urlsplit(form).path}")
    assert address.headers["location"] == "/f/agua"
    foot, paper = (page.locator(each).bounding_box() for each in (".poster-foot", ".poster"))
    assert foot and paper and foot["y"] + foot["height"] <= paper["y"] + paper["height"] + 1
    page.emulate_media(media="null")
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1
    page.click("text=Ocho tarjetas por hoja")
    page.wait_for_selector(".small-card")
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_page_scrolls_sideways(node: Node, page: Page, width: int) -> None:
    serial = make_serial("agua")
    page.set_viewport_size({"width": width, "height": 800})
    paths = (
        "/e",
        "/e/BBBBB",
        "/equipo/enlaces/agua",
        "/equipo/cartel/agua",
        "/equipo/papel/agua",
        "/equipo/digitar/agua",
    )
    for path in (*paths, f"/equipo/digitar/agua?hoja={serial}"):
        page.goto(node.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = page.evaluate(
            "[...document.querySelectorAll('main a.btn, main button, main .field, main .tick')]"
            ".map((each) => each.getBoundingClientRect()).filter((box) => box.height && box.height < 44).length"
        )
        assert small == 0, path
