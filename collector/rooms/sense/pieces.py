"""What can be coded, shown in a matrix or quoted: one thing that somebody said, from a room or from a survey."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.rooms.places import place_key
from collector.rooms.room import GROUP, Item, Room

CODED = ("note", "statement")
QUOTE = "quote"  # the purpose that a person agrees to before anybody repeats their words


@dataclass(frozen=True)
class Piece:
    """One thing said.

    target: what codings name; record: the record that holds it (several answers of one survey share it); kind: "note",
    "statement" or "answer"; document: title of its session or form; seat: anonymous code within its session, "" where
    nobody knows; place: code or name of the municipality; may_quote: the person allowed it and these are their words.
    """

    target: str
    record: str
    kind: str
    text: str
    finished: str
    at_ms: int
    session: str = ""
    document: str = ""
    seat: str = ""
    place: str = ""
    segments: Mapping[str, str] = field(default_factory=dict)
    question: str = ""
    may_quote: bool = False

    @property
    def person(self) -> str:
        """Return who said it: the seat in its session, else the record, as if each had been left by somebody else."""
        return f"{self.session}/{self.seat}" if self.seat else self.record

    @property
    def order(self) -> tuple[int, str]:
        """Return what pieces are ordered by: when they were said, then their id."""
        return self.at_ms, self.target


def answer_target(record: str, question: str) -> str:
    """Return what codings of an open answer name: the record and the question's path in it."""
    return f"{record}#{question}"


def pieces_of(room: Room) -> list[Piece]:
    """Return the notes and statements of a room that are shown, in the order of the session."""
    return [_piece(item, room) for item in room.items if item.what in CODED and item.state == "shown"]


def pieces_of_rooms(rooms: Iterable[Room]) -> list[Piece]:
    """Return the pieces of several rooms, room by room. Demonstrations stay out: nobody said what they hold."""
    real = sorted((room for room in rooms if not room.facts.demo), key=lambda room: room.session)
    return [piece for room in real for piece in pieces_of(room)]


def said_in_order(rooms: Iterable[Room]) -> list[Item]:
    """Return the items of several rooms in one order, which does not depend on that of the rooms."""
    each = [
        (item.at_ms, item.by, room.session, place, item)
        for room in sorted(rooms, key=lambda room: room.session)
        for place, item in enumerate(room.items)
    ]
    return [found[-1] for found in sorted(each, key=lambda found: found[:-1])]


def _piece(item: Item, room: Room) -> Piece:
    seat = room.seats.get(item.seat)
    return Piece(
        target=item.id,
        record=item.id,
        kind=item.what,
        text=item.text,
        finished=item.finished,
        at_ms=item.at_ms,
        session=room.session,
        document=room.facts.title,
        seat=item.seat,
        place=place_key(room.facts),
        segments=seat.segments if seat else {},
        question=item.said("question") or item.step,
        may_quote=_are_own_words(item) and may_quote(room, item.seat),
    )


def _are_own_words(item: Item) -> bool:
    """Tell words as they were said: a statement, or a note that says so and that its writer marked as a quote."""
    if item.what == "statement":
        return True
    return item.payload.get("quote") is True and item.said("form") == "verbatim"


def may_quote(room: Room, seat: str) -> bool:
    """Tell whether a seat allowed its words to be repeated; where nobody knows whose they are, everybody must have."""
    if seat != GROUP:
        return room.allows(seat, QUOTE)
    return room.allows(GROUP, QUOTE) and all(room.allows(code, QUOTE) for code in room.seats)


def repeatable(room: Room, item: Item) -> str:
    """Return the text of an item where it may be repeated outside the room, else "".

    Notes hold what somebody said, so they need that person's consent; what people put on a board themselves does not.
    """
    return item.text if item.what != "note" or may_quote(room, item.seat) else ""
