"""What a receiver does with a batch of a node and with the outbox of a browser: read, check, keep, answer.

Everything about the bytes is checked before the store is touched. Then one transaction keeps the records and moves the
cursor; the answer is made after its commit, so that an answer is a promise.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso, parse_iso
from collector.db import writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from collector.queries.records import Arrival, Outcome, ingest
from sync.batches import (
    Batch,
    Hop,
    bad_line,
    check_order,
    hops_json,
    inflate,
    read_batch,
    read_body_line,
    split_lines,
)
from sync.limits import MAX_INFLATED_BYTES, MAX_OUTBOX_RECORDS
from sync.records import ReadRecord

Check = Callable[[dict[str, Any]], str]
log = logging.getLogger("collector.sync")


def no_check(_content: dict[str, Any]) -> str:
    """Flag nothing: for a receiver that knows no forms."""
    return ""


@dataclass(frozen=True)
class Received:
    """The answer to a batch, and how many of its records were new here."""

    answer: dict[str, Any]
    new: int


def receive_batch(
    engine: Engine, peer: str, body: bytes, zipped: bool, now_ms: int, check: Check = no_check
) -> Received:
    """Keep a batch of the node `peer` and return the answer. Raises ProblemError and then has changed nothing."""
    batch = read_batch(_content(body, zipped))
    if batch.header.sender != peer:
        raise bad_line(1, '"from" is not the node of this token')
    arrivals = _arrivals_of(batch, now_ms, check)
    with writing(engine) as session:
        cursor = nodes.cursor_of(session, peer, batch.header.epoch)
        if batch.header.after > cursor:
            raise _gap(batch, cursor)
        me = store.fact(session, "node_id")
        check_order(batch, me)
        outcomes = ingest(session, arrivals, now_ms)
        cursor = nodes.move_cursor(session, peer, batch.header.epoch, batch.header.upto)
        nodes.note_contact(session, peer, now_ms)
        central = nodes.is_central(session)
    return Received(_answer(batch, me, cursor, central, arrivals, outcomes), _count_new(outcomes))


def receive_outbox(engine: Engine, body: bytes, zipped: bool, now_ms: int, check: Check = no_check) -> Received:
    """Keep records that a browser made and return the answer, keyed by their own ids."""
    lines = split_lines(_content(body, zipped), MAX_OUTBOX_RECORDS)
    if not lines:
        raise bad_line(1, "there is no record")
    records = [read_body_line(line, at) for at, line in enumerate(lines, 1)]
    arrivals = [_arrival(record, flags=_flags(record, check)) for record in records]
    with writing(engine) as session:
        outcomes = ingest(session, arrivals, now_ms)
        answer: dict[str, Any] = {"node": store.fact(session, "node_id"), "central": nodes.is_central(session)}
    answer["results"] = {_given_id(record): outcome for record, outcome in zip(records, outcomes, strict=True)}
    return Received(answer, _count_new(outcomes))


def _content(body: bytes, zipped: bool) -> bytes:
    if zipped:
        return inflate(body)
    if len(body) > MAX_INFLATED_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(body), limit=MAX_INFLATED_BYTES)
    return body


def _gap(batch: Batch, cursor: int) -> ProblemError:
    after, epoch = batch.header.after, batch.header.epoch
    return ProblemError(PROBLEMS["cursor_gap"], after=after, cursor=cursor, epoch=epoch)


def _arrivals_of(batch: Batch, now_ms: int, check: Check) -> list[Arrival]:
    """Make the lines ready to store: with the sender as their last hop, written here by who knows the sender."""
    sent = parse_iso(batch.header.sent_at)
    skew_ms = now_ms - sent[0] if sent else 0
    received = iso(now_ms)
    arrivals = []
    for line in batch.lines:
        last = Hop(batch.header.sender, batch.header.epoch, line.n, received)
        origin = line.via[0] if line.via else last
        via = hops_json((*line.via, last))
        arrivals.append(_arrival(line.record, origin, via, skew_ms, _flags(line.record, check)))
    return arrivals


def _arrival(
    record: ReadRecord, origin: Hop | None = None, via: str = "[]", skew_ms: int = 0, flags: str = ""
) -> Arrival:
    return Arrival(
        id=record.id,
        sha256=record.sha256,
        body=record.body,
        kind=record.kind,
        form=record.form,
        version=record.version,
        why=record.why,
        origin=origin.node if origin else "",
        origin_epoch=origin.epoch if origin else "",
        origin_n=origin.n if origin else 0,
        skew_ms=skew_ms,
        flags=flags,
        via=via,
    )


def _flags(record: ReadRecord, check: Check) -> str:
    """Ask the application's check. It never refuses: a check that fails is itself a flag, not a lost record."""
    if record.why:
        return ""
    try:
        return check(record.content)
    except Exception:  # whatever a form makes the check stumble over, one record must not block its tablet
        log.exception("check of record %s", record.id)
        return json.dumps([{"key": "", "what": "check_failed", "text": ""}])


def _answer(
    batch: Batch, me: str, cursor: int, central: bool, arrivals: Sequence[Arrival], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Return the answer. Entries not listed in `outcomes` are stored: that keeps it near 200 bytes."""
    found = list(zip(batch.lines, arrivals, outcomes, strict=True))
    aside = [
        {"n": line.n, "why": arrival.why or "conflict", "qid": arrival.id}
        for line, arrival, outcome in found
        if outcome == "quarantined"
    ]
    return {
        "batch": batch.header.batch,
        "node": me,
        "epoch": batch.header.epoch,
        "cursor": cursor,
        "central": central,
        "outcomes": {
            "duplicate": [line.n for line, _, outcome in found if outcome == "duplicate"],
            "quarantined": aside,
        },
    }


def _given_id(record: ReadRecord) -> str:
    """Return the id under which the browser waits for its result: as it wrote it, even when it is no UUID."""
    given = record.content.get("id")
    if not isinstance(given, str):
        return record.id
    return given.encode(errors="replace").decode()


def _count_new(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome != "duplicate" for outcome in outcomes)
