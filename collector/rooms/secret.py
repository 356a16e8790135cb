"""What counts of the secret kinds, with the ballots taken off: no place after this one knows which ballot said what.

The newest of one ballot counts, by the ballot's own counter, for each (kind, step, what it speaks of). What is kept is
sorted by what it says and not by when it came, so that its place tells nothing either.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from collector.rooms.contributions import Contribution
from collector.rooms.payloads import CHOICES

Key = tuple[str, ...]
Place = tuple[str, str, str, str, str, int]  # what the votes are sorted by
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
    return VoteCount(contributions).votes()


class VoteCount:
    """Counts secret contributions as they come, each id once and in any order: one more costs what it changes."""

    def __init__(self, contributions: Iterable[Contribution] = ()) -> None:
        newest = newest_of_ballots(contributions)
        counted = sorted(((_sort_key(vote), vote) for each in newest for vote in _counted(each)), key=itemgetter(0))
        self._places = [place for place, _ in counted]
        self._votes = [vote for _, vote in counted]
        self._of_ballot: dict[Key, dict[Key, Contribution]] = defaultdict(dict)  # see _ballot_of
        for each in newest:
            self._of_ballot[_ballot_of(each)][_speaks_of(each)] = each
        self._voters: Counter[tuple[str, str]] = Counter()
        self._lines: Counter[str] = Counter()
        for ballot in self._of_ballot:
            self._weigh(ballot, 1)

    def add(self, each: Contribution) -> None:
        """Count one more; it replaces what its ballot said before of the same thing, unless that is newer."""
        ballot, thing = _ballot_of(each), _speaks_of(each)
        said = self._of_ballot[ballot]
        known = said.get(thing)
        if known is not None and _age(known) > _age(each):
            return
        self._weigh(ballot, -1)
        if known is not None:
            self._take_out(known)
        said[thing] = each
        self._put_in(each)
        self._weigh(ballot, 1)

    def votes(self) -> SecretVotes:
        """Return what counts now."""
        lines = {step: count for step, count in sorted(self._lines.items()) if count}
        return SecretVotes(tuple(self._votes), dict(sorted(self._voters.items())), lines)

    def _weigh(self, ballot: Key, sign: int) -> None:
        """Add, or take away, the people and the straight line of a ballot in a step."""
        what, step, _ = ballot
        said = self._of_ballot[ballot].values()
        # a pile is as large as it was at its largest
        self._voters[what, step] += sign * max(map(_people, said), default=0)
        self._lines[step] += sign * _is_straight_line(said)

    def _put_in(self, each: Contribution) -> None:
        for vote in _counted(each):
            place = _sort_key(vote)
            at = bisect_right(self._places, place)
            self._places.insert(at, place)
            self._votes.insert(at, vote)

    def _take_out(self, each: Contribution) -> None:
        for vote in _counted(each):
            at = bisect_left(self._places, _sort_key(vote))  # of equal ones any: nothing tells them apart
            del self._places[at], self._votes[at]


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


def _ballot_of(each: Contribution) -> Key:
    """Return what counts as one voter: (kind, step, ballot), of a measure the link code in place of the ballot."""
    return _speaks_of(each)[:3]


def _is_straight_line(said: Iterable[Contribution]) -> bool:
    choices = [str(each.payload["choice"]) for each in said if each.what == "vote" and "choice" in each.payload]
    return len(choices) >= STRAIGHT_LINE and len(set(choices)) == 1


def _sort_key(vote: CountedVote) -> Place:
    return vote.what, vote.step, vote.ref, canonical(vote.payload), canonical(vote.segments), vote.people


def canonical(value: Mapping[str, object]) -> str:
    """Return a text that is the same for equal values, whatever the order of their keys."""
    return SAME_TEXT.encode(value)
