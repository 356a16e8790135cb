"""What was noted, in the one order that any number of note-takers share, and who spoke how much."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from collector.rooms.boards.veil import UNDECLARED
from collector.rooms.room import Item, Room


@dataclass(frozen=True)
class TimelineRow:
    """A note with its place from 1. seat: who spoke, "" for the group; segments: that seat's.

    is_verbatim: the words themselves; may_quote: marked as a quote, verbatim, and the seat agreed to quotes.
    """

    number: int
    item: Item
    segments: Mapping[str, str]
    is_verbatim: bool
    may_quote: bool


def timeline(room: Room, step: str | None = None) -> tuple[TimelineRow, ...]:
    """Return the notes of a room, or of one step, in order."""
    return tuple(_row(room, item, number) for number, item in enumerate(room.of("note", step), start=1))


def _row(room: Room, item: Item, number: int) -> TimelineRow:
    seat = room.seats.get(item.seat)
    is_verbatim = item.said("form") == "verbatim"
    may_quote = is_verbatim and bool(item.payload.get("quote")) and room.allows(item.seat, "quote")
    return TimelineRow(number, item, seat.segments if seat else {}, is_verbatim, may_quote)


@dataclass(frozen=True)
class SeatBalance:
    """A seat and its notes; one without any is there too."""

    seat: str
    segments: Mapping[str, str]
    notes: int

    @property
    def is_silent(self) -> bool:
        """Say whether the seat has not spoken yet."""
        return self.notes == 0


@dataclass(frozen=True)
class GroupBalance:
    """The seats of one value of a segment: how many, their notes, and notes for each seat."""

    value: str
    seats: int
    notes: int
    per_seat: float


@dataclass(frozen=True)
class Balance:
    """Who spoke how much. of_the_group: notes of no seat; by_segment: segment -> its values in order, "" last."""

    seats: tuple[SeatBalance, ...]
    of_the_group: int
    by_segment: Mapping[str, tuple[GroupBalance, ...]]

    @property
    def silent(self) -> tuple[str, ...]:
        """Return the seats that have not spoken yet."""
        return tuple(seat.seat for seat in self.seats if seat.is_silent)


def balance(room: Room, step: str | None = None) -> Balance:
    """Return the notes of each seat and segment, in a room or in one step of it."""
    notes = Counter(item.seat for item in room.of("note", step))
    seats = tuple(SeatBalance(seat.code, seat.segments, notes[seat.code]) for seat in room.seats.values())
    by_segment = {segment.name: _groups(segment.name, [*segment.values], seats) for segment in room.segments}
    return Balance(seats, notes[""], by_segment)


def _groups(segment: str, values: list[str], seats: tuple[SeatBalance, ...]) -> tuple[GroupBalance, ...]:
    groups = []
    for value in [*values, UNDECLARED]:
        mine = [seat for seat in seats if _value(seat.segments.get(segment, ""), values) == value]
        notes = sum(seat.notes for seat in mine)
        if mine:
            groups.append(GroupBalance(value, len(mine), notes, notes / len(mine)))
    return tuple(groups)


def _value(said: str, values: list[str]) -> str:
    return said if said in values else UNDECLARED
