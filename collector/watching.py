"""What the board of the lab watches, put together: forms and their plans, what came from where, which nodes are silent.

The counts come from collector.arrivals, so nothing here reads a record.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from collector.arrivals import Arrivals, by_place
from collector.clock import now_ms, offset_here
from collector.db import reading
from collector.form_plan import Plan
from collector.lab.freshness import (
    DAY_MS,
    NO_GROUPS,
    RECENT_DAYS,
    Board,
    Coverage,
    FormLine,
    Groups,
    Named,
    Seen,
    board_of,
    day_of,
)
from collector.lab.reporting import Report, reports_of
from collector.queries import arrivals as queries
from collector.queries import forms as form_queries
from collector.queries import plans as plan_queries
from collector.queries import store
from collector.queries.fleet import FleetRow, list_fleet
from collector.territory import place_labels, place_names, provinces

SILENT_DAYS = 7  # a node not heard of for so long is named
Counts = Mapping[tuple[str, str], Mapping[int, int]]


@dataclass(frozen=True)
class Silent:
    """A node below that was not heard of. days: None when it never was; municipality: its code, "" for none."""

    name: str
    municipality: str
    days: int | None


@dataclass(frozen=True)
class Watched:
    """All that the board speaks of, on one day.

    days: (form, municipality) -> counts, as in collector.arrivals; lags_now asks for those that came later, which only
    reporting rates need. mark: changes when anything here does.
    """

    today: int
    forms: tuple[FormLine, ...]
    coverage: Coverage
    days: Counts
    lags_now: Callable[[], Counts]
    silent: tuple[Silent, ...]
    mark: str
    reported: dict[str, list[Report]] = field(default_factory=dict)

    def board(self, form: str = "", groups: Groups = NO_GROUPS) -> Board:
        """Return form × municipality, of one form when given. groups: as for `board_of`.

        Forms that are asked of nobody in particular and that nobody answered are left out.
        """
        answered = {form_id for form_id, _ in self.coverage.seen}
        forms = [
            line
            for line in self.forms
            if (form == "" and (line.is_planned or line.form_id in answered)) or form == line.form_id
        ]
        return board_of(forms, self.coverage, municipalities(), self.today, groups)

    def reports(self, form: str = "") -> list[Report]:
        """Return who reported in the latest periods, of one form when given; worked out once."""
        if form not in self.reported:
            self.reported[form] = self._reports(form)
        return self.reported[form]

    def _reports(self, form: str) -> list[Report]:
        codes, lags = [named.code for named in municipalities()], self.lags_now()
        return [
            report
            for line in self.forms
            if form in ("", line.form_id)
            for report in reports_of(line, codes, self.coverage, self.days, lags, self.today)
        ]

    def totals(self) -> dict[str, tuple[int, int, int]]:
        """Return form -> answers given today, in the last seven days, and ever."""
        found: dict[str, tuple[int, int, int]] = {}
        for (form, _), counts in self.days.items():
            now, week, ever = found.get(form, (0, 0, 0))
            near = [(day, count) for day, count in counts.items() if day > self.today - 7]
            now += sum(count for day, count in near if day >= self.today)
            found[form] = now, week + sum(count for _, count in near), ever + sum(counts.values())
        return found


def municipalities() -> list[Named]:
    """Return every municipality by province, both by name."""
    return [
        Named(place.code, place_labels()[place.code], "" if place is province.place else place_names()[place.code[:-2]])
        for province in provinces()
        for place in (province.districts or (province.place,))
    ]


class Watch:
    """What the board needs, put together again only when something changed."""

    def __init__(self, engine: Engine, arrivals: Arrivals, node_id: str) -> None:
        self._engine, self._arrivals, self._node_id = engine, arrivals, node_id
        self._kept: tuple[str, Watched] | None = None

    def now(self) -> Watched:
        """Return how it stands now."""
        at_ms = now_ms()
        today, mark = day_of(at_ms, offset_here()), self._arrivals.mark()
        with reading(self._engine) as session:
            plans, places = plan_queries.plans(session), places_of_nodes(session, self._node_id)
            silent = _silent(list_fleet(session), places, at_ms)
            lines = _lines(session, plans, places)
        stands = repr((mark, today, plans, places, silent, lines))
        if self._kept is None or self._kept[0] != stands:
            tag = hashlib.sha256(stands.encode()).hexdigest()[:16]
            self._kept = stands, self._put_together(today, lines, places, silent, tag)
        return self._kept[1]

    def _put_together(
        self, today: int, lines: list[FormLine], places: Mapping[str, str], silent: tuple[Silent, ...], tag: str
    ) -> Watched:
        days = by_place(self._arrivals.days(), places)
        seen = {key: _seen(counts, today) for key, counts in days.items()}
        working: dict[str, int] = {}
        for node, place in places.items():
            if place and node not in ("", self._node_id):
                working[place] = working.get(place, 0) + 1
        known = {line.form_id for line in lines}
        strange = sorted({form for form, _ in days} - known)
        lines = lines + [FormLine(form, form, Plan(), today) for form in strange]
        return Watched(today, tuple(lines), Coverage(seen, working), days, self._lags(places), silent, tag)

    def _lags(self, places: Mapping[str, str]) -> Callable[[], Counts]:
        return lambda: by_place(self._arrivals.lags(), places)


def watch_of(state: Any) -> Watch:
    """Return the watch of a node, made when it is first asked for."""
    if not hasattr(state, "watch"):
        state.watch = Watch(state.engine, state.arrivals, str(state.node_id))
    found: Watch = state.watch
    return found


def _seen(counts: Mapping[int, int], today: int) -> Seen:
    recent = sum(count for day, count in counts.items() if day > today - RECENT_DAYS)
    return Seen(max(counts), sum(counts.values()), recent)


def places_of_nodes(session: Session, own_id: str) -> dict[str, str]:
    """Return node -> code of the municipality it works in; one that nobody placed works where the one above it does.

    This node stands under its id and under "", as records that were born here name it.
    """
    said = dict(plan_queries.nodes_below(session))
    own = store.fact(session, plan_queries.OWN_PLACE)
    found = {"": own, own_id: own}
    for row in list_fleet(session):  # each stands behind the one above it
        found[row.id] = said.get(row.id) or found.get(row.above, "")
    return found


def _silent(fleet: Sequence[FleetRow], places: Mapping[str, str], at_ms: int) -> tuple[Silent, ...]:
    found = [
        Silent(row.name, places.get(row.id, ""), _days_since(row.last_contact_ms, at_ms))
        for row in fleet
        if not row.is_revoked
    ]
    late = [one for one in found if one.days is None or one.days >= SILENT_DAYS]
    return tuple(sorted(late, key=lambda one: (one.days is not None, -(one.days or 0), one.name)))


def _days_since(moment_ms: int | None, at_ms: int) -> int | None:
    return None if moment_ms is None else max(0, at_ms - moment_ms) // DAY_MS


def _lines(session: Session, plans: Mapping[str, Plan], places: Mapping[str, str]) -> list[FormLine]:
    """Return the published forms, those with a frequency first, each under the title of its newest version."""
    titles: dict[str, str] = {}
    for form_id, _, _, title in form_queries.list_manifest(session):
        titles.setdefault(form_id, title)
    since = queries.first_published(session)
    lines = [
        _line(form_id, title, plans.get(form_id, Plan()), since[form_id], places) for form_id, title in titles.items()
    ]
    return sorted(lines, key=lambda line: (line.plan.frequency_days < 1, line.plan.is_closed, line.title))


def _line(form_id: str, title: str, plan: Plan, since_ms: int, places: Mapping[str, str]) -> FormLine:
    nodes = frozenset(places[node] for node in plan.nodes if places.get(node))
    return FormLine(form_id, title, plan, day_of(since_ms, offset_here()), nodes)
