"""The hashes of the log in order of its numbers, for the chain over them (`sync/chain.py`)."""

from collections.abc import Iterator

from sqlalchemy import select as select_columns
from sqlalchemy import union_all
from sqlmodel import Session, col

from collector.tables.log import Quarantine, Record

PAGE = 5_000


def hashes_between(session: Session, after: int, upto: int) -> Iterator[bytes]:
    """Give the sha256 of every entry with `after` < n <= `upto`, erased ones too, in order of n.

    Read page by page: the whole log of a hub may be a million entries. Cost: about a second for those.
    """
    while after < upto:
        entries = union_all(
            select_columns(col(Record.n), col(Record.sha256)).where(col(Record.n) > after, col(Record.n) <= upto),
            select_columns(col(Quarantine.n), col(Quarantine.sha256)).where(
                col(Quarantine.n) > after, col(Quarantine.n) <= upto
            ),
        ).subquery()
        rows = session.execute(select_columns(entries).order_by(entries.c.n).limit(PAGE)).all()
        if not rows:
            return
        for row in rows:
            yield bytes(row.sha256)
        after = rows[-1].n
