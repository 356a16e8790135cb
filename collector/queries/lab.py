"""What the lab reads: counts by SQL, records a page at a time, the feed for pulls. Nothing here loads a whole form.

`record.body` is JSON text. SQLite and PostgreSQL read into it with different functions; `_field`, `_rows` and `_texts`
are the only places that know. A record may hold any JSON: what is not of the expected kind counts as not there.
Only submissions are counted; only `usable` ones unless said otherwise.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, case, cast, func, inspect, lateral, literal, literal_column, true
from sqlalchemy.sql.selectable import FromClause
from sqlmodel import Session, col, select

from collector.queries import fleet
from collector.queries.records import COLLECTED
from collector.tables.log import Record


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
    # what its term erased goes on counting, where it counted (docs/retention.md)
    state = case((col(Record.term_place).is_(None), col(Record.state)), else_=literal_column("'usable'"))
    statement = (
        select(Record.form, state, func.count(), func.max(Record.received_ms))
        .where(col(Record.kind).in_(COLLECTED))
        .group_by(Record.form, state)
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


@dataclass(frozen=True)
class Only:
    """Which of a form's usable submissions are meant; what is empty (None for node and review) says nothing.

    place: code of a district, or of the province around it, as one of `place_keys` says it; since, until: days on
    which people answered, "2026-11-20", as their records write them; answer: key of a question outside of repeats and
    a choice in its answer; node: "" for this one; review: "" for received.
    """

    place: str = ""
    place_keys: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    answer: tuple[str, str] | None = None
    node: str | None = None
    version: str = ""
    language: str = ""
    review: str | None = None


EVERY = Only()


def _usable(session: Session, form: str, only: Only = EVERY) -> list[ColumnElement[bool]]:
    found = [col(Record.form) == form, col(Record.kind).in_(COLLECTED), col(Record.state) == "usable"]
    if only.place and only.place_keys:
        found.append(_place(session, only.place_keys).startswith(only.place, autoescape=True))
    if only.since or only.until:
        day = func.substr(_field(session, "finished"), 1, 10)
        found += [day >= only.since] if only.since else []
        found += [day <= only.until] if only.until else []
    if only.answer is not None:
        key, choice = only.answer
        found.append((literal(" ") + _answer(session, key) + " ").contains(f" {choice} ", autoescape=True))
    exact = ((Record.origin, only.node), (Record.review, only.review), (Record.version, only.version or None))
    found += [col(column) == value for column, value in exact if value is not None]
    if only.language:
        found.append(_field(session, "lang") == only.language)
    return found


def _place(session: Session, keys: Sequence[str]) -> ColumnElement[str]:
    """Return the first of some answers that is given, "" for none."""
    return func.coalesce(*(func.nullif(_answer(session, key), "") for key in keys), "") if keys else literal("")


def answer_counts(
    session: Session, form: str, keys: Mapping[str, int], steps: Sequence[str] = (), only: Only = EVERY
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
        .where(*_usable(session, form, only), answer.c.key.in_(keys), text != "")
        .group_by(answer.c.key, kept)
    )
    for key, value, count in session.execute(statement):
        counts[key][str(value)] += count
    return counts


def answer_counts_by_place(
    session: Session, form: str, keys: Mapping[str, int], place_keys: Sequence[str]
) -> tuple[Counter[str], dict[str, dict[str, Counter[str]]]]:
    """Return (place -> records, key -> place -> how often each value stands there); place "" for none given.

    keys: as for `answer_counts`; place_keys: the questions that say the place, the first one answered counts.
    """
    source, row = _rows(session, ())
    place = _place(session, place_keys)
    of_place = select(place, func.count()).select_from(source).where(*_usable(session, form)).group_by(place)
    records = Counter({str(name): count for name, count in session.execute(of_place)})
    counts: dict[str, dict[str, Counter[str]]] = {key: {} for key in keys}
    if not keys:
        return records, counts
    answer, text = _texts(session, row)
    kept = func.substr(text, 1, case(keys, value=answer.c.key))
    statement = (
        select(place, answer.c.key, kept, func.count())
        .select_from(source.join(answer, true()))
        .where(*_usable(session, form), answer.c.key.in_(keys), text != "")
        .group_by(place, answer.c.key, kept)
    )
    for name, key, value, count in session.execute(statement):
        counts[key].setdefault(str(name), Counter())[str(value)] += count
    return records, counts


def _answer(session: Session, key: str) -> ColumnElement[str]:
    """Return the text of one answer outside of repeats."""
    if _is_sqlite(session):
        quoted = key.replace('"', "")
        return cast(func.json_extract(Record.body, f'$.answers."{quoted}"'), Text)
    return func.json_extract_path_text(cast(Record.body, JSON), "answers", key)


def row_counts(session: Session, form: str, steps: Sequence[str], only: Only = EVERY) -> tuple[int, int]:
    """Return how many rows a repeat has, and in how many records; with no steps the records twice."""
    source, _ = _rows(session, steps)
    counts = select(func.count(), func.count(func.distinct(Record.n)))
    rows, records = session.execute(counts.select_from(source).where(*_usable(session, form, only))).one()
    return rows, records


def hour_counts(session: Session, form: str, only: Only = EVERY) -> list[tuple[str, bool, int]]:
    """Return ("2026-11-20T10", is UTC, records) by the hour in which people answered, as the record writes it.

    By the hour, so that times written in UTC can be moved to the right day without reading every record.
    """
    finished = _field(session, "finished")
    hour, is_utc = func.substr(finished, 1, 13), finished.like("%Z")
    statement = select(hour, is_utc, func.count()).where(*_usable(session, form, only)).group_by(hour, is_utc)
    return [(str(name), bool(utc), int(count)) for name, utc, count in session.execute(statement)]


def each_duration(session: Session, form: str, only: Only = EVERY) -> Iterator[tuple[str, str]]:
    """Give (started, finished) of every usable submission, two short texts each."""
    statement = select(_field(session, "started"), _field(session, "finished")).where(*_usable(session, form, only))
    for started, finished in session.execute(statement.execution_options(yield_per=2000)):
        yield str(started), str(finished)


# --- records


def newest_records(session: Session, form: str, before: int | None, limit: int, only: Only = EVERY) -> list[Record]:
    """Return up to `limit` usable submissions numbered below `before`, newest first."""
    statement = select(Record).where(*_usable(session, form, only))
    if before is not None:
        statement = statement.where(col(Record.n) < before)
    return list(session.exec(statement.order_by(col(Record.n).desc()).limit(limit)))


def last_record(session: Session, form: str) -> Record | None:
    """Return the submission that arrived last."""
    return next(iter(newest_records(session, form, None, 1)), None)


# --- answers in words


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    taken_apart = unicodedata.normalize("NFD", text.lower())
    return "".join(mark for mark in taken_apart if not unicodedata.combining(mark))


def newest_texts(
    session: Session, form: str, key: str, words: str, before: int | None, limit: int, only: Only = EVERY
) -> list[tuple[int, str, str]]:
    """Return (number, id, answer) of up to `limit` records that answer a question outside of repeats, newest first.

    words: what the answer must contain, each of them, whatever the accents and capitals.
    """
    answer = _answer(session, key)
    statement = select(col(Record.n), col(Record.id), answer).where(*_usable(session, form, only), answer != "")
    found = _plain(session, answer)
    for word in plain(words).split():
        statement = statement.where(found.contains(word, autoescape=True))
    if before is not None:
        statement = statement.where(col(Record.n) < before)
    rows = session.execute(statement.order_by(col(Record.n).desc()).limit(limit))
    return [(int(n), str(record_id), str(text)) for n, record_id, text in rows]


def _plain(session: Session, text: ColumnElement[str]) -> ColumnElement[str]:
    """Return what `plain` returns of a column's text. In SQLite `plain` itself is asked: it knows no accents."""
    if _is_sqlite(session):
        driver: Any = session.connection().connection.driver_connection
        driver.create_function("plain", 1, lambda value: plain(str(value or "")), deterministic=True)
        return func.plain(text)
    bare = func.regexp_replace(func.normalize(text, literal_column("NFD")), "[\u0300-\u036f]", "", "g")
    return func.lower(bare)  # last: it may know no accents either
