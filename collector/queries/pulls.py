"""What programs read: the feed of records in order of change, and the marks that say whether anything is new.

`changed_n` follows commits, so whoever has read up to a number has missed nothing below it. There is an index over a
form's changes and none over everybody's: a page is merged out of the forms that changed, which are few.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, union_all
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from collector.queries import store
from collector.queries.numbers import asked
from collector.queries.records import last_number
from collector.tables.forms import FormVersion
from collector.tables.log import Record

MOST_CHARS = 8_000_000  # of bodies in a page: long records must not fill the memory
MOST_MERGED = 400  # SQLite joins at most 500 parts into one statement
# every form that records name, each by one step along the index; then those that changed
CHANGED_FORMS = """
WITH RECURSIVE named(form) AS (
    SELECT min(form) FROM record
    UNION ALL SELECT (SELECT min(r.form) FROM record r WHERE r.form > named.form) FROM named WHERE form IS NOT NULL
)
SELECT form FROM named
WHERE form IS NOT NULL AND (SELECT max(r.changed_n) FROM record r WHERE r.form = named.form) > ?
"""
COLUMNS: Sequence[Any] = (
    Record.changed_n, Record.n, Record.id, Record.kind, Record.form, Record.version, Record.received_ms, Record.state,
    Record.review, Record.origin, Record.body, Record.term,
)  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """What a store stands at: who knows it can tell whether there is anything new without reading it.

    last: the highest log number given out; forms, form_ms: how many versions are published, and when the last one was.
    """

    epoch: str
    last: int
    forms: int
    form_ms: int


@dataclass(frozen=True)
class Fed:
    """One record as a program sees it. n: number of its last change; first: its place in the log.

    review: "" while nobody reviewed it; body: verbatim, None once erased; term: "direct" when it is without its direct
    answers, "raw" when all of it was erased by its term.
    """

    n: int
    first: int
    id: str
    kind: str
    form: str
    version: str
    received_ms: int
    state: str
    review: str
    origin: str
    body: str | None
    term: str


@dataclass(frozen=True)
class FormFacts:
    """A published version without the form itself."""

    form_id: str
    version: str
    title: str
    sha256: str
    published_ms: int


def mark(session: Session) -> Mark:
    """Return what the store stands at: four numbers, none of which takes longer in a store of a million records."""
    versions = select_columns(func.count(), func.coalesce(func.max(FormVersion.published_ms), 0))
    count, newest_ms = session.execute(versions.select_from(FormVersion)).one()
    return Mark(store.fact(session, "epoch") or "", last_number(session), int(count), int(newest_ms))


def form_facts(session: Session, form_id: str = "") -> list[FormFacts]:
    """Return every published version, newest first, without the forms themselves; of one form when given."""
    names = ("form_id", "version", "title", "sha256", "published_ms")
    statement = select_columns(*(col(getattr(FormVersion, name)) for name in names))
    if form_id:
        statement = statement.where(col(FormVersion.form_id) == form_id)
    order = (col(FormVersion.published_ms).desc(), col(FormVersion.version).desc())
    return [FormFacts(*row) for row in session.execute(statement.order_by(*order))]


def names_form(session: Session, form_id: str) -> bool:
    """Tell whether any record says that it is of this form."""
    return session.exec(select(Record.n).where(Record.form == form_id).limit(1)).first() is not None


def changed_forms(session: Session, after: int) -> list[str]:
    """Return the forms of which a record changed after the number; "" is that of records without one."""
    return [str(form) for (form,) in asked(session.connection(), CHANGED_FORMS, after)]


def feed(
    session: Session, after: int, limit: int, forms: Collection[str] | None = None, most_chars: int = MOST_CHARS
) -> tuple[list[Fed], bool]:
    """Return up to `limit` records of any kind and state that changed after `after`, in order; and whether more wait.

    A record that changes (erased, decided on, replaced, reviewed) comes again under its new number. forms: only these.
    Stops early, after at least one, when the bodies pass `most_chars`. Two statements, each along an index.
    """
    named = [form for form in changed_forms(session, after) if forms is None or form in forms]
    if not named:
        return [], False
    page: list[Fed] = []
    chars = 0
    with session.execute(_merged(named, after, limit + 1).execution_options(yield_per=100)) as rows:
        for row in rows:
            if len(page) == limit or chars > most_chars:
                return page, True
            page.append(Fed(*row))
            chars += len(page[-1].body or "")
    return page, False


def _merged(forms: list[str], after: int, limit: int) -> Any:
    """Return a statement for the changes of these forms, in order: the database merges what each index gives."""
    news = col(Record.changed_n) > after
    if len(forms) > MOST_MERGED:
        wanted = select_columns(*COLUMNS).where(news, col(Record.form).in_(forms))
        return wanted.order_by(col(Record.changed_n)).limit(limit)
    parts = [select_columns(*COLUMNS).where(news, col(Record.form) == form) for form in forms]
    if len(parts) == 1:
        return parts[0].order_by(col(Record.changed_n)).limit(limit)
    merged = union_all(*parts)
    return merged.order_by(merged.selected_columns.changed_n).limit(limit)


def fed_record(session: Session, record_id: str) -> Fed | None:
    """Return one record as the feed gives it, or None."""
    row = session.execute(select_columns(*COLUMNS).where(col(Record.id) == record_id)).first()
    return None if row is None else Fed(*row)


def number_at(session: Session, moment_ms: int) -> int:
    """Return the highest log number given to a record before the moment; 0 when none was.

    By halves, since numbers and times of arrival grow together: about twenty short statements in a million records. A
    node whose clock was set back may give an earlier number, never one that hides records from there on that arrived
    in order.
    """
    low, high = 0, last_number(session)
    while low < high:
        middle = (low + high + 1) // 2
        found = session.execute(
            select_columns(col(Record.n), col(Record.received_ms))
            .where(col(Record.n) >= middle, col(Record.n) <= high)
            .order_by(col(Record.n))
            .limit(1)
        ).first()
        if found is None or found.received_ms >= moment_ms:
            high = middle - 1
        else:
            low = found.n
    return low
