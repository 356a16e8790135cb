"""Points that people give to options, in private: shares with intervals, also by segment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.boards.veil import Cut, Veil, cuts_of, people_in, veil_of
from collector.rooms.formulas import Share, share_of
from collector.rooms.guide import Option
from collector.rooms.room import Room
from collector.rooms.secret import CountedVote


@dataclass(frozen=True)
class GroupShare:
    """The share of an option among the points of one value of a segment."""

    value: str
    share: Share


@dataclass(frozen=True)
class SegmentShares:
    """An option by the values of a segment. hidden: values too small to show, or that would give such a one away."""

    segment: str
    groups: tuple[GroupShare, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class DotRow:
    """An option with its share of the points; place: from 1, equal shares share it; is_tied: with the first one."""

    option: Option
    place: int
    share: Share
    is_tied: bool
    by_segment: tuple[SegmentShares, ...]


@dataclass(frozen=True)
class DotBoard:
    """The options of a step, most points first; none while the veil is down. points: what each person gives.

    given, total: points given and points there were.
    """

    step: str
    points: int
    veil: Veil
    options: tuple[Option, ...]
    rows: tuple[DotRow, ...]
    given: int
    total: int


def dot_board(room: Room, step_name: str) -> DotBoard:
    """Return the board of the allocation of a step. Raises KeyError for a step that the guide has not."""
    step = room.known_step(step_name)
    veil = veil_of(room, "allocation", step_name)
    votes = room.secret.of("allocation", step_name) if veil.is_shown else ()
    rows = dot_rows(room, step.options, votes)
    given = sum(points_of(option, votes) for option in step.option_names)
    return DotBoard(step_name, step.points, veil, step.options, rows, given, step.points * people_in(votes))


def dot_rows(room: Room, options: Sequence[Option], votes: Sequence[CountedVote]) -> tuple[DotRow, ...]:
    """Return the options by points, most first, equal ones in the order of the guide; () without votes."""
    if not votes:
        return ()
    shares = {option.name: share_in(option.name, options, votes) for option in options}
    ordered = sorted(options, key=lambda option: -shares[option.name].count)
    tied = _tied([option.name for option in ordered], shares)
    cuts = cuts_of(room, votes)
    return tuple(
        DotRow(
            option,
            1 + sum(other.count > shares[option.name].count for other in shares.values()),
            shares[option.name],
            option.name in tied,
            tuple(_segment_shares(option.name, options, cut) for cut in cuts),
        )
        for option in ordered
    )


def _tied(ordered: Sequence[str], shares: Mapping[str, Share]) -> set[str]:
    """Return the first and those whose intervals reach its own; nobody where the first stands alone."""
    first = ordered[0]
    others = {name for name in ordered[1:] if shares[name].overlaps(shares[first])}
    return others | {first} if others else others


def _segment_shares(option: str, options: Sequence[Option], cut: Cut) -> SegmentShares:
    groups = tuple(GroupShare(value, share_in(option, options, mine)) for value, mine in cut.groups.items())
    return SegmentShares(cut.segment.name, groups, cut.hidden)


def points_of(option: str, votes: Iterable[CountedVote]) -> int:
    """Return the points that votes give to an option."""
    return sum(points_in(vote, option) for vote in votes)


def points_in(vote: CountedVote, option: str) -> int:
    """Return the points that one vote gives to an option."""
    points = vote.payload["points"]
    return int(points.get(option, 0)) if isinstance(points, Mapping) else 0


def share_in(option: str, options: Sequence[Option], votes: Sequence[CountedVote]) -> Share:
    """Return the share of an option among all points given, with the interval of as many people as gave them."""
    total = sum(points_of(each.name, votes) for each in options)
    return share_of(points_of(option, votes), total, people_in(votes))
