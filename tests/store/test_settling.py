"""Edits, decisions and erasures: what counts in the end does not depend on the order in which records came."""

import hashlib
import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from collector.clock import iso
from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import store
from collector.queries.erasures import erased_ids, list_erasures, wipe_traces
from collector.queries.records import Arrival, ingest, log_after
from collector.tables.files import Blob, BlobChunk, BlobName
from collector.tables.log import Quarantine, Record
from sync.records import new_salt, uuid7
from sync.statements import made, make_decision, make_tombstone
from tests.stored import stored_records

MOMENT = 1_795_000_000_000
SECRET = "Una palabra que nadie más dice: chicheme"


def submission(at: int = 0, **given: Any) -> Arrival:
    return made(
        {
            "id": uuid7(MOMENT + at), "kind": "submission", "form": "servicios", "version": "1", "form_sha": "0" * 16,
            "started": iso(MOMENT), "finished": iso(MOMENT + at), "lang": "es", "salt": new_salt(),
            "answers": {"agua": SECRET},
        } | given
    )  # fmt: skip


def edit_of(record: Arrival, at: int, **given: Any) -> Arrival:
    return submission(at, kind="edit", replaces=record.id, **given)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_store(tmp_path / "collector.db")
    yield engine
    engine.dispose()


def new_store(path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{path}")
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    return engine


def keep(engine: Engine, *arrivals: Arrival) -> list[str]:
    with writing(engine) as session:
        return list(ingest(session, arrivals, MOMENT))


def states(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {record.id: record.state for record in session.exec(select(Record))}


def outcome(engine: Engine) -> tuple[Any, ...]:
    """Return what a reader can see: no numbers, which say in which order things came.

    Which of several contents stands first while nobody decided, or once all are erased, is of no matter.
    """
    with reading(engine) as session:
        records = [
            (it.id, it.sha256 if it.state in ("usable", "replaced") else b"", it.state, it.form, it.body is None)
            for it in session.exec(select(Record))
        ]
        aside = [(it.id, it.sha256) for it in session.exec(select(Quarantine)) if it.resolved_by and it.body]
        return sorted(records), sorted(aside)


def test_an_edit_takes_the_place_of_what_it_replaces(engine: Engine) -> None:
    first = submission()
    second = edit_of(first, 10)
    third = edit_of(second, 20)
    keep(engine, first, second, third)
    assert states(engine) == {first.id: "replaced", second.id: "replaced", third.id: "usable"}


def test_of_two_edits_of_the_same_record_the_later_one_counts(engine: Engine) -> None:
    first = submission()
    later, earlier = edit_of(first, 20), edit_of(first, 10)
    keep(engine, later, first, earlier)
    assert states(engine) == {first.id: "replaced", earlier.id: "replaced", later.id: "usable"}


def test_a_decision_makes_one_of_two_contents_count(engine: Engine) -> None:
    first = submission()
    other = submission(id=first.id, lang="en")
    assert keep(engine, first, other) == ["stored", "quarantined"]
    assert states(engine) == {first.id: "contested"}
    keep(engine, make_decision(first.id, "use", other.sha256.hex(), "lab"))
    with reading(engine) as session:
        (record,) = stored_records(session)
        (aside,) = session.exec(select(Quarantine)).all()
    assert (record.state, record.body, record.sha256) == ("usable", other.body, other.sha256)
    assert (aside.body, bool(aside.resolved_by)) == (first.body, True)


def test_what_is_set_aside_leaves_the_other_one(engine: Engine) -> None:
    first = submission()
    other = submission(id=first.id, lang="en")
    keep(engine, first, other, make_decision(first.id, "set_aside", first.sha256.hex(), "lab"))
    with reading(engine) as session:
        (record,) = stored_records(session)
    assert record.body == other.body


def test_a_later_decision_wins_over_an_earlier_one(engine: Engine) -> None:
    first = submission()
    other = submission(id=first.id, lang="en")
    after = make_decision(first.id, "use", first.sha256.hex(), "lab", at_ms=MOMENT + 99)
    before = make_decision(first.id, "use", other.sha256.hex(), "lab", at_ms=MOMENT + 50)
    keep(engine, first, other, after)
    keep(engine, before)
    with reading(engine) as session:
        (record,) = stored_records(session)
    assert record.body == first.body


def test_what_no_form_knows_can_be_given_to_a_form(engine: Engine) -> None:
    record = submission(form="servicioss", version="x")
    keep(engine, record, make_decision(record.id, "use", record.sha256.hex(), "lab", "servicios", "1"))
    with reading(engine) as session:
        (found,) = stored_records(session, "servicios")
    assert (found.version, found.body, found.sha256) == ("1", record.body, record.sha256)


def test_a_bad_record_can_be_released_as_a_submission_of_a_form(engine: Engine) -> None:
    content = {"id": uuid7(MOMENT), "answers": {"agua": "poca"}, "salt": "x"}
    bad = made(content)
    assert keep(engine, bad) == ["quarantined"]
    keep(engine, make_decision(bad.id, "use", bad.sha256.hex(), "lab", "servicios", "1"))
    with reading(engine) as session:
        (found,) = stored_records(session, "servicios")
        assert session.exec(select(Quarantine)).all() == []
    assert (found.kind, found.body) == ("submission", bad.body)


def test_a_released_erasure_erases(engine: Engine) -> None:
    record = submission()
    tombstone = make_tombstone(record.id, "lab", "")
    aside = Arrival(tombstone.id, tombstone.sha256, tombstone.body, why="revoked_node")
    keep(engine, record, aside)
    assert states(engine) == {record.id: "usable"}
    keep(engine, make_decision(tombstone.id, "use", tombstone.sha256.hex(), "lab"))
    assert states(engine)[record.id] == "erased"


def apart(arrival: Arrival) -> Arrival:
    """Return it as it comes from a revoked node: nothing is known of it but its bytes."""
    return Arrival(arrival.id, arrival.sha256, arrival.body, why="revoked_node")


def test_what_is_released_keeps_its_receipt_code_and_its_moment(engine: Engine) -> None:
    record = submission(7, claim="0123456789abcdef" * 2)
    keep(engine, apart(record), make_decision(record.id, "use", record.sha256.hex(), "lab"))
    with reading(engine) as session:
        [found] = stored_records(session)
    assert (found.claim, found.device_ms) == ("0123456789abcdef" * 2, MOMENT + 7)


@pytest.mark.parametrize("erasure_first", [True, False])
def test_an_erasure_released_together_with_what_it_erases_erases_it(engine: Engine, erasure_first: bool) -> None:
    for at in range(8):  # in whatever order a set of ids gives them
        record = submission(at)
        tombstone = make_tombstone(record.id, "person", "")
        keep(engine, apart(record), apart(tombstone))
        both = (tombstone, record) if erasure_first else (record, tombstone)
        keep(engine, *(make_decision(it.id, "use", it.sha256.hex(), "lab") for it in both))
    assert set(states(engine).values()) == {"usable", "erased"}
    with reading(engine) as session:
        assert not stored_records(session)
        assert not session.exec(select(Quarantine).where(Quarantine.body.is_not(None))).all()  # type: ignore[union-attr]


@pytest.mark.parametrize("released", [0, 1])
def test_of_two_edits_the_later_one_counts_whichever_was_released(engine: Engine, released: int) -> None:
    record = submission()
    edits = [edit_of(record, 10), edit_of(record, 20)]
    edits[released] = apart(edits[released])
    keep(engine, record, *edits, make_decision(edits[released].id, "use", edits[released].sha256.hex(), "lab"))
    assert states(engine)[edits[1].id] == "usable"


def test_an_erasure_takes_content_edits_variants_comments_and_files(engine: Engine) -> None:
    file = {"name": "foto.jpg", "sha256": hashlib.sha256(b"foto").hexdigest(), "bytes": 4, "type": "image/jpeg"}
    first = submission(blobs=[file])
    other, edit = submission(id=first.id, lang="en"), edit_of(first, 10)
    comment = made({
        "id": uuid7(), "kind": "annotation", "finished": iso(MOMENT), "salt": "s", "about": first.id, "text": SECRET,
    })  # fmt: skip
    keep(engine, first, other, edit, comment)
    with writing(engine) as session:
        session.add(Blob(sha256=file["sha256"], bytes=4, have=4, received_ms=0))
        session.add(BlobChunk(sha256=file["sha256"], at=0, content=b"foto"))
        session.add(BlobName(sha256=file["sha256"], record_id=first.id, name="foto.jpg", bytes=4, media_type="a/b"))
    tombstone = make_tombstone(first.id, "person", "lo pidió")
    keep(engine, tombstone)
    assert states(engine) == {
        first.id: "erased", edit.id: "erased", comment.id: "erased", tombstone.id: "usable",
    }  # fmt: skip
    with reading(engine) as session:
        assert all(it.body is None for it in session.exec(select(Quarantine)))
        assert not [row for table in (Blob, BlobChunk, BlobName) for row in session.exec(select(table))]
        assert [it.erases for it in list_erasures(session)] == [first.id]
        assert erased_ids(session, [first.id, edit.id, "x"]) == sorted([first.id, edit.id])


def test_a_file_that_another_record_names_too_stays(engine: Engine) -> None:
    one, two = submission(), submission(1)
    keep(engine, one, two)
    with writing(engine) as session:
        session.add(Blob(sha256="a" * 64, bytes=4, have=4, received_ms=0))
        for record in (one, two):
            session.add(BlobName(sha256="a" * 64, record_id=record.id, name="f", bytes=4, media_type="a/b"))
    keep(engine, make_tombstone(one.id, "lab", ""))
    with reading(engine) as session:
        assert len(session.exec(select(Blob)).all()) == 1
    keep(engine, make_tombstone(two.id, "lab", ""))
    with reading(engine) as session:
        assert session.exec(select(Blob)).all() == []


def test_what_is_erased_never_comes_back(engine: Engine) -> None:
    first = submission()
    late = submission(id=first.id, lang="en")
    keep(engine, make_tombstone(first.id, "lab", ""), first, late, edit_of(first, 10))
    assert set(states(engine).values()) == {"erased", "usable"}
    assert keep(engine, first) == ["duplicate"]
    with reading(engine) as session:
        bodies = [it.body for it in log_after(session, 0, 10)]
        assert stored_records(session) == []
    assert [body for body in bodies if body] == bodies[:1]  # the tombstone alone


def test_a_tombstone_cannot_be_erased(engine: Engine) -> None:
    first = submission()
    tombstone = make_tombstone(first.id, "lab", "")
    keep(engine, first, tombstone, make_tombstone(tombstone.id, "lab", ""))
    assert states(engine)[tombstone.id] == "usable"


def test_the_bytes_of_what_was_erased_leave_the_disk(engine: Engine, tmp_path: Path) -> None:
    long = submission(answers={"agua": SECRET * 400, "palabra": "nadie-mas-dice-esto"})
    keep(
        engine, *(submission(n) for n in range(40)), long, submission(id=long.id, answers={"a": "nadie-mas-dice-esto"})
    )
    assert b"nadie-mas-dice-esto" in on_disk(tmp_path)
    keep(engine, make_tombstone(long.id, "person", ""))
    assert wipe_traces(engine)
    assert b"nadie-mas-dice-esto" not in on_disk(tmp_path)


def test_a_reader_in_the_middle_delays_the_wiping_but_does_not_prevent_it(engine: Engine, tmp_path: Path) -> None:
    record = submission(answers={"agua": "nadie-mas-dice-esto"})
    keep(engine, record)
    with reading(engine) as session:
        assert session.exec(select(Record)).all()
        keep(engine, make_tombstone(record.id, "person", ""))
        assert not wipe_traces(engine)
    assert wipe_traces(engine)
    assert b"nadie-mas-dice-esto" not in on_disk(tmp_path)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_who_reads_by_changes_misses_none(engine: Engine) -> None:
    first = submission()
    keep(engine, first)
    with reading(engine) as session:
        seen = max(it.changed_n for it in session.exec(select(Record)))
    keep(engine, submission(5), make_tombstone(first.id, "lab", ""))
    with reading(engine) as session:
        changed = {it.id for it in session.exec(select(Record).where(Record.changed_n > seen))}
    assert first.id in changed


def some_history() -> list[Arrival]:
    first, second = submission(), submission(1)
    rival, edit = submission(id=first.id, lang="en"), edit_of(second, 10)
    rival_edit, over = edit_of(second, 30), edit_of(edit, 20)
    return [
        first, rival, second, edit, rival_edit, over,
        make_decision(first.id, "use", rival.sha256.hex(), "lab", at_ms=MOMENT + 5),
        make_decision(first.id, "set_aside", first.sha256.hex(), "lab", at_ms=MOMENT + 6),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same_result(tmp_path_factory: Any, data: st.DataObject) -> None:
    history = some_history()
    if data.draw(st.booleans()):
        history.append(make_tombstone(history[data.draw(st.integers(0, 5))].id, "lab", ""))
    reference = outcome_of(tmp_path_factory, [history])
    order = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(order)))
    assert outcome_of(tmp_path_factory, [order[:cut], order[cut:], order[:3]]) == reference


def outcome_of(make_folder: Any, batches: list[list[Arrival]]) -> tuple[Any, ...]:
    engine = new_store(make_folder.mktemp("orden") / "collector.db")
    for batch in batches:
        keep(engine, *batch)
    found = outcome(engine)
    engine.dispose()
    return found


def test_every_order_of_a_conflict_and_its_decision_ends_alike(tmp_path_factory: Any) -> None:
    first = submission()
    other = submission(id=first.id, lang="en")
    history = [first, other, make_decision(first.id, "use", first.sha256.hex(), "lab")]
    found = {json.dumps(outcome_of(tmp_path_factory, [list(it)]), default=str) for it in permutations(history)}
    assert len(found) == 1
