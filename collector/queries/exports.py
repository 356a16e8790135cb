"""Records of one form for files: a page at a time, newest first, without what a file does not need."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from collector.queries.records import COLLECTED
from collector.tables.lab import AuditEntry
from collector.tables.log import Record

COLUMNS: Sequence[Any] = (
    Record.n, Record.id, Record.body, Record.received_ms, Record.origin, Record.state, Record.flags, Record.review,
)  # fmt: skip

RECIPIENT = "recipient"  # in the detail of an act of the audit: to whom a file was given


class Taken(NamedTuple):
    """A record as a file needs it."""

    n: int
    id: str
    body: str
    received_ms: int
    origin: str
    state: str
    flags: str
    review: str


def _wanted(form: str, before: int, review: str | None) -> list[Any]:
    found = [
        col(Record.form) == form,
        col(Record.kind).in_(COLLECTED),
        col(Record.state) == "usable",
        col(Record.n) < before,
    ]
    return found if review is None else [*found, col(Record.review) == review]


def taken_page(session: Session, form: str, before: int, limit: int, review: str | None = None) -> list[Taken]:
    """Return up to `limit` usable records numbered below `before`, newest first; of one review state when given."""
    statement = select_columns(*COLUMNS).where(*_wanted(form, before, review)).order_by(col(Record.n).desc())
    return [Taken._make(row) for row in session.execute(statement.limit(limit))]


def count_taken(session: Session, form: str, before: int, review: str | None = None) -> int:
    """Return how many records `taken_page` gives in all."""
    statement = select_columns(func.count()).select_from(Record).where(*_wanted(form, before, review))
    return int(session.execute(statement).scalar_one())


def transfers(session: Session, before: str = "", limit: int = 100) -> Sequence[AuditEntry]:
    """Return the files that were given to somebody outside the lab, before the act with the id `before`, newest first.

    They are acts of the audit whose detail names who got the file (docs/lab-export.md).
    """
    given = (AuditEntry.action == "export", col(AuditEntry.detail).contains(f'"{RECIPIENT}": "', autoescape=True))
    asked = select(AuditEntry).where(*given).order_by(col(AuditEntry.id).desc()).limit(limit)
    return session.exec(asked.where(AuditEntry.id < before) if before else asked).all()
