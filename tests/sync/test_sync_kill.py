"""kill -9 of a receiving node: nothing acknowledged is lost, nothing is stored twice."""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import nodes, store
from sync.push import SyncState
from tests.faults import kill
from tests.faults.forked import ForkedNode, Forker, free_port
from tests.shared import put_empty_tables
from tests.sync.conftest import Node

KILLS = 8


class Receiver:
    """A node in a process of its own, started again and again over one store on one port."""

    def __init__(self, data_dir: Path, forker: Forker) -> None:
        self.data_dir, self.port, self._forker = data_dir, free_port(), forker
        self.url = f"http://127.0.0.1:{self.port}"
        put_empty_tables(data_dir / "collector.db")
        self.engine = open_engine(f"sqlite:///{data_dir / 'collector.db'}")
        prepare_store(self.engine)
        with writing(self.engine) as session:
            store.first_facts(session, "central")
        self.process: ForkedNode | None = None

    def start(self, how: str = "whole") -> None:
        self.process = self._forker.start(self.data_dir, self.port, how)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def ended(self) -> int:
        """Wait until it has ended by itself; return its status."""
        assert self.process is not None
        return self.process.ended()

    def enrol(self, tablet: Node) -> None:
        with writing(self.engine) as session:
            token = nodes.enrol_node(session, nodes.make_enrol_code(session, 1), "tableta", tablet.id, 1)
            me = store.fact(session, "node_id")
        with writing(tablet.engine) as session:
            nodes.set_upstream(session, self.url, me, token)

    def ids(self) -> list[str]:
        with reading(self.engine) as session:
            return [row[0] for row in session.connection().execute(text("SELECT id FROM record"))]


@pytest.fixture
def receiver(tmp_path: Path, forker: Forker) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "central", forker)
    yield receiver
    receiver.kill()
    receiver.engine.dispose()


def finish(tablet: Node, receiver: Receiver, ids: list[str]) -> None:
    receiver.kill()
    receiver.start()
    assert tablet.sync().error == ""
    assert sorted(receiver.ids()) == sorted(ids)
    assert tablet.status().counts.central == len(ids)


def test_a_node_killed_at_any_step_of_a_batch_loses_and_doubles_nothing(
    receiver: Receiver, make_node: Callable[..., Node]
) -> None:
    tablet = make_node("tableta")
    receiver.enrol(tablet)
    ids: list[str] = []
    for moment, has_stored in (("check", False), ("ingest", False), ("answer", True)) * 2:
        ids += tablet.capture(7)
        before = len(receiver.ids())
        receiver.start(moment)
        assert tablet.sync(SyncState()).error == "upstream_unreachable"
        assert receiver.ended() == -signal.SIGKILL
        assert tablet.status().counts.saved > 0
        assert (len(receiver.ids()) > before) == has_stored
    finish(tablet, receiver, ids)


def test_a_node_killed_at_random_moments_loses_and_doubles_nothing(
    receiver: Receiver, make_node: Callable[..., Node]
) -> None:
    tablet = make_node("tableta")
    receiver.enrol(tablet)
    ids: list[str] = []
    for _ in range(6):
        ids += tablet.capture(60)
        receiver.start()
        killer = threading.Timer(random.uniform(0.0, 0.25), receiver.kill)
        killer.start()
        while tablet.sync(SyncState(records=5, most_records=5)).error == "":
            ids += tablet.capture(5)
        killer.join()
        acked = tablet.status().counts.central
        assert acked <= len(receiver.ids()) == len(set(receiver.ids()))
    finish(tablet, receiver, ids)


def test_a_server_killed_while_tablets_and_a_phone_send_keeps_what_it_confirmed(forker: Forker) -> None:
    """Some kills; `python -m tests.faults.kill` does 200 of them."""
    survived = kill.run(forker, KILLS)
    print(survived)
    assert survived.cycles == KILLS and survived.made > survived.confirmed > 0 and survived.broken > 0


def test_a_server_that_confirms_before_it_stores_is_found_out(forker: Forker) -> None:
    with pytest.raises(AssertionError, match="confirmed and not there"):
        kill.run(forker, cycles=200, seconds=60, how="careless")
