"""What the addresses of ODK share: who asks, in the ways its clients know, and errors as those clients read them.

Authorization: Bearer TOKEN     a session of POST /v1/sessions (64 characters), or a token of ours ("col_…")
Authorization: Basic …          an account of the lab; Power BI, Excel and R ask so
/v1/key/KEY/…                   a device (64 characters)
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from collector import people
from collector.clock import now_ms
from collector.db import reading, writing
from collector.odk_problems import OdkError
from collector.odk_receiving import Desk, Sender
from collector.odk_submissions import Shelf
from collector.problems import ProblemError
from collector.queries import odk
from collector.queries import people as people_queries
from collector.queries.odk import AppUser
from collector.routes.access import Person, api_client, one_line, trying
from collector.routes.audited import LEAST_PURPOSE, MOST_PURPOSE, note
from collector.web import read_body

PROJECT = "1"
PLACES_TYPE = "application/json; charset=utf-8"  # of GeoJSON, as Central sends it
KEY = re.compile(r"[A-Za-z0-9!$]{64}")
KNOWN_SECONDS = 300.0
MOST_KNOWN = 200
_LOCK = Lock()
# what of our own errors a client of ODK knows by another number
TRANSLATED = {
    "too_many_tries": ("wait", ("seconds",)), "too_large": ("too_large", ("size", "limit")),
    "token_invalid": ("login", ()), "login_needed": ("login", ()), "right_missing": ("rights", ()),
    "form_not_found": ("not_found", ()), "not_found": ("not_found", ()),
}  # fmt: skip


class OdkRoute(APIRoute):
    """A route that answers every problem as ODK's clients read it."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answer(request)
            except OdkError as error:
                return self.answer_problem(error)
            except ProblemError as error:
                return self.answer_problem(_translated(error))
            except RequestValidationError as error:
                first = error.errors()[0]
                return self.answer_problem(OdkError("missing", field=".".join(map(str, first["loc"]))))

        return handler

    def answer_problem(self, error: OdkError) -> Response:
        """Return the answer to a problem: JSON with its number."""
        return problem_response(error)


def problem_response(error: OdkError) -> Response:
    """Return a problem as JSON: {"message", "code", "details"}."""
    headers = {"Retry-After": str(error.values["seconds"])} if "seconds" in error.values else {}
    return JSONResponse(error.as_json(), error.row.status, headers)


def _translated(error: ProblemError) -> OdkError:
    """Return what an error of ours is to a client of ODK."""
    name, kept = TRANSLATED.get(error.problem.code, ("internal", ()))
    if name == "internal":
        return OdkError(name, reason=error.sentence("es"))
    return OdkError(name, **{each: error.values.get(each, "") for each in kept})


# --- people


def asker(request: Request) -> Person:
    """Return who asks. Raises OdkError login, rights (nobody said who they are), change_password, wait."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer" and given.startswith("col_"):
        return api_client(request)
    if scheme.lower() == "bearer":
        return _of_session(request, given)
    if scheme.lower() == "basic":
        return _of_password(request, given)
    raise OdkError("rights")


def who_may(right: str) -> Callable[[Request], Person]:
    """Return a dependency that gives who asks, if they have a right. It raises what `asker` raises."""

    def person(request: Request) -> Person:
        found = asker(request)
        if not found.may(right):
            raise OdkError("rights")
        return found

    return person


def _of_session(request: Request, token: str) -> Person:
    with reading(request.app.state.engine) as session:
        subject = people.session_subject(session, token) if KEY.fullmatch(token) else None
    return _account(request, subject or "")


def _account(request: Request, email: str) -> Person:
    with reading(request.app.state.engine) as session:
        account = people_queries.get_user(session, email) if email else None
    if account is None or account.closed_ms:
        raise OdkError("login")
    if account.must_change:
        raise OdkError("change_password")
    return Person(account.email, account.role, account.municipality)


def open_session(request: Request, email: str, password: str) -> str:
    """Check a password; return the token of a new session: 64 characters. Raises OdkError login, too_many_tries.

    An account with a second step is refused: a program has no phone.
    """
    address = people.tidy_email(email)
    engine = request.app.state.engine
    with trying(request, address) as right:
        with reading(engine) as session:
            found = people.check_password(session, address, password)
            account = people_queries.get_user(session, found) if found else None
            if account is None or account.totp_secret:
                raise OdkError("login")
        right()
    _account(request, address)
    token = secrets.token_hex(32)
    with writing(engine) as session:
        people_queries.drop_expired_sessions(session, now_ms())
        people_queries.add_session(session, people.token_hash(token), address, now_ms() + people.SESSION_MS)
    return token


class _Known:
    """Sessions of those who send their password with every request: a hash of it is costly on purpose.

    In memory alone, for five minutes, and no longer than the session itself, which a new password ends.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._tokens = clock, OrderedDict[str, tuple[str, float]]()
        self._lock = Lock()

    def get(self, given: str) -> str:
        """Return the token of a session, "" for none."""
        with self._lock:
            token, until = self._tokens.get(_mark(given), ("", 0.0))
            return token if until > self._clock() else ""

    def put(self, given: str, token: str) -> None:
        """Keep the token of a session."""
        with self._lock:
            self._tokens[_mark(given)] = (token, self._clock() + KNOWN_SECONDS)
            while len(self._tokens) > MOST_KNOWN:
                self._tokens.popitem(last=False)


