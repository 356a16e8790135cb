"""Repeats, places, ranks, files, large lists and texts with answers: in the page, without scripts, kept and sent."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Page

from collector.db import reading, writing
from collector.queries import blobs
from collector.settings import Settings
from tests.browser.conftest import Phone, go_on, ready, until, until_kept
from tests.browser.rich_form import faults_xform, long_xform, marked_xform, rich_xform, small_xform
from tests.conftest import Node, serve
from tests.stored import stored_records

SHOWN = "section.page:not([hidden]) "


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A node that holds the form `hogar`."""
    one = make_node("campo")
    one.app.state.forms.install(rich_xform())
    return one


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The same for all tests that send nothing: to read a form of 10,000 choices takes a busy machine its time."""
    one = serve(Settings(data_dir=tmp_path_factory.mktemp("campo"), name="campo", sync_seconds=0))
    one.app.state.forms.install(rich_xform())
    yield one
    one.stop()


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """The form's page on a phone of its own, scripts running."""
    node: Node = request.getfixturevalue("node" if "node" in request.fixturenames else "shared_node")
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    one = context.new_page()
    one.goto(f"http://localhost:{node.port}/f/hogar")
    ready(one)
    yield one
    context.close()


def has(page: Page, name: str) -> bool:
    return page.locator(f"{SHOWN}[name='{name}']").count() > 0


def go_to(page: Page, name: str) -> None:
    """Go on, answering only what must be answered, until the question is there."""
    for _ in range(30):
        if has(page, name):
            return
        if has(page, "jefe") and not page.input_value("[name=jefe]"):
            page.fill("[name=jefe]", "Ana <b>")
        if has(page, "acepta"):
            page.check("[name=acepta]")
        go_on(page)
    raise AssertionError(f"{name} never came")


def make_people(page: Page) -> None:
    """Say that two people live here, and who they are."""
    go_to(page, "cuantos")
    page.fill("[name=cuantos]", "2")
    go_on(page)
    for number, (name, age) in enumerate((("Beto", "40"), ("Caro", "3")), 1):
        page.fill(f"[name='persona[{number}]/nombre']", name)
        page.fill(f"[name='persona[{number}]/edad']", age)


def only_answers(node: Node) -> dict[str, Any]:
    with reading(node.app.state.engine) as session:
        found = stored_records(session)
    assert len(found) == 1
    assert found[0].flags == ""
    answers: dict[str, Any] = json.loads(found[0].body or "")["answers"]
    return answers


def stored(node: Node) -> int:
    with reading(node.app.state.engine) as session:
        return len(stored_records(session))


def test_texts_show_answers_as_text_and_follow_them(page: Page) -> None:
    go_to(page, "nacimiento")
    assert page.inner_text(SHOWN + ".legend") == "Ana <b>, ¿cuándo nació?"
    go_on(page, "back")
    page.fill("[name=jefe]", "Luz")
    go_on(page)
    assert page.inner_text(SHOWN + ".legend") == "Luz, ¿cuándo nació?"
    page.click("[data-lang='English (en)']")
    assert page.inner_text(SHOWN + ".legend") == "Luz, when were you born?"


def test_a_count_makes_rows_and_each_row_knows_its_own_answers(page: Page) -> None:
    make_people(page)
    labels = page.locator(SHOWN + ".legend:visible, " + SHOWN + "legend:visible").all_inner_texts()
    assert labels == ["Nombre", "¿Qué edad tiene Beto?", "¿Trabaja Beto?", "Nombre", "¿Qué edad tiene Caro?"]
    go_on(page)
    assert page.inner_text(SHOWN + ".legend") == "Suman 43 años en casa de Ana <b>"


