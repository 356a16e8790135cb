"""The thread that sends by itself: it wakes, rests, outlives trouble and ends when told."""

import threading
import time
from collections.abc import Callable

import httpx
import pytest

from collector.db import writing
from sync.loop import SyncLoop, pause_seconds
from sync.push import SyncResult
from tests.sync.conftest import Node

MakeNode = Callable[..., Node]


def pair(make_node: MakeNode) -> tuple[Node, Node]:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return central, tablet


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def loop_of(node: Node, idle_seconds: float = 60.0) -> SyncLoop:
    return SyncLoop(node.engine, idle_seconds, node.install, lambda: httpx.Client(trust_env=False))


def test_the_loop_sends_by_itself_when_kicked_and_ends_when_told(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    loop = loop_of(tablet)
    loop.start()
    try:
        wait_until(lambda: tablet.status().last_try_ms is not None)
        tablet.capture(3)
        loop.kick()
        wait_until(lambda: len(central.ids()) == 3)
    finally:
        assert loop.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "sync"]
    tablet.capture(1)
    loop.kick()
    time.sleep(0.3)
    assert len(central.ids()) == 3


def test_the_loop_waits_for_an_upstream_and_stops_even_if_never_started(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    assert loop_of(tablet).stop()
    tablet.capture(1)
    loop = loop_of(tablet, idle_seconds=0.05)
    loop.start()
    try:
        time.sleep(0.2)
        tablet.enrol_at(central)
        wait_until(lambda: len(central.ids()) == 1)
    finally:
        assert loop.stop()


def test_the_loop_outlives_a_store_that_fails(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    central, tablet = pair(make_node)
    tablet.capture(1)
    monkeypatch.setattr("sync.loop.pause_seconds", lambda _failures, _result: 0.02)
    with writing(tablet.engine) as session:
        session.connection().exec_driver_sql("ALTER TABLE upstream RENAME TO hidden")
    loop = loop_of(tablet)
    loop.start()
    try:
        time.sleep(0.2)
        with writing(tablet.engine) as session:
            session.connection().exec_driver_sql("ALTER TABLE hidden RENAME TO upstream")
        wait_until(lambda: len(central.ids()) == 1)
    finally:
        assert loop.stop()


def test_pauses_double_from_two_seconds_to_a_quarter_of_an_hour_with_jitter() -> None:
    trouble = SyncResult(error="upstream_unreachable")
    pauses = [[pause_seconds(failures, trouble) for _ in range(200)] for failures in range(1, 14)]
    assert min(min(row) for row in pauses) == 2.0
    assert max(max(row) for row in pauses) <= 900
    assert max(pauses[4]) <= 32 and min(pauses[4]) >= 0.7 * 32
    assert len(set(pauses[6])) > 100
