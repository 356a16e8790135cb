"""Bundles: what waits here, in one closed file that a person carries to central (docs/bundles.md).

The same signed batches as on the wire, and the files of their answers, inside an age file: for central's key, or for a
passphrase. Nothing opened ever touches the disk: batches are held in memory, files are read piece by piece.
"""

import base64
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import IO

import pyrage
from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, bundles, nodes, store
from sync import chain, keys, limits
from sync.batches import Packed, pack_batch
from sync.blobs import catch_up
from sync.bundle_format import PIECE_BYTES, Manifest, Part, damaged, write_manifest
from sync.keys import SigningKey
from sync.records import uuid7
from sync.upload import take_lines

RECEIVER = "bundle"  # batches in files are signed for whoever opens them
LEAST_PASSPHRASE = 12
MAX_BATCHES_BYTES = 32 * 1024 * 1024  # held in memory; some 200,000 answers
MAX_BUNDLE_BYTES = 200 * 1024 * 1024
MAX_PASSPHRASE_BYTES = 64 * 1024 * 1024  # what a passphrase closes is closed in memory
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Lock:
    """Who can open the file: the holder of the key of this age recipient, or whoever knows the passphrase."""

    recipient: str = ""
    passphrase: str = ""

    @property
    def most_bytes(self) -> int:
        """Return how large the content may be."""
        return MAX_PASSPHRASE_BYTES if self.passphrase else MAX_BUNDLE_BYTES


@dataclass(frozen=True)
class Written:
    """A bundle that was written. left_records, left_files: what did not fit and goes into the next one, or online."""

    id: str
    records: int
    files: int
    after: int
    upto: int
    bytes: int
    left_records: int
    left_files: int


def lock_for(engine: Engine, recipient: str = "", passphrase: str = "") -> Lock:
    """Return the lock for what somebody chose; for nothing, central's own. Raises ProblemError."""
    if passphrase:
        if len(passphrase) < LEAST_PASSPHRASE:
            raise ProblemError(PROBLEMS["bundle_short_passphrase"], length=len(passphrase), least=LEAST_PASSPHRASE)
        return Lock(passphrase=passphrase)
    if not recipient:
        recipient = _central_key(engine)
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise ProblemError(PROBLEMS["bundle_bad_key"], key=recipient[:80]) from error
    return Lock(recipient)


def _central_key(engine: Engine) -> str:
    with reading(engine) as session:
        central, known = nodes.is_central(session), store.fact(session, "central_key")
    if central or not known:
        raise ProblemError(PROBLEMS["bundle_at_central" if central else "bundle_no_key"])
    return known


def export_bundle(engine: Engine, path: Path, lock: Lock, now_ms: int, everything: bool = False) -> Written:
    """Write what central is not known to have, or `everything`, into the file `path`. All of it, or no file.

    Raises bundle_nothing, bundle_no_space, or OSError for a path that cannot be written.
    """
    catch_up(engine)
    content = _collect(engine, lock.most_bytes, everything, now_ms)
    manifest = content.manifest
    with writing(engine) as session:
        if manifest.records:
            # before the file is finished: a receiver that has more than we ever sent is taken for a sign of a clone
            nodes.note_sending(session, manifest.upto)
        bundles.add_sent(session, manifest.id, manifest.epoch, manifest.after, manifest.upto, manifest.secret, now_ms)
    try:
        size = _write_file(path, lock, _Source(_content_of(engine, content)))
    except BaseException:
        with writing(engine) as session:
            bundles.drop_sent(session, manifest.id)
        raise
    files = sum(part.kind == "blob" for part in manifest.parts)
    left = content.left_records, content.left_files
    return Written(manifest.id, manifest.records, files, manifest.after, manifest.upto, size, *left)


# --- what goes in


@dataclass
class _Content:
    """What a bundle will hold: its manifest, and the batches in its order; files are read when it is written."""

    manifest: Manifest
    batches: list[bytes]
    left_records: int
    left_files: int


def _collect(engine: Engine, most_bytes: int, everything: bool, now_ms: int) -> _Content:
    key = keys.signing_key(engine)
    with reading(engine) as session:
        me, name, epoch = (store.fact(session, fact) for fact in ("node_id", "name", "epoch"))
        upstream = nodes.get_upstream(session)
        sent = upstream.cursor_n if upstream else 0
        after = 0 if everything else bundles.unconfirmed_after(session, sent)
    log = _pack_log(engine, _Log(me, epoch, key, iso(now_ms), after, after))
    with reading(engine) as session:
        left_records = bundles.count_entries(session, log.upto)
        files = bundles.list_files(session, log.upto, everything)
    chosen = _that_fit(files, most_bytes - sum(len(packed.body) for packed in log.packed))
    parts = [_batch_part(packed, key) for packed in log.packed] + [
        Part("blob", size, sha256) for sha256, size in chosen
    ]
    if not parts:
        raise ProblemError(PROBLEMS["bundle_nothing"])
    manifest = Manifest(
        id=uuid7(now_ms),
        sender=me,
        name=name[:100],
        epoch=epoch,
        after=after,
        upto=log.upto,
        records=log.records,
        made=iso(now_ms),
        public_key=keys.public_text(key),
        secret=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
        parts=tuple(parts),
    )
    return _Content(manifest, [packed.body for packed in log.packed], left_records, len(files) - len(chosen))


