"""Taking a bundle in. It is read twice: first every byte is proved and nothing is kept, then it is kept.

a batch   as from the wire, but: the clock says nothing (it rode for days), a gap keeps the records without moving
          the cursor, and so does a history that changed, with its alarm
a file    as from the wire, once the record that names it is here
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyrage
from sqlalchemy import Engine
from sqlmodel import Session

from collector.db import is_sqlite, reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, bundles, nodes, store
from collector.queries.records import Outcome, ingest
from sync import keys, limits
from sync.batches import Batch, check_order, inflate, read_batch
from sync.blobs import catch_up
from sync.bundle_format import Manifest, Parser, Part, Takers, damaged
from sync.bundle_receipts import Receipt, make_receipt
from sync.bundles import MAX_PASSPHRASE_BYTES, RECEIVER
from sync.receive import Check, arrivals_of, head_after, kept_apart, no_check

AGE = b"age-encryption.org/v1\n"
BY_PASSPHRASE = AGE + b"-> scrypt "
SLICE_BYTES = 64 * 1024
MAX_LISTED = 1000
Feed = Callable[[Parser], None]


@dataclass
class Imported:
    """What became of a bundle. is_known: its node is enrolled here; files: how many came whole.

    missing: files that its records name and that are not whole here; receipt: what goes back to the sender.
    """

    node: str
    name: str
    made: str
    is_known: bool = False
    is_revoked: bool = False
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    gone: int = 0
    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    receipt: Receipt | None = None


def needs_passphrase(file: IO[bytes]) -> bool:
    """Tell whether a passphrase opens this file."""
    file.seek(0)
    return file.read(len(BY_PASSPHRASE)) == BY_PASSPHRASE


def is_bundle(file: IO[bytes]) -> bool:
    """Tell whether this is a closed file of the age format."""
    file.seek(0)
    return file.read(len(AGE)) == AGE


def import_bundle(
    engine: Engine, file: IO[bytes], now_ms: int, check: Check = no_check, passphrase: str = ""
) -> Imported:
    """Take a bundle in. Raises ProblemError when it cannot be opened or is not whole: then nothing is kept."""
    feed = _opener(engine, file, passphrase)
    proof = _Proof(engine)
    manifest = _read(feed, Takers(proof.manifest, proof.batch, proof.piece))
    _check_room(engine, manifest)
    keeper = _Keeper(engine, now_ms, check, proof.result)
    _read(feed, Takers(keeper.manifest, keeper.batch, keeper.piece))
    return keeper.finish(manifest)


def _read(feed: Feed, takers: Takers) -> Manifest:
    parser = Parser(takers)
    feed(parser)
    return parser.end()


# --- open


def _opener(engine: Engine, file: IO[bytes], passphrase: str) -> Feed:
    """Return what gives the opened content to a parser, as often as it is asked. Raises bundle_needs_passphrase."""
    if not needs_passphrase(file):
        return lambda parser: _decrypt(engine, file, parser)
    if not passphrase:
        raise ProblemError(PROBLEMS["bundle_needs_passphrase"])
    content = _decrypt_all(file, passphrase)

    def feed(parser: Parser) -> None:
        for at in range(0, len(content), SLICE_BYTES):
            parser.write(content[at : at + SLICE_BYTES])

    return feed


def _decrypt_all(file: IO[bytes], passphrase: str) -> bytes:
    """Open what a passphrase closes, in memory: the library gives no other way."""
    file.seek(0)
    closed = file.read(MAX_PASSPHRASE_BYTES * 2)
    for tried in range(1, TRIES + 1):
        try:
            return bytes(pyrage.passphrase.decrypt(closed, passphrase))
        except pyrage.DecryptError as error:
            # it tells a wrong passphrase from damage: the key in the head fails, or a piece of the content
            if str(error) in WRONG_PASSPHRASE:
                raise ProblemError(PROBLEMS["bundle_wrong_passphrase"]) from error
            if not str(error).startswith(TOO_SLOW):
                raise damaged(str(error)) from error
            if tried == TRIES:
                raise ProblemError(PROBLEMS["bundle_too_slow"]) from error
            time.sleep(tried)
    raise AssertionError("a try returns or raises")


# the library measures how fast this machine is right now, and refuses what would take it long
TOO_SLOW, TRIES = "Excessive work parameter", 4
WRONG_PASSPHRASE = ("Decryption failed", "No matching keys found")


def _decrypt(engine: Engine, file: IO[bytes], parser: Parser) -> None:
    file.seek(0)
    try:
        pyrage.decrypt_io(file, parser, _identities(engine))
    except pyrage.DecryptError as error:
        if str(error) == "No matching keys found":
            raise _not_for_us(engine) from error
        raise damaged(str(error)) from error
    except OSError as error:  # of the library's own: a piece is not as it was written
        if error.errno is not None:
            raise
        raise damaged(str(error)) from error


def _identities(engine: Engine) -> list[Any]:
    """Return the keys of this node. Central makes its own; a node that was central once still has it."""
    with writing(engine) as session:
        secret = keys.age_identity(session) if nodes.is_central(session) else store.fact(session, "age_identity")
    return [pyrage.x25519.Identity.from_str(secret)] if secret else []


def _not_for_us(engine: Engine) -> ProblemError:
    with reading(engine) as session:
        central = nodes.is_central(session)
    return ProblemError(PROBLEMS["bundle_other_key" if central else "bundle_for_central"])


# --- prove


class _Proof:
    """Proves every byte of a bundle and keeps nothing: whole, readable, and signed by who it says it is from."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.me = self.key = ""
        self.said: Manifest
        self.result: Imported

    def manifest(self, said: Manifest) -> None:
        """Find out who it is from."""
        with reading(self.engine) as session:
            self.me = store.fact(session, "node_id")
            sender = nodes.sender_of(session, said.sender)
            known = {node.id: node.name for node in nodes.list_nodes(session)}
        if said.sender == self.me:
            raise ProblemError(PROBLEMS["bundle_own"])
        # of a node that is not enrolled here: at least that nobody has mixed two bundles
        self.key = sender.public_key or said.public_key
        self.said = said
        name = known.get(said.sender) or said.name
        self.result = Imported(said.sender, name, said.made, said.sender in known, sender.is_revoked)

    def batch(self, part: Part, content: bytes) -> None:
        """Prove a batch."""
        batch = _read_batch(content)
        if (batch.header.sender, batch.header.epoch) != (self.said.sender, self.said.epoch):
            raise damaged("a batch is of another log")
        if not keys.is_signed(self.key, RECEIVER, batch.first_line, part.signature):
            raise ProblemError(PROBLEMS["bundle_unsigned"], node=self.result.name)
        check_order(batch, self.me)

    def piece(self, part: Part, at: int, content: bytes) -> None:
        """Leave a file's piece to the parser, which proves the hash."""


