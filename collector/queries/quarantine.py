"""What waits for a person of the lab: entries of quarantine, and usable records that a node noticed something about.

Both share the log's numbers, so one list pages through them by `n`. Decisions are records of their own (annotations);
what they do is in `settling.py`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from collector.queries.numbers import take_numbers
from collector.queries.settling import settle, state_of_new
from collector.tables.log import Quarantine, Record

KEPT_APART = ("conflict", "bad_record", "not_canonical", "revoked_node", "not_allowed", "room_refused", "room_late")
NOTICED = ("no_consent", "form_unknown", "form_differs", "serial_used", "ticket_used", "clock")
REASONS = (*KEPT_APART, *NOTICED)
# written out, not bound: partial indexes are found by their own words
HAS_FLAGS: ColumnElement[bool] = literal_column("record.flags <> ''")
IS_OPEN: ColumnElement[bool] = literal_column("quarantine.resolved_by = ''")
SPEAKS: ColumnElement[bool] = literal_column("record.about <> ''")
# a decision, among all that people say of records: in the very words of its index
DECIDES: ColumnElement[bool] = literal_column(
    """record.about <> '' AND record.kind = 'annotation' AND record.body LIKE '%"decision"%'"""
)
OPEN_RECORD = (HAS_FLAGS, col(Record.state).in_(("usable", "no_consent")))


@dataclass(frozen=True)
class Content:
    """One content under a record's id. why: the reason of quarantine, or the gravest notice of a record.

    is_record: it stands in the log as the record of its id, else in quarantine. body: None once erased.
    resolved_by: id of the decision, "" while nobody decided.
    """

    id: str
    sha256: bytes
    n: int
    why: str
    received_ms: int
    via: str
    body: str | None
    is_record: bool
    form: str = ""
    version: str = ""
    state: str = ""
    flags: str = ""
    resolved_by: str = ""


@dataclass(frozen=True)
class Decision:
    """A person's word on a content. action: "use" or "set_aside"; form: given to it, or ""."""

    id: str
    n: int
    about: str
    action: str
    sha256: str
    by: str
    reason: str
    form: str
    version: str
    device_ms: int


@dataclass(frozen=True)
class Entry:
    """Everything under one id: the record's content first, then what stands in quarantine, and who decided what."""

    id: str
    contents: list[Content]
    decisions: list[Decision]


# --- what is open


def open_counts(session: Session) -> dict[str, int]:
    """Return reason -> how many wait for a person; reasons with none are left out."""
    apart = select(Quarantine.why, func.count()).where(*_open_apart()).group_by(Quarantine.why)
    counts = {why: int(count) for why, count in session.execute(apart)}
    each = [func.count().filter(_has_flag(why)) for why in NOTICED]
    found = session.execute(select(*each).select_from(Record).where(*OPEN_RECORD, ~_is_decided())).one()
    counts |= dict(zip(NOTICED, map(int, found), strict=True))
    return {why: count for why, count in counts.items() if count}


def list_open(session: Session, why: str, before: int | None, limit: int) -> list[Content]:
    """Return up to `limit` open contents numbered below `before`, newest first; `why` "" for every reason."""
    found: dict[int, Content] = {}
    for reason in (why,) if why else (*NOTICED, ""):
        some = _noticed(session, reason, before, limit) if reason in NOTICED else _apart(session, reason, before, limit)
        for content in some:
            found.setdefault(content.n, content)  # a record with two notices is listed under the graver one
    return [found[n] for n in sorted(found, reverse=True)[:limit]]


def _apart(session: Session, why: str, before: int | None, limit: int) -> list[Content]:
    statement = select(Quarantine).where(*_open_apart())
    if why:
        statement = statement.where(Quarantine.why == why)
    if before is not None:
        statement = statement.where(col(Quarantine.n) < before)
    rows = session.exec(statement.order_by(col(Quarantine.n).desc()).limit(limit))
    return [_content_apart(row) for row in rows]


def _noticed(session: Session, why: str, before: int | None, limit: int) -> list[Content]:
    statement = select(Record).where(*_open_noticed(why))
    if before is not None:
        statement = statement.where(col(Record.n) < before)
    rows = session.exec(statement.order_by(col(Record.n).desc()).limit(limit))
    return [_content_of(row, why) for row in rows]


def _open_apart() -> tuple[ColumnElement[bool], ...]:
    return IS_OPEN, col(Quarantine.body).is_not(None)


