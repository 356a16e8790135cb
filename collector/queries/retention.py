"""What its term takes out of the store: which contents are due, and what becomes of them.

    whole   ── day N ──>  "direct": the answers that say who somebody is are gone from the body
       └──── day M ───────────┴──>  "raw": all of the body is gone, the row stays and counts

Time is that of receipt here, and never earlier or later than the log's own order allows (`received_upto`): numbers
follow receipts. What is taken away is at central first. collector/retention.py says when; see docs/retention.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select

from collector.queries import blobs, nodes, store
from collector.queries.families import Family, families_of
from collector.queries.numbers import take_numbers
from collector.queries.records import COLLECTED
from collector.queries.settling import object_of
from collector.tables.lab import Quality
from collector.tables.log import Quarantine, Receipt, Record

Content = Record | Quarantine
DIRECT, RAW = "direct", "raw"
NOT_YET = {DIRECT: ("",), RAW: ("", DIRECT)}  # what may still be taken, by stage
MOST_IDS = 400  # in one statement
YEAR_2026_MS = 1_767_225_600_000  # no node of this program received anything before


# --- when


def received_upto(session: Session, cut_ms: int, now_ms: int) -> int:
    """Return the log number up to which everything was received by `cut_ms`; 0 when that is known of nothing.

    An entry cannot have come after one with a higher number, nor before one with a lower one. So what a clock that
    stood wrong wrote beside it counts for nothing: the entry is as old as its neighbours say.
    """
    later = _edge(session, is_first=True, after_ms=cut_ms, upto_ms=now_ms)
    return _edge(session, is_first=False, after_ms=YEAR_2026_MS, upto_ms=cut_ms, below=later)


def _edge(session: Session, *, is_first: bool, after_ms: int, upto_ms: int, below: int = 0) -> int:
    """Return the first or the last number of what was received between two times; 0 for none.

    Goes along the log until it meets one: both together read it once at most. Cost: 1 s a million records.
    """
    found = []
    for table in (Record, Quarantine):
        number = col(table.n)
        within = [col(table.received_ms) > after_ms, col(table.received_ms) <= upto_ms]
        within += [number < below] if below else []
        order = number if is_first else number.desc()
        found += list(session.exec(select(number).where(*within).order_by(order).limit(1)))
    return 0 if not found else min(found) if is_first else max(found)


def newest_receipt_ms(session: Session) -> int:
    """Return when the entry with the highest number came; 0 in an empty log."""
    newest = [
        session.execute(
            select_columns(col(table.n), col(table.received_ms)).order_by(col(table.n).desc()).limit(1)
        ).first()
        for table in (Record, Quarantine)
    ]
    return max(((row.n, int(row.received_ms)) for row in newest if row is not None), default=(0, 0))[1]


# --- what


@dataclass(frozen=True)
class Due:
    """A record whose term may be over: its id, number, version, and the number of its last change."""

    id: str
    n: int
    version: str
    changed_n: int


def due_records(session: Session, form: str, stage: str, after: int, upto: int, again: bool, limit: int) -> list[Due]:
    """Return up to `limit` answers of a form numbered up to `upto` that changed after `after`, in order of change.

    again: also those whose direct answers are gone: the form may mark more of them now.
    """
    terms = ("", DIRECT) if again else NOT_YET[stage]
    statement = select_columns(col(Record.id), col(Record.n), col(Record.version), col(Record.changed_n)).where(
        col(Record.form) == form, col(Record.changed_n) > after, col(Record.n) <= upto,
        col(Record.kind).in_(COLLECTED), col(Record.term).in_(terms), col(Record.body).is_not(None),
    )  # fmt: skip
    return [Due(*row) for row in session.execute(statement.order_by(col(Record.changed_n)).limit(limit))]


def late_edits(session: Session, form: str, stage: str, after: int, limit: int) -> list[tuple[int, str]]:
    """Return (number, id) of edits above a number whose record's term is over: a correction brings nothing back."""
    former = aliased(Record)
    over = (DIRECT, RAW) if stage == DIRECT else (RAW,)
    statement = (
        select_columns(col(Record.n), col(Record.id))
        .join(former, former.id == Record.about)  # type: ignore[arg-type]
        .where(
            col(Record.about) != "", col(Record.kind) == "edit", col(Record.form) == form, col(Record.n) > after,
            col(Record.body).is_not(None), col(Record.term).in_(NOT_YET[stage]), col(former.term).in_(over),
        )
    )  # fmt: skip
    return [(int(n), str(found)) for n, found in session.execute(statement.order_by(col(Record.n)).limit(limit))]


def due_aside(session: Session, stage: str, upto: int) -> Iterator[tuple[str, int, str, str]]:
    """Give (id, number, form, version) of what quarantine holds up to a number, as far as it says of which form."""
    statement = select_columns(col(Quarantine.id), col(Quarantine.n), col(Quarantine.body)).where(
        col(Quarantine.n) <= upto, col(Quarantine.body).is_not(None), col(Quarantine.term).in_(NOT_YET[stage])
    )
    for record_id, n, body in session.execute(statement.order_by(col(Quarantine.n))).all():
        said = object_of(body)
        form, version = said.get("form"), said.get("version")
        if isinstance(form, str) and said.get("kind") in COLLECTED:
            yield record_id, n, form, version if isinstance(version, str) else ""


