"""People in a room, each with a phone: type the code, join, and take part in the step that is open now.

Everything is a form or a link; htmx only spares the reload. What a phone shows is asked again every four seconds and
costs a 304 while nothing changed.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.links import tidy_code
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.given import check_known, draft_after, said_in
from collector.rooms.mine import known_ids, next_seat
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.routes.room_now import Asked, address_of, now_page, people_scope, tag_of
from collector.routes.room_person import (
    Person,
    declared_segments,
    give,
    is_passed_on,
    person_in,
    room_fields,
    seat_down,
    stand_up,
)
from collector.routes.rooms_common import (
    NOTICE_VERSION,
    PURPOSES,
    find_by_code,
    next_count,
    place_of,
    rooms_of,
    unless_marked,
)

router = APIRouter(include_in_schema=False)
Posted = Annotated[dict[str, str], Depends(room_fields)]
LONGEST = 80
SEATS = Lock()  # two phones that join at once get two seats


# --- the way in


@router.get("/s")
def ask_code(request: Request, code: str = "") -> Response:
    """Ask for the code of a room, or lead on to what was typed."""
    if tidy_code(code):
        return RedirectResponse(f"/s/{quote(tidy_code(code)[:LONGEST], safe='')}", 302)
    return page(request, "rooms/people_code.html", {"typed": ""})


@router.get("/s/{code}")
def door(request: Request, code: str) -> Response:
    """Show what the room is and what joining means; who is in it already goes on."""
    room = find_by_code(request, code)
    if room is None:
        return page(request, "rooms/people_code.html", {"typed": code.strip()[:LONGEST]}, status=404)
    if is_passed_on(request, room.session):
        return RedirectResponse(f"{address_of(room)}/pasar", 303)
    if person_in(request, room.session):
        return RedirectResponse(f"{address_of(room)}/ahora", 303)
    return _join_page(request, room, {})


@router.post("/s/{code}")
def join(request: Request, code: str, posted: Posted) -> Response:
    """Take a seat: consent first, then the next free seat and a ballot."""
    room = room_of_code(request, code)
    if room.is_closed or posted.get("participate") != "si":
        return _join_page(request, room, posted, status=422)
    person = person_in(request, room.session) or _seated(request, room, posted)
    response = RedirectResponse(f"{address_of(room)}/ahora", 303)
    seat_down(request, response, room.session, person)
    return response


@router.post("/s/{code}/salir")
def leave(request: Request, code: str) -> Response:
    """Forget who this browser was: somebody else will use the phone. What was given stays."""
    room = room_of_code(request, code)
    response = RedirectResponse(address_of(room), 303)
    stand_up(response, room.session)
    return response


def room_of_code(request: Request, code: str) -> Room:
    """Return the room of a code. Raises ProblemError not_found."""
    room = find_by_code(request, code)
    if room is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return room


def _join_page(request: Request, room: Room, posted: Mapping[str, str], status: int = 200) -> HTMLResponse:
    scope = {"purposes": PURPOSES, "posted": posted, "is_refused": status == 422, "place": place_of(room)}
    return page(request, "rooms/people_join.html", people_scope(request, room) | scope, status=status)


def _seated(request: Request, room: Room, posted: Mapping[str, str]) -> Person:
    """Give the next free seat: its segments and what its person agreed to are told in the open, the ballot is not."""
    segments, by = declared_segments(room, posted), new_token()
    purposes = {purpose: posted.get(purpose) == "si" for purpose in PURPOSES}
    with SEATS:
        seat = next_seat(rooms_of(request).get(room.session) or room)
        told = {"purposes": purposes, "notice_version": NOTICE_VERSION, "how": "phone"}
        for what, payload in (("seat", {"segments": segments}), ("consent", told)):
            body = make_contribution(room.session, what, payload, Writer(by), next_count(), seat=seat)
            rooms_of(request).add(body)
    return Person(seat, by, new_token(), "phone", segments)


# --- what is open now


@router.get("/s/{code}/ahora")
def now(request: Request, code: str, paso: str = "", frase: str = "", dio: str = "") -> Response:
    """Show the step that is open now. A poll that finds nothing new gets 304 without any of it being put together."""
    room = find_by_code(request, code)
    person = person_in(request, room.session) if room else None
    if room is None or person is None:
        return away(request, f"/s/{quote(tidy_code(code)[:LONGEST], safe='')}")
    asked = Asked(paso, frase, dio)
    return unless_marked(request, tag_of(request, room, person, asked), lambda: now_page(request, room, person, asked))


def away(request: Request, address: str) -> Response:
    """Lead to another page, the whole of it also where htmx asked for a part."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=200, headers={"HX-Redirect": address, "Cache-Control": "no-store"})
    return RedirectResponse(address, 303)


@router.post("/s/{code}/ahora")
def take(request: Request, code: str, posted: Posted) -> Response:
    """Take what a person gives to the open step; the buttons + and - of a draft only draw it anew."""
    room = room_of_code(request, code)
    person = person_in(request, room.session)
    step, what = room.step(posted.get("_step", "")), posted.get("_what", "")
    if person is None or step is None:
        return away(request, address_of(room) if person is None else f"{address_of(room)}/ahora")
    if "_more" in posted or "_less" in posted:
        return now_page(request, room, person, Asked(step.name), draft=draft_after(step, posted))
    try:
        for said in said_in(step, what, posted, room.facts.round):
            check_known(said, known_ids(room))
            give(request, room, person, step.name, said)
    except Refusal as refusal:
        return now_page(request, room, person, Asked(step.name, posted.get("ref", "")), posted=posted, refusal=refusal)
    query = urlencode({"paso": step.name, "dio": what})
    return RedirectResponse(f"{address_of(room)}/ahora?{query}", 303)