def _open_noticed(why: str) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a usable record with this notice open: nobody has said a word on it."""
    return *OPEN_RECORD, _has_flag(why), ~_is_decided()


def _is_decided() -> ColumnElement[bool]:
    word = aliased(Record, name="word")
    said: Any = select(literal_column("1")).where(
        literal_column("word.about <> ''"),  # without it every record would be compared with every other
        col(word.about) == col(Record.id),
        col(word.kind) == "annotation",
        col(word.body).contains('"decision"'),
    )
    found: ColumnElement[bool] = said.exists()
    return found


def _has_flag(what: str) -> ColumnElement[bool]:
    return col(Record.flags).contains(f'"what": "{what}"', autoescape=True)


def _content_apart(row: Quarantine) -> Content:
    return Content(
        row.id, bytes(row.sha256), row.n, row.why, row.received_ms, row.via, row.body, False,
        resolved_by=row.resolved_by,
    )  # fmt: skip


def _content_of(row: Record, why: str) -> Content:
    return Content(
        row.id, bytes(row.sha256), row.n, why, row.received_ms, row.via, row.body, True,
        row.form, row.version, row.state, row.flags,
    )  # fmt: skip


# --- one entry, and what was decided


def entry_of(session: Session, record_id: str) -> Entry | None:
    """Return everything under an id, or None when there is nothing."""
    record = session.exec(select(Record).where(Record.id == record_id)).first()
    apart = session.exec(select(Quarantine).where(Quarantine.id == record_id).order_by(col(Quarantine.n)))
    contents = [_content_of(record, _gravest(record))] if record is not None else []
    contents += [_content_apart(row) for row in apart]
    if not contents:
        return None
    spoken = select(Record).where(SPEAKS, Record.about == record_id, Record.kind == "annotation")
    decisions = [_decision(row) for row in session.exec(spoken.order_by(col(Record.device_ms), col(Record.id)))]
    return Entry(record_id, contents, [it for it in decisions if it.action])


def _gravest(record: Record) -> str:
    return next((why for why in NOTICED if f'"what": "{why}"' in record.flags), "")


def list_decisions(session: Session, before: int | None, limit: int) -> list[Decision]:
    """Return up to `limit` decisions numbered below `before`, newest first."""
    statement = select(Record).where(DECIDES)
    if before is not None:
        statement = statement.where(col(Record.n) < before)
    rows = session.exec(statement.order_by(col(Record.n).desc()).limit(limit))
    return [_decision(row) for row in rows]


def count_decisions(session: Session) -> int:
    """Return how many decisions this store knows."""
    return int(session.execute(select(func.count()).select_from(Record).where(DECIDES)).scalar_one())


def _decision(row: Record) -> Decision:
    content = _object(json.loads(row.body or "{}"))
    said = _object(content.get("decision"))
    action, sha256, form, version = (_text(said.get(key)) for key in ("action", "sha256", "form", "version"))
    by, reason = _text(content.get("by")), _text(content.get("reason"))
    return Decision(row.id, row.n, row.about, action, sha256, by, reason, form, version, row.device_ms)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- records to check again


@dataclass(frozen=True)
class Noted:
    """A record as it was read for another check."""

    id: str
    sha256: bytes
    form: str
    version: str
    body: str
    flags: str
    changed_n: int


NOTED_COLUMNS: Sequence[Any] = (
    Record.id, Record.sha256, Record.form, Record.version, Record.body, Record.flags, Record.changed_n,
)  # fmt: skip


def unknown_after(session: Session, form: str, version: str, after: int, limit: int) -> list[Noted]:
    """Return up to `limit` records of a version that were stored without their form, in order of change."""
    whole = (col(Record.body).is_not(None), Record.term == "")  # what is missing by its term is no fault of the answers
    here = (Record.form == form, Record.version == version, *whole, _has_flag("form_unknown"))
    statement = select(*NOTED_COLUMNS).where(*here, col(Record.changed_n) > after)
    rows = session.execute(statement.order_by(col(Record.changed_n)).limit(limit))
    return [_noted(row) for row in rows]


def noted(session: Session, ids: Sequence[str]) -> list[Noted]:
    """Return those of these records whose content is here. Give at most 500 ids."""
    statement = select(*NOTED_COLUMNS).where(col(Record.id).in_(ids), col(Record.body).is_not(None), Record.term == "")
    return [_noted(row) for row in session.execute(statement)]


def _noted(row: Any) -> Noted:
    return Noted(row[0], bytes(row[1]), *row[2:])


def put_flags(session: Session, found: Sequence[tuple[Noted, str]]) -> int:
    """Write what another check found, for records that are as they were read; return how many changed."""
    fresh = {one.id: (one, flags) for one, flags in found if flags != one.flags}
    rows = session.exec(select(Record).where(col(Record.id).in_(fresh))).all() if fresh else []
    moved: list[str] = []
    changed = 0
    for row in sorted(rows, key=lambda row: row.n):
        one, flags = fresh[row.id]
        if (bytes(row.sha256), row.form, row.version, row.flags) != (one.sha256, one.form, one.version, one.flags):
            continue
        if state_of_new(row.flags) != state_of_new(flags):
            moved.append(row.id)
        row.flags, row.changed_n = flags, take_numbers(session, 1)
        session.add(row)
        changed += 1
    settle(session, moved)
    return changed
