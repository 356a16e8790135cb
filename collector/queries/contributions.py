"""Rooms as the log holds them: a room is the record that opened it, and all contributions that name that record.

Contributions are records like any other: they travel, are counted once, go to quarantine and are erased by the same
rules. A room needs no table of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, literal_column, or_
from sqlmodel import Session, col, select

from collector.queries.numbers import asked
from collector.tables.log import OPENS_ROOM, Record

Change = tuple[str, str | None]  # id, bytes as text; None: it counts no more

# in words of the indexes, with no values to bind: so both databases use them
IN_ROOM: ColumnElement[bool] = literal_column("record.about <> '' AND record.kind = 'contribution'")
IS_FIRST: ColumnElement[bool] = literal_column(OPENS_ROOM)
USABLE = col(Record.state) == "usable"
# asked after each thing that is said: by the driver (numbers.py), where building a statement costs more than asking it
SAID = "FROM record WHERE about <> '' AND kind = 'contribution' AND about = ?"
HEAD = "SELECT next_n FROM log WHERE slot = 1"
MARK = f"SELECT COUNT(*) FILTER (WHERE state = 'usable'), COALESCE(MAX(changed_n), 0) {SAID}"
CHANGES = f"SELECT id, state, body {SAID} AND changed_n > ? ORDER BY changed_n"
ROOMS = f"SELECT id FROM record WHERE {OPENS_ROOM} AND state = 'usable' ORDER BY n DESC LIMIT ?"  # noqa: S608 - our own words


@dataclass(frozen=True)
class Mark:
    """By what a room is known to have changed: how many contributions count, and the log number of the last change."""

    count: int
    changed_n: int


def bodies_of(session: Session, room: str) -> list[str]:
    """Return the bytes of a room's contributions, as text, in the order in which they came here."""
    statement = select(Record.body).where(IN_ROOM, col(Record.about) == room, USABLE)
    return [body for body in session.exec(statement.order_by(col(Record.n))) if body]


def log_head(connection: Connection) -> int:
    """Return the number that the log gives next: while it is the same, nothing in any room has changed.

    Cost: a tenth of `mark_of`, and the same for a room of any size.
    """
    return int(asked(connection, HEAD)[0][0])


def changes_of(session: Session, room: str, after: int) -> list[Change]:
    """Return (id, bytes as text) of the room's contributions that changed after a mark; None: it counts no more."""
    rows = asked(session.connection(), CHANGES, room, after)
    return [(record_id, body if state == "usable" else None) for record_id, state, body in rows]


def mark_of(session: Session, room: str) -> Mark:
    """Return the room's mark; (0, 0) for a room that is not here."""
    ((count, changed_n),) = asked(session.connection(), MARK, room)
    return Mark(int(count), int(changed_n))


def room_ids(session: Session, limit: int = 100) -> list[str]:
    """Return the rooms whose first record is here, the newest first."""
    return [room for (room,) in asked(session.connection(), ROOMS, limit)]


# --- rooms that another device takes along


@dataclass(frozen=True)
class Said:
    """A contribution as it stands in the log. origin: the node where it was born, "" when that is this one."""

    id: str
    origin: str
    sha256: bytes
    body: str


def recent_rooms(session: Session, since_ms: int, limit: int) -> list[str]:
    """Return the rooms whose first record came here at `since_ms` or later, the newest first."""
    statement = select(Record.id).where(IS_FIRST, USABLE, col(Record.received_ms) >= since_ms)
    return list(session.exec(statement.order_by(col(Record.n).desc()).limit(limit)))


def said_in(session: Session, rooms: Sequence[str], whats: Collection[str] = ()) -> dict[str, list[Said]]:
    """Return room -> its contributions in the order in which they came; with `whats` those of these kinds.

    A few more may come along, whose payload says one of the words: the reader of the body tells them apart.
    """
    shared = (Record.about, Record.id, Record.origin, Record.sha256)
    statement = select(*shared).add_columns(col(Record.body)).where(IN_ROOM, col(Record.about).in_(rooms), USABLE)
    if whats:  # as canonical bytes write it: in a text the quotes would be escaped
        statement = statement.where(or_(*(col(Record.body).contains(f'"what":"{what}"') for what in sorted(whats))))
    found: dict[str, list[Said]] = {room: [] for room in rooms}
    for room, record_id, origin, sha256, body in session.execute(statement.order_by(col(Record.n))):
        if body:
            found[room].append(Said(record_id, origin, bytes(sha256), body))
    return found


def origins_of(session: Session, rooms: Sequence[str]) -> dict[str, str]:
    """Return room -> the node where it was opened, of those that were opened elsewhere."""
    statement = select(Record.id, Record.origin).where(col(Record.id).in_(rooms), col(Record.origin) != "")
    return dict(session.exec(statement).all())


def rooms_from_elsewhere(session: Session, limit: int) -> list[str]:
    """Return the rooms that are here and were opened on another node, the newest first."""
    statement = select(Record.id).where(IS_FIRST, USABLE, col(Record.origin) != "")
    return list(session.exec(statement.order_by(col(Record.n).desc()).limit(limit)))
