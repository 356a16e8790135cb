"""Notices that this store is an old copy, or a clone: a marker beside the database must say what the database says.

    collector.marker   {"id", "turn", "machine", "file", "clean"}          meta   marker.<id> = turn

The turn is counted on at every start and every stop, in both places. The database put back from a copy has an older
turn; a folder copied to another computer has another machine's marker; a database without its marker came from
somewhere. Each begins a new epoch: everything is sent again, and the receiver recognises what it has. So a wrong alarm
costs bytes and a missed one would cost records. The receiver's cursor is the second net: `queries/nodes.py: sent_upto`.
"""

import json
import logging
import os
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from collector.clock import now_ms
from collector.db import is_sqlite, reading, writing
from collector.problems import ProblemError
from collector.queries import nodes, store
from collector.store_problems import DAMAGED, IN_USE

NAME, LOCK_NAME = "collector.marker", "collector.lock"
MACHINE_ID = Path("/etc/machine-id")
PREFIX = "marker."
COPY = "copy"  # the turn that a backup holds: no marker ever says so
log = logging.getLogger("collector.backups.marker")


@dataclass(frozen=True)
class Marker:
    """What stands beside the database. machine: "" where a machine has no name; file: which file the database is."""

    id: str
    turn: int
    machine: str
    file: str
    clean: bool


class Lock:
    """A hold on a store; whoever forgets to let go does so when the program ends."""

    def __init__(self, handle: int) -> None:
        self.handle: int = handle

    def release(self) -> None:
        """Let go."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    __del__ = release


class Turn:
    """A running server's hold on its store: the lock, and the marker to be written when it stops."""

    def __init__(self, engine: Engine, data_dir: Path, lock: Lock) -> None:
        self._engine, self._data_dir, self._lock = engine, data_dir, lock

    def end(self) -> None:
        """Note a clean stop and let go of the store. A full disk only costs a longer check at the next start."""
        with suppress(OSError, SQLAlchemyError):
            marker = read_marker(self._data_dir)
            if marker is not None:
                _count_on(self._engine, self._data_dir, replace(marker, clean=True))
        self._lock.release()


def begin_turn(engine: Engine, data_dir: Path) -> Turn:
    """Open the store for a server: check the file after a crash, begin a new epoch when this is a copy.

    Raises ProblemError `store_damaged`, and `store_in_use` while it is being restored.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = take_lock(data_dir, alone=False)
    try:
        marker = read_marker(data_dir)
        if is_sqlite(engine) and not (marker and marker.clean):
            _check_file(engine)
        here = Marker(marker.id if marker else uuid.uuid4().hex[:16], 0, _machine(), _file_of(engine), False)
        why = _why_a_copy(engine, marker, here)
        if why:
            _start_epoch(engine, why)
        _count_on(engine, data_dir, here)
    except BaseException:
        lock.release()
        raise
    return Turn(engine, data_dir, lock)


def _why_a_copy(engine: Engine, marker: Marker | None, here: Marker) -> str:
    """Return why the database is not the one that the marker knows: "" when it is."""
    with reading(engine) as session:
        turns = store.facts(session, PREFIX)
    if marker is None:
        return "no_marker" if turns else ""  # a store that never had one is of an earlier release, or new
    if turns.get(PREFIX + marker.id) != str(marker.turn):
        return "older_copy"
    if marker.machine != here.machine:
        return "other_machine"
    return "other_file" if marker.file != here.file else ""


def _start_epoch(engine: Engine, why: str) -> None:
    with writing(engine) as session:
        epoch = start_epoch(session, why)
    log.warning("this store is a copy (%s): new epoch %s, everything is sent again", why, epoch)


def start_epoch(session: Session, why: str) -> str:
    """Begin a new epoch and note why, for the status: no_marker, older_copy, other_machine, other_file, restored."""
    store.set_fact(session, "epoch_reason", why)
    store.set_fact(session, "epoch_ms", str(now_ms()))
    return nodes.start_epoch(session)


def mark_as_copy(session: Session) -> None:
    """Make a copied database known as one, whoever puts it in place, wherever."""
    store.drop_facts(session, PREFIX)
    store.set_fact(session, PREFIX + COPY, COPY)


def forget_markers(session: Session, data_dir: Path) -> None:
    """Have the next start take the store as it is: it has just begun a new epoch."""
    (data_dir / NAME).unlink(missing_ok=True)
    store.drop_facts(session, PREFIX)


def _count_on(engine: Engine, data_dir: Path, marker: Marker) -> None:
    """Count the turn on, first in the database: a crash between the two costs a new epoch and nothing else."""
    with writing(engine) as session:
        turn = int(store.fact(session, PREFIX + marker.id) or 0) + 1
        store.drop_facts(session, PREFIX + COPY)
        store.set_fact(session, PREFIX + marker.id, str(turn))
    _write_marker(data_dir, replace(marker, turn=turn))


def _check_file(engine: Engine) -> None:
    with reading(engine) as session:
        reason = store.quick_check(session)
    if reason:
        raise ProblemError(DAMAGED, path=engine.url.database, reason=reason)


# --- the two files


def read_marker(data_dir: Path) -> Marker | None:
    """Return the marker; None when there is none, or none that can be read."""
    try:
        found: dict[str, Any] = json.loads((data_dir / NAME).read_text(encoding="utf-8"))
        return Marker(**found)
    except (OSError, ValueError, TypeError):
        return None


def _write_marker(data_dir: Path, marker: Marker) -> None:
    part = data_dir / (NAME + ".part")
    with part.open("w", encoding="utf-8") as written:
        json.dump(asdict(marker), written)
        written.flush()
        os.fsync(written.fileno())
    part.replace(data_dir / NAME)


def take_lock(data_dir: Path, alone: bool) -> Lock:
    """Hold the store: servers hold it together, a restore alone. The end of the program lets go too, however it comes.

    Raises ProblemError `store_in_use`.
    """
    lock = Lock(os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        import fcntl
    except ImportError:  # Windows: there a file that a server has open cannot be replaced anyway
        return lock
    try:
        fcntl.flock(lock.handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.release()
        raise ProblemError(IN_USE, place=data_dir) from error
    return lock


def _machine() -> str:
    try:
        return MACHINE_ID.read_text().strip()
    except OSError:  # a phone, a Mac, Windows: the file's own number tells enough
        return ""


def _file_of(engine: Engine) -> str:
    """Return which file, or which PostgreSQL database, this is: a copy is another one under the same name."""
    if is_sqlite(engine):
        return str(Path(engine.url.database or "").stat().st_ino)
    with reading(engine) as session:
        return store.database_number(session)
