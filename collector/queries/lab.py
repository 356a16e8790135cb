"""What the lab reads: counts by SQL, records a page at a time, the feed for pulls. Nothing here loads a whole form.

`record.body` is JSON text. SQLite and PostgreSQL read into it with different functions; `_field` and `_answers`
are the only places that know. Only submissions are counted; only `usable` ones unless said otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, cast, func, lateral, true
from sqlalchemy.sql.selectable import FromClause
from sqlmodel import Session, col, select

from collector.tables import Node, Record


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
        .where(Record.kind == "submission")
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
    """Return what came from each node where records are born, the latest first; enrolled nodes without any last."""
    names = dict(session.exec(select(Node.id, Node.name)).all())
    statement = select(Record.origin, func.count(), func.max(Record.received_ms)).group_by(Record.origin)
    counts = [NodeCount(node, names.get(node, ""), count, last_ms) for node, count, last_ms in session.exec(statement)]
    counts.sort(key=lambda item: item.last_ms or 0, reverse=True)
    heard = {item.id for item in counts}
    return counts + [NodeCount(node, name, 0, None) for node, name in names.items() if node not in heard]


def node_names(session: Session) -> dict[str, str]:
    """Return node id -> name, for the nodes that push straight to this one."""
    return dict(session.exec(select(Node.id, Node.name)).all())


# --- inside the body


def _is_sqlite(session: Session) -> bool:
    return session.connection().dialect.name == "sqlite"


def _field(session: Session, name: str) -> ColumnElement[str]:
    """Return the text of a top-level key of the body."""
    if _is_sqlite(session):
        return func.json_extract(Record.body, f'$."{name}"')
    return func.json_extract_path_text(cast(Record.body, JSON), name)


def _answers(session: Session) -> FromClause:
    """Return the answers of the body as rows (key, value), joined to their record."""
    if _is_sqlite(session):
        return func.json_each(Record.body, "$.answers").table_valued("key", "value", name="answer")
    answers = func.json_extract_path(cast(Record.body, JSON), "answers")
    return lateral(func.json_each_text(answers).table_valued("key", "value"), name="answer")


def _usable(form: str) -> tuple[ColumnElement[bool], ...]:
    return col(Record.form) == form, col(Record.kind) == "submission", col(Record.state) == "usable"


def answer_counts(session: Session, form: str, keys: Sequence[str]) -> dict[str, Counter[str]]:
    """Return key -> how often each value stands there, blanks left out. One pass over the form, whatever the keys."""
    counts: dict[str, Counter[str]] = {key: Counter() for key in keys}
    if not keys:
        return counts
    answer = _answers(session)
    statement = (
        select(answer.c.key, answer.c.value, func.count())
        .select_from(Record)
        .join(answer, true())
        .where(*_usable(form), answer.c.key.in_(keys), answer.c.value != "")
        .group_by(answer.c.key, answer.c.value)
    )
    for key, value, count in session.execute(statement):
        counts[key][str(value)] += count
    return counts


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
    """One record as a pull sees it. `body` is verbatim, None once erased."""

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
    """Return up to `limit` records of every kind and state numbered above `after`, in log order; and whether more wait.

    Stops early, after at least one, when the bodies pass `most_chars`: long records must not fill the memory.
    """
    columns: Sequence[Any] = (
        Record.n, Record.id, Record.kind, Record.form, Record.version,
        Record.received_ms, Record.state, Record.origin, Record.body,
    )  # fmt: skip
    statement = select(*columns).where(col(Record.n) > after).order_by(col(Record.n)).limit(limit + 1)
    page: list[Fed] = []
    chars = 0
    with session.execute(statement.execution_options(yield_per=100)) as rows:
        for row in rows:
            if len(page) == limit or chars > most_chars:
                return page, True
            page.append(Fed(*row))
            chars += len(page[-1].body or "")
    return page, False
