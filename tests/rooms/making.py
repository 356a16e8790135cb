"""Contributions for tests, made as devices make them: a note-taker's tablet, a facilitator's, and phones that vote."""

import itertools
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from collector.clock import iso
from collector.rooms.contributions import Contribution, parse_contribution
from collector.rooms.guide import Guide, Option, Segment, Step, steps_as_json
from collector.rooms.payloads import SECRET

SESSION = "01890000-0000-7000-8000-00000000abcd"
START_MS = 1_795_360_020_000  # 2026-11-22T14:27:00Z, a whole minute
MINUTE = 60_000
Body = dict[str, Any]


def made_id(number: int, ms: int) -> str:
    """Return a UUIDv7 of a moment that is the same in every run."""
    return str(uuid.UUID(int=ms << 80 | 7 << 76 | 2 << 62 | number))


class Making:
    """Makes bodies one after the other, a second apart; each has an id of its own."""

    def __init__(self, session: str = SESSION, start_ms: int = START_MS) -> None:
        self.session = session
        self.start_ms = start_ms
        self.numbers = itertools.count(1)
        self.ballots: dict[str, int] = {}

    def body(self, what: str, payload: Mapping[str, Any] | None = None, **envelope: Any) -> Body:
        """Return the body of a contribution; `at` is in seconds from the start, else its number."""
        number = next(self.numbers)
        ms = self.start_ms + 1000 * envelope.pop("at", number)
        if what in SECRET:
            ms -= ms % MINUTE
        made: Body = {
            "id": made_id(number, ms),
            "kind": "contribution",
            "session": self.session,
            "what": what,
            "finished": iso(ms),
            "salt": "c2FsdHNhbHQ=",
            "by": "tablet-of-the-host",
            "count": number,
            "payload": dict(payload or {}),
        }
        return made | envelope

    def make(self, what: str, payload: Mapping[str, Any] | None = None, **envelope: Any) -> Contribution:
        """Return a contribution."""
        return parse_contribution(self.body(what, payload, **envelope))

    def vote(self, what: str, voter: str, payload: Mapping[str, Any], **envelope: Any) -> Contribution:
        """Return a secret contribution of the ballot that a voter's phone got; `voter` is the test's name for it."""
        ballot = f"ballot-{voter}"
        self.ballots[voter] = self.ballots.get(voter, 0) + 1
        envelope.setdefault("count", self.ballots[voter])
        envelope.setdefault("segments", {})
        return self.make(what, payload, ballot=ballot, by=ballot, **envelope)

    def guided(self, *steps: Step, segments: Iterable[Segment] = (), **facts: Any) -> list[Contribution]:
        """Return the start of a session with these steps, each open."""
        guide = Guide("prueba", "1", {"es": "Prueba"}, steps)
        declared = {each.name: {"label": dict(each.label), "values": _values(each)} for each in segments}
        told = {"title": "Prueba", "steps": steps_as_json(guide), "segments": declared, **facts}
        opened = [self.make("step", {"state": "open"}, step=step.name) for step in steps]
        return [self.make("session", told), *opened]

    def reveal(self, step: str) -> Contribution:
        """Return the reveal of a step."""
        return self.make("step", {"state": "revealed"}, step=step)


def _values(segment: Segment) -> dict[str, dict[str, str]]:
    return {value: dict(text) for value, text in segment.values.items()}


def step_of(kind: str, name: str, *options: str, weights: Iterable[int] = (), **settings: int | str) -> Step:
    """Return a step whose options are called as they are named."""
    given = [*weights] or [0] * len(options)
    listed = tuple(Option(option, {"es": option}, weight) for option, weight in zip(options, given, strict=True))
    return Step(kind, name, {"es": name}, {}, listed, settings)


def segment_of(name: str, *values: str) -> Segment:
    """Return a segment whose values are called as they are named."""
    return Segment(name, {"es": name}, {value: {"es": value} for value in values})
