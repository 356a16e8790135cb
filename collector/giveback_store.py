"""What was handed out of a form to municipalities and to everybody, kept in the store: `lab/giveback.py` says what may.

Kept as the counts behind it, by question; what is drawn is worked out from them each time anew. Of a large form nobody
waits for new counts: who asks gets what was told last, and a thread counts beside.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic

from sqlalchemy import Engine
from sqlmodel import Session

from collector.db import reading, writing
from collector.lab.giveback import Counts, advance, tell
from collector.lab.giveback_parts import YES, Line
from collector.lab.small_groups import SmallGroups
from collector.lab.summaries import NUMBERS, chars_needed
from collector.lab.tables import Column
from collector.lab.told_counts import Entry, next_entry
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries import store

FACT = "giveback:"
NUMBERS_FACT = "counts:"  # what programs were told of questions that are none of choices
log = logging.getLogger("collector.giveback")
WHOLE = 4000  # characters of an answer that tell choices apart
AT_ONCE = 3_000  # people whose answers are counted while somebody waits
REST = 20  # counting again waits so many times as long as it took
NO = "0"  # of a question with several: who answered without a choice


@dataclass(frozen=True)
class Given:
    """What is told of a form. at_ms: when the answers in it were counted last, 0 while they are counted for the first
    time; waiting: how many came since.
    """

    lines: list[Line]
    at_ms: int
    waiting: int

    @property
    def is_counting(self) -> bool:
        """Tell whether nothing is told only because a large form is being counted for the first time."""
        return self.at_ms == 0


@dataclass(frozen=True)
class Numbers:
    """What programs are told beside it. entries: key -> n and quartiles; records, upto: when something changed last."""

    records: int
    upto: int
    given_at_ms: int
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class _Asked:
    form_id: str
    columns: list[Column]
    places: list[Column]
    moment_ms: int
    groups: SmallGroups

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)


@dataclass(frozen=True)
class _Kept:
    at_ms: int
    people: int
    counts: Mapping[str, Counts]


class GivebackStore:
    """What one node hands out, looked at again only when its log has moved."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, tuple[int, tuple[str, ...], SmallGroups, Given]] = {}
        self._numbers: dict[str, tuple[int, int, int, Numbers]] = {}
        self._busy: defaultdict[str, Lock] = defaultdict(Lock)  # by form: a large one keeps no other waiting
        self._lock, self._beside, self._rested = Lock(), set[str](), dict[str, float]()

    def given(
        self,
        form_id: str,
        columns: list[Column],
        places: list[Column],
        moment_ms: int,
        groups: SmallGroups,
        people: int = 0,
    ) -> Given:
        """Return what is told of a form now, and keep it as told.

        columns: the questions; places: what says where; people: about how many answered, for who would not wait for
        the first count of a large form; 0 waits.
        """
        asked = _Asked(form_id, columns, places, moment_ms, groups)
        with reading(self._engine) as session:
            last, kept = record_queries.last_number(session), _read(store.fact(session, FACT + form_id))
        known = self._seen.get(form_id)
        if known is not None and known[:3] == (last, asked.names, groups):
            return known[3]
        if (kept.people if kept else people) <= AT_ONCE:
            return self._count_now(asked)
        self._count_beside(asked)
        if kept is None:
            return Given([], 0, people)
        if known is not None and known[1:3] == (asked.names, groups):
            return known[3]
        return _given(kept, columns, kept.people, groups.shared)

    def _count_now(self, asked: "_Asked") -> Given:
        with self._busy[asked.form_id]:
            with reading(self._engine) as session:
                last = record_queries.last_number(session)
                known = self._seen.get(asked.form_id)
                if known is not None and known[:3] == (last, asked.names, asked.groups):
                    return known[3]
                people, fresh = _count(session, asked.form_id, asked.columns, asked.places)
                before = _read(store.fact(session, FACT + asked.form_id))
            kept = _advanced(before, fresh, people, asked.moment_ms, asked.groups)
            if kept != before:
                self._keep(asked.form_id, kept)
            found = _given(kept, asked.columns, people, asked.groups.shared)
            self._seen[asked.form_id] = (last, asked.names, asked.groups, found)
            return found

    def _count_beside(self, asked: "_Asked") -> None:
        """Count in a thread, unless one is at it or has just been."""
        with self._lock:
            if asked.form_id in self._beside or monotonic() < self._rested.get(asked.form_id, 0.0):
                return
            self._beside.add(asked.form_id)

        def count() -> None:
            begun = monotonic()
            try:
                self._count_now(asked)
            except Exception:  # who asks next gets what was told last, and the count is tried again
                log.exception("counts of %s", asked.form_id)
            finally:
                with self._lock:
                    self._rested[asked.form_id] = monotonic() + REST * (monotonic() - begun)
                    self._beside.discard(asked.form_id)

        Thread(target=count, name="giveback", daemon=True).start()

    def numbers(self, form_id: str, columns: list[Column], k: int, direct: Collection[str], given: Given) -> Numbers:
        """Return what programs are told of questions that are none of choices, and keep it as told.

        direct: keys that say who somebody is; given: what is told of the others.
        """
        with self._busy[form_id]:
            with reading(self._engine) as session:
                last = record_queries.last_number(session)
                known = self._numbers.get(form_id)
                if known is not None and known[:3] == (last, k, len(columns)):
                    return known[3]
                people, _ = lab_queries.row_counts(session, form_id, ())
                keys = {each.key: chars_needed(each) if each.question.type in NUMBERS else 0 for each in columns}
                values = lab_queries.answer_counts(session, form_id, keys)
                before = _read_numbers(store.fact(session, NUMBERS_FACT + form_id))
            earlier = before.entries if before else {}
            found = {each.key: next_entry(earlier.get(each.key), each, values[each.key], people, k, direct)
                     for each in columns}  # fmt: skip
            entries = dict(earlier) | {key: entry for key, entry in found.items() if entry is not None}
            told = Numbers(people, last, given.at_ms, entries)
            if before and entries == earlier and given.at_ms == before.given_at_ms and (entries or given.lines):
                told = before
            if told != before:
                self._write(NUMBERS_FACT + form_id, told.__dict__)
            self._numbers[form_id] = (last, k, len(columns), told)
            return told

    def _keep(self, form_id: str, kept: _Kept) -> None:
        self._write(FACT + form_id, {"at_ms": kept.at_ms, "people": kept.people, "counts": kept.counts})

    def _write(self, name: str, content: Mapping[str, object]) -> None:
        with writing(self._engine) as session:
            store.set_fact(session, name, json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def _read(kept: str) -> _Kept | None:
    if not kept:
        return None
    content = json.loads(kept)
    return _Kept(content["at_ms"], content["people"], content["counts"])


def _read_numbers(kept: str) -> Numbers | None:
    return Numbers(**json.loads(kept)) if kept else None


def _advanced(
    before: _Kept | None, fresh: Mapping[str, Counts], people: int, moment_ms: int, groups: SmallGroups
) -> _Kept:
    """Return what is told from now on. A question that is no longer asked for stays: whoever has it can compare."""
    earlier = before.counts if before else {}
    counts = dict(earlier) | {
        name: advance(earlier.get(name), now, groups.shared, groups.public) for name, now in fresh.items()
    }
    if before is not None and counts == earlier:
        return before
    return _Kept(moment_ms, people, counts)


def _given(kept: _Kept, columns: list[Column], people: int, k: int) -> Given:
    lines = []
    for column in columns:
        for choice in column.choice_labels("") if column.is_multiple else ("",):
            told = tell(kept.counts.get(_name(column, choice), {}), k)
            if told is not None:
                lines.append(Line(column, choice, told))
    return Given(lines, kept.at_ms, max(0, people - kept.people))


def _name(column: Column, choice: str) -> str:
    return f"{column.key} {choice}" if choice else column.key


def _count(
    session: Session, form_id: str, columns: list[Column], places: list[Column]
) -> tuple[int, dict[str, Counts]]:
    """Return how many people answered, and their counts by question, or by choice where several can be taken."""
    keys = {column.key: WHOLE for column in columns}
    people, found = lab_queries.answer_counts_by_place(session, form_id, keys, [place.key for place in places])
    counts: dict[str, Counts] = {}
    for column in columns:
        by_place = found[column.key]
        if column.is_multiple:
            for choice in column.choice_labels(""):
                taken = {place: _taken(values, choice) for place, values in by_place.items()}
                counts[_name(column, choice)] = _with_silent(taken, people)
        else:
            known = column.choice_labels("")
            counts[column.key] = _with_silent({at: _known(values, known) for at, values in by_place.items()}, people)
    return people.total(), counts


def _known(values: Mapping[str, int], choices: Collection[str]) -> dict[str, int]:
    """Leave out what is no choice of the form: it may hold anything, and is as good as no answer."""
    return {value: count for value, count in values.items() if value in choices}


def _taken(values: Mapping[str, int], choice: str) -> dict[str, int]:
    with_it = sum(count for value, count in values.items() if choice in value.split())
    return {YES: with_it, NO: sum(values.values()) - with_it}


def _with_silent(counts: Mapping[str, Mapping[str, int]], people: Mapping[str, int]) -> Counts:
    """Return the counts with who gave no answer, so that every question has the same people in a municipality."""
    found: dict[str, dict[str, int]] = {}
    for place, size in people.items():
        said = {choice: count for choice, count in counts.get(place, {}).items() if count}
        silent = size - sum(said.values())
        found[place] = said | ({"": silent} if silent else {})
    return found
