"""What counts of the secret kinds, with the ballots taken off: no place after this one knows which ballot said what.

The newest of one ballot counts, by the ballot's own counter, for each (kind, step, what it speaks of). What is kept is
sorted by what it says and not by when it came, so that its place tells nothing either.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collector.rooms.contributions import Contribution
from collector.rooms.payloads import CHOICES

Key = tuple[str, ...]
SAME_TEXT = json.JSONEncoder(sort_keys=True, default=dict)
STRAIGHT_LINE = 5  # so many answers on statements, all the same: told beside the result, never taken out


@dataclass(frozen=True)
class CountedVote:
    """One vote that counts, or several equal ones from a paper tally.

    segments: what was declared with it; people: how many it stands for, 1 but for paper. No ballot, no seat, no time.
    """

    what: str
    step: str
    ref: str
    payload: Mapping[str, object]
    segments: Mapping[str, str]
    people: int = 1

    @property
    def is_single(self) -> bool:
        """Tell a person's own vote from a pile counted together."""
        return self.people == 1


@dataclass(frozen=True)
class SecretVotes:
    """All votes of a room. voters: (kind, step) -> people; straight_lines: step -> people who always said the same."""

    votes: tuple[CountedVote, ...] = ()
    voters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    straight_lines: Mapping[str, int] = field(default_factory=dict)

    def of(self, what: str, step: str) -> tuple[CountedVote, ...]:
        """Return the votes of a kind in a step, in no order that tells anything."""
        return tuple(vote for vote in self.votes if vote.what == what and vote.step == step)


def count_votes(contributions: Iterable[Contribution]) -> SecretVotes:
    """Return what counts of `contributions`, all of secret kinds."""
    newest = newest_of_ballots(contributions)
    votes = sorted((vote for each in newest for vote in _counted(each)), key=_sort_key)
    return SecretVotes(tuple(votes), _voters(newest), _straight_lines(newest))


def newest_of_ballots(contributions: Iterable[Contribution]) -> list[Contribution]:
    """Return the newest of each ballot for each thing it speaks of; of a link code the newest of all ballots."""
    found: dict[Key, Contribution] = {}
    for each in contributions:
        key = _speaks_of(each)
        known = found.get(key)
        if known is None or _age(each) > _age(known):
            found[key] = each
    return list(found.values())


def _speaks_of(each: Contribution) -> Key:
    if each.what == "measure":  # before and after may come from two devices: the code on the card ties them
        said = each.payload
        return each.what, each.step, str(said["code"]), str(said["item"]), str(said["round"])
    return each.what, each.step, each.ballot, each.ref


def _age(each: Contribution) -> tuple[int, int, str, str]:
    """Return what makes a contribution newer: of one ballot the count, of two (a link code) the time first."""
    if each.what == "measure":
        return each.at_ms, each.count, each.by, each.id
    return each.count, each.at_ms, each.by, each.id


def _counted(each: Contribution) -> Iterator[CountedVote]:
    tally = each.payload.get("tally")
    if each.what == "vote" and isinstance(tally, Mapping):
        for choice in CHOICES:
            if tally[choice]:
                yield CountedVote(each.what, each.step, each.ref, {"choice": choice}, each.segments, tally[choice])
        return
    yield CountedVote(each.what, each.step, each.ref, each.payload, each.segments, _people(each))


def _people(each: Contribution) -> int:
    """Return how many people a contribution stands for: one, or the pile of papers it counts."""
    tally = each.payload.get("tally")
    if isinstance(tally, Mapping):
        return sum(tally[choice] for choice in CHOICES)
    return int(str(each.payload.get("people", 1)))


def _voters(newest: Iterable[Contribution]) -> dict[tuple[str, str], int]:
    """Return the people of each kind and step: a ballot counts once, a pile as large as it was at its largest."""
    largest: dict[tuple[str, str, str], int] = {}
    for each in newest:
        ballot = str(each.payload["code"]) if each.what == "measure" else each.ballot
        key = each.what, each.step, ballot
        largest[key] = max(largest.get(key, 0), _people(each))
    voters: Counter[tuple[str, str]] = Counter()
    for (what, step, _), people in largest.items():
        voters[what, step] += people
    return dict(sorted(voters.items()))


def _straight_lines(newest: Iterable[Contribution]) -> dict[str, int]:
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in newest:
        if each.what == "vote" and "choice" in each.payload:
            said[each.step, each.ballot].append(str(each.payload["choice"]))
    lines: Counter[str] = Counter()
    for (step, _), choices in said.items():
        if len(choices) >= STRAIGHT_LINE and len(set(choices)) == 1:
            lines[step] += 1
    return dict(sorted(lines.items()))


def _sort_key(vote: CountedVote) -> tuple[str, str, str, str, str, int]:
    return vote.what, vote.step, vote.ref, canonical(vote.payload), canonical(vote.segments), vote.people


def canonical(value: Mapping[str, object]) -> str:
    """Return a text that is the same for equal values, whatever the order of their keys."""
    return SAME_TEXT.encode(value)
