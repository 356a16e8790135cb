"""What the routes of the sync protocol share: bodies up to a limit, tokens, counters, the number of the protocol."""

import json
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Engine
from starlette.requests import ClientDisconnect

from collector.db import asking
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes
from collector.web import read_body
from sync import limits
from sync.rooms import Offers

PROTOCOL = 1
NDJSON = "application/x-ndjson"
# the first tells our answers from a captive portal's; the last stands in for the pages' own rule, five times as long
HEADERS = {"X-Collector": "1", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
READ_ON_BYTES = 4 * limits.MAX_BODY_BYTES


@dataclass
class Guards:
    """Counters of one application: wrong codes, records, questions and bytes of files per address; batches at once."""

    wrong_codes: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(5, 60))
    records: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(600, 60))
    questions: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(600, 60))
    batches: limits.Counter = field(
        default_factory=lambda: limits.Counter(limits.BATCHES_AT_ONCE, limits.BATCHES_WAITING)
    )
    file_bytes: limits.RateLimit = field(
        default_factory=lambda: limits.RateLimit(limits.BLOB_BYTES_PER_ADDRESS, limits.BLOB_WINDOW_SECONDS)
    )


async def guards_of(request: Request) -> Guards:
    """Return the application's counters; async, so that only the event loop's thread makes them."""
    state = request.app.state
    if not hasattr(state, "sync_guards"):
        state.sync_guards = Guards()
    guards: Guards = state.sync_guards
    return guards


def offers_of(request: Request) -> Offers:
    """Return the application's rooms that go down. Two made at once are no harm: each only spares work."""
    state = request.app.state
    if not hasattr(state, "room_offers"):
        state.room_offers = Offers()
    offers: Offers = state.room_offers
    return offers


async def body_of(request: Request) -> bytes:
    try:
        return await read_body(request, limits.MAX_BODY_BYTES)
    except ProblemError:
        await _read_on(request)
        raise
    except ClientDisconnect as error:
        raise ProblemError(PROBLEMS["bad_request"], reason="the connection ended early") from error


async def _read_on(request: Request) -> None:
    """Throw away some more of a body that is too large: a client still writing would not read why it was refused."""
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > READ_ON_BYTES:
                return
    except (ClientDisconnect, RuntimeError):  # gone, or what was read already was the end of it
        return


async def is_zipped(request: Request) -> bool:
    """Check the type of an NDJSON body and tell whether it is gzip. Raises ProblemError unsupported_type."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != NDJSON:  # a type that no page of another origin may send unasked
        raise ProblemError(PROBLEMS["unsupported_type"], media_type=media_type or "?", wanted=NDJSON)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise ProblemError(PROBLEMS["unsupported_type"], media_type=encoding, wanted="gzip")
    return encoding == "gzip"


async def store_of(request: Request) -> Engine:
    """Return the store, to who speaks our protocol. Raises ProblemError protocol."""
    wanted = request.headers.get("collector-protocol", str(PROTOCOL))
    if wanted != str(PROTOCOL):
        raise ProblemError(PROBLEMS["protocol"], wanted=wanted[:20], known=PROTOCOL)
    engine: Engine = request.app.state.engine
    return engine


Body = Annotated[bytes, Depends(body_of)]
Store = Annotated[Engine, Depends(store_of)]
Guarded = Annotated[Guards, Depends(guards_of)]


def holder_of(request: Request, engine: Store) -> nodes.Holder:
    """Return the node whose token this request brings, revoked or not. Raises ProblemError unknown_node."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ProblemError(PROBLEMS["unknown_node"])
    with asking(engine) as connection:
        return nodes.holder_by_token(connection, token.strip())


Holder = Annotated[nodes.Holder, Depends(holder_of)]


def peer_of(request: Request, engine: Store) -> str:
    """Return the node whose token this request brings. Raises ProblemError unknown_node or revoked."""
    holder = holder_of(request, engine)
    if holder.is_revoked:
        raise ProblemError(PROBLEMS["revoked"])
    return holder.node_id


def peer_or_browser(request: Request, engine: Store) -> str:
    """Return the node that asks, "" for a browser: those bring no token."""
    return peer_of(request, engine) if "authorization" in request.headers else ""


Peer = Annotated[str, Depends(peer_of)]
PeerOrBrowser = Annotated[str, Depends(peer_or_browser)]


def address_of(request: Request) -> str:
    """Return the network address that asks, to count by."""
    return request.client.host if request.client else "?"


def json_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body. Raises ProblemError bad_request."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(PROBLEMS["bad_request"], reason="the body is not JSON") from error
    if not isinstance(found, dict):
        raise ProblemError(PROBLEMS["bad_request"], reason="the body is not a JSON object")
    return found


def count_question(guards: Guards, address: str) -> None:
    """Count a question of somebody without a token. Raises ProblemError too_many_tries."""
    if seconds := guards.questions.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    guards.questions.count(address)


def text_of(found: dict[str, Any], key: str, most: int) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise ProblemError(PROBLEMS["bad_request"], reason=f'"{key}" is missing or not a text of up to {most} letters')
    return value