def _read_batch(content: bytes) -> Batch:
    try:
        return read_batch(inflate(content))
    except ProblemError as error:
        raise damaged(str(error)) from error


def _check_room(engine: Engine, manifest: Manifest) -> None:
    """Leave the last of the disk to records: files are taken only when there is more. Raises disk_full."""
    if not is_sqlite(engine) or not engine.url.database:
        return
    wanted = sum(part.bytes for part in manifest.parts if part.kind == "blob")
    free = shutil.disk_usage(Path(engine.url.database).parent).free
    if wanted and free < wanted + limits.DISK_RESERVE_BYTES:
        raise ProblemError(PROBLEMS["disk_full"])


# --- keep


class _Keeper:
    """Keeps what a proved bundle carries; each batch and each piece of a file in its own transaction."""

    def __init__(self, engine: Engine, now_ms: int, check: Check, result: Imported) -> None:
        self.engine, self.now_ms, self.check, self.result = engine, now_ms, check, result
        self.with_files: list[str] = []  # ids of records that name some

    def manifest(self, said: Manifest) -> None:
        """Leave it: `_Proof` has read it."""

    def batch(self, part: Part, content: bytes) -> None:
        """Keep a batch."""
        batch = _read_batch(content)
        outcomes = keep_batch(self.engine, batch, self.now_ms, self.check)
        self.result.stored += outcomes.count("stored")
        self.result.duplicate += outcomes.count("duplicate")
        self.result.quarantined += outcomes.count("quarantined")
        self.result.gone += len(batch.entries) - len(batch.lines)
        self.with_files += [line.record.id for line in batch.lines if line.record.content.get("blobs")]

    def piece(self, part: Part, at: int, content: bytes) -> None:
        """Keep a piece of a file that a record here names."""
        if at == 0:
            catch_up(self.engine)
        add_piece(self.engine, part.sha256, at, content, part.bytes)

    def finish(self, manifest: Manifest) -> Imported:
        """Say what became of it, and make the receipt."""
        carried = [part.sha256 for part in manifest.parts if part.kind == "blob"]
        catch_up(self.engine)
        with reading(self.engine) as session:
            self.result.files = _whole(session, carried)
            self.result.missing = _missing(session, self.with_files)
        self.result.receipt = make_receipt(self.engine, manifest, self.result, self.now_ms)
        return self.result


