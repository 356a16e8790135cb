"""kill -9 of a real server, again and again, while tablets and a phone send: what it confirmed must be there, once.

    live pushers   two tablets with the project's own sender, one phone that posts to the outbox; none ever stops
    confirmed      a tablet: what its store has a receipt for; the phone: ids the answer names with central true

Usage: python -m tests.faults.kill [--cycles 200] [--seconds 0]
"""

import argparse
import random
import sqlite3
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import text

from collector.clock import now_ms
from collector.db import open_engine, reading, writing
from collector.queries import nodes
from sync.push import SyncState, enrol
from sync.records import canonical_bytes
from tests.faults.forked import ForkedNode, Forker, free_port
from tests.sync.conftest import Node as Tablet
from tests.sync.conftest import record_content

MOST_ANSWERS, LONGEST_LIFE_SECONDS = 12, 5.0
LAST_MOMENT_SECONDS = 0.05  # about what one batch takes
PATIENCE_SECONDS = 0.1
CHANCE = random.Random()
RECEIPTS = text("SELECT id FROM receipt")


@dataclass(frozen=True)
class Survived:
    """What was seen: kills, records made, confirmed before the last kill, exchanges that a kill broke."""

    cycles: int
    made: int
    confirmed: int
    broken: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.cycles} kills in {self.seconds:.0f} s: {self.made} records made, {self.confirmed} confirmed while "
            f"the server was being killed, {self.broken} exchanges broken, none lost, none twice"
        )


class Pusher(threading.Thread, ABC):
    """Somebody who collects and sends without a pause. made: ids in the order they were saved here.

    answered, broken: how many exchanges went well, and how many a kill broke.
    """

    def __init__(self) -> None:
        super().__init__(name=type(self).__name__)
        self.made: list[str] = []
        self.answered = self.broken = 0
        self.trouble: BaseException | None = None
        self._end = threading.Event()

    def run(self) -> None:
        try:
            while not self._end.is_set():
                self.collect()
                if self.push():
                    self.answered += 1
                else:
                    self.broken += 1
                    self._end.wait(PATIENCE_SECONDS)
        except BaseException as error:  # told to who waits for this thread
            self.trouble = error

    def stop(self) -> None:
        """End the thread; raise what it stumbled over."""
        self._end.set()
        if self.ident is not None:
            self.join(30)
            assert not self.is_alive()
        if self.trouble is not None:
            raise self.trouble

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""

    @abstractmethod
    def collect(self) -> None:
        """Save something new."""

    @abstractmethod
    def push(self) -> bool:
        """Send what waits; False when nobody answered."""

    @abstractmethod
    def confirmed(self) -> set[str]:
        """Return what this pusher believes central to have, at this moment."""


class TabletPusher(Pusher):
    """A tablet with its store and the project's sender."""

    def __init__(self, folder: Path, url: str, code: str) -> None:
        super().__init__()
        folder.mkdir()
        self.tablet = Tablet(folder, folder.name, lambda _content: "", f"sqlite:///{folder / 'collector.db'}")
        self.state = SyncState(records=5, most_records=40)
        enrol(self.tablet.engine, self.tablet.http, url, code, folder.name)

    def collect(self) -> None:
        self.made += self.tablet.capture(CHANCE.randrange(1, 12))

    def push(self) -> bool:
        return self.tablet.sync(self.state).error == ""

    def confirmed(self) -> set[str]:
        with reading(self.tablet.engine) as session:
            return {row[0] for row in session.connection().execute(RECEIPTS)}

    def close(self) -> None:
        self.tablet.close()
        self.tablet.http.close()


