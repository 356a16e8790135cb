"""Rules of the store and the protocol, each broken on purpose: a simulation that does not notice proves nothing.

Every mutant changes the project's own code while its block runs.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sqlalchemy import BigInteger, ColumnElement, Engine, func, literal_column
from sqlmodel import Session, col, select, update

import sync.batches
import sync.feed
import sync.greet
import sync.receive
import sync.upload
from collector import db
from collector.problems import ProblemError
from collector.queries import blobs as files
from collector.queries import erasures, feed, nodes, receipts, store
from collector.queries.nodes import Position
from collector.queries.records import Arrival, Logged, Outcome, ingest, log_after
from collector.routes import blobs as file_routes
from collector.routes import sync as routes
from collector.tables.log import Record
from sync import pull
from sync.batches import Batch, read_batch
from sync.receive import Received, receive_outbox
from tests.simulation.crash_vfs import PowerCut

Mutant = Callable[[], Iterator[None]]


def _with_pragma(pragma: str) -> Iterator[None]:
    prepare = db._prepare_connection

    def prepared(connection: Any, *given: Any) -> None:
        prepare(connection, *given)
        connection.execute(f"PRAGMA {pragma}")

    with patch.object(db, "_prepare_connection", prepared):
        yield


def synchronous_normal() -> Iterator[None]:
    """A commit does not wait for the disk."""
    yield from _with_pragma("synchronous=NORMAL")


def deleted_bytes_stay() -> Iterator[None]:
    """What is deleted stays in the pages of the database file."""
    yield from _with_pragma("secure_delete=OFF")


def traces_stay() -> Iterator[None]:
    """After an erasure the log file of the database is left as it is."""
    with patch.object(erasures, "wipe_traces", lambda _engine, at_leisure: True):
        yield


class _AnyEpoch(dict[str, int]):
    """Cursors of which every epoch has the same."""

    def get(self, _epoch: str, default: Any = None) -> Any:
        return max(self.values(), default=default)


def cursor_without_epoch() -> Iterator[None]:
    """The receiver's cursor belongs to the node alone, whatever the life of its log."""
    cursor_of, move_cursor, ask = nodes.cursor_of, nodes.move_cursor, sync.greet._ask

    def asked(run: Any) -> Any:
        found = dict(ask(run))
        return found | {"cursors": {node: _AnyEpoch(cursors) for node, cursors in found["cursors"].items()}}

    with (
        patch.object(nodes, "cursor_of", lambda session, peer, _epoch: cursor_of(session, peer, "any")),
        patch.object(
            nodes, "move_cursor", lambda session, peer, _epoch, *rest: move_cursor(session, peer, "any", *rest)
        ),
        patch.object(sync.greet, "_ask", asked),
    ):
        yield


def damage_skipped() -> Iterator[None]:
    """Of a damaged batch the lines that can still be read are kept, and the cursor moves over the others."""

    def forgiving(content: bytes) -> Batch:
        try:
            return read_batch(content)
        except ProblemError:
            return read_batch(_mended(content))

    with (
        patch.object(sync.receive, "read_batch", forgiving),
        patch.object(sync.receive, "_check_signature", lambda *_given: None),
    ):
        yield


def _mended(content: bytes) -> bytes:
    first, _, rest = content.partition(b"\n")
    lines = [line for line in rest.split(b"\n") if _is_json(line)]
    rest = b"".join(line + b"\n" for line in lines)
    header = json.loads(first) | {"count": len(lines), "sha256": hashlib.sha256(rest).hexdigest()}
    header.pop("chain", None)
    return json.dumps(header).encode() + b"\n" + rest


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def last_write_wins() -> Iterator[None]:
    """A record with an id that is here replaces the one that is here."""

    def overwriting(session: Session, arrivals: Sequence[Arrival], received_ms: int) -> list[Outcome]:
        for arrival in arrivals:
            if arrival.why is None:
                new = {"sha256": arrival.sha256, "body": arrival.body}
                session.execute(update(Record).where(col(Record.id) == arrival.id).values(**new))
        return ingest(session, arrivals, received_ms)

    with patch.object(sync.receive, "ingest", overwriting):
        yield


def quarantine_stays() -> Iterator[None]:
    """What stands in quarantine is not sent up."""

    def without_quarantine(session: Session, after: int, limit: int) -> list[Logged]:
        return [entry for entry in log_after(session, after, limit) if not entry.why]

    with patch.object(sync.upload, "log_after", without_quarantine):
        yield


def same_epoch_after_restore() -> Iterator[None]:
    """A store that was put back goes on with the life of its log."""
    with patch.object(nodes, "start_epoch", lambda session: store.fact(session, "epoch")):
        yield


def answer_before_commit() -> Iterator[None]:
    """The answer does not wait for the commit: power may go between the two."""

    @contextmanager
    def hasty(engine: Engine) -> Iterator[Session]:
        try:
            with db.writing(engine) as session:
                yield session
        except PowerCut:
            return

    with patch.object(sync.receive, "writing", hasty):
        yield


def freed_by_first_hop() -> Iterator[None]:
    """Any node tells a phone that central has its records."""

    def boasting(*given: Any) -> Received:
        received = receive_outbox(*given)
        return Received(received.answer | {"central": True}, received.new)

    with patch.object(routes, "receive_outbox", boasting):
        yield


