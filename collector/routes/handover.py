"""A phone's drafts and unsent answers, left here sealed and taken up on another device (docs/offline.md).

The browser seals and opens; the node keeps pieces that it cannot read. What keeps a stranger from filling the disk: so
many bytes per address, a size a package, a size of all that wait, and never the last of the disk.
"""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.queries import handovers
from collector.routes.blobs import check_room, count
from collector.routes.staff_scope import own_address
from collector.routes.sync_common import HEADERS, Body, Guarded, Store, address_of, count_question, json_body

router = APIRouter(include_in_schema=False)
API = "/sync/v1/handovers/{handover_id}"
ID = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@router.get("/pasar")
def send_page(request: Request) -> HTMLResponse:
    """The page that leaves this browser's answers here sealed and shows the QR that opens them."""
    return page(request, "handover/send.html", {"base": own_address(request), "days": handovers.KEEP_DAYS})


@router.get("/retomar")
def take_page(request: Request) -> HTMLResponse:
    """The page that takes them up: the code stands behind the # of the address, which browsers send to nobody."""
    return page(request, "handover/take.html", {})


@router.put(API + "/{number}")
def take_piece(
    request: Request, handover_id: str, number: int, body: Body, engine: Store, guards: Guarded
) -> JSONResponse:
    """Keep one sealed piece. 200 means: on the disk."""
    _check_id(handover_id)
    if not 0 <= number < handovers.MOST_PIECES:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"piece {number} of at most {handovers.MOST_PIECES}")
    if not 0 < len(body) <= handovers.MOST_PIECE_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(body), limit=handovers.MOST_PIECE_BYTES)
    count(guards.file_bytes, address_of(request), len(body))
    check_room(engine)
    now = now_ms()
    with writing(engine) as session:
        handovers.drop_old(session, now)
        if handovers.bytes_waiting(session) + len(body) > handovers.MOST_BYTES:
            raise ProblemError(PROBLEMS["disk_full"])
        if not handovers.add_piece(session, handover_id, number, body, now):
            raise ProblemError(PROBLEMS["handover_whole"])
    return JSONResponse({"number": number, "bytes": len(body)}, 200, HEADERS)


@router.post(API)
def leave(handover_id: str, body: Body, engine: Store) -> JSONResponse:
    """Close the package: 200 when every piece is here as sent. Raises ProblemError handover_missing, with the rest."""
    _check_id(handover_id)
    said = json_body(body)
    hashes, proof = _hashes(said.get("pieces")), _hashes([said.get("proof_sha256")])
    with writing(engine) as session:
        missing = handovers.leave(session, handover_id, hashes, proof[0], now_ms())
    if missing:
        raise ProblemError(PROBLEMS["handover_missing"], missing=missing)
    return JSONResponse({"pieces": len(hashes)}, 200, HEADERS)


@router.get(API)
def look(request: Request, handover_id: str, engine: Store, guards: Guarded) -> JSONResponse:
    """Tell how many pieces a package has and when it was left. Raises ProblemError handover_not_found."""
    _check_id(handover_id)
    count_question(guards, address_of(request))
    with reading(engine) as session:
        found = handovers.left(session, handover_id)
    if found is None:
        raise ProblemError(PROBLEMS["handover_not_found"])
    return JSONResponse({"pieces": found.pieces, "bytes": found.bytes, "left": iso(found.left_ms)}, 200, HEADERS)


@router.get(API + "/{number}")
def give_piece(request: Request, handover_id: str, number: int, engine: Store, guards: Guarded) -> Response:
    """Give one sealed piece. Raises ProblemError handover_not_found."""
    _check_id(handover_id)
    count_question(guards, address_of(request))
    with reading(engine) as session:
        content = handovers.piece(session, handover_id, number) if number < handovers.MOST_PIECES else None
    if content is None:
        raise ProblemError(PROBLEMS["handover_not_found"])
    return Response(content, headers=HEADERS, media_type="application/octet-stream")


@router.post(API + "/taken")
def taken(handover_id: str, body: Body, engine: Store) -> JSONResponse:
    """Drop a package: the other device has it on its disk. Raises ProblemError handover_not_found."""
    _check_id(handover_id)
    proof = _hashes([json_body(body).get("proof")])
    with writing(engine) as session:
        is_dropped = handovers.take(session, handover_id, proof[0])
    if not is_dropped:
        raise ProblemError(PROBLEMS["handover_not_found"])
    return JSONResponse({}, 200, HEADERS)


def _check_id(handover_id: str) -> None:
    if not ID.fullmatch(handover_id):
        raise ProblemError(PROBLEMS["handover_not_found"])


def _hashes(value: Any) -> list[str]:
    """Return the list of hashes, 1 to MOST_PIECES. Raises ProblemError bad_request."""
    if not isinstance(value, list) or not 0 < len(value) <= handovers.MOST_PIECES:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"not a list of 1 to {handovers.MOST_PIECES} hashes")
    if not all(isinstance(it, str) and SHA256.fullmatch(it) for it in value):
        raise ProblemError(PROBLEMS["bad_request"], reason="not a SHA-256 in lower-case hex")
    return value
