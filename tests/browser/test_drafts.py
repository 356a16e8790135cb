"""Drafts and "Mis respuestas": several at a time, gone on with or thrown away; each record with what can be done."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import fill_tarjeta, go_on, ready, until
from tests.browser.origins import OUTBOX, SAVED, Visitor, drafts, entries, held, shared, visit, visitor
from tests.browser.test_every_origin import send_tarjeta
from tests.conftest import Node

__all__ = ["shared", "visit", "visitor"]
GO_ON = "text=Seguir la que dejó a medias"


def begin(visitor: Visitor, words: str, page: Page | None = None) -> Page:
    """Begin a form in its own draft."""
    page = visitor.form(page=page, fragment="#nueva")
    page.fill("[name=relato]", words)
    until(page, lambda: any(words in draft["raw"] for draft in drafts(page)))
    return page


def test_nothing_is_kept_of_a_form_that_was_only_looked_at(visitor: Visitor) -> None:
    page = visitor.form()
    visitor.form(page=page)
    assert drafts(page) == [] and "#" not in page.url


def test_several_drafts_of_a_form_stand_side_by_side(visitor: Visitor) -> None:
    page = begin(visitor, "la primera")
    begin(visitor, "la segunda", page)
    assert "#b=" in page.url
    page.reload()  # the address names the draft
    ready(page)
    assert page.input_value("[name=relato]") == "la segunda"
    page.goto(f"{visitor.url}/f/tarjeta")
    page.wait_for_selector(GO_ON)
    assert page.locator("[data-go]").count() == 2
    assert page.is_visible("text=Pregunta 1 de 3") and not page.is_visible("[name=relato]")
    page.click("[data-go] >> nth=1")  # the newest stands first
    ready(page)
    assert page.input_value("[name=relato]") == "la primera"
    page.goto(f"{visitor.url}/f/tarjeta")
    page.click("text=Empezar otra")
    ready(page)
    assert page.input_value("[name=relato]") == "" and len(drafts(page)) == 2
    record_id = send_tarjeta(page, "la tercera")
    assert "#" not in page.url and len(drafts(page)) == 2
    until(page, lambda: bool(held(visitor.node, record_id)))


def test_two_tabs_of_a_form_have_a_draft_each(visitor: Visitor) -> None:
    one, other = begin(visitor, "una"), begin(visitor, "otra")
    ids = {send_tarjeta(one, "una"), send_tarjeta(other, "otra")}
    assert len(ids) == 2 and drafts(one) == []
    until(other, lambda: all(held(visitor.node, record_id) for record_id in ids))


def test_the_start_page_leads_back_and_a_draft_can_be_thrown_away(visitor: Visitor) -> None:
    page = begin(visitor, "a medias")
    page.goto(visitor.url)
    page.click(GO_ON)
    ready(page)
    assert page.input_value("[name=relato]") == "a medias"
    page.goto(visitor.url)
    asked: list[str] = []

    def answer(yes: bool) -> None:
        page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept() if yes else dialog.dismiss()))

    answer(False)
    page.click("[data-drop]")
    assert page.is_visible(GO_ON)
    answer(True)
    page.click("[data-drop]")
    page.wait_for_selector("[data-drafts]", state="hidden")
    assert len(asked) == 2 and "¿Descartar" in asked[0] and drafts(page) == []
    visitor.form(page=page)  # nothing to choose from
    assert page.input_value("[name=relato]") == ""


def test_the_last_draft_thrown_away_before_a_form_begins_a_new_one(visitor: Visitor) -> None:
    page = begin(visitor, "a medias")
    page.goto(f"{visitor.url}/f/tarjeta")
    page.wait_for_selector(GO_ON)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[data-drop]")
    ready(page)
    assert page.input_value("[name=relato]") == ""


def test_a_draft_of_an_earlier_release_is_gone_on_with(visitor: Visitor) -> None:
    page = visitor.form()
    version = page.url.rpartition("/")[2]
    page.evaluate(
        """async (version) => {
          const { putDraft, uuid7, isoLocal } = await module('outbox.js');
          const record = { id: uuid7(), started: isoLocal(new Date()) };
          await putDraft('tarjeta ' + version, { record, raw: ['', 'de antes'], page: 0, lang: 'Español (es)' });
        }""",
        version,
    )
    raw = page.evaluate(
        "async () => (await (await fetch(document.querySelector('form').action + '/form.json')).json()).nodes"
    )
    place = next(n for n, node in enumerate(raw) if node["k"] == "relato")
    page.evaluate(
        """async ([version, place]) => {
          const { drafts, putDraft } = await module('outbox.js');
          const [{ key, record }] = await drafts();
          const lang = document.querySelector('[name=_language]').value;
          const raw = Array(place + 1).fill('');
          raw[place] = 'de antes';
          await putDraft(key, { record, raw, page: 0, lang });
        }""",
        [version, place],
    )
    page.goto(visitor.url)
    page.click(GO_ON)
    ready(page)
    assert page.input_value("[name=relato]") == "de antes"
    send_tarjeta(page, "de antes")
    assert drafts(page) == []


# --- "Mis respuestas"


def open_line(page: Page) -> None:
    page.click("[data-outbox] summary")


def test_a_waiting_answer_can_be_sent_now_or_saved_and_goes_only_when_central_has_it(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page()
    page.route("**/sync/v1/**", lambda route: route.abort())
    visitor.form(page=page)
    record_id = send_tarjeta(page)
    begin(visitor, "a medias", page)
    visitor.mine(page)
    page.wait_for_selector("h1:has-text('1 sin enviar')")
    page.wait_for_selector("text=Sin señal del equipo")
    assert page.is_visible(GO_ON)
    open_line(page)
    assert not page.is_visible("[data-remove]")
    with page.expect_download() as waiting:
        page.click("text=Guardar esta en un archivo")
    assert json.loads(Path(waiting.value.path()).read_text())["id"] == record_id
    page.unroute("**/sync/v1/**")
    page.click("text=Enviar ahora esta")
    page.wait_for_selector("h1:has-text('Todo enviado')")
    assert held(visitor.node, record_id) and entries(page)[0]["state"] == "central"
    # central is asked once more before the line goes
    page.route("**/receipts/ask", lambda route: route.abort(), times=1)
    page.click("text=Quitar de la lista")
    page.wait_for_selector("text=Ahora no se puede preguntar")
    page.route("**/receipts/ask", answer_nothing, times=1)
    page.click("text=Quitar de la lista")
    page.wait_for_selector("text=Central todavía no la tiene")
    assert len(entries(page)) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("text=Quitar de la lista")
    page.wait_for_selector("text=Aquí verá sus respuestas")
    assert entries(page) == []


def answer_nothing(route: Route) -> None:
    route.fulfill(status=200, body='{"central": {}, "held": [], "erased": []}', headers={"X-Collector": "1"})


def test_what_a_node_refuses_again_and_again_stops_with_its_reason_and_is_sent_when_asked(visitor: Visitor) -> None:
    page = visitor.page()
    refusal = {"status": 413, "body": '{"title": "Pesa 9 MB; el límite es 8."}', "headers": {"X-Collector": "1"}}
    page.route(OUTBOX, lambda route: route.fulfill(**refusal))  # type: ignore[arg-type]
    visitor.form(page=page)
    record_id = send_tarjeta(page)
    visitor.mine(page)
    page.wait_for_selector("text=Una respuesta necesita ayuda")
    assert page.is_visible("text=Pesa 9 MB; el límite es 8.") and page.is_visible("text=detenida")
    page.unroute(OUTBOX)
    page.click("[data-again]")
    page.wait_for_selector("h1:has-text('Todo enviado')")
    assert held(visitor.node, record_id)


def test_the_page_says_how_safe_answers_are_here(visitor: Visitor) -> None:
    page = visitor.mine()
    assert facts(page) == ({"loose", "normal", "room"} if visitor.is_secure else {"unknown", "normal", "http"})
    if visitor.is_secure:
        assert float(page.inner_text("[data-mb=left]").replace(",", "")) > 1
        page.click("text=Pedirle que no las borre")
        page.wait_for_selector("text=El navegador dijo que no")


def facts(page: Page) -> set[str]:
    """Return which sentences about the store stand on the page."""
    page.wait_for_selector("[data-health]:not([hidden])")
    return set(
        page.eval_on_selector_all("[data-if]", "all => all.filter((one) => !one.hidden).map((one) => one.dataset.if)")
    )


@pytest.mark.parametrize(
    ("sign", "fact"),
    [
        # Firefox and Safari in a private window; the room of an older Chromium there; little room anywhere; an iPhone
        ("StorageManager.prototype.getDirectory = () => Promise.reject(new Error('private'));"
         "Object.defineProperty(performance, 'memory', { value: undefined });", "private"),
        ("StorageManager.prototype.estimate = async () => ({ usage: 0, quota: 1e9 });", "private"),
        ("StorageManager.prototype.estimate = async () => ({ usage: 9e10, quota: 9e10 + 1e7 });", "little"),
        ("Object.defineProperty(navigator, 'userAgent', { value: 'iPhone AppleWebKit/605.1 Safari/604.1' });", "week"),
        ("StorageManager.prototype.persisted = async () => true;", "kept"),
    ],
)  # fmt: skip
def test_the_page_knows_the_signs_of_a_store_that_forgets(visit: Callable[..., Visitor], sign: str, fact: str) -> None:
    visitor = visit("localhost", service_workers="block")
    page = visitor.page()
    page.add_init_script(sign)
    visitor.mine(page)
    assert fact in facts(page)


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_fits_every_width(visit: Callable[..., Visitor], shared: Node, width: int) -> None:
    visitor = visit("nodo.lan")
    page = begin(visitor, "a medias")
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/f/tarjeta", "/", "/mis-respuestas"):
        page.goto(visitor.url + path)
        page.wait_for_selector(GO_ON)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = "all => all.filter((one) => one.offsetHeight && one.offsetHeight < 48).map((one) => one.outerHTML)"
        assert page.eval_on_selector_all("main .btn, main summary", small) == [], path


def test_a_draft_begun_before_the_scripts_were_there_is_kept(visitor: Visitor) -> None:
    page = visitor.page()
    page.route("**/js/fill.js", lambda route: (page.fill("[name=relato]", "temprano"), route.continue_()))
    page.goto(f"{visitor.url}/f/tarjeta")
    ready(page)
    page.unroute("**/js/fill.js")
    assert page.input_value("[name=relato]") == "temprano"
    go_on(page)
    until(page, lambda: any("temprano" in draft["raw"] for draft in drafts(page)))
    page.reload()
    ready(page)
    assert page.is_visible("text=Pregunta 2 de 3")
    go_on(page, "back")
    fill_tarjeta(page, "temprano")
    go_on(page, "send")
    page.wait_for_selector(f"text={SAVED}")


def test_who_goes_on_before_the_scripts_are_there_waits_for_them_and_posts_nothing(visitor: Visitor) -> None:
    page = visitor.page()
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)

    def press_first(route: Route) -> None:
        page.wait_for_selector("script[src*='app.js']", state="attached")
        page.evaluate("async () => { await module('app.js'); }")  # it has run
        page.fill("[name=relato]", "temprano")
        page.click("button[value=next]", no_wait_after=True)
        route.continue_()

    page.route("**/js/fill.js", press_first, times=1)
    page.goto(f"{visitor.url}/f/tarjeta", wait_until="commit")
    ready(page)
    page.wait_for_selector("text=Pregunta 2 de 3")
    assert posted == [] and any("temprano" in draft["raw"] for draft in drafts(page))
