"""Who may open a page: the lab by log-in, facilitators by PIN, programs by token. Citizens need nothing."""

import time
from threading import Lock
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request, Response

from collector import people
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.web import read_body

LAB_COOKIE = "collector_session"
PIN_COOKIE = "collector_pin"
LAB_LOGIN = "/lab/login"
PIN_LOGIN = "/equipo/pin"
_DOOR_LOCK = Lock()


def lab_user(request: Request) -> str:
    """Return the address of the signed-in person of the lab. Raises ProblemError login_needed."""
    subject = _subject(request, LAB_COOKIE)
    if subject is None or subject == people.PIN_SUBJECT:
        raise _login_needed(request, LAB_LOGIN)
    return subject


def facilitator(request: Request) -> str:
    """Return "pin" when this browser gave the PIN. Raises ProblemError login_needed."""
    if _subject(request, PIN_COOKIE) != people.PIN_SUBJECT:
        raise _login_needed(request, PIN_LOGIN)
    return people.PIN_SUBJECT


def api_client(request: Request) -> str:
    """Return the name of the Bearer token of this request. Raises ProblemError token_invalid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    with reading(request.app.state.engine) as session:
        name = people.check_token(session, token.strip()) if scheme.lower() == "bearer" else None
    if name is None:
        raise ProblemError(PROBLEMS["token_invalid"])
    return name


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


def sign_in_lab(request: Request, email: str, password: str) -> str | None:
    """Return the token of a new lab session, or None when the secret is wrong. Raises too_many_tries."""
    address = people.tidy_email(email)
    place = _place(request)
    _door(request).enter(address, place)
    with reading(request.app.state.engine) as session:
        found = people.check_password(session, address, password)
    return _outcome(request, found, address, place)


def sign_in_facilitator(request: Request, pin: str) -> str | None:
    """Return the token of a new facilitator session, or None when the PIN is wrong. Raises too_many_tries."""
    place = _place(request)
    _door(request).enter(people.PIN_SUBJECT, place)
    with reading(request.app.state.engine) as session:
        matches = people.check_pin(session, pin)
    return _outcome(request, people.PIN_SUBJECT if matches else None, people.PIN_SUBJECT, place)


def _outcome(request: Request, subject: str | None, account: str, place: str) -> str | None:
    if subject is None:
        return None
    _door(request).right(account, place)
    with writing(request.app.state.engine) as session:
        return people.start_session(session, subject)


def sign_out(request: Request, response: Response, cookie: str) -> None:
    """Forget the session behind `cookie` and take the cookie back."""
    token = request.cookies.get(cookie, "")
    if token:
        with writing(request.app.state.engine) as session:
            people.end_session(session, token)
    response.delete_cookie(cookie, path="/")


def set_cookie(request: Request, response: Response, cookie: str, token: str) -> None:
    """Put the token in the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie,
        token,
        max_age=people.SESSION_MS // 1000,
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


def _place(request: Request) -> str:
    return request.client.host if request.client else ""


def _door(request: Request) -> people.Door:
    """Return the lock-out of this node: one an application, made when first needed."""
    state = request.app.state
    with _DOOR_LOCK:
        if not hasattr(state, "door"):
            state.door = people.Door(time.monotonic)
        door: people.Door = state.door
    return door
