"""What a copy of a store is proved by: how much it holds, and that all of it is what it says it is."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, text
from sqlmodel import Session, col, select

from collector.tables.files import Blob, BlobChunk
from collector.tables.forms import FormVersion
from collector.tables.log import Quarantine, Record


@dataclass(frozen=True)
class Holding:
    """How much a store holds."""

    records: int
    quarantined: int
    forms: int
    files: int


def holding(session: Session) -> Holding:
    """Count what the store holds."""
    tables = (Record, Quarantine, FormVersion, Blob)
    return Holding(*(int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables))


def has_log(session: Session) -> bool:
    """Tell whether this SQLite file is a store of ours that was used."""
    found = session.execute(text("SELECT count(*) FROM sqlite_master WHERE name IN ('log', 'record', 'quarantine')"))
    return bool(found.scalar_one() == 3) and session.execute(text("SELECT count(*) FROM log")).scalar_one() == 1


def integrity_check(session: Session) -> str:
    """Return what SQLite finds wrong, indexes included; "" when nothing."""
    found = str(session.execute(text("PRAGMA integrity_check(1)")).scalar_one())
    return "" if found == "ok" else found


def find_wrong(session: Session) -> str:
    """Return the first thing whose bytes are not those of its sha256, "" when all are. Cost: 8 s a million records."""
    for table in (Record, Quarantine):
        # of what its term took something out of, the hash is that of the whole; an older store knows no terms
        names = {column["name"] for column in inspect(session.connection()).get_columns(str(table.__tablename__))}
        whole = [col(table.body).is_not(None), *([col(table.term) == ""] if "term" in names else [])]
        rows = select(table.id, table.sha256, table.body).where(*whole)
        with session.execute(rows.execution_options(yield_per=1000)) as found:
            for record_id, sha256, body in found:
                if hashlib.sha256(body.encode()).digest() != bytes(sha256):
                    return f"{table.__tablename__} {record_id}"
    return next(_wrong_files(session), "")


def _wrong_files(session: Session) -> Iterator[str]:
    whole = select(Blob.sha256).where(Blob.have == Blob.bytes).order_by(col(Blob.sha256))
    for sha256 in session.exec(whole).all():
        pieces = select(BlobChunk.content).where(BlobChunk.sha256 == sha256).order_by(col(BlobChunk.at))
        found = hashlib.sha256()
        for content in session.exec(pieces.execution_options(yield_per=8)):
            found.update(content)
        if found.hexdigest() != sha256:
            yield f"blob {sha256}"


def copy_sqlite(session: Session, target: Any) -> None:
    """Copy the moment that this session sees into another SQLite connection, while others write."""
    source: Any = session.connection().connection.driver_connection
    source.backup(target)


# --- PostgreSQL


def export_moment(session: Session) -> str:
    """Return the name by which another connection sees the same moment, as long as this session lives."""
    return str(session.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def others_connected(session: Session) -> int:
    """Return how many other connections use this database."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(session.execute(text(asked)).scalar_one())
