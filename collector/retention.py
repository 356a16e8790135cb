"""Terms by the clock: each node by itself takes away what a form says that nobody keeps longer (docs/retention.md).

`Retention` is called by the node's background loop. It asks the published forms for their terms, the store for what was
received so long ago, and removes it in small transactions: again and again, a day it has done nothing is made up for
the next. Nothing of it needs a network; but with an upstream only what central confirmed is taken.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import iso_here, now_ms
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.forms.model import Form
from collector.forms.terms import Terms, shortest, terms_of
from collector.lab.identifiers import marked_keys
from collector.lab.term_counting import counts_in, reduced, territory_keys
from collector.lab.veiled import veiled_flags
from collector.queries import forms as form_queries
from collector.queries import retention as queries
from collector.queries import store, term_counts
from collector.queries.audit import Done, add_entry
from collector.queries.retention import DIRECT, RAW
from collector.queries.settling import object_of
from collector.retention_clock import DAY_MS, Doubt, look_at_clock
from collector.tables.log import Record
from collector.territory import provinces
from sync.records import uuid7

EVERY_MS = 6 * 3_600_000
PAGE = 100
FACT = "term:"  # "term:direct:servicios" -> how far the log was gone through, and by which rules
MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
log = logging.getLogger("collector.retention")


@dataclass(frozen=True)
class Ruled:
    """A form with a term: its versions that are here, newest first, and the terms of each."""

    form_id: str
    forms: tuple[Form, ...]
    newest: Terms
    by_version: Mapping[str, Terms]

    def days(self, stage: str, version: str) -> int:
        """Return for how many days answers to a version are kept; 0 for ever. An unknown one goes with the newest."""
        terms = self.by_version.get(version, self.newest)
        return terms.direct if stage == DIRECT else terms.raw

    def print_of(self, stage: str) -> str:
        """Return what changes when the rules do: then what was gone through is gone through again."""
        days = sorted((version, self.days(stage, version)) for version in self.by_version)
        marked = sorted(marked_keys(self.forms)) if stage == DIRECT else []
        return hashlib.sha256(repr((days, marked)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Removed:
    """What one run took of one form. stage: "direct" or "raw"; contents: of how many records."""

    form_id: str
    stage: str
    contents: int


class Retention:
    """Runs the terms of one node's store. folder: where files for the lab are made, None for nowhere."""

    def __init__(
        self, engine: Engine, forms: FormStore, folder: Path | None = None, clock: Callable[[], int] = now_ms
    ) -> None:
        self._engine, self._forms, self._folder, self._clock = engine, forms, folder, clock
        self._last_ms: int | None = None

    def tick(self) -> None:
        """Run when six hours have passed, by this process's memory; costs nothing in between."""
        at_ms = self._clock()
        if self._last_ms is None or abs(at_ms - self._last_ms) >= EVERY_MS:
            self._last_ms = at_ms
            self.run(at_ms)

    def run(self, at_ms: int) -> list[Removed]:
        """Take away what is due at this moment, note it in the audit, and return it; nothing by a doubtful clock."""
        with writing(self._engine) as session:
            doubt: Doubt = look_at_clock(session, at_ms)
        if doubt:
            log.warning("terms wait: the clock %s", doubt)
            return []
        upto: dict[int, int] = {}  # the same days mean the same number for every form
        found = [removed for ruled in self._ruled() for removed in _Round(self._engine, ruled, at_ms, upto).both()]
        if found and self._folder is not None:
            drop_made_files(self._folder)
        return found

    def _ruled(self) -> list[Ruled]:
        with reading(self._engine) as session:
            manifest = form_queries.list_manifest(session)
        versions: dict[str, list[str]] = {}
        for form_id, version, *_ in manifest:
            versions.setdefault(form_id, []).append(version)
        return [ruled for form_id in versions if (ruled := self._ruled_form(form_id, versions[form_id])) is not None]

    def _ruled_form(self, form_id: str, versions: Sequence[str]) -> Ruled | None:
        held = [form for version in versions if (form := self._forms.get(form_id, version)) is not None]
        said = {form.version: terms_of(form) for form in held}
        if not any(terms != Terms() for terms in said.values()):
            return None
        newest = said[held[0].version]
        by_version = {version: shortest((terms, newest)) for version, terms in said.items()}
        return Ruled(form_id, tuple(held), newest, by_version)


