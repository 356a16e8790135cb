"""What a receiver does with a batch of a node and with the outbox of a browser: read, check, keep, answer.

Everything about the bytes is checked before the store is touched. Then one transaction keeps the records and moves the
cursor; the answer is made after its commit, so that an answer is a promise.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from collector.clock import iso, parse_iso
from collector.db import writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from collector.queries.records import Arrival, Outcome, ingest
from sync import chain, keys
from sync.batches import (
    Batch,
    Hop,
    Line,
    bad_line,
    check_order,
    hops_json,
    inflate,
    read_batch,
    read_body_line,
    split_lines,
)
from sync.limits import MAX_INFLATED_BYTES, MAX_OUTBOX_RECORDS, MAX_REVOKED_RECORDS, SKEW_MS
from sync.records import ABOUT, ReadRecord
from sync.statements import arrival_of

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
    engine: Engine,
    peer: str,
    body: bytes,
    zipped: bool,
    now_ms: int,
    check: Check = no_check,
    signature: str = "",
) -> Received:
    """Keep a batch of the node `peer` and return the answer. Raises ProblemError and then has kept nothing.

    signature: what the header field Collector-Signature says.
    """
    batch = read_batch(_content(body, zipped))
    if batch.header.sender != peer:
        raise bad_line(1, '"from" is not the node of this token')
    skew_ms = _skew_of(batch, now_ms)
    arrivals = arrivals_of(batch, now_ms, skew_ms or 0, check)
    try:
        with writing(engine) as session:
            me, sender, central = nodes.meeting_with(session, peer)
            _check_signature(sender, me, batch, signature)
            position = nodes.cursor_of(session, peer, batch.header.epoch)
            if batch.header.after > position.n:
                raise _gap(batch, position.n)
            check_order(batch, me)
            head = head_after(batch, position)
            if sender.is_revoked:
                arrivals = kept_apart(session, peer, arrivals)
            outcomes = ingest(session, arrivals, now_ms)
            cursor = nodes.move_cursor(session, peer, batch.header.epoch, batch.header.upto, head)
            nodes.note_contact(session, peer, now_ms, skew_ms)
    except ProblemError as error:
        if error.problem.code == "history_changed":
            with writing(engine) as session:
                nodes.note_alarm(session, peer, error.problem.code)
        raise
    return Received(_answer(batch, me, cursor, central, arrivals, outcomes), _count_new(outcomes))


def _check_signature(sender: nodes.Sender, me: str, batch: Batch, signature: str) -> None:
    """Ask a node whose key is known to have signed this batch for us. One without a key is of an early release."""
    if not sender.public_key:
        return
    if not signature:
        raise ProblemError(PROBLEMS["bad_signature"], reason="the batch is not signed")
    if not keys.is_signed(sender.public_key, me, batch.first_line, signature):
        raise ProblemError(PROBLEMS["bad_signature"], reason="it is not by the key that this node enrolled with")


def head_after(batch: Batch, position: nodes.Position) -> bytes | None:
    """Return the chain's head at the cursor after this batch. Raises history_changed when ours does not lead there.

    None while the chain is not known: the sender keeps none. A cursor from before there were chains takes over the
    head that comes with the first batch.
    """
    header = batch.header
    said = bytes.fromhex(header.chain) if header.chain else None
    if header.upto < position.n:
        return position.head
    if said is None:
        return position.head if header.upto == position.n else None
    if position.head is None and position.n > 0:
        return said
    new = (entry.sha256 for entry in batch.entries if entry.n > position.n)
    if chain.fold(position.head or chain.START, new) != said:
        raise ProblemError(PROBLEMS["history_changed"], epoch=header.epoch, cursor=position.n)
    return said


def kept_apart(session: Session, peer: str, arrivals: list[Arrival]) -> list[Arrival]:
    """Return what a revoked node sends as entries for quarantine. Raises `revoked` when too many wait there."""
    if nodes.count_of_revoked(session, peer) + len(arrivals) > MAX_REVOKED_RECORDS:
        raise ProblemError(PROBLEMS["revoked"])
    return [arrival._replace(why=arrival.why or "revoked_node", flags="") for arrival in arrivals]


def receive_outbox(engine: Engine, body: bytes, zipped: bool, now_ms: int, check: Check = no_check) -> Received:
    """Keep records that a browser made and return the answer, keyed by their own ids."""
    records = read_outbox(body, zipped)
    return keep_outbox(engine, records, [_from_browser(record, check) for record in records], now_ms)


def read_outbox(body: bytes, zipped: bool) -> list[ReadRecord]:
    """Read what a browser sends, a record a line. Raises ProblemError for what cannot be kept at all."""
    lines = split_lines(_content(body, zipped), MAX_OUTBOX_RECORDS)
    if not lines:
        raise bad_line(1, "there is no record")
    return [read_body_line(line, at) for at, line in enumerate(lines, 1)]


def keep_outbox(engine: Engine, records: Sequence[ReadRecord], arrivals: Sequence[Arrival], now_ms: int) -> Received:
    """Keep records that a browser made, as `arrivals` makes them ready one by one; return the answer."""
    with writing(engine) as session:
        outcomes = ingest(session, arrivals, now_ms)
        answer: dict[str, Any] = {"node": store.fact(session, "node_id"), "central": nodes.is_central(session)}
    answer["results"] = {given_id(record): outcome for record, outcome in zip(records, outcomes, strict=True)}
    return Received(answer, _count_new(outcomes))


def _from_browser(record: ReadRecord, check: Check) -> Arrival:
    """Make a browser's record ready to store. Who only knows an id may not speak of its record: a person decides."""
    if record.kind in ABOUT:
        return arrival_of(record._replace(why="not_allowed", about=""))
    return arrival_of(record, flags=_flags(record, check))


