"""Records with open answers, to be coded: those that codings name. `queries.lab.newest_records` gives them in order."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from collector.queries.records import COLLECTED
from collector.tables.log import Record

AT_ONCE = 500


def usable_records(session: Session, form: str, ids: Iterable[str]) -> list[Record]:
    """Return those of a form's records that count: neither erased nor replaced by an edit; by their ids."""
    wanted = sorted(set(ids))
    found: list[Record] = []
    for first in range(0, len(wanted), AT_ONCE):
        statement = select(Record).where(col(Record.id).in_(wanted[first : first + AT_ONCE]), Record.form == form)
        usable = statement.where(col(Record.kind).in_(COLLECTED), Record.state == "usable")
        found += session.exec(usable.order_by(col(Record.id)))
    return found