class _Round:
    """One run over one form."""

    def __init__(self, engine: Engine, ruled: Ruled, at_ms: int, known: dict[int, int]) -> None:
        self._engine, self._ruled, self._at_ms, self._known = engine, ruled, at_ms, known
        self._hidden = marked_keys(ruled.forms)
        self._places = territory_keys(ruled.forms, municipality_codes())

    def both(self) -> list[Removed]:
        """Erase first, so that nothing is written anew that goes right after."""
        found = [Removed(self._ruled.form_id, stage, self._stage(stage)) for stage in (RAW, DIRECT)]
        return [removed for removed in found if removed.contents]

    def _stage(self, stage: str) -> int:
        upto = self._upto(stage)
        if not upto:
            return 0
        contents, left = self._go_through(stage, upto)
        for ids in (*self._late(stage), *self._aside(stage, upto)):
            contents += self._take(stage, ids, left)
        with writing(self._engine) as session:
            if not left:
                reached = min(upto.values())
                store.set_fact(session, self._fact(stage), f"{reached} {self._ruled.print_of(stage)}")
            if contents:
                self._note(session, stage, contents)
        return contents

    def _fact(self, stage: str) -> str:
        return f"{FACT}{stage}:{self._ruled.form_id}"

    def _upto(self, stage: str) -> dict[int, int]:
        """Return days -> log number up to which answers kept for so many days are due."""
        versions = ("", *self._ruled.by_version)
        wanted = {days for version in versions if (days := self._ruled.days(stage, version))}
        with reading(self._engine) as session:
            for days in wanted - self._known.keys():
                cut_ms = self._at_ms - days * DAY_MS
                self._known[days] = queries.received_upto(session, cut_ms, self._at_ms)
        return {days: self._known[days] for days in sorted(wanted)}

    def _is_due(self, stage: str, n: int, version: str, upto: Mapping[int, int]) -> bool:
        return n <= upto.get(self._ruled.days(stage, version), 0)

    def _go_through(self, stage: str, upto: Mapping[int, int]) -> tuple[int, set[str]]:
        """Take what is due of the records that changed since the last run; return how many, and what has to wait."""
        contents, left, most = 0, set[str](), max(upto.values())
        with reading(self._engine) as session:
            reached, _, rules = store.fact(session, self._fact(stage)).partition(" ")
        is_anew = rules != self._ruled.print_of(stage)
        after = 0 if is_anew else int(reached)
        while True:
            with reading(self._engine) as session:
                page = queries.due_records(
                    session, self._ruled.form_id, stage, after, most, is_anew and stage == DIRECT, PAGE
                )
            if not page:
                return contents, left
            contents += self._take(
                stage, [due.id for due in page if self._is_due(stage, due.n, due.version, upto)], left
            )
            after = page[-1].changed_n

    def _late(self, stage: str) -> list[list[str]]:
        pages, after = [], 0
        with reading(self._engine) as session:
            while page := queries.late_edits(session, self._ruled.form_id, stage, after, PAGE):
                pages.append([record_id for _, record_id in page])
                after = page[-1][0]
        return pages

    def _aside(self, stage: str, upto: Mapping[int, int]) -> list[list[str]]:
        with reading(self._engine) as session:
            found = [
                record_id
                for record_id, n, form, version in queries.due_aside(session, stage, max(upto.values()))
                if form == self._ruled.form_id and self._is_due(stage, n, version, upto)
            ]
        return [found[first : first + PAGE] for first in range(0, len(found), PAGE)]

    def _take(self, stage: str, ids: Sequence[str], left: set[str]) -> int:
        if not ids:
            return 0
        with writing(self._engine) as session:
            if stage == DIRECT:
                taken = queries.take_direct(session, ids, self._reduced, self._veiled, self._at_ms)
            else:
                counts = Counter[term_counts.Cell]()
                taken = queries.take_raw(session, ids, lambda record: self._count(record, counts), self._at_ms)
                term_counts.add_counts(session, self._ruled.form_id, counts)
        left |= taken.left
        return taken.contents

    def _reduced(self, bodies: Sequence[str]) -> Sequence[str | None]:
        return reduced(bodies, self._hidden)

    def _veiled(self, flags: str) -> str:
        return json.dumps(veiled_flags(json.loads(flags), self._hidden), ensure_ascii=False)

    def _count(self, record: Record, counts: Counter[term_counts.Cell]) -> str:
        """Count a record's answers before they go, and return where it counts."""
        content = object_of(record.body)
        place, found = counts_in(content, self._ruled.forms, self._hidden, self._places)
        finished = str(content.get("finished", ""))[:7]
        month = finished if MONTH.fullmatch(finished) else iso_here(record.received_ms)[:7]
        counts.update({term_counts.Cell(key, choice, place, month): n for (key, choice), n in found.items()})
        return place

    def _note(self, session: Session, stage: str, contents: int) -> None:
        if stage == RAW:
            before = iso_here(self._at_ms - 62 * DAY_MS)[:7]
            term_counts.fold_small(session, self._ruled.form_id, before)
        done = Done("Collector", "node", "retention", self._ruled.form_id, count=contents)
        days = sorted({self._ruled.days(stage, version) for version in self._ruled.by_version} - {0})
        add_entry(session, done, uuid7(self._at_ms), self._at_ms, term=stage, days=days)


def municipality_codes() -> frozenset[str]:
    """Return the codes that name a municipality."""
    found = (province.districts or (province.place,) for province in provinces())
    return frozenset(place.code for places in found for place in places)


def drop_made_files(folder: Path) -> None:
    """Throw away the files that were made for the lab: they may hold what has just gone. They can be made again."""
    for path in folder.glob("*.json"):
        try:
            is_made = json.loads(path.read_text(encoding="utf-8")).get("state") == "done"
            if is_made:
                path.with_suffix("").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        except (OSError, ValueError, AttributeError) as error:
            log.warning("made file %s: %s", path.name, error)
