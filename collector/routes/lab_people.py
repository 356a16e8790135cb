"""The people of the lab, for its admins: accounts and roles, one-time passwords, who may still come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from collector import accounts
from collector.db import reading, writing
from collector.lab.audit_words import ROLE_SAYS, ROLE_WORDS
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.rights import ROLES
from collector.routes.access import Person, person_who_may, posted_fields
from collector.routes.audited import note_in, tidy_reason
from collector.routes.lab_opened import municipalities
from collector.routes.lab_scope import lab_scope
from collector.territory import place_labels

router = APIRouter(prefix="/lab/personas", include_in_schema=False)
Admin = Annotated[Person, Depends(person_who_may("people"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
HERE = "/lab/personas"


@dataclass(frozen=True)
class Told:
    """A password that is shown once: whose it is, and whether the account is new."""

    email: str
    password: str
    is_new: bool


@router.get("")
def show_people(request: Request, person: Admin, hecho: str = "") -> Response:
    """Show every account; hecho: the account that was changed just now."""
    return _page(request, person, done=hecho)


def _page(
    request: Request, person: Person, told: Told | None = None, trouble: ProblemError | None = None, done: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """typed: what somebody wrote who is not to write it again; of a change, with the account it was for."""
    with reading(request.app.state.engine) as session:
        users = people_queries.all_users(session)
    scope = lab_scope(request, person.who, HERE)
    scope.update(
        users=users,
        roles=ROLES,
        role_words=ROLE_WORDS,
        role_says=ROLE_SAYS,
        places=sorted((place_labels()[code], code) for code in municipalities()),
        labels=place_labels(),
        told=told,
        done=done,
        typed=typed or {},
        trouble=trouble.sentence(page_language(request)) if trouble else "",
    )
    return page(request, "lab/people.html", scope, status=trouble.problem.status if trouble else 200)


@router.post("")
def add_person(request: Request, person: Admin, posted: Posted) -> Response:
    """Make an account, and show its password once."""
    try:
        purpose = tidy_reason(posted.get("purpose", ""))
        role, place = posted.get("role", ""), accounts.place_named(posted.get("municipality", ""))
        with writing(request.app.state.engine) as session:
            email, password = accounts.invite(session, posted.get("email", ""), role, place)
            note_in(session, person, "account", email, purpose=purpose, what="added", **_role(role, place))
    except ProblemError as error:
        return _page(request, person, trouble=error, typed=posted)
    return _page(request, person, Told(email, password, True))


@router.post("/cambiar")
def change_person(request: Request, person: Admin, posted: Posted) -> Response:
    """Do to an account what the field `action` says: role, close, open, or reset (a new password, shown once)."""
    email, action = posted.get("email", ""), posted.get("action", "")
    try:
        purpose = tidy_reason(posted.get("purpose", ""))
        with writing(request.app.state.engine) as session:
            email = accounts.account(session, email).email
            password = _act(session, person, email, action, posted, purpose)
    except ProblemError as error:
        return _page(request, person, trouble=error, typed=posted)
    if password:
        return _page(request, person, Told(email, password, False))
    return RedirectResponse(f"{HERE}?{urlencode({'hecho': email})}", 303)


def _act(session: Session, person: Person, email: str, action: str, posted: dict[str, str], purpose: str) -> str:
    """Change the account and note it, in one transaction; return the new password of a reset, else ""."""
    if action == "role":
        role, place = posted.get("role", ""), accounts.place_named(posted.get("municipality", ""))
        before = _role(*accounts.change_role(session, email, role, place))
        note_in(session, person, "role", email, purpose=purpose, before=before, **_role(role, place))
        return ""
    if action == "reset":
        password = accounts.reset_password(session, email)
        note_in(session, person, "password", email, purpose=purpose, what="reset")
        return password
    if action not in ("close", "open"):
        raise ProblemError(PROBLEMS["bad_request"], reason="no dice qué hacer")
    (accounts.close if action == "close" else accounts.reopen)(session, email)
    note_in(session, person, "account", email, purpose=purpose, what="closed" if action == "close" else "opened")
    return ""


def _role(role: str, municipality: str) -> dict[str, Any]:
    return {"role": role} | ({"municipality": municipality} if role == accounts.OF_A_PLACE else {})
