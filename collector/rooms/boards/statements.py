"""Statements that people agree with, disagree with or pass, by declared segment. No clusters: rooms are too small."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.rooms.boards.veil import FEWEST_VOTERS, Cut, Veil, cuts_of, people_in, veil_of
from collector.rooms.formulas import Share, agree_probability, controversy, group_aware_consensus, share_of
from collector.rooms.room import Item, Room
from collector.rooms.secret import CountedVote


@dataclass(frozen=True)
class Tally:
    """Votes on a statement by people. seen counts passes too; agree is the share of those who saw it."""

    agrees: int
    disagrees: int
    passes: int
    seen: int
    agree: Share
    agree_probability: float
    controversy: float | None


@dataclass(frozen=True)
class GroupTally:
    """The tally of one value of a segment; "" stands for those who did not say."""

    value: str
    tally: Tally


@dataclass(frozen=True)
class SegmentTally:
    """The tallies of a segment. hidden: groups that are too small to be shown, or would give such a one away.

    rest: the hidden groups together, None where none is; consensus: the product of the agree probabilities of the
    groups and the rest, None where no group may be shown.
    """

    segment: str
    groups: tuple[GroupTally, ...]
    hidden: tuple[str, ...]
    rest: Tally | None
    consensus: float | None


@dataclass(frozen=True)
class StatementRow:
    """A statement. tally: None while blind, or with fewer than five voters; number: its place by time, from 1."""

    id: str
    number: int
    text: str
    finished: str
    tally: Tally | None
    by_segment: tuple[SegmentTally, ...]


@dataclass(frozen=True)
class StatementBoard:
    """The statements of a step in the order they were given. straight_lines: people who always said the same, or None.

    waiting: statements that wait for moderation; they have no row.
    """

    step: str
    veil: Veil
    rows: tuple[StatementRow, ...]
    waiting: int
    straight_lines: int | None


def statement_board(room: Room, step: str) -> StatementBoard:
    """Return the board of the statements of a step."""
    veil = veil_of(room, "vote", step)
    votes = room.secret.of("vote", step)
    items = room.of("statement", step)
    every = room.of("statement", step, with_hidden=True)
    rows = [
        _row(room, item, number, [vote for vote in votes if vote.ref == item.id], veil)
        for number, item in enumerate(items, start=1)
    ]
    lines = room.secret.straight_lines.get(step, 0) if veil.is_shown else None
    return StatementBoard(step, veil, tuple(rows), sum(item.state == "waiting" for item in every), lines)


def _row(room: Room, item: Item, number: int, votes: Sequence[CountedVote], veil: Veil) -> StatementRow:
    if not veil.is_shown or people_in(votes) < FEWEST_VOTERS:
        return StatementRow(item.id, number, item.text, item.finished, None, ())
    cuts = tuple(_segment_tally(cut) for cut in cuts_of(room, votes))
    return StatementRow(item.id, number, item.text, item.finished, tally_of(votes), cuts)


def tally_of(votes: Iterable[CountedVote]) -> Tally:
    """Count votes by people."""
    counts = {"agree": 0, "disagree": 0, "pass": 0}
    for vote in votes:
        counts[str(vote.payload["choice"])] += vote.people
    agrees, disagrees, passes = counts.values()
    seen = agrees + disagrees + passes
    share = share_of(agrees, seen, seen)
    return Tally(
        agrees, disagrees, passes, seen, share, agree_probability(agrees, seen), controversy(agrees, disagrees)
    )


def _segment_tally(cut: Cut) -> SegmentTally:
    groups = tuple(GroupTally(value, tally_of(votes)) for value, votes in cut.groups.items())
    rest = tally_of(cut.rest) if groups and cut.rest else None
    every = [group.tally for group in groups] + ([rest] if rest else [])
    consensus = group_aware_consensus((tally.agrees, tally.seen) for tally in every) if groups else None
    return SegmentTally(cut.segment.name, groups, cut.hidden, rest, consensus)
