"""Coding what was said in a room, by several people of the lab."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.room import Room
from collector.rooms.sense.codebook import CodeError, finds, path_of
from collector.rooms.sense.pieces import Piece, pieces_of
from collector.routes import lab_book, lab_open_answers, lab_themes
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import note
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_sense import PAGE_PIECES, Work, coding_scope, put_coding, work_on_room
from collector.routes.rooms_common import find_room, words_for

router = APIRouter(include_in_schema=False)
router.include_router(lab_book.router)
router.include_router(lab_themes.router)
router.include_router(lab_open_answers.router)
Coder = Annotated[Person, Depends(person_who_may("rooms"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
Words = Annotated[str, Query(max_length=200)]
MOST_PATH = 200


@router.get("/lab/salas/{session}/temas")
def show_codes(request: Request, session: str, coder: Coder, q: Words = "", todo: str = "", after: int = 0) -> Response:
    """Show what was said, to be coded. q: only what holds these words; todo: only what this person has not coded."""
    return _codes_page(request, find_room(request, session), coder, {"q": q, "todo": todo}, after)


@router.post("/lab/salas/{session}/temas")
def put_code(request: Request, session: str, coder: Coder, posted: Posted) -> Response:
    """Put a code on something said, or take one's own off again."""
    room = find_room(request, session)
    target, typed = posted.get("target", ""), one_line(posted.get("path", ""), MOST_PATH)
    if target not in {piece.target for piece in pieces_of(room)}:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    asked = {"q": posted.get("q", "")[:200], "todo": posted.get("todo", "")[:1]}
    try:
        path = path_of(typed)
    except CodeError:
        return _codes_page(request, room, coder, asked, 0, typed, target)
    said = {"target": target, "path": path, "coder": coder.who, "on": posted.get("on", "yes") == "yes"}
    put_coding(request, session, said, coder.who, is_real=not room.facts.demo)
    return RedirectResponse(f"/lab/salas/{session}/temas?{urlencode(asked)}#t-{target}", 303)


def _codes_page(
    request: Request,
    room: Room,
    coder: Person,
    asked: dict[str, str],
    after: int,
    wrong: str | None = None,
    at: str = "",
) -> HTMLResponse:
    work, user = work_on_room(request, room), coder.who
    wanted = [piece for piece in work.pieces if _is_wanted(piece, work, user, asked)]
    note(request, coder, "read_record", room.session, count=len(wanted[after : after + PAGE_PIECES]))
    more = after + PAGE_PIECES if len(wanted) > after + PAGE_PIECES else 0
    scope = {
        "room": room,
        "words": words_for(request, room),
        "asked": asked,
        "found": len(wanted),
        "more": f"?{urlencode(asked | {'after': more})}" if more else "",
        "wrong": wrong,
        "at": at,
    }
    scope |= coding_scope(work, user, wanted[after : after + PAGE_PIECES]) | lab_scope(request, user, "/lab/salas")
    return page(request, "lab/room_codes.html", scope, status=200 if wrong is None else 422)


def _is_wanted(piece: Piece, work: Work, user: str, asked: dict[str, str]) -> bool:
    if asked["todo"] and user in work.coded.by_target.get(piece.target, {}):
        return False
    return not asked["q"] or finds(piece.text, asked["q"])