def _mark(given: str) -> str:
    return hashlib.sha256(given.encode()).hexdigest()


def _known_of(request: Request) -> _Known:
    state = request.app.state
    with _LOCK:
        if not hasattr(state, "odk_known"):
            state.odk_known = _Known(time.monotonic)
        known: _Known = state.odk_known
    return known


def _of_password(request: Request, given: str) -> Person:
    known = _known_of(request)
    token = known.get(given)
    if token:
        try:
            return _of_session(request, token)
        except OdkError:
            token = ""
    try:
        email, mark, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise OdkError("login") from error
    if not mark:
        raise OdkError("login")
    token = open_session(request, email, password)
    known.put(given, token)
    return _of_session(request, token)


def purpose_of(request: Request, person: Person) -> str:
    """Return what the data is for: of the token, as the request says it, else which program asked.

    Clients of ODK have no place for it, and one that cannot say it must not be shut out: the audit names the program.
    """
    said = one_line(request.query_params.get("purpose", "") or request.headers.get("x-purpose", ""), MOST_PURPOSE)
    if person.purpose or len(said) >= LEAST_PURPOSE:
        return person.purpose or said
    return one_line(f"cliente ODK: {request.headers.get('user-agent', '')}", MOST_PURPOSE)


# --- devices


def device_of(request: Request, key: str) -> AppUser:
    """Return the device of a key. Raises OdkError login (no such key could be), rights (unknown, or withdrawn)."""
    if not KEY.fullmatch(key):
        raise OdkError("login")
    with reading(request.app.state.engine) as session:
        user = odk.app_user(session, people.token_hash(key))
    if user is None or user.revoked:
        raise OdkError("rights")
    return user


def new_key() -> str:
    """Return the key of a device: 64 characters."""
    return secrets.token_hex(32)


# --- what a request is about


def project(project_id: str) -> str:
    """Return the only project there is. Raises OdkError not_found."""
    if project_id != PROJECT:
        raise OdkError("not_found")
    return project_id


Project = Annotated[str, Depends(project)]


def shelf_of(request: Request, person: Person, form_id: str) -> Shelf:
    """Return the submissions of a form for one who asks. Raises OdkError not_found, rights."""
    state = request.app.state
    if not state.forms.versions(form_id):
        raise OdkError("not_found")
    if not person.may_read(form_id):
        raise OdkError("rights")
    return Shelf(state.engine, state.forms, form_id, person.may("identifiers"), str(state.node_id))


def desk_of(request: Request) -> Desk:
    """Return where submissions are taken."""
    state = request.app.state
    return Desk(state.engine, state.forms, state.check)


def sender_of(request: Request, person: Person) -> Sender:
    """Return a person as one who sends."""
    with writing(request.app.state.engine) as session:
        number = odk.actor_id(session, person.who)
    agent = request.headers.get("user-agent", "")
    return Sender(number, person.who, request.query_params.get("deviceID", ""), agent)


def said_yes(request: Request, name: str) -> bool:
    """Tell whether a parameter says true, in any letters: some clients send "True"."""
    return request.query_params.get(name, "").lower() == "true"


def said_no(request: Request, name: str) -> bool:
    """Tell whether a parameter says false."""
    return request.query_params.get(name, "").lower() == "false"


def places_asked(request: Request) -> tuple[str, ...]:
    """Return the paths of the places that `fieldpath` names, each once; () for the one that a form shows by itself."""
    return tuple(dict.fromkeys(path for path in request.query_params.getlist("fieldpath") if path))


def record_note(request: Request, person: Person, action: str, subject: str, **detail: Any) -> None:
    """Note in the audit what a person did by a client of ODK."""
    note(request, person, action, subject, purpose=purpose_of(request, person), **detail)


async def json_body(request: Request) -> dict[str, Any]:
    """Return a small JSON object. Raises OdkError unparseable, ProblemError too_large."""
    body = await read_body(request, 64 * 1024)
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise OdkError("unparseable", format="json", reason=str(error)[:200]) from error
    if not isinstance(found, dict):
        raise OdkError("unparseable", format="json", reason="no object")
    return found
