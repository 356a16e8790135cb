"""Rooms as the log holds them: a room is the record that opened it, and all contributions that name that record.

Contributions are records like any other: they travel, are counted once, go to quarantine and are erased by the same
rules. A room needs no table of its own.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, literal_column
from sqlmodel import Session, col, func, select

from collector.tables import OPENS_ROOM, Record

# in words of the indexes, with no values to bind: so both databases use them
IN_ROOM: ColumnElement[bool] = literal_column("record.about <> '' AND record.kind = 'contribution'")
IS_FIRST: ColumnElement[bool] = literal_column(OPENS_ROOM)
USABLE = col(Record.state) == "usable"


@dataclass(frozen=True)
class Mark:
    """By what a room is known to have changed: how many contributions count, and the log number of the last change."""

    count: int
    changed_n: int


def bodies_of(session: Session, room: str) -> list[str]:
    """Return the bytes of a room's contributions, as text, in the order in which they came here."""
    statement = select(Record.body).where(IN_ROOM, col(Record.about) == room, USABLE)
    return [body for body in session.exec(statement.order_by(col(Record.n))) if body]


def changes_of(session: Session, room: str, after: int) -> list[tuple[str, str | None]]:
    """Return (id, bytes as text) of the room's contributions that changed after a mark; None: it counts no more."""
    statement = select(Record.id, Record.state, Record.body).where(IN_ROOM, col(Record.about) == room)
    rows = session.exec(statement.where(col(Record.changed_n) > after).order_by(col(Record.changed_n)))
    return [(record_id, body if state == "usable" else None) for record_id, state, body in rows]


def mark_of(session: Session, room: str) -> Mark:
    """Return the room's mark; (0, 0) for a room that is not here."""
    counted = func.count().filter(USABLE)
    statement = select(counted, func.coalesce(func.max(Record.changed_n), 0)).where(IN_ROOM, col(Record.about) == room)
    count, changed_n = session.exec(statement).one()
    return Mark(int(count), int(changed_n))


def room_ids(session: Session, limit: int = 100) -> list[str]:
    """Return the rooms whose first record is here, the newest first."""
    statement = select(Record.id).where(IS_FIRST, USABLE).order_by(col(Record.n).desc()).limit(limit)
    return list(session.exec(statement))
