"""What came in, read by the number of its last change: each record once, and once more when something becomes of it.

The index over (form, changed_n) leads there, form by form: the first statement says which forms moved at all.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection
from sqlmodel import Session

from collector.queries.numbers import asked, marks

# the forms of the log, each found in the index behind the one before it, and the number of their latest change
TOPS = """WITH RECURSIVE held(form) AS (
    SELECT MIN(form) FROM record
    UNION ALL
    SELECT (SELECT MIN(form) FROM record WHERE form > held.form) FROM held WHERE held.form IS NOT NULL
) SELECT form, (SELECT MAX(changed_n) FROM record WHERE record.form = held.form) FROM held WHERE form IS NOT NULL"""
# what its term erased goes on counting, where it counted (docs/retention.md)
ROWS = """SELECT n, changed_n, id, kind, origin, CASE WHEN term_place IS NULL THEN state ELSE 'usable' END,
    device_ms, received_ms, skew_ms, {place} FROM record
    WHERE form = ? AND changed_n > ? AND (kind IN ('submission', 'edit') OR changed_n <> n)
    ORDER BY changed_n LIMIT ?"""
ALL = """SELECT form, n, changed_n, id, kind, origin, CASE WHEN term_place IS NULL THEN state ELSE 'usable' END,
    device_ms, received_ms, skew_ms, {place} FROM record
    WHERE n > ? AND kind IN ('submission', 'edit') ORDER BY n LIMIT ?"""
LAST = """SELECT {column}, MAX(received_ms) FROM record
    WHERE kind IN ('submission', 'edit') AND {column} IN ({marks}) GROUP BY {column}"""
FIRST = "SELECT form_id, MIN(published_ms) FROM form GROUP BY form_id"
MOST_IDS = 500


class Counted(NamedTuple):
    """What counting needs of a record. place: what it answers where it comes from, whatever that is; None for none."""

    n: int
    changed_n: int
    id: str
    kind: str
    origin: str
    state: str
    device_ms: int
    received_ms: int
    skew_ms: int
    place: object


def tops(session: Session) -> dict[str, int]:
    """Return form -> the number of its latest change. Two steps in an index for each form, however many records."""
    return {str(form): int(top) for form, top in asked(session.connection(), TOPS)}


def changed_rows(session: Session, form: str, after: int, places: Sequence[str], limit: int) -> list[Counted]:
    """Return up to `limit` answers of a form that changed after `after`, in order; and what else changed its content.

    places: keys of the questions that ask the municipality, one a version at most.
    """
    connection = session.connection()
    statement = ROWS.format(place=_place(connection, len(places)))
    return [Counted(*row) for row in asked(connection, statement, *_paths(connection, places), form, after, limit)]


def _place(connection: Connection, count: int) -> str:
    """Return the expression for the first of these answers that is there, of records that count."""
    here = f"WHEN state = 'usable' THEN {_first_of(connection, count)} " if count else ""
    return f"CASE WHEN term_place IS NOT NULL THEN term_place {here}END"


def _first_of(connection: Connection, count: int) -> str:
    is_file = connection.dialect.name == "sqlite"
    one = "json_extract(body, ?)" if is_file else "json_extract_path_text(body::json, 'answers', ?)"
    return one if count == 1 else f"COALESCE({', '.join([one] * count)})"


def _paths(connection: Connection, keys: Sequence[str]) -> list[str]:
    return [f'$.answers."{key}"' for key in keys] if connection.dialect.name == "sqlite" else list(keys)


def rows_after(
    session: Session, after: int, places: Mapping[str, Sequence[str]], limit: int
) -> list[tuple[str, Counted]]:
    """Return (form, row) of up to `limit` answers numbered above `after`, in the order of the log.

    places: form -> keys of the questions that ask the municipality.
    """
    connection, values = session.connection(), list[str]()
    cases = []
    for form, keys in places.items():
        if keys:
            cases.append(f"WHEN form = ? THEN {_first_of(connection, len(keys))}")
            values += [form, *_paths(connection, keys)]
    place = f"CASE WHEN state <> 'usable' THEN term_place {' '.join(cases)} END"
    rows = asked(connection, ALL.format(place=place), *values, after, limit)
    return [(str(form), Counted(*row)) for form, *row in rows]


def numbers_aside(session: Session, ids: Sequence[str]) -> list[int]:
    """Return the log numbers that quarantine holds of these ids: a record may have stood under them before."""
    found: list[int] = []
    for first in range(0, len(ids), MOST_IDS):
        some = ids[first : first + MOST_IDS]
        statement = f"SELECT n FROM quarantine WHERE id IN ({marks(len(some))})"  # noqa: S608 - only marks
        found += [int(n) for (n,) in asked(session.connection(), statement, *some)]
    return found


def last_received(session: Session, column: str, names: Sequence[str]) -> dict[str, int]:
    """Return name -> when the latest answer came, by "form" or by "origin". Reads the whole log: for rare cases."""
    if column not in ("form", "origin"):
        raise ValueError(f"{column} is neither form nor origin")
    statement = LAST.format(column=column, marks=marks(len(names)))
    return {str(name): int(last) for name, last in asked(session.connection(), statement, *names)}


def first_published(session: Session) -> dict[str, int]:
    """Return form -> when its first version came to this node."""
    return {str(form): int(at_ms) for form, at_ms in asked(session.connection(), FIRST)}


class Newest(NamedTuple):
    """An answer in the list of what just came."""

    n: int
    id: str
    received_ms: int


def arrived_at(session: Session, numbers: Sequence[int]) -> dict[int, Newest]:
    """Return log number -> its record's id and when it came, of these numbers. Give at most 500."""
    if not numbers:
        return {}
    statement = f"SELECT n, id, received_ms FROM record WHERE n IN ({marks(len(numbers))})"  # noqa: S608 - only marks
    return {int(row[0]): Newest(*row) for row in asked(session.connection(), statement, *numbers)}
