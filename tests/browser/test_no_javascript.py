"""Without JavaScript the same form posts, page by page, and is answered by full pages."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from collector.db import reading
from tests.browser.conftest import fill_confianza, go_on
from tests.conftest import Node
from tests.stored import stored_records

OpenForm = Callable[[str], tuple[Node, Page]]


def plain_page(browser: Browser) -> Page:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740}, locale="es-PA")
    return context.new_page()


@pytest.fixture
def open_form(make_node: Callable[..., Node], publish: Callable[[Node, str], None], browser: Browser) -> OpenForm:
    """Give a function that publishes a form on a node and opens it there."""

    def opened(form: str) -> tuple[Node, Page]:
        node = make_node("campo")
        publish(node, form)
        page = plain_page(browser)
        page.goto(f"{node.url}/f/{form}")
        return node, page

    return opened


def only_record(node: Node) -> dict[str, object]:
    with reading(node.app.state.engine) as session:
        found = stored_records(session)
    assert len(found) == 1
    content: dict[str, object] = json.loads(found[0].body or "")
    return content


def test_the_whole_form_can_be_answered_and_sent(open_form: OpenForm) -> None:
    node, page = open_form("confianza")
    page.check("[name=edad][value='30_44']")
    go_on(page)
    assert page.is_visible("text=Pregunta 2 de 8")
    page.select_option("[name='lugar/provincia']", "09")
    go_on(page)
    assert "Falta el municipio" in page.inner_text("#trouble")
    page.select_option("[name='lugar/municipio']", "0911")
    go_on(page)
    for name, value in (("brecha", "igual"), ("trato", "una"), ("escucha", "algo"), ("reuniones", "pocas")):
        page.check(f"[name='{name}'][value='{value}']")
        go_on(page)
    page.check("[name='confianza_gente'][value='10']")
    go_on(page)
    page.check("[name='confianza_municipio'][value='nr']")
    go_on(page, "send")
    assert page.is_visible("text=Gracias por su voz.")
    content = only_record(node)
    assert content["answers"] == {
        "edad": "30_44", "lugar/provincia": "09", "lugar/municipio": "0911", "brecha": "igual", "trato": "una",
        "escucha": "algo", "reuniones": "pocas", "confianza_gente": "10", "confianza_municipio": "nr",
    }  # fmt: skip


def test_an_error_stands_beside_its_field_and_the_answers_stay(open_form: OpenForm) -> None:
    _, page = open_form("confianza")
    go_on(page)
    assert page.is_visible("fieldset.bad .err:has-text('Falta una respuesta')")
    page.check("[name=edad][value='30_44']")
    go_on(page)
    go_on(page, "back")
    assert page.is_checked("[name=edad][value='30_44']")


def test_skip_logic_and_several_ticks_work(open_form: OpenForm) -> None:
    _, page = open_form("servicios")
    go_on(page)
    page.select_option("[name='lugar/provincia']", "08")
    go_on(page)
    page.select_option("[name='lugar/municipio']", "0810")
    go_on(page)
    shown = page.locator("section.page:visible input").first.get_attribute("name")
    assert shown == "recoleccion"


def test_the_language_can_be_changed_without_losing_answers(open_form: OpenForm) -> None:
    _, page = open_form("confianza")
    page.check("[name=edad][value='60_mas']")
    page.click("button[name=_lang][value='English (en)']")
    assert page.is_visible("text=How old are you?")
    assert page.is_checked("[name=edad][value='60_mas']")
    assert page.get_attribute("html", "lang") == "en"


def test_a_page_posted_twice_makes_one_record(open_form: OpenForm) -> None:
    node, page = open_form("confianza")
    fill_confianza(page)
    fields = {
        field.get_attribute("name") or "": field.input_value()
        for field in page.locator("input[type=hidden],select,input:checked").all()
    }
    for _ in range(2):
        answer = page.context.request.post(f"{node.url}/f/confianza/2026112200", form={**fields, "_go": "send"})
        assert answer.ok
    assert only_record(node)["id"] == fields["_id"]
