"""The energy map of portfolio positions: six components side by side, never added up to one score.

Preference (points), willingness (actors with a dated commitment), resources offered, breadth of those who gave points,
objections with their reasons, and the change since the round before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.boards.dots import DotRow, dot_board, points_in
from collector.rooms.boards.veil import FEWEST_VOTERS, UNDECLARED, Veil, by_group, open_groups, people_in
from collector.rooms.boards.words import folded
from collector.rooms.formulas import Change, Share, change_between, effective_number
from collector.rooms.guide import Option, Segment
from collector.rooms.payloads import RESOURCES
from collector.rooms.room import Item, Room
from collector.rooms.secret import CountedVote

CONCENTRATED = 90  # per cent of a position's points that come from one group
TOP_OBJECTIONS = 3


@dataclass(frozen=True)
class Breadth:
    """How many equal groups of a segment the givers are worth, None below five; n: givers who declared one."""

    segment: str
    number: float | None
    n: int


@dataclass(frozen=True)
class Concentration:
    """A position whose points come from one group. value: that group, "" where it is too small to be named."""

    segment: str
    value: str


@dataclass(frozen=True)
class Objection:
    """A reason, in the words of who gave it first, and how many gave it."""

    reason: str
    count: int


@dataclass(frozen=True)
class EnergyRow:
    """A position. preference, breadth and concentration stay empty while the veil is down.

    committed: actors with a commitment that has a date, of `actors` named in the room; promised: those without one
    too; resources: kind -> offers; objections: how many, and the three most given; change: None without an earlier
    round that was revealed.
    """

    option: Option
    preference: DotRow | None
    committed: int
    promised: int
    actors: int
    resources: Mapping[str, int]
    breadth: tuple[Breadth, ...]
    concentration: tuple[Concentration, ...]
    objections: int
    top_objections: tuple[Objection, ...]
    change: Change | None


@dataclass(frozen=True)
class EnergyBoard:
    """The positions: by points once shown, in the order of the guide before. points: what each person gives."""

    step: str
    round: int
    previous_round: int | None
    points: int
    present: int
    veil: Veil
    rows: tuple[EnergyRow, ...]


def energy_board(room: Room, step: str, previous: Room | None = None) -> EnergyBoard:
    """Return the energy map of a step. previous: the room of the round before, with a step of the same name.

    Raises KeyError for a step that the guide has not.
    """
    dots = dot_board(room, step)
    earlier = _earlier_shares(previous, step)
    votes = room.secret.of("allocation", step) if dots.veil.is_shown else ()
    by_name = {row.option.name: row for row in dots.rows}
    options = [row.option for row in dots.rows] or list(dots.options)
    rows = tuple(_row(room, option, by_name.get(option.name), votes, earlier) for option in options)
    before = previous.facts.round if previous is not None and earlier else None
    return EnergyBoard(step, room.facts.round, before, dots.points, room.present, dots.veil, rows)


def _earlier_shares(previous: Room | None, step: str) -> dict[str, Share]:
    if previous is None or previous.step(step) is None:
        return {}
    return {row.option.name: row.share for row in dot_board(previous, step).rows}


def _row(
    room: Room, option: Option, preference: DotRow | None, votes: Sequence[CountedVote], earlier: Mapping[str, Share]
) -> EnergyRow:
    commitments = [item for item in room.of("commitment") if item.said("position") == option.name]
    objections = [item for item in room.of("objection") if item.said("position") == option.name]
    resources = [item for item in room.of("resource") if item.said("position") == option.name]
    givers = [vote for vote in votes if vote.is_single and points_in(vote, option.name) > 0]
    before = earlier.get(option.name)
    return EnergyRow(
        option=option,
        preference=preference,
        committed=len(_actors(item for item in commitments if item.said("by_when"))),
        promised=len(_actors(commitments)),
        actors=len(_actors(item for what in ("commitment", "resource", "expectation") for item in room.of(what))),
        resources={kind: sum(item.said("kind") == kind for item in resources) for kind in RESOURCES},
        breadth=tuple(breadth_of(segment, givers) for segment in room.segments) if preference else (),
        concentration=tuple(_concentrations(room.segments, option.name, votes)),
        objections=len({_giver(item) for item in objections}),
        top_objections=top_objections(objections),
        change=change_between(before, preference.share) if before and preference else None,
    )


def _actors(items: Iterable[Item]) -> set[str]:
    return {folded(item.said("actor")) for item in items}


def breadth_of(segment: Segment, givers: Sequence[CountedVote]) -> Breadth:
    """Return the effective number of groups among givers who declared theirs."""
    groups = by_group(segment, givers)
    sizes = [people_in(votes) for value, votes in groups.items() if value != UNDECLARED]
    n = sum(sizes)
    return Breadth(
        segment.name, effective_number(sizes) if n >= FEWEST_VOTERS else None, n if n >= FEWEST_VOTERS else 0
    )


def _concentrations(segments: Iterable[Segment], option: str, votes: Sequence[CountedVote]) -> Iterable[Concentration]:
    """Give the segments in which one group gave nearly all points, where at least two groups gave a vote at all."""
    for segment in segments:
        groups = by_group(segment, votes)
        if len(groups.keys() - {UNDECLARED}) < 2:
            continue
        points = {value: sum(points_in(vote, option) for vote in mine) for value, mine in groups.items()}
        total = sum(points.values())
        shown = open_groups({value: people_in(mine) for value, mine in groups.items()})
        for value, mine in points.items():
            if value != UNDECLARED and total and 100 * mine >= CONCENTRATED * total:
                yield Concentration(segment.name, value if value in shown else "")


def top_objections(items: Sequence[Item]) -> tuple[Objection, ...]:
    """Return the three reasons that most people gave, equal ones in the order they came; one person counts once."""
    givers: dict[str, set[str]] = {}
    words: dict[str, str] = {}
    for item in items:
        key = folded(item.said("reason"))
        givers.setdefault(key, set()).add(_giver(item))
        words.setdefault(key, item.said("reason"))
    ordered = sorted(givers, key=lambda key: -len(givers[key]))
    return tuple(Objection(words[key], len(givers[key])) for key in ordered[:TOP_OBJECTIONS])


def _giver(item: Item) -> str:
    """Return who counts as one person: the seat, else what was said itself, since a device may be many people's."""
    return f"seat {item.seat}" if item.seat else f"item {item.id}"
