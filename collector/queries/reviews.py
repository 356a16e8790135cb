"""What the lab asks while it reviews: a queue by state, who said what of a record, and what came back to a team.

A page of a queue looks at 20,000 records of a form at most, whatever the filter, and says how far it came: a rare
filter costs more pages, never a slow one. Records in `received` come in the order in which they began to wait: a review
gives a record a new `changed_n`, so what was reviewed leaves the front, and the front is dense at any size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, ScalarSelect, and_, cast, func, literal_column, or_
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from collector.queries.families import Family, families_of
from collector.queries.records import COLLECTED
from collector.tables.lab import Quality
from collector.tables.log import Record
from collector.tables.nodes import Node

WINDOW = 20_000  # records that one page looks at
MOST_COUNTED = 1_000
END = 2**62  # above every number of a log
# as these states stand in the column, but "received" and "answered", which are asked in other ways
REVIEWED = ("has_issues", "approved", "rejected")
STATES = ("received", *REVIEWED)
# written out, not bound: partial indexes are found by their own words
IS_REVIEWED: ColumnElement[bool] = literal_column("record.review <> ''")
SPEAKS: ColumnElement[bool] = literal_column("record.about <> ''")
REVIEWS = '"review":{'  # in canonical bytes nothing but the key itself can look like this
COUNTS = (col(Record.kind).in_(COLLECTED), col(Record.state) == "usable")


@dataclass(frozen=True)
class Asked:
    """Which records of a form: all filters hold at once.

    state: one of STATES, "answered" (has issues, and somebody said something after that), or "" for every state.
    is_flagged: something was noticed of it. nodes: only those born there. keys, place: only those that give this code
    as the answer to one of these questions.
    """

    form: str
    state: str = "received"
    is_flagged: bool = False
    nodes: tuple[str, ...] | None = None
    keys: tuple[str, ...] = ()
    place: str = ""


class Waiting(NamedTuple):
    """A record in a queue. at: what its place in the queue goes by. quality: JSON of what looks odd beside others."""

    at: int
    n: int
    id: str
    sha256: bytes
    kind: str
    version: str
    origin: str
    device_ms: int
    received_ms: int
    review: str
    flags: str
    quality: str | None


@dataclass(frozen=True)
class Page:
    """Some records of a queue. after: where to go on, None at the end; the next page may be empty all the same."""

    lines: list[Waiting]
    after: int | None


# --- a queue


def queue(session: Session, asked: Asked, after: int | None, limit: int) -> Page:
    """Return up to `limit` records behind `after`: in `received` the longest waiting first, else the newest first."""
    order, is_rising = _order(asked)
    edge = session.execute(select_columns(_edge(asked, after))).scalar_one()
    behind = order > (after or 0) if is_rising else order < (END if after is None else after)
    inside = () if edge is None else ((order <= edge) if is_rising else (order >= edge),)
    quality = select_columns(col(Quality.found)).where(col(Quality.record_id) == col(Record.id)).scalar_subquery()
    columns: Sequence[Any] = (
        order, Record.n, Record.id, Record.sha256, Record.kind, Record.version, Record.origin, Record.device_ms,
        Record.received_ms, Record.review, Record.flags, quality,
    )  # fmt: skip
    statement = select_columns(*columns).where(*_in_queue(asked), *COUNTS, *_filters(session, asked), behind, *inside)
    rows = session.execute(statement.order_by(order if is_rising else order.desc()).limit(limit + 1)).all()
    lines = [Waiting(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in rows[:limit]]
    return Page(lines, lines[-1].at if len(rows) > limit else edge)


def all_in_queue(session: Session, asked: Asked, limit: int) -> tuple[list[Waiting], bool]:
    """Return the first `limit` records of a queue, and whether there may be more: of 200,000 looked at, ten pages."""
    found: list[Waiting] = []
    after: int | None = None
    for _ in range(10):
        page = queue(session, asked, after, limit - len(found))
        found += page.lines
        after = page.after
        if after is None or len(found) == limit:
            break
    return found, after is not None


def _order(asked: Asked) -> tuple[Any, bool]:
    """Return the column that a queue goes by, and whether it rises."""
    if asked.state in REVIEWED or asked.state == "answered":
        return col(Record.n), False
    return col(Record.changed_n), asked.state == "received"


def _in_queue(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    """Return what the index of the queue knows by itself."""
    of_form = col(Record.form) == asked.form
    if asked.state == "received" or not asked.state:
        return (of_form,)
    return of_form, IS_REVIEWED, col(Record.review) == ("has_issues" if asked.state == "answered" else asked.state)


def _edge(asked: Asked, after: int | None) -> "ScalarSelect[Any]":
    """Return how far one page looks: the place of the last record that it may see, none when all are within reach."""
    order, is_rising = _order(asked)
    behind = order > (after or 0) if is_rising else order < (END if after is None else after)
    statement = select_columns(order).where(*_in_queue(asked), behind)
    return statement.order_by(order if is_rising else order.desc()).limit(1).offset(WINDOW).scalar_subquery()


def _filters(session: Session, asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.state == "received":
        found.append(col(Record.review) == "")
    if asked.state == "answered":
        found.append(_is_answered())
    if asked.is_flagged:
        odd = select_columns(literal_column("1")).where(col(Quality.record_id) == col(Record.id)).exists()
        found.append(or_(col(Record.flags) != "", odd))
    if asked.nodes is not None:
        found.append(col(Record.origin).in_(asked.nodes))
    if asked.place:
        found.append(or_(*(_answer(session, key) == asked.place for key in asked.keys)))
    return found


def _answer(session: Session, key: str) -> ColumnElement[Any]:
    """Return the text of an answer that stands in no repeat."""
    if session.connection().dialect.name == "sqlite":
        return func.json_extract(Record.body, f'$.answers."{key}"')
    return func.json_extract_path_text(cast(Record.body, JSON), "answers", key)


def _is_answered() -> ColumnElement[bool]:
    """Tell of a record with issues whether somebody said something after its last review."""
    review, word = aliased(Record, name="verdict"), aliased(Record, name="word")
    of_review: tuple[ColumnElement[bool], ...] = (
        literal_column("verdict.about <> ''"),
        col(review.about) == col(Record.id),
    )
    last = select_columns(func.max(review.device_ms)).where(*of_review, col(review.body).contains(REVIEWS))
    said: Any = select_columns(literal_column("1")).where(
        literal_column("word.about <> ''"),
        col(word.about) == col(Record.id),
        col(word.kind) == "annotation",
        col(word.body).is_not(None),
        ~col(word.body).contains(REVIEWS),
        col(word.device_ms) > last.correlate(Record).scalar_subquery(),
    )
    found: ColumnElement[bool] = said.correlate(Record).exists()
    return found


def state_counts(session: Session, form: str) -> dict[str, int]:
    """Return state -> how many records of a form are in it, counted to 1,001: "more than 1,000". One statement."""
    each = [_count(session, Asked(form, state)) for state in STATES]
    found = session.execute(select_columns(*each)).one()
    return dict(zip(STATES, map(int, found), strict=True))


def _count(session: Session, asked: Asked) -> "ScalarSelect[int]":
    order, is_rising = _order(asked)
    end = END if is_rising else 0
    edge = func.coalesce(_edge(asked, None), end)
    inside = order <= edge if is_rising else order >= edge
    some: Any = select_columns(literal_column("1")).where(*_in_queue(asked), *COUNTS, *_filters(session, asked), inside)
    return select_columns(func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery()).scalar_subquery()


# --- single records


@dataclass(frozen=True)
class Picked:
    """A record that somebody chose, as it is now. last_ms: when the last word on it was said, by its device's clock."""

    id: str
    sha256: bytes
    form: str
    review: str
    is_usable: bool
    last_ms: int