def test_rows_come_and_go_while_what_is_typed_keeps_its_place_and_its_focus(page: Page) -> None:
    go_to(page, "compra[1]/que")
    page.fill("[name='compra[1]/que']", "pan")
    page.click(SHOWN + ".rows > [data-add] >> nth=-1")
    assert page.evaluate("document.activeElement.className") == "rowhead"
    page.fill("[name='compra[2]/que']", "sal")
    page.click(SHOWN + "[data-name='compra[2]/pago'] > [data-add]")
    page.fill("[name='compra[2]/pago[1]/monto']", "2,50")
    assert "¿Cuánto pagó por sal?" in page.inner_text(SHOWN + "section.row >> nth=-1")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click(SHOWN + "[data-remove] >> nth=0")
    assert page.input_value("[name='compra[1]/que']") == "sal"
    assert page.input_value("[name='compra[1]/pago[1]/monto']") == "2,50"
    assert page.evaluate("document.activeElement.className") == "rowhead"


def test_a_row_with_answers_is_not_taken_away_without_asking(page: Page) -> None:
    go_to(page, "compra[1]/que")
    page.fill("[name='compra[1]/que']", "pan")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click(SHOWN + "[data-remove] >> nth=0")
    assert page.input_value("[name='compra[1]/que']") == "pan"


def test_a_smaller_count_asks_before_it_takes_filled_rows(page: Page) -> None:
    make_people(page)
    go_on(page, "back")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.fill("[name=cuantos]", "1")
    page.press("[name=cuantos]", "Tab")
    until(page, lambda: page.input_value("[name=cuantos]") == "2")
    go_on(page)
    assert page.input_value("[name='persona[2]/nombre']") == "Caro"


def test_a_question_that_an_answer_needs_appears_in_the_same_page(page: Page) -> None:
    go_to(page, "tabla/agua")
    assert not page.is_visible("text=¿Por qué no llega?")
    page.check("[name='tabla/luz'][value=nada]")
    assert page.is_visible("text=¿Por qué no llega?")


def test_ten_thousand_choices_are_searched_without_accents_and_few_stand_in_the_page(page: Page) -> None:
    make_people(page)
    go_to(page, "sitio")
    assert page.locator(SHOWN + "[data-live] input").count() <= 30
    page.fill(SHOWN + "[data-find]", "nuri 9999")
    assert page.locator(SHOWN + "[data-live] .opt").all_inner_texts() == ["Ñuri 9999"]
    page.check(SHOWN + "[data-live] input")
    page.fill(SHOWN + "[data-find]", "xx")
    assert page.locator(SHOWN + "[data-live] .opt").all_inner_texts() == ["Ñuri 9999"]


def test_choices_that_are_rows_are_offered_as_they_are_now(page: Page) -> None:
    make_people(page)
    go_to(page, "vocero")
    assert page.locator(SHOWN + "[data-live] .opt").all_inner_texts() == ["Beto", "Caro"]


def test_two_rows_of_one_name_are_one_choice_that_can_be_chosen(page: Page) -> None:
    make_people(page)
    page.fill("[name='persona[2]/nombre']", "Beto")
    go_to(page, "vocero")
    assert page.locator(SHOWN + "[data-live] .opt").all_inner_texts() == ["Beto"]
    page.check("[name=vocero][value=Beto]")


def test_what_is_wrong_in_a_row_is_said_there_and_linked(page: Page) -> None:
    make_people(page)
    page.fill("[name='persona[2]/edad']", "200")
    go_on(page)
    assert page.get_attribute("#trouble a", "href") == "#" + str(page.get_attribute(SHOWN + ".bad", "id"))
    assert "Caro" in page.inner_text(SHOWN + ".bad")


def test_a_half_filled_form_with_rows_survives_a_killed_browser(node: Node, phone: Phone) -> None:
    page = phone.open()
    page.goto(f"http://localhost:{node.port}/f/hogar")
    ready(page)
    make_people(page)
    go_on(page)
    go_to(page, "compra[1]/que")
    page.fill("[name='compra[1]/que']", "pan")
    page.click(SHOWN + ".rows > [data-add] >> nth=-1")
    page.fill("[name='compra[2]/que']", "sal")
    until_kept(page, '"sal"')
    page.wait_for_timeout(1000)  # a draft is written relaxed: the browser hands it to the disk a moment later
    phone.kill()
    page = phone.open()
    page.goto(f"http://localhost:{node.port}/f/hogar")
    page.click("text=Seguir la que dejó a medias")
    ready(page)
    assert [page.input_value(f"[name='compra[{n}]/que']") for n in (1, 2)] == ["pan", "sal"]
    assert page.input_value("[name='persona[2]/nombre']") == "Caro"


