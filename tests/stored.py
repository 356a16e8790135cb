"""What a node's store holds, in whole: for tests, whose stores are small."""

from sqlmodel import Session, col, func, select

from collector.queries.records import COLLECTED
from collector.tables.log import Quarantine, Record


def stored_records(session: Session, form: str | None = None) -> list[Record]:
    """Return every usable submission in order of n; of one form when given."""
    usable = select(Record).where(Record.state == "usable", col(Record.kind).in_(COLLECTED))
    return list(session.exec((usable if form is None else usable.where(Record.form == form)).order_by(col(Record.n))))


def count_entries(session: Session) -> int:
    """Return how many entries the log has, quarantine included."""
    return sum(session.exec(select(func.count()).select_from(table)).one() for table in (Record, Quarantine))