# --- taking it away


@dataclass
class Taken:
    """What one call took away: how many contents, and the ids of what stays until central is known to hold it."""

    contents: int = 0
    left: set[str] = field(default_factory=set)


# the contents of a family -> each as it is to be kept; None where nothing of it is to go
Reduce = Callable[[Sequence[str]], Sequence[str | None]]
# told of a record that counts, while its answers are there; returns the code of its municipality, "" for none
Count = Callable[[Record], str]


def take_direct(session: Session, ids: Sequence[str], reduce: Reduce, veil: Callable[[str], str], at_ms: int) -> Taken:
    """Remove the direct answers of these records, of their families and of what quarantine holds of them.

    veil: flags as JSON -> the same without what was answered there: a flag repeats the answer that it is about.
    Give at most 100 ids: all are taken in one transaction, with some ten statements.
    """
    families, taken, changed = families_of(session, ids), Taken(), list[Content]()
    central = _AtCentral(session, families)
    for family in families:
        contents = _confirmed(family, central, taken)
        bodies = reduce([content.body or "" for content in contents])
        for content, kept in zip(contents, bodies, strict=True):
            if kept is not None:
                if isinstance(content, Record) and content.flags:
                    content.flags = veil(content.flags)
                content.body = kept
                changed.append(content)
    return _put(session, changed, DIRECT, at_ms, taken)


def take_raw(session: Session, ids: Sequence[str], count: Count, at_ms: int) -> Taken:
    """Erase these records, their families and what is said of them; ids, hashes and times stay. At most 100 ids."""
    families, taken, changed = families_of(session, ids), Taken(), list[Content]()
    central = _AtCentral(session, families)
    for family in families:
        # a correction that came after its record was erased: that one goes on counting
        has_counted = any(content.term_place is not None for content in family.members.values())
        for content in _confirmed(family, central, taken):
            if isinstance(content, Record):
                if content.kind in COLLECTED and content.state == "usable" and not has_counted:
                    content.term_place = count(content)
                content.state, content.claim, content.flags, content.review = "erased", "", "", ""
            content.body = None
            changed.append(content)
    return _put(session, changed, RAW, at_ms, taken)


class _AtCentral:
    """Which contents of some families central is known to hold, with their files. At central itself all of them."""

    def __init__(self, session: Session, families: Sequence[Family]) -> None:
        self._is_here = nodes.is_central(session)
        self._known: set[tuple[str, bytes]] = set()
        self._alone: set[str] = set()
        ids = sorted({each for family in families for each in _ids_of(family)})
        for first in range(0, 0 if self._is_here else len(ids), MOST_IDS):
            some = ids[first : first + MOST_IDS]
            receipts = session.exec(select(Receipt).where(col(Receipt.id).in_(some)))
            self._known |= {(row.id, bytes(row.sha256)) for row in receipts}
            self._alone |= blobs.only_here(session, some)

    def holds(self, content: Content) -> bool:
        """Tell whether nothing is lost when this content goes here."""
        is_known = (content.id, bytes(content.sha256)) in self._known and content.id not in self._alone
        return self._is_here or is_known


def _ids_of(family: Family) -> set[str]:
    return family.ids | {statement.id for statement in family.statements}


def _confirmed(family: Family, central: _AtCentral, taken: Taken) -> list[Content]:
    """Return the family's contents that may be changed; note those for which central has to be waited."""
    answers: list[Content] = [it for it in family.members.values() if it.kind in COLLECTED and it.body is not None]
    answers += [variant for variant in family.variants if variant.body is not None]
    words: list[Content] = [it for it in family.statements if it.kind == "annotation" and it.body is not None]
    taken.left |= {it.id for it in (*answers, *words) if not central.holds(it)}
    free = [it for it in answers if central.holds(it)]
    # a word stays as long as anything that it may be about: a decision says which content counts
    return free + [it for it in words if central.holds(it)] if len(free) == len(answers) else free


def _put(session: Session, changed: Sequence[Content], stage: str, at_ms: int, taken: Taken) -> Taken:
    """Keep what was changed under new numbers, and forget what was derived from it."""
    if changed:
        number = take_numbers(session, len(changed))
        for n, content in enumerate(changed, number):
            content.term, content.term_ms = stage, at_ms
            if isinstance(content, Record):
                content.changed_n = n
            session.add(content)
        session.flush()
        store.set_fact(session, "unwiped", "1")  # see erasures.wipe_traces
        _forget_derived(session, sorted({content.id for content in changed}))
    taken.contents = len(changed)
    return taken


def _forget_derived(session: Session, ids: Sequence[str]) -> None:
    """Forget the files that nothing names any more, and what looked odd beside others."""
    for first in range(0, len(ids), MOST_IDS):
        some = ids[first : first + MOST_IDS]
        session.execute(delete(Quality).where(col(Quality.record_id).in_(some)))
        blobs.forget_names(session, some)
