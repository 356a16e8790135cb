"""Batches on their way up: one at a time from the receiver's cursor, as large as the line bears."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading, writing
from collector.queries import nodes, receipts
from collector.queries.records import Logged, log_after
from sync import chain, keys
from sync.batches import Packed, gone_line, is_number, log_line, pack_batch
from sync.client import Answer, Refusal, UpstreamSlow
from sync.greet import greet
from sync.run import FIRST_RECORDS, Known, Run

QUICK_SECONDS = 5.0
MOST_GAPS = 3
MOST_LIVES = 2  # new epochs in one exchange: a receiver that wants more is mistaken
log = logging.getLogger("collector.sync")


def has_entries(engine: Engine, after: int) -> bool:
    with reading(engine) as session:
        return bool(log_after(session, after, 1))


def send_log(run: Run) -> None:
    """Send batches until the log is empty."""
    gaps = lives = 0
    while not run.stopped():
        known = run.known()
        sending = _make_batch(run, known)
        if sending is None:
            return
        started = time.monotonic()
        try:
            answer = run.client.post_batch(sending.packed.body, sending.signature)
        except (UpstreamSlow, Refusal) as trouble:
            if isinstance(trouble, Refusal) and trouble.remote == "cursor_gap":
                gaps += 1
                _move_to_gap(run, known, trouble, gaps)
            elif isinstance(trouble, Refusal) and trouble.remote == "history_changed" and lives < MOST_LIVES:
                lives += 1
                _begin_anew(run)
            elif (isinstance(trouble, UpstreamSlow) or trouble.status == 413) and sending.count > 1:
                run.state.records = max(1, sending.count // 2)
            else:
                raise
            continue
        lives += not _accept(run, known, sending, answer)
        if lives > MOST_LIVES:
            raise run.client.strange("the answer's cursor is beyond what was ever sent, again and again")
        if time.monotonic() - started < QUICK_SECONDS:
            run.state.records = min(run.state.records * 2, run.state.most_records)


@dataclass(frozen=True)
class _Sending:
    """A batch about to leave. head: of the chain at `upto`, None when the upstream keeps none."""

    packed: Packed
    signature: str
    upto: int
    count: int
    head: bytes | None


def _make_batch(run: Run, known: Known) -> _Sending | None:
    """Make the next batch from the receiver's cursor, within its limits; None when the log is empty."""
    state = run.state
    state.records = max(1, min(state.records, state.most_records))
    taken = take_lines(run.engine, known.cursor, state.records, state.most_inflated - 4096, state.knows_gone)
    if not taken.lines:
        return None
    head = head_after(run, known, taken)
    packed = pack_batch(
        known.me, known.epoch, known.cursor, taken.upto, taken.lines, iso(run.now_ms), head.hex() if head else ""
    )
    if len(packed.body) > state.most_bytes and len(taken.lines) > 1:
        state.records = len(taken.lines) // 2
        return _make_batch(run, known)
    with writing(run.engine) as session:
        nodes.note_sending(session, taken.upto)  # before it leaves: see nodes.sent_upto
    signature = keys.sign(keys.signing_key(run.engine), known.upstream_id, packed.first_line)
    return _Sending(packed, signature, taken.upto, len(taken.lines), head)


@dataclass
class _Taken:
    """Lines of the log, the number of the last entry, and the hashes of all entries up to it."""

    lines: list[str]
    hashes: list[bytes]
    upto: int
    size: int = 0

    def add(self, entry: Logged, line: str) -> None:
        if line:
            self.lines.append(line)
            self.size += len(line.encode()) + 1
        self.hashes.append(entry.sha256)
        self.upto = entry.n


def take_lines(engine: Engine, after: int, most: int, most_bytes: int, with_gone: bool) -> _Taken:
    """Take up to `most` lines of the log after `after`, in `most_bytes`. Without `with_gone` erased ones are holes."""
    taken = _Taken([], [], after)
    while len(taken.lines) < most:
        with reading(engine) as session:
            entries = log_after(session, taken.upto, min(FIRST_RECORDS, most - len(taken.lines)))
        for entry in entries:
            line = _line_of(entry, with_gone)
            if taken.lines and taken.size + len(line.encode()) + 1 > most_bytes:
                return taken
            taken.add(entry, line)
        if not entries:
            break
    return taken


def _line_of(entry: Logged, with_gone: bool) -> str:
    """Return the line of an entry; "" for an erased one that an upstream of an earlier release would not read."""
    if entry.body is None:
        return gone_line(entry.n, entry.sha256) if with_gone else ""
    return log_line(entry.n, entry.via, entry.body, entry.why)


def head_after(run: Run, known: Known, taken: _Taken) -> bytes | None:
    if not run.state.knows_gone:
        return None
    before = chain.START if known.cursor == 0 else known.chain_head or chain.head_at(run.engine, known.cursor)
    return chain.fold(before, taken.hashes)


def _begin_anew(run: Run) -> None:
    """What we sent before is not what we have now: let the receiver see every entry again under a new epoch.

    What is the same is recognised there, what changed stands in quarantine beside its first version.
    """
    log.warning("the upstream's chain does not lead to what this store holds: new epoch, everything is sent again")
    with writing(run.engine) as session:
        nodes.start_epoch(session)
        nodes.change_upstream(session, cursor_n=0)


def _move_to_gap(run: Run, known: Known, refusal: Refusal, gaps: int) -> None:
    """The receiver has less than we thought: greet it again, which adopts its cursor. Not for ever."""
    cursor = refusal.answer.get("cursor")
    if refusal.answer.get("epoch") != known.epoch or not is_number(cursor) or gaps > MOST_GAPS:
        raise refusal
    greet(run)


def _accept(run: Run, known: Known, sending: _Sending, answer: Answer) -> bool:
    """Believe the answer to a batch, if it is one: only the echo of batch and node is delivery.

    False when it speaks of more than this store ever sent: then a new epoch has begun.
    """
    found = answer.content if isinstance(answer.content, dict) else {}
    cursor = found.get("cursor")
    echoes = found.get("batch") == sending.packed.batch and found.get("node") == known.upstream_id
    if answer.status != 200 or not echoes or found.get("epoch") != known.epoch:
        raise run.client.strange("the answer does not echo the batch")
    if not is_number(cursor) or cursor < sending.upto:
        raise run.client.strange("the answer's cursor does not cover the batch")
    outcomes = found.get("outcomes") or {}
    with writing(run.engine) as session:
        is_ours = cursor <= nodes.sent_upto(session)
        if is_ours:
            if found.get("central") is True:
                receipts.add_receipts_upto(session, known.cursor, sending.upto, run.now_ms)
            # no further than what was sent: what lies beyond may be of another life of this log
            values: dict[str, Any] = {"cursor_n": sending.upto, "chain_head": sending.head}
            if found.get("central") is not True and outcomes.get("duplicate"):
                values["receipts_n"] = 0  # what the upstream had before us may have its receipt: read them again
            nodes.change_upstream(session, **values)
        else:
            nodes.start_epoch(session)  # a clone of this store has sent more: see _adopt
            nodes.change_upstream(session, cursor_n=0)
    run.result.sent += sending.count
    run.result.duplicates += len(outcomes.get("duplicate") or [])
    run.result.quarantined += len(outcomes.get("quarantined") or [])
    return is_ours
