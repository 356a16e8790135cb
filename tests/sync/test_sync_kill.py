"""kill -9 of a receiving node: nothing acknowledged is lost, nothing is stored twice."""

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import nodes, store
from sync.push import SyncState
from tests.faults import kill
from tests.sync.conftest import Node

ROOT = Path(__file__).resolve().parents[2]
KILLING_SECONDS = 15


class Receiver:
    """A node in a process of its own, started again and again over one store on one port."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "central.db"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.engine = open_engine(f"sqlite:///{self.database}")
        prepare_store(self.engine)
        with writing(self.engine) as session:
            store.first_facts(session, "central")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, moment: str = "never") -> None:
        command = [sys.executable, "-m", "tests.sync.node_process", str(self.database), str(self.port), moment]
        self.process = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

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
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path)
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
        assert receiver.process is not None and receiver.process.wait(10) == -9
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


def test_a_server_killed_while_tablets_and_a_phone_send_keeps_what_it_confirmed() -> None:
    """As many kills as fit into some seconds; `python -m tests.faults.kill` does 200 of them."""
    survived = kill.run(cycles=200, seconds=KILLING_SECONDS)
    print(survived)
    assert survived.cycles >= 5 and survived.made > survived.confirmed > 0 and survived.broken > 0


def test_a_server_that_confirms_before_it_stores_is_found_out() -> None:
    with pytest.raises(AssertionError, match="confirmed and not there"):
        kill.run(cycles=200, seconds=60, how="careless")
