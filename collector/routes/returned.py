"""What came back to whoever collected it: records with issues, on the tablet by its PIN and in the lab by log-in.

They say what they know, or correct the record (routes/lab_edit.py); whoever reviews sees it in the record's history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from collector.db import reading
from collector.lab.reviewing import MOST_COMMENT, is_answered, last_comment
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import reviews
from collector.review_store import Reader, Story, say
from collector.routes import access
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import note, note_in
from collector.routes.lab_scope import lab_scope
from collector.routes.reviewed import FACILITATOR, reader_of, story_scope
from collector.routes.staff_scope import staff_scope
from collector.tables.log import Record

router = APIRouter(include_in_schema=False)
Before = Annotated[int | None, Query(ge=0, le=2**53)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
PAGE = 50
TABLET, LAB = "/equipo/avisos", "/lab/avisos"


def facilitator_here(_who: Annotated[str, Depends(access.facilitator)]) -> Person:
    """Return the team of this tablet, which gave the PIN."""
    return FACILITATOR


Team = Annotated[Person, Depends(facilitator_here)]
Answerer = Annotated[Person, Depends(person_who_may("answer"))]


@router.get(TABLET)
def show_to_team(request: Request, team: Team, before: Before = None) -> Response:
    """List what came back of the records that were born on this node."""
    return _list(request, team, TABLET, before)


@router.get(LAB)
def show_to_facilitator(request: Request, person: Answerer, before: Before = None) -> Response:
    """List what came back of every record here."""
    return _list(request, person, LAB, before)


@router.get(TABLET + "/{record_id}")
def show_one_to_team(request: Request, team: Team, record_id: str) -> Response:
    """Show one record, what is asked about it, and where to answer."""
    return _one(request, team, TABLET, record_id)


@router.get(LAB + "/{record_id}")
def show_one_to_facilitator(request: Request, person: Answerer, record_id: str) -> Response:
    """Show one record, what is asked about it, and where to answer."""
    return _one(request, person, LAB, record_id)


@router.post(TABLET + "/{record_id}")
def answer_by_team(request: Request, team: Team, record_id: str, posted: Posted) -> Response:
    """Keep the answer; it goes up with everything else."""
    return _answer(request, team, TABLET, record_id, posted)


@router.post(LAB + "/{record_id}")
def answer_by_facilitator(request: Request, person: Answerer, record_id: str, posted: Posted) -> Response:
    """Keep the answer."""
    return _answer(request, person, LAB, record_id, posted)


def scope_of(request: Request, person: Person, home: str) -> dict[str, Any]:
    """Return what the frame of the page asks for: that of the team, or that of the lab."""
    times = lab_scope(request, person.who, home)
    if home == LAB:
        return times | {"layout": "lab/_base.html", "home_of_notices": home}
    kept = {name: times[name] for name in ("ago", "local", "moment")}
    return staff_scope(request, home) | kept | {"home_of_notices": home}


def origins_of(request: Request, home: str) -> tuple[str, ...] | None:
    """Return whose records are meant: on a tablet its own alone, in the lab all of them (None)."""
    return None if home == LAB else ("", request.app.state.node_id)


# --- the list


@dataclass(frozen=True)
class Line:
    """A record that came back: what is asked, whether somebody answered, and where it was born ("" for this node)."""

    record: Record
    title: str
    comment: str
    is_answered: bool
    node: str


def _list(request: Request, person: Person, home: str, before: int | None) -> Response:
    reader = reader_of(request, False)
    forms = sorted({row.form_id for row in reader.forms.versions()})
    with reading(request.app.state.engine) as session:
        found = reviews.returned(session, forms, origins_of(request, home), before, PAGE + 1)
        words = reviews.words_of(session, [record.id for record in found[:PAGE]])
        names = lab_queries.node_names(session)
    scope = scope_of(request, person, home)
    lines = [_line(record, reader, words.get(record.id, ()), names) for record in found[:PAGE]]
    older = found[PAGE - 1].n if len(found) > PAGE else None
    scope.update(lines=lines, older=older, before=before, done=request.query_params.get("done", ""))
    return page(request, "lab/returned.html", scope)


def _line(record: Record, reader: Reader, words: Sequence[Record], names: dict[str, str]) -> Line:
    told = reader.told(words)
    node = names.get(record.origin, record.origin[:8])
    return Line(record, reader.title(record.form), last_comment(told), is_answered(told), node)


# --- one record


def _one(request: Request, person: Person, home: str, record_id: str, trouble: ProblemError | None = None) -> Response:
    note(request, person, "read_record", record_id, count=1)
    told = story_scope(request, record_id, person.may("identifiers"))
    may_be_met(request, home, told["story"])
    scope = scope_of(request, person, home) | told
    scope["trouble"] = trouble.sentence(page_language(request)) if trouble else ""
    return page(request, "lab/returned_one.html", scope, status=trouble.problem.status if trouble else 200)


def may_be_met(request: Request, home: str, story: Story) -> None:
    """Let a page of a record go on that came back, or was answered. Raises ProblemError record_not_found."""
    origins = origins_of(request, home)
    is_theirs = origins is None or story.record.origin in origins
    if not is_theirs or not any(event.state == "has_issues" for event in story.events):
        raise ProblemError(PROBLEMS["record_not_found"], id=story.record.id)


def _answer(request: Request, person: Person, home: str, record_id: str, posted: dict[str, str]) -> Response:
    story = story_scope(request, record_id, False)["story"]
    may_be_met(request, home, story)
    comment = one_line(posted.get("comment", ""), MOST_COMMENT)

    def noted(session: Session, count: int) -> None:
        note_in(session, person, "review", record_id, count=count, state="comment")

    try:
        say(request.app.state.engine, story.record.form, [record_id], person.who, comment, noted)
    except ProblemError as error:
        return _one(request, person, home, record_id, error)
    request.app.state.kick()
    return RedirectResponse(f"{home}?done=1", 303)
