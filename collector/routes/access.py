"""Who may open a page: the lab by log-in, facilitators by PIN, programs by token. Citizens need nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request, Response

from collector import people, second_step
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.rights import HOMES, SCOPES, has_right
from collector.web import read_body

LAB_COOKIE = "collector_session"
PIN_COOKIE = "collector_pin"
CODE_COOKIE = "collector_code"
LAB_LOGIN = "/lab/login"
OWN_ACCOUNT = "/lab/cuenta"
PIN_LOGIN = "/equipo/pin"
# who gave the right password and owes a code: a subject that no address can be, so that it signs nobody in
OWES_CODE = "code "
CODE_MS = 5 * 60 * 1000
_DOOR_LOCK = Lock()


@dataclass(frozen=True)
class Person:
    """Who is signed in, or the program behind a token. who: an e-mail, or "token NAME".

    municipality: code of the only place that a person of that role may see. forms: the only forms a token may read,
    None for all. purpose: what a token's maker said its data is for, "" for people. must_change: the password was
    given by an admin, and nothing opens before it is changed.
    """

    who: str
    role: str
    municipality: str = ""
    forms: frozenset[str] | None = None
    purpose: str = ""
    must_change: bool = False

    def may(self, right: str) -> bool:
        """Tell whether the person has this right (collector/rights.py)."""
        return has_right(self.role, right)

    def may_read(self, form_id: str) -> bool:
        """Tell whether the records of this form are open to the person."""
        return self.forms is None or form_id in self.forms


def signed_in(request: Request) -> Person:
    """Return who is signed in to the lab, whatever their role. Raises ProblemError login_needed."""
    subject = _subject(request, LAB_COOKIE)
    person = None if subject in (None, people.PIN_SUBJECT) else _person(request, str(subject))
    if person is None:
        raise _login_needed(request, LAB_LOGIN)
    request.state.person = person  # the pages' bands show what this person may open
    return person


def _person(request: Request, email: str) -> Person | None:
    with reading(request.app.state.engine) as session:
        account = people_queries.get_user(session, email)
    if account is None or account.closed_ms:
        return None
    return Person(account.email, account.role, account.municipality, must_change=bool(account.must_change))


def person_who_may(right: str) -> Callable[[Request], Person]:
    """Return a dependency that gives the signed-in person. It raises login_needed, or right_missing.

    Whoever came in with a password from an admin is led to change it first.
    """

    def person(request: Request) -> Person:
        found = signed_in(request)
        if found.must_change and right != "self":
            raise ProblemError(PROBLEMS["login_needed"], login=OWN_ACCOUNT)
        if not found.may(right):
            raise ProblemError(PROBLEMS["right_missing"], role=found.role, right=right)
        return found

    return person


def who_may(right: str) -> Callable[[Request], str]:
    """Return a dependency that gives the address of the signed-in person, as `person_who_may` does."""
    person = person_who_may(right)

    def who(request: Request) -> str:
        return person(request).who

    return who


lab_user = who_may("see")


def facilitator(request: Request) -> str:
    """Return "pin" when this browser gave the PIN. Raises ProblemError login_needed."""
    if _subject(request, PIN_COOKIE) != people.PIN_SUBJECT:
        raise _login_needed(request, PIN_LOGIN)
    return people.PIN_SUBJECT


def api_client(request: Request) -> Person:
    """Return the program of the Bearer token of this request. Raises ProblemError token_invalid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    engine = request.app.state.engine
    with reading(engine) as session:
        found = people.check_token(session, token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise ProblemError(PROBLEMS["token_invalid"])
    if not found.is_noted:
        with writing(engine) as session:
            people.note_use(session, token.strip())
    return Person(f"token {found.name}", SCOPES[found.scope], "", found.only_forms, found.purpose)


def _subject(request: Request, cookie: str) -> str | None:
    token = request.cookies.get(cookie, "")
    if not token:
        return None
    with reading(request.app.state.engine) as session:
        return people.session_subject(session, token)


def _login_needed(request: Request, login: str) -> ProblemError:
    """Name in `login` where to sign in and come back from; a POST cannot be repeated, so it comes back to the start."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else ""
    return ProblemError(PROBLEMS["login_needed"], login=f"{login}?next={quote(back, safe='')}" if back else login)


def local_path(path: str, otherwise: str) -> str:
    """Return `path` when it leads to this node, else `otherwise`: a log-in must not send people elsewhere."""
    try:
        parts = urlsplit(path)
    except ValueError:  # such as http://[
        return otherwise
    is_local = path.startswith("/") and path[1:2] not in ("/", "\\") and not parts.scheme and not parts.netloc
    return path if is_local and path.isprintable() and "\\" not in path else otherwise


@dataclass(frozen=True)
class SignedIn:
    """A log-in that went well. token: for the cookie; owes_code: the second step is still to come; home: where to."""

    token: str
    owes_code: bool
    home: str


def sign_in_lab(request: Request, email: str, password: str) -> SignedIn | None:
    """Sign somebody in by password, or None when it is wrong. Raises too_many_tries."""
    address = people.tidy_email(email)
    with trying(request, address) as right, reading(request.app.state.engine) as session:
        found = people.check_password(session, address, password)
        account = people_queries.get_user(session, found) if found else None
        if account is None:
            return None
        right()
        owes_code, home = bool(account.totp_secret), OWN_ACCOUNT if account.must_change else HOMES[account.role]
    subject, lasts_ms = (OWES_CODE + address, CODE_MS) if owes_code else (address, people.SESSION_MS)
    with writing(request.app.state.engine) as session:
        return SignedIn(people.start_session(session, subject, lasts_ms), owes_code, home)


def sign_in_by_code(request: Request, code: str) -> SignedIn:
    """Go the second step. Raises too_many_tries, code_failed, and login_needed where the first was too long ago."""
    owing = _subject(request, CODE_COOKIE) or ""
    if not owing.startswith(OWES_CODE):
        raise _login_needed(request, LAB_LOGIN)
    with trying(request, owing) as right, writing(request.app.state.engine) as session:
        account = people_queries.get_user(session, owing.removeprefix(OWES_CODE))
        if account is None or account.closed_ms:
            raise _login_needed(request, LAB_LOGIN)
        second_step.check_code(session, account.email, account.totp_secret, code)
        right()
        people.end_session(session, request.cookies[CODE_COOKIE])
        home = OWN_ACCOUNT if account.must_change else HOMES[account.role]
        return SignedIn(people.start_session(session, account.email), False, home)


@contextmanager
def trying(request: Request, account: str) -> Iterator[Callable[[], None]]:
    """Count a try at a secret of `account`; call what is given when it was right. Raises too_many_tries."""
    place = request.client.host if request.client else ""
    door = _door(request)
    door.enter(account, place)
    yield lambda: door.right(account, place)


def sign_in_facilitator(request: Request, pin: str) -> str | None:
    """Return the token of a new facilitator session, or None when the PIN is wrong. Raises too_many_tries."""
    with trying(request, people.PIN_SUBJECT) as right:
        with reading(request.app.state.engine) as session:
            if not people.check_pin(session, pin):
                return None
        right()
    with writing(request.app.state.engine) as session:
        return people.start_session(session, people.PIN_SUBJECT)


def sign_out(request: Request, response: Response, cookie: str) -> None:
    """Forget the session behind `cookie` and take the cookie back."""
    token = request.cookies.get(cookie, "")
    if token:
        with writing(request.app.state.engine) as session:
            people.end_session(session, token)
    response.delete_cookie(cookie, path="/")


def set_cookie(
    request: Request, response: Response, cookie: str, token: str, lasts_ms: int = people.SESSION_MS
) -> None:
    """Put the token in the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie,
        token,
        max_age=lasts_ms // 1000,
        path="/",
        secure=request.app.state.settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )


async def posted_fields(request: Request) -> dict[str, str]:
    """Read a small plain form: name -> first value. Raises ProblemError too_large past 16 KiB."""
    pairs = await posted_pairs(request, 16 * 1024, 50)
    return dict(reversed(pairs))


async def posted_pairs(request: Request, most_bytes: int, most_fields: int) -> list[tuple[str, str]]:
    """Read a plain form: (name, value) in order. Raises ProblemError too_large, and bad_request for what is no form."""
    body = await read_body(request, most_bytes)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most_fields)
    except ValueError as error:
        raise ProblemError(PROBLEMS["bad_request"], reason="el formulario llegó dañado") from error


def one_line(text: str, most: int) -> str:
    """Return what a person typed as one line of at most `most` letters, without U+0000: no record can hold that."""
    return " ".join(text.replace("\0", " ").split())[:most]


def _door(request: Request) -> people.Door:
    """Return the lock-out of this node: one an application, made when first needed."""
    state = request.app.state
    with _DOOR_LOCK:
        if not hasattr(state, "door"):
            state.door = people.Door(time.monotonic)
        door: people.Door = state.door
    return door
