"""A form is looked at before it is published, with its scripts and without: nothing of it is kept anywhere."""

from collections.abc import Callable
from dataclasses import replace

from playwright.sync_api import Browser, Page

from collector.clock import now_ms
from collector.db import reading, writing
from collector.queries import plans
from collector.queries.people import put_user
from collector.queries.records import last_number
from tests.browser.conftest import fill_tarjeta, ready, until
from tests.browser.every_page import visit
from tests.conftest import Node
from tests.lab.conftest import EMAIL, PASSWORD, hashed

FORM = """
| survey |            |       |              |          |                 |          |
|        | type       | name  | label        | required | relevant        | image    |
|        | integer    | edad  | ¿Qué edad?   | yes      |                 | casa.png |
|        | text       | barco | ¿Qué barco?  |          | ${edad} > 17    |          |
|        | select_one l | gusta | ¿Le gusta? | yes      |                 |          |
| choices |           |       |              |          |                 |          |
|        | list_name  | name  | label        |          |                 |          |
|        | l          | si    | Sí           |          |                 |          |
|        | l          | no    | No           |          |                 |          |
| settings |          |       |              |          |                 |          |
|        | form_id    | version | form_title |          |                 |          |
|        | barcos     | 1     | Barcos       |          |                 |          |
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fea7"
    "35812d0000000049454e44ae426082"
)
STORES = "async () => (await indexedDB.databases()).map(({ name }) => name)"


def open_preview(browser: Browser, node: Node, has_scripts: bool) -> Page:
    with writing(node.app.state.engine) as session:
        put_user(session, EMAIL, hashed(PASSWORD), now_ms())
    page = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="es-PA", java_script_enabled=has_scripts
    ).new_page()
    visit(page, node, "/lab/publicar")
    page.set_input_files("[name=file]", {"name": "barcos.md", "mimeType": "text/markdown", "buffer": FORM.encode()})
    page.set_input_files("[name=media]", {"name": "casa.png", "mimeType": "image/png", "buffer": PNG})
    page.click("button[value=check]")
    page.click("a[href^='/lab/vista/']")
    page.wait_for_selector("text=Vista previa")
    return page


def answer(page: Page) -> None:
    page.click("button[value=next]")
    page.wait_for_selector("#trouble:not([hidden])")
    page.fill("[name=edad]", "40")
    page.click("button[value=next]")
    page.wait_for_selector("[name=barco] >> visible=true")
    page.fill("[name=barco]", "Panga")
    page.click("button[value=next]")
    page.click(".opt:has-text('Sí') >> visible=true")
    page.click("button[value=send]")
    page.wait_for_selector("text=no se guardó nada")


def test_with_its_scripts_it_is_the_page_that_people_meet_and_nothing_is_kept(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("central")
    page = open_preview(browser, node, has_scripts=True)
    ready(page)
    assert page.locator("img[src$='casa.png']").evaluate("picture => picture.naturalWidth") == 1
    answer(page)
    page.click("text=Volver a publicar")
    page.wait_for_selector("text=Antes de publicar")
    assert page.evaluate(STORES) == []
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    with reading(node.app.state.engine) as session:
        assert last_number(session) == 0
    page.context.close()


def test_without_scripts_the_node_draws_every_step_and_keeps_nothing(
    make_node: Callable[..., Node], browser: Browser
) -> None:
    node = make_node("central")
    page = open_preview(browser, node, has_scripts=False)
    answer(page)
    with reading(node.app.state.engine) as session:
        assert last_number(session) == 0
    page.context.close()


def test_a_phone_that_began_before_it_closed_still_sends(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], browser: Browser
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA").new_page()
    page.goto(f"{node.url}/f/tarjeta")
    ready(page)
    with writing(node.app.state.engine) as session:
        plans.put_plan(session, "tarjeta", replace(plans.NO_PLAN, closed_ms=now_ms()), now_ms())
    fill_tarjeta(page)
    page.click("button[value=send]")

    def has_arrived() -> bool:
        with reading(node.app.state.engine) as session:
            return last_number(session) == 1

    until(page, has_arrived)
    # the browser has kept the page for a week, and what the page asks for ten minutes: here they are over
    page.evaluate("fetch('/f/tarjeta/current', { cache: 'reload' }).then((answer) => answer.text())")
    page.goto(f"{node.url}/f/tarjeta")
    page.wait_for_url("**/f/tarjeta/current/cerrada")
    page.wait_for_selector("text=Esta encuesta ya cerró")
    page.context.close()
