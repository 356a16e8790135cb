"""What the page of a form shows of its counts: at once where they are few, else the last ones, while a thread counts.

A million records take many seconds to count; a page that waited for them would look broken. So the page comes without
the numbers, or with those of before and their age, and looks again.
"""

from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic

from fastapi import Request

from collector.db import reading
from collector.lab.results import Counted, CountedTable
from collector.lab.tables import Table
from collector.queries import records as record_queries
from collector.queries.lab import EVERY, Only
from collector.routes.lab_opened import MOST_KEPT, OpenForm, counted

AT_ONCE = 3_000  # records that a page counts by itself
REST = 20  # counting again waits so many times as long as it took: numbers that are always counted cost a processor
Name = tuple[str, Only]


@dataclass(frozen=True)
class Numbers:
    """What is known. counted: None while nothing is; age_s: seconds since it was counted, None where it is current."""

    counted: Counted | None
    age_s: float | None = None
    is_counting: bool = False


def nothing_counted(table: Table) -> Counted:
    """Return counts with nothing in them, of a form with these tables."""
    return Counted({each.steps: CountedTable(0, 0, {}) for each in table.walk()}, (), None, {})


class Counting:
    """Which counts go on beside the pages, and when each ended and how long it took."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[Name] = set()
        self._ended: dict[Name, tuple[float, float]] = {}

    def age_s(self, name: Name) -> float:
        """Return the seconds since these were counted."""
        ended, _ = self._ended.get(name, (monotonic(), 0.0))
        return monotonic() - ended

    def wants(self, name: Name, is_known: bool) -> bool:
        """Tell whether these should be counted now: never were, or long enough ago."""
        return not is_known or self.age_s(name) >= REST * self._ended.get(name, (0.0, 0.0))[1]

    def is_running(self, name: Name) -> bool:
        """Tell whether a thread counts these."""
        with self._lock:
            return name in self._running

    def begin(self, request: Request, opened: OpenForm, only: Only) -> None:
        """Count beside the pages. One thread at a time: a count is one scan of the store."""
        name = opened.form_id, only
        with self._lock:
            if self._running:
                return
            self._running.add(name)
        Thread(target=self._count, args=(request, opened, only), name="lab-counts", daemon=True).start()

    def note_end(self, name: Name, took_s: float) -> None:
        """Note that these were counted just now, in so many seconds."""
        while len(self._ended) >= MOST_KEPT:
            self._ended.pop(next(iter(self._ended)))
        self._ended[name] = monotonic(), took_s

    def _count(self, request: Request, opened: OpenForm, only: Only) -> None:
        name, began = (opened.form_id, only), monotonic()
        try:
            counted(request, opened, only)
            self.note_end(name, monotonic() - began)
        finally:
            with self._lock:
                self._running.discard(name)


def numbers_now(request: Request, opened: OpenForm, only: Only = EVERY) -> Numbers:
    """Return what is known of a form's counts without making anybody wait; have them counted where they are old."""
    if opened.count.total <= AT_ONCE:
        return Numbers(counted(request, opened, only))
    state, name = request.app.state, (opened.form_id, only)
    if not hasattr(state, "lab_counting"):
        state.lab_counting = Counting()
    counting: Counting = state.lab_counting
    known = getattr(state, "lab_counts", {}).get(name)
    with reading(state.engine) as session:
        moment = record_queries.last_number(session), len(opened.forms)
    if known is not None and known[0] == moment:
        return Numbers(known[1])
    if counting.wants(name, known is not None):
        counting.begin(request, opened, only)
    is_counting = counting.is_running(name) or known is None
    return Numbers(known[1] if known else None, counting.age_s(name), is_counting)
