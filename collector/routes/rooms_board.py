"""Boards on the wall: what everybody in the room looks at, and the mark that tells of something new."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from collector.links import qr_svg
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.guide import Step
from collector.rooms.room import Room
from collector.routes.access import facilitator
from collector.routes.rooms_common import (
    SHORT_HEADERS,
    find_room,
    find_step,
    join_address,
    mark_of_page,
    room_page,
    rooms_of,
    shown_step,
    unless_marked,
)
from collector.routes.rooms_drawn import drawn

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
MOST_CIRCLES = 60


@router.get("/s/{code}/cambios")
def room_mark(request: Request, code: str) -> Response:
    """Tell by the tag whether a room changed: 204 with a new one, 304 with the one that the asker has. No body, no PIN.

    It says how many contributions there are and nothing of them. Raises ProblemError not_found.
    """
    store = rooms_of(request)
    session = store.with_code(code)
    if session is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    tag = f'"{store.mark(session)}"'
    status = 304 if request.headers.get("if-none-match") == tag else 204
    return Response(status_code=status, headers={"ETag": tag, **SHORT_HEADERS})


@router.get("/sala/{session}/tablero")
def board_now(request: Request, session: str, _who: Facilitator) -> Response:
    """Show what the room looks at now: the step that is open or was last shown, else how to join."""
    room = find_room(request, session)
    return _board(request, room, shown_step(room), is_following=True)


@router.get("/sala/{session}/tablero/{name}")
def board_of_step(request: Request, session: str, name: str, _who: Facilitator) -> Response:
    """Show the board of one step, whatever is open."""
    room = find_room(request, session)
    return _board(request, room, find_step(request, room, name), is_following=False)


def _board(request: Request, room: Room, step: Step | None, is_following: bool) -> Response:
    tag = mark_of_page(request, room.session, step.name if step else "")
    return unless_marked(request, tag, lambda: _page(request, room, step, is_following))


def _page(request: Request, room: Room, step: Step | None, is_following: bool) -> HTMLResponse:
    address = join_address(request, room)
    scope = {
        "step": step,
        "run": room.run(step.name) if step else None,
        "drawn": drawn(request, room, step) if step else None,
        "address": address,
        "spoken": address.partition("://")[2],
        "qr": qr_svg(address),
        "is_following": is_following,
        "most_circles": MOST_CIRCLES,
        "kind": "staff wall",
    }
    return room_page(request, "rooms/board.html", room, scope, block="board")
