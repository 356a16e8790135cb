"""A machine of the simulation: a disk that can lose power, the project's engine on it, its routes, its sender."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from random import Random
from typing import Any
from unittest.mock import patch

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool
from starlette.datastructures import State

from collector import db
from collector.app import _add_handlers
from collector.clock import now_ms
from collector.db import writing
from collector.queries import erasures, nodes
from collector.queries.gaps import Gap, find_gaps
from collector.queries.records import Arrival, Outcome, ingest
from collector.routes import blobs
from collector.routes.sync import router
from sync import limits
from sync.push import SyncResult, SyncState, sync_once
from tests.simulation import apsw_dbapi
from tests.simulation.by_seed import Clocks
from tests.simulation.crash_vfs import CrashVFS, Disk, Tearing
from tests.simulation.short_way import LINES, close_store, take_short_way

VFS = CrashVFS(lambda size: os.urandom(size))  # looked up at each call: by_seed replaces it
Key = tuple[str, bytes]  # a record: its id and the sha256 of its bytes
# which are sent, and which central has, is known in one life of what is known of central
FILES = """
SELECT sha256, have, bytes, sent_life = life.value, central_life = life.value
FROM blob, (SELECT coalesce(max(value), 'first') AS value FROM meta WHERE key = 'receipts_life') AS life
ORDER BY sha256"""


@dataclass(frozen=True)
class Contents:
    """What a store holds. effective: the one row of each id that counts; bodies: None where erased.

    apart: the reason of each entry of quarantine; closed: those on which somebody decided; whole_files: sha256 of files
    that are whole here; central_files: those that central is said to have.
    """

    effective: dict[str, bytes]
    states: dict[str, str]
    bodies: dict[Key, str | None]
    receipts: set[Key]
    apart: dict[Key, str]
    closed: set[Key]
    files: list[tuple[Any, ...]]
    whole_files: set[str]
    central_files: set[str]

    @property
    def keys(self) -> set[Key]:
        return set(self.bodies)

    @property
    def counting(self) -> set[Key]:
        return set(self.effective.items())


@dataclass
class Machine:
    """One machine. Its engine and application are made once and serve many seeds; disk and memory are new each time."""

    name: str
    clocks: Clocks = field(default_factory=Clocks)
    disk: Disk = field(init=False)
    checkpoint_pages: int = 1000
    is_there: bool = True
    state: SyncState = field(default_factory=SyncState)
    _seen: tuple[int, Contents] | None = None
    _stood: tuple[int, list[tuple[Any, ...]]] | None = None

    def __post_init__(self) -> None:
        self.disk = Disk(self.name, Random(0))
        VFS.insert(self.disk)
        self.engine = _open_engine(self)
        self.app = FastAPI()
        self.app.include_router(router)
        self.app.include_router(blobs.router)
        _add_handlers(self.app)

    def connect(self) -> apsw_dbapi.Connection:
        return apsw_dbapi.connect(self.disk, self.checkpoint_pages)

    def insert_disk(self, disk: Disk, clocks: Clocks, image: dict[str, bytes]) -> None:
        """Begin anew with a disk that holds `image`."""
        close_store(self.engine)
        self.disk, self.clocks, self._seen, self._stood = disk, clocks, None, None
        VFS.insert(disk)
        disk.put_back(image)
        self.is_there = bool(image)
        self.boot()

    def boot(self) -> None:
        """Start the program: nothing of its memory is left."""
        self.state = SyncState()
        self.state.blobs.piece = limits.MIN_BLOB_CHUNK_BYTES  # as on a slow line: files go in several pieces
        self.app.state = State()
        self.app.state.engine = self.engine
        self.app.state.check = lambda _content: ""
        self.app.state.kick = lambda: None

    def stop(self) -> None:
        """End the program in order: SQLite copies its log into the database and deletes it."""
        with self.clocks.of(self.name):
            close_store(self.engine)
        self._seen = self._stood = None

    def recover(self, tearing: Tearing) -> None:
        """Give a machine its power back, and start its program."""
        close_store(self.engine)  # the dead program's connection
        self.disk.recover(tearing)
        self.boot()

    def put_back(self, image: dict[str, bytes], is_noticed: bool) -> None:
        """Replace the store by a copy. is_noticed: by the program, which then begins a new life of its log."""
        close_store(self.engine)
        self.disk.put_back(image)
        self.is_there = True
        self.boot()
        if is_noticed:
            with self.clocks.of(self.name), writing(self.engine) as session:
                nodes.start_epoch(session)

    def keep(self, arrivals: list[Arrival]) -> list[Outcome]:
        """Store records as a form on this machine does. When this returns, the person reads "Guardado"."""
        with self.clocks.of(self.name), writing(self.engine) as session:
            return ingest(session, arrivals, now_ms())

    def sync(self, http: httpx.Client) -> SyncResult:
        """Do one round of the sync loop."""
        self.wipe()
        with self.clocks.of(self.name):
            return sync_once(self.engine, http, now_ms(), _no_forms, self.state)

    def wipe(self) -> None:
        """Do what the sync loop of central does: it has nobody to talk to."""
        with self.clocks.of(self.name), patch.object(erasures, "look_for_gaps", self._look_for_gaps):
            erasures.wipe_traces(self.engine, at_leisure=True)

    def _look_for_gaps(self, engine: Engine) -> list[Gap]:
        """Look at the disk: no other process could."""
        content = bytes(self.disk.files["collector.db"])
        return find_gaps(BytesIO(content), erasures.first_pages(engine))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the store beside the program, for the judge."""
        with _raw(self.engine) as connection:
            return connection.execute(statement).fetchall()

    def contents(self) -> Contents:
        """Return what the store holds; read again only when the disk has changed."""
        if self._seen is None or self._seen[0] != self.disk.changes:
            contents = self._read()
            self._seen = (self.disk.changes, contents)
        return self._seen[1]

    def _read(self) -> Contents:
        records = self.rows("SELECT id, sha256, body, state FROM record")
        aside = self.rows("SELECT id, sha256, body, why, resolved_by FROM quarantine")
        files = self.rows(FILES)
        receipts = self.rows("SELECT id, sha256 FROM receipt")
        bodies = {(row[0], bytes(row[1])): row[2] for row in (*records, *aside)}
        if len(bodies) != len(records) + len(aside):
            raise AssertionError(f"I3: {self.name} holds the same record twice")
        return Contents(
            effective={row[0]: bytes(row[1]) for row in records},
            states={row[0]: row[3] for row in records},
            bodies=bodies,
            receipts={(row[0], bytes(row[1])) for row in receipts},
            apart={(row[0], bytes(row[1])): row[3] for row in aside},
            closed={(row[0], bytes(row[1])) for row in aside if row[4]},
            files=files,
            whole_files={row[0] for row in files if row[1] == row[2]},
            central_files={row[0] for row in files if row[4]},
        )

    def standing(self) -> list[tuple[Any, ...]]:
        """Return what moves while there is something to exchange; read again only when the disk has changed."""
        if self._stood is None or self._stood[0] != self.disk.changes:
            standing = self._read_standing()
            self._stood = (self.disk.changes, standing)
        return self._stood[1]

    def _read_standing(self) -> list[tuple[Any, ...]]:
        facts = self.rows("SELECT value FROM meta WHERE key IN ('epoch', 'receipts_life', 'unwiped')")
        upstream = self.rows("SELECT cursor_n, receipts_n, receipts_epoch, feed_n, last_error FROM upstream")
        held = self.contents()
        blank = sum(body is None for body in held.bodies.values())
        decided = (len(held.counting - held.apart.keys()), len(held.closed))
        return [*facts, *upstream, *held.files, decided, (len(held.bodies), blank, len(held.receipts))]


@contextmanager
def _raw(engine: Engine) -> Iterator[apsw_dbapi.Connection]:
    line = LINES[engine].lend()
    try:
        connection = line.driver_connection
        assert isinstance(connection, apsw_dbapi.Connection)
        yield connection
    finally:
        line.close()


def _open_engine(machine: Machine) -> Engine:
    """Open an engine by the project's own `open_engine`, with apsw below it in place of the standard library's module.

    One connection: a second one inside a transaction would be a fault of the code, and here it fails at once.
    """
    made: Callable[..., Engine] = partial(
        create_engine,
        module=apsw_dbapi,
        creator=machine.connect,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.1,
    )
    with patch.object(db, "create_engine", lambda url, **_given: made(url)):
        engine = db.open_engine(f"sqlite:////{machine.name}.db")
    take_short_way(engine)
    return engine


def _no_forms(*_given: Any, **_files: Any) -> None:
    raise AssertionError("nobody has published a form")
