"""Rooms on their way down (docs/protocol.md, "Rooms"): the list of those that are open, and one of them."""

import gzip

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from collector.clock import now_ms
from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import store
from collector.routes.sync_common import HEADERS, NDJSON, Peer, Store, offers_of
from sync.room_lines import lines_of
from sync.rooms import names_for

router = APIRouter()


@router.get("/rooms")
def room_list(request: Request, engine: Store, peer: Peer) -> Response:
    """List the rooms that go down, the newest first; 304 when the reader has this list."""
    offer = offers_of(request).now(engine, now_ms())
    headers = {**HEADERS, "ETag": f'"{offer.tag}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    listed = [
        {"room": each.room, "title": each.title, "records": len(each.said), "sha256": each.sha256}
        for each in offer.rooms
    ]
    return JSONResponse(listed, 200, headers)


@router.get("/rooms/{room}")
def prepared_room(request: Request, room: str, engine: Store, peer: Peer) -> Response:
    """Give a room as it is prepared: its facts verbatim, and nothing that a participant said."""
    found = offers_of(request).now(engine, now_ms()).of(room)
    if found is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    with reading(engine) as session:
        me = store.fact(session, "node_id")
        named = found.with_names(names_for(session, found))
    body, headers = lines_of(named, me), {**HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return Response(body, 200, headers, media_type=NDJSON)