class PhonePusher(Pusher):
    """A browser: keeps what it made until the answer names it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self._waiting, self._confirmed = f"{url}/sync/v1/outbox", dict[str, bytes](), set[str]()
        self._http = httpx.Client(trust_env=False)

    def collect(self) -> None:
        content = record_content()
        self._waiting[content["id"]] = canonical_bytes(content)
        self.made.append(content["id"])

    def push(self) -> bool:
        body = b"".join(record + b"\n" for record in list(self._waiting.values())[:50])
        try:
            answer = self._http.post(self._url, content=body, headers={"Content-Type": "application/x-ndjson"})
        except httpx.TransportError:
            return False
        if answer.status_code == 429:  # so many records a minute and address
            self._end.wait(PATIENCE_SECONDS)
            return True
        assert answer.status_code == 200, answer.text
        found = answer.json()
        for record_id in found["results"] if found["central"] else ():
            self._confirmed.add(record_id)
            del self._waiting[record_id]
        return True

    def confirmed(self) -> set[str]:
        return set(self._confirmed)

    def close(self) -> None:
        self._http.close()


def run(
    forker: Forker, cycles: int, seconds: float = 0, tell: Callable[[str], None] = print, how: str = "whole"
) -> Survived:
    """Kill up to `cycles` times, for up to `seconds` (0: as long as it takes). AssertionError: something was lost.

    how: which server is killed, see `Forker.start`.
    """
    with tempfile.TemporaryDirectory() as name:
        return _run(Central(forker, Path(name) / "central", how), Path(name), cycles, seconds, tell)


def _run(central: "Central", folder: Path, cycles: int, seconds: float, tell: Callable[[str], None]) -> Survived:
    started = time.monotonic()
    pushers: list[Pusher] = []
    try:
        pushers += [TabletPusher(folder / name, central.url, central.code()) for name in ("una", "otra")]
        pushers.append(PhonePusher(central.url))
        for pusher in pushers:
            pusher.start()
        done = 0
        while done < cycles and not (seconds and time.monotonic() - started > seconds):
            central.live_and_die(pushers)
            central.check({record_id for pusher in pushers for record_id in pusher.confirmed()})
            central.start()
            done += 1
            if done % 20 == 0:
                tell(f"{done} kills, {central.count} records")
        confirmed = sum(len(pusher.confirmed()) for pusher in pushers)
        made = send_the_rest(pushers)
        central.check(made, complete=True)
        broken = sum(pusher.broken for pusher in pushers)
        return Survived(done, len(made), confirmed, broken, time.monotonic() - started)
    finally:
        central.node.kill()
        for pusher in pushers:
            pusher.stop()
            pusher.close()


class Central:
    """The server that is killed. count: records it held when last looked at."""

    def __init__(self, forker: Forker, data_dir: Path, how: str) -> None:
        self._forker, self._data_dir, self._how, self.count = forker, data_dir, how, 0
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self.node: ForkedNode = self._forker.start(self._data_dir, self._port, self._how)

    def code(self) -> str:
        engine = open_engine(f"sqlite:///{self._data_dir / 'collector.db'}")
        with writing(engine) as session:
            code = nodes.make_enrol_code(session, now_ms())
        engine.dispose()
        return code

    def live_and_die(self, pushers: list[Pusher]) -> None:
        """Let it answer so many times as chance wants, none too, and a moment more; then kill it."""
        until = time.monotonic() + LONGEST_LIFE_SECONDS
        wanted = sum(pusher.answered for pusher in pushers) + CHANCE.randrange(MOST_ANSWERS)
        while sum(pusher.answered for pusher in pushers) < wanted and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(CHANCE.uniform(0, LAST_MOMENT_SECONDS))
        self.node.kill()

    def check(self, confirmed: set[str], complete: bool = False) -> None:
        """Look into the file: all of `confirmed` is there, each once; complete: and nothing else is."""
        with closing(sqlite3.connect(self._data_dir / "collector.db")) as database:
            ids = [row[0] for row in database.execute("SELECT id FROM record")]
            aside = database.execute("SELECT count(*) FROM quarantine").fetchone()[0]
            numbers = database.execute("SELECT count(DISTINCT n), max(n) FROM record").fetchone()
            [found] = database.execute("PRAGMA quick_check").fetchone()
        self.count = len(ids)
        lost = confirmed - set(ids)
        assert not lost, f"confirmed and not there: {sorted(lost)[:5]} and so on, {len(lost)} in all"
        assert len(ids) == len(set(ids)) and aside == 0 and found == "ok"
        assert numbers in ((len(ids), len(ids)), (0, None)), f"the log has holes: {numbers}"
        assert not complete or set(ids) == confirmed


def send_the_rest(pushers: list[Pusher]) -> set[str]:
    """Stop collecting, let everybody send all they have, and return all that was ever made."""
    for pusher in pushers:
        pusher.stop()
    for pusher in pushers:
        while len(pusher.confirmed()) < len(pusher.made):
            pusher.push()
    return {record_id for pusher in pushers for record_id in pusher.made}


def main() -> None:
    """Kill as often as asked and say what was found."""
    parser = argparse.ArgumentParser(description="Kill a server while tablets send to it.")
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0)
    wanted = parser.parse_args()
    forker = Forker()
    try:
        print(run(forker, wanted.cycles, wanted.seconds))
    finally:
        forker.stop()


if __name__ == "__main__":
    main()
