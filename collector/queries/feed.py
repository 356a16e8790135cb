"""The feed: what nodes below have to know of other people's records. Erasures, and decisions on quarantine.

Who has read it up to a number has applied all that stands before: a tombstone's number in this log says which nodes
have erased, and which have not.
"""

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, func, literal_column
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from collector.tables import Record

KINDS = ("tombstone", "annotation")
# written out, not bound: the partial index on `about` is found by its own words
SPEAKS: ColumnElement[bool] = literal_column("record.about <> ''")
# the sum keeps the database from walking the whole log in order of n, of which the feed is a small part
number: ColumnElement[int] = literal_column("record.n + 0", BigInteger)
IN_FEED = (SPEAKS, col(Record.kind).in_(KINDS), col(Record.body).is_not(None))


@dataclass(frozen=True)
class FeedEntry:
    """A record of the feed: its number in this log, the node where it was born ("" when here), and its bytes."""

    n: int
    id: str
    origin: str
    body: str


def feed_top(session: Session) -> int:
    """Return the highest number in the feed; 0 when there is nothing in it."""
    statement = select_columns(func.max(number)).where(*IN_FEED)
    return int(session.execute(statement).scalar() or 0)


def feed_after(session: Session, after: int, limit: int, most_bytes: int) -> list[FeedEntry]:
    """Return up to `limit` entries numbered above `after`, at most about `most_bytes` of them but at least one."""
    sizes = select_columns(col(Record.n), func.length(Record.body)).where(*IN_FEED, number > after)
    last, size = after, 0
    for n, length in session.execute(sizes.order_by(number).limit(limit)):
        size += length
        if last > after and size > most_bytes:
            break
        last = n
    entries = (
        select_columns(col(Record.n), col(Record.id), col(Record.origin), col(Record.body))
        .where(*IN_FEED, number > after, number <= last)
        .order_by(number)
    )
    return [FeedEntry(n, record_id, origin, body) for n, record_id, origin, body in session.execute(entries)]


def tombstones_after(session: Session, after: int, limit: int) -> list[str]:
    """Return the ids of up to `limit` tombstones numbered above `after`, oldest first."""
    statement = (
        select_columns(col(Record.id))
        .where(SPEAKS, col(Record.kind) == "tombstone", number > after)
        .order_by(number)
        .limit(limit)
    )
    return list(session.execute(statement).scalars())
