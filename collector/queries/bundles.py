"""Bundles: what a file for central has to carry, and those that this node has written."""

from collections.abc import Sequence

from sqlalchemy import exists, func, union_all, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, delete, select

from collector.queries.blobs import life
from collector.queries.records import last_number
from collector.tables.files import Blob, BlobName
from collector.tables.log import Quarantine, Receipt, Record
from collector.tables.nodes import BundleSent


def unconfirmed_after(session: Session, after: int) -> int:
    """Return where a bundle has to begin: the number before the first entry above `after` without central's receipt."""
    firsts = []
    for table in (Record, Quarantine):
        known = exists().where(col(Receipt.id) == table.id, col(Receipt.sha256) == table.sha256)
        first = select_columns(func.min(table.n)).where(col(table.n) > after, ~known)
        firsts.append(session.execute(first).scalar_one())
    found = [int(n) for n in firsts if n is not None]
    return min(found) - 1 if found else max(after, last_number(session))


def count_entries(session: Session, after: int) -> int:
    """Return how many entries the log has above `after`."""
    counts = (select_columns(func.count()).where(col(table.n) > after) for table in (Record, Quarantine))
    return sum(int(session.execute(count).scalar_one()) for count in counts)


def list_files(session: Session, upto: int, everything: bool) -> list[tuple[str, int]]:
    """Return (sha256, bytes) of whole files that entries up to `upto` name, small ones first.

    Those that the upstream is not known to have, or `everything`. Small ones first: more of them fit.
    """
    named = union_all(
        *(
            select_columns(col(BlobName.sha256))
            .join(table, col(table.id) == col(BlobName.record_id))
            .where(col(table.n) <= upto, col(table.body).is_not(None))
            for table in (Record, Quarantine)
        )
    )
    statement = select_columns(col(Blob.sha256), col(Blob.bytes)).where(
        col(Blob.have) == col(Blob.bytes), col(Blob.sha256).in_(named)
    )
    if not everything:
        now = life(session)
        statement = statement.where(col(Blob.sent_life) != now, col(Blob.central_life) != now)
    rows = session.execute(statement.order_by(col(Blob.bytes), col(Blob.sha256)))
    return [(row.sha256, int(row.bytes)) for row in rows]


def files_missing(session: Session, ids: Sequence[str]) -> list[str]:
    """Return the hashes of files that these records name and that are not whole here. Give at most 500."""
    whole = exists().where(col(Blob.sha256) == col(BlobName.sha256), col(Blob.have) == col(Blob.bytes))
    statement = select(BlobName.sha256).where(col(BlobName.record_id).in_(ids), ~whole)
    return sorted(set(session.exec(statement)))


# --- bundles written here


def add_sent(session: Session, bundle: str, epoch: str, after: int, upto: int, secret: str, now_ms: int) -> None:
    """Note a bundle before its file is finished."""
    session.add(BundleSent(id=bundle, epoch=epoch, after=after, upto=upto, secret=secret, made_ms=now_ms))


def drop_sent(session: Session, bundle: str) -> None:
    """Forget a bundle whose file could not be written."""
    session.execute(delete(BundleSent).where(col(BundleSent.id) == bundle))


def get_sent(session: Session, bundle: str) -> BundleSent | None:
    """Return a bundle that was written here, or None."""
    return session.get(BundleSent, bundle)


def clear_sent(session: Session, bundle: str, now_ms: int) -> None:
    """Note that central has all of the bundle; the first time stays."""
    waiting = (col(BundleSent.id) == bundle, col(BundleSent.cleared_ms).is_(None))
    session.execute(update(BundleSent).where(*waiting).values(cleared_ms=now_ms))


def list_sent(session: Session, limit: int = 50) -> list[BundleSent]:
    """Return the bundles written here, the newest first."""
    newest = select(BundleSent).order_by(col(BundleSent.made_ms).desc(), col(BundleSent.id).desc())
    return list(session.exec(newest.limit(limit)))
