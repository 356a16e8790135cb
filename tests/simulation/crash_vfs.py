"""Disks that lose power: a VFS of SQLite in memory that keeps apart what was written and what was synced.

    write ──> pending ──xSync──> durable
                 └── power cut: some of it, torn, in an order of its own

Limits of the model: creating and deleting a file is durable at once; a disk that lies about syncing is not modelled;
WAL works with exclusive locking instead of shared memory, so one connection has a store.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Literal
from weakref import WeakSet, WeakValueDictionary

import apsw

SECTOR_BYTES = 512
VFS_NAME = "crash"
Tearing = Literal["nothing", "prefix", "sectors"]
TEARINGS: tuple[Tearing, ...] = ("nothing", "prefix", "sectors")
FOLDERS = count()
DISKS: "WeakSet[Disk]" = WeakSet()
Trouble = Literal["cut", "full", "eio"]


class PowerCut(BaseException):
    """The machine with this disk has stopped: no code of it runs on, so nothing may catch this as an error."""

    def __init__(self, disk: "Disk") -> None:
        super().__init__(f"power cut at {disk.name}")
        self.disk = disk


@dataclass(frozen=True)
class Unsynced:
    """One write that no sync has covered. content None: the file was cut to `offset` bytes."""

    file: str
    offset: int
    content: bytes | None


@dataclass(eq=False)
class Disk:
    """The files of one machine. `files` is what its programs see, `durable` what is sure to survive.

    folder: its own for ever, so that a connection that nobody has closed can never reach another disk.
    is_buried: the test is over; whoever still lets go of a connection to it meets silence.
    """

    name: str
    chance: Random
    files: dict[str, bytearray] = field(default_factory=dict)
    durable: dict[str, bytearray] = field(default_factory=dict)
    pending: list[Unsynced] = field(default_factory=list)
    is_cut: bool = False
    is_buried: bool = False
    trouble: Trouble | None = None
    budget: int = 0
    changes: int = 0
    folder: str = field(default_factory=lambda: str(next(FOLDERS)))

    def __post_init__(self) -> None:
        DISKS.add(self)

    def arm(self, trouble: Trouble, budget: int) -> None:
        """Let `budget` more changes (write, cut short, sync, delete) pass; the next one meets the trouble."""
        self.trouble, self.budget = trouble, budget

    def disarm(self) -> None:
        """End a disk that is full or fails; a cut that has happened stays."""
        self.trouble = None

    def write(self, name: str, offset: int, content: bytes) -> None:
        self._spend("full")
        apply_write(self.files, Unsynced(name, offset, content))
        self.pending.append(Unsynced(name, offset, content))

    def truncate(self, name: str, size: int) -> None:
        self._spend("full")
        apply_write(self.files, Unsynced(name, size, None))
        self.pending.append(Unsynced(name, size, None))

    def sync(self, name: str) -> None:
        self._spend("eio")
        for write in self.pending:
            if write.file == name:
                apply_write(self.durable, write)
        self.pending = [write for write in self.pending if write.file != name]

    def create(self, name: str) -> None:
        self._spend("full")
        self.files[name], self.durable[name] = bytearray(), bytearray()

    def delete(self, name: str) -> None:
        self._spend(None)
        self.files.pop(name, None)
        self.durable.pop(name, None)
        self.pending = [write for write in self.pending if write.file != name]

    def _spend(self, met_by: Trouble | None) -> None:
        if self.is_cut:
            raise apsw.IOError("this machine has no power")
        self.changes += 1
        if self.trouble == "cut" and self.budget <= 0:
            self.cut()
        if self.trouble is not None and self.trouble == met_by and self.budget <= 0:
            raise apsw.FullError("disk full") if met_by == "full" else apsw.IOError("sync failed")
        self.budget -= 1

    def cut(self) -> None:
        """Take the power away."""
        self.is_cut, self.trouble = True, None
        if not self.is_buried:
            raise PowerCut(self)

    def recover(self, tearing: Tearing) -> None:
        """Give the power back: what was synced is there, and of the rest what `tearing` leaves."""
        for write in self._survivors(tearing):
            if write.file in self.durable:
                apply_write(self.durable, write)
        self.files = {name: bytearray(content) for name, content in self.durable.items()}
        self.pending, self.is_cut, self.trouble = [], False, None
        self.changes += 1

    def _survivors(self, tearing: Tearing) -> list[Unsynced]:
        if tearing == "nothing" or not self.pending:
            return []
        if tearing == "sectors":
            return [part for write in self.pending for part in _sectors(write) if self.chance.random() < 0.5]
        kept = self.chance.randrange(len(self.pending) + 1)
        return self.pending[:kept] + [self._torn(write) for write in self.pending[kept : kept + 1]]

    def _torn(self, write: Unsynced) -> Unsynced:
        if write.content is None:
            return write
        return Unsynced(write.file, write.offset, write.content[: self.chance.randrange(len(write.content) + 1)])

    def image(self) -> dict[str, bytes]:
        """Return a copy of the files as the programs see them, as somebody's backup holds them."""
        return {name: bytes(content) for name, content in self.files.items()}

    def put_back(self, image: dict[str, bytes]) -> None:
        """Replace the files by a copy, durably."""
        self.files = {name: bytearray(content) for name, content in image.items()}
        self.durable = {name: bytearray(content) for name, content in image.items()}
        self.pending, self.is_cut, self.trouble = [], False, None
        self.changes += 1


