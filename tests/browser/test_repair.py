"""In a real browser: a conflict of two tablets is repaired, and a citizen erases with the code of the receipt."""

import json
import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Page

from collector import people
from collector.db import reading, writing
from collector.queries.erasures import ids_of_claim
from collector.receipt_codes import claim_of
from tests.browser.conftest import Phone, fill_tarjeta, go_on, ready, until, until_all_is_here
from tests.browser.test_offline import BODY_OF_THE_FIRST, again, stored
from tests.conftest import Node, submission
from tests.stored import stored_records

MakeNode = Callable[..., Node]
CODE = re.compile(r"([0-9A-Z]{4}-){3}[0-9A-Z*~$=]")
EMAIL, PASSWORD = "ana@ejemplo.pa", "una clave larga"


def sign_in(node: Node, page: Page) -> None:
    with writing(node.app.state.engine) as session:
        people.add_user(session, EMAIL, PASSWORD)
    page.goto(f"{node.url}/lab/login")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/lab")


def conflict(make_node: MakeNode, publish: Callable[[Node, str], None], send: Callable[..., object]) -> Node:
    """Two tablets hold one record with two contents, and both have sent it to central, which is returned."""
    central = make_node("central")
    publish(central, "confianza")
    first = submission()
    answers = dict(first["answers"]) | {"confianza_gente": "4", "escucha": "nada"}  # type: ignore[call-overload]
    for name, content in (("Tableta 3", first), ("Tableta 5", first | {"answers": answers})):
        tablet = make_node(name, upstream=central)
        send(tablet, content)
        tablet.app.state.sync_now()
    return central


@pytest.mark.parametrize(("width", "scripts"), [(360, True), (1280, False)])
def test_a_conflict_of_two_tablets_is_repaired(
    make_node: MakeNode,
    publish: Callable[[Node, str], None],
    send_outbox: Callable[..., object],
    browser: Browser,
    width: int,
    scripts: bool,
) -> None:
    central = conflict(make_node, publish, send_outbox)
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts, locale="es-PA")
    page = context.new_page()
    sign_in(central, page)
    page.click("a:has-text('en cuarentena')")
    assert page.is_visible("text=Tableta 5")
    page.click("a:has-text('dos contenidos') >> nth=0" if scripts else "th a:has-text('dos contenidos')")
    if scripts:  # the first is the reason's own list, fetched as a fragment
        page.wait_for_url("**why=conflict")
        page.click("th a:has-text('dos contenidos')")
    page.wait_for_selector("text=2 de 9 respuestas cambian")
    assert no_sideways(page)
    page.check("[name=pick] >> nth=1")
    page.select_option("#form", index=1)
    if not scripts:
        page.click("text=Ver cómo quedaría")
        page.check("[name=pick] >> nth=1")
    page.wait_for_selector("#fits")
    page.fill("#reason", "La facilitadora lo confirmó")
    page.click("button[value=use]")
    page.wait_for_selector("text=La facilitadora lo confirmó")
    with reading(central.app.state.engine) as session:
        (record,) = stored_records(session)
    assert json.loads(record.body or "")["answers"]["confianza_gente"] == "4"
    page.goto(f"{central.url}/lab/cuarentena/resueltos")
    assert page.is_visible(f"text={EMAIL}") and no_sideways(page)
    context.close()


def no_sideways(page: Page) -> bool:
    """Tell whether nothing but marked regions has to be moved sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"))


@pytest.mark.parametrize("host", ["localhost", "nodo.lan"])
def test_a_citizen_erases_with_the_code_made_without_a_network(
    make_node: MakeNode, publish: Callable[[Node, str], None], phone: Phone, host: str
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    page.goto(f"http://{host}:{node.port}/f/tarjeta")
    ready(page)
    until_all_is_here(page)
    node.stop()
    fill_tarjeta(page, "Palabra que nadie mas dice")
    go_on(page, "send")
    found = CODE.search(page.text_content("[data-record] [data-code]:not([hidden])") or "")
    assert found
    code = found[0]
    assert json.loads(page.evaluate(BODY_OF_THE_FIRST))["claim"] == claim_of(code)

    back = again(node)
    try:
        page.goto(f"http://{host}:{node.port}/mis-respuestas")
        page.wait_for_selector("text=Todo enviado")
        until(page, lambda: stored(back) == 1)
        assert code in (page.text_content("[data-outbox]") or "")
        page.click("[data-outbox] summary")
        page.click("[data-outbox] a:has-text('¿Dónde está?')")
        page.wait_for_selector("text=Su respuesta llegó a central")
        page.goto(f"http://{host}:{node.port}/")
        page.click("text=Tengo un código de recibo")
        page.fill("#code", code.lower().replace("-", " "))
        page.click("button:has-text('Buscar')")
        page.click("button:has-text('Borrar mis respuestas')")
        page.click("button:has-text('Sí, borrar')")
        page.wait_for_selector("text=Su respuesta está borrada")
        assert no_sideways(page)
        with reading(back.app.state.engine) as session:
            assert stored_records(session) == [] and ids_of_claim(session, claim_of(code)) == []
        on_disk = b"".join(path.read_bytes() for path in back.data_dir.iterdir() if path.is_file())
        assert b"Palabra que nadie" not in on_disk
    finally:
        back.stop()


def test_a_phone_that_could_not_load_the_codes_sends_without_one(
    make_node: MakeNode, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    page = phone.open()
    page.route("**/js/code.js", lambda route: route.abort())
    page.goto(f"http://nodo.lan:{node.port}/f/tarjeta")
    ready(page)
    fill_tarjeta(page)
    go_on(page, "send")
    page.wait_for_selector("h1:has-text('Su respuesta llegó')")
    assert page.query_selector("[data-record] [data-code]:not([hidden])") is None
    with reading(node.app.state.engine) as session:
        (record,) = stored_records(session)
    assert "claim" not in json.loads(record.body or "")


def test_the_kept_page_makes_a_code_after_a_reload_without_a_network(
    make_node: MakeNode, publish: Callable[[Node, str], None], phone: Phone
) -> None:
    node = make_node("campo")
    publish(node, "tarjeta")
    address = f"http://nodo.lan:{node.port}/f/tarjeta"
    page = phone.open()
    page.goto(address)
    ready(page)
    until_all_is_here(page)
    phone.close()
    node.stop()
    page = phone.open()
    page.goto(address)
    ready(page)
    fill_tarjeta(page)
    go_on(page, "send")
    assert CODE.search(page.text_content("[data-record] [data-code]:not([hidden])") or "")


def test_the_erasure_and_repair_pages_fit_a_phone_and_a_desk(
    make_node: MakeNode,
    publish: Callable[[Node, str], None],
    send_outbox: Callable[..., httpx.Response],
    browser: Browser,
) -> None:
    central = conflict(make_node, publish, send_outbox)
    content = submission()
    send_outbox(central, content)
    for width in (320, 1280):
        context = browser.new_context(viewport={"width": width, "height": 800}, locale="es-PA")
        page = context.new_page()
        if width == 320:
            sign_in(central, page)
            cookies = context.cookies()
        else:
            context.add_cookies(cookies)  # type: ignore[arg-type]
        for path in (
            "/lab", "/lab/cuarentena", "/lab/borrados", f"/lab/records/{content['id']}",
            f"/lab/records/{content['id']}/borrar", "/codigo", f"/respuesta/{content['id']}",
        ):  # fmt: skip
            page.goto(central.url + path)
            assert no_sideways(page), (path, width)
        context.close()
