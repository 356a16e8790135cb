"""The engine and the transaction. SQLite: WAL, synchronous=FULL, one writer by BEGIN IMMEDIATE. PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlmodel import Session, SQLModel

from collector import tables
from collector.problems import PROBLEMS, ProblemError


def open_engine(url: str) -> Engine:
    """Return an engine for `url`; makes the folder of an SQLite file. Does not touch tables: see `prepare_store`."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 5})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: IMMEDIATE for writers
    # busy_timeout first: switching to WAL can itself meet a lock
    for pragma in (
        "busy_timeout=5000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("collector_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that sees one moment of the store and writes nothing."""
    with Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Give the session of one write transaction; commits when the block ends well, else rolls back.

    On SQLite the write lock is taken at the start, so that what was read inside still holds at the commit.
    """
    connection = engine.connect().execution_options(collector_writes=True)
    with connection, Session(bind=connection) as session, session.begin():
        yield session


def prepare_store(engine: Engine) -> None:
    """Create missing tables, those that a later release brought too.

    Raises ProblemError `newer_database` for a store written by a later release.
    """
    with reading(engine) as session:
        found = _schema_of(session)
    if found is not None and found > tables.SCHEMA_VERSION:
        raise ProblemError(PROBLEMS["newer_database"], found=found, known=tables.SCHEMA_VERSION)
    with writing(engine) as session:
        SQLModel.metadata.create_all(session.connection())


def _schema_of(session: Session) -> int | None:
    from sqlalchemy import inspect

    if not inspect(session.connection()).has_table("meta"):
        return None
    row = session.connection().execute(text("SELECT value FROM meta WHERE key = 'schema'")).first()
    return int(row[0]) if row else None
