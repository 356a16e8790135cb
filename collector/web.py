"""What every request passes: safety headers, the Origin check on posts, and bodies read up to a limit."""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.problems import PROBLEMS, ProblemError

CONTENT_SECURITY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Collector": "1",  # tells our answers from a captive portal's
}
# the survey stands inside the kiosk page of the same node (routes/kiosk.py), and in no other
FRAMED_HEADERS = HEADERS | {
    "Content-Security-Policy": CONTENT_SECURITY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
}
FORM_LIMIT = 1024 * 1024
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RawHeaders = list[tuple[bytes, bytes]]


def headers_of(path: str) -> dict[str, str]:
    """Return the headers that every answer of this path carries."""
    return FRAMED_HEADERS if path.startswith("/f/") else HEADERS


def as_sent(headers: dict[str, str]) -> RawHeaders:
    """Return headers as they leave when a route says nothing else: made once, every answer carries them."""
    every = headers | {"Cache-Control": "no-store"}
    return [(name.lower().encode(), value.encode()) for name, value in every.items()]


SENT, SENT_FRAMED = as_sent(HEADERS), as_sent(FRAMED_HEADERS)


def wants_html(request: Request) -> bool:
    """Tell a person's browser from a program: programs ask for JSON or for anything."""
    return "text/html" in request.headers.get("accept", "")


class SafetyHeaders:
    """Adds our headers to every answer; refuses posts of another origin before anything reads them.

    A browser names the page a post comes from in `Origin`. Programs send none and carry a token instead of a cookie.
    answer: makes the answer to a problem, a page for people.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, ProblemError], Response]) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                said = {name.lower() for name, _ in own}
                sent = SENT_FRAMED if headers_of(scope["path"]) is FRAMED_HEADERS else SENT
                message["headers"] = [*own, *(field for field in sent if field[0] not in said)]
            await send(message)

        origin = "" if scope["method"] in SAFE_METHODS else Headers(scope=scope).get("origin")
        if origin and not _same_host(origin, Headers(scope=scope)):
            refused = self.answer(Request(scope), ProblemError(PROBLEMS["other_origin"], origin=origin))
            await refused(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


def _same_host(origin: str, headers: Headers) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:  # such as http://[::1
        return False


class HeadOfPages:
    """Answers HEAD as GET without the body, where no route answers it by itself: link checkers and previews ask so.

    The protocol and the interface for programs say themselves what they take.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(("/sync/", "/api/")):
            await self.app(scope, receive, send)
            return
        is_refused = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal is_refused
            is_refused = is_refused or message.get("status") == 405
            if not is_refused:
                await send_head(message)

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app(dict(scope), receive, send_unless_refused)
        if is_refused:
            await self.app({**scope, "method": "GET"}, receive, send_head)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body, at most `limit` bytes. Raises ProblemError too_large without reading on."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise ProblemError(PROBLEMS["too_large"], size=int(said), limit=limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise ProblemError(PROBLEMS["too_large"], size=size, limit=limit)
        parts.append(part)
    return b"".join(parts)


def lan_address() -> str:
    """Return the address other devices of this network see; no packet is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def is_free(host: str, port: int) -> bool:
    """Tell whether a server may listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
