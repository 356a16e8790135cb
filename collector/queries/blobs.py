"""Files that answers consist of (photos, sounds, any file): named by records, known by their sha256, kept in pieces.

    named    a record of the log says under "blobs": this name, this sha256, so many bytes      blob_name
    partly   pieces have come, in order, `have` of `bytes`                                      blob, blob_chunk
    whole    all have come and the hash of all of them is the name; else they are thrown away
    sent     the upstream says that it holds it whole;  central: central says so

Only what a record names is taken, and only in the size that it names. Which files the log names is noted here from the
log itself, whenever somebody asks (`index_records`): records come by many doors, and none of them has to know.
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import ColumnElement, bindparam, exists, func, update
from sqlmodel import Session, col, delete, select

from collector.clock import now_ms
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from collector.queries.records import last_number
from collector.tables.files import Blob, BlobChunk, BlobName
from collector.tables.log import Quarantine, Record

MAX_BLOB_BYTES = 25 * 1024 * 1024
MAX_RECORD_BLOBS = 64  # a record that names more names none beyond these
INDEX_PAGE = 20_000  # entries of the log at once: what a write transaction may take
UNNAMED_MS = 24 * 3600_000  # how long a file may wait for the record that will name it
PIECE_BYTES = 256 * 1024
UNKEPT = re.compile("[\0\ud800-\udfff]")
SHA256 = re.compile(r"[0-9a-f]{64}")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,49}/[a-z0-9][a-z0-9.+-]{0,99}")
ANY_TYPE = "application/octet-stream"
TYPES = mimetypes.MimeTypes(filenames=())  # not this machine's own list: the same names on every node
# made once: each hello asks them
WHOLE_HERE = select(func.count()).select_from(Blob).where(col(Blob.have) == col(Blob.bytes))
AT_CENTRAL = WHOLE_HERE.where(col(Blob.central_life) == bindparam("life"))


@dataclass(frozen=True)
class Held:
    """How much of a named file is here. central: central has it whole."""

    sha256: str
    bytes: int
    have: int
    central: bool

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing."""
        return self.have == self.bytes


@dataclass(frozen=True)
class NamedFile:
    """A file as a record names it."""

    name: str
    sha256: str
    bytes: int
    media_type: str


# --- what the log names


def is_indexed(session: Session) -> bool:
    """Tell whether every entry of the log was looked at."""
    return _indexed_upto(session) >= last_number(session)


def index_records(session: Session) -> bool:
    """Note the files that new entries of the log name; tell whether there are more entries to look at.

    Cost: 0.05 s for a page of 20,000 records, 0.7 s when each names a file; once in the life of each record.
    """
    done, last = _indexed_upto(session), last_number(session)
    upto = min(last, done + INDEX_PAGE)
    if done >= last:
        return False
    rows: list[tuple[str, str, str, int, str]] = []
    for table in (Record, Quarantine):
        within = (col(table.n) > done, col(table.n) <= upto, col(table.body).like('%"blobs"%'))
        for record_id, body in session.execute(select(table.id, table.body).where(*within)):
            rows += [(sha256, record_id, name, size, kind) for name, sha256, size, kind in named_in(body)]
    _add_names(session, rows)
    store.set_fact(session, "blobs_n", str(upto))
    return upto < last


def _indexed_upto(session: Session) -> int:
    return int(store.fact(session, "blobs_n") or 0)


def _add_names(session: Session, rows: list[tuple[str, str, str, int, str]]) -> None:
    if rows:
        _execute(
            session,
            "INSERT INTO blob_name (sha256, record_id, name, bytes, media_type) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            rows,
        )


def _execute(session: Session, statement: str, rows: Any) -> None:
    """Run a statement of ours by the driver, whose mark for a value is %s on PostgreSQL."""
    connection = session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    connection.exec_driver_sql(statement.replace("?", mark), rows)


