"""Clocks that are wrong by years, or jump: everything is taken, in the order it was made, with a flag for people."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from collector.clock import iso, now_ms
from collector.db import reading
from sync.push import SyncState, sync_once
from sync.records import canonical_bytes, uuid7
from tests.faults.rig import Rig, Tablet
from tests.sync.conftest import record_content

YEAR_MS, MINUTE_MS = 365 * 86_400_000, 60_000
AS_STORED = text("SELECT id, flags, skew_ms, via FROM record ORDER BY n")
SKEW_OF_NODE = text("SELECT skew_ms FROM node")


def capture(tablet: Tablet, clock_ms: int) -> str:
    """Save a record as a device does whose clock says `clock_ms`."""
    content = record_content(id=uuid7(clock_ms), started=iso(clock_ms - MINUTE_MS), finished=iso(clock_ms))
    [record_id] = tablet.capture_bodies([canonical_bytes(content).decode()])
    return record_id


def send(tablet: Tablet, clock_ms: int, state: SyncState) -> None:
    result = sync_once(tablet.engine, tablet.http, clock_ms, tablet.install, state)
    assert result.error == "" and result.quarantined == 0


def at_central(rig: Rig, statement: Any = AS_STORED) -> list[tuple[Any, ...]]:
    with reading(rig.central.app.state.engine) as session:
        return [tuple(row) for row in session.connection().execute(statement)]


def clock_flags(flags: str) -> list[int]:
    """Return by how many minutes the flags say that the clock was wrong."""
    return [int(flag["text"]) for flag in json.loads(flags or "[]") if flag["what"] == "clock"]


@pytest.mark.parametrize("wrong_ms", [-YEAR_MS, 10 * YEAR_MS, -6 * MINUTE_MS], ids=["-1 year", "+10 years", "-6 min"])
def test_a_tablet_with_a_wrong_clock_delivers_and_its_records_are_flagged(rig: Rig, wrong_ms: int) -> None:
    tablet, state = rig.tablet(), SyncState()
    ids = [capture(tablet, now_ms() + wrong_ms) for _ in range(3)]
    send(tablet, now_ms() + wrong_ms, state)
    stored = at_central(rig)
    assert [row[0] for row in stored] == ids
    for _, flags, skew_ms, via in stored:
        assert skew_ms == pytest.approx(-wrong_ms, abs=MINUTE_MS)
        assert clock_flags(flags) == [pytest.approx(-wrong_ms / MINUTE_MS, abs=1)]
        assert json.loads(via)[0]["skew"] == skew_ms
    assert at_central(rig, SKEW_OF_NODE) == [(pytest.approx(-wrong_ms, abs=MINUTE_MS),)]
    assert tablet.status().counts.central == 3


def test_a_clock_that_is_a_little_wrong_is_not_worth_a_flag(rig: Rig) -> None:
    tablet = rig.tablet()
    capture(tablet, now_ms() - 4 * MINUTE_MS)
    send(tablet, now_ms() - 4 * MINUTE_MS, SyncState())
    [(_, flags, _, via)] = at_central(rig)
    assert clock_flags(flags) == [] and "skew" not in json.loads(via)[0]


def test_a_clock_that_jumps_in_mid_session_changes_no_order_and_loses_nothing(rig: Rig) -> None:
    tablet, state, ids = rig.tablet(), SyncState(), []
    for jump_ms in (0, 10 * YEAR_MS, -YEAR_MS, 0, -20 * YEAR_MS, 10 * YEAR_MS):
        clock_ms = now_ms() + jump_ms
        ids += [capture(tablet, clock_ms), capture(tablet, clock_ms)]
        send(tablet, clock_ms, state)
    stored = at_central(rig)
    assert [row[0] for row in stored] == ids, "the order is that of the log, not of the clocks"
    assert [bool(clock_flags(row[1])) for row in stored] == [*[False] * 2, *[True] * 4, *[False] * 2, *[True] * 4]
    assert tablet.status().counts.central == len(ids)
    send(tablet, now_ms() - 20 * YEAR_MS, SyncState())
    assert len(at_central(rig)) == len(ids)


def test_a_tablet_that_believes_to_be_in_1970_can_enrol_and_send(rig: Rig) -> None:
    tablet = rig.tablet()
    record_id = capture(tablet, 2 * MINUTE_MS)
    send(tablet, 2 * MINUTE_MS, SyncState())
    assert [row[0] for row in at_central(rig)] == [record_id]