def fill_everything(page: Page) -> None:
    """Answer every question once."""
    go_to(page, "nacimiento")
    page.fill("[name=nacimiento]", "1980-02-29")
    go_to(page, "llegada")
    page.fill("[name=llegada]", "1999")
    go_to(page, "hora")
    page.fill("[name=hora]", "14:30")
    go_to(page, "nota")
    page.check("[name=nota][value='7']")
    go_to(page, "gasto")
    page.fill("[name=gasto]", "45")
    go_to(page, "orden")
    page.select_option("[name=orden] >> nth=0", "luz")
    page.select_option("[name=orden] >> nth=1", "agua")
    page.select_option("[name=orden] >> nth=2", "via")
    go_to(page, "lugar")
    page.fill("[name=lugar]", "8.98 -79.52")
    go_to(page, "tabla/agua")
    page.check("[name='tabla/agua'][value=mucho]")
    page.check("[name='tabla/luz'][value=algo]")
    make_people(page)
    go_on(page)


EVERYTHING = {
    "jefe": "Ana <b>", "nacimiento": "1980-02-29", "llegada": "1999-01-01", "hora": "14:30", "nota": "7",
    "gasto": "45", "orden": "luz agua via", "acepta": "OK", "lugar": "8.98 -79.52", "tabla/agua": "mucho",
    "tabla/luz": "algo", "cuantos": "2", "suma": "43", "vocero": "Beto", "sitio": "s77",
}  # fmt: skip


def test_the_whole_form_arrives_as_it_was_answered(node: Node, page: Page) -> None:
    fill_everything(page)
    go_to(page, "compra[1]/que")
    page.fill("[name='compra[1]/que']", "pan")
    page.fill(SHOWN + "[name='compra[1]/pago[1]/monto']", "3.25")
    go_to(page, "vocero")
    page.check("[name=vocero][value=Beto]")
    go_on(page)
    page.fill(SHOWN + "[data-find]", "ñuri 77")
    page.check(SHOWN + "[data-live] input[value=s77]")
    go_on(page, "send")
    page.wait_for_selector("text=Gracias por su voz.")
    until(page, lambda: stored(node) == 1)
    answers = only_answers(node)
    assert {key: answers.get(key) for key in EVERYTHING} == EVERYTHING
    assert [row["nombre"] for row in answers["persona"]] == ["Beto", "Caro"]
    assert answers["compra"][0] == {"que": "pan", "pago": [{"monto": "3.25"}]}
    assert answers["inicio"] <= answers["fin"]


def test_without_scripts_the_same_form_is_answered_page_by_page(node: Node, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}, locale="es-PA")
    page = context.new_page()
    page.goto(f"{node.url}/f/hogar")
    page.fill("[name=jefe]", "Ana <b>")
    page.press("[name=jefe]", "Enter")  # goes on; neither the language nor a row changes
    assert page.inner_text(SHOWN + ".legend") == "Ana <b>, ¿cuándo nació?"
    fill_everything(page)
    go_to(page, "persona[1]/trabaja")
    page.check("[name='persona[1]/trabaja'][value=si]")
    go_on(page)
    go_to(page, "compra[1]/que")
    page.fill("[name='compra[1]/que']", "aire")
    page.click("button[value='add:compra']")
    page.fill("[name='compra[2]/que']", "pan")
    page.click("button[value='remove:compra[1]']")
    page.click("button[value='add:compra[1]/pago']")
    page.fill("[name='compra[1]/pago[1]/monto']", "3.25")
    go_to(page, "vocero")
    page.check("[name=vocero][value=Beto]")
    go_on(page)
    page.fill(SHOWN + "[data-find]", "ñuri 77")
    page.click(SHOWN + "[data-search]")
    page.check(SHOWN + "[data-live] input[value=s77]")
    go_on(page, "send")
    assert page.is_visible("text=Gracias por su voz.")
    answers = only_answers(node)
    assert {key: answers.get(key) for key in EVERYTHING} == EVERYTHING
    assert answers["persona"] == [{"nombre": "Beto", "edad": "40", "trabaja": "si"}, {"nombre": "Caro", "edad": "3"}]
    assert answers["compra"] == [{"que": "pan", "pago": [{"monto": "3.25"}]}]
    context.close()


