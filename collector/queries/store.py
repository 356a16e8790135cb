"""The store's own facts: who this node is, its epoch, its PIN."""

import uuid

from sqlalchemy import bindparam, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, delete, select

from collector.queries.numbers import told
from collector.tables import SCHEMA_VERSION
from collector.tables.log import Log, Meta

FIRST_FACT = text("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING")
FIRST_NUMBER = text("INSERT INTO log (slot, next_n) VALUES (1, 1) ON CONFLICT (slot) DO NOTHING")
SET_FACT = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
# made once: a statement built anew costs more than asking it
FACT = select(Meta.value).where(col(Meta.key) == bindparam("key"))


def first_facts(session: Session, name: str) -> None:
    """Give a new store its identity: node id, epoch (the life of this database), schema and log number. Idempotent."""
    if session.get(Log, 1) is not None:  # it comes with the facts, in one transaction
        return
    facts = {"node_id": uuid.uuid4().hex, "epoch": uuid.uuid4().hex[:16], "schema": str(SCHEMA_VERSION), "name": name}
    # two servers may open one new database at once: the first one's facts hold
    for key, value in facts.items():
        session.execute(FIRST_FACT, {"key": key, "value": value})
    session.execute(FIRST_NUMBER)


def fact(session: Session, key: str) -> str:
    """Return the fact `key`, or "" when it was never set."""
    if session.new or session.dirty:
        session.flush()
    value: str | None = session.connection().execute(FACT, {"key": key}).scalar()
    return value or ""


def set_fact(session: Session, key: str, value: str) -> None:
    """Set the fact `key`."""
    if session.new or session.dirty:
        session.flush()
    told(session.connection(), SET_FACT, key, value)


def facts(session: Session, prefix: str) -> dict[str, str]:
    """Return the facts whose key begins so."""
    found = select(Meta.key, Meta.value).where(col(Meta.key).startswith(prefix, autoescape=True))
    return dict(session.exec(found).all())


def drop_facts(session: Session, prefix: str) -> None:
    """Forget the facts whose key begins so."""
    session.execute(delete(Meta).where(col(Meta.key).startswith(prefix, autoescape=True)))


# --- the database itself


def quick_check(session: Session) -> str:
    """Return what SQLite finds wrong with its file, "" when nothing. Reads all of it: 0.1 s for 50 MB."""
    try:
        found = session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except DatabaseError as error:
        return str(error.orig)
    return "" if found == "ok" else str(found)


def database_number(session: Session) -> str:
    """Return what tells this PostgreSQL database from a copy of it in another server or under another name.

    A server that keeps its number to itself is told by the database's alone.
    """
    database = session.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    try:
        server = session.execute(text("SELECT system_identifier FROM pg_control_system()")).scalar_one()
    except DatabaseError:
        server = ""
    return f"{server}.{database}"
