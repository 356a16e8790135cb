"""Reviewing in the lab: queues, verdicts one by one and many at once, and who may."""

import html
import json
import re
from typing import Any

import pytest
from pyxform.xls2xform import convert
from sqlalchemy import event

from collector.db import writing
from collector.tables.nodes import Node as NodeRow
from tests.lab.conftest import Lab
from tests.lab.review_pages import (
    QUEUE,
    WITH_NAME,
    acts,
    listed,
    of_records,
    picks,
    put,
    say,
    signed_in_as,
    stored,
    words_on,
)

# --- one record


def test_a_record_waits_in_the_queue_until_somebody_says_something(open_lab: Lab) -> None:
    first, second = open_lab.put(open_lab.answer(edad="20"), open_lab.answer(edad="30"))
    assert listed(open_lab) == [first, second]
    done = say(open_lab, "approve", first, next=second)
    assert done.status_code == 303
    assert done.headers["location"] == f"{QUEUE}?record={second}&done=1"
    assert stored(open_lab.node, first).review == "approved"
    assert (listed(open_lab), listed(open_lab, "?state=approved")) == ([second], [first])
    assert f"record={second}" in open_lab.browser.get(done.headers["location"]).text


def test_the_record_stands_beside_the_list_with_its_answers_and_notices(open_lab: Lab) -> None:
    flags = json.dumps([{"key": "edad", "what": "constraint", "text": "200"}])
    [record] = open_lab.put(open_lab.answer(edad="200", idea="Más <luz>"), flags=flags)
    page = open_lab.browser.get(f"{QUEUE}?record={record}").text
    assert "Más &lt;luz&gt;" in page and "La respuesta no cumple la regla de la pregunta." in page
    assert listed(open_lab, "?flagged=1") == [record]
    part = open_lab.browser.get(f"{QUEUE}?record={record}", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<div id="beside"') and "Más &lt;luz&gt;" in part


def test_issues_and_refusals_need_a_comment_and_nothing_is_lost_without(open_lab: Lab) -> None:
    one, two = open_lab.put(open_lab.answer(), open_lab.answer())
    for action in ("has_issues", "reject", "comment"):
        page = say(open_lab, action, one, two)
        assert page.status_code == 422 and "Escriba qué pasa" in page.text
        assert page.text.count("checked") == 2
    assert say(open_lab, "approve").status_code == 422
    assert not words_on(open_lab.node, one)
    assert say(open_lab, "has_issues", one, comment="¿Cuántos años?").status_code == 303
    assert stored(open_lab.node, one).review == "has_issues"


def test_two_taps_on_a_button_say_it_once_and_another_word_is_another_one(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer())
    for action, comment in (("approve", ""), ("comment", "Llamar"), ("has_issues", "¿Cuántos años?")):
        before = len(words_on(open_lab.node, record))
        for _ in range(3):
            assert say(open_lab, action, record, comment=comment).headers["location"].endswith("done=1")
        assert len(words_on(open_lab.node, record)) == before + 1
    say(open_lab, "has_issues", record, comment="¿Y dónde vive?")
    assert len(words_on(open_lab.node, record)) == 4
    assert len(acts(open_lab.node, "review")) == 4


def test_a_queue_says_nothing_of_records_of_another_form(open_lab: Lab) -> None:
    open_lab.publish(str(convert(WITH_NAME, validate=False, file_type=".md").xform))
    [record] = open_lab.put(open_lab.answer())
    pick = f"{record} {stored(open_lab.node, record).sha256.hex()[:16]}"
    for fields in ({"action": "approve"}, {"action": "comment", "comment": "hola"}):
        done = open_lab.browser.post("/lab/revisar/gente", data={"pick": pick, **fields})
        assert done.headers["location"] == "/lab/revisar/gente?skipped=1"
    assert not words_on(open_lab.node, record) and not acts(open_lab.node, "review")


def test_what_is_said_is_a_record_that_travels_and_the_audit_knows_who_said_it(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer())
    say(open_lab, "reject", record, comment="  Es una   prueba \n del equipo ")
    [word] = words_on(open_lab.node, record)
    sha256 = stored(open_lab.node, record).sha256.hex()
    assert word["review"] == {"state": "rejected", "sha256": sha256}
    assert (word["by"], word["comment"]) == ("ana@ejemplo.pa", "Es una prueba del equipo")
    assert acts(open_lab.node, "review") == [("ana@ejemplo.pa", record, 1)]


def test_the_last_word_counts_even_when_a_clock_elsewhere_is_ahead(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer())
    later = "2099-01-01T00:00:00.000Z"
    ahead = {"kind": "annotation", "about": record, "by": "x", "review": {"state": "rejected"}, "finished": later}
    content = open_lab.answer() | ahead
    put(open_lab, {key: content[key] for key in ("id", "salt", *ahead)})
    assert stored(open_lab.node, record).review == "rejected"
    say(open_lab, "approve", record)
    assert stored(open_lab.node, record).review == "approved"


def test_a_record_that_changed_while_somebody_looked_is_not_touched(open_lab: Lab) -> None:
    old, other = open_lab.put(open_lab.answer(), open_lab.answer())
    put(open_lab, open_lab.answer() | {"kind": "edit", "replaces": old})
    done = say(open_lab, "approve", old, other)
    assert done.headers["location"] == f"{QUEUE}?done=1&skipped=1"
    assert (stored(open_lab.node, old).review, stored(open_lab.node, other).review) == ("", "approved")
    assert "1 no se tocaron" in open_lab.browser.get(done.headers["location"]).text
    wrong = open_lab.browser.post(QUEUE, data={"action": "approve", "pick": f"{other} {'0' * 16}"})
    assert wrong.headers["location"] == f"{QUEUE}?skipped=1"


def test_a_record_of_another_form_is_not_shown_in_this_queue(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.record("otro", {"a": "b"}))
    assert open_lab.browser.get(f"{QUEUE}?record={record}").status_code == 404
    assert open_lab.browser.get(f"{QUEUE}?record=019c0000-0000-7000-8000-000000000000").status_code == 404
    assert open_lab.browser.get("/lab/revisar/nada").status_code == 404


# --- many


def test_the_chosen_ones_are_reviewed_in_one_write_of_few_statements(open_lab: Lab) -> None:
    few = open_lab.put(*(open_lab.answer() for _ in range(3)))
    many = open_lab.put(*(open_lab.answer() for _ in range(100)))
    counts = []
    for some in (few, many):
        told: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any, told: list[str] = told) -> None:
            told.append(statement)

        chosen = [f"{each} {stored(open_lab.node, each).sha256.hex()[:16]}" for each in some]
        event.listen(open_lab.node.app.state.engine, "before_cursor_execute", note)
        done = open_lab.browser.post(QUEUE, data={"action": "approve", "pick": chosen})
        event.remove(open_lab.node.app.state.engine, "before_cursor_execute", note)
        assert done.headers["location"] == f"{QUEUE}?done={len(some)}"
        counts.append(len(of_records(told)))
    assert 5 < counts[1] <= counts[0] <= 12
    assert acts(open_lab.node, "review")[-1] == ("ana@ejemplo.pa", "barrio", 100)


