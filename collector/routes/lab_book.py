"""The codebook of all rooms and surveys: a tree under its dimensions, to be added to, described, renamed and merged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.outputs.refi import qdc
from collector.rooms.refusals import Refusal
from collector.rooms.room import Item
from collector.rooms.sense.codebook import DEEPEST, Code, CodeError, is_under, path_of
from collector.rooms.sense.sessions import CODEBOOK_SESSION
from collector.routes.access import Person, one_line, person_who_may, posted_fields, who_may
from collector.routes.audited import note
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_sense import Work, coder_writer, say_in, sense_of, work_on_all
from collector.routes.rooms_common import refusal_sentence

router = APIRouter(prefix="/lab/temas/libro", include_in_schema=False)
User = Annotated[str, Depends(who_may("rooms"))]
Coder = Annotated[Person, Depends(person_who_may("rooms"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
MOST_PATH, MOST_LABEL, MOST_DESCRIPTION = 200, 200, 2000


@dataclass(frozen=True)
class Line:
    """A code with what carries it: texts, those of the codes below it too, and the coders who put it there."""

    code: Code
    texts: int
    coders: int


@dataclass(frozen=True)
class Trouble:
    """Why something was not done. kind: "path", "circle" or "words"; value: what was typed, or the sentence."""

    kind: str
    value: str


@router.get("")
def show_book(request: Request, user: User) -> HTMLResponse:
    """Show the tree."""
    return _page(request, user)


@router.get(".qdc")
def get_book(request: Request, coder: Coder) -> Response:
    """Give the codebook as REFI-QDA. A book without codes has no file."""
    work = work_on_all(request)
    if not work.book.codes:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    note(request, coder, "export", "codebook")  # themes alone: nobody's words, so no purpose is asked
    headers = {"Content-Disposition": "attachment; filename=temas.qdc"}
    return Response(qdc(work.book, work.coded), media_type="application/xml", headers=headers)


@router.post("")
def change_book(request: Request, user: User, posted: Posted) -> Response:
    """Add a code or describe one (action "add"), move or merge it ("become"), or take the last change back ("undo")."""
    try:
        trouble = _undo(request, user) if posted.get("action") == "undo" else _change(request, user, posted)
    except Refusal as refusal:
        trouble = Trouble("words", refusal_sentence(request, refusal))
    if trouble:
        return _page(request, user, trouble, posted)
    return RedirectResponse("/lab/temas/libro", 303)


def _change(request: Request, user: str, posted: Mapping[str, str]) -> Trouble | None:
    typed = one_line(posted.get("path", ""), MOST_PATH)
    try:
        path = path_of(typed)
        if posted.get("action") == "become":
            typed = one_line(posted.get("becomes", ""), MOST_PATH)
            return _become(request, user, path, path_of(typed))
    except CodeError:
        return Trouble("path", typed)
    label = one_line(posted.get("label", ""), MOST_LABEL)
    description = posted.get("description", "").strip()[:MOST_DESCRIPTION]
    said = {"path": path, "description": description} | ({"label": label} if label else {})
    say_in(request, CODEBOOK_SESSION, "code", said, user)
    return None


def _become(request: Request, user: str, path: str, becomes: str) -> Trouble | None:
    if is_under(becomes, path):
        return Trouble("circle", becomes)
    deepest = max((code.depth for code in work_on_all(request).book.below(path)), default=1)
    if becomes.count("/") + 1 + deepest - (path.count("/") + 1) > DEEPEST:
        return Trouble("path", becomes)
    say_in(request, CODEBOOK_SESSION, "code", {"path": path, "becomes": becomes}, user)
    return None


def _undo(request: Request, user: str) -> Trouble | None:
    last = _last_change(request)
    if last is not None:
        say_in(request, CODEBOOK_SESSION, "undo", {}, user, ref=last.id)
    return None


def _last_change(request: Request) -> Item | None:
    items = sense_of(request).get(CODEBOOK_SESSION).items
    return next((item for item in reversed(items) if item.what == "code"), None)


def _page(
    request: Request, user: str, trouble: Trouble | None = None, typed: Mapping[str, str] | None = None
) -> HTMLResponse:
    work, last = work_on_all(request), _last_change(request)
    scope: dict[str, Any] = {
        "lines": [_line(code, work) for code in work.book.codes.values()],
        "book": work.book,
        "last": last,
        "is_mine": last is not None and last.by == coder_writer(user).by,
        "trouble": trouble,
        "typed": {"path": "", "label": "", "description": ""} | dict(typed or {}),
    }
    status = 422 if trouble else 200
    return page(request, "lab/room_book.html", scope | lab_scope(request, user, "/lab/salas"), status=status)


def _line(code: Code, work: Work) -> Line:
    carried = [coders for coders in work.coded.by_target.values() if _has(coders, code)]
    who = {coder for coders in carried for coder, paths in coders.items() if any(is_under(p, code.path) for p in paths)}
    return Line(code, len(carried), len(who))


def _has(coders: Mapping[str, frozenset[str]], code: Code) -> bool:
    return any(is_under(path, code.path) for paths in coders.values() for path in paths)
