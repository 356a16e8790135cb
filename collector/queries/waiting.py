"""Files of answers and how far each has come, and what exactly of this store somebody else does not have yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, exists, func
from sqlmodel import Session, col, select

from collector.queries.blobs import life
from collector.queries.nodes import get_upstream
from collector.queries.records import last_number
from collector.tables.files import Blob, BlobName
from collector.tables.log import Quarantine, Receipt, Record

MOST_IDS = 500


@dataclass(frozen=True)
class FileCounts:
    """saved: only here; sent: the upstream has it too; central: central has it; these add up to total.

    incomplete: files that answers name and that are not whole here, so they are none of the total.
    """

    saved: int
    sent: int
    central: int
    total: int
    incomplete: int


def file_counts(session: Session) -> FileCounts:
    """Return how far the files of answers have come."""
    now = life(session)
    whole = select(
        func.count(),
        func.count().filter(col(Blob.sent_life) == now, col(Blob.central_life) != now),
        func.count().filter(col(Blob.central_life) == now),
    ).where(col(Blob.have) == col(Blob.bytes))
    total, sent, central = session.execute(whole).one()
    if get_upstream(session) is None:
        sent, central = 0, total
    incomplete = select(func.count()).select_from(_incomplete().subquery())
    return FileCounts(total - sent - central, sent, central, total, int(session.execute(incomplete).scalar_one()))


def _incomplete() -> Select[Any]:
    is_whole = exists().where(col(Blob.sha256) == col(BlobName.sha256), col(Blob.have) == col(Blob.bytes))
    return select(BlobName.sha256).where(~is_whole).distinct()


def list_incomplete(session: Session, after: str, limit: int) -> list[str]:
    """Return up to `limit` hashes above `after` of files that answers name and that are not whole here."""
    found = _incomplete().where(col(BlobName.sha256) > after).order_by(col(BlobName.sha256)).limit(limit)
    return [row[0] for row in session.execute(found)]


# --- why somebody else does not have it


@dataclass(frozen=True)
class EntryHere:
    """An entry of the log as it stands here. form: its form, "" in quarantine; has_receipt: central once had it."""

    n: int
    id: str
    sha256: str
    form: str
    received_ms: int
    is_apart: bool
    is_sent: bool
    has_receipt: bool


def entries_of(session: Session, wanted: Sequence[tuple[str, str]]) -> Iterator[EntryHere]:
    """Give the entries of these (id, sha256 in hex), in pages of 500, each page in order of its numbers."""
    upstream = get_upstream(session)
    sent_n = upstream.cursor_n if upstream else 0
    for start in range(0, len(wanted), MOST_IDS):
        page = set(wanted[start : start + MOST_IDS])
        ids = [record_id for record_id, _ in page]
        receipts = select(Receipt.id, Receipt.sha256).where(col(Receipt.id).in_(ids))
        confirmed = {(row.id, bytes(row.sha256).hex()) for row in session.execute(receipts)}
        found = [
            EntryHere(n, record_id, sha256.hex(), form, received_ms, is_apart, n <= sent_n, False)
            for n, record_id, sha256, form, received_ms, is_apart in _rows(session, ids)
        ]
        for entry in sorted(found, key=lambda it: it.n):
            if (entry.id, entry.sha256) in page:
                yield replace(entry, has_receipt=(entry.id, entry.sha256) in confirmed)


def _rows(session: Session, ids: Sequence[str]) -> Iterator[tuple[int, str, bytes, str, int, bool]]:
    kept = select(Record.n, Record.id, Record.sha256, Record.received_ms).add_columns(col(Record.form))
    for row in session.execute(kept.where(col(Record.id).in_(ids))):
        yield row.n, row.id, bytes(row.sha256), row.form, row.received_ms, False
    apart = select(Quarantine.n, Quarantine.id, Quarantine.sha256, Quarantine.received_ms)
    for row in session.execute(apart.where(col(Quarantine.id).in_(ids))):
        yield row.n, row.id, bytes(row.sha256), "", row.received_ms, True


@dataclass(frozen=True)
class FileHere:
    """A file that answers name, or that none names (record_id ""). have: how many of its bytes are here."""

    sha256: str
    name: str
    record_id: str
    form: str
    have: int
    bytes: int


def files_of(session: Session, hashes: Sequence[str]) -> list[FileHere]:
    """Return these files with the first answer that names each. Give at most 500."""
    sizes = {blob.sha256: blob for blob in session.scalars(select(Blob).where(col(Blob.sha256).in_(hashes)))}
    named = select(BlobName, Record.form).outerjoin(Record, col(Record.id) == col(BlobName.record_id))
    names: dict[str, tuple[BlobName, str]] = {}
    for name, form in session.execute(named.where(col(BlobName.sha256).in_(hashes)).order_by(col(BlobName.record_id))):
        names.setdefault(name.sha256, (name, form or ""))
    return [_file_here(sha256, names.get(sha256), sizes.get(sha256)) for sha256 in hashes]


def _file_here(sha256: str, named: tuple[BlobName, str] | None, blob: Blob | None) -> FileHere:
    name, form = named or (None, "")
    size = name.bytes if name else (blob.bytes if blob else 0)
    return FileHere(
        sha256, name.name if name else "", name.record_id if name else "", form, blob.have if blob else 0, size
    )


def moment(session: Session) -> tuple[int, int]:
    """Return what moves when anything arrives: the last number of the log, and how many bytes of files are here."""
    kept = session.execute(select(func.coalesce(func.sum(Blob.have), 0))).scalar_one()
    return last_number(session), int(kept)
