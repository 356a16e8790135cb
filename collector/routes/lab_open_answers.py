"""Coding the open answers of a survey with the same codebook as rooms, and what leaves them for other programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.db import reading
from collector.lab.open_answers import OpenForm, pieces_of_record
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries.lab import newest_records
from collector.queries.open_answers import usable_records
from collector.rooms.outputs.coded import coded_csv
from collector.rooms.outputs.feeds import comments_feed, participants_feed
from collector.rooms.outputs.refi import Project, qdpx
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.sense.codebook import CodeError, finds, path_of
from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.sessions import answers_session
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import Purpose, note
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_sense import (
    PAGE_PIECES,
    Work,
    answered,
    coded_answers,
    coding_scope,
    put_coding,
    read_form,
    sense_of,
    work_on,
)
from collector.territory import place_labels

router = APIRouter(prefix="/lab/forms/{form_id}/temas", include_in_schema=False)
Coder = Annotated[Person, Depends(person_who_may("rooms"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
Words = Annotated[str, Query(max_length=200)]
Before = Annotated[int | None, Query(ge=0, le=2**53)]
MOST_PATH, MOST_TARGET = 200, 200
AT_ONCE = 200
MOST_LOOKED_AT = 2000  # records for one page: who looks for rare words goes on by a link, and nobody waits long


@dataclass(frozen=True)
class Asked:
    """What a page shows. question: label of one question, "" for all; q: words; todo: "1" for what is not coded yet."""

    question: str = ""
    q: str = ""
    todo: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as the address carries it."""
        return {"question": self.question, "q": self.q, "todo": self.todo}


@router.get("")
def show_answers(
    request: Request,
    form_id: str,
    coder: Coder,
    question: Words = "",
    q: Words = "",
    todo: str = "",
    before: Before = None,
) -> Response:
    """Show the open answers of a form to be coded, the newest first. before: the log number to go on from."""
    return _page(request, form_id, coder, Asked(question, q, todo[:1]), before)


@router.post("")
def put_code(request: Request, form_id: str, coder: Coder, posted: Posted) -> Response:
    """Put a code on an answer, or take one's own off again."""
    target, typed = posted.get("target", "")[:MOST_TARGET], one_line(posted.get("path", ""), MOST_PATH)
    asked = Asked(posted.get("question", "")[:200], posted.get("q", "")[:200], posted.get("todo", "")[:1])
    if not _is_answer(request, form_id, target):
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    try:
        path = path_of(typed)
    except CodeError:
        return _page(request, form_id, coder, asked, None, typed, target)
    said = {"target": target, "path": path, "coder": coder.who, "on": posted.get("on", "yes") == "yes"}
    put_coding(request, answers_session(form_id), said, coder.who)
    address = f"/lab/forms/{quote(form_id, safe='')}/temas?{urlencode(asked.as_dict())}"
    return RedirectResponse(f"{address}#t-{quote(target)}", 303)


def _is_answer(request: Request, form_id: str, target: str) -> bool:
    form = read_form(request, form_id)
    with reading(request.app.state.engine) as session:
        records = usable_records(session, form_id, [target.partition("#")[0]])
    return any(piece.target == target for record in records for piece in pieces_of_record(form, answered(record)))


def _page(
    request: Request,
    form_id: str,
    coder: Person,
    asked: Asked,
    before: int | None,
    wrong: str | None = None,
    at: str = "",
) -> HTMLResponse:
    form, user = read_form(request, form_id), coder.who
    work = work_on(request, [sense_of(request).get(answers_session(form_id))], ())
    shown, older = _found(request, form_id, form, work, user, asked, before)
    if shown:
        note(request, coder, "read_record", form_id, count=len({piece.record for piece in shown}))
    scope = {
        "form_id": form_id,
        "title": form.title,
        "here": f"/lab/forms/{quote(form_id, safe='')}",
        "questions": form.labels,
        "places": place_labels(),
        "labels": {name: column.choice_labels(form.language) for name, column in form.segments.items()},
        "asked": asked.as_dict(),
        "more": f"?{urlencode(asked.as_dict() | {'before': older})}" if older is not None else "",
        "wrong": wrong,
        "at": at,
    }
    scope |= coding_scope(work, user, shown) | lab_scope(request, user, "")
    return page(request, "lab/open_answers.html", scope, status=200 if wrong is None else 422)


def _found(
    request: Request, form_id: str, form: OpenForm, work: Work, user: str, asked: Asked, before: int | None
) -> tuple[list[Piece], int | None]:
    """Return (a page of answers, the log number to go on from; None at the end). A record is never cut in two."""
    shown: list[Piece] = []
    looked_at = 0
    while looked_at < MOST_LOOKED_AT:
        with reading(request.app.state.engine) as session:
            records = newest_records(session, form_id, before, AT_ONCE)
        for record in records:
            pieces = pieces_of_record(form, answered(record))
            shown += [piece for piece in pieces if _is_wanted(piece, work, user, asked)]
            before = record.n
            if len(shown) >= PAGE_PIECES:
                return shown, before
        looked_at += len(records)
        if len(records) < AT_ONCE:
            return shown, None
    return shown, before


def _is_wanted(piece: Piece, work: Work, user: str, asked: Asked) -> bool:
    if asked.todo and user in work.coded.by_target.get(piece.target, {}):
        return False
    is_of_question = not asked.question or piece.question == asked.question
    return is_of_question and (not asked.q or finds(piece.text, asked.q))


# --- for other programs


@router.get("/{name}")
def get_file(request: Request, form_id: str, name: str, coder: Coder, purpose: Purpose) -> Response:
    """Give what is coded (textos.csv, proyecto.qdpx) or what may be quoted (comentarios.csv, participantes.csv)."""
    if name not in MEDIA_TYPES:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    note(request, coder, "export", form_id, purpose=purpose, file=name)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{form_id}-{name}', safe='')}"}
    return Response(_content(request, form_id, name), media_type=MEDIA_TYPES[name], headers=headers)


MEDIA_TYPES = {
    "textos.csv": "text/csv; charset=utf-8",
    "proyecto.qdpx": "application/zip",
    "comentarios.csv": "text/csv; charset=utf-8",
    "participantes.csv": "text/csv; charset=utf-8",
}


def _content(request: Request, form_id: str, name: str) -> str | bytes:
    if name in ("comentarios.csv", "participantes.csv"):
        pieces = _all_pieces(request, form_id)
        return comments_feed(pieces) if name == "comentarios.csv" else participants_feed(pieces)
    session = sense_of(request).get(answers_session(form_id))
    coded_pieces = list(coded_answers(request, form_id, session))
    work = work_on(request, [session], coded_pieces)
    if name == "textos.csv":
        return coded_csv(coded_pieces, work.coded)
    form, tongue = (
        read_form(request, form_id),
        Tongue(page_language(request), request.app.state.english, place_labels()),
    )
    segments = {key: column.label(form.language) for key, column in form.segments.items()}
    return qdpx(Project(form.title, work.book, work.coded, work.pieces, (), segments, tongue=tongue))


def _all_pieces(request: Request, form_id: str) -> Iterator[Piece]:
    """Give the open answers of every record, the newest first."""
    form, before = read_form(request, form_id), None
    while True:
        with reading(request.app.state.engine) as session:
            records = newest_records(session, form_id, before, AT_ONCE)
        for record in records:
            yield from pieces_of_record(form, answered(record))
            before = record.n
        if len(records) < AT_ONCE:
            return
