"""The feed: what nodes below have to know of other people's records. Erasures, and decisions on quarantine.

Who has read it up to a number has applied all that stands before: a tombstone's number in the feed says which nodes
have erased, and which have not. The number is that of an entry's last change, not its place in the log: what a person
releases from quarantine begins to count then, when the nodes below have long read past its place.
"""

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, func, literal_column
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from collector.tables.log import Record

# written out, not bound: the partial index of the feed is found by its own words
SPEAKS: ColumnElement[bool] = literal_column("record.about <> ''")
IS_TOLD: ColumnElement[bool] = literal_column("record.kind IN ('tombstone', 'annotation')")
number: ColumnElement[int] = literal_column("record.changed_n", BigInteger)
# what its term took something out of is not what was hashed: nobody else could read it
IN_FEED = (SPEAKS, IS_TOLD, col(Record.body).is_not(None), col(Record.term) == "")

# made once: each hello asks it, and reviews make the feed as long as the log of a busy lab
TOP = select_columns(number).where(*IN_FEED).order_by(number.desc()).limit(1)


@dataclass(frozen=True)
class FeedEntry:
    """A record of the feed: its number there, the node where it was born ("" when here), and its bytes."""

    n: int
    id: str
    origin: str
    body: str


def feed_top(session: Session) -> int:
    """Return the highest number in the feed; 0 when there is nothing in it."""
    return int(session.execute(TOP).scalar() or 0)


def feed_after(session: Session, after: int, limit: int, most_bytes: int) -> list[FeedEntry]:
    """Return up to `limit` entries numbered above `after`, at most about `most_bytes` of them but at least one."""
    sizes = select_columns(number, func.length(Record.body)).where(*IN_FEED, number > after)
    last, size = after, 0
    for n, length in session.execute(sizes.order_by(number).limit(limit)):
        size += length
        if last > after and size > most_bytes:
            break
        last = n
    entries = (
        select_columns(number, col(Record.id), col(Record.origin), col(Record.body))
        .where(*IN_FEED, number > after, number <= last)
        .order_by(number)
    )
    return [FeedEntry(n, record_id, origin, body) for n, record_id, origin, body in session.execute(entries)]


def tombstones_after(session: Session, after: int, limit: int) -> list[str]:
    """Return the ids of up to `limit` tombstones numbered in the feed above `after`, oldest first."""
    statement = (
        select_columns(col(Record.id))
        .where(SPEAKS, IS_TOLD, col(Record.kind) == "tombstone", number > after)
        .order_by(number)
        .limit(limit)
    )
    return list(session.execute(statement).scalars())