def test_all_that_match_are_reviewed_after_a_page_that_says_how_many(open_lab: Lab) -> None:
    wanted = open_lab.put(*(open_lab.answer(lugar__municipio="0401") for _ in range(60)))
    others = open_lab.put(*(open_lab.answer() for _ in range(3)))
    page = open_lab.browser.post(f"{QUEUE}?place=0401", data={"action": "reject", "all": "1", "comment": "prueba"})
    assert page.status_code == 200
    assert "60 registros cumplen los filtros" in page.text and "Alanje" in page.text
    assert {pick.split()[0] for pick in picks(page.text)} == set(wanted)
    late = open_lab.put(open_lab.answer(lugar__municipio="0401"))
    fields = {"action": "reject", "comment": "prueba", "pick": picks(page.text)}
    done = open_lab.browser.post(f"{QUEUE}?place=0401", data=fields)
    assert done.headers["location"] == f"{QUEUE}?place=0401&done=60"
    assert {stored(open_lab.node, each).review for each in wanted} == {"rejected"}
    assert {stored(open_lab.node, each).review for each in (*others, *late)} == {""}


def test_no_more_than_five_hundred_are_taken_at_once_and_the_page_says_so(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer() for _ in range(502)))
    page = open_lab.browser.post(QUEUE, data={"action": "approve", "all": "1"}).text
    assert len(picks(page)) == 500 and "Son los primeros 500" in page
    assert open_lab.browser.post(QUEUE, data={"action": "approve", "pick": picks(page)}).status_code == 303
    assert len(listed(open_lab)) == 2


def test_a_queue_goes_on_over_pages(open_lab: Lab) -> None:
    ids = open_lab.put(*(open_lab.answer() for _ in range(60)))
    page = open_lab.browser.get(QUEUE).text
    [more] = re.findall(r'href="([^"]*\?after=\d+)"', page)
    assert [pick.split()[0] for pick in picks(page)] == ids[:50]
    assert [pick.split()[0] for pick in picks(open_lab.browser.get(html.unescape(more)).text)] == ids[50:]


def test_queues_are_filtered_by_where_a_record_was_born(open_lab: Lab) -> None:
    [here] = open_lab.put(open_lab.answer())
    [there] = open_lab.put(open_lab.answer(), origin="n1")
    assert listed(open_lab, "?node=here") == [here]
    assert listed(open_lab, "?node=n1") == [there]
    assert listed(open_lab, "?node=nadie") == []


