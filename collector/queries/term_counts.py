"""What stays of records that their term erased: how often what was answered, by municipality and month."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, delete, select

from collector.queries.numbers import told_of_each
from collector.tables.lab import TermCount

LEAST = 5  # records that a municipality and month must have, to be told apart from the others
ADD = """INSERT INTO term_count (form, question, choice, place, month, count) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (form, question, choice, place, month) DO UPDATE SET count = term_count.count + excluded.count"""


class Cell(NamedTuple):
    """What is counted: a question's whole key and a choice, where and in which month ("2026-11").

    choice: "" for every answer to a question that is no select; question: "" for the records themselves.
    """

    question: str
    choice: str
    place: str
    month: str


def add_counts(session: Session, form: str, counts: Mapping[Cell, int]) -> None:
    """Add to what is kept of a form."""
    if counts:
        told_of_each(session.connection(), ADD, [(form, *cell, count) for cell, count in sorted(counts.items())])


def fold_small(session: Session, form: str, before: str) -> None:
    """Put months before this one with few records in a municipality together, under no place and no month.

    Where one person answered in a month, the counts of all questions side by side would be that person's answers.
    """
    small = select_columns(col(TermCount.place), col(TermCount.month)).where(
        col(TermCount.form) == form, col(TermCount.question) == "", col(TermCount.count) < LEAST,
        col(TermCount.month) != "", col(TermCount.month) < before,
    )  # fmt: skip
    for place, month in session.execute(small).all():
        here = (col(TermCount.form) == form, col(TermCount.place) == place, col(TermCount.month) == month)
        rows = session.exec(select(TermCount).where(*here)).all()
        folded = Counter[Cell]()
        for row in rows:
            folded[Cell(row.question, row.choice, "", "")] += row.count
        session.execute(delete(TermCount).where(*here))
        session.expire_all()
        add_counts(session, form, folded)


def counts_of(session: Session, form: str) -> dict[str, dict[str, int]]:
    """Return question -> choice -> how often, over every place and month; "" -> {"": records}."""
    statement = select_columns(col(TermCount.question), col(TermCount.choice), func.sum(TermCount.count)).where(
        col(TermCount.form) == form
    )
    found: dict[str, dict[str, int]] = {}
    for question, choice, count in session.execute(statement.group_by(col(TermCount.question), col(TermCount.choice))):
        found.setdefault(str(question), {})[str(choice)] = int(count)
    return found


def cells_of(session: Session, form: str) -> Iterator[tuple[Cell, int]]:
    """Give every cell of a form with its count, in order: for the file."""
    statement = select(TermCount).where(TermCount.form == form)
    order = [col(getattr(TermCount, name)) for name in Cell._fields]
    for row in session.exec(statement.order_by(*order)):
        yield Cell(row.question, row.choice, row.place, row.month), row.count