def _whole(session: Session, hashes: Sequence[str]) -> list[str]:
    found: list[str] = []
    for first in range(0, len(hashes), 500):
        held = blobs.held(session, hashes[first : first + 500])
        found += [sha256 for sha256 in hashes[first : first + 500] if sha256 in held and held[sha256].is_whole]
    return found


def _missing(session: Session, ids: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for first in range(0, len(ids), 500):
        found.update(bundles.files_missing(session, ids[first : first + 500]))
    return sorted(found)[:MAX_LISTED]


def keep_batch(engine: Engine, batch: Batch, now_ms: int, check: Check) -> list[Outcome]:
    """Keep a batch that came in a file, whatever this node has of that log, and return what became of its records."""
    peer = batch.header.sender
    arrivals = arrivals_of(batch, now_ms, 0, check)
    with writing(engine) as session:
        if nodes.sender_of(session, peer).is_revoked:
            arrivals = kept_apart(session, peer, arrivals)
        outcomes = ingest(session, arrivals, now_ms)
        _follow(session, batch)
    return outcomes


def _follow(session: Session, batch: Batch) -> None:
    """Move the cursor over the batch, when it goes on from where this node stands in that log."""
    header = batch.header
    position = nodes.cursor_of(session, header.sender, header.epoch)
    if header.after > position.n:
        return  # the rest of the log comes by another way; then this is recognised
    try:
        head = head_after(batch, position)
    except ProblemError as error:  # a person looks; the sender finds out when it next talks to us
        nodes.note_alarm(session, header.sender, error.problem.code)
        return
    nodes.move_cursor(session, header.sender, header.epoch, header.upto, head)


def add_piece(engine: Engine, sha256: str, at: int, content: bytes, whole_bytes: int = 0) -> bool:
    """Keep a piece of a file that came in a file; tell whether a record here names it. What is here is left alone.

    whole_bytes: how large the file is, 0 when only the record says so.
    """
    with reading(engine) as session:
        found = blobs.held(session, [sha256]).get(sha256)
    if found is None or found.is_whole:
        return found is not None
    with writing(engine) as session:
        found = blobs.held(session, [sha256])[sha256]
        whole = whole_bytes or found.bytes
        have = found.have if found.bytes == whole else 0
        if at <= have < at + len(content) and not found.is_whole:
            blobs.add_part(session, sha256, have, whole, content[have - at :])
    return True
