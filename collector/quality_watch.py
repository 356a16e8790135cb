"""Looks for what is odd in the records of this node, a bounded piece of work at a time: after a round of the sync, and
whenever somebody asks.

Each node looks for itself, in its own log: what it finds stands in the table `quality`, is derived, travels nowhere.

    once a form has 20 answers, and each time they doubled     a new profile; everything is looked at anew
    in between                                                 only what changed is looked at, beside that profile

So a record costs a handful of looks in its life, and asked again nothing changes. How far each form was looked at
stands among the store's facts ("quality.FORM").
"""

import json
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock, Thread
from time import sleep

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from collector.arrivals import Arrivals, municipality_codes
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.lab.identifiers import direct_keys
from collector.lab.quality import Finding, Neighbour, compared_answers, findings_of, fingerprint, near_of
from collector.lab.quality_profile import LEAST, MOST, Asked, Looked, Profile, asked_in, looked_at, profile_of
from collector.lab.results import territory_columns
from collector.lab.tables import tables_of
from collector.queries import arrivals as arrival_queries
from collector.queries import forms as form_queries
from collector.queries import quality as queries
from collector.queries import store
from collector.queries.quality import Row
from collector.queries.records import last_number
from collector.queries.settling import object_of

RULES = 1  # goes up when a rule changes: everything is looked at anew
PAGE = 500
MOST_LOOKED = 50_000  # of a form, the newest: older ones were looked at when they were new, or never
MOST_PRINTS = 20_000
MOST_NEIGHBOURS = 30
FACT = "quality."
PAUSE_SECONDS = 0.05
log = logging.getLogger("collector.quality")


@dataclass(frozen=True)
class Stand:
    """How far a form was looked at. after: number of the last change; answers: how many it had at its profile."""

    after: int = 0
    answers: int = 0
    rules: int = 0
    versions: int = 0


@dataclass
class Context:
    """What a form's records are held against. prints: fingerprint -> the earliest record that has it."""

    asked: Asked
    profile: Profile
    prints: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    print_of: dict[str, bytes] = field(default_factory=dict)
    neighbours: "dict[str, deque[Neighbour]]" = field(default_factory=dict)

    def forget(self, record_id: str) -> None:
        """Let a record repeat nothing any more."""
        held = self.print_of.pop(record_id, None)
        if held is not None and self.prints.get(held, (0, ""))[1] == record_id:
            del self.prints[held]

    def leave(self, record_ids: set[str]) -> None:
        """Let records that changed be compared with none, until they are learned again."""
        for record_id in record_ids:
            self.forget(record_id)
        for origin, near in self.neighbours.items():
            self.neighbours[origin] = deque((one for one in near if one.id not in record_ids), MOST_NEIGHBOURS)

    def learn(self, looked: Looked) -> list[Finding]:
        """Note a record and return what it repeats."""
        answers = compared_answers(self.asked, looked)
        self.forget(looked.id)
        near = self.neighbours.setdefault(looked.origin, deque(maxlen=MOST_NEIGHBOURS))
        earlier = [other for other in near if other.n < looked.n]
        near.append(Neighbour(looked.id, looked.n, looked.finished_ms, answers))
        return list(self._duplicate(answers, looked)) or list(_near(answers, looked, iter(earlier)))

    def _duplicate(self, answers: dict[str, str], looked: Looked) -> Iterator[Finding]:
        own = fingerprint(self.asked, answers)
        if own is None:
            return
        first = self.prints.get(own)
        if first is not None and first[0] < looked.n:
            yield {"what": "duplicate", "of": first[1]}
            return
        self.prints[own] = looked.n, looked.id
        self.print_of[looked.id] = own
        while len(self.print_of) > MOST_PRINTS:
            self.forget(next(iter(self.print_of)))


def _near(answers: dict[str, str], looked: Looked, before: Iterator[Neighbour]) -> Iterator[Finding]:
    found = near_of(answers, looked, before)
    if found is not None:
        yield found