@dataclass
class _Log:
    """The log of this node on its way into batches, up to `upto`."""

    me: str
    epoch: str
    key: SigningKey
    now: str
    after: int
    upto: int
    records: int = 0
    packed: list[Packed] = field(default_factory=list)


def _pack_log(engine: Engine, log: _Log) -> _Log:
    """Pack the log into batches, until it ends or memory has enough of them."""
    head, size = chain.head_at(engine, log.after), 0
    most = limits.MAX_BATCH_RECORDS
    while size < MAX_BATCHES_BYTES:
        taken = take_lines(engine, log.upto, most, limits.MAX_INFLATED_BYTES - 4096, True)
        if not taken.lines:
            break
        new_head = chain.fold(head, taken.hashes)
        packed = pack_batch(log.me, log.epoch, log.upto, taken.upto, taken.lines, log.now, new_head.hex())
        if len(packed.body) > limits.MAX_BODY_BYTES and len(taken.lines) > 1:
            most = len(taken.lines) // 2
            continue
        log.packed.append(packed)
        log.records += len(taken.lines)
        head, size, log.upto = new_head, size + len(packed.body), taken.upto
    return log


def _batch_part(packed: Packed, key: SigningKey) -> Part:
    digest = hashlib.sha256(packed.body).hexdigest()
    return Part("batch", len(packed.body), digest, keys.sign(key, RECEIVER, packed.first_line))


def _that_fit(files: list[tuple[str, int]], room: int) -> list[tuple[str, int]]:
    chosen = []
    for sha256, size in files:
        room -= size
        if room < 0:
            break
        chosen.append((sha256, size))
    return chosen


def _content_of(engine: Engine, content: _Content) -> Iterator[bytes]:
    """Give the plain content: the manifest, the batches, the files piece by piece."""
    yield write_manifest(content.manifest)
    yield from content.batches
    for part in content.manifest.parts:
        if part.kind == "blob":
            yield from _file_of(engine, part)


def _file_of(engine: Engine, part: Part) -> Iterator[bytes]:
    for at in range(0, part.bytes, PIECE_BYTES):
        with reading(engine) as session:
            piece = blobs.read_part(session, part.sha256, at, PIECE_BYTES)
        if len(piece) != min(PIECE_BYTES, part.bytes - at):
            raise damaged("a file was erased while the bundle was written")
        yield piece


# --- the file


class _Source(RawIOBase):
    """The plain content as a file that can only be read. trouble: what went wrong while reading it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.held = pieces, b""
        self.trouble: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Give up to `size` bytes, nothing at the end."""
        try:
            if size < 0:
                return self.held + b"".join(self.pieces)
            self.held = self.held or next(self.pieces, b"")
        except BaseException as error:
            self.trouble = error
            raise
        given, self.held = self.held[:size], self.held[size:]
        return given


def _write_file(path: Path, lock: Lock, source: _Source) -> int:
    """Write the closed file under another name, to the disk, then give it its own; return its size."""
    partly = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partly.open("xb") as file:
            _encrypt(source, file, lock)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        partly.replace(path)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise ProblemError(PROBLEMS["bundle_no_space"], path=str(path)) from error
        raise
    finally:
        with suppress(OSError):
            partly.unlink(missing_ok=True)
    return size


def _encrypt(source: _Source, file: IO[bytes], lock: Lock) -> None:
    if lock.passphrase:
        file.write(pyrage.passphrase.encrypt(source.read(), lock.passphrase))
        return
    sink = _Sink(file)
    try:
        pyrage.encrypt_io(source, sink, [pyrage.x25519.Recipient.from_str(lock.recipient)])
    except Exception as error:
        raise (source.trouble or sink.trouble or error) from error  # the library wraps what files raise


class _Sink:
    """A file that remembers why it could not be written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.trouble: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write all of `content`."""
        try:
            return self.file.write(content)
        except OSError as error:
            self.trouble = error
            raise

    def flush(self) -> None:
        """Leave that to who owns the file."""
