"""Which records keep places chosen from a list beside their answers."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from collector.queries.records import COLLECTED
from collector.tables.log import Record

KEY = '"places":{'  # as canonical bytes write it; an answer that holds the same is told apart by who reads the body


def bodies_with_places(session: Session, form: str) -> Iterator[str]:
    """Give the body of each usable record of a form that keeps places."""
    is_counted = (Record.form == form, col(Record.kind).in_(COLLECTED), Record.state == "usable")
    found = select(Record.body).where(*is_counted, col(Record.body).contains(KEY))
    for body in session.exec(found.execution_options(yield_per=500)):
        yield body or "{}"
