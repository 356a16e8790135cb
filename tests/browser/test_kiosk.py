"""A tablet that goes from hand to hand: nobody meets what the one before answered, and nothing sent is lost."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from pyxform.xls2xform import convert

from collector import people
from collector.db import reading, writing
from collector.settings import Settings
from tests.browser.conftest import Phone, fill_tarjeta, go_on, ready, until, until_kept
from tests.conftest import Node, serve
from tests.stored import stored_records

ORIGINS = ("localhost", "nodo.lan")
PIN = "2580"
IN_STORE = """async () => {
  const outbox = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'));
  const database = await outbox.open();
  const drafts = database.transaction('drafts').objectStore('drafts').getAll();
  await new Promise((resolve) => { drafts.onsuccess = resolve; });
  const codes = (await outbox.all()).map((one) => one.code || '');
  return { drafts: drafts.result.map((draft) => JSON.stringify(draft)), codes };
}"""


# nothing of a person stands anywhere else that outlives a page
ELSEWHERE = """async () => {
  const kept = [JSON.stringify({ ...localStorage, ...sessionStorage }), window.name, JSON.stringify(history.state)];
  for (const name of self.caches ? await caches.keys() : []) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) kept.push(request.url, await (await cache.match(request)).text());
  }
  return kept.join();
}"""
PHOTO_FORM = """
| survey   |            |         |                  |
|          | type       | name    | label            |
|          | image      | foto    | Una foto         |
|          | text       | relato  | ¿Qué se ve?      |
| settings |            |         |                  |
|          | form_title | form_id | version          |
|          | Con foto   | confoto | 1                |
"""
FILES_KEPT = """async () => {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes('collector-files')) return 0;
  const address = document.querySelector('[src*="app.js"]').src.replace('app.js', 'files.js');
  return (await (await import(address)).known()).size;
}"""
# the service worker holds the page, what it names, and the survey
ALL_IS_KEPT = """async () => {
  const files = document.documentElement.outerHTML.match(/\\/static\\/[^"]+/g);
  const wanted = [location.pathname, document.querySelector('[data-survey]').dataset.survey, ...files];
  return (await Promise.all(wanted.map((path) => caches.match(path)))).every(Boolean);
}"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    """One node for what does not end it."""
    one = serve(Settings(data_dir=tmp_path_factory.mktemp("kiosk"), name="campo", sync_seconds=0))
    one.app.state.forms.install(starter_xforms["tarjeta"], "tarjeta.xlsx")
    with writing(one.app.state.engine) as session:
        people.set_pin(session, "4321")
    yield one
    one.stop()


def new_tablet(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 800, "height": 1100}, locale="es-PA")
    return context


@pytest.fixture
def tablet(browser: Browser) -> Iterator[BrowserContext]:
    """A tablet of its own, for what ends kiosk mode."""
    context = new_tablet(browser)
    yield context
    context.close()


@pytest.fixture(scope="module")
def handed(browser: Browser, node: Node) -> Iterator[Callable[[str], Page]]:
    """Give a function that returns a tablet between two people, its clock in our hands: one for each origin."""
    pages: dict[str, Page] = {}

    def give(host: str = "localhost") -> Page:
        if host in pages:
            pages[host].reload()
            neutral(pages[host])
            return pages[host]
        pages[host] = page = new_tablet(browser).new_page()
        page.clock.install()
        page.goto(f"http://{host}:{node.port}/")
        hand_over(page, node, host)
        return page

    yield give
    for page in pages.values():
        page.context.close()


def hand_over(page: Page, node: Node, host: str = "localhost", alone: bool = True, form: str = "tarjeta") -> None:
    """Open kiosk mode and start it."""
    page.goto(f"http://{host}:{node.port}/k/{form}")
    page.wait_for_selector("text=La encuesta ya está en esta tableta")
    page.fill("#new-pin", PIN)
    page.set_checked("#alone", alone)
    page.click("text=Empezar")
    neutral(page)


def neutral(page: Page, words: str = "Soy la siguiente persona") -> None:
    page.wait_for_selector(f"[data-screen=neutral]:not([hidden]) >> text={words}")


def take(page: Page) -> Page:
    """Be the next person; returns the survey, which is used as a page is."""
    page.click("[data-begin]")
    return survey(page)


def survey(page: Page) -> Page:
    page.frame_locator("[data-frame] iframe").locator("body[data-ready]").wait_for()
    frame: Frame = next(frame for frame in page.frames if frame.parent_frame and "/f/" in frame.url)
    return cast(Page, frame)


def answer(page: Page, words: str) -> None:
    form = take(page)
    fill_tarjeta(form, words)
    go_on(form, "send")
    page.wait_for_selector("[data-screen=thanks]:not([hidden])")


def stored(node: Node) -> list[str]:
    with reading(node.app.state.engine) as session:
        return [str(json.loads(row.body or "")["answers"]["relato"]) for row in stored_records(session)]


def in_sight(page: Page) -> str:
    """Return all that any of the tab's documents holds: the HTML, and what stands in the fields."""
    fields = "() => [...document.querySelectorAll('input, textarea, select')].map((field) => field.value).join('|')"
    return "\n".join(frame.content() + str(frame.evaluate(fields)) for frame in page.frames)


@pytest.mark.parametrize("host", ORIGINS)
def test_two_people_one_after_the_other_see_nothing_of_each_other(
    node: Node, handed: Callable[[str], Page], host: str
) -> None:
    page = handed(host)
    answer(page, "Lo dijo la primera persona")
    code = page.inner_text("[data-code] b")
    assert len(code) == 16 and "Lo dijo la primera" not in in_sight(page)
    page.click("[data-done]")
    neutral(page, "La respuesta anterior está guardada y ya no se puede ver.")
    assert code not in in_sight(page)
    held = page.evaluate(IN_STORE)  # the tablet may have been round before
    assert held["drafts"] == [] and set(held["codes"]) == {""}

    form = take(page)
    assert form.input_value("[name=relato]") == ""
    form.click("[name=relato]")
    assert form.get_attribute("[name=relato]", "autocomplete") == "off"
    form.fill("[name=relato]", "De la segunda")
    go_on(form)
    page.evaluate("history.back()")
    form.wait_for_selector("[name=relato]:visible")  # "back" is a question back
    assert form.input_value("[name=relato]") == "De la segunda"
    traces = page.evaluate(ELSEWHERE)
    assert not [words for words in ("primera persona", "De la segunda", code) if words in traces]
    far = "history.go(-Math.min(9, history.length - 3))"  # as far as our pages go: the tab began with an empty one
    for step in ("history.back()", "history.back()", "history.forward()", far):
        page.evaluate(step)
        page.wait_for_timeout(150)
        assert "primera persona" not in in_sight(page)
    page.reload()
    for path in ("/mis-respuestas", "/", "/f/tarjeta", "/pasar"):
        page.goto(f"http://{host}:{node.port}{path}")
        page.wait_for_url("**/k/tarjeta/*")
        neutral(page)
        assert not [words for words in ("primera persona", "De la segunda", code) if words in in_sight(page)]
    assert take(page).input_value("[name=relato]") == ""


@pytest.mark.parametrize("host", ORIGINS)
def test_after_a_minute_without_a_touch_what_was_half_done_is_gone(handed: Callable[[str], Page], host: str) -> None:
    page = handed(host)
    form = take(page)
    form.fill("[name=relato]", "A medias")
    page.clock.run_for(39_000)
    form.fill("[name=relato]", "A medias todavía")  # a touch inside the survey counts
    page.clock.run_for(38_000)
    assert page.is_hidden("[data-warning]")
    page.clock.run_for(3_000)
    page.click("text=Sigo aquí")
    assert form.input_value("[name=relato]") == "A medias todavía" and page.is_hidden("[data-warning]")
    page.clock.run_for(90_000)  # who asked for more time gets twice as much
    assert page.is_hidden("[data-warning]")
    assert len(page.evaluate(IN_STORE)["drafts"]) == 1
    page.clock.run_for(12_000)
    assert page.is_visible("text=¿Sigue ahí?") and 0 < int(page.inner_text("[data-left]")) <= 20
    page.clock.run_for(20_000)
    neutral(page, "Lo que quedó a medias se borró")
    assert page.evaluate(IN_STORE)["drafts"] == [] and "A medias todavía" not in in_sight(page)
    assert take(page).input_value("[name=relato]") == ""


def test_a_receipt_code_that_nobody_reads_any_more_goes_by_itself(node: Node, handed: Callable[..., Page]) -> None:
    page = handed()
    answer(page, "Con código")
    code = page.inner_text("[data-code] b")
    page.clock.run_for(45_000)
    assert page.is_visible("text=Sigo aquí")
    page.clock.run_for(20_000)
    neutral(page, "La respuesta anterior está guardada")
    assert code not in in_sight(page)
    until(page, lambda: "Con código" in stored(node))
    page.clock.run_for(5_000)
    assert not any(page.evaluate(IN_STORE)["codes"])  # sending it did not put the code back


def test_the_photo_of_a_half_given_answer_goes_too(node: Node, tablet: BrowserContext) -> None:
    xform = convert(PHOTO_FORM, validate=False, file_type=".md").xform
    node.app.state.forms.install(xform)
    page = tablet.new_page()
    page.clock.install()
    hand_over(page, node, form="confoto")
    form = take(page)
    photo = Path(__file__).parent.parent.parent / "docs" / "img" / "form-360.png"
    with page.expect_file_chooser() as chosen:
        form.click("[data-i] [type=file]", force=True)
    chosen.value.set_files(photo)
    until(page, lambda: page.evaluate(FILES_KEPT) == 1)
    page.clock.run_for(95_000)
    assert page.is_visible(".turn iframe") and page.is_hidden("[data-warning]")  # a camera takes its time
    page.clock.run_for(40_000)
    neutral(page, "Lo que quedó a medias se borró")
    page.clock.run_for(70_000)
    until(page, lambda: page.evaluate(FILES_KEPT) == 0)


def test_where_the_store_is_full_the_node_takes_the_answer_and_its_code_is_shown(
    node: Node, handed: Callable[..., Page]
) -> None:
    page = handed()
    form = take(page)
    form.evaluate(
        "() => { IDBObjectStore.prototype.add = () => { throw new DOMException('', 'QuotaExceededError'); }; }"
    )
    fill_tarjeta(form, "Sin sitio")
    go_on(form, "send")
    page.wait_for_selector("[data-screen=thanks]:not([hidden])")
    assert len(page.inner_text("[data-code] b")) == 16 and "Sin sitio" in stored(node)
    page.click("[data-done]")
    neutral(page, "La respuesta anterior está guardada")
    assert page.evaluate(IN_STORE)["drafts"] == []


def test_who_stops_answering_leaves_nothing_behind(handed: Callable[..., Page]) -> None:
    page = handed()
    form = take(page)
    form.fill("[name=relato]", "Mejor no")
    page.click("[data-stop]")
    page.click("text=Seguir respondiendo")
    assert form.input_value("[name=relato]") == "Mejor no"
    page.click("[data-stop]")
    page.click("text=Borrar y dejar de responder")
    neutral(page, "Lo que quedó a medias se borró")
    page.clock.run_for(1_000)  # longer than a draft takes to be kept
    assert page.evaluate(IN_STORE)["drafts"] == []


def test_the_words_around_the_survey_follow_the_language_the_person_chose(handed: Callable[..., Page]) -> None:
    page = handed()
    form = take(page)
    form.click("[data-lang='English (en)']")
    fill_tarjeta(form, "In English")
    go_on(form, "send")
    page.wait_for_selector("text=Your answer is saved.")
    assert page.is_visible("button:has-text('Finish')") and page.is_hidden("text=Su respuesta está guardada.")
    page.click("[data-done]")
    neutral(page, "Gracias. Pase la tableta.")


def test_no_link_leads_out_of_the_survey(handed: Callable[..., Page]) -> None:
    page = handed()
    form = take(page)
    form.evaluate("""() => {
      for (const [target, address] of [['', '/mis-respuestas'], ['_top', '/'], ['_blank', '/lab']]) {
        const link = document.createElement('a');
        Object.assign(link, { href: address, target, textContent: 'fuera ' + address });
        document.querySelector('main').prepend(link);
      }
    }""")
    for address in ("/mis-respuestas", "/lab"):
        form.click(f"text=fuera {address} >> nth=0")
    form.evaluate("() => document.querySelector('a[target=_top]').dispatchEvent(new MouseEvent('click'))")
    page.wait_for_timeout(400)
    assert form.is_visible("[name=relato]") and "/k/tarjeta/" in page.url and len(page.context.pages) == 1


@pytest.mark.parametrize("host", ORIGINS)
def test_a_killed_tablet_without_a_signal_goes_on_blank_and_five_answers_arrive(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], phone: Phone, host: str
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    hand_over(page, node, host)
    if host == "localhost":
        until(page, lambda: bool(page.evaluate(ALL_IS_KEPT)))
    form = take(page)
    form.fill("[name=relato]", "A medias")
    go_on(form)
    until(page, lambda: len(page.evaluate(IN_STORE)["drafts"]) == 1)
    phone.kill()
    node.stop()

    page = phone.open()
    page.goto(f"http://{host}:{node.port}/k/tarjeta")
    neutral(page)
    assert page.evaluate(IN_STORE)["drafts"] == []
    told = [f"Persona número {number}" for number in range(5)]
    for words in told:
        neutral(page)
        answer(page, words)
        page.click("[data-done]")
    neutral(page, "Respondidas aquí: 5")
    assert page.is_visible("text=Esperan señal: 5")
    assert page.evaluate(IN_STORE) == {"drafts": [], "codes": [""] * 5}
    leave(page)
    page.click("text=Ver los envíos")
    page.wait_for_selector("h1:has-text('5 sin enviar')")
    back = serve(Settings(data_dir=node.data_dir, sync_seconds=0), node.port)
    try:
        page.wait_for_selector("text=Todo enviado")
        assert sorted(stored(back)) == told
    finally:
        back.stop()


def leave(page: Page) -> None:
    page.click("text=Salir con PIN")
    for digit in PIN:
        page.click(f"[data-key='{digit}']")
    page.click("[data-pin] .next")
    page.wait_for_selector("text=La tableta volvió con usted")


@pytest.mark.parametrize("host", ORIGINS)
def test_only_the_right_pin_leads_out_and_wrong_ones_slow_down(node: Node, tablet: BrowserContext, host: str) -> None:
    page = tablet.new_page()
    page.clock.install()
    hand_over(page, node, host)
    kept = page.evaluate("""async () => {
      const store = await import(document.querySelector('[src*="kiosk.js"]').src.replace('kiosk.js', 'kiosk-store.js'));
      return store.read();
    }""")["pin"]
    made = hashlib.pbkdf2_hmac("sha256", PIN.encode(), bytes.fromhex(kept["salt"]), kept["rounds"])
    assert kept["hash"] == made.hex() and kept["rounds"] >= 8000 and len(kept["salt"]) == 32

    page.context.route("**/*", lambda route: route.abort())  # nothing of it asks the node
    page.click("text=Salir con PIN")
    for _ in range(2):
        try_pin(page, "1111")
        assert page.is_visible("text=Ese no es el PIN. Revíselo")
    try_pin(page, "1112")
    assert page.is_visible("text=Espere 10 segundos")
    page.context.unroute("**/*")
    page.reload()  # takes no try back
    page.click("text=Salir con PIN")
    try_pin(page, PIN)
    assert page.is_visible("text=antes de intentar otra vez")
    page.clock.run_for(11_000)
    try_pin(page, "25800")
    assert page.is_visible("text=Espere 20 segundos")
    page.clock.run_for(21_000)
    try_pin(page, PIN)
    page.wait_for_selector("text=La tableta volvió con usted")
    page.goto(f"http://{host}:{node.port}/mis-respuestas")
    page.wait_for_selector("h1:visible")
    assert "/mis-respuestas" in page.url

    hand_over(page, node, host, alone=False)  # and now somebody helps with answering
    assert page.is_hidden("text=Responda a solas")
    take(page).fill("[name=relato]", "Con ayuda")
    page.clock.run_for(270_000)
    assert page.is_visible(".turn iframe") and page.is_hidden("[data-warning]")
    page.clock.run_for(40_000)
    neutral(page, "Lo que quedó a medias se borró")


def try_pin(page: Page, pin: str) -> None:
    page.fill("#pin", pin)
    page.click("[data-pin] .next")
    page.wait_for_function(
        "() => !document.querySelector('#pin').value && !document.querySelector('[data-pin] .next').disabled"
    )


def test_starting_closes_her_pages_and_what_she_had_before_is_hers_again_afterwards(
    node: Node, tablet: BrowserContext
) -> None:
    page = tablet.new_page()
    page.goto(f"{node.url}/f/tarjeta#nueva")
    ready(page)
    fill_tarjeta(page, "De la facilitadora")
    go_on(page, "send")
    page.wait_for_selector("[data-code]:not([hidden])")
    open_choice(page, node)
    assert page.is_hidden("[data-ending]")
    page.goto(f"{node.url}/f/tarjeta#nueva")
    ready(page)
    page.fill("[name=relato]", "Su borrador")
    until_kept(page, "Su borrador")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "entregar" in answer.url):
        hand_over(page, node, "127.0.0.1")
    form = take(page)
    assert form.input_value("[name=relato]") == "" and form.is_hidden("text=Dejó una respuesta a medias")
    page.reload()
    neutral(page)
    answer(page, "De otra persona")
    page.click("[data-done]")
    neutral(page)

    open_choice(page, node)  # the PIN of the tablet is forgotten: the node's ends it
    page.click("text=Terminar sin ese PIN")
    page.wait_for_selector("[data-ending]", state="hidden")
    page.goto(f"{node.url}/k/tarjeta")
    page.wait_for_selector("text=Ponga un PIN para salir")
    left = page.evaluate(IN_STORE)
    assert len(left["drafts"]) == 1 and "Su borrador" in left["drafts"][0]
    assert [len(code) for code in left["codes"]] == [16, 0]


def open_choice(page: Page, node: Node) -> None:
    page.goto(f"{node.url}/equipo/entregar-tableta")
    page.fill("#pin", "4321")
    page.click("text=Entrar")
    page.wait_for_selector("text=¿Con qué encuesta?")


def test_the_next_person_gets_the_new_version_of_the_form(
    make_node: Callable[..., Node], tablet: BrowserContext, starter_xforms: dict[str, str]
) -> None:
    node = make_node("campo")
    node.app.state.forms.install(starter_xforms["tarjeta"], "tarjeta.xlsx")
    page = tablet.new_page()
    hand_over(page, node)
    old = page.url.rpartition("/")[2]
    newer = str(int(old) + 1)
    node.app.state.forms.install(starter_xforms["tarjeta"].replace(old, newer), "tarjeta.xlsx")
    take(page)
    page.click("[data-stop]")
    page.click("[data-drop]")
    page.wait_for_url(f"**/k/tarjeta/{newer}")
    neutral(page)
    assert f"/f/tarjeta/{newer}" in take(page).url


def test_without_scripts_going_back_shows_no_code_and_no_answers(node: Node, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 800, "height": 1100}, locale="es-PA")
    page = context.new_page()
    page.goto(f"{node.url}/k/tarjeta")
    page.click("noscript button")
    fill_tarjeta(page, "Sin programas")
    go_on(page, "send")
    code = page.inner_text(".slip .code")
    page.click("a:has-text('Terminar')")
    assert page.inner_text("noscript p") == "La respuesta anterior está guardada y ya no se puede ver."
    assert "Sin programas" in stored(node)
    session = context.new_cdp_session(page)
    for entry in session.send("Page.getNavigationHistory")["entries"]:
        session.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
        page.wait_for_timeout(300)
        html = page.inner_html("html")
        assert code not in html and "Sin programas" not in html
    page.goto(f"{node.url}/k/tarjeta")
    page.click("noscript button")
    assert page.input_value("[name=relato]") == ""
    context.close()


def test_where_nothing_can_be_kept_it_says_so(node: Node, tablet: BrowserContext) -> None:
    page = tablet.new_page()
    page.add_init_script(
        "Object.defineProperty(self, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.goto(f"{node.url}/k/tarjeta")
    page.wait_for_selector("text=Aquí no hay modo de entrega")
    assert httpx.get(node.url + (page.get_attribute("[data-screen=blocked] a", "href") or "")).status_code == 200
