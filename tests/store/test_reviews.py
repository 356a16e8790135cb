"""What the lab says of records: the last word counts whatever the order of arrival, and queues find what waits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import select

from collector.db import reading, writing
from collector.queries import reviews
from collector.queries.records import Arrival, ingest
from collector.queries.reviews import Asked
from collector.tables.lab import Quality
from collector.tables.log import Record
from sync.statements import make_comment, make_decision, make_review, make_tombstone
from tests.store.conftest import MakeStore
from tests.store.test_settling import MOMENT, edit_of, keep, new_store, submission


def said(engine: Engine) -> dict[str, tuple[str, str]]:
    """Return id -> (state, review) of every submission and edit."""
    with reading(engine) as session:
        found = session.exec(select(Record)).all()
        return {it.id: (it.state, it.review) for it in found if it.kind in ("submission", "edit")}


def review(record: Arrival, state: str, at: int, comment: str = "") -> Arrival:
    return make_review(record.id, state, "ana@ejemplo.pa", comment, record.sha256.hex(), MOMENT + at)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Give the statements that go through SQLAlchemy meanwhile."""
    told: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


# --- settling


def test_the_last_review_counts_in_whatever_order_they_come(make_store: MakeStore) -> None:
    record = submission()
    words = [review(record, "approved", 10), review(record, "has_issues", 20), review(record, "rejected", 5)]
    for number, order in enumerate(permutations([record, *words])):
        engine = make_store(f"orden{number}")
        for arrival in order:
            keep(engine, arrival)
        assert said(engine) == {record.id: ("usable", "has_issues")}


def test_a_review_takes_another_back_by_saying_received(make_store: MakeStore) -> None:
    record = submission()
    engine = make_store()
    keep(engine, record, review(record, "rejected", 1), review(record, "received", 2))
    assert said(engine) == {record.id: ("usable", "")}


def test_an_edit_begins_as_received_and_the_first_one_keeps_what_was_said_of_it(make_store: MakeStore) -> None:
    first = submission()
    second = edit_of(first, 50)
    engine = make_store()
    keep(engine, first, review(first, "approved", 10), second)
    assert said(engine) == {first.id: ("replaced", "approved"), second.id: ("usable", "")}
    keep(engine, review(second, "has_issues", 60))
    assert said(engine)[second.id] == ("usable", "has_issues")


def test_a_review_is_of_the_content_that_was_looked_at(make_store: MakeStore) -> None:
    first = submission()
    other = submission(id=first.id, lang="en")
    engine = make_store()
    keep(engine, first, review(first, "approved", 1), other)
    keep(engine, make_decision(first.id, "use", other.sha256.hex(), "lab", at_ms=MOMENT + 9))
    assert said(engine) == {first.id: ("usable", "")}
    keep(engine, make_decision(first.id, "use", first.sha256.hex(), "lab", at_ms=MOMENT + 10))
    assert said(engine) == {first.id: ("usable", "approved")}


def test_a_review_without_a_hash_is_of_whatever_has_the_id(make_store: MakeStore) -> None:
    record = submission()
    engine = make_store()
    keep(engine, record, make_review(record.id, "rejected", "ana@ejemplo.pa"))
    assert said(engine) == {record.id: ("usable", "rejected")}


@pytest.mark.parametrize("state", ["perfecto", "", 7, None, ["approved"], {"a": 1}])
def test_what_is_no_state_says_nothing(make_store: MakeStore, state: Any) -> None:
    record = submission()
    engine = make_store()
    keep(engine, record, review(record, "approved", 1), make_review(record.id, state, "x", at_ms=MOMENT + 9))
    assert said(engine) == {record.id: ("usable", "approved")}


