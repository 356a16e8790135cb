"""What is released from quarantine speaks of other records: that takes effect whatever else is released with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from collector.clock import iso
from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import store
from collector.queries.records import Arrival, ingest
from collector.tables.log import Quarantine, Record
from sync.records import new_salt, uuid7
from sync.statements import made, make_decision, make_tombstone

MOMENT = 1_795_000_000_000
MANY = 24  # the order in which ids are settled is not ours: with so many, some of each two come the wrong way round


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'collector.db'}")
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    yield engine
    engine.dispose()


def submission(**given: str) -> Arrival:
    content = {
        "id": uuid7(), "kind": "submission", "form": "servicios", "version": "1", "form_sha": "0" * 16,
        "started": iso(MOMENT), "finished": iso(MOMENT), "lang": "es", "salt": new_salt(), "answers": {"agua": "si"},
    }  # fmt: skip
    return made(content | given)


def keep(engine: Engine, *arrivals: Arrival) -> None:
    with writing(engine) as session:
        ingest(session, arrivals, MOMENT)


def release(engine: Engine, *records: Arrival) -> None:
    keep(engine, *(make_decision(record.id, "use", record.sha256.hex(), "lab") for record in records))


def apart(*records: Arrival) -> list[Arrival]:
    return [record._replace(why="revoked_node") for record in records]


def states(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {record.id: record.state for record in session.exec(select(Record))}


def test_erasures_that_are_released_with_their_records_erase_them(engine: Engine) -> None:
    records = [submission() for _ in range(MANY)]
    tombstones = [make_tombstone(record.id, "person", "") for record in records]
    keep(engine, *apart(*records, *tombstones))
    release(engine, *records, *tombstones)
    with reading(engine) as session:
        ids = {record.id for record in records}
        bodies = [(it.id, it.body) for table in (Record, Quarantine) for it in session.exec(select(table))]
    assert [record_id for record_id, body in bodies if record_id in ids and body is not None] == []


def test_erasures_that_are_released_together_erase_records_that_count(engine: Engine) -> None:
    records = [submission() for _ in range(MANY)]
    tombstones = [make_tombstone(record.id, "person", "") for record in records]
    keep(engine, *records, *apart(*tombstones))
    # a word on the record has it settled too, perhaps before its erasure is
    release(engine, *records, *tombstones)
    found = states(engine)
    assert {found[record.id] for record in records} == {"erased"}


def test_edits_that_are_released_with_their_records_take_their_place(engine: Engine) -> None:
    records = [submission() for _ in range(MANY)]
    edits = [submission(kind="edit", replaces=record.id) for record in records]
    keep(engine, *apart(*records, *edits))
    release(engine, *records, *edits)
    found = states(engine)
    assert {found[record.id] for record in records} == {"replaced"}
    assert {found[edit.id] for edit in edits} == {"usable"}
