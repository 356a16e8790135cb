"""Hello: ask the upstream where this node stands, and believe it rather than our own memory."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from collector.db import writing
from collector.queries import nodes
from sync import limits
from sync.batches import is_number
from sync.run import Run

log = logging.getLogger("collector.sync")


@dataclass(frozen=True)
class Greeting:
    central: bool
    receipts_epoch: str
    receipts_next: int
    forms_etag: str


def greet(run: Run) -> Greeting:
    """Ask the upstream where this node stands and believe it."""
    known = run.known()
    found = run.client.get("/hello").content
    try:
        greeting = Greeting(
            bool(found["central"]), str(found["receipts"]["epoch"]), int(found["receipts"]["next"]), found["forms_etag"]
        )
        is_right = found["protocol"] == 1 and found["node_id"] == known.upstream_id
        cursor = found["cursors"].get(known.me, {}).get(known.epoch, 0)
        wanted = found["limits"]
        most = [int(wanted[key]) for key in ("records", "bytes", "inflated")]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise run.client.strange(f"hello without {error}") from error
    if not is_right or not is_number(cursor) or min(most) < 1:
        raise run.client.strange("hello of another node or protocol")
    run.state.most_records = min(most[0], limits.MAX_BATCH_RECORDS)
    run.state.most_bytes, run.state.most_inflated = most[1], most[2]
    _note_blobs(run, found.get("blobs"))
    run.state.hello_at = time.monotonic()
    _adopt(run, cursor, greeting)
    return greeting


def _note_blobs(run: Run, told: Any) -> None:
    """Note whether the upstream takes files, and whether central got some since the last hello."""
    state = run.state.blobs
    chunk, central = (told.get("chunk"), told.get("central")) if isinstance(told, dict) else (0, 0)
    state.most = min(chunk, limits.MAX_BLOB_CHUNK_BYTES) if is_number(chunk) else 0
    if not is_number(central):
        return
    if central < state.central:
        state.has_checked = False  # it lost some: an old copy was put back
    state.has_news = state.has_news or central != state.central
    state.central = central


def _adopt(run: Run, cursor: int, greeting: Greeting) -> None:
    """Take over what the receiver says it has.

    Its cursor is beyond all we sent:  this store is an old copy or a clone; begin a new epoch and send everything
    its cursor went back:              it was put back; send again, and forget what central was said to hold
    its feed has another epoch:        central was put back or is another; forget likewise
    """
    known = run.known()
    with writing(run.engine) as session:
        if cursor > nodes.sent_upto(session):
            log.warning("upstream has %d entries of this log and never got them from this copy: new epoch", cursor)
            nodes.start_epoch(session)
            nodes.change_upstream(session, cursor_n=0)
            return
        changed = known.receipts_epoch not in ("", greeting.receipts_epoch)
        if changed or cursor < known.cursor:
            nodes.forget_receipts(session)
        is_new_feed = known.receipts_epoch != greeting.receipts_epoch or cursor < known.cursor
        if greeting.central:
            # what central's cursor covers, central keeps: its feed need not be read
            nodes.add_receipts_upto(session, 0 if is_new_feed else known.cursor, cursor, run.now_ms)
        values: dict[str, Any] = {"cursor_n": cursor, "receipts_epoch": greeting.receipts_epoch}
        nodes.change_upstream(session, **values, **({"receipts_n": 0} if is_new_feed else {}))
