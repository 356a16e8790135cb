"""Before and after: the change of those whose link code stands in both rounds, with its interval.

Who gave only one of the two is counted and left out of the change. A generation (or another group) with fewer than
five pairs is not shown, nor one that would give such a one away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.boards.veil import FEWEST_VOTERS, UNDECLARED, Veil, open_groups
from collector.rooms.formulas import Mean, mean_of, mean_with_interval
from collector.rooms.guide import Option, Segment
from collector.rooms.room import Room
from collector.rooms.secret import CountedVote


@dataclass(frozen=True)
class PairedChange:
    """An item before and after, over the pairs alone. change: with its 95 % t interval; rose, same, fell: pairs."""

    n_paired: int
    mean_before: float
    mean_after: float
    change: Mean
    rose: int
    same: int
    fell: int


@dataclass(frozen=True)
class GroupChange:
    """The change of one value of the segment; "" stands for those who did not say."""

    value: str
    change: PairedChange


@dataclass(frozen=True)
class PairedRow:
    """An item. change: None below five pairs; n_before, n_after: all who answered it; unpaired: those left out.

    contested: codes with two values in one round, left out too; hidden: groups that may not be shown.
    """

    item: Option
    n_before: int
    n_after: int
    n_paired: int
    unpaired: int
    contested: int
    change: PairedChange | None
    groups: tuple[GroupChange, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class PairedBoard:
    """The items of a measure step in the order of the guide; none while the veil is down. segment: of the groups."""

    step: str
    segment: str
    before: int
    after: int
    veil: Veil
    rows: tuple[PairedRow, ...]


@dataclass(frozen=True)
class _Round:
    """What was said of an item in one round: link code -> (value, group); contested codes are not in it."""

    values: Mapping[str, tuple[int, str]]
    contested: frozenset[str]


def paired_board(
    rooms: Sequence[Room], step_name: str, segment_name: str = "", before: int = 0, after: int = 1
) -> PairedBoard:
    """Return what changed between two rounds, held in one room or in several.

    rooms: at least one; each counts once, in any order; the guide and segments are those of the last by session id.
    Raises KeyError for a step that no guide of theirs has.
    """
    ordered = [room for _, room in sorted({room.session: room for room in rooms}.items())]
    step = next(filter(None, (room.step(step_name) for room in reversed(ordered))), None)
    if step is None:
        raise KeyError(step_name)
    votes = [vote for room in ordered for vote in room.secret.of("measure", step_name)]
    veil = _veil(ordered, step_name, votes)
    segment = next(filter(None, (room.segment(segment_name) for room in reversed(ordered))), None)
    shown = step.options if veil.is_shown else ()
    rows = tuple(_row(item, votes, segment, (before, after)) for item in shown)
    return PairedBoard(step_name, segment_name, before, after, veil, rows)


def _veil(rooms: Iterable[Room], step: str, votes: Iterable[CountedVote]) -> Veil:
    """Return the veil over all rooms: one that has not revealed the step keeps it down for all of them."""
    people = len({str(vote.payload["code"]) for vote in votes})
    if any(room.run(step).state != "revealed" for room in rooms if room.voters("measure", step)):
        return Veil("blind", people)
    return Veil("few" if people < FEWEST_VOTERS else "shown", people)


def _row(item: Option, votes: Iterable[CountedVote], segment: Segment | None, rounds: tuple[int, int]) -> PairedRow:
    mine = [vote for vote in votes if vote.payload["item"] == item.name]
    before, after = (_round(mine, number, segment) for number in rounds)
    contested = before.contested | after.contested
    codes = sorted(before.values.keys() & after.values.keys())
    every = before.values.keys() | after.values.keys()
    groups, hidden = _groups(codes, before, after) if segment else ((), ())
    return PairedRow(
        item=item,
        n_before=len(before.values),
        n_after=len(after.values),
        n_paired=len(codes),
        unpaired=len(every - contested) - len(codes),
        contested=len(contested),
        change=_change(codes, before, after) if len(codes) >= FEWEST_VOTERS else None,
        groups=groups,
        hidden=hidden,
    )


def _round(votes: Iterable[CountedVote], number: int, segment: Segment | None) -> _Round:
    values: dict[str, tuple[int, str]] = {}
    contested: set[str] = set()
    for vote in votes:
        if vote.payload["round"] == number:
            code, value = str(vote.payload["code"]), int(str(vote.payload["value"]))
            group = vote.segments.get(segment.name, UNDECLARED) if segment else UNDECLARED
            if values.setdefault(code, (value, group))[0] != value:
                contested.add(code)
    return _Round({code: said for code, said in values.items() if code not in contested}, frozenset(contested))


def _groups(codes: Iterable[str], before: _Round, after: _Round) -> tuple[tuple[GroupChange, ...], tuple[str, ...]]:
    """Return (the groups that may be shown, the names of the others); a person's group is what they said before."""
    pairs: dict[str, list[str]] = {}
    for code in codes:
        pairs.setdefault(before.values[code][1] or after.values[code][1], []).append(code)
    shown = open_groups({group: len(mine) for group, mine in pairs.items()})
    changes = tuple(GroupChange(group, _change(pairs[group], before, after)) for group in sorted(shown))
    return changes, tuple(sorted(pairs.keys() - shown))


def _change(codes: Sequence[str], before: _Round, after: _Round) -> PairedChange:
    olds = [before.values[code][0] for code in codes]
    news = [after.values[code][0] for code in codes]
    changes = [new - old for old, new in zip(olds, news, strict=True)]
    return PairedChange(
        n_paired=len(codes),
        mean_before=float(mean_of(olds)),
        mean_after=float(mean_of(news)),
        change=mean_with_interval(changes),
        rose=sum(change > 0 for change in changes),
        same=changes.count(0),
        fell=sum(change < 0 for change in changes),
    )
