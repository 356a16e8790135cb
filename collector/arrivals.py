"""How much came, of each form, from each node and municipality, on which day: counted once and kept at hand.

A scan of a million records takes seconds, a page may not. So every record's share in the counts is kept, eight bytes
each under its log number, and when the log moved only what changed is read again: an erasure, an edit or a decision
takes away what its record counted for and adds what it counts for now. After a restart the shares are read from a file
beside the store, and the log from there on; without the file, or with one of another epoch, everything is counted anew.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from collector.arrivals_file import load_kept, save_kept
from collector.arrivals_shares import NUMBER_OF, USABLE, GroupKey, Shares, make_share
from collector.clock import offset_here
from collector.db import reading
from collector.form_store import FormStore
from collector.lab.freshness import answered_ms, day_of
from collector.queries import arrivals as queries
from collector.queries import forms as form_queries
from collector.queries import lab as lab_queries
from collector.queries import store
from collector.queries.arrivals import Counted
from collector.queries.lab import FormCount, NodeCount
from collector.queries.records import COLLECTED, last_number
from collector.territory import provinces

PAGE = 2_000  # rows at once: more takes memory and gains no time
SAVE_AFTER = 20_000  # records read since the file was written; or a twentieth of the log, where that is more
MOST_BACK = 5_000
MOST_WAITED_FOR = 50_000  # log numbers that a page counts by itself: a second
FILE = "arrivals.bin"
Manifest = list[tuple[str, str, str, str]]


@cache
def municipality_codes() -> frozenset[str]:
    """Return the codes that name a municipality: districts, and the comarcas without any."""
    found = (province.districts or (province.place,) for province in provinces())
    return frozenset(place.code for places in found for place in places)


class Arrivals:
    """The counts of one node, as its log stands whenever they are asked for."""

    def __init__(
        self, engine: Engine, forms: FormStore, folder: Path | None = None, offset: Callable[[], int] = offset_here
    ) -> None:
        self._engine, self._forms = engine, forms
        self._path = folder / FILE if folder else None
        self._offset = offset()  # minutes ahead of UTC: where days begin
        self._lock = Lock()
        self._at = -1  # the last log number at which nothing was left to read
        self._shares = Shares()
        self._unsaved = 0
        self._epoch = ""
        self._manifest: Manifest = []
        self._keys: dict[str, list[str]] = {}
        self._counting: Thread | None = None

    # --- asked by pages

    def form_counts(self) -> list[FormCount]:
        """Return what `queries.lab.form_counts` counts, the latest arrival first."""
        if self._is_far():
            with reading(self._engine) as session:
                return lab_queries.form_counts(session)
        with self._lock:
            shares = self._current()
            found = [
                _form_count(form, held, shares.last_of_form.get(form, 0))
                for form, held in shares.forms.items()
                if sum(held)
            ]
        return sorted(found, key=lambda count: -count.last_ms)

    def form_count(self, form: str) -> FormCount | None:
        """Return the counts of one form, None for one without any record."""
        return next((count for count in self.form_counts() if count.form == form), None)

    def node_counts(self, names: Mapping[str, str]) -> list[NodeCount]:
        """Return what `queries.lab.node_counts` counts, the latest first; of `names` those without any last."""
        if self._is_far():
            with reading(self._engine) as session:
                return lab_queries.node_counts(session)
        with self._lock:
            shares = self._current()
            found = [
                NodeCount(node, names.get(node, ""), total[0], shares.last_of_origin.get(node, 0))
                for node, total in shares.origins.items()
                if total[0]
            ]
        found.sort(key=lambda item: -(item.last_ms or 0))
        heard = {item.id for item in found}
        return found + [NodeCount(node, name, 0, None) for node, name in names.items() if node not in heard]

    def days(self) -> dict[GroupKey, dict[int, int]]:
        """Return (form, node, municipality) -> day -> usable answers given on it.

        The node is "" where the answers themselves say the municipality, and else the municipality is.
        """
        with self._lock:
            return {key: dict(place.days) for key, place in self._current().places.items() if place.days}

    def lags(self) -> dict[GroupKey, dict[int, int]]:
        """Return by the same keys (day << 8 | days it took to come here, more than LEAST_GRACE) -> usable answers."""
        with self._lock:
            return {key: dict(place.lags) for key, place in self._current().places.items() if place.lags}

    def newest(self, limit: int) -> list[tuple[int, GroupKey]]:
        """Return (log number, (form, node, municipality)) of the latest usable answers, the newest first.

        Looks among the last MOST_BACK numbers: a meeting's votes may stand in between.
        """
        with self._lock:
            shares = self._current()
            last = min(self._at, len(shares.shares) - 1)
            found = ((n, shares.shares[n]) for n in range(last, max(-1, last - MOST_BACK), -1))
            kept = [(n, shares.groups[share >> 27].key) for n, share in found if share >> 24 & 7 == USABLE]
        return kept[:limit]

    def mark(self) -> str:
        """Return what changes with the counts: while it is the same, nothing new came."""
        with self._lock:
            self._current()
            return f"{self._epoch[:8]}-{self._at}"

    # --- kept current

    def _is_far(self) -> bool:
        """Tell whether counting would keep a page waiting: it goes on beside, and the database counts meanwhile."""
        if self._at >= 0:
            return False
        with reading(self._engine) as session:
            is_far = last_number(session) > MOST_WAITED_FOR and not (self._path and self._path.exists())
        if is_far and self._counting is None:
            self._counting = Thread(target=self.mark, name="arrivals", daemon=True)
            self._counting.start()
        return is_far

    def _current(self) -> Shares:
        with reading(self._engine) as session:
            if not self._epoch:
                self._begin(session)
            top = last_number(session)
            if self._asks_elsewhere(session) or top != self._at:
                self._catch_up(session)
                self._at = top
        return self._shares

    def _begin(self, session: Session) -> None:
        self._epoch = store.fact(session, "epoch") or "-"
        kept = load_kept(self._path, self._mark_of_file()) if self._path else None
        # a file that speaks of numbers which the log never gave is not of this log
        if kept is not None and max(kept[0]["upto"].values(), default=0) <= last_number(session):
            self._shares = Shares.of(*kept)

    def _mark_of_file(self) -> list[Any]:
        return [self._epoch, self._offset, len(municipality_codes())]

    def _asks_elsewhere(self, session: Session) -> bool:
        """Tell whether a form was published; note which of its questions ask the municipality."""
        manifest = form_queries.list_manifest(session)
        if manifest == self._manifest:
            return False
        self._manifest, self._keys = manifest, {}
        for form_id, version, *_ in manifest:
            form = self._forms.get(form_id, version)
            question = form.territory_question(municipality_codes()) if form else None
            held = self._keys.setdefault(form_id, [])
            if question is not None and not question.row and question.key not in held:
                held.append(question.key)
        return True

    def _catch_up(self, session: Session) -> None:
        shares, must_save = self._shares, False
        tops = queries.tops(session)
        if not shares.upto:
            self._read_all(session, tops)
        for form, top in tops.items():
            keys = self._keys.get(form, [])
            if shares.keys.get(form) != keys:  # what was counted under other places is counted again
                shares.upto[form], shares.keys[form] = 0, keys
            while shares.upto[form] < top:
                must_save |= self._read_page(session, form, top)
        shares.renew_last(lambda column, names: queries.last_received(session, column, names))
        if self._path and (must_save or self._unsaved >= max(SAVE_AFTER, max(tops.values(), default=0) // 20)):
            save_kept(self._path, self._mark_of_file(), *shares.kept())
            self._unsaved = 0

    def _read_all(self, session: Session, tops: Mapping[str, int]) -> None:
        """Read the log in the order in which it lies on the disk: four times as fast as form by form."""
        shares, after = self._shares, 0
        shares.keys = {form: self._keys.get(form, []) for form in tops}
        while rows := queries.rows_after(session, after, shares.keys, PAGE):
            for form, row in rows:
                shares.put(row.n, self._share_of(form, row))
            after = rows[-1][1].n
            self._unsaved += len(rows)
        shares.upto = dict(tops)

    def _read_page(self, session: Session, form: str, top: int) -> bool:
        """Read the next changes of a form; tell whether something was erased, which must leave the file too."""
        shares, after = self._shares, self._shares.upto[form]
        rows = queries.changed_rows(session, form, after, shares.keys[form], PAGE)
        moved = [row.id for row in rows if row.changed_n != row.n]
        for n in queries.numbers_aside(session, moved) if moved else []:
            shares.put(n, 0)
        is_erased = False
        for row in rows:
            former = shares.put(row.n, self._share_of(form, row))
            is_erased |= former != 0 and row.state == "erased"
        shares.upto[form] = rows[-1].changed_n if len(rows) == PAGE else top
        self._unsaved += len(rows)
        return is_erased

    def _share_of(self, form: str, row: Counted) -> int:
        if row.kind not in COLLECTED:
            return 0
        place = row.place if isinstance(row.place, str) and row.place in municipality_codes() else ""
        group = self._shares.group_number((form, row.origin, place))
        self._shares.note_last(form, row.origin, row.received_ms)
        state = NUMBER_OF[row.state]
        if state != USABLE:
            return make_share(group, state)
        day = day_of(answered_ms(row.device_ms, row.received_ms, row.skew_ms), self._offset)
        return make_share(group, state, day, day_of(row.received_ms, self._offset) - day)


def _form_count(form: str, states: list[int], last_ms: int) -> FormCount:
    usable, contested, erased = (states[NUMBER_OF[state]] for state in ("usable", "contested", "erased"))
    return FormCount(form, usable, contested, erased, last_ms)


def by_place(
    counted: Mapping[GroupKey, Mapping[int, int]], places_of_nodes: Mapping[str, str]
) -> dict[tuple[str, str], dict[int, int]]:
    """Return (form, municipality) -> counts; where answers say no place, that of their node counts, "" for none."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for (form, origin, place), counts in counted.items():
        where = form, place or places_of_nodes.get(origin, "")
        held = found.get(where)
        if held is None:
            found[where] = dict(counts)
            continue
        for key, count in counts.items():
            held[key] = held.get(key, 0) + count
    return found
