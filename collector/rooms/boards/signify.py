"""What people say a story means to them: triads (three poles that share a hundred) and dyads (0 to 100 between two).

Who finds the question does not apply says so, is counted, and is in no mean. Single answers are never shown: a triad is
told by its mean and by seven zones, a dyad by its mean and ten bins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.boards.veil import FEWEST_VOTERS, Veil, cuts_of, people_in, veil_of
from collector.rooms.formulas import Mean, mean_with_interval
from collector.rooms.guide import Option, Step
from collector.rooms.room import Room
from collector.rooms.secret import CountedVote

PARTS = ("a", "b", "c")
ZONES = ("a", "b", "c", "ab", "bc", "ca", "middle")
STRONG = 60  # from so much on a pole stands alone
WEAK = 20  # below this a pole leaves the other two to share
BINS = 10


@dataclass(frozen=True)
class GroupMeans:
    """The means of one value of a segment, in the order of the poles (one for a dyad)."""

    segment: str
    value: str
    means: tuple[Mean, ...]


@dataclass(frozen=True)
class Signified:
    """What was said of one story (ref ""  : of the step itself). voters: with those for whom it does not apply.

    means: of each pole, or one for a dyad, () below five; zones: zone or bin -> people; hidden: segment and values that
    may not be shown.
    """

    ref: str
    voters: int
    not_applicable: int
    means: tuple[Mean, ...]
    zones: Mapping[str, int]
    groups: tuple[GroupMeans, ...]
    hidden: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class SignifyBoard:
    """A triad or dyad step. poles: three or two; rows: one for each story, none while the veil is down."""

    step: str
    what: str
    veil: Veil
    poles: tuple[Option, ...]
    rows: tuple[Signified, ...]


def signify_board(room: Room, step_name: str) -> SignifyBoard:
    """Return the board of a triad or dyad step. Raises KeyError for a step that the guide has not."""
    step = room.known_step(step_name)
    veil = veil_of(room, step.type, step_name)
    votes = room.secret.of(step.type, step_name) if veil.is_shown else ()
    refs = sorted({vote.ref for vote in votes})
    rows = tuple(_row(room, step, ref, [vote for vote in votes if vote.ref == ref]) for ref in refs)
    return SignifyBoard(step_name, step.type, veil, step.options, rows)


def _row(room: Room, step: Step, ref: str, votes: Sequence[CountedVote]) -> Signified:
    placed = [vote for vote in votes if "na" not in vote.payload]
    apart = people_in(votes) - people_in(placed)
    if len(placed) < FEWEST_VOTERS:
        return Signified(ref, people_in(votes), apart, (), {}, (), ())
    cuts = cuts_of(room, placed)
    groups = tuple(
        GroupMeans(cut.segment.name, value, _means(step, mine)) for cut in cuts for value, mine in cut.groups.items()
    )
    hidden = tuple((cut.segment.name, cut.hidden) for cut in cuts if cut.hidden)
    return Signified(ref, people_in(votes), apart, _means(step, placed), _zones(step, placed), groups, hidden)


def _means(step: Step, votes: Iterable[CountedVote]) -> tuple[Mean, ...]:
    parts = PARTS if step.type == "triad" else ("value",)
    said = list(votes)
    return tuple(mean_with_interval([int(str(vote.payload[part])) for vote in said]) for part in parts)


def _zones(step: Step, votes: Iterable[CountedVote]) -> dict[str, int]:
    if step.type == "triad":
        counted = Counter(triad_zone(*(int(str(vote.payload[part])) for part in PARTS)) for vote in votes)
        return {zone: counted[zone] for zone in ZONES}
    bins = Counter(min(BINS - 1, int(str(vote.payload["value"])) * BINS // 100) for vote in votes)
    return {str(number * BINS): bins[number] for number in range(BINS)}


def triad_zone(a: int, b: int, c: int) -> str:
    """Return the zone of a point: a pole with 60 or more; an edge whose far pole has under 20; else the middle."""
    parts = {"a": a, "b": b, "c": c}
    strongest = max(parts, key=lambda part: parts[part])
    if parts[strongest] >= STRONG:
        return strongest
    weak = [part for part in PARTS if parts[part] < WEAK]
    return {"a": "bc", "b": "ca", "c": "ab"}[weak[0]] if weak else "middle"
