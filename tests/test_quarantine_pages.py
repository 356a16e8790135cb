"""Repair in the lab: what waits is listed with its reason, and a decision makes it count, or not."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from collector.clock import iso
from collector.db import reading, writing
from collector.queries import quarantine
from collector.queries.records import Arrival, ingest, record_by_id
from collector.repair.rechecking import PAGE, recheck_form
from collector.submissions import flags_of
from collector.tables.log import Record
from sync.records import canonical_bytes, read_record, uuid7
from sync.statements import arrival_of, make_tombstone
from tests.conftest import Node, submission
from tests.stored import stored_records

SendOutbox = Callable[..., httpx.Response]
MOMENT = 1_795_190_400_000


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("central")
    publish(one, "confianza")
    return one


@pytest.fixture
def browser(node: Node, lab_login: Callable[[Node], httpx.Client]) -> httpx.Client:
    return lab_login(node)


def put(node: Node, *contents: dict[str, Any], why: str | None = None, via: str = "[]") -> list[Arrival]:
    """Put records into the log as another node would have sent them; checked as they arrive."""
    forms = node.app.state.forms
    read = [read_record(canonical_bytes(content)) for content in contents]
    arrivals = [
        arrival_of(one, why=one.why or why, via=via, flags="" if one.why or why else flags_of(forms, one.content))
        for one in read
    ]
    with writing(node.app.state.engine) as session:
        ingest(session, arrivals, MOMENT)
    return arrivals


def record(node: Node, record_id: str) -> Record:
    with reading(node.app.state.engine) as session:
        found = record_by_id(session, record_id)
    assert found is not None
    return found


def usable(node: Node, form: str = "confianza") -> list[str]:
    with reading(node.app.state.engine) as session:
        return [json.loads(each.body or "{}")["lang"] for each in stored_records(session, form)]


def pick(arrival: Arrival) -> str:
    return f"{arrival.id} {arrival.sha256.hex()}"


def conflict(node: Node) -> tuple[Arrival, Arrival]:
    first = submission()
    answers = dict(first["answers"]) | {"confianza_gente": "4"}  # type: ignore[call-overload]
    one, other = put(node, first, first | {"answers": answers, "lang": "en"})
    return one, other


def test_each_reason_is_listed_in_plain_words(node: Node, browser: httpx.Client) -> None:
    conflict(node)
    put(node, submission(), why="revoked_node", via=json.dumps([{"node": "ab" * 16, "epoch": "e", "n": 1}]))
    put(node, submission(), why="not_allowed")
    put(node, {"id": uuid7(), "answers": {"edad": "x"}, "salt": "x"})
    put(node, submission(form="jornada", version="1"))
    page = browser.get("/lab/cuarentena").text
    for words in (
        "Mismo registro, dos contenidos", "Vino de un equipo dado de baja", "Quiso cambiar otro registro",
        "Le faltan datos", "Formulario que no conocemos", "jornada 1", "abababab", "Abiertos 5",
    ):  # fmt: skip
        assert words in page, words
    only = browser.get("/lab/cuarentena?why=conflict").text
    assert only.count('name="pick"') == 1 and "jornada 1" not in only


def test_the_list_alone_answers_htmx(node: Node, browser: httpx.Client) -> None:
    conflict(node)
    part = browser.get("/lab/cuarentena?why=conflict", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="waiting">') and "<html" not in part


def test_nobody_sees_it_without_signing_in(node: Node) -> None:
    one, _ = conflict(node)
    for path in ("/lab/cuarentena", "/lab/cuarentena/resueltos", f"/lab/cuarentena/{one.id}", "/lab/borrados"):
        answer = httpx.get(node.url + path, headers={"Accept": "text/html"})
        assert answer.status_code == 303 and answer.headers["location"].startswith("/lab/login"), path
    posted = httpx.post(f"{node.url}/lab/cuarentena/{one.id}", data={"pick": pick(one), "action": "use"})
    assert posted.status_code == 401 and record(node, one.id).state == "contested"


def test_a_conflict_is_shown_side_by_side_and_the_chosen_content_counts(node: Node, browser: httpx.Client) -> None:
    one, other = conflict(node)
    page = browser.get(f"/lab/cuarentena/{one.id}").text
    assert page.count('class="changed"') == 2 and "1 de 9 respuestas cambian" in page
    assert usable(node) == []
    done = browser.post(
        f"/lab/cuarentena/{one.id}", data={"pick": pick(other), "action": "use", "reason": "Lo corrigió la persona"}
    )
    assert done.status_code == 200 and "Lo corrigió la persona" in done.text
    assert usable(node) == ["en"]
    resolved = browser.get("/lab/cuarentena/resueltos").text
    assert "lab@example.org" in resolved and "Lo corrigió la persona" in resolved
    assert "No hay nada por reparar" in browser.get("/lab/cuarentena").text


def test_a_decision_can_be_taken_back_by_a_later_one(node: Node, browser: httpx.Client) -> None:
    one, other = conflict(node)
    for arrival, lang in ((other, "en"), (one, "es"), (other, "en")):
        browser.post(f"/lab/cuarentena/{one.id}", data={"pick": pick(arrival), "action": "use"})
        assert usable(node) == [lang]
    with reading(node.app.state.engine) as session:
        entry = quarantine.entry_of(session, one.id)
    assert entry is not None and len(entry.decisions) == 3


def test_setting_one_aside_leaves_the_other_and_loses_nothing(node: Node, browser: httpx.Client) -> None:
    one, other = conflict(node)
    browser.post(f"/lab/cuarentena/{one.id}", data={"pick": pick(other), "action": "set_aside"})
    assert usable(node) == ["es"]
    with reading(node.app.state.engine) as session:
        entry = quarantine.entry_of(session, one.id)
    assert entry is not None and {content.body for content in entry.contents} == {one.body, other.body}


def test_what_no_form_knows_is_previewed_and_given_to_a_form(node: Node, browser: httpx.Client) -> None:
    content = submission(form="jornada", version="x")
    content["answers"] = dict(content["answers"]) | {"otra": "1", "edad": "no es una opción"}  # type: ignore[call-overload]
    (arrival,) = put(node, content)
    assert "form_unknown" in record(node, arrival.id).flags
    choice = "confianza/2026112200"
    seen = browser.get(f"/lab/cuarentena/{arrival.id}", params={"form": choice})
    assert "Caben 8 de 10 respuestas" in seen.text
    part = browser.get(f"/lab/cuarentena/{arrival.id}", params={"form": choice}, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="attach">') and "Caben 8 de 10" in part
    assert record(node, arrival.id).form == "jornada"
    before = record(node, arrival.id).changed_n
    browser.post(f"/lab/cuarentena/{arrival.id}", data={"pick": pick(arrival), "action": "use", "form": choice})
    after = record(node, arrival.id)
    assert (after.form, after.version, after.body) == ("confianza", "2026112200", arrival.body)
    whats = {flag["what"] for flag in json.loads(after.flags)}
    assert whats == {"unknown", "choice"} and after.changed_n > before


def test_a_record_without_a_form_needs_one_to_be_used(node: Node, browser: httpx.Client) -> None:
    (arrival,) = put(node, {"id": uuid7(), "answers": {"edad": "18_29"}, "salt": "x"})
    url = f"/lab/cuarentena/{arrival.id}"
    refused = browser.post(url, data={"pick": pick(arrival), "action": "use"})
    assert refused.status_code == 422 and "de qué formulario" in refused.text
    browser.post(url, data={"pick": pick(arrival), "action": "use", "form": "confianza/2026112200"})
    found = record(node, arrival.id)
    assert (found.form, found.state) == ("confianza", "usable")
    assert "required" in {flag["what"] for flag in json.loads(found.flags)}


def test_a_form_that_is_not_here_is_not_given(node: Node, browser: httpx.Client) -> None:
    (arrival,) = put(node, submission(form="jornada", version="x"))
    url = f"/lab/cuarentena/{arrival.id}"
    answer = browser.post(url, data={"pick": pick(arrival), "action": "use", "form": "jornada/x"})
    assert answer.status_code == 404 and record(node, arrival.id).form == "jornada"
    assert "Caben" not in browser.get(url, params={"form": "jornada/x"}).text


def test_several_are_decided_at_once(node: Node, browser: httpx.Client) -> None:
    arrivals = put(node, *(submission() for _ in range(5)), why="revoked_node")
    browser.post("/lab/cuarentena", data={"pick": [pick(it) for it in arrivals[:3]], "action": "use"})
    browser.post("/lab/cuarentena", data={"pick": [pick(arrivals[3])], "action": "set_aside"})
    assert len(usable(node)) == 3
    with reading(node.app.state.engine) as session:
        assert quarantine.open_counts(session) == {"revoked_node": 1}


def test_all_of_one_reason_are_decided_at_once(node: Node, browser: httpx.Client) -> None:
    put(node, *(submission() for _ in range(130)), why="revoked_node")
    put(node, submission(), why="not_allowed")
    page = browser.post("/lab/cuarentena?why=revoked_node", data={"all": "revoked_node", "action": "use"})
    assert "Se decidió sobre 130." in page.text and len(usable(node)) == 130
    with reading(node.app.state.engine) as session:
        assert quarantine.open_counts(session) == {"not_allowed": 1}


def test_many_of_an_unknown_form_are_given_to_one_at_once(node: Node, browser: httpx.Client) -> None:
    strange = put(node, *(submission(form="jornada", version="x") for _ in range(3)))
    known = put(node, submission(), why="revoked_node")
    picks = [pick(arrival) for arrival in (*strange, *known)]
    browser.post("/lab/cuarentena", data={"pick": picks, "action": "use", "form": "confianza/2026112200"})
    assert len(usable(node)) == 4
    assert all(record(node, arrival.id).form == "confianza" for arrival in (*strange, *known))


def test_nothing_chosen_changes_nothing_and_says_so(node: Node, browser: httpx.Client) -> None:
    conflict(node)
    answer = browser.post("/lab/cuarentena", data={"action": "use"})
    assert answer.status_code == 422 and "No eligió ningún registro" in answer.text
    strange = {"pick": ["x", "a b", f"{uuid7()} {'0' * 64}"], "action": "use"}
    assert browser.post("/lab/cuarentena", data=strange).status_code == 422
    assert browser.post("/lab/cuarentena", data={"action": "vuele"}).status_code == 400
    assert browser.get(f"/lab/cuarentena/{uuid7()}").status_code == 404


def test_a_released_erasure_erases(node: Node, browser: httpx.Client, send_outbox: SendOutbox) -> None:
    (arrival,) = put(node, submission())
    tombstone = make_tombstone(arrival.id, "person", "")
    sent = send_outbox(node, json.loads(tombstone.body))
    assert sent.json()["results"] == {tombstone.id: "quarantined"} and record(node, arrival.id).state == "usable"
    browser.post(f"/lab/cuarentena/{tombstone.id}", data={"pick": pick(tombstone), "action": "use"})
    assert (record(node, arrival.id).state, record(node, arrival.id).body) == ("erased", None)


def test_the_pages_bear_any_content(node: Node, browser: httpx.Client) -> None:
    deep: Any = "x"
    for _ in range(25):
        deep = {"a": [deep]} if isinstance(deep, str) else {"a": deep}
    odd: list[Any] = [None, [], "x", {"edad": deep}, {"edad": ["a", None, 3]}, {"": {"": ""}}, {"<b>": "<script>"}]
    arrivals = [put(node, {"id": uuid7(), "answers": answers, "salt": "x"})[0] for answers in odd]
    arrivals += [put(node, submission(form=7, answers=3, lang=None))[0]]
    assert browser.get("/lab/cuarentena").status_code == 200
    for arrival in arrivals:
        page = browser.get(f"/lab/cuarentena/{arrival.id}", params={"form": "confianza/2026112200"})
        assert page.status_code == 200 and "<script>" not in page.text
        given = {"pick": pick(arrival), "action": "use", "form": "confianza/2026112200"}
        assert browser.post(f"/lab/cuarentena/{arrival.id}", data=given).status_code == 200
        assert record(node, arrival.id).form == "confianza"
        assert browser.get(f"/lab/records/{arrival.id}").status_code == 200


def test_pages_of_the_list_lead_to_each_other(node: Node, browser: httpx.Client) -> None:
    put(node, *(submission() for _ in range(60)), why="revoked_node")
    put(node, *(submission(form="jornada", version="x") for _ in range(10)))
    seen: set[str] = set()
    address: str | None = "/lab/cuarentena"
    for _ in range(3):
        page = browser.get(str(address)).text
        seen |= set(re.findall(r'name="pick" value="([^"]+)"', page))
        older = re.search(r'href="(/lab/cuarentena\?why=&amp;before=\d+)"', page)
        if older is None:
            break
        address = older[1].replace("&amp;", "&")
    assert len(seen) == 70


# --- records that waited for their form


def test_records_are_checked_when_their_form_comes(
    make_node: Callable[..., Node], starter_xforms: dict[str, str]
) -> None:
    node = make_node("central")
    right, wrong = submission(), submission(answers={"edad": "no es una opción"})
    arrivals = put(node, right, wrong, submission(form="otro"))
    assert [bool(record(node, it.id).flags) for it in arrivals] == [True, True, True]
    numbers = [record(node, it.id).changed_n for it in arrivals]
    assert node.app.state.install_form(starter_xforms["confianza"]) is True
    first, second, third = (record(node, it.id) for it in arrivals)
    assert {flag["what"] for flag in json.loads(first.flags or "[]")} == {"form_differs"}
    assert {"choice", "required"} <= {flag["what"] for flag in json.loads(second.flags)}
    assert "form_unknown" in third.flags
    assert [it.changed_n > before for it, before in zip((first, second, third), numbers, strict=True)] == [
        True, True, False,
    ]  # fmt: skip
    assert node.app.state.install_form(starter_xforms["confianza"]) is False


def test_more_records_than_a_page_are_checked_and_the_clock_stays_noticed(
    make_node: Callable[..., Node], starter_xforms: dict[str, str]
) -> None:
    node = make_node("central")
    contents = [submission() for _ in range(PAGE + 30)]
    put(node, *contents[:230])
    clock = json.dumps([{"key": "", "what": "form_unknown", "text": ""}, {"key": "", "what": "clock", "text": "70"}])
    late = arrival_of(read_record(canonical_bytes(submission(finished=iso(MOMENT)))), flags=clock)
    with writing(node.app.state.engine) as session:
        ingest(session, [late], MOMENT)
    node.app.state.install_form(starter_xforms["confianza"])
    with reading(node.app.state.engine) as session:
        left = quarantine.open_counts(session)
    assert left == {"form_differs": PAGE + 31, "clock": 1}
    assert recheck_form(node.app.state.forms, node.app.state.engine, "confianza", "2026112200") == 0


def test_a_form_that_comes_by_sync_checks_what_waited(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)
    (arrival,) = put(field, submission())
    assert "form_unknown" in record(field, arrival.id).flags
    publish(central, "confianza")
    field.app.state.sync_now()
    assert "form_unknown" not in record(field, arrival.id).flags


def test_counting_what_waits_asks_the_indexes_for_what_is_open_and_for_decisions(
    make_node: Callable[..., Node],
) -> None:
    node = make_node("central")
    with reading(node.app.state.engine) as session:
        asked: list[str] = []
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        quarantine.open_counts(session)
        quarantine.list_open(session, "form_unknown", None, 10)
        found = [sql for sql in asked if "word.about" in sql]
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?")).all()) for sql in found
        ]
        (apart,) = [sql for sql in asked if "GROUP BY quarantine.why" in sql]
        counted = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {apart}").all())
    assert len(plans) == 2 and all("word USING INDEX ix_record_about" in plan for plan in plans)
    assert "USING INDEX ix_quarantine_open" in counted


def test_a_content_that_no_page_can_hold_is_shown_as_well_as_can_be(node: Node, browser: httpx.Client) -> None:
    content = submission()
    body = json.dumps(content, sort_keys=True, separators=(",", ":")).replace('"nunca"', '"\\udfff x"')
    headers = {"Content-Type": "application/x-ndjson"}
    assert httpx.post(f"{node.url}/sync/v1/outbox", content=body, headers=headers).status_code == 200
    shown = browser.get(f"/lab/cuarentena/{content['id']}")
    assert (shown.status_code, "? x" in shown.text) == (200, True)
