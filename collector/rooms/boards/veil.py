"""When a secret result may be seen: after the reveal, from five people on, and by groups that cannot be computed back.

A group is shown when it has five people, and when those not shown together are none or five: the whole is published,
so a lone small group would be the whole less the others. Source: complementary suppression, as for tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from collector.rooms.guide import Segment
from collector.rooms.room import Room
from collector.rooms.secret import CountedVote

FEWEST_VOTERS = 5
UNDECLARED = ""  # the group of those who did not say


@dataclass(frozen=True)
class Veil:
    """How much of a result may be seen: all; nothing before the reveal (blind); nothing of so few people (few)."""

    state: Literal["shown", "blind", "few"]
    voters: int

    @property
    def is_shown(self) -> bool:
        """Say whether the result may be seen."""
        return self.state == "shown"


def veil_of(room: Room, what: str, step: str) -> Veil:
    """Return how much of the votes `what` of a step may be seen now."""
    voters = room.voters(what, step)
    if room.run(step).state != "revealed":
        return Veil("blind", voters)
    return Veil("few" if voters < FEWEST_VOTERS else "shown", voters)


def people_in(votes: Iterable[CountedVote]) -> int:
    """Return how many people votes stand for."""
    return sum(vote.people for vote in votes)


def by_group(segment: Segment, votes: Iterable[CountedVote]) -> dict[str, list[CountedVote]]:
    """Return the votes of each value of a segment, in its order; values nobody declared and none stand under ""."""
    groups: dict[str, list[CountedVote]] = {value: [] for value in segment.values}
    groups[UNDECLARED] = []
    for vote in votes:
        value = vote.segments.get(segment.name, UNDECLARED)
        groups[value if value in groups else UNDECLARED].append(vote)
    return {value: mine for value, mine in groups.items() if mine}


def open_groups(sizes: Mapping[str, int]) -> frozenset[str]:
    """Return the groups that may be shown, by their sizes in people."""
    shown = {group for group, size in sizes.items() if size >= FEWEST_VOTERS}
    hidden = sum(size for group, size in sizes.items() if group not in shown)
    if shown and 0 < hidden < FEWEST_VOTERS:
        shown.remove(min(shown, key=lambda group: (sizes[group], group)))
    return frozenset(shown)


@dataclass(frozen=True)
class Cut:
    """The votes of a segment by group. groups: those that may be shown; hidden: values that may not.

    rest: the votes of the hidden ones together, five people or none.
    """

    segment: Segment
    groups: Mapping[str, Sequence[CountedVote]]
    hidden: tuple[str, ...]
    rest: Sequence[CountedVote]


def cut_of(segment: Segment, votes: Iterable[CountedVote]) -> Cut | None:
    """Return the groups of a segment that may be shown, None where nobody declared it."""
    groups = by_group(segment, votes)
    if set(groups) <= {UNDECLARED}:
        return None
    shown = open_groups({value: people_in(mine) for value, mine in groups.items()})
    return Cut(
        segment,
        {value: mine for value, mine in groups.items() if value in shown},
        tuple(value for value in groups if value not in shown),
        [vote for value, mine in groups.items() if value not in shown for vote in mine],
    )


def cuts_of(room: Room, votes: Sequence[CountedVote]) -> list[Cut]:
    """Return the cut of each declared segment."""
    return [cut for segment in room.segments if (cut := cut_of(segment, votes)) is not None]
