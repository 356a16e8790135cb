"""Erasing by the receipt code and by the lab, who has confirmed it, and where an answer is."""

import html
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.db import reading, writing
from collector.queries import confirmations, nodes, store
from collector.queries.fleet import note_report
from collector.queries.records import ingest, record_by_id
from collector.receipt_codes import claim_of, make_code
from collector.tables.log import Record
from sync.records import uuid7
from sync.statements import make_decision
from tests.conftest import Node, submission
from tests.test_quarantine_pages import put

SendOutbox = Callable[..., httpx.Response]
HTML = {"Accept": "text/html"}
SECRET = "Una palabra que nadie mas dice: chicheme"
NODE_A, NODE_B, NODE_C = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("campo")
    publish(one, "confianza")
    return one


@pytest.fixture
def code() -> str:
    return make_code()


def claimed(code: str, **changes: Any) -> dict[str, Any]:
    return submission(claim=claim_of(code), **changes)


def record(node: Node, record_id: object) -> Record:
    with reading(node.app.state.engine) as session:
        found = record_by_id(session, str(record_id))
    assert found is not None
    return found


def post(node: Node, path: str, **fields: str) -> httpx.Response:
    return httpx.post(node.url + path, data=fields, headers=HTML)


def on_disk(node: Node) -> bytes:
    return b"".join(path.read_bytes() for path in node.data_dir.iterdir() if path.is_file())


# --- by the person


def test_the_code_finds_the_record_and_shows_no_answer(node: Node, send_outbox: SendOutbox, code: str) -> None:
    content = claimed(code, answers={"edad": SECRET})
    send_outbox(node, content, submission())
    page = post(node, "/codigo", code=code.lower().replace("-", " "))
    assert page.status_code == 200 and "Aquí está su respuesta" in page.text
    assert page.text.count("/respuesta/") == 1 and str(content["id"]) in page.text
    assert html.escape(node.app.state.forms.current()[0].title) in page.text
    assert str(content["finished"])[:4] in page.text and "chicheme" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_erasing_by_code_asks_first_and_leaves_no_byte(node: Node, send_outbox: SendOutbox, code: str) -> None:
    content = claimed(code, answers={"edad": SECRET})
    other = submission()
    send_outbox(node, content, other)
    assert b"chicheme" in on_disk(node)
    asked = post(node, "/codigo", code=code, go="erase")
    assert "No se puede deshacer" in asked.text and record(node, content["id"]).state == "usable"
    done = post(node, "/codigo/borrar", code=code)
    assert (done.status_code, done.headers["location"]) == (303, f"/respuesta/{content['id']}")
    gone = record(node, content["id"])
    assert (gone.state, gone.body, gone.claim) == ("erased", None, "")
    assert b"chicheme" not in on_disk(node) and record(node, other["id"]).state == "usable"
    assert "Su respuesta está borrada" in httpx.get(node.url + done.headers["location"], headers=HTML).text
    again = post(node, "/codigo", code=code)
    assert again.status_code == 404 and "No encontramos nada" in again.text


def test_the_code_erases_an_edit_and_what_it_replaced(node: Node, code: str) -> None:
    first = claimed(code)
    edit = claimed(code, kind="edit", replaces=first["id"])
    put(node, first, edit)
    assert post(node, "/codigo", code=code).text.count("/respuesta/") == 1
    post(node, "/codigo/borrar", code=code)
    assert {record(node, it["id"]).state for it in (first, edit)} == {"erased"}
    for it in (first, edit):
        assert "Borrada el" in httpx.get(f"{node.url}/respuesta/{it['id']}", headers=HTML).text


def test_wrong_codes_are_told_and_after_five_in_a_minute_one_waits(
    node: Node, send_outbox: SendOutbox, code: str
) -> None:
    send_outbox(node, claimed(code))
    mistyped = ("1" if code[0] != "1" else "2") + code[1:]
    wrong = [post(node, "/codigo", code=text) for text in (mistyped, "hola", "", make_code(), make_code())]
    assert [answer.status_code for answer in wrong] == [422, 422, 422, 404, 404]
    assert "no está bien escrito" in wrong[0].text and html.escape("hola") in wrong[1].text
    for path in ("/codigo", "/codigo/borrar"):
        late = post(node, path, code=code)
        assert late.status_code == 429 and int(late.headers["retry-after"]) > 0
        assert "Hubo muchos intentos" in late.text
    assert httpx.get(node.url + "/codigo", headers=HTML).status_code == 200


def test_right_codes_are_never_made_to_wait(node: Node, send_outbox: SendOutbox, code: str) -> None:
    send_outbox(node, claimed(code))
    assert {post(node, "/codigo", code=code).status_code for _ in range(9)} == {200}