def apply_write(files: dict[str, bytearray], write: Unsynced) -> None:
    """Change `files` as the write says; a gap before it is filled with zeros."""
    content = files[write.file]
    if write.content is None:
        del content[write.offset :]
        return
    if len(content) < write.offset:
        content.extend(bytes(write.offset - len(content)))
    content[write.offset : write.offset + len(write.content)] = write.content


def _sectors(write: Unsynced) -> list[Unsynced]:
    if write.content is None:
        return [write]
    starts = range(0, len(write.content), SECTOR_BYTES)
    return [Unsynced(write.file, write.offset + start, write.content[start : start + SECTOR_BYTES]) for start in starts]


class CrashFile:
    """An open file, as SQLite asks for it."""

    def __init__(self, disk: Disk, name: str) -> None:
        self.disk, self.name = disk, name

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self.disk.files.get(self.name, b"")[offset : offset + amount])

    def xWrite(self, content: bytes, offset: int) -> None:
        self.disk.write(self.name, offset, bytes(content))

    def xTruncate(self, size: int) -> None:
        self.disk.truncate(self.name, size)

    def xSync(self, _flags: int) -> None:
        self.disk.sync(self.name)

    def xFileSize(self) -> int:
        return len(self.disk.files.get(self.name, b""))

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # as SQLite's own VFS on Unix says

    def xLock(self, _level: int) -> None:
        return

    def xUnlock(self, _level: int) -> None:
        return

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _operation: int, _pointer: int) -> bool:
        return False

    def xClose(self) -> None:
        return

    def excepthook(self, *_found: Any) -> None:
        """Stay silent: what goes wrong while a dead machine is cleared away is of no interest."""


class CrashVFS(apsw.VFS):
    """Files named "/<folder>/<file>" on the disks that were inserted."""

    def __init__(self, randomness: Callable[[int], bytes]) -> None:
        self._disks: WeakValueDictionary[str, Disk] = WeakValueDictionary()
        self._randomness = randomness
        super().__init__(VFS_NAME, "")

    def xFullPathname(self, name: str) -> str:
        return name

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        disk, file = self._find(name.filename() if isinstance(name, apsw.URIFilename) else name)
        if file not in disk.files:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(file)
            disk.create(file)
        flags[1] = flags[0]
        return CrashFile(disk, file)

    def xAccess(self, name: str, _flags: int) -> bool:
        disk, file = self._find(name)
        return file in disk.files

    def xDelete(self, name: str, _is_synced: bool) -> None:
        disk, file = self._find(name)
        disk.delete(file)

    def xRandomness(self, amount: int) -> bytes:
        return self._randomness(amount)

    def excepthook(self, *_found: Any) -> bool:
        """See CrashFile.excepthook."""
        return True

    def _find(self, name: str) -> tuple[Disk, str]:
        _, folder, file = name.split("/")
        return self._disks[folder], file

    def insert(self, disk: Disk) -> None:
        self._disks[disk.folder] = disk