def test_a_form_that_asks_for_no_municipality_goes_by_where_its_nodes_work(open_lab: Lab) -> None:
    open_lab.publish(str(convert(WITH_NAME, validate=False, file_type=".md").xform))
    [there] = open_lab.put(open_lab.record("gente", {"idea": "Luz"}), origin="n1")
    [here] = open_lab.put(open_lab.record("gente", {"idea": "Agua"}))
    with writing(open_lab.node.app.state.engine) as session:
        session.add(NodeRow(id="n1", name="Alanje 1", token_sha256="", enrolled_ms=1, municipality="0401"))
    found = {
        query: [pick.split()[0] for pick in picks(open_lab.browser.get(f"/lab/revisar/gente{query}").text)]
        for query in ("", "?place=0401", "?place=0810", "?place=0401&node=here", "?place=0401&node=n1")
    }
    assert found == {
        "": [there, here], "?place=0401": [there], "?place=0810": [], "?place=0401&node=here": [],
        "?place=0401&node=n1": [there],
    }  # fmt: skip


def test_a_page_of_fifty_asks_as_often_as_a_page_of_three(open_lab: Lab) -> None:
    counts = []
    for more in (3, 60):
        ids = open_lab.put(*(open_lab.answer() for _ in range(more)))
        told: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any, told: list[str] = told) -> None:
            told.append(statement)

        event.listen(open_lab.node.app.state.engine, "before_cursor_execute", note)
        assert open_lab.browser.get(f"{QUEUE}?record={ids[0]}").status_code == 200
        event.remove(open_lab.node.app.state.engine, "before_cursor_execute", note)
        counts.append(len(of_records(told)))
    assert 5 < counts[1] <= counts[0] <= 20


def test_the_whole_record_leads_to_its_review_for_who_may(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer())
    link = f"{QUEUE}?state=all&amp;record={record}"
    assert link in open_lab.browser.get(f"/lab/records/{record}").text
    assert open_lab.browser.get(html.unescape(link)).status_code == 200
    with signed_in_as(open_lab, "analyst") as browser:
        assert link not in browser.get(f"/lab/records/{record}").text


def test_odd_filters_and_posts_are_met_with_an_answer(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer())
    for query in ("?state=nada", "?place=%22%27", "?node=%00", "?after=9007199254740992", "?record=", "?done=5"):
        assert open_lab.browser.get(QUEUE + query).status_code == 200, query
    assert open_lab.browser.get(f"{QUEUE}?after=-1").status_code in (400, 422)
    for fields in ({}, {"action": "nada"}, {"action": "approve", "pick": "x"}, {"action": "approve", "pick": " "}):
        assert open_lab.browser.post(QUEUE, data=fields).status_code in (303, 400, 422)


# --- who may


@pytest.mark.parametrize(("role", "may"), [("lab", True), ("analyst", False), ("facilitator", False)])
def test_only_who_may_review_does(open_lab: Lab, role: str, may: bool) -> None:
    [record] = open_lab.put(open_lab.answer())
    sha256 = stored(open_lab.node, record).sha256.hex()[:16]
    with signed_in_as(open_lab, role) as browser:
        wanted = 200 if may else 403
        for path in ("/lab/revisar", QUEUE, f"{QUEUE}?record={record}", f"/lab/records/{record}/corregir"):
            assert browser.get(path).status_code == wanted, path
        done = browser.post(QUEUE, data={"action": "approve", "pick": f"{record} {sha256}"})
        assert done.status_code == (303 if may else 403)
    assert stored(open_lab.node, record).review == ("approved" if may else "")
    assert open_lab.browser.get(f"{QUEUE}?record={record}").status_code == 200
    assert ("ana@ejemplo.pa", record, 1) in acts(open_lab.node, "read_record")


def test_nobody_reviews_without_signing_in(lab: Lab) -> None:
    [record] = lab.put(lab.answer())
    for path in ("/lab/revisar", QUEUE, f"/lab/records/{record}/corregir", "/lab/avisos", f"/equipo/avisos/{record}"):
        assert lab.browser.get(path).status_code in (303, 401), path
    assert lab.browser.post(QUEUE, data={"action": "approve", "pick": f"{record} x"}).status_code in (303, 401)
    assert lab.browser.post(f"/equipo/avisos/{record}", data={"comment": "x"}).status_code in (303, 401)
    assert not words_on(lab.node, record)


def test_the_pages_speak_english_too(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer())
    page = open_lab.browser.get(f"{QUEUE}?record={record}", headers={"Accept-Language": "en"}).text
    assert "Has issues" in page and "Approve" in page
