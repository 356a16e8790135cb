"""What looks odd in records, as kept: found by collector.quality_watch, made from the log and made anew at will."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlmodel import Session, col, delete, select

from collector.queries.numbers import asked, marks, told_of_each
from collector.tables.lab import Quality
from collector.tables.log import Record

COLUMNS = "n, changed_n, id, origin, state, received_ms, body"
OF_FORM = "form = ? AND kind IN ('submission', 'edit')"
CHANGED = f"SELECT {COLUMNS} FROM record WHERE {OF_FORM} AND changed_n > ? ORDER BY changed_n LIMIT ?"  # noqa: S608
NEWEST = f"""SELECT {COLUMNS} FROM record WHERE {OF_FORM} AND state = 'usable' AND changed_n <= ?
    ORDER BY changed_n DESC LIMIT ?"""  # noqa: S608 - our own words
# an index alone answers both
LEFT = "SELECT COUNT(*) FROM (SELECT 1 FROM record WHERE form = ? AND changed_n > ? LIMIT ?) AS waiting"
BEGIN = "SELECT changed_n FROM record WHERE form = ? ORDER BY changed_n DESC LIMIT 1 OFFSET ?"
ADD = "INSERT INTO quality (record_id, form, found) VALUES (?, ?, ?)"
REPEATS = "SELECT record_id, found FROM quality WHERE form = ? AND found LIKE ?"
MOST_IDS = 500


class Row(NamedTuple):
    """A record as it is looked at. body: None once erased."""

    n: int
    changed_n: int
    id: str
    origin: str
    state: str
    received_ms: int
    body: str | None


def changed_rows(session: Session, form: str, after: int, limit: int) -> list[Row]:
    """Return up to `limit` answers of a form that changed after `after`, of any state, in order of their change."""
    return [Row(*row) for row in asked(session.connection(), CHANGED, form, after, limit)]


def newest_rows(session: Session, form: str, upto: int, limit: int) -> list[Row]:
    """Return the usable answers of a form that changed last, up to the change `upto`, the oldest first."""
    return [Row(*row) for row in asked(session.connection(), NEWEST, form, upto, limit)][::-1]


def rows_of(session: Session, ids: Sequence[str]) -> list[Row]:
    """Return these records. Give at most 500."""
    statement = f"SELECT {COLUMNS} FROM record WHERE id IN ({marks(len(ids))})"  # noqa: S608 - only marks
    return [Row(*row) for row in asked(session.connection(), statement, *ids)] if ids else []


def begin_after(session: Session, form: str, most: int) -> int:
    """Return the change behind which the newest `most` of a form stand, 0 when there are no more."""
    found = asked(session.connection(), BEGIN, form, most)
    return int(found[0][0]) if found else 0


def count_left(session: Session, form: str, after: int, most: int) -> int:
    """Return how many records of a form changed after `after`, counted up to `most`."""
    return int(asked(session.connection(), LEFT, form, after, most)[0][0])


def repeats_of(session: Session, form: str, ids: set[str]) -> list[str]:
    """Return the records that were found to repeat one of these."""
    held = asked(session.connection(), REPEATS, form, '%"of"%')
    return [record_id for record_id, found in held if ids & {str(one.get("of", "")) for one in json.loads(found)}]


def put_findings(session: Session, form: str, found: dict[str, list[dict[str, str]]]) -> None:
    """Keep what was found in each of these records in place of what was found before; [] for nothing."""
    ids = list(found)
    for first in range(0, len(ids), MOST_IDS):
        session.execute(delete(Quality).where(col(Quality.record_id).in_(ids[first : first + MOST_IDS])))
    rows = [(record_id, form, json.dumps(one, ensure_ascii=False)) for record_id, one in found.items() if one]
    if rows:
        told_of_each(session.connection(), ADD, rows)


def forget_form(session: Session, form: str) -> None:
    """Forget what was found in a form: it is looked at anew."""
    session.execute(delete(Quality).where(col(Quality.form) == form))


# --- read by pages


class Noticed(NamedTuple):
    """A record with findings, as a list shows it."""

    record_id: str
    form: str
    found: list[dict[str, str]]
    received_ms: int
    origin: str
    review: str


def findings(session: Session, record_id: str) -> list[dict[str, str]]:
    """Return what is odd in a record, [] for nothing."""
    row = session.get(Quality, record_id)
    return list(json.loads(row.found)) if row else []


def list_noticed(session: Session, form: str, what: str, before: str, limit: int) -> list[Noticed]:
    """Return up to `limit` usable records with findings whose id is below `before`, the newest first.

    form, what: of one form, of one kind, "" for all. Ids grow with time, so their index gives the order.
    """
    columns: Sequence[Any] = (
        Quality.record_id, Quality.form, Quality.found, Record.received_ms, Record.origin, Record.review,
    )  # fmt: skip
    statement = select(*columns).join(Record, col(Record.id) == col(Quality.record_id)).where(Record.state == "usable")
    if form:
        statement = statement.where(Quality.form == form)
    if what:
        statement = statement.where(col(Quality.found).like(f'%"what": "{what}"%'))
    if before:
        statement = statement.where(col(Quality.record_id) < before)
    rows = session.execute(statement.order_by(col(Quality.record_id).desc()).limit(limit))
    return [Noticed(row[0], row[1], json.loads(row[2]), *row[3:]) for row in rows]
