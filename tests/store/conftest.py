"""Stores for the tests of the store: on SQLite and on PostgreSQL alike."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from collector.clock import iso
from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import store
from collector.queries.records import Arrival, ingest
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from tests.shared import put_empty_tables

MOMENT = 1_795_000_000_000
MakeStore = Callable[..., Engine]
RELEASE_1 = Path(__file__).parents[1] / "fixtures" / "previous_release"


def body_of(**given: Any) -> str:
    """Return the canonical bytes of a usable submission."""
    content = {
        "id": uuid7(), "kind": "submission", "form": "servicios", "version": "2026.1", "form_sha": "0" * 16,
        "started": iso(MOMENT), "finished": iso(MOMENT), "lang": "es", "salt": new_salt(),
        "answers": {"agua": "a veces"},
    }  # fmt: skip
    return canonical_bytes(content | given).decode()


def arrival_of(body: str) -> Arrival:
    """Return a record as it comes in."""
    record = read_record(body)
    return Arrival(record.id, record.sha256, record.body, record.kind, record.form, record.version, record.why)


def keep(engine: Engine, *bodies: str) -> list[str]:
    """Store records and return what became of each."""
    with writing(engine) as session:
        return list(ingest(session, [arrival_of(body) for body in bodies], MOMENT))


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement gives."""
    with reading(engine) as session:
        return [tuple(row) for row in session.connection().execute(text(statement))]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store as release 1 left it, recorded from it: six records and an entry in quarantine."""
    path = tmp_path / "release_1.db"
    with closing(sqlite3.connect(path)) as connection:
        for name in ("store.sql", "two_more.sql"):
            connection.executescript((RELEASE_1 / name).read_text(encoding="utf-8"))
        connection.commit()
    return path


@pytest.fixture
def make_store(make_database_url: Callable[..., str], tmp_path: Path) -> Iterator[MakeStore]:
    """Give a function that makes a store: on SQLite files, and again on PostgreSQL."""
    made: list[Engine] = []

    def make(name: str = "nodo") -> Engine:
        url = make_database_url(tmp_path / name)
        if url.startswith("sqlite"):
            put_empty_tables(tmp_path / name / "collector.db")
        made.append(open_engine(url))
        prepare_store(made[-1])
        with writing(made[-1]) as session:
            store.first_facts(session, name)
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
