"""Pages that are the same bytes for everybody, made once and answered in front of everything else."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from collector.web import HEADERS

WEEK = "max-age=604800"
RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Kept:
    """A page as sent: plain and gzipped, each with its headers."""

    body: bytes
    gzipped: bytes
    etag: bytes
    headers: RawHeaders


def keep(body: bytes, media_type: str, safety: dict[str, str] = HEADERS) -> Kept:
    """Make a page ready to be sent many times; `safety`: what web.headers_of says of its path."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"Cache-Control": WEEK, "ETag": etag, "Vary": "Accept-Encoding", "Content-Type": media_type} | safety
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Kept(body, gzip.compress(body, 9, mtime=0), etag.encode(), raw)


class KeptPages:
    """Answers GETs of kept pages by their path, before routes and headers cost anything.

    `pages` is filled by the routes the first time a page is asked for: path -> Kept. A query changes nothing.
    """

    def __init__(self, app: ASGIApp, pages: dict[str, Kept]) -> None:
        self.app, self.pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = self.pages.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if kept is None:
            await self.app(scope, receive, send)
        else:
            await send_kept(kept, dict(scope["headers"]), send)


async def send_kept(kept: Kept, asked: dict[bytes, bytes], send: Send) -> None:
    """Send the page: 304 when the browser has it, gzipped where it takes that."""
    status, body, more = 200, kept.body, []
    if asked.get(b"if-none-match") == kept.etag:
        status, body = 304, b""
    elif b"gzip" in asked.get(b"accept-encoding", b""):
        body, more = kept.gzipped, [(b"content-encoding", b"gzip")]
    if status == 200:
        more = [*more, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kept.headers, *more]})
    await send({"type": "http.response.body", "body": body})


def page_forgetter(kept: dict[str, Kept]) -> Callable[[str], None]:
    """Return what lets a form's pages be drawn anew: they name their voices, and there are none once it closed."""

    def forget(form_id: str) -> None:
        for path in [path for path in kept if path.startswith((f"/f/{form_id}/", f"/k/{form_id}/"))]:
            kept.pop(path, None)

    return forget
