"""What comes back to whoever collected it: on the tablet by its PIN, and in the lab."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from pyxform.xls2xform import convert

from collector.db import writing
from collector.queries import store
from tests.conftest import Node
from tests.lab.conftest import PIN, Lab, hashed
from tests.lab.review_pages import (
    QUEUE,
    WITH_NAME,
    acts,
    because,
    edit_of,
    listed,
    say,
    signed_in_as,
    stored,
    walk,
    words_on,
)


@pytest.fixture
def tablet(open_lab: Lab, make_node: Callable[..., Node]) -> Node:
    """A tablet that sends to the lab's node, with the form and a PIN."""
    node = make_node("Tableta 3", upstream=open_lab.node)
    node.app.state.forms.install(open_lab.xforms["1"], "barrio.md")
    with writing(node.app.state.engine) as session:
        store.set_fact(session, "pin_hash", hashed(PIN))
    return node


@pytest.fixture
def team(tablet: Node) -> Iterator[httpx.Client]:
    """A browser of the team of the tablet."""
    with httpx.Client(base_url=tablet.url, headers={"Accept": "text/html"}, timeout=30) as browser:
        assert browser.post("/equipo/pin", data={"pin": PIN}).status_code == 303
        yield browser


SendOutbox = Callable[..., httpx.Response]


def collected(open_lab: Lab, tablet: Node, send_outbox: SendOutbox, **answers: str) -> str:
    """Collect a record on the tablet, and send it to the lab."""
    content = open_lab.answer(**answers)
    send_outbox(tablet, content).raise_for_status()
    tablet.app.state.sync_now()
    return str(content["id"])


def test_a_question_comes_back_to_the_tablet_and_its_answer_goes_up(
    open_lab: Lab, tablet: Node, team: httpx.Client, send_outbox: SendOutbox
) -> None:
    record = collected(open_lab, tablet, send_outbox, edad="20")
    elsewhere = open_lab.put(open_lab.answer())[0]
    assert "No hay avisos" in team.get("/equipo/avisos").text
    say(open_lab, "has_issues", record, elsewhere, comment="¿Vive en San Miguelito?")
    tablet.app.state.sync_now()
    assert stored(tablet, record).review == "has_issues"
    page = team.get("/equipo/avisos").text
    assert "¿Vive en San Miguelito?" in page and "Por contestar" in page and elsewhere not in page
    assert "Ver los avisos" in team.get("/equipo").text
    assert team.post(f"/equipo/avisos/{record}", data={"comment": " "}).status_code == 422
    assert team.post(f"/equipo/avisos/{record}", data={"comment": "Sí, en Belisario"}).status_code == 303
    assert "Contestado" in team.get("/equipo/avisos").text
    tablet.app.state.sync_now()
    assert listed(open_lab, "?state=answered") == [record]
    beside = open_lab.browser.get(f"{QUEUE}?record={record}").text
    assert "Sí, en Belisario" in beside and "El equipo de la tableta" in beside and "Ya contestaron" in beside
    assert acts(tablet, "read_record") == [("pin", record, 1)]  # the refused post drew the page again
    assert acts(tablet, "review") == [("pin", record, 1)]


def test_the_team_corrects_what_came_back_and_the_lab_sees_the_difference(
    open_lab: Lab, tablet: Node, team: httpx.Client, send_outbox: SendOutbox
) -> None:
    record = collected(open_lab, tablet, send_outbox, edad="200")
    say(open_lab, "has_issues", record, comment="¿200 años?")
    tablet.app.state.sync_now()
    address = f"/equipo/avisos/{record}/corregir"
    page = walk(team, address, edad="20")
    assert "Aprobarla" not in page.text
    done = because(team, address, page, "Un cero de más", _approve="1")
    assert done.headers["location"] == "/equipo/avisos?done=1"
    assert "No hay avisos" in team.get("/equipo/avisos").text
    tablet.app.state.sync_now()
    edit = edit_of(open_lab.node, record)
    assert (edit.review, edit.state) == ("", "usable")
    assert listed(open_lab) == [edit.id]
    beside = open_lab.browser.get(f"{QUEUE}?record={edit.id}").text
    assert "Un cero de más" in beside and "1 respuesta cambió" in beside and "¿200 años?" in beside


def test_a_team_meets_only_what_came_back_of_its_own(
    open_lab: Lab, tablet: Node, team: httpx.Client, send_outbox: SendOutbox
) -> None:
    record = collected(open_lab, tablet, send_outbox)
    for path in (f"/equipo/avisos/{record}", f"/equipo/avisos/{record}/corregir"):
        assert team.get(path).status_code == 404
    assert team.post(f"/equipo/avisos/{record}", data={"comment": "x"}).status_code == 404
    assert not words_on(tablet, record)


def test_a_facilitator_answers_without_seeing_who_the_person_is(open_lab: Lab) -> None:
    open_lab.publish(str(convert(WITH_NAME, validate=False, file_type=".md").xform))
    flags = json.dumps([{"key": "nombre", "what": "constraint", "text": "Berta Pérez"}])
    [record] = open_lab.put(open_lab.record("gente", {"nombre": "Berta Pérez", "idea": "Luz"}), flags=flags)
    chosen = f"{record} {stored(open_lab.node, record).sha256.hex()[:16]}"
    fields = {"action": "has_issues", "comment": "¿Qué luz?", "pick": chosen}
    assert open_lab.browser.post("/lab/revisar/gente", data=fields).status_code == 303
    with signed_in_as(open_lab, "facilitator") as browser:
        assert "¿Qué luz?" in browser.get("/lab/avisos").text
        page = browser.get(f"/lab/avisos/{record}")
        assert page.status_code == 200 and "Luz" in page.text and "Berta" not in page.text
        assert browser.get(f"/lab/avisos/{record}/corregir").status_code == 403
        assert browser.post(f"/lab/avisos/{record}", data={"comment": "La de la calle"}).status_code == 303
    assert "Berta" in open_lab.browser.get(f"/lab/avisos/{record}").text
    [_, word] = words_on(open_lab.node, record)
    assert (word["by"], word["comment"]) == ("facilitator@ejemplo.pa", "La de la calle")


def test_a_facilitator_corrects_a_form_that_asks_for_nobody(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(edad="20"))
    say(open_lab, "has_issues", record, comment="¿20?")
    with signed_in_as(open_lab, "facilitator") as browser:
        address = f"/lab/avisos/{record}/corregir"
        done = because(browser, address, walk(browser, address, edad="22"), "Eran 22", _approve="1")
        assert done.headers["location"] == "/lab/avisos?done=1"
    assert edit_of(open_lab.node, record).review == ""


def test_what_was_erased_shows_neither_answers_nor_what_was_said(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(idea="chicheme"))
    say(open_lab, "has_issues", record, comment="pregunte por el chicheme")
    open_lab.erase(record)
    assert listed(open_lab, "?state=has_issues") == []
    assert "chicheme" not in open_lab.browser.get(f"{QUEUE}?record={record}").text
    assert "chicheme" not in open_lab.browser.get(f"/lab/avisos/{record}").text
    assert open_lab.browser.get(f"/lab/records/{record}/corregir").status_code == 404
