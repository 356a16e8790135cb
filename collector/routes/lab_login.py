"""The way into the lab and out of it: e-mail and password, then a code where the person asked for one."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from collector import people
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.routes.access import (
    CODE_COOKIE,
    CODE_MS,
    LAB_COOKIE,
    LAB_LOGIN,
    OWN_ACCOUNT,
    SignedIn,
    local_path,
    posted_fields,
    set_cookie,
    sign_in_by_code,
    sign_in_lab,
    sign_out,
)
from collector.routes.lab_scope import lab_scope

router = APIRouter(prefix="/lab", include_in_schema=False)
Posted = Annotated[dict[str, str], Depends(posted_fields)]
ANYWHERE = "/lab"  # where a log-in leads that nobody was on the way to: each role has a home of its own
CODE_PAGE = f"{LAB_LOGIN}/codigo"


@router.get("/login")
def show_login(request: Request, next: str = ANYWHERE) -> Response:
    """Show the log-in page. A fragment asked for by a browser whose session ended leaves for the page itself."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": f"{LAB_LOGIN}?next={quote(next, safe='')}"})
    return _login_page(request, next)


@router.post("/login")
def log_in(request: Request, posted: Posted) -> Response:
    """Sign in, or go on to the code; with a wrong secret show the page again."""
    email, target = posted.get("email", ""), local_path(posted.get("next", ""), ANYWHERE)
    try:
        found = sign_in_lab(request, email, posted.get("password", ""))
    except ProblemError as locked:
        return _login_page(request, target, email, locked)
    if found is None:
        return _login_page(request, target, email, ProblemError(PROBLEMS["login_failed"]))
    if found.owes_code:
        response = RedirectResponse(f"{CODE_PAGE}?{urlencode({'next': target})}", 303)
        set_cookie(request, response, CODE_COOKIE, found.token, CODE_MS)
        return response
    return _welcome(request, found, target)


def _welcome(request: Request, found: SignedIn, target: str) -> Response:
    """Let the browser in: to where the person was going, to the home of the role, or to a new password."""
    is_due = found.home == OWN_ACCOUNT
    response = RedirectResponse(found.home if is_due or target == ANYWHERE else target, 303)
    set_cookie(request, response, LAB_COOKIE, found.token, people.SESSION_MS)
    return response


def _login_page(request: Request, target: str, email: str = "", trouble: ProblemError | None = None) -> Response:
    return _page(request, "lab/login.html", target, trouble, email=email)


def _page(request: Request, template: str, target: str, trouble: ProblemError | None, **more: object) -> Response:
    scope = lab_scope(request, "", "")
    sentence = trouble.sentence(page_language(request)) if trouble else ""
    scope.update(nav=[], trouble=sentence, target=local_path(target, ANYWHERE), **more)
    return page(request, template, scope, status=trouble.problem.status if trouble else 200)


@router.get("/login/codigo")
def show_code(request: Request, next: str = ANYWHERE) -> Response:
    """Ask for the code of the second step."""
    return _page(request, "lab/login_code.html", next, None)


@router.post("/login/codigo")
def give_code(request: Request, posted: Posted) -> Response:
    """Sign in by the code; where the password was given too long ago, begin again."""
    target = local_path(posted.get("next", ""), ANYWHERE)
    try:
        found = sign_in_by_code(request, posted.get("code", ""))
    except ProblemError as error:
        if error.problem.code == "login_needed":
            return RedirectResponse(f"{LAB_LOGIN}?{urlencode({'next': target})}", 303)
        return _page(request, "lab/login_code.html", target, error)
    response = _welcome(request, found, target)
    response.delete_cookie(CODE_COOKIE, path="/")
    return response


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Sign out, whoever it is."""
    response = RedirectResponse(LAB_LOGIN, 303)
    sign_out(request, response, LAB_COOKIE)
    return response
