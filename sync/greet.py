"""Hello: ask the upstream where this node stands, and believe it rather than our own memory."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from collector.clock import parse_iso
from collector.db import writing
from collector.queries import nodes, receipts
from collector.retention_clock import HOUR_MS, note_upstream_clock
from sync import chain, keys, limits
from sync.batches import is_number
from sync.run import Known, Run

log = logging.getLogger("collector.sync")


@dataclass(frozen=True)
class Greeting:
    """What hello says. feed: the end of the feed and its epoch; None from an upstream of an earlier release.

    rooms: the tag of the rooms that go down; "" when there are none, and from an upstream that knows nothing of them.
    plans: the tag of what is planned with forms; "" likewise.
    """

    central: bool = False
    receipts_epoch: str = ""
    receipts_next: int = 0
    forms_etag: str = ""
    epoch: str = ""
    feed: int | None = None
    is_revoked: bool = False
    rooms: str = ""
    plans: str = ""


def greet(run: Run) -> Greeting:
    """Ask the upstream where this node stands and believe it."""
    known = run.known()
    found = _ask(run)
    try:
        greeting = _read(found)
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
    run.state.knows_gone = greeting.feed is not None or greeting.is_revoked
    _note_blobs(run, found.get("blobs"))
    run.state.hello_at = time.monotonic()
    _adopt(run, cursor, greeting, _head_told(found, known))
    if found.get("key") is False:
        run.client.put("/key", {"public_key": keys.public_text(keys.signing_key(run.engine))})
    return greeting


def _head_told(found: Any, known: Known) -> str:
    """Return the head of the chain that the upstream has at its cursor; "" from one that keeps none."""
    heads = found.get("heads")
    mine = heads.get(known.me) if isinstance(heads, dict) else None
    return str(mine.get(known.epoch, "")) if isinstance(mine, dict) else ""


def _ask(run: Run) -> Any:
    """Return the hello, the one from before when nothing has changed since."""
    state = run.state
    stands = run.now_ms - round(time.monotonic() * 1000)
    if abs(stands - state.clock_stands) > HOUR_MS:  # our clock was set: what the upstream's says is asked anew
        state.hello_etag = ""
    state.clock_stands = stands
    answer = run.client.get("/hello", state.hello_etag)
    if answer.status == 304 and state.hello_etag:
        return state.hello
    state.hello_etag, state.hello = answer.etag, answer.content
    _note_clock(run, answer.content)
    return answer.content


def _note_clock(run: Run, found: Any) -> None:
    """Note what the upstream's clock says: before anything is erased by its term, ours has to be believed."""
    told = parse_iso(str(found.get("server_time", ""))) if isinstance(found, dict) else None
    if told is not None:
        with writing(run.engine) as session:
            note_upstream_clock(session, run.now_ms, told[0])


def _read(found: Any) -> Greeting:
    if found.get("revoked") is True:
        return Greeting(is_revoked=True)
    at, feed = found["receipts"], found.get("feed")
    return Greeting(
        central=bool(found["central"]),
        receipts_epoch=str(at["epoch"]),
        receipts_next=int(at["next"]),
        forms_etag=found["forms_etag"],
        epoch=str(found.get("epoch", "")),
        feed=feed if is_number(feed) else None,
        rooms=str(found.get("rooms", "")),
        plans=str(found.get("plans", "")),
    )


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


def _adopt(run: Run, cursor: int, greeting: Greeting, head_told: str) -> None:
    """Take over what the receiver says it has.

    Its cursor is beyond all we sent:  this store is an old copy or a clone; begin a new epoch and send everything
    its head there is not ours:        likewise: it read that far in the log of another copy
    its cursor went back:              it was put back; send again, and forget what central was said to hold
    its feed has another epoch:        central was put back or is another; forget likewise
    """
    known = run.known()
    head = known.head_at(cursor) or (chain.head_at(run.engine, cursor) if head_told else None)
    differs = head is not None and head_told not in ("", head.hex())
    with writing(run.engine) as session:
        if cursor > nodes.sent_upto(session) or differs:
            log.warning("upstream has %d entries of this log and never got them from this copy: new epoch", cursor)
            nodes.start_epoch(session)
            nodes.change_upstream(session, cursor_n=0)
            return
        if greeting.is_revoked:  # it tells nothing of central
            nodes.change_upstream(session, cursor_n=cursor, chain_head=head)
            return
        changed = known.receipts_epoch not in ("", greeting.receipts_epoch)
        if changed or cursor < known.cursor:
            nodes.forget_receipts(session)
        is_new_feed = known.receipts_epoch != greeting.receipts_epoch or cursor < known.cursor
        if greeting.central:
            # what central's cursor covers, central keeps: its feed need not be read
            receipts.add_receipts_upto(session, 0 if is_new_feed else known.cursor, cursor, run.now_ms)
        values: dict[str, Any] = {"cursor_n": cursor, "receipts_epoch": greeting.receipts_epoch}
        values["chain_head"] = head
        nodes.change_upstream(session, **values, **({"receipts_n": 0} if is_new_feed else {}))