def test_an_erasure_takes_the_reviews_and_their_words_too(make_store: MakeStore) -> None:
    first = submission()
    second = edit_of(first, 50)
    words = [review(first, "has_issues", 10, "falta algo"), make_comment(second.id, "pin", "ya lo corregí")]
    engine = make_store()
    keep(engine, first, second, *words, make_tombstone(first.id, "person", ""))
    assert said(engine) == {first.id: ("erased", ""), second.id: ("erased", "")}
    with reading(engine) as session:
        assert [it.body for it in session.exec(select(Record)) if it.kind == "annotation"] == [None, None]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_review_that_is_erased_counts_no_more(make_store: MakeStore, order: tuple[int, ...]) -> None:
    record = submission()
    word = review(record, "rejected", 10)
    history = [record, word, make_tombstone(word.id, "ana@ejemplo.pa", "fue un error")]
    engine = make_store()
    for number in order:
        keep(engine, history[number])
    assert said(engine) == {record.id: ("usable", "")}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_order_of_reviews_edits_and_erasures_gives_the_same(tmp_path_factory: Any, data: st.DataObject) -> None:
    first = submission()
    edit, other = edit_of(first, 10), submission(1)
    target = st.sampled_from([first, edit, other])
    state = st.sampled_from(["received", "has_issues", "approved", "rejected"])
    words = [
        review(data.draw(target), data.draw(state), data.draw(st.integers(0, 4)))
        for _ in range(data.draw(st.integers(1, 6)))
    ]
    history = [first, edit, other, *words]
    if data.draw(st.booleans()):
        history.append(make_tombstone(data.draw(st.sampled_from(history)).id, "lab", ""))
    reference = outcome_of(tmp_path_factory, [history])
    order = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(order)))
    assert outcome_of(tmp_path_factory, [order[:cut], order[cut:], order[:2]]) == reference


def outcome_of(make_folder: Any, batches: list[list[Arrival]]) -> Any:
    engine = new_store(make_folder.mktemp("orden") / "collector.db")
    for batch in batches:
        keep(engine, *batch)
    with reading(engine) as session:
        found = sorted((it.id, it.state, it.review, it.body is None) for it in session.exec(select(Record)))
    engine.dispose()
    return found


def test_many_reviews_cost_as_many_statements_as_few(make_store: MakeStore) -> None:
    engine = make_store()
    records = [submission(n) for n in range(450)]
    keep(engine, *records)
    counts = []
    for some in (records[:5], records[5:]):
        with statements(engine) as told:
            keep(engine, *(review(record, "approved", 1) for record in some))
        counts.append(len(told))
    assert counts[1] <= counts[0] <= 20
    assert set(said(engine).values()) == {("usable", "approved")}


# --- queues


@pytest.fixture
def full(make_store: MakeStore) -> Engine:
    """A form with a record in each state and some more, from two nodes, and another form: on both databases."""
    return fill(make_store())


def fill(engine: Engine) -> Engine:
    records = [submission(n, answers={"lugar/municipio": "0810" if n % 2 else "0401"}) for n in range(8)]
    with writing(engine) as session:
        ingest(session, [record._replace(origin="n1" if n < 4 else "") for n, record in enumerate(records)], MOMENT)
        session.add(Quality(record_id=records[7].id, form="servicios", found='[{"what": "speeder"}]'))
    keep(
        engine, submission(form="otro"), edit_of(records[0], 30), review(records[1], "approved", 20),
        review(records[2], "has_issues", 20, "¿agua?"), review(records[3], "has_issues", 21, "¿luz?"),
        review(records[4], "rejected", 20, "broma"), make_comment(records[3].id, "pin", "sí", MOMENT + 40),
    )  # fmt: skip
    return engine


def ids(engine: Engine, **asked: Any) -> list[int]:
    """Return the numbers of the records in a queue."""
    with reading(engine) as session:
        return [line.n for line in reviews.queue(session, Asked("servicios", **asked), None, 50).lines]


def test_a_queue_holds_what_is_in_its_state_and_counts(full: Engine) -> None:
    assert ids(full, state="received") == [6, 7, 8, 10]  # the longest waiting first, the edit last
    assert ids(full, state="has_issues") == [4, 3]
    assert ids(full, state="answered") == [4]
    assert (ids(full, state="approved"), ids(full, state="rejected")) == ([2], [5])
    assert sorted(ids(full, state="")) == [2, 3, 4, 5, 6, 7, 8, 10]
    with reading(full) as session:
        assert reviews.state_counts(session, "servicios") == {
            "received": 4, "has_issues": 2, "approved": 1, "rejected": 1,
        }  # fmt: skip
        assert set(reviews.state_counts(session, "nada").values()) == {0}


def test_a_queue_is_filtered_by_node_municipality_and_what_was_noticed(full: Engine) -> None:
    assert ids(full, state="", nodes=("n1",)) == [4, 3, 2]
    assert ids(full, state="", nodes=()) == []
    assert ids(full, state="received", keys=("lugar/municipio",), place="0810") == [6, 8]
    assert ids(full, state="received", keys=("otra", "lugar/municipio"), place="0401") == [7]
    assert ids(full, state="received", is_flagged=True) == [8]


def test_an_answer_is_no_longer_one_after_the_next_review(full: Engine) -> None:
    with reading(full) as session:
        [line] = reviews.queue(session, Asked("servicios", "answered"), None, 5).lines
    keep(full, make_review(line.id, "has_issues", "ana@ejemplo.pa", "¿y la otra?", at_ms=MOMENT + 50))
    assert ids(full, state="answered") == []
    keep(full, make_comment(line.id, "pin", '"review":{"state":"approved"}', MOMENT + 60))
    assert ids(full, state="answered") == [line.n]