class QualityWatch:
    """Looks at the records of one node. One look at a time; whoever comes meanwhile goes on with what is known."""

    def __init__(self, engine: Engine, forms: FormStore, arrivals: Arrivals) -> None:
        self._engine, self._forms, self._arrivals = engine, forms, arrivals
        self._contexts: dict[str, Context] = {}
        self._lock = Lock()
        self._at = ""
        self._ticked = -1
        self._beside: Thread | None = None

    @property
    def is_looking(self) -> bool:
        """Tell whether somebody is looking just now: what is known is not all there will be."""
        return self._lock.locked()

    def tick(self) -> None:
        """Look beside when anything came since the last tick; else read one number. For the rounds of the sync.

        What comes from other nodes, by phone or by ODK is marked so, before anybody opens a page.
        """
        with reading(self._engine) as session:
            top = last_number(session)
        if top != self._ticked and not self._is_beside():  # a thread that is about to end would miss what just came
            self._ticked = top
            self.go_on()

    def go_on(self) -> None:
        """Look at what is left beside, in a thread of its own, unless one is at it already."""
        if not self._is_beside():
            self._beside = Thread(target=self._look_at_all, daemon=True, name="quality")
            self._beside.start()

    def _is_beside(self) -> bool:
        return self._beside is not None and self._beside.is_alive()

    def _look_at_all(self) -> None:
        try:
            while self.catch_up() or self.is_looking:  # a page that looks meanwhile looks at a part only
                sleep(PAUSE_SECONDS)  # others write too
        except SQLAlchemyError as error:  # a store that is closed or full: whoever asks next begins again
            log.warning("quality: %s", error)

    def catch_up(self, most: int = PAGE) -> int:
        """Look at up to `most` records that changed; return how many are left (0: nothing, and nothing was written)."""
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            return self._catch_up(most)
        finally:
            self._lock.release()

    def finish(self) -> None:
        """Look at everything that is left: for the command line and for tests."""
        while self.catch_up(PAGE):
            pass

    def _catch_up(self, most: int) -> int:
        mark = self._arrivals.mark()
        if mark == self._at:
            return 0
        with reading(self._engine) as session:
            tops = arrival_queries.tops(session)
            stands = {key.removeprefix(FACT): _stand_of(text) for key, text in store.facts(session, FACT).items()}
            versions = _versions(session)
        left, budget = 0, most
        for form, top in tops.items():
            if not form:
                continue
            stand = self._begun(form, stands.get(form, Stand()), versions.get(form, 0))
            if stand.after < top:
                done = self._look(form, stand, top, budget) if budget > 0 else 0
                budget -= done
                left += self._left(form)
        self._at = "" if left else mark
        return left

    def _left(self, form: str) -> int:
        with reading(self._engine) as session:
            stand = _stand_of(store.fact(session, FACT + form))
            return queries.count_left(session, form, stand.after, MOST_LOOKED)

    def _begun(self, form: str, stand: Stand, versions: int) -> Stand:
        """Return from where to go on: from the beginning when the profile has to be made anew."""
        count = self._arrivals.form_count(form)
        usable = count.usable if count else 0
        is_same = (stand.rules, stand.versions) == (RULES, versions)
        if is_same and not (usable >= LEAST and usable >= 2 * stand.answers):
            return stand
        self._contexts.pop(form, None)
        with writing(self._engine) as session:
            queries.forget_form(session, form)
            after = queries.begin_after(session, form, MOST_LOOKED)
            fresh = Stand(after, usable if usable >= LEAST else 0, RULES, versions)
            store.set_fact(session, FACT + form, _text_of(fresh))
        return fresh

    def _look(self, form: str, stand: Stand, top: int, most: int) -> int:
        with reading(self._engine) as session:
            context = self._context(session, form, stand)
            rows = queries.changed_rows(session, form, stand.after, most)
            gone = {row.id for row in rows if row.state != "usable" or row.changed_n != row.n}
            if gone:
                context.leave(gone)
            ids = [row.id for row in rows]
            again = [each for each in queries.repeats_of(session, form, gone) if each not in ids] if gone else []
            rows_again = queries.rows_of(session, again[:PAGE])
        found = {row.id: _judged(context, row) for row in sorted([*rows, *rows_again], key=lambda row: row.n)}
        after = rows[-1].changed_n if len(rows) == most else top
        with writing(self._engine) as session:
            queries.put_findings(session, form, found)
            text = _text_of(Stand(after, stand.answers, stand.rules, stand.versions))
            store.set_fact(session, FACT + form, text)
        return max(1, len(rows))

    def _context(self, session: Session, form: str, stand: Stand) -> Context:
        known = self._contexts.get(form)
        if known is not None:
            return known
        newest = queries.newest_rows(session, form, 2**53, MOST)
        asked = self._asked(form)
        looked = [one for row in newest if (one := _looked(row)) is not None]
        profile = profile_of(asked, looked) if stand.answers else Profile()
        made = self._contexts[form] = Context(asked, profile)
        for row, one in zip(newest, looked, strict=True):
            if row.changed_n <= stand.after:  # what was looked at before this process began
                made.learn(one)
        return made

    def _asked(self, form: str) -> Asked:
        versions = [row.version for row in reversed(self._forms.versions(form))]
        held = [one for version in versions if (one := self._forms.get(form, version)) is not None]
        table = tables_of(held)
        return asked_in(table, territory_columns(table.columns, municipality_codes()), direct_keys(held))


def _judged(context: Context, row: Row) -> list[Finding]:
    looked = _looked(row)
    if looked is None:
        return []
    return [*context.learn(looked), *findings_of(context.asked, context.profile, looked)]


def _looked(row: Row) -> Looked | None:
    if row.state != "usable":
        return None
    return looked_at(row.id, row.n, row.origin, object_of(row.body))


def _versions(session: Session) -> dict[str, int]:
    found: dict[str, int] = {}
    for form_id, *_ in form_queries.list_manifest(session):
        found[form_id] = found.get(form_id, 0) + 1
    return found


def _stand_of(text: str) -> Stand:
    try:
        return Stand(*json.loads(text))
    except (ValueError, TypeError):
        return Stand()


def _text_of(stand: Stand) -> str:
    return json.dumps([stand.after, stand.answers, stand.rules, stand.versions])
