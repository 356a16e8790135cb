"""Who a phone is in a room: two cookies that no record ever holds together.

    puesto_<CODE>   the seat and the random id by which it writes in the open
    boleta_<CODE>   the ballot and the declared segments, for what is secret

Each is signed by this node, so that nobody takes another's seat or makes ballots out of nothing: one joining, one seat,
one ballot. A tablet that is passed from hand to hand has no seat, and a fresh pair of cookies for each person.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from fastapi import Request, Response

from collector.db import reading, writing
from collector.links import room_code
from collector.queries import store
from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.accepting import check_accepts
from collector.rooms.contributions import SECRET, parse_contribution
from collector.rooms.given import Said
from collector.rooms.mine import Mine, is_repeated, mine_of
from collector.rooms.room import Room
from collector.routes.access import posted_pairs
from collector.routes.rooms_common import next_count, rooms_of

SEAT_COOKIE, BALLOT_COOKIE, PASS_COOKIE = "puesto", "boleta", "pasar"
ROOM_PATH = "/s"
LASTS_SECONDS = 18 * 3600  # a long day; the ballot is then gone from the phone
SIGN_LETTERS = 32
FACT = "rooms_secret"
# a list has up to 60 options, a text up to 2,000 letters of any writing, a tally three fields a statement
MOST_BYTES, MOST_FIELDS = 64 * 1024, 2000
_SECRET_LOCK = Lock()


@dataclass(frozen=True)
class Person:
    """Who holds this phone. seat: "" on a tablet that is passed on; by: the writer of what is said in the open."""

    seat: str
    by: str
    ballot: str
    mode: str = "phone"
    segments: Mapping[str, str] = field(default_factory=dict)


async def room_fields(request: Request) -> dict[str, str]:
    """Read the form of a phone or of papers: name -> first value. Raises ProblemError too_large, bad_request."""
    return dict(reversed(await posted_pairs(request, MOST_BYTES, MOST_FIELDS)))


# --- signing


def _secret(request: Request) -> str:
    """Return what this node signs by, made when first needed and kept: a restart sends nobody out of a room."""
    state = request.app.state
    with _SECRET_LOCK:
        if not hasattr(state, "rooms_secret"):
            state.rooms_secret = _kept_secret(request)
        return str(state.rooms_secret)


def _kept_secret(request: Request) -> str:
    with reading(request.app.state.engine) as session:
        known = store.fact(session, FACT)
    if not known:
        with writing(request.app.state.engine) as session:
            known = store.fact(session, FACT) or new_token() + new_token()
            store.set_fact(session, FACT, known)
    return known


def sign(request: Request, room: str, *parts: str) -> str:
    """Return the proof that this node said `parts` of a room."""
    text = json.dumps([room, *parts])
    return hmac.new(_secret(request).encode(), text.encode(), hashlib.sha256).hexdigest()[:SIGN_LETTERS]


def signed(request: Request, kind: str, room: str, value: str) -> str:
    """Return a value with the proof that this node said it, as `kind` and of this room."""
    return f"{quote(value, safe='')}~{sign(request, room, kind, value)}"


def read_signed(request: Request, kind: str, room: str, text: str) -> str:
    """Return the value of what `signed` gave, "" for anything else."""
    said, _, proof = text.partition("~")
    value = unquote(said, errors="replace").encode(errors="replace").decode()
    is_ours = hmac.compare_digest(proof.encode(), sign(request, room, kind, value).encode())
    return value if is_ours else ""


def _cookie_value(request: Request, cookie: str, room: str) -> str:
    """Return what a cookie of this room says, "" where there is none or it is not from here."""
    return read_signed(request, cookie, room, request.cookies.get(cookie_name(cookie, room), ""))


# --- cookies


def cookie_name(cookie: str, room: str) -> str:
    """Return the name of a cookie of one room."""
    return f"{cookie}_{room_code(room)}"


def set_room_cookie(request: Request, response: Response, cookie: str, room: str, value: str) -> None:
    """Put a signed value into the browser, for the pages of rooms alone and out of reach of scripts."""
    response.set_cookie(
        cookie_name(cookie, room),
        signed(request, cookie, room, value),
        max_age=LASTS_SECONDS,
        path=ROOM_PATH,
        secure=request.app.state.settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def seat_down(request: Request, response: Response, room: str, person: Person) -> None:
    """Give the phone its two cookies."""
    seat = urlencode({"puesto": person.seat, "escribe": person.by, "modo": person.mode})
    ballot = urlencode({"boleta": person.ballot, **{f"seg.{name}": value for name, value in person.segments.items()}})
    set_room_cookie(request, response, SEAT_COOKIE, room, seat)
    set_room_cookie(request, response, BALLOT_COOKIE, room, ballot)


def stand_up(response: Response, room: str, *more: str) -> None:
    """Take the cookies back: the next person of this browser is somebody else. more: cookies that go too."""
    for cookie in (SEAT_COOKIE, BALLOT_COOKIE, *more):
        response.delete_cookie(cookie_name(cookie, room), path=ROOM_PATH)


def person_in(request: Request, room: str) -> Person | None:
    """Return who this browser is in a room, None for nobody yet."""
    seat = dict(parse_qsl(_cookie_value(request, SEAT_COOKIE, room), keep_blank_values=True))
    ballot = dict(parse_qsl(_cookie_value(request, BALLOT_COOKIE, room)))
    if not seat or not ballot:
        return None
    segments = {name.removeprefix("seg."): value for name, value in ballot.items() if name.startswith("seg.")}
    return Person(seat.get("puesto", ""), seat["escribe"], ballot["boleta"], seat["modo"], segments)


def is_passed_on(request: Request, room: str) -> bool:
    """Tell a tablet that a facilitator has set to go from hand to hand in this room."""
    return _cookie_value(request, PASS_COOKIE, room) == room


def declared_segments(room: Room, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the segments that a form declares, those alone that the room knows."""
    chosen = {segment.name: fields.get(f"seg.{segment.name}", "") for segment in room.segments}
    return {segment.name: chosen[segment.name] for segment in room.segments if chosen[segment.name] in segment.values}


# --- saying


def mine_in(request: Request, room: str, ballot: str) -> Mine:
    """Return what a ballot said in a room."""
    return mine_of(rooms_of(request).of_ballot(room, ballot))


def give(request: Request, room: Room, person: Person, step: str, said: Said) -> None:
    """Store what a person says: by its ballot where it is secret, else by its seat. Raises Refusal.

    What the same device has said in the open already is not stored again: a second tap, a page sent twice.
    """
    more: dict[str, Any] = {"step": step, "ref": said.ref}
    if said.what in SECRET:
        writer, count = Writer(person.ballot, person.mode), mine_in(request, room.session, person.ballot).count + 1
        more["segments"] = dict(person.segments)
    else:
        writer, count = Writer(person.by, person.mode), next_count()
        more["seat"] = person.seat
    body = make_contribution(room.session, said.what, said.payload, writer, count, **more)
    contribution = parse_contribution(body)
    check_accepts(room, contribution)
    if contribution.is_secret or not is_repeated(room.items, contribution):
        rooms_of(request).add(body)
