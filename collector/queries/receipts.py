"""Receipts: what central holds durably, learned from upstream and relayed down; and where a record has got to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, union_all
from sqlmodel import Session, col, select

from collector.queries import store
from collector.queries.nodes import is_central
from collector.queries.records import add_receipts, last_number, receipts_of
from collector.tables.files import Blob
from collector.tables.log import Quarantine, Receipt, Record

RECEIPT_PAGE = 500
NEWEST = select(func.max(Receipt.at_ms))  # made once: each hello asks it


def _next_receipt_ms(session: Session, now_ms: int) -> int:
    """Return a time later than every receipt's: `at_ms` is also the order in which they are relayed.

    A clock set back would else hide new receipts behind the readers' cursors.
    """
    newest = session.execute(NEWEST).scalar_one()
    return now_ms if newest is None else max(now_ms, int(newest) + 1)


def add_receipts_upto(session: Session, after: int, upto: int, now_ms: int) -> int:
    """Note that central holds every entry of this log with `after` < n <= `upto`; return how many entries."""
    entries = _entries().subquery()
    within = select(entries.c.id, entries.c.sha256).where(entries.c.n > after, entries.c.n <= upto)
    held = [(row.id, bytes(row.sha256)) for row in session.execute(within.order_by(entries.c.n))]
    add_new_receipts(session, held, now_ms)
    return len(held)


def add_new_receipts(session: Session, held: Sequence[tuple[str, bytes]], now_ms: int) -> None:
    """Note receipts, at most 500 with the same time, so that a page of the feed can end between two times."""
    at_ms = _next_receipt_ms(session, now_ms)
    for page, first in enumerate(range(0, len(held), RECEIPT_PAGE)):
        add_receipts(session, held[first : first + RECEIPT_PAGE], at_ms + page)


@dataclass(frozen=True)
class Feed:
    """Receipts from one point on. entries: [n, id, first 8 hex digits of its sha256]; next: ask with it next time."""

    epoch: str
    next: int
    entries: list[tuple[int, str, str]]


def receipt_feed(session: Session, since: int, limit: int) -> Feed:
    """Return up to `limit` receipts after `since`: at central its own log, on a hub what it learned."""
    if is_central(session):
        entries = _entries().subquery()
        statement = select(entries.c.n, entries.c.id, entries.c.sha256).where(entries.c.n > since)
        rows = session.execute(statement.order_by(entries.c.n).limit(limit)).all()
    else:
        rows = _relayed(session, since, limit)
    found = [(row[0], row[1], bytes(row[2]).hex()[:8]) for row in rows]
    return Feed(feed_epoch(session), found[-1][0] if found else since, found)


def _relayed(session: Session, since: int, limit: int) -> Sequence[Any]:
    """Return receipts after the time `since`, never some of one time without the others."""
    statement = select(Receipt.at_ms, Receipt.id, Receipt.sha256).where(col(Receipt.at_ms) > since)
    rows = session.execute(statement.order_by(col(Receipt.at_ms), col(Receipt.id)).limit(limit)).all()
    if len(rows) < limit or rows[0][0] == rows[-1][0]:
        return rows
    return [row for row in rows if row[0] < rows[-1][0]]


def feed_epoch(session: Session) -> str:
    """Return the life of the receipt feed: the store's own at central; on a hub it also ends when central changes."""
    if is_central(session):
        return store.fact(session, "epoch")
    return store.fact(session, "receipts_life")


def newest_receipt(session: Session) -> int:
    """Return where the receipt feed ends now."""
    if is_central(session):
        return last_number(session)
    return int(session.execute(NEWEST).scalar_one() or 0)


def held_hashes(session: Session, ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Return id -> hashes of what this store holds under it (several when contested). Give at most 1000 ids."""
    entries = _entries().subquery()
    held: dict[str, list[bytes]] = {}
    for row in session.execute(select(entries.c.id, entries.c.sha256).where(entries.c.id.in_(ids))):
        held.setdefault(row.id, []).append(bytes(row.sha256))
    return held


def whereabouts(session: Session, ids: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return (id -> when central had it, ids held here) for those of `ids` that are known."""
    entries = _entries().subquery()
    rows = session.execute(select(entries.c.id, entries.c.received_ms).where(entries.c.id.in_(ids)))
    here = {row.id: int(row.received_ms) for row in rows}
    central = here if is_central(session) else receipts_of(session, ids)
    return central, sorted(here)


def _entries() -> Any:
    """Every entry of the log, erased ones too: (n, id, sha256, received_ms)."""
    return union_all(
        select(Record.n, Record.id, Record.sha256, Record.received_ms),
        select(Quarantine.n, Quarantine.id, Quarantine.sha256, Quarantine.received_ms),
    )


# --- where a record is, and what would be lost with this store


@dataclass(frozen=True)
class Whereabouts:
    """An entry of the log for who asks after it: its number, the hops before this store (JSON), and when it came."""

    n: int
    via: str
    received_ms: int


def paths_of(session: Session, ids: Sequence[str]) -> dict[str, Whereabouts]:
    """Return how the entries of these ids came here; of several with one id the first. Give at most 1000."""
    found: dict[str, Whereabouts] = {}
    for table in (Record, Quarantine):
        columns = select(table.n, table.id, table.via, table.received_ms)
        for row in session.execute(columns.where(col(table.id).in_(ids)).order_by(col(table.n).desc())):
            if row.id not in found or row.n < found[row.id].n:
                found[row.id] = Whereabouts(row.n, row.via, row.received_ms)
    return found


def contents_after(session: Session, after: int, limit: int) -> list[tuple[int, str, bytes]]:
    """Return (n, id, sha256) of up to `limit` entries above `after` whose content is here, in order of n."""
    both = union_all(
        select(Record.n, Record.id, Record.sha256).where(Record.n > after, col(Record.body).is_not(None)),
        select(Quarantine.n, Quarantine.id, Quarantine.sha256).where(
            Quarantine.n > after, col(Quarantine.body).is_not(None)
        ),
    ).subquery()
    rows = session.execute(select(both.c.n, both.c.id, both.c.sha256).order_by(both.c.n).limit(limit))
    return [(row.n, row.id, bytes(row.sha256)) for row in rows]


def list_whole_files(session: Session, after: str, limit: int) -> list[str]:
    """Return up to `limit` hashes above `after` of files that are whole here."""
    statement = select(Blob.sha256).where(Blob.have == Blob.bytes, Blob.sha256 > after)
    return list(session.exec(statement.order_by(col(Blob.sha256)).limit(limit)))


def without_whole_file(session: Session, hashes: Sequence[str]) -> list[str]:
    """Return those of `hashes` that no whole file here has. Give at most 1000."""
    whole = set(session.exec(select(Blob.sha256).where(Blob.have == Blob.bytes, col(Blob.sha256).in_(hashes))))
    return [sha256 for sha256 in hashes if sha256 not in whole]