@pytest.mark.parametrize("state", ["received", "", "has_issues"])
def test_pages_of_a_queue_hold_every_record_once(
    make_store: MakeStore, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_store()
    records = [submission(n, answers={"lugar": "0810" if n == 17 else "0401"}) for n in range(25)]
    keep(engine, *records)
    if state == "has_issues":
        keep(engine, *(review(record, state, 1, "x") for record in records))
    monkeypatch.setattr(reviews, "WINDOW", 10)
    assert len(pages(engine, Asked("servicios", state), 4)) == 25
    rare = pages(engine, Asked("servicios", state, keys=("lugar",), place="0810"), 4)
    assert rare == [records[17].id]  # found though no page looks at all of them
    with reading(engine) as session:
        found, is_more = reviews.all_in_queue(session, Asked("servicios", state), 12)
        assert (len(found), is_more) == (12, True)
        found, is_more = reviews.all_in_queue(session, Asked("servicios", state), 25)
        assert len({line.id for line in found}) == 25


def pages(engine: Engine, asked: Asked, limit: int) -> list[str]:
    """Return the ids on all pages of a queue, one after the other; more than 20 pages are too many."""
    found: list[str] = []
    after: int | None = None
    with reading(engine) as session:
        for _ in range(20):
            page = reviews.queue(session, asked, after, limit)
            assert len(page.lines) <= limit
            found += [line.id for line in page.lines]
            after = page.after
            if after is None:
                assert len(set(found)) == len(found)
                return found
    raise AssertionError("it never ends")


def test_a_review_made_meanwhile_moves_nothing_that_still_waits(make_store: MakeStore) -> None:
    engine = make_store()
    records = [submission(n) for n in range(6)]
    keep(engine, *records)
    with reading(engine) as session:
        first = reviews.queue(session, Asked("servicios"), None, 2)
    keep(engine, review(records[0], "approved", 1), review(records[3], "approved", 1))
    with reading(engine) as session:
        rest = reviews.queue(session, Asked("servicios"), first.after, 9)
    assert [line.id for line in rest.lines] == [records[2].id, records[4].id, records[5].id]


@pytest.mark.parametrize("state", ["received", "", "has_issues", "approved"])
def test_queues_and_counts_go_by_an_index(tmp_path: Path, state: str) -> None:
    engine = fill(new_store(tmp_path / "collector.db"))
    plan = _plan_of(engine, Asked("servicios", state, is_flagged=True))
    engine.dispose()
    assert "USING" in plan
    assert "SCAN record" not in plan
    assert "TEMP B-TREE" not in plan


def _plan_of(engine: Engine, asked: Asked) -> str:
    told: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        told.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as session:
        reviews.queue(session, asked, 10, 5)
        reviews.state_counts(session, asked.form)
        event.remove(engine, "before_cursor_execute", note)
        asked_of = session.connection()
        plans = [asked_of.exec_driver_sql("EXPLAIN QUERY PLAN " + text, values) for text, values in told]
        return json.dumps([[str(row[3]) for row in rows] for rows in plans], indent=1)


# --- single records


def test_a_picked_record_tells_whether_it_still_counts_and_what_was_said_last(full: Engine) -> None:
    with reading(full) as session:
        every = {it.n: it.id for it in session.exec(select(Record)).all()}
        found = reviews.picked(session, [every[1], every[4], "019c0000-0000-7000-8000-000000000000"])
        assert [(it.id, it.is_usable, it.review, it.last_ms) for it in found] == [
            (every[1], False, "", 0),
            (every[4], True, "has_issues", MOMENT + 40),
        ]
        words = reviews.words_of(session, list(every.values()))
        assert {every[n]: len(words[every[n]]) for n in (2, 3, 4, 5)} == {
            every[2]: 1, every[3]: 1, every[4]: 2, every[5]: 1,
        }  # fmt: skip


def test_what_came_back_is_found_by_where_it_was_born(full: Engine) -> None:
    with reading(full) as session:
        assert [it.n for it in reviews.returned(session, ["servicios"], None, None, 9)] == [4, 3]
        assert [it.n for it in reviews.returned(session, ["servicios"], ("n1",), 4, 9)] == [3]
        assert reviews.returned(session, ["servicios"], ("",), None, 9) == []
        assert reviews.returned(session, ["otro"], None, None, 9) == []
