"""What pages and programs say of answers that their term took away."""

import html
from collections.abc import Iterator

import httpx
import pytest
from pyxform.xls2xform import convert

from collector import people
from collector.clock import now_ms
from collector.db import writing
from collector.retention import Retention
from collector.retention_clock import DAY_MS
from tests.lab.conftest import SURVEY, Lab

NAME = "Yamileth Him"


def with_terms() -> str:
    """Return version 3 of the form: the idea is direct and goes after 10 days, everything after 40."""
    text = SURVEY.format(version="3", edad="integer", more="", topics="")
    text = text.replace("| label::English (en)| required  |", "| label::English (en)| required | bind::privacy |")
    text = text.replace("| What would change? |           |", "| What would change? | | direct |")
    text = text.replace(
        "| default_language   |", "| default_language | attribute::retain_days_direct | attribute::retain_days_raw |"
    )
    return str(
        convert(
            text.replace("| Español (es)       |", "| Español (es) | 10 | 40 |"), validate=False, file_type=".md"
        ).xform
    )


@pytest.fixture
def record_id(open_lab: Lab) -> str:
    """Give a record that this node received forty days ago."""
    open_lab.publish(with_terms())
    return open_lab.put(open_lab.answer("3", idea=NAME, temas="agua luz"), received_ms=now_ms() - 40 * DAY_MS)[0]


def go_on(lab: Lab, first: int, last: int) -> None:
    """Let the node live from one day after the receipt to another."""
    state = lab.node.app.state
    retention = Retention(state.engine, state.forms)
    for day in range(first, last + 1):
        retention.run(now_ms() - (40 - day) * DAY_MS + 60_000)


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_the_page_of_a_form_says_how_long_answers_are_kept(open_lab: Lab, record_id: str) -> None:
    said = text_of(open_lab.browser.get("/lab/formularios/barrio"))
    assert "los datos directos se borran a los 10 días" in said
    assert "la respuesta entera se borra a los 40 días" in said
    english = text_of(open_lab.browser.get("/lab/formularios/barrio", headers={"Accept-Language": "en"}))
    assert "direct answers are removed after 10 days" in english


def test_a_form_without_terms_says_that_nothing_goes_by_itself(open_lab: Lab) -> None:
    assert "sin plazo" in text_of(open_lab.browser.get("/lab/formularios/barrio"))


def test_the_page_of_a_record_says_that_its_direct_answers_are_gone(open_lab: Lab, record_id: str) -> None:
    assert NAME in text_of(open_lab.browser.get(f"/lab/records/{record_id}"))
    go_on(open_lab, 1, 10)
    said = text_of(open_lab.browser.get(f"/lab/records/{record_id}"))
    assert "Sin los datos directos" in said and "se borraron por su plazo el" in said
    assert NAME not in said
    assert "dan el SHA-256 de la ficha" not in said and "antes de su plazo" in said


def test_the_page_of_a_record_says_that_its_term_erased_it(open_lab: Lab, record_id: str) -> None:
    go_on(open_lab, 1, 40)
    said = text_of(open_lab.browser.get(f"/lab/records/{record_id}"))
    assert "Borrado por su plazo" in said
    assert open_lab.browser.get(f"/lab/records/{record_id}.xml").status_code == 404


def test_the_page_of_counts_says_plainly_what_is_left_of_erased_answers(open_lab: Lab, record_id: str) -> None:
    assert 'id="kept"' not in open_lab.browser.get("/lab/forms/barrio").text
    go_on(open_lab, 1, 40)
    said = text_of(open_lab.browser.get("/lab/forms/barrio"))
    assert "porque su plazo pasó: 1." in said
    kept = said[said.index('id="kept"') :]
    for label in ("¿Qué temas?", "Agua", "Luz", "Municipio"):
        assert label in kept
    assert NAME not in said


@pytest.fixture
def program(lab: Lab) -> Iterator[httpx.Client]:
    with writing(lab.node.app.state.engine) as session:
        token = people.make_token(session, "todo", "identifiers", purpose="prueba")
    with httpx.Client(base_url=lab.node.url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_programs_read_the_change_and_that_something_was_left_out(
    open_lab: Lab, record_id: str, program: httpx.Client
) -> None:
    first = program.get("/api/v1/records").json()
    assert [(it["id"], it["hidden"]) for it in first["records"]] == [(record_id, "")]
    go_on(open_lab, 1, 10)
    second = program.get("/api/v1/records", params={"cursor": first["cursor"]}).json()
    (entry,) = second["records"]
    assert (entry["id"], entry["state"], entry["hidden"]) == (record_id, "usable", "identifiers")
    assert entry["record"]["answers"] == {"lugar/municipio": "0810", "temas": "agua luz"}
    go_on(open_lab, 11, 40)
    (entry,) = program.get("/api/v1/records", params={"cursor": second["cursor"]}).json()["records"]
    assert (entry["state"], entry["record"]) == ("erased", None)


def test_the_audit_says_what_the_node_did_by_itself(open_lab: Lab, record_id: str) -> None:
    go_on(open_lab, 1, 10)
    said = text_of(open_lab.browser.get("/lab/auditoria?que=retention"))
    assert "Borró por su plazo" in said and "barrio" in said
