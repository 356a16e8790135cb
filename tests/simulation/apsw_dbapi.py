"""As much of Python's database interface over apsw as SQLAlchemy's SQLite dialect asks for (PEP 249, tests only).

The module of the standard library cannot open a VFS that is written in Python; apsw can.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import apsw

from tests.simulation.crash_vfs import VFS_NAME, Disk, PowerCut

apilevel, threadsafety, paramstyle = "2.0", 1, "qmark"
sqlite_version = apsw.sqlite_lib_version()
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))
Binary = memoryview
Description = list[tuple[Any, ...]] | None
DESCRIPTIONS: dict[
    str, Description
] = {}  # of each statement that ran: asked of SQLite once, the tables stay as they are


STATEMENTS = 500  # that a connection keeps prepared


class Error(Exception):
    """Whatever the store says."""


class DatabaseError(Error):
    pass


class OperationalError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class InterfaceError(Error):
    pass


class ProgrammingError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class InternalError(DatabaseError):
    pass


def connect(disk: Disk, checkpoint_pages: int = 1000) -> "Connection":
    """Open the store of `disk`. checkpoint_pages: after so many pages the log is copied into the database."""
    found = apsw.Connection(f"/{disk.folder}/collector.db", vfs=VFS_NAME, statementcachesize=STATEMENTS)
    for pragma in ("locking_mode=EXCLUSIVE", "temp_store=MEMORY"):
        found.execute(f"PRAGMA {pragma}")
    found.wal_autocheckpoint(checkpoint_pages)
    return Connection(found, disk)


def _as_ours(error: apsw.Error) -> Error:
    if isinstance(error, apsw.ConstraintError):
        return IntegrityError(str(error))
    if isinstance(error, apsw.FullError):
        return OperationalError("database or disk is full")
    if isinstance(error, apsw.IOError):
        return OperationalError("disk I/O error")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return DatabaseError(f"database disk image is malformed: {error}")
    return OperationalError(str(error))


def _describe(statement: str, cursor: apsw.Cursor, _text: str, _values: Any) -> bool:
    columns = cursor.get_description()
    DESCRIPTIONS[statement] = [(column[0], None, None, None, None, None, None) for column in columns] or None
    return True


class Connection:
    """A connection that stops working when its machine has no power."""

    isolation_level: str | None = None

    def __init__(self, found: apsw.Connection, disk: Disk) -> None:
        self.found, self.disk = found, disk

    def cursor(self) -> "Cursor":
        return Cursor(self)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> "Cursor":
        cursor = self.cursor()
        cursor.execute(statement, values)
        return cursor

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "Cursor":
        cursor = self.cursor()
        cursor.executemany(statement, rows)
        return cursor

    def create_function(self, name: str, count: int, function: Callable[..., Any], deterministic: bool = False) -> None:
        self.found.create_scalar_function(name, function, count, deterministic=deterministic)

    def commit(self) -> None:
        if self.found.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.found.in_transaction and not self.disk.is_cut:
            self.execute("ROLLBACK")

    def close(self) -> None:
        try:
            self.found.close(True)
        except (apsw.Error, PowerCut):
            if not self.disk.is_cut:
                raise

    def __del__(self) -> None:
        # who was in the middle of something when the power went has closed nothing: left to apsw, what the dead disk
        # says to that would be heard wherever the memory is tidied, in the middle of another test
        with suppress(apsw.Error, PowerCut):
            self.found.close(True)


class Cursor:
    """A cursor that has read all its rows as soon as it has run."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.description: Description = None
        self.rowcount, self.lastrowid = -1, 0
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> "Cursor":
        return self._run(statement, tuple(values), is_many=False)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "Cursor":
        return self._run(statement, [tuple(row) for row in rows], is_many=True)

    def _run(self, statement: str, values: Any, is_many: bool) -> "Cursor":
        connection = self._connection
        if connection.disk.is_buried:
            return self
        if connection.disk.is_cut:
            raise PowerCut(connection.disk)
        found = connection.found
        cursor = found.cursor()
        if statement not in DESCRIPTIONS:
            cursor.exec_trace = partial(_describe, statement)
        before = found.total_changes()
        try:
            self._rows = list(cursor.executemany(statement, values) if is_many else cursor.execute(statement, values))
        except apsw.Error as error:
            if connection.disk.is_cut:
                raise PowerCut(connection.disk) from error
            raise _as_ours(error) from error
        self.description = DESCRIPTIONS.get(statement)
        self.rowcount = -1 if self.description else found.total_changes() - before
        self.lastrowid = found.last_insert_rowid()
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        size = size or self.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def setinputsizes(self, *_sizes: Any) -> None:
        return

    def setoutputsize(self, *_sizes: Any) -> None:
        return

    def close(self) -> None:
        self._rows = []
