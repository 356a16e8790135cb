"""Erasures: what is asked of them, and the traces that deleted bytes leave in a database file."""

import json
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from collector.db import reading, writing
from collector.queries import store
from collector.tables import Record


@dataclass(frozen=True)
class Erasure:
    """A tombstone: id of its record, which record it erases, its number in this log, when and why."""

    id: str
    erases: str
    n: int
    device_ms: int
    received_ms: int
    reason: str
    by: str


def list_erasures(session: Session, limit: int = 100) -> list[Erasure]:
    """Return the latest erasures this store knows, newest first."""
    statement = select(Record).where(Record.kind == "tombstone").order_by(col(Record.n).desc()).limit(limit)
    return [_read(record) for record in session.exec(statement)]


def _read(record: Record) -> Erasure:
    said = json.loads(record.body or "{}")
    reason, by = (str(said.get(key, "")) for key in ("reason", "by"))
    return Erasure(record.id, record.about, record.n, record.device_ms, record.received_ms, reason, by)


def erased_ids(session: Session, ids: list[str]) -> list[str]:
    """Return those of `ids` that are erased here."""
    statement = select(Record.id).where(col(Record.id).in_(ids), Record.state == "erased")
    spoken = select(Record.about).where(Record.about != "", col(Record.about).in_(ids), Record.kind == "tombstone")
    return sorted({*session.exec(statement), *session.exec(spoken)})


def ids_of_claim(session: Session, claim: str) -> list[str]:
    """Return the ids of the records that a receipt code claims: a submission and its edits."""
    return list(session.exec(select(Record.id).where(Record.claim != "", Record.claim == claim).order_by(Record.id)))


def wipe_traces(engine: Engine) -> bool:
    """Make the bytes of what was erased leave the disk; False when a reader still needs them: ask again later.

    SQLite zeroes what it deletes (secure_delete) but its log file holds the pages as they were: the log is written
    back and cut. PostgreSQL keeps dead rows until they are vacuumed.
    """
    with reading(engine) as session:
        if store.fact(session, "unwiped") != "1":
            return True
    connection = engine.raw_connection()
    try:
        is_done = _cut_log(connection) if engine.dialect.name == "sqlite" else _vacuum(connection)
    finally:
        connection.close()
    if is_done:
        with writing(engine) as session:
            store.set_fact(session, "unwiped", "")
    return is_done


def _cut_log(connection: "object") -> bool:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    busy = cursor.fetchone()[0]
    cursor.close()
    return not busy


def _vacuum(connection: "object") -> bool:
    driver = connection.driver_connection  # type: ignore[attr-defined]
    before, driver.autocommit = driver.autocommit, True
    try:
        driver.execute("VACUUM record, quarantine, blob, blob_chunk, blob_name")
    finally:
        driver.autocommit = before
    return True
