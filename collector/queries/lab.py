"""What the lab reads: counts by SQL, records a page at a time, the feed for pulls. Nothing here loads a whole form.

`record.body` is JSON text. SQLite and PostgreSQL read into it with different functions; `_field`, `_rows` and `_texts`
are the only places that know. A record may hold any JSON: what is not of the expected kind counts as not there.
Only submissions are counted; only `usable` ones unless said otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, case, cast, func, inspect, lateral, literal_column, true
from sqlalchemy.sql.selectable import FromClause
from sqlmodel import Session, col, select

from collector.queries import fleet
from collector.queries.records import COLLECTED
from collector.tables import Record


@dataclass(frozen=True)
class FormCount:
    """How much a form has: records by state, and when the last one came."""

    form: str
    usable: int
    contested: int
    erased: int
    last_ms: int

    @property
    def total(self) -> int:
        """Return the records of every state."""
        return self.usable + self.contested + self.erased


@dataclass(frozen=True)
class NodeCount:
    """What came from one node: `id` is "" for this one. last_ms None: enrolled, nothing arrived yet."""

    id: str
    name: str
    records: int
    last_ms: int | None


def form_counts(session: Session, form: str | None = None) -> list[FormCount]:
    """Return the counts of every form that has records, the latest arrival first; of one form when given."""
    statement = (
        select(Record.form, Record.state, func.count(), func.max(Record.received_ms))
        .where(col(Record.kind).in_(COLLECTED))
        .group_by(Record.form, Record.state)
    )
    if form is not None:
        statement = statement.where(Record.form == form)
    states: dict[str, dict[str, tuple[int, int]]] = {}
    for form_id, state, count, last_ms in session.exec(statement):
        states.setdefault(form_id, {})[state] = (count, last_ms)
    counts = [_form_count(form_id, by_state) for form_id, by_state in states.items()]
    return sorted(counts, key=lambda item: item.last_ms, reverse=True)


def _form_count(form_id: str, by_state: dict[str, tuple[int, int]]) -> FormCount:
    usable, contested, erased = (by_state.get(state, (0, 0))[0] for state in ("usable", "contested", "erased"))
    return FormCount(form_id, usable, contested, erased, max(last_ms for _, last_ms in by_state.values()))


def node_counts(session: Session) -> list[NodeCount]:
    """Return what came from each node where records are born, the latest first; nodes without any last."""
    names = node_names(session)
    statement = (
        select(Record.origin, func.count(), func.max(Record.received_ms))
        .where(col(Record.kind).in_(COLLECTED))
        .group_by(Record.origin)
    )
    counts = [NodeCount(node, names.get(node, ""), count, last_ms) for node, count, last_ms in session.exec(statement)]
    counts.sort(key=lambda item: item.last_ms or 0, reverse=True)
    heard = {item.id for item in counts}
    return counts + [NodeCount(node, name, 0, None) for node, name in names.items() if node not in heard]


def node_names(session: Session) -> dict[str, str]:
    """Return node id -> name, for the nodes below this one, as far as they or their hubs have told."""
    return {row.id: row.name for row in fleet.list_fleet(session)}


# --- inside the body


def _is_sqlite(session: Session) -> bool:
    return session.connection().dialect.name == "sqlite"


def _field(session: Session, name: str) -> ColumnElement[str]:
    """Return the text of a top-level key of the body."""
    if _is_sqlite(session):
        return func.json_extract(Record.body, f'$."{name}"')
    return func.json_extract_path_text(cast(Record.body, JSON), name)


# rows: the records joined to them, and the answers of each as JSON, NULL where the record holds no object there
_Rows = tuple[FromClause, ColumnElement[Any]]


def _rows(session: Session, steps: Sequence[str]) -> _Rows:
    """Return the answers of the records, or the rows of the repeat that `steps` leads to, joined to their records."""
    return _rows_in_sqlite(steps) if _is_sqlite(session) else _rows_in_postgres(steps)


def _rows_in_sqlite(steps: Sequence[str]) -> _Rows:
    is_object = func.json_type(Record.body, "$.answers") == "object"
    here: ColumnElement[Any] = case((is_object, func.json_extract(Record.body, "$.answers")))
    source: FromClause = inspect(Record).local_table
    for number, step in enumerate(steps):
        path = f'$."{step}"'
        rows = case((func.json_type(here, path) == "array", func.json_extract(here, path)))
        each = func.json_each(rows).table_valued("value", "type", name=f"row{number}")
        source = source.join(each, true())
        here = case((each.c.type == "object", each.c.value))
    return source, here


def _rows_in_postgres(steps: Sequence[str]) -> _Rows:
    answers = func.json_extract_path(cast(Record.body, JSON), "answers")
    here: ColumnElement[Any] = case((func.json_typeof(answers) == "object", answers))
    source: FromClause = inspect(Record).local_table
    for number, step in enumerate(steps):
        given = func.json_extract_path(here, step)
        rows = case((func.json_typeof(given) == "array", given))
        each = lateral(func.json_array_elements(rows).table_valued("value"), name=f"row{number}")
        source = source.join(each, true())
        here = case((func.json_typeof(each.c.value) == "object", each.c.value))
    return source, here


def _texts(session: Session, row: ColumnElement[Any]) -> tuple[FromClause, ColumnElement[str]]:
    """Return the answers of a row as rows with a key, and their text; what is no text is "" there."""
    if _is_sqlite(session):
        answer: FromClause = func.json_each(row).table_valued("key", "value", "type", name="answer")
        return answer, case((answer.c.type == "text", answer.c.value), else_="")
    answer = lateral(func.json_each(row).table_valued("key", "value"), name="answer")
    # #>> '{}' is the only way to the text of a JSON string
    text = answer.c.value.op("#>>")(literal_column("'{}'"))
    return answer, case((func.json_typeof(answer.c.value) == "string", text), else_="")


def _usable(form: str) -> tuple[ColumnElement[bool], ...]:
    return col(Record.form) == form, col(Record.kind).in_(COLLECTED), col(Record.state) == "usable"


def answer_counts(
    session: Session, form: str, keys: Mapping[str, int], steps: Sequence[str] = ()
) -> dict[str, Counter[str]]:
    """Return key -> how often each value stands there, blanks and what is no text left out.

    keys: key -> how many characters of the answer tell values apart; with 0 all count together under "".
    steps: keys of the repeats whose rows are asked. One pass over the form, whatever the keys.
    """
    counts: dict[str, Counter[str]] = {key: Counter() for key in keys}
    if not keys:
        return counts
    source, row = _rows(session, steps)
    answer, text = _texts(session, row)
    kept = func.substr(text, 1, case(keys, value=answer.c.key))
    statement = (
        select(answer.c.key, kept, func.count())
        .select_from(source.join(answer, true()))
        .where(*_usable(form), answer.c.key.in_(keys), text != "")
        .group_by(answer.c.key, kept)
    )
    for key, value, count in session.execute(statement):
        counts[key][str(value)] += count
    return counts


def row_counts(session: Session, form: str, steps: Sequence[str]) -> tuple[int, int]:
    """Return how many rows a repeat has, and in how many records; with no steps the records twice."""
    source, _ = _rows(session, steps)
    counts = select(func.count(), func.count(func.distinct(Record.n)))
    rows, records = session.execute(counts.select_from(source).where(*_usable(form))).one()
    return rows, records


def hour_counts(session: Session, form: str) -> list[tuple[str, bool, int]]:
    """Return ("2026-11-20T10", is UTC, records) by the hour in which people answered, as the record writes it.

    By the hour, so that times written in UTC can be moved to the right day without reading every record.
    """
    finished = _field(session, "finished")
    hour, is_utc = func.substr(finished, 1, 13), finished.like("%Z")
    statement = select(hour, is_utc, func.count()).where(*_usable(form)).group_by(hour, is_utc)
    return [(str(name), bool(utc), int(count)) for name, utc, count in session.execute(statement)]


def each_duration(session: Session, form: str) -> Iterator[tuple[str, str]]:
    """Give (started, finished) of every usable submission, two short texts each."""
    statement = select(_field(session, "started"), _field(session, "finished")).where(*_usable(form))
    for started, finished in session.execute(statement.execution_options(yield_per=2000)):
        yield str(started), str(finished)


# --- records


def newest_records(session: Session, form: str, before: int | None, limit: int) -> list[Record]:
    """Return up to `limit` usable submissions numbered below `before`, newest first."""
    statement = select(Record).where(*_usable(form))
    if before is not None:
        statement = statement.where(col(Record.n) < before)
    return list(session.exec(statement.order_by(col(Record.n).desc()).limit(limit)))


def last_record(session: Session, form: str) -> Record | None:
    """Return the submission that arrived last."""
    return next(iter(newest_records(session, form, None, 1)), None)


@dataclass(frozen=True)
class Fed:
    """One record as a pull sees it. n: the number of its last change; `body` is verbatim, None once erased."""

    n: int
    id: str
    kind: str
    form: str
    version: str
    received_ms: int
    state: str
    origin: str
    body: str | None


def feed(session: Session, after: int, limit: int, most_chars: int = 8_000_000) -> tuple[list[Fed], bool]:
    """Return up to `limit` records of any kind and state that changed after `after`, in order; and whether more wait.

    A record that changes (erased, decided on, replaced by an edit) comes again under its new number.

    Stops early, after at least one, when the bodies pass `most_chars`: long records must not fill the memory.
    """
    columns: Sequence[Any] = (
        Record.changed_n, Record.id, Record.kind, Record.form, Record.version,
        Record.received_ms, Record.state, Record.origin, Record.body,
    )  # fmt: skip
    statement = select(*columns).where(col(Record.changed_n) > after).order_by(col(Record.changed_n)).limit(limit + 1)
    page: list[Fed] = []
    chars = 0
    with session.execute(statement.execution_options(yield_per=100)) as rows:
        for row in rows:
            if len(page) == limit or chars > most_chars:
                return page, True
            page.append(Fed(*row))
            chars += len(page[-1].body or "")
    return page, False
