"""Whether this node's clock may be believed when something is to be erased for good (docs/retention.md).

A clock that is late erases too little, which the next day mends. One that is ahead would erase too early:

    behind     it stands before the newest receipt of the log: nothing runs until it is past that
    differs    the upstream's clock says something else, by more than a day: nothing runs
    jumped     since the last look it went back, or more than eight days ahead (the node may have been off for so long):
               nothing runs until the upstream's clock agrees, or until it has walked seven days without another jump
"""

from typing import Literal

from sqlmodel import Session

from collector.queries import store
from collector.queries.retention import newest_receipt_ms

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LONGEST_STEP_MS, STEADY_MS = 8 * DAY_MS, 7 * DAY_MS
SEEN, SINCE, UPSTREAM = "terms_seen_ms", "terms_since_ms", "terms_upstream"
Doubt = Literal["", "behind", "differs", "jumped"]


def look_at_clock(session: Session, at_ms: int) -> Doubt:
    """Note what the clock says now, and return why it may not be believed; "" when it may."""
    newest = newest_receipt_ms(session)
    seen = int(store.fact(session, SEEN) or newest or at_ms)
    if not seen - HOUR_MS <= at_ms <= seen + LONGEST_STEP_MS:
        store.set_fact(session, SINCE, str(at_ms))
    store.set_fact(session, SEEN, str(at_ms))
    if at_ms < newest - HOUR_MS:
        return "behind"
    return _compared(session, at_ms, int(store.fact(session, SINCE) or 0))


def _compared(session: Session, at_ms: int, since_ms: int) -> Doubt:
    told_at_ms, ahead_ms = _told(session)
    # told before the clock was set, by the clock as it was: that says nothing of it any more
    is_told = bool(told_at_ms) and since_ms <= told_at_ms <= at_ms + HOUR_MS
    if is_told and abs(ahead_ms) > DAY_MS:
        return "differs"
    if since_ms and at_ms < since_ms + STEADY_MS and not is_told:
        return "jumped"
    return ""


def _told(session: Session) -> tuple[int, int]:
    """Return when by this clock the upstream told its time, and how far this clock was ahead of it; 0, 0 for never."""
    at_ms, _, ahead_ms = store.fact(session, UPSTREAM).partition(" ")
    return int(at_ms or 0), int(ahead_ms or 0)


def note_upstream_clock(session: Session, at_ms: int, server_ms: int) -> None:
    """Note what the upstream's clock says while this one says `at_ms`."""
    store.set_fact(session, UPSTREAM, f"{at_ms} {at_ms - server_ms}")