def gaps_accepted() -> Iterator[None]:
    """A batch that begins after the receiver's cursor is taken."""
    seen = vars(nodes) | {"cursor_of": lambda *_given: Position(2**53, None)}
    with patch.object(sync.receive, "nodes", SimpleNamespace(**seen)):
        yield


def receipts_without_hash() -> Iterator[None]:
    """A receipt counts for every record with its id."""

    def careless(run: Any, rows: list[tuple[str, str]], following: int) -> None:
        with db.reading(run.engine) as session:
            held = receipts.held_hashes(session, [record_id for record_id, _ in rows])
        every = [(record_id, sha256.hex()) for record_id, _ in rows for sha256 in held.get(record_id, [])]
        keep(run, every, following)

    keep = pull._keep_receipts
    with patch.object(pull, "_keep_receipts", careless):
        yield


def revoked_is_let_in() -> Iterator[None]:
    """What a revoked node sends is taken like everything."""
    with patch.object(sync.receive, "kept_apart", lambda _session, _peer, arrivals: arrivals):
        yield


def reasons_stay() -> Iterator[None]:
    """A hub does not tell its upstream that something came from a revoked node."""
    with patch.object(sync.batches, "FORWARDED", ()):
        yield


def fed_by_place() -> Iterator[None]:
    """The feed counts by the place in the log: what was released stands behind those who have read past it."""
    place: ColumnElement[int] = literal_column("record.n + 0", BigInteger)
    top = select(func.max(place)).where(*feed.IN_FEED)
    with patch.object(feed, "number", place), patch.object(feed, "TOP", top):
        yield


def files_unproved() -> Iterator[None]:
    """A piece of a file is kept as it arrives, and the whole is what it is said to be."""
    with (
        patch.object(file_routes, "_check_part", lambda *_given: None),
        patch.object(files, "_hash_of", lambda _session, sha256: sha256),
    ):
        yield


def files_central_at_once() -> Iterator[None]:
    """Any node says that central has a file as soon as it has it itself."""

    def boasting(found: files.Held) -> dict[str, Any]:
        return {"have": found.have, "bytes": found.bytes, "central": found.is_whole}

    with patch.object(file_routes, "_told", boasting):
        yield


def files_sent_with_first_piece() -> Iterator[None]:
    """A sender takes a file for whole above as soon as a part of it is there."""
    with patch.object(files.Held, "is_whole", property(lambda self: self.have > 0)):
        yield


def decisions_stay() -> Iterator[None]:
    """Of the feed only erasures are kept: what central released stands apart for ever at the nodes below."""

    def without_decisions(session: Session, arrivals: Sequence[Arrival], received_ms: int) -> list[Outcome]:
        return ingest(session, [arrival for arrival in arrivals if arrival.kind != "annotation"], received_ms)

    with patch.object(sync.feed, "ingest", without_decisions):
        yield


PUSHING = ("capture", "sync", "sync")
PUT_BACK = ("capture", "sync", "sync", "copy", "put_back")
PHONE = ("phone_writes", "phone_sends", "phone_asks", "sync")
ERASING = ("capture", "sync", "sync", "erase")
REVOKING = ("capture", "sync", "sync", "fleet.revoke", "fleet.let_in")
RELEASING = ("capture", "erase", "sync", "sync", "fleet.revoke", "fleet.release")
FILING = ("photos.capture", "sync", "sync")
PHONE_FILES = ("photos.phone_takes", "phone_sends", "photos.phone_uploads", "sync")
SPEAKING = ("rooms.speak", "sync", "sync", "fleet.revoke")
# name -> the mutant, and what has to happen for somebody to notice it soon
MUTANTS: dict[str, tuple[Mutant, tuple[str, ...]]] = {
    "synchronous=NORMAL": (synchronous_normal, ("capture", "lose_power_idle")),
    "cursor without epoch": (cursor_without_epoch, PUT_BACK),
    "damaged record skipped, cursor moved": (damage_skipped, PUSHING),
    "last write wins on the same id": (last_write_wins, PUSHING),
    "quarantine not forwarded": (quarantine_stays, PUSHING),
    "same epoch kept after restore": (same_epoch_after_restore, PUT_BACK),
    "answer before commit": (answer_before_commit, PUSHING),
    "phone frees on the first hop's answer": (freed_by_first_hop, PHONE),
    "receipt by id alone": (receipts_without_hash, PUSHING),
    "deleted bytes stay in the file": (deleted_bytes_stay, ERASING),
    "traces of erasures stay in the log file": (traces_stay, ERASING),
    "a revoked node is let in": (revoked_is_let_in, REVOKING),
    "the reason of quarantine is not forwarded": (reasons_stay, REVOKING),
    "the feed counts by the place in the log": (fed_by_place, RELEASING),
    "pieces of files are not proved": (files_unproved, FILING),
    "a hub says that central has a file": (files_central_at_once, PHONE_FILES),
    "a file is sent with its first piece": (files_sent_with_first_piece, FILING),
    "decisions do not come down": (decisions_stay, SPEAKING),
}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Break one rule while the block runs. Make the rig inside: some rules are those of a connection."""
    with ExitStack() as stack:
        stack.enter_context(contextmanager(MUTANTS[name][0])())
        yield