def test_without_scripts_a_question_that_an_answer_made_appear_is_not_skipped(node: Node, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{node.url}/f/hogar")
    go_to(page, "tabla/agua")
    page.check("[name='tabla/luz'][value=nada]")
    go_on(page)
    assert page.is_visible("text=¿Por qué no llega?")
    context.close()


def a_photo(page: Page) -> bytes:
    """Return a JPEG of 3000 x 2000 pixels that the browser drew."""
    drawn: str = page.evaluate(
        """() => new Promise((done) => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 3000, height: 2000 });
          const pen = canvas.getContext('2d');
          for (let n = 0; n < 400; n++) {
            pen.fillStyle = `hsl(${n * 37}, 80%, 50%)`;
            pen.fillRect((n * 131) % 3000, (n * 71) % 2000, 300, 200);
          }
          const reader = new FileReader();
          reader.onload = () => done(reader.result.split(',')[1]);
          canvas.toBlob((blob) => reader.readAsDataURL(blob), 'image/jpeg', 0.9);
        })"""
    )
    return base64.b64decode(drawn)


def whole_files(node: Node) -> list[tuple[str, int]]:
    """Return name and size of the files of the only record that are here whole."""
    with writing(node.app.state.engine) as session:
        found = stored_records(session)
        named = json.loads(found[0].body or "")["blobs"] if found else []
        while blobs.index_records(session):
            pass
        held = blobs.held(session, [entry["sha256"] for entry in named])
    whole = {sha256 for sha256, one in held.items() if one.is_whole}
    return [(entry["name"], entry["bytes"]) for entry in named if entry["sha256"] in whole]


def test_a_photo_is_made_smaller_kept_and_arrives_after_the_answers(node: Node, page: Page) -> None:
    photo = a_photo(page)
    go_to(page, "foto")
    page.set_input_files(SHOWN + "[data-file]", {"name": "IMG 1.JPG", "mimeType": "image/jpeg", "buffer": photo})
    page.wait_for_selector(SHOWN + "[data-said]:has-text('kB')")
    name = page.input_value(SHOWN + "[name=foto]")
    assert name.startswith("foto-") and name.endswith(".jpg")
    make_people(page)
    go_to(page, "sitio")
    go_on(page, "send")
    page.wait_for_selector("text=Gracias por su voz.")
    until(page, lambda: bool(whole_files(node)))
    ((sent, size),) = whole_files(node)
    assert sent == name and size < len(photo) / 4
    assert only_answers(node)["foto"] == name


def test_without_scripts_a_photo_is_posted_with_its_page(node: Node, page: Page, browser: Browser) -> None:
    photo = a_photo(page)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}, locale="es-PA")
    plain = context.new_page()
    plain.goto(f"{node.url}/f/hogar")
    go_to(plain, "foto")
    plain.set_input_files(SHOWN + "[data-file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo})
    go_on(plain)
    make_people(plain)
    go_to(plain, "vocero")
    go_on(plain)
    go_on(plain, "send")
    assert plain.is_visible("text=Gracias por su voz.")
    ((name, size),) = whole_files(node)
    assert size == len(photo)
    assert only_answers(node)["foto"] == name
    context.close()


def test_the_place_is_noted_and_a_touched_choice_goes_on_and_sets_off_what_hangs_on_it(
    node: Node, browser: Browser
) -> None:
    node.app.state.forms.install(small_xform())
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, geolocation={"latitude": 8.98, "longitude": -79.52, "accuracy": 12},
        permissions=["geolocation"],
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"http://localhost:{node.port}/f/paso")
    ready(page)
    page.click("[name=vive][value=si]")
    page.wait_for_selector("text=¿Dónde está la casa?")
    page.click(SHOWN + "[data-here]")
    page.wait_for_selector("text=Precisión: 12 m")
    go_on(page)
    assert page.input_value("[name=nota]") == "vive: si"
    go_on(page, "send")
    until(page, lambda: stored(node) == 1)
    answers = only_answers(node)
    assert answers["casa"] == answers["salida"] == "8.9800000 -79.5200000 0.0 12.0"
    assert answers["equipo"] == node.app.state.node_id
    context.close()


