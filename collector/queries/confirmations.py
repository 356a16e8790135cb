"""Erasures and who has applied them: which nodes below have not said so, and how far one has gone upwards."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, or_, select

from collector.queries import store
from collector.queries.erasures import Erasure, list_erasures
from collector.queries.fleet import MOST_UNCONFIRMED, reports_of_nodes
from collector.queries.nodes import get_upstream, list_nodes
from collector.queries.records import receipts_of
from collector.tables.log import Record

FURTHEST = 20  # edits of edits that are followed


@dataclass(frozen=True)
class Waiting:
    """A node that is not known to have erased. is_revoked: it talks to nobody here any more."""

    id: str
    name: str
    is_revoked: bool


@dataclass(frozen=True)
class Confirmations:
    """Who has applied an erasure. upstream, central: None where this node has none above it."""

    waiting: list[Waiting]
    upstream: bool | None
    central: bool | None


def erasure_of(session: Session, record_id: str) -> Erasure | None:
    """Return the erasure by which a record is gone, its own or one of an edit's family; None when there is none."""
    family = _family(session, record_id)
    spoken = select(Record).where(Record.about != "", col(Record.about).in_(family), Record.kind == "tombstone")
    record = session.exec(spoken.order_by(col(Record.id)).limit(1)).first()
    if record is None:
        return None
    said = json.loads(record.body or "{}")
    reason, by = (str(said.get(key, "")) for key in ("reason", "by"))
    times = record.device_ms, record.received_ms
    return Erasure(record.id, record.about, record.n, *times, reason, by, record.changed_n)


def _family(session: Session, record_id: str) -> set[str]:
    """Return the ids of a record, of what it takes the place of and of what takes its place."""
    family, ahead = set[str](), {record_id}
    for _ in range(FURTHEST):
        family |= ahead
        is_near = or_(col(Record.id).in_(ahead), col(Record.about).in_(ahead))
        edits = session.exec(select(Record.id, Record.about).where(Record.kind == "edit", is_near))
        ahead = {one for pair in edits for one in pair if one} - family
        if not ahead:
            break
    return family


def confirmations_of(session: Session, erasures: Iterable[Erasure]) -> dict[str, Confirmations]:
    """Return the tombstone's id -> who has applied it."""
    below = reports_of_nodes(session)
    epoch, upstream = store.fact(session, "epoch"), get_upstream(session)
    applied = {node.id: node.feed_n if node.feed_epoch == epoch else 0 for node in list_nodes(session)}
    asked = list(erasures)
    decided = _decided_ms(session, [it.id for it in asked])
    at_central = receipts_of(session, [it.id for it in asked])
    return {
        it.id: Confirmations(
            list(_waiting(it, max(it.received_ms, decided.get(it.id, 0)), below, applied)),
            None if upstream is None else it.n <= upstream.cursor_n or it.id in at_central,
            None if upstream is None else it.id in at_central,
        )
        for it in asked
    }


def _waiting(
    erasure: Erasure, since_ms: int, below: list[dict[str, Any]], applied: dict[str, int]
) -> Iterator[Waiting]:
    for entry in below:
        if applied.get(entry["id"], 0) < erasure.fed_n:
            yield from _all_of(entry)
        else:
            yield from _further(erasure, since_ms, entry, entry.get("report_ms", 0))


def _decided_ms(session: Session, ids: list[str]) -> dict[str, int]:
    """Return tombstone -> when somebody's word on it came here: one from quarantine is in force only since then."""
    about = (Record.about != "", col(Record.about).in_(ids), Record.kind == "annotation")
    latest = select(Record.about, func.max(Record.received_ms)).where(*about).group_by(Record.about)
    return {tombstone: int(received_ms) for tombstone, received_ms in session.exec(latest)}


def _all_of(entry: dict[str, Any]) -> Iterator[Waiting]:
    """Give a node and all below it: what it has not applied it has not passed on."""
    yield Waiting(entry["id"], entry.get("name", ""), entry.get("revoked", False))
    for lower in entry.get("report", {}).get("below", ()):
        yield from _all_of(lower)


def _further(erasure: Erasure, since_ms: int, entry: dict[str, Any], told_ms: int) -> Iterator[Waiting]:
    """Give those below a node that has applied it, as that node's own report tells: one of after `since_ms`."""
    for lower in entry.get("report", {}).get("below", ()):
        left = lower.get("unconfirmed", ())
        is_known = told_ms > since_ms and erasure.id not in left and len(left) < MOST_UNCONFIRMED
        if is_known:
            yield from _further(erasure, since_ms, lower, told_ms)
        else:
            yield from _all_of(lower)


def latest(session: Session, limit: int) -> list[tuple[Erasure, Confirmations]]:
    """Return the latest erasures, newest first, each with who has applied it."""
    found = list_erasures(session, limit)
    by_id = confirmations_of(session, found)
    return [(it, by_id[it.id]) for it in found]
