"""Copies of a store that were tried out, and putting one back. A file for SQLite; `postgres.py` for PostgreSQL.

    backup    one moment of the store -> a file beside DEST -> opened, counted, every sha256 proved -> renamed to DEST
    restore   the copy -> a file beside the store -> proved, given a new epoch -> the old store is moved aside, this in

Nothing is half done: a copy has its name when it is proved, and the replaced store stays beside the new one.
"""

import errno
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from collector.backups.marker import forget_markers, mark_as_copy, start_epoch, take_lock
from collector.backups.names import free_name, name_now
from collector.db import is_sqlite, open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import copies
from collector.queries.copies import Holding
from collector.settings import Settings
from collector.store_problems import NO_SPACE, NO_STORE, NOT_A_BACKUP, TARGET_EXISTS

log = logging.getLogger("collector.backups.backup")
SUFFIXES = ("", "-wal", "-shm", "-journal")


def backup(settings: Settings, target: Path, force: bool = False) -> tuple[Path, Holding]:
    """Copy the store into a file, while a server may be writing, and prove the copy; return the file and what it holds.

    target: a file, or a folder in which the copy gets a name. Raises ProblemError; then no half copy is left.
    """
    path = _name_in(target, settings.url) if target.is_dir() else target
    if path.exists() and not force:
        raise ProblemError(TARGET_EXISTS, path=path)
    _must_exist(settings)
    engine = open_engine(settings.url)
    with _part_of(path) as part:
        try:
            if is_sqlite(engine):
                held = _copy(engine, part)
            else:
                from collector.backups.postgres import dump

                held = dump(engine, part)
        finally:
            engine.dispose()
        _keep(part)
        part.replace(path)
    return path, held


def restore(settings: Settings, copy: Path) -> tuple[Path | None, Holding]:
    """Put a copy in the place of the store; return where the replaced one stands now and what is held from now on.

    The store begins a new epoch, so that what it sends is not taken for what the lost one sent under the same numbers.
    Raises ProblemError; then the store is as it was.
    """
    if not copy.is_file():
        raise ProblemError(NOT_A_BACKUP, path=copy, reason="no existe ese archivo")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = take_lock(settings.data_dir, alone=True)
    engine = open_engine(settings.url)
    try:
        if is_sqlite(engine):
            return _put_back(Path(engine.url.database or ""), settings.data_dir, copy)
        from collector.backups.postgres import put_back

        return put_back(engine, settings.data_dir, copy)
    finally:
        engine.dispose()
        lock.release()


# --- SQLite


def _copy(engine: Engine, part: Path) -> Holding:
    with reading(engine) as session:
        expected = copies.holding(session)  # first: it opens the moment that is copied
        written = sqlite3.connect(part)
        try:
            copies.copy_sqlite(session, written)
        finally:
            written.close()
    copied = open_engine(f"sqlite:///{part}")
    try:
        with writing(copied) as session:
            mark_as_copy(session)
        found = prove(copied, part)
    finally:
        copied.dispose()
    if found != expected:
        raise ProblemError(NOT_A_BACKUP, path=part, reason=f"{found} en vez de {expected}")
    return found


def prove(engine: Engine, path: Path) -> Holding:
    """Open a copied store as a store and look at all of it. Raises ProblemError `not_a_backup`."""
    try:
        with reading(engine) as session:
            is_store = not is_sqlite(engine) or copies.has_log(session)
            wrong = copies.integrity_check(session) if is_sqlite(engine) else ""
            wrong = wrong or ("" if is_store else "no es un almacén de Collector")
            wrong = wrong or copies.find_wrong(session)
            if wrong:
                raise ProblemError(NOT_A_BACKUP, path=path, reason=wrong)
            return copies.holding(session)
    except DatabaseError as error:
        raise ProblemError(NOT_A_BACKUP, path=path, reason=str(error.orig)) from error


def _put_back(store: Path, data_dir: Path, copy: Path) -> tuple[Path | None, Holding]:
    with _part_of(store) as part:
        shutil.copyfile(copy, part)
        made = open_engine(f"sqlite:///{part}")
        try:
            prove(made, copy)
            prepare_store(made)  # a copy of an earlier release becomes one of this release here
            with writing(made) as session:
                forget_markers(session, data_dir)
                start_epoch(session, "restored")
            held = prove(made, copy)
        finally:
            made.dispose()
        _keep(part)
        aside = _move_aside(store)
        part.replace(store)
    return aside, held


def _move_aside(store: Path) -> Path | None:
    """Move the store, with what belongs to it, to a name that says when."""
    if not store.exists():
        return None
    _fold(store)
    aside = free_name(store.parent, store.stem, store.suffix)
    for suffix in SUFFIXES[::-1]:  # the database last: killed between, it is still found
        with suppress(FileNotFoundError):
            store.with_name(store.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside


def _fold(store: Path) -> None:
    """Have SQLite move what stands in its log beside the file into the file: the last one who closes it does."""
    engine = open_engine(f"sqlite:///{store}")
    try:
        with reading(engine) as session:
            copies.has_log(session)
    except DatabaseError:
        log.warning("%s is damaged: moved aside as it is", store)
    finally:
        engine.dispose()


# --- files


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Give a name beside `path` for what is not done yet; nothing of it stays. A full disk is said in plain words."""
    part = path.with_name(path.name + ".part")
    try:
        _drop(part)
        yield part
    except (OSError, sqlite3.Error, DatabaseError) as error:
        if _is_full(error):
            raise ProblemError(NO_SPACE, path=path) from error
        raise
    finally:
        _drop(part)


def _drop(path: Path) -> None:
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_full(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(cause)


def _keep(path: Path) -> None:
    """Have the disk hold it before it gets its name."""
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def _must_exist(settings: Settings) -> None:
    path = Path(settings.url.removeprefix("sqlite:///"))
    if settings.url.startswith("sqlite") and not path.is_file():
        raise ProblemError(NO_STORE, path=path)


def _name_in(folder: Path, url: str) -> Path:
    return folder / name_now("collector", ".db" if url.startswith("sqlite") else ".dump")