@pytest.fixture
def open_form(node: Node, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that publishes a form and opens it on a small phone: `open_form(xform, "finca")`."""
    contexts = []

    def open_it(xform: str, form_id: str, scripts: bool = True) -> Page:
        node.app.state.forms.install(xform)
        context = browser.new_context(
            viewport={"width": 320, "height": 640}, locale="es-PA", java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"http://localhost:{node.port}/f/{form_id}")
        if scripts:
            ready(page)
        return page

    yield open_it
    for context in contexts:
        context.close()


def offered(page: Page) -> list[str]:
    return page.locator(SHOWN + ".opt:visible").all_inner_texts()


def test_codes_that_start_anew_in_each_zone_have_the_label_of_their_zone(open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca")
    page.check("[name=zona][value=sur]")
    go_on(page)
    assert offered(page) == ["Bajo Grande"]
    page.check("[name=lugar][value='1']")
    assert page.is_checked(SHOWN + "[name=lugar]")
    go_on(page, "back")
    page.check("[name=zona][value=norte]")
    go_on(page)
    assert offered(page) == ["Alto Bonito", "Loma"]


def test_a_choice_whose_name_holds_blanks_is_kept_and_sent(node: Node, open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca")
    go_to(page, "agua")
    page.check("[name=agua][value='el pozo']")
    until_kept(page, "el pozo")
    page.reload()
    ready(page)
    assert page.is_checked("[name=agua][value='el pozo']")
    go_to(page, "hijo[1]/nombre")
    go_on(page, "send")
    until(page, lambda: stored(node) == 1)
    assert only_answers(node)["agua"] == "el pozo"


def test_what_is_calculated_is_seen_and_not_written(open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca")
    go_to(page, "agua")
    page.check("[name=agua][value='el pozo']")
    go_to(page, "sacos")
    page.fill("[name=sacos]", "3")
    go_on(page)
    assert page.input_value("[name=kilos]") == "150"
    assert page.is_disabled("[name=kilos]")


def test_a_repeat_without_label_and_rows_can_be_opened_again(open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    go_to(page, "agua")
    page.check("[name=agua][value='el pozo']")
    go_to(page, "hijo[1]/nombre")
    page.click(SHOWN + "[data-remove]")
    go_on(page, "back")
    go_on(page)
    assert page.is_visible(SHOWN + "[data-add]")
    assert errors == []


def test_without_scripts_a_zone_without_places_holds_nobody_up(open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca", scripts=False)
    page.check("[name=zona][value=este]")
    go_on(page)
    assert offered(page) == []
    go_on(page)
    assert has(page, "agua")


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_long_words_and_many_pages_stay_on_a_small_screen(open_form: Callable[..., Page]) -> None:
    page = open_form(faults_xform(), "finca")
    go_to(page, "agua")
    assert sideways(page) == 0
    page = open_form(long_xform(), "largo")
    assert sideways(page) == 0
    assert page.evaluate("document.querySelector('.strokes li:last-child').getBoundingClientRect().width") >= 1
    summary = page.locator(SHOWN + "summary").bounding_box()
    assert summary is not None and summary["height"] >= 48


def test_lists_drawn_by_the_page_lose_the_marks_of_other_tools_and_answers_keep_theirs(
    open_form: Callable[..., Page],
) -> None:
    page = open_form(marked_xform(), "marcas")
    page.fill("[name=quien]", "**Ana**")
    go_on(page)
    assert sorted(offered(page)) == ["Pozo de **Ana**", "Río"]
    page.check("[name=agua][value=rio]")
    go_on(page)
    assert page.inner_text(SHOWN + ".legend") == "Dijo <b>Río</b>"  # jr:choice-name() gives it as it was written
    go_on(page)
    assert offered(page) == ["Alto"]
    go_on(page)
    page.fill(SHOWN + "[data-find]", "sitio 299")
    assert offered(page) == ["Sitio 299"]
    go_on(page)
    page.fill("[name='hijo[1]/nombre']", "__Beto__")
    go_on(page)
    assert offered(page) == ["__Beto__"]


def test_a_count_that_is_being_typed_is_not_lost_with_the_page(page: Page) -> None:
    go_to(page, "cuantos")
    page.locator("[name=cuantos]").press_sequentially("3")
    until_kept(page, '"typed":["cuantos","3"]')
    page.reload()
    ready(page)
    until(page, lambda: page.input_value("[name=cuantos]") == "3")
    go_on(page)
    assert page.locator(f"{SHOWN}section.row").count() == 3


def test_a_smaller_count_being_typed_when_the_page_went_takes_no_rows_without_asking(page: Page) -> None:
    make_people(page)
    go_on(page, "back")
    page.locator("[name=cuantos]").press("End")
    page.locator("[name=cuantos]").press("Backspace")
    page.locator("[name=cuantos]").press_sequentially("1")
    until_kept(page, '"typed":["cuantos","1"]')
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.reload()
    ready(page)
    until(page, lambda: bool(asked))
    page.wait_for_timeout(500)  # it asks once
    assert len(asked) == 1 and asked[0].startswith("Con ese número se borran respuestas")
    assert page.input_value("[name=cuantos]") == "2"
    go_on(page)
    assert page.input_value("[name='persona[2]/nombre']") == "Caro"


def test_a_file_that_is_empty_or_cannot_be_kept_says_so(page: Page) -> None:
    go_to(page, "foto")
    said = page.locator(SHOWN + "[data-said]")
    page.set_input_files(SHOWN + "[data-file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b""})
    until(page, lambda: said.inner_text() == "Ese archivo está vacío. Elija otro.")
    page.evaluate(
        "(() => { IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }; })()"
    )
    page.set_input_files(SHOWN + "[data-file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"x"})
    until(page, lambda: said.inner_text().startswith("Este navegador no pudo guardar el archivo."))
    page.click("[data-lang='English (en)']")
    page.set_input_files(SHOWN + "[data-file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"x"})
    until(page, lambda: said.inner_text().startswith("This browser could not keep the file."))
    assert page.input_value(SHOWN + "[name=foto]") == ""


KEPT_FILES = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open('collector-files');
  request.onsuccess = () => {
    const all = request.result.transaction('blobs').objectStore('blobs').getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result.map((one) => one.byteLength).sort()); };
  };
  request.onerror = reject;
})"""


def test_a_photo_taken_back_leaves_the_phone_once_the_record_is_saved(node: Node, page: Page) -> None:
    page.route("**/sync/v1/**", lambda route: route.abort())  # nothing is sent: only what is let go may go
    go_to(page, "foto")
    for size in (4000, 5000):
        photo: FilePayload = {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"x" * size}
        page.set_input_files(SHOWN + "[data-file]", photo)
        page.wait_for_selector(SHOWN + f"[data-said]:has-text('{size // 1000} kB')")
    until_kept(page, page.input_value(SHOWN + "[name=foto]"))
    assert page.evaluate(KEPT_FILES) == [4000, 5000]
    page.evaluate("{ const right = Date.now; Date.now = () => right() + 61000; }")
    make_people(page)
    go_to(page, "sitio")
    go_on(page, "send")
    page.wait_for_selector("text=Gracias por su voz.")
    until(page, lambda: page.evaluate(KEPT_FILES) == [5000])