def test_the_code_never_stands_in_an_address(node: Node, send_outbox: SendOutbox, code: str) -> None:
    send_outbox(node, claimed(code))
    pages = [post(node, "/codigo", code=code), post(node, "/codigo", code=code, go="erase")]
    pages.append(post(node, "/codigo/borrar", code=code))
    assert code not in pages[-1].headers["location"]
    assert all(f"={code}" not in page.text and f"/{code}" not in page.text for page in pages)
    assert httpx.get(f"{node.url}/codigo?code={code}", headers=HTML).text.count(code) == 0


def test_somebody_elses_page_cannot_erase(node: Node, send_outbox: SendOutbox, code: str) -> None:
    content = claimed(code)
    send_outbox(node, content)
    headers = HTML | {"Origin": "https://otra.example"}
    assert httpx.post(node.url + "/codigo/borrar", data={"code": code}, headers=headers).status_code == 403
    assert record(node, content["id"]).state == "usable"


# --- by the lab


def test_the_lab_erases_with_a_reason_after_a_question(
    node: Node, send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    content = submission(answers={"edad": SECRET})
    send_outbox(node, content)
    browser = lab_login(node)
    address = f"/lab/records/{content['id']}"
    assert f'href="{address}/borrar"' in browser.get(address).text
    assert "No se puede deshacer" in browser.get(address + "/borrar").text
    refused = browser.post(address + "/borrar", data={"reason": "  "})
    assert refused.status_code == 422 and "Escriba por qué" in refused.text
    assert record(node, content["id"]).state == "usable"
    listed = browser.post(address + "/borrar", data={"reason": "La persona llamó"})
    assert listed.url.path == "/lab/borrados"
    assert "La persona llamó" in listed.text and "lab@example.org" in listed.text and "Todos confirmaron" in listed.text
    assert record(node, content["id"]).body is None and b"chicheme" not in on_disk(node)
    page = browser.get(address).text
    assert "La persona llamó" in page and "/borrar" not in page
    assert browser.get(address + "/borrar").status_code == 404


def test_only_answers_are_erased_never_an_erasure(
    node: Node, send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    content = submission()
    send_outbox(node, content)
    browser = lab_login(node)
    browser.post(f"/lab/records/{content['id']}/borrar", data={"reason": "prueba"})
    with reading(node.app.state.engine) as session:
        erasure = confirmations.erasure_of(session, str(content["id"]))
    assert erasure is not None
    assert browser.post(f"/lab/records/{erasure.id}/borrar", data={"reason": "x"}).status_code == 404
    assert record(node, erasure.id).state == "usable"
    outside = httpx.post(f"{node.url}/lab/records/{content['id']}/borrar", data={"reason": "x"})
    assert outside.status_code == 401


# --- who has confirmed


def enrolled(node: Node, *ids: str) -> None:
    with writing(node.app.state.engine) as session:
        for node_id in ids:
            code = nodes.make_enrol_code(session, 1)
            nodes.enrol_node(session, code, f"Tableta {node_id[0]}", node_id, 1)


def erase_one(node: Node, send_outbox: SendOutbox) -> confirmations.Erasure:
    code = make_code()
    content = claimed(code)
    send_outbox(node, content)
    post(node, "/codigo/borrar", code=code)
    with reading(node.app.state.engine) as session:
        erasure = confirmations.erasure_of(session, str(content["id"]))
    assert erasure is not None
    return erasure


def waiting(node: Node, erasure: confirmations.Erasure) -> list[str]:
    with reading(node.app.state.engine) as session:
        return [each.id for each in confirmations.confirmations_of(session, [erasure])[erasure.id].waiting]


def test_nodes_count_as_confirmed_once_they_have_read_past_the_erasure(node: Node, send_outbox: SendOutbox) -> None:
    enrolled(node, NODE_A, NODE_B)
    erasure = erase_one(node, send_outbox)
    assert waiting(node, erasure) == [NODE_A, NODE_B]
    with writing(node.app.state.engine) as session:
        nodes.note_feed(session, NODE_A, store.fact(session, "epoch"), erasure.n - 1)
        nodes.note_feed(session, NODE_B, "otra vida", erasure.n + 5)
    assert waiting(node, erasure) == [NODE_A, NODE_B]
    with writing(node.app.state.engine) as session:
        nodes.note_feed(session, NODE_A, store.fact(session, "epoch"), erasure.n)
    assert waiting(node, erasure) == [NODE_B]


def test_nodes_behind_a_hub_count_by_what_the_hub_reports(node: Node, send_outbox: SendOutbox) -> None:
    enrolled(node, NODE_A)
    erasure = erase_one(node, send_outbox)
    below = [{"id": NODE_B, "name": "Lejos", "unconfirmed": [erasure.id]}, {"id": NODE_C, "unconfirmed": []}]

    def report(at_ms: int, feed_n: int, below: list[dict[str, Any]]) -> None:
        with writing(node.app.state.engine) as session:
            nodes.note_feed(session, NODE_A, store.fact(session, "epoch"), feed_n)
            note_report(session, NODE_A, {"below": below}, at_ms)

    report(erasure.received_ms - 1, erasure.n - 1, below)
    assert waiting(node, erasure) == [NODE_A, NODE_B, NODE_C]  # what the hub does not know it has not passed on
    report(erasure.received_ms - 1, erasure.n, [])
    assert waiting(node, erasure) == []
    report(erasure.received_ms - 1, erasure.n, below)
    assert waiting(node, erasure) == [NODE_B, NODE_C]  # said before the hub knew of it
    report(erasure.received_ms + 1, erasure.n, below)
    assert waiting(node, erasure) == [NODE_B]
    decided_ms = erasure.received_ms + 10
    with writing(node.app.state.engine) as session:  # it stood in quarantine, and was released after that report
        ingest(session, [make_decision(erasure.id, "use", "00" * 32, "lab")], decided_ms)
    assert waiting(node, erasure) == [NODE_B, NODE_C]
    report(decided_ms + 1, erasure.n, below)
    assert waiting(node, erasure) == [NODE_B]


def test_the_lab_sees_who_has_not_confirmed_and_the_citizen_only_how_many(
    node: Node, send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    enrolled(node, NODE_A, NODE_B)
    erasure = erase_one(node, send_outbox)
    with writing(node.app.state.engine) as session:
        nodes.revoke_node(session, NODE_B, 5)
    listed = lab_login(node).get("/lab/borrados").text
    assert "Tableta a" in listed and "Tableta b" in listed and "dado de baja" in listed
    page = httpx.get(f"{node.url}/respuesta/{erasure.erases}", headers=HTML).text
    assert "Faltan 2 equipos por confirmar" in page and "Tableta" not in page


def test_an_erasure_at_a_tablet_reaches_central_and_the_other_tablet(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], send_outbox: SendOutbox, code: str
) -> None:
    central = make_node("central")
    publish(central, "confianza")
    one, other = make_node("Tableta 1", upstream=central), make_node("Tableta 2", upstream=central)
    content = claimed(code, answers={"edad": SECRET})
    for tablet in (one, other):
        send_outbox(tablet, content)
        tablet.app.state.sync_now()
    done = post(one, "/codigo/borrar", code=code)
    before = httpx.get(one.url + done.headers["location"], headers=HTML).text
    assert "Todavía no: se borrará cuando haya señal" in before
    for tablet in (one, other, one, other):
        tablet.app.state.sync_now()
    assert {record(each, content["id"]).state for each in (one, other, central)} == {"erased"}
    with reading(central.app.state.engine) as session:
        erasure = confirmations.erasure_of(session, str(content["id"]))
    assert erasure is not None and erasure.by == "person"
    after = httpx.get(one.url + done.headers["location"], headers=HTML).text
    assert "Todavía no" not in after and after.count("Borrada</p>") >= 2


# --- where is it?


def test_the_way_of_a_record_is_told_from_the_tablet_to_central(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], send_outbox: SendOutbox
) -> None:
    central = make_node("Central")
    publish(central, "confianza")
    hub = make_node("Municipio", upstream=central)
    tablet = make_node("Tableta 3", upstream=hub)
    content = submission()
    send_outbox(tablet, content)
    address = f"/respuesta/{content['id']}"
    page = httpx.get(tablet.url + address, headers=HTML).text
    assert "Su respuesta va en camino" in page and "Tableta 3 · este equipo" in page and "Todavía no" in page
    assert httpx.get(central.url + address, headers=HTML).status_code == 404
    tablet.app.state.sync_now()
    hub.app.state.sync_now()
    for here in (tablet, hub, central):
        page = httpx.get(here.url + address, headers=HTML).text
        assert "Su respuesta llegó a central" in page
        if here is not central:
            assert page.index("Tableta 3") < page.index("Municipio") < page.index("Central ·")
        assert page.count("Central · Central") == 1


def test_without_a_signal_the_page_says_what_is_known_here(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], send_outbox: SendOutbox
) -> None:
    central = make_node("Central")
    publish(central, "confianza")
    tablet = make_node("Tableta 3", upstream=central)
    content = submission()
    send_outbox(tablet, content)
    tablet.app.state.sync_now()
    central.stop()
    page = httpx.get(f"{tablet.url}/respuesta/{content['id']}", headers=HTML).text
    assert "Esto es lo que sabe este equipo" in page and "Su respuesta llegó a central" in page


def test_what_is_no_answer_has_no_way(node: Node, send_outbox: SendOutbox) -> None:
    content = submission()
    send_outbox(node, content)
    word = make_decision(str(content["id"]), "use", "0" * 64, "lab")
    with writing(node.app.state.engine) as session:
        ingest(session, [word], 1)
    for unknown in (word.id, uuid7(), "x", "%00"):
        assert httpx.get(f"{node.url}/respuesta/{unknown}", headers=HTML).status_code == 404
    assert json.loads(word.body)["about"] == content["id"]