def named_in(body: str) -> Iterator[tuple[str, str, int, str]]:
    """Give (name, sha256, bytes, type) of the files that a record names; what is not written as it must be is none."""
    try:
        entries = json.loads(body).get("blobs")
    except (ValueError, RecursionError, AttributeError):  # what quarantine holds may be anything
        return
    for entry in entries[:MAX_RECORD_BLOBS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        name, sha256, size, kind = (entry.get(key) for key in ("name", "sha256", "bytes", "type"))
        if _is_file_name(name) and is_sha256(sha256) and _is_size(size):
            yield name, sha256, size, tidy_type(kind)


def _is_file_name(value: object) -> TypeGuard[str]:
    """Tell a name that every database can keep: quarantine holds lone surrogates and U+0000 too."""
    return isinstance(value, str) and 0 < len(value) <= 200 and UNKEPT.search(value) is None


def is_sha256(value: object) -> TypeGuard[str]:
    """Tell a sha256 as it is written here: 64 lower-case hex digits."""
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


def _is_size(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MAX_BLOB_BYTES


def tidy_type(value: object) -> str:
    """Return a media type without its parameters; "application/octet-stream" for what is none."""
    plain = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    return plain if MEDIA_TYPE.fullmatch(plain) else ANY_TYPE


def file_named(session: Session, sha256: str) -> NamedFile | None:
    """Return a whole file under one of its names, or None."""
    statement = select(BlobName).join(Blob, col(Blob.sha256) == col(BlobName.sha256))
    named = statement.where(BlobName.sha256 == sha256, Blob.bytes == BlobName.bytes, Blob.have == Blob.bytes)
    row = session.exec(named.order_by(col(BlobName.record_id), col(BlobName.name)).limit(1)).first()
    return None if row is None else NamedFile(row.name, sha256, row.bytes, row.media_type)


def records_naming(session: Session, sha256: str, most: int) -> list[str]:
    """Return the ids of records that name a file, at most so many."""
    return list(session.exec(select(BlobName.record_id).where(BlobName.sha256 == sha256).distinct().limit(most)))


def files_of_record(session: Session, record_id: str) -> list[NamedFile]:
    """Return the whole files that a record names, by name."""
    statement = select(BlobName).join(Blob, col(Blob.sha256) == col(BlobName.sha256))
    whole = statement.where(BlobName.record_id == record_id, Blob.bytes == BlobName.bytes, Blob.have == Blob.bytes)
    rows = session.exec(whole.order_by(col(BlobName.name)))
    return [NamedFile(row.name, row.sha256, row.bytes, row.media_type) for row in rows]


# --- what is here


def held(session: Session, hashes: Sequence[str]) -> dict[str, Held]:
    """Return sha256 -> how much is here, for those of `hashes` that a record names. Give at most 500.

    True as far as the log was looked at: `sync/blobs.py: catch_up` first.
    """
    named = select(BlobName.sha256, func.max(BlobName.bytes)).where(col(BlobName.sha256).in_(hashes))
    sizes = {sha256: int(size) for sha256, size in session.execute(named.group_by(col(BlobName.sha256)))}
    rows = {row.sha256: row for row in session.exec(select(Blob).where(col(Blob.sha256).in_(list(sizes))))}
    is_central, now = nodes.is_central(session), life(session)
    found = {}
    for sha256, size in sizes.items():
        row = rows.get(sha256)
        whole = row is not None and row.have == row.bytes
        central = whole and (is_central or (row is not None and row.central_life == now))
        found[sha256] = Held(sha256, row.bytes if row else size, row.have if row else 0, central)
    return found


def add_part(session: Session, sha256: str, at: int, whole_bytes: int, content: bytes) -> Held:
    """Keep the piece of a file that begins `at`; at its end prove the hash of all of it, and say how much is here.

    When the hash is wrong everything is thrown away: then `have` is 0. Proving reads the file once inside the write
    transaction: 0.15 s for 25 MB.
    Raises blob_unknown (no record names it in this size) and blob_offset (with the true one).
    """
    sizes = session.exec(select(BlobName.bytes).where(BlobName.sha256 == sha256)).all()
    row = session.get(Blob, sha256, with_for_update=True)
    if sizes and row is not None and row.have == row.bytes:
        return held(session, [sha256])[sha256]
    if whole_bytes not in sizes:
        raise ProblemError(PROBLEMS["blob_unknown"], sha256=sha256, size=whole_bytes)
    if row is None or (at == 0 and row.bytes != whole_bytes):
        row = _begin(session, sha256, whole_bytes)
    if at != row.have or row.bytes != whole_bytes or at + len(content) > row.bytes:
        raise ProblemError(PROBLEMS["blob_offset"], sha256=sha256, at=at, have=row.have)
    session.add(BlobChunk(sha256=sha256, at=at, content=content))
    row.have += len(content)
    session.flush()
    if row.have == row.bytes and _hash_of(session, sha256) != sha256:
        _drop(session, [sha256])
        return Held(sha256, whole_bytes, 0, False)
    return held(session, [sha256])[sha256]


def _begin(session: Session, sha256: str, whole_bytes: int) -> Blob:
    """Begin a file, and forget what an upload under another size brought: two records may name it differently."""
    _drop(session, [sha256])
    # two first pieces at once, on PostgreSQL: the second waits here and then finds the first one's row
    values = (sha256, whole_bytes, 0, "", now_ms(), "", "")
    _execute(
        session,
        "INSERT INTO blob (sha256, bytes, have, media_type, received_ms, sent_life, central_life) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        values,
    )
    return session.get_one(Blob, sha256, with_for_update=True, populate_existing=True)


def _hash_of(session: Session, sha256: str) -> str:
    found = hashlib.sha256()
    pieces = select(BlobChunk.content).where(BlobChunk.sha256 == sha256).order_by(col(BlobChunk.at))
    for content in session.exec(pieces.execution_options(yield_per=8)):
        found.update(content)
    return found.hexdigest()


def forget_names(session: Session, ids: Sequence[str]) -> None:
    """Forget the names that the contents of these records no longer say, and files that nothing names any more.

    For who takes something out of a content. Give at most 500 ids.
    """
    held = session.exec(select(BlobName).where(col(BlobName.record_id).in_(ids))).all()
    if not held:
        return
    said: set[tuple[str, str, str]] = set()
    for table in (Record, Quarantine):
        bodies = select(table.id, table.body).where(col(table.id).in_(ids), col(table.body).like('%"blobs"%'))
        for record_id, body in session.execute(bodies):
            said |= {(sha256, record_id, name) for name, sha256, _, _ in named_in(body)}
    gone = [row for row in held if (row.sha256, row.record_id, row.name) not in said]
    for row in gone:
        session.delete(row)
    session.flush()
    hashes = {row.sha256 for row in gone}
    others = set(session.exec(select(BlobName.sha256).where(col(BlobName.sha256).in_(hashes))).all())
    if hashes - others:
        _drop(session, sorted(hashes - others))


def only_here(session: Session, ids: Sequence[str]) -> set[str]:
    """Return those of these records that name a file which is whole here and not known to be at central.

    None at central itself. Give at most 500 ids.
    """
    if nodes.is_central(session):
        return set()
    statement = select(BlobName.record_id).join(Blob, col(Blob.sha256) == col(BlobName.sha256))
    whole = (Blob.have == Blob.bytes, Blob.central_life != life(session))
    return set(session.exec(statement.where(col(BlobName.record_id).in_(ids), *whole)))


def _drop(session: Session, hashes: Sequence[str]) -> None:
    session.execute(delete(BlobChunk).where(col(BlobChunk.sha256).in_(hashes)))
    session.execute(delete(Blob).where(col(Blob.sha256).in_(hashes)))
    session.expire_all()


def add_blob(session: Session, content: bytes, media_type: str) -> str:
    """Keep a whole file that a browser without scripts posted, and return its sha256.

    The record that will name it comes later: a file that none has named within a day is thrown away.
    Raises too_large.
    """
    if not 0 < len(content) <= MAX_BLOB_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(content), limit=MAX_BLOB_BYTES)
    drop_unnamed(session, now_ms() - UNNAMED_MS)
    sha256 = hashlib.sha256(content).hexdigest()
    row = session.get(Blob, sha256)
    if row is not None and row.have == row.bytes:
        row.received_ms = now_ms()
        return sha256
    _drop(session, [sha256])
    size = len(content)
    session.add(Blob(sha256=sha256, bytes=size, have=size, media_type=tidy_type(media_type), received_ms=now_ms()))
    for at in range(0, size, PIECE_BYTES):
        session.add(BlobChunk(sha256=sha256, at=at, content=content[at : at + PIECE_BYTES]))
    session.flush()
    return sha256


def entry_of(session: Session, sha256: str, question: str) -> dict[str, Any] | None:
    """Return what a record says of a whole file under "blobs": {name, sha256, bytes, type}; None when it is not here.

    The name is the answer's text: "foto-1f0c9a.jpg".
    """
    row = session.get(Blob, sha256)
    if row is None or row.have != row.bytes:
        return None
    kind = row.media_type or ANY_TYPE
    ending = TYPES.guess_extension(kind) or ".bin"
    return {"name": f"{question}-{sha256[:6]}{ending}", "sha256": sha256, "bytes": row.bytes, "type": kind}


def drop_unnamed(session: Session, before_ms: int) -> None:
    """Throw away files that came before this time and that no record names."""
    while index_records(session):
        pass
    old = select(Blob.sha256).where(Blob.received_ms < before_ms, ~_is_named())
    _drop(session, session.exec(old).all())


def _is_named() -> ColumnElement[bool]:
    return exists().where(col(BlobName.sha256) == col(Blob.sha256))


def read_part(session: Session, sha256: str, at: int, size: int) -> bytes:
    """Return up to `size` bytes of a file from `at` on."""
    end = at + size
    within = (BlobChunk.sha256 == sha256, col(BlobChunk.at) < end, BlobChunk.at + func.length(BlobChunk.content) > at)
    pieces = session.execute(select(BlobChunk.at, BlobChunk.content).where(*within).order_by(col(BlobChunk.at)))
    return b"".join(content[max(0, at - begins) : max(0, end - begins)] for begins, content in pieces)


# --- on the way up


def life(session: Session) -> str:
    """Return the life of what is known about central: it ends when central or the upstream changes or was put back."""
    return store.fact(session, "receipts_life") or "first"


def list_unsent(session: Session, limit: int, leave_out: Sequence[str] = ()) -> list[Blob]:
    """Return whole files that a record names and that the upstream is not known to have, the oldest first."""
    statement = select(Blob).where(
        Blob.have == Blob.bytes, Blob.sent_life != life(session), _is_named(), col(Blob.sha256).not_in(leave_out)
    )
    return list(session.exec(statement.order_by(col(Blob.received_ms), col(Blob.sha256)).limit(limit)))


def list_sent(session: Session, after: str, limit: int, without_central: bool) -> list[str]:
    """Return the hashes above `after` of files that the upstream said it has; `without_central`: and central not."""
    statement = select(Blob.sha256).where(Blob.sent_life == life(session), Blob.sha256 > after)
    if without_central:
        statement = statement.where(Blob.central_life != life(session))
    return list(session.exec(statement.order_by(col(Blob.sha256)).limit(limit)))


def note_upstream(session: Session, hashes: Sequence[str], told: dict[str, Held]) -> None:
    """Note what the upstream told of these files; what it did not name it does not have."""
    now = life(session)
    for sha256 in hashes:
        found = told.get(sha256)
        sent = now if found is not None and found.is_whole else ""
        central = now if sent and found is not None and found.central else ""
        session.execute(update(Blob).where(col(Blob.sha256) == sha256).values(sent_life=sent, central_life=central))


def count_central(session: Session) -> int:
    """Return how many files central is known to have; nodes below ask anew when it changes."""
    if nodes.is_central(session):
        return int(session.execute(WHOLE_HERE).scalar_one())
    return int(session.execute(AT_CENTRAL, {"life": life(session)}).scalar_one())