def picked(session: Session, ids: Sequence[str]) -> list[Picked]:
    """Return those of these submissions and edits that are here, in the order asked. Two statements."""
    here = select_columns(
        col(Record.id), col(Record.sha256), col(Record.form), col(Record.review), col(Record.state)
    ).where(col(Record.id).in_(ids), col(Record.kind).in_(COLLECTED), col(Record.body).is_not(None))
    said = select_columns(col(Record.about), func.max(Record.device_ms)).where(*_said_of(ids)).group_by(Record.about)
    last = {about: int(at) for about, at in session.execute(said)}
    rows = {row[0]: row for row in session.execute(here)}
    found = (rows[each] for each in dict.fromkeys(ids) if each in rows)
    return [
        Picked(i, bytes(sha), form, review, state == "usable", last.get(i, 0)) for i, sha, form, review, state in found
    ]


def words_of(session: Session, ids: Sequence[str]) -> dict[str, list[Record]]:
    """Return id -> the annotations about it, oldest first, for those of `ids` with any. One statement."""
    order = (col(Record.device_ms), col(Record.id))
    found: dict[str, list[Record]] = {}
    for word in session.exec(select(Record).where(*_said_of(ids)).order_by(*order)):
        found.setdefault(word.about, []).append(word)
    return found


def _said_of(ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    here = col(Record.body).is_not(None)
    return SPEAKS, col(Record.about).in_(ids), col(Record.kind) == "annotation", here


def family_of(session: Session, record_id: str) -> Family:
    """Return a record with its edits and what was said of them."""
    [family] = families_of(session, [record_id])
    return family


# --- what came back to a team


def returned(
    session: Session, forms: Sequence[str], origins: Sequence[str] | None, before: int | None, limit: int
) -> list[Record]:
    """Return up to `limit` records with issues numbered below `before`, newest first.

    origins: only those born on these nodes; None for all.
    """
    asked = [col(Record.form).in_(forms), IS_REVIEWED, col(Record.review) == "has_issues", *COUNTS]
    if origins is not None:
        asked.append(col(Record.origin).in_(origins))
    if before is not None:
        asked.append(col(Record.n) < before)
    return list(session.exec(select(Record).where(and_(*asked)).order_by(col(Record.n).desc()).limit(limit)))


def nodes_of_place(session: Session, code: str) -> tuple[str, ...]:
    """Return the ids of the nodes that work in a municipality."""
    return tuple(session.exec(select(Node.id).where(Node.municipality == code).order_by(Node.id)))
