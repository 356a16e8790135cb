"""What goes between nodes beside records and forms: the feed, reports, traces and proofs (docs/protocol.md)."""

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from collector.clock import now_ms
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from collector.queries.feed import feed_after, feed_top
from collector.routes.sync_common import (
    HEADERS,
    NDJSON,
    Body,
    Guarded,
    Peer,
    PeerOrBrowser,
    Store,
    address_of,
    count_question,
    json_body,
)
from sync import limits
from sync.batches import is_name, is_number, is_sha256
from sync.feed import feed_lines
from sync.proof import answer_proof
from sync.report import receive_report
from sync.trace import LONGEST_MS, trace

router = APIRouter()


@router.get("/feed")
def feed(
    request: Request,
    engine: Store,
    peer: Peer,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=limits.MAX_FEED)] = limits.MAX_FEED,
    epoch: str = "",
) -> Response:
    """List erasures and decisions from `after` on. Asking from there says that what stands before it is applied."""
    with writing(engine) as session:
        own = store.fact(session, "epoch")
        if epoch not in ("", own):
            raise ProblemError(PROBLEMS["epoch_changed"], epoch=own)
        if epoch:
            nodes.note_feed(session, peer, own, after)
    with reading(engine) as session:
        me = store.fact(session, "node_id")
        entries = feed_after(session, after, limit, limits.MAX_FEED_BYTES)
        lines = feed_lines(own, me, entries, after, feed_top(session)).encode()
    headers = {**HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        lines, headers["Content-Encoding"] = gzip.compress(lines, 6, mtime=0), "gzip"
    return Response(lines, 200, headers, media_type=NDJSON)


@router.post("/report")
def report(body: Body, engine: Store, peer: Peer) -> JSONResponse:
    """Keep what a node says of itself."""
    return JSONResponse(receive_report(engine, peer, json_body(body), now_ms()), 200, HEADERS)


@router.post("/trace")
def trace_records(request: Request, body: Body, engine: Store, asking: PeerOrBrowser, guards: Guarded) -> JSONResponse:
    """Tell through which nodes records have come, as far as they can be asked now."""
    if not asking:
        count_question(guards, address_of(request))
    wish = json_body(body)
    ids = _list_of(wish, "ids", limits.MAX_TRACED_IDS)
    if not all(is_name(record_id) for record_id in ids):
        raise ProblemError(PROBLEMS["bad_request"], reason='"ids" is not a list of ids')
    wait_ms = wish.get("wait_ms", LONGEST_MS)
    return JSONResponse({"traces": trace(engine, ids, wait_ms if is_number(wait_ms) else LONGEST_MS)}, 200, HEADERS)


@router.post("/proof")
def proof(body: Body, engine: Store, peer: Peer) -> JSONResponse:
    """Tell which of these entries and files central does not hold; a hub asks central now, or says that it cannot."""
    wish = json_body(body)
    entries = _list_of(wish, "entries", limits.MAX_PROVED)
    files = _list_of(wish, "files", limits.MAX_PROVED)
    if not all(_is_entry(entry) for entry in entries) or not all(is_sha256(sha256) for sha256 in files):
        raise ProblemError(
            PROBLEMS["bad_request"], reason='"entries" are not pairs of id and hash, or "files" not hashes'
        )
    answer = answer_proof(engine, [(record_id, sha256) for record_id, sha256 in entries], files)
    return JSONResponse(answer, 200, HEADERS)


def _is_entry(found: Any) -> bool:
    return isinstance(found, list) and len(found) == 2 and is_name(found[0]) and is_sha256(found[1])


def _list_of(wish: dict[str, Any], key: str, most: int) -> list[Any]:
    found = wish.get(key, [])
    if not isinstance(found, list):
        raise ProblemError(PROBLEMS["bad_request"], reason=f'"{key}" is not a list')
    if len(found) > most:
        raise ProblemError(PROBLEMS["too_many_records"], count=len(found), limit=most)
    return found
