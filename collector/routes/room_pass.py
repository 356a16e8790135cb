"""One tablet for many people of a room: it goes from hand to hand, and nobody meets what the one before marked.

A facilitator starts and ends it with the PIN; while the tablet is passed on, her own pages are closed in that browser.
Each person gets a fresh ballot, and both cookies are taken back before the tablet is handed on.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from collector.pages import page
from collector.room_store import new_token
from collector.rooms.room import Room
from collector.routes import access
from collector.routes.room_now import address_of, people_scope
from collector.routes.room_people import room_of_code
from collector.routes.room_person import (
    PASS_COOKIE,
    Person,
    declared_segments,
    is_passed_on,
    room_fields,
    seat_down,
    set_room_cookie,
    stand_up,
)

router = APIRouter(include_in_schema=False)
Posted = Annotated[dict[str, str], Depends(room_fields)]


@router.get("/s/{code}/pasar")
def between(request: Request, code: str, salir: str = "") -> Response:
    """Show the page between two people; to start or end it, the facilitator's page, which asks for the PIN."""
    room = room_of_code(request, code)
    is_on = is_passed_on(request, room.session)
    if not is_on or salir:
        access.facilitator(request)
    template = "rooms/people_pass.html" if is_on and not salir else "rooms/people_pass_start.html"
    scope = people_scope(request, room) | {"posted": {}, "is_on": is_on}
    response = page(request, template, scope)
    stand_up(response, room.session)
    return response


@router.post("/s/{code}/pasar")
def turn(request: Request, code: str, posted: Posted) -> Response:
    """Start or end it (PIN), begin as the next person, or hand the tablet on."""
    room, go = room_of_code(request, code), posted.get("_go", "")
    if go in ("start", "end"):
        access.facilitator(request)
        return _started(request, room) if go == "start" else _ended(room)
    if go == "begin" and is_passed_on(request, room.session) and not room.is_closed:
        return _begun(request, room, posted)
    response = RedirectResponse(f"{address_of(room)}/pasar", 303)
    stand_up(response, room.session)
    return response


def _started(request: Request, room: Room) -> Response:
    response = RedirectResponse(f"{address_of(room)}/pasar", 303)
    stand_up(response, room.session)
    set_room_cookie(request, response, PASS_COOKIE, room.session, room.session)
    access.sign_out(request, response, access.PIN_COOKIE)
    return response


def _ended(room: Room) -> Response:
    response = RedirectResponse(f"/sala/{room.session}", 303)
    stand_up(response, room.session, PASS_COOKIE)
    return response


def _begun(request: Request, room: Room, posted: dict[str, str]) -> Response:
    """Give the next person a fresh ballot and a writer of their own; no seat, since nobody wrote down who they are."""
    person = Person("", new_token(), new_token(), "pass", declared_segments(room, posted))
    response = RedirectResponse(f"{address_of(room)}/ahora", 303)
    seat_down(request, response, room.session, person)
    return response
