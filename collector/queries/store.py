"""The store's own facts: who this node is, its epoch, its PIN."""

import uuid

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from collector.tables import SCHEMA_VERSION, Log, Meta

# made once: a statement built anew costs more than asking it
FACT = select(Meta.value).where(col(Meta.key) == bindparam("key"))


def first_facts(session: Session, name: str) -> None:
    """Give a new store its identity: node id, epoch (the life of this database), schema and log number. Idempotent."""
    facts = {"node_id": uuid.uuid4().hex, "epoch": uuid.uuid4().hex[:16], "schema": str(SCHEMA_VERSION), "name": name}
    for key, value in facts.items():
        if session.get(Meta, key) is None:
            session.add(Meta(key=key, value=value))
    if session.get(Log, 1) is None:
        session.add(Log(slot=1, next_n=1))


def fact(session: Session, key: str) -> str:
    """Return the fact `key`, or "" when it was never set."""
    return session.execute(FACT, {"key": key}).scalar() or ""


def set_fact(session: Session, key: str, value: str) -> None:
    """Set the fact `key`."""
    row = session.get(Meta, key)
    if row is None:
        session.add(Meta(key=key, value=value))
    else:
        row.value = value
