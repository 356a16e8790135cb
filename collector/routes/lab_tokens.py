"""Tokens for programs: what each may read, until when and what for. Made by admins, shown once."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector import people
from collector.clock import now_ms
from collector.db import reading, writing
from collector.lab.audit_words import SCOPE_WORDS
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.rights import SCOPES
from collector.routes.access import Person, one_line, person_who_may, posted_fields, posted_pairs
from collector.routes.audited import note_in, tidy_reason
from collector.routes.lab_scope import lab_scope

router = APIRouter(prefix="/lab/fichas", include_in_schema=False)
Admin = Annotated[Person, Depends(person_who_may("people"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
HERE, PEOPLE = "/lab/fichas", "/lab/personas"  # the section it is a part of
POST_BYTES, MOST_FIELDS = 64 * 1024, 500
MOST_NAME = 60
MOST_DAYS = 3650
DAY_MS = 24 * 60 * 60 * 1000
DAYS = ("7", "30", "90", "365")


@router.get("")
def show_tokens(request: Request, person: Admin, hecho: str = "") -> Response:
    """Show every token, never itself: who made it, what it may do, when it was last used."""
    return _page(request, person, done=hecho)


def _page(
    request: Request, person: Person, made: str = "", trouble: ProblemError | None = None, done: str = "",
    typed: Mapping[str, str] | None = None, ticked: Sequence[str] = (),
) -> Response:  # fmt: skip
    """typed, ticked: what somebody wrote and ticked who is not to do it again."""
    with reading(request.app.state.engine) as session:
        tokens = people_queries.list_tokens(session)
    scope = lab_scope(request, person.who, PEOPLE)
    scope.update(
        tokens=[(each, people.forms_of(each)) for each in tokens],
        scopes=tuple(SCOPES),
        scope_words=SCOPE_WORDS,
        days=DAYS,
        forms=[(row.form_id, row.title) for row in request.app.state.forms.current()],
        now=now_ms(),
        made=made,
        done=done,
        typed=typed or {},
        ticked=ticked,
        trouble=trouble.sentence(page_language(request)) if trouble else "",
    )
    return page(request, "lab/tokens.html", scope, status=trouble.problem.status if trouble else 200)


@router.post("")
async def make_token(request: Request, person: Admin) -> Response:
    """Make a token and show it once."""
    pairs = await posted_pairs(request, POST_BYTES, MOST_FIELDS)
    return await run_in_threadpool(
        _make, request, person, dict(pairs), [text for name, text in pairs if name == "form"]
    )


def _make(request: Request, person: Person, posted: dict[str, str], forms: list[str]) -> Response:
    name = one_line(posted.get("name", ""), MOST_NAME)
    try:
        scope, purpose = _scope(posted), tidy_reason(posted.get("purpose", ""))
        expires_ms = expiry(posted.get("days", ""))
        with writing(request.app.state.engine) as session:
            people.refuse_taken(session, name)
            token = people.make_token(
                session, name, scope, forms=forms, expires_ms=expires_ms, purpose=purpose, made_by=person.who
            )
            note_in(session, person, "token", name, purpose=purpose, what="made", scope=scope, forms=sorted(forms))
    except ProblemError as error:
        return _page(request, person, trouble=error, typed=posted, ticked=forms)
    return _page(request, person, made=token)


def _scope(posted: dict[str, str]) -> str:
    if posted.get("scope") not in SCOPES:
        raise ProblemError(PROBLEMS["bad_request"], reason="no dice qué puede leer")
    return posted["scope"]


def expiry(days: str) -> int:
    """Return when a token made now for `days` ends, in ms. Raises ProblemError bad_request past ten years."""
    if not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"los días van de 1 a {MOST_DAYS}")
    return now_ms() + int(days) * DAY_MS


@router.post("/retirar")
def withdraw(request: Request, person: Admin, posted: Posted) -> Response:
    """Withdraw the tokens of a name: they open nothing from now on."""
    name = posted.get("name", "")
    try:
        purpose = tidy_reason(posted.get("purpose", ""))
        with writing(request.app.state.engine) as session:
            count = people.drop_tokens(session, name)
            note_in(session, person, "token", name, purpose=purpose, count=count, what="withdrawn")
    except ProblemError as error:
        return _page(request, person, trouble=error)
    return RedirectResponse(f"{HERE}?{urlencode({'hecho': name})}", 303)
