"""One's own account: the password, the second step, and the browsers that are signed in. For every role."""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from collector import accounts, people, second_step
from collector.clock import now_ms
from collector.db import reading, writing
from collector.lab.audit_words import ROLE_SAYS, ROLE_WORDS
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.routes.access import LAB_COOKIE, OWN_ACCOUNT, Person, person_who_may, posted_fields, trying
from collector.routes.audited import note_in
from collector.routes.lab_scope import lab_scope

router = APIRouter(prefix="/lab/cuenta", include_in_schema=False)
Self = Annotated[Person, Depends(person_who_may("self"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
SHOWN_OF_HASH = 16  # enough to tell one's browsers apart
SECOND_STEP = f"{OWN_ACCOUNT}/codigos"
OWN = "own "  # what the lock-out counts guesses at a password from inside by


@router.get("")
def show_account(request: Request, person: Self, hecho: str = "") -> Response:
    """Show one's account; hecho: what was done just now."""
    return _page(request, person, hecho)


def _page(request: Request, person: Person, done: str = "", trouble: ProblemError | None = None) -> Response:
    here, moment = people.token_hash(request.cookies.get(LAB_COOKIE, "")), now_ms()
    with reading(request.app.state.engine) as session:
        account = accounts.account(session, person.who)
        browsers = [
            (each.token_sha256[:SHOWN_OF_HASH], each.expires_ms - people.SESSION_MS, each.token_sha256 == here)
            for each in people_queries.list_sessions(session, person.who, moment)
        ]
    scope = _scope(request, person, trouble)
    scope.update(browsers=browsers, has_code=bool(account.totp_secret), must_change=person.must_change, done=done)
    return page(request, "lab/account.html", scope, status=trouble.problem.status if trouble else 200)


def _scope(request: Request, person: Person, trouble: ProblemError | None) -> dict[str, Any]:
    sentence = trouble.sentence(page_language(request)) if trouble else ""
    return lab_scope(request, person.who, OWN_ACCOUNT) | {
        "role": person.role,
        "role_words": ROLE_WORDS,
        "role_says": ROLE_SAYS,
        "trouble": sentence,
        "least": people.LEAST_PASSWORD,
    }


@router.post("/clave")
def change_password(request: Request, person: Self, posted: Posted) -> Response:
    """Change the password. It asks for the present one; the person's other browsers are signed out."""
    old, new, again = (posted.get(name, "") for name in ("old", "new", "again"))
    try:
        if new != again:
            raise ProblemError(PROBLEMS["password_twice"])
        with trying(request, OWN + person.who) as right, writing(request.app.state.engine) as session:
            accounts.change_password(session, person.who, old, new, request.cookies[LAB_COOKIE])
            note_in(session, person, "password", person.who)
            right()
    except ProblemError as error:
        return _page(request, person, trouble=error)
    return _back("clave")


def _back(done: str) -> Response:
    return RedirectResponse(f"{OWN_ACCOUNT}?hecho={done}", 303)


# --- the second step


@router.get("/codigos")
def show_second_step(request: Request, person: Self) -> Response:
    """Show a new secret as a picture and in letters. It counts only once its first code was given back."""
    return _second_step_page(request, person, second_step.new_secret())


def _second_step_page(request: Request, person: Person, secret: str, trouble: ProblemError | None = None) -> Response:
    code = segno.make(second_step.address_of(secret, person.who), error="m", micro=False)
    svg = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    scope = _scope(request, person, trouble)
    scope.update(secret=secret, qr=Markup(svg))  # noqa: S704 - segno draws it, the text is in no part of it
    return page(request, "lab/second_step.html", scope, status=trouble.problem.status if trouble else 200)


@router.post("/codigos")
def begin_second_step(request: Request, person: Self, posted: Posted) -> Response:
    """Ask for codes from now on, when password and first code are right."""
    secret = posted.get("secret", "")
    if not second_step.SECRET.fullmatch(secret):
        return RedirectResponse(SECOND_STEP, 303)
    try:
        with trying(request, OWN + person.who) as right, writing(request.app.state.engine) as session:
            accounts.begin_second_step(session, person.who, posted.get("password", ""), secret, posted.get("code", ""))
            note_in(session, person, "code", person.who, what="on")
            right()
    except ProblemError as error:
        return _second_step_page(request, person, secret, error)
    return _back("codigos")


@router.post("/codigos/quitar")
def end_second_step(request: Request, person: Self, posted: Posted) -> Response:
    """Ask for the password alone from now on."""
    try:
        with trying(request, OWN + person.who) as right, writing(request.app.state.engine) as session:
            accounts.end_second_step(session, person.who, posted.get("password", ""))
            note_in(session, person, "code", person.who, what="off")
            right()
    except ProblemError as error:
        return _page(request, person, trouble=error)
    return _back("sin-codigos")


# --- browsers


@router.post("/navegadores")
def end_browser(request: Request, person: Self, posted: Posted) -> Response:
    """Sign one of the person's own browsers out, or ("others") all but this one."""
    here, wanted = people.token_hash(request.cookies[LAB_COOKIE]), posted.get("browser", "")
    with writing(request.app.state.engine) as session:
        if wanted == "others":
            people_queries.end_other_sessions(session, person.who, here)
        for each in people_queries.list_sessions(session, person.who, now_ms()):
            if each.token_sha256[:SHOWN_OF_HASH] == wanted:
                people_queries.end_session(session, each.token_sha256)
    return _back("navegadores")
