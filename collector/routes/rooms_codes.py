"""Coding what was said in a room, by several people of the lab; and themes by municipality over all rooms."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.room_store import Writer, make_contribution
from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.matrices import HIDDEN, MatrixWords, matrix_csv
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook, CodeError, finds, path_of
from collector.rooms.sense.coding import Coded, agreement, coded, read_codebook, read_codings
from collector.rooms.sense.matrices import theme_by_place
from collector.rooms.sense.pieces import Piece, pieces_of, pieces_of_rooms, said_in_order
from collector.rooms.sense.suppression import Published
from collector.routes.access import lab_user, one_line, posted_fields
from collector.routes.lab_scope import lab_scope
from collector.routes.rooms_common import find_room, next_count, rooms_of, words_for
from collector.territory import place_labels

router = APIRouter(include_in_schema=False)
User = Annotated[str, Depends(lab_user)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
Words = Annotated[str, Query(max_length=200)]
PAGE_PIECES = 50
MOST_PATH = 200


@dataclass(frozen=True)
class Work:
    """What coders of some rooms see: the book, who put what, and what can be coded."""

    book: Codebook
    coded: Coded
    pieces: tuple[Piece, ...]


def work_on(rooms: list[Room], pieces: list[Piece], language: str) -> Work:
    """Return the work on rooms, their codes in the language of the page."""
    items = said_in_order(rooms)
    book = read_codebook(items, language)
    return Work(book, coded(read_codings(items), book), tuple(pieces))


@router.get("/lab/salas/{session}/temas")
def show_codes(request: Request, session: str, user: User, q: Words = "", todo: str = "", after: int = 0) -> Response:
    """Show what was said, to be coded. q: only what holds these words; todo: only what this person has not coded."""
    return _codes_page(request, find_room(request, session), user, {"q": q, "todo": todo}, after)


@router.post("/lab/salas/{session}/temas")
def put_code(request: Request, session: str, user: User, posted: Posted) -> Response:
    """Put a code on something said, or take one's own off again."""
    room = find_room(request, session)
    target, typed = posted.get("target", ""), one_line(posted.get("path", ""), MOST_PATH)
    if target not in {piece.target for piece in pieces_of(room)}:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    asked = {"q": posted.get("q", "")[:200], "todo": posted.get("todo", "")[:1]}
    try:
        path = path_of(typed)
    except CodeError:
        return _codes_page(request, room, user, asked, 0, typed, target)
    said = {"target": target, "path": path, "coder": user, "on": posted.get("on", "yes") == "yes"}
    rooms_of(request).add(make_contribution(session, "coding", said, _writer_of(user), next_count()))
    return RedirectResponse(f"/lab/salas/{session}/temas?{urlencode(asked)}#t-{target}", 303)


def _writer_of(user: str) -> Writer:
    return Writer(hashlib.sha256(f"collector-coder/1\n{user}".encode()).hexdigest()[:24])


def _codes_page(
    request: Request, room: Room, user: str, asked: dict[str, str], after: int, wrong: str | None = None, at: str = ""
) -> HTMLResponse:
    work = work_on([room], pieces_of(room), page_language(request))
    wanted = [piece for piece in work.pieces if _is_wanted(piece, work, user, asked)]
    shown = wanted[after : after + PAGE_PIECES]
    more = after + PAGE_PIECES if len(wanted) > after + PAGE_PIECES else 0
    compared = agreement(work.coded, work.book)
    scope: dict[str, Any] = {
        "room": room,
        "words": words_for(request, room),
        "work": work,
        "pieces": [(piece, _mine(piece, work, user), _others(piece, work, user)) for piece in shown],
        "asked": asked,
        "found": len(wanted),
        "more": f"?{urlencode(asked | {'after': more})}" if more else "",
        "compared": compared,
        "written": _written,
        "wrong": wrong,
        "at": at,
    }
    status = 200 if wrong is None else 422
    return page(request, "lab/room_codes.html", scope | lab_scope(request, user, "/lab/salas"), status=status)


def _is_wanted(piece: Piece, work: Work, user: str, asked: dict[str, str]) -> bool:
    if asked["todo"] and user in work.coded.by_target.get(piece.target, {}):
        return False
    return not asked["q"] or finds(piece.text, asked["q"])


def _mine(piece: Piece, work: Work, user: str) -> list[str]:
    return sorted(work.coded.by_target.get(piece.target, {}).get(user, ()))


def _others(piece: Piece, work: Work, user: str) -> list[tuple[str, list[str]]]:
    found = work.coded.by_target.get(piece.target, {})
    return [(coder, sorted(paths)) for coder, paths in found.items() if coder != user and paths]


def _written(share: Fraction | None) -> str:
    """Return a figure with two decimals, "–" where it is not defined."""
    return "–" if share is None else f"{float(share):.2f}"


# --- over all rooms


@router.get("/lab/temas")
def show_themes(request: Request, user: User) -> Response:
    """Show themes by municipality over all rooms, small cells hidden."""
    work, table = _themes(request)
    scope = {"table": table, "book": work.book, "places": place_labels(), "hidden": HIDDEN}
    return page(request, "lab/themes.html", scope | lab_scope(request, user, "/lab/salas"))


@router.get("/lab/temas.csv")
def get_themes(request: Request, _user: User) -> Response:
    """Give the same as CSV."""
    work, table = _themes(request)
    tongue = Tongue(page_language(request), request.app.state.english, place_labels())
    words = MatrixWords(tongue("Temas por municipio"), tongue("Municipio"), place_labels(), work.book, tongue)
    content = matrix_csv(table, words) if table.rows else csv_text([tongue("Tema")], [])
    headers = {"Content-Disposition": "attachment; filename=temas-por-municipio.csv"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _themes(request: Request) -> tuple[Work, Published]:
    store = rooms_of(request)
    rooms = [room for room in map(store.get, store.ids()) if room is not None and not room.facts.demo]
    work = work_on(rooms, pieces_of_rooms(rooms), page_language(request))
    return work, theme_by_place(work.pieces, work.coded, work.book).shown()
