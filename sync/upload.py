"""Batches on their way up: one at a time from the receiver's cursor, as large as the line bears."""

import time
from dataclasses import dataclass

from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading, writing
from collector.queries import nodes
from collector.queries.records import log_after
from sync.batches import encode_batch, is_number, log_line
from sync.client import Answer, Refusal, UpstreamSlow
from sync.greet import greet
from sync.run import FIRST_RECORDS, Known, Run

QUICK_SECONDS = 5.0
MOST_GAPS = 3


def has_entries(engine: Engine, after: int) -> bool:
    with reading(engine) as session:
        return bool(log_after(session, after, 1))


def send_log(run: Run) -> None:
    """Send batches until the log is empty."""
    gaps = 0
    while not run.stopped():
        known = run.known()
        sending = _make_batch(run, known)
        if sending is None:
            return
        started = time.monotonic()
        try:
            answer = run.client.post_batch(sending.body)
        except (UpstreamSlow, Refusal) as trouble:
            if isinstance(trouble, Refusal) and trouble.remote == "cursor_gap":
                gaps += 1
                _move_to_gap(run, known, trouble, gaps)
            elif (isinstance(trouble, UpstreamSlow) or trouble.status == 413) and sending.count > 1:
                run.state.records = max(1, sending.count // 2)
            else:
                raise
            continue
        _accept(run, known, sending, answer)
        if time.monotonic() - started < QUICK_SECONDS:
            run.state.records = min(run.state.records * 2, run.state.most_records)


@dataclass(frozen=True)
class _Sending:
    batch: str
    body: bytes
    upto: int
    count: int


def _make_batch(run: Run, known: Known) -> _Sending | None:
    """Make the next batch from the receiver's cursor, within its limits; None when the log is empty."""
    state = run.state
    state.records = max(1, min(state.records, state.most_records))
    lines, upto = _take_lines(run.engine, known.cursor, state.records, state.most_inflated - 4096)
    if not lines:
        return None
    batch, body = encode_batch(known.me, known.epoch, known.cursor, upto, lines, iso(run.now_ms))
    if len(body) > state.most_bytes and len(lines) > 1:
        state.records = len(lines) // 2
        return _make_batch(run, known)
    with writing(run.engine) as session:
        nodes.note_sending(session, upto)  # before it leaves: see nodes.sent_upto
    return _Sending(batch, body, upto, len(lines))


def _take_lines(engine: Engine, after: int, most: int, most_bytes: int) -> tuple[list[str], int]:
    """Return up to `most` lines of the log after `after`, in `most_bytes`, and the number of the last one."""
    lines: list[str] = []
    size = 0
    while len(lines) < most:
        with reading(engine) as session:
            entries = log_after(session, after, min(FIRST_RECORDS, most - len(lines)))
        for entry in entries:
            line = log_line(entry.n, entry.via, entry.body)
            size += len(line.encode()) + 1
            if lines and size > most_bytes:
                return lines, after
            lines.append(line)
            after = entry.n
        if not entries:
            break
    return lines, after


def _move_to_gap(run: Run, known: Known, refusal: Refusal, gaps: int) -> None:
    """The receiver has less than we thought: greet it again, which adopts its cursor. Not for ever."""
    cursor = refusal.answer.get("cursor")
    if refusal.answer.get("epoch") != known.epoch or not is_number(cursor) or gaps > MOST_GAPS:
        raise refusal
    greet(run)


def _accept(run: Run, known: Known, sending: _Sending, answer: Answer) -> None:
    """Believe the answer to a batch, if it is one: only the echo of batch and node is delivery."""
    found = answer.content if isinstance(answer.content, dict) else {}
    cursor = found.get("cursor")
    echoes = found.get("batch") == sending.batch and found.get("node") == known.upstream_id
    if answer.status != 200 or not echoes or found.get("epoch") != known.epoch:
        raise run.client.strange("the answer does not echo the batch")
    if not is_number(cursor) or cursor < sending.upto:
        raise run.client.strange("the answer's cursor does not cover the batch")
    with writing(run.engine) as session:
        if cursor > nodes.sent_upto(session):
            nodes.start_epoch(session)  # a clone of this store has sent more: see _adopt
            nodes.change_upstream(session, cursor_n=0)
        else:
            if found.get("central") is True:
                nodes.add_receipts_upto(session, known.cursor, cursor, run.now_ms)
            nodes.change_upstream(session, cursor_n=cursor)
    outcomes = found.get("outcomes") or {}
    run.result.sent += sending.count
    run.result.duplicates += len(outcomes.get("duplicate") or [])
    run.result.quarantined += len(outcomes.get("quarantined") or [])