def _content(body: bytes, zipped: bool) -> bytes:
    if zipped:
        return inflate(body)
    if len(body) > MAX_INFLATED_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(body), limit=MAX_INFLATED_BYTES)
    return body


def _gap(batch: Batch, cursor: int) -> ProblemError:
    after, epoch = batch.header.after, batch.header.epoch
    return ProblemError(PROBLEMS["cursor_gap"], after=after, cursor=cursor, epoch=epoch)


def _skew_of(batch: Batch, now_ms: int) -> int | None:
    """Return how many ms the sender's clock is behind ours; None when it does not say its time."""
    sent = parse_iso(batch.header.sent_at)
    return now_ms - sent[0] if sent else None


def arrivals_of(batch: Batch, now_ms: int, skew_ms: int, check: Check) -> list[Arrival]:
    """Make the lines ready to store: with the sender as their last hop, written here by who knows the sender."""
    told = skew_ms if abs(skew_ms) > SKEW_MS else 0
    last = Hop(batch.header.sender, batch.header.epoch, 0, iso(now_ms), told)
    # most lines were born at the sender: their only hop differs in its number alone
    before, _, after = hops_json((last,)).partition('"n":0,')
    return [
        _forwarded(line, last, skew_ms, check)
        if line.via
        else _arrival_of(line, last, line.n, skew_ms, f'{before}"n":{line.n},{after}', check)
        for line in batch.lines
    ]


def _forwarded(line: Line, last: Hop, skew_ms: int, check: Check) -> Arrival:
    """Make a line ready that others held before the sender."""
    first, skew_ms = line.via[0], skew_ms + sum(hop.skew for hop in line.via)
    return _arrival_of(line, first, first.n, skew_ms, hops_json((*line.via, replace(last, n=line.n))), check)


def _arrival_of(line: Line, origin: Hop, n: int, skew_ms: int, via: str, check: Check) -> Arrival:
    flags = _flags(line.record, check)
    if abs(skew_ms) > SKEW_MS:
        flags = _with_clock(flags, skew_ms)
    return arrival_of(line.record, line.why or None, origin.node, origin.epoch, n, skew_ms, flags, via)


def _with_clock(flags: str, skew_ms: int) -> str:
    """Add the flag that the device's times are not to be believed."""
    return json.dumps([*json.loads(flags or "[]"), {"key": "", "what": "clock", "text": str(round(skew_ms / 60_000))}])


def _flags(record: ReadRecord, check: Check) -> str:
    """Ask the application's check. It never refuses: a check that fails is itself a flag, not a lost record."""
    if record.why:
        return ""
    try:
        return check(record.content)
    except OperationalError:  # the store is away: nothing was looked at, and the tablet asks again
        raise
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


def given_id(record: ReadRecord) -> str:
    """Return the id under which the browser waits for its result: as it wrote it, even when it is no UUID."""
    given = record.content.get("id")
    if not isinstance(given, str):
        return record.id
    return given.encode(errors="replace").decode()


def _count_new(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome != "duplicate" for outcome in outcomes)
