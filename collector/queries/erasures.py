"""Erasures: what is asked of them, and the traces that deleted bytes leave in a database file."""

import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from collector.db import is_sqlite, reading, writing
from collector.queries import gaps, store
from collector.queries.gaps import Gap
from collector.queries.numbers import asked, told
from collector.tables.log import Record

AT_ONCE_BYTES = 32 * 2**20  # of a larger file nobody waits in a browser until it is read; the sync loop has the time
TRIES = 5
LONGEST_LOOK_SECONDS = 600
# where what a person said stands: table -> its column, and that column's type
CONTENT = {"record": ("body", "TEXT"), "quarantine": ("body", "TEXT"), "blob_chunk": ("content", "BLOB")}
ROOTS = """SELECT rootpage, name FROM sqlite_master
    WHERE type = 'table' AND name IN ('record', 'quarantine', 'blob_chunk')"""
COVERED_AT_ONCE = 20  # others wait for each such write; a piece of a file is 256 KiB long
log = logging.getLogger("collector.erasures")


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
    fed_n: int


def list_erasures(session: Session, limit: int = 100) -> list[Erasure]:
    """Return the latest erasures this store knows, newest first."""
    statement = select(Record).where(Record.kind == "tombstone").order_by(col(Record.n).desc()).limit(limit)
    return [_read(record) for record in session.exec(statement)]


def _read(record: Record) -> Erasure:
    said = json.loads(record.body or "{}")
    reason, by = (str(said.get(key, "")) for key in ("reason", "by"))
    times = record.device_ms, record.received_ms
    return Erasure(record.id, record.about, record.n, *times, reason, by, record.changed_n)


def erased_ids(session: Session, ids: list[str]) -> list[str]:
    """Return those of `ids` that are erased here."""
    statement = select(Record.id).where(col(Record.id).in_(ids), Record.state == "erased")
    spoken = select(Record.about).where(Record.about != "", col(Record.about).in_(ids), Record.kind == "tombstone")
    return sorted({*session.exec(statement), *session.exec(spoken)})


def ids_of_claim(session: Session, claim: str) -> list[str]:
    """Return the ids of the records that a receipt code claims: a submission and its edits."""
    return list(session.exec(select(Record.id).where(Record.claim != "", Record.claim == claim).order_by(Record.id)))


# --- traces


def wipe_traces(engine: Engine, at_leisure: bool = False) -> bool:
    """Make the bytes of what was erased leave the disk; False when that must be asked again later.

    That is when a reader still needs them, when the disk is full or fails, and for a large file unless `at_leisure`:
    nobody who erases meets an error because of this, and the fact "unwiped" remembers it.

    SQLite zeroes what it deletes (secure_delete), but its log file holds the pages as they were, and pages hold copies
    of rows that were moved (`gaps.py`): the log is written back and cut, and the copies are covered. PostgreSQL keeps
    dead rows until they are vacuumed.
    """
    try:
        return _wipe(engine, at_leisure)
    except (DBAPIError, engine.dialect.loaded_dbapi.Error, OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("traces of what was erased are still there: %s", error)
        return False


def _wipe(engine: Engine, at_leisure: bool) -> bool:
    with reading(engine) as session:
        if not store.fact(session, "unwiped"):
            return True
    # our own mark: what is erased while we work sets another one, and nobody may take that away
    mark = secrets.token_hex(8)
    with writing(engine) as session:
        store.set_fact(session, "unwiped", mark)
    if not (_leave_nothing(engine, at_leisure) if is_sqlite(engine) else _vacuum(engine)):
        return False
    with writing(engine) as session:
        is_done = store.fact(session, "unwiped") == mark
        if is_done:
            store.set_fact(session, "unwiped", "")
    return is_done


def _leave_nothing(engine: Engine, at_leisure: bool) -> bool:
    """Cut the log and cover old copies until none is left. They are rare: one in some thousands of rows."""
    if not _cut_log(engine):
        return False
    file = Path(engine.url.database or "")
    if not at_leisure and file.is_file() and file.stat().st_size > AT_ONCE_BYTES:
        return False
    for _ in range(TRIES):
        found = look_for_gaps(engine)
        if not found:
            return True
        _cover(engine, found)
        if not _cut_log(engine):
            return False
    return False


def _cut_log(engine: Engine) -> bool:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy: Any = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return not busy[0]


def look_for_gaps(engine: Engine) -> list[Gap]:
    """Return where the store's file holds bytes of no row, in the tables of what people said. The log must be cut.

    Another process reads the file (`gaps.py` says why). Raises SubprocessError, OSError and ValueError.
    """
    roots = [str(root) for root in first_pages(engine)]
    command = [sys.executable, "-I", "-S", gaps.__file__, engine.url.database or "", *roots]
    found = subprocess.run(  # noqa: S603 - our own program, and the name of our own file
        command, capture_output=True, check=True, timeout=LONGEST_LOOK_SECONDS
    )
    return [Gap(*each) for each in json.loads(found.stdout)]


def first_pages(engine: Engine) -> dict[int, str]:
    """Return the first page of each table of what people said, and the table's name."""
    with reading(engine) as session:
        return {row[0]: row[1] for row in asked(session.connection(), ROOTS)}


def _cover(engine: Engine, found: Sequence[Gap]) -> None:
    """Let a row beside each gap grow over it and shrink again, in one transaction: readers see nothing of that."""
    tables = first_pages(engine)
    for first in range(0, len(found), COVERED_AT_ONCE):
        with writing(engine) as session:
            for gap in found[first : first + COVERED_AT_ONCE]:
                _grow(session, tables[gap.root], gap)


def _grow(session: Session, table: str, gap: Gap) -> None:
    column, kind = CONTENT[table]
    line = session.connection()
    # as bytes: what cannot be read as text is kept too. Names are ours, values are bound
    rows = asked(line, f"SELECT CAST({column} AS BLOB) FROM {table} WHERE rowid = ?", gap.rowid)  # noqa: S608
    if not rows:
        return  # it is gone by now
    content: Any = rows[0][0]
    change = f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE rowid = ?"  # noqa: S608
    told(line, change, b" " * max(0, len(content or b"") + gap.grow), gap.rowid)
    told(line, change, content, gap.rowid)


def _vacuum(engine: Engine) -> bool:
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        before, driver.autocommit = driver.autocommit, True
        try:
            driver.execute("VACUUM record, quarantine, blob, blob_chunk, blob_name")
        finally:
            driver.autocommit = before
    finally:
        connection.close()
    return True
