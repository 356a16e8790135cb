"""What a phone shows of its own: the step that is open for it, what its ballot said so far, what it wrote. Pure.

A room forgets who voted what (secret.py). So the phone's own votes are read from the contributions of its ballot alone.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.rooms.contributions import Contribution
from collector.rooms.given import POLES, STONE
from collector.rooms.guide import Step
from collector.rooms.payloads import LEVELS
from collector.rooms.room import Item, Room
from collector.rooms.secret import newest_of_ballots

Thing = tuple[str, str, str]  # (what, step, what it speaks of)
MOST_AHEAD = 20
REPLACED = frozenset({"placement", "score"})  # the latest of one device on one thing is what it says


@dataclass(frozen=True)
class Mine:
    """What counts of one ballot. count: of its newest contribution, 0 before the first."""

    said: Mapping[Thing, Mapping[str, Any]] = field(default_factory=dict)
    count: int = 0

    def of(self, what: str, step: str, ref: str = "") -> Mapping[str, Any] | None:
        """Return what this ballot says of a thing now, None for nothing yet."""
        return self.said.get((what, step, ref))

    def choice(self, step: str, ref: str) -> str:
        """Return the vote on a statement, "" before one."""
        vote = self.of("vote", step, ref)
        return str(vote["choice"]) if vote and "choice" in vote else ""

    def has_given(self, what: str, step: str) -> bool:
        """Tell whether this ballot said anything of a kind in a step."""
        return any(thing[:2] == (what, step) for thing in self.said)


def mine_of(contributions: Iterable[Contribution]) -> Mine:
    """Return what a ballot's contributions come to. A measure is told apart by its item."""
    all_of = list(contributions)
    newest = newest_of_ballots(all_of)
    said = {(each.what, each.step, str(each.payload.get("item", each.ref))): each.payload for each in newest}
    return Mine(said, max((each.count for each in all_of), default=0))


def step_now(room: Room, wanted: str = "") -> Step | None:
    """Return the step a phone shows: the wanted one if it is open, else the first open one, else the last one set.

    A step that is locked or revealed is shown when nothing is open, so that a person sees what became of it: the one
    that the facilitator locked or revealed last, wherever in the guide it stands.
    """
    steps = room.guide.steps if room.guide else ()
    opened = [step for step in steps if room.run(step.name).state == "open"]
    asked = [step for step in opened if step.name == wanted]
    return next(iter([*asked, *opened]), None) or last_set(room)


def last_set(room: Room) -> Step | None:
    """Return the step that was locked or revealed last, of two in one moment the later of the guide."""
    steps = room.guide.steps if room.guide else ()
    ended = [step for step in steps if room.run(step.name).state in ("locked", "revealed")]
    return max(reversed(ended), key=lambda step: room.run(step.name).at_ms, default=None)


def open_steps(room: Room) -> list[Step]:
    """Return the steps that are open, in the order of the guide."""
    return [step for step in (room.guide.steps if room.guide else ()) if room.run(step.name).state == "open"]


@dataclass(frozen=True)
class Voting:
    """Statements for one person. card: the one to vote on now, None when all are done; voted: with what was chosen.

    ahead: those after the card, at most MOST_AHEAD: a phone without a signal goes on with them.
    """

    card: Item | None
    left: int
    voted: tuple[tuple[Item, str], ...]
    ahead: tuple[Item, ...] = ()

    @property
    def total(self) -> int:
        """Return how many statements there are."""
        return self.left + len(self.voted)


def voting_of(room: Room, step: Step, mine: Mine, again: str = "") -> Voting:
    """Return where a person stands in a step of statements. again: the statement whose vote is to be changed.

    In the order in which they were said: what is on the screen never changes under a finger when another one comes.
    """
    items = room.of("statement", step.source)
    choices = {item.id: mine.choice(step.name, item.id) for item in items}
    waiting = [item for item in items if not choices[item.id]]
    changed = [item for item in items if item.id == again]
    voted = tuple((item, choices[item.id]) for item in items if choices[item.id])
    queue = [*changed, *(item for item in waiting if item not in changed)]
    return Voting(next(iter(queue), None), len(waiting), voted, tuple(queue[1 : 1 + MOST_AHEAD]))


def own_items(room: Room, step: Step, by: str) -> tuple[Item, ...]:
    """Return what this device said in the open in a step, also what waits to be shown."""
    return tuple(item for item in room.items if item.by == by and item.step == step.name)


def is_repeated(said: Iterable[Item | Contribution], made: Contribution) -> bool:
    """Tell whether this device has said exactly this already: a second tap, or a page sent again.

    said: what stands in the open, in order. Of what replaces what was said before only the last counts: back to the
    first group is no repetition.
    """
    thing = _thing_of(made)
    same = [each.payload for each in said if _thing_of(each) == thing]
    return made.payload in (same[-1:] if made.what in REPLACED else same)


def _thing_of(said: Item | Contribution) -> tuple[object, ...]:
    return said.by, said.what, said.step, said.ref, said.payload.get("target")


def next_seat(room: Room) -> str:
    """Return the code of the next free seat: the first declared one that nobody has taken, else one more.

    Taken: it agreed to something, said something, or the facilitator wrote a segment for it.
    """
    spoke = {item.seat for item in room.items}
    for code, seat in room.seats.items():
        if seat.is_declared and not seat.segments and code not in room.consents and code not in spoke:
            return code
    number = len(room.seats) + 1
    while f"P{number}" in room.seats:
        number += 1
    return f"P{number}"


def sight_of(room: Room, step: Step | None) -> str:
    """Return what changes when a phone would show something else, whoever holds it: not with every vote of the room."""
    opened = [each.name for each in open_steps(room)]
    facts = room.facts.title, room.facts.demo, room.is_closed, len(room.segments)
    run = room.run(step.name) if step else None
    steps = {step.name, step.source} if step else set()
    is_revealed = run is None or run.state == "revealed"  # until then a phone shows nobody else's taps
    shown = [
        (item.id, item.state) for item in room.items if item.step in steps and (is_revealed or item.what != "reaction")
    ]
    return hashlib.sha256(repr((facts, opened, step, run, shown)).encode()).hexdigest()[:16]


def kept_points(step: Step, mine: Mine) -> dict[str, int]:
    """Return the points, or the stones of a triad, that this ballot has given, each option's."""
    if step.type == "triad":
        parts = mine.of("triad", step.name) or {}
        return {name: int(parts.get(pole, 0)) // STONE for pole, name in zip(POLES, step.option_names, strict=True)}
    given = (mine.of("allocation", step.name) or {}).get("points", {})
    return {name: int(given.get(name, 0)) for name in step.option_names}


def levels_of(room: Room, step: Step) -> dict[str, tuple[Item, ...]]:
    """Return the items of an iceberg by the level that each stands on now."""
    items = room.of("iceberg", step.name)
    moved = {item.ref: item.said("group") for item in room.of("placement", step.name) if item.said("group") in LEVELS}
    return {level: tuple(item for item in items if moved.get(item.id, item.said("level")) == level) for level in LEVELS}


def known_ids(room: Room) -> set[str]:
    """Return the ids of which a person may speak: what was said and is shown."""
    return {item.id for item in room.items if item.state == "shown" and item.what in ("statement", "iceberg", "note")}
