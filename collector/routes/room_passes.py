"""Passes: by what a browser proves for whom it sends what it kept while the node was out of reach (room_outbox.py).

The cookies of a phone are out of reach of its scripts, and another person may hold the phone when it is sent. So a page
gives its script two passes that say what the cookies say, one of the seat and one of the ballot; each entry of the
outbox keeps the one that it needs. A pass opens no page.
"""

from urllib.parse import parse_qsl, urlencode

from fastapi import Request

from collector.problems import PROBLEMS, ProblemError
from collector.rooms.arriving import Holder
from collector.rooms.room import Room
from collector.routes.room_person import Person, read_signed, signed

KIND, HEADER = "envio", "collector-room-pass"


def seat_pass(request: Request, room: Room, person: Person) -> str:
    """Return by what a page proves that it may write for its seat."""
    told = {"escribe": person.by, "modo": person.mode, "puesto": person.seat}
    return signed(request, KIND, room.session, urlencode(told))


def ballot_pass(request: Request, room: Room, person: Person) -> str:
    """Return by what a page proves that it may vote by its ballot."""
    segments = {f"seg.{name}": value for name, value in person.segments.items()}
    return signed(request, KIND, room.session, urlencode({"boleta": person.ballot, "modo": person.mode} | segments))


def holder_of_pass(request: Request, room: Room) -> Holder:
    """Return for whom this request may speak. Raises ProblemError room_pass: this node did not give the pass."""
    told = dict(parse_qsl(read_signed(request, KIND, room.session, request.headers.get(HEADER, ""))))
    if not told:
        raise ProblemError(PROBLEMS["room_pass"])
    if "boleta" not in told:
        return Holder(told["escribe"], told["modo"], told.get("puesto", ""))
    segments = {name.removeprefix("seg."): value for name, value in told.items() if name.startswith("seg.")}
    return Holder(told["boleta"], told["modo"], is_ballot=True, segments=segments)
