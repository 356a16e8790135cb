"""A room that grows by one contribution at a time, and costs what that one changes. Pure but for its own memory.

`room_of` makes a room of a whole set. This comes to the same room, whatever the order in which things arrive:

    what comes                        what is made anew
    a vote                            its own place among the votes, and the share of its ballot
    something said in the open        its own item
    a word of the facilitator         what the words come to; the items when it moderates or changes the guide; the
                                      votes that count when it changes the guide

Nothing is ever taken out: who has to forget or to exchange a contribution makes another one of these.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType

from collector.rooms.contributions import Contribution, in_order
from collector.rooms.fitting import fits
from collector.rooms.guide import Guide
from collector.rooms.payloads import FACILITATOR, SHAPES
from collector.rooms.room import Item, Room, item_of, led_by, made_room, one_session
from collector.rooms.secret import VoteCount

PLACE = attrgetter("place")


class GrowingRoom:
    """What a room is made of, each thing at its place. One thread at a time may use it; its rooms are for all."""

    def __init__(self, contributions: Iterable[Contribution] = (), guide: Guide | None = None) -> None:
        """Begin with all that was said so far. Raises ValueError when it is of several sessions."""
        ordered = in_order(contributions)
        self._given = guide
        self._session = one_session(ordered)
        self._said = {each.id: each for each in ordered}
        self._of_ballot: dict[str, list[Contribution]] = defaultdict(list)
        for each in ordered:
            if each.ballot:
                self._of_ballot[each.ballot].append(each)
        others = [each for each in ordered if each.what not in FACILITATOR and not each.is_secret]
        self._strange = [each for each in others if each.what not in SHAPES]
        self._words = [each for each in ordered if each.what in FACILITATOR]
        self._led = led_by(self._words, guide)
        self._items = [item_of(each, self._led) for each in others if each.what in SHAPES]
        self._count_votes()

    @property
    def said(self) -> Mapping[str, Contribution]:
        """Return all contributions by their ids, in no order that tells anything."""
        return MappingProxyType(self._said)

    def of_ballot(self, ballot: str) -> tuple[Contribution, ...]:
        """Return what one ballot said, in the order of the session."""
        return tuple(self._of_ballot.get(ballot, ()))

    def room(self) -> Room:
        """Return the room as it is now, the one that `room_of` makes of the same contributions."""
        votes = self._votes.votes()
        return made_room(self._session, self._led, self._items, self._strange, votes, self._misfits)

    def add(self, each: Contribution) -> None:
        """Take one more, wherever in the order it stands. Raises ValueError: another session, or its id is here."""
        if each.id in self._said:
            raise ValueError(f"{each.id} is in the room already.")
        if each.session != (self._session or each.session):
            raise ValueError("Contributions of 2 sessions: give those of one.")
        self._session = each.session
        self._said[each.id] = each
        if each.ballot:
            insort(self._of_ballot[each.ballot], each, key=PLACE)
        if each.is_secret:
            self._add_vote(each)
        elif each.what in FACILITATOR:
            self._add_word(each)
        elif each.what in SHAPES:
            insort(self._items, item_of(each, self._led), key=self._place)
        else:
            self._strange.append(each)

    def _place(self, item: Item) -> tuple[int, str, int, str]:
        return self._said[item.id].place

    def _add_vote(self, each: Contribution) -> None:
        if fits(self._led.guide, each):
            self._votes.add(each)
        else:
            self._misfits += 1

    def _add_word(self, each: Contribution) -> None:
        before = self._led
        insort(self._words, each, key=PLACE)
        self._led = led_by(self._words, self._given)
        is_other_guide = self._led.guide != before.guide
        if is_other_guide or self._led.moderated != before.moderated:
            self._items = [item_of(self._said[item.id], self._led) for item in self._items]
        if is_other_guide:
            self._count_votes()

    def _count_votes(self) -> None:
        """Count all votes anew: whether one counts depends on the guide."""
        votes = [each for each in self._said.values() if each.is_secret]
        fitting = [each for each in votes if fits(self._led.guide, each)]
        self._votes, self._misfits = VoteCount(fitting), len(votes) - len(fitting)
