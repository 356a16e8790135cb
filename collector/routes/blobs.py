"""Files of answers over HTTP (docs/protocol.md, "Files"): ask how much is here, send the next piece.

The same for nodes and browsers. What keeps a stranger from filling the disk: a file is taken only when a stored record
names it, in exactly the size that the record names, 25 MB each, so many bytes per address, and never the last of the
disk.
"""

import base64
import binascii
import hashlib
import re
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.queries.blobs import Held
from collector.routes.sync import HEADERS, Body, Guarded, Store, address_of, json_body, peer_of
from sync import limits
from sync.batches import is_number
from sync.blobs import catch_up

router = APIRouter(prefix="/sync/v1/blobs", tags=["sync"])
DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


def _sender(request: Request, engine: Store) -> str:
    """Return the node that asks, "" for a browser: those bring no token."""
    return peer_of(request, engine) if "authorization" in request.headers else ""


Sender = Annotated[str, Depends(_sender)]


@router.post("/ask")
def ask(request: Request, body: Body, engine: Store, sender: Sender, guards: Guarded) -> JSONResponse:
    """Tell how much of each file is here and whether central has it; files that no record names are left out."""
    if not sender:
        count(guards.questions, address_of(request), 1)
    hashes = json_body(body).get("sha256")
    if not isinstance(hashes, list) or not all(blobs.is_sha256(sha256) for sha256 in hashes):
        raise ProblemError(PROBLEMS["bad_request"], reason='"sha256" is not a list of hashes')
    if len(hashes) > limits.MAX_ASKED_IDS:
        raise ProblemError(PROBLEMS["too_many_records"], count=len(hashes), limit=limits.MAX_ASKED_IDS)
    found = _held(engine, hashes)
    return JSONResponse({"blobs": {sha256: _told(one) for sha256, one in found.items()}}, 200, HEADERS)


@router.head("/{sha256}")
def measure(sha256: str, engine: Store, sender: Sender) -> Response:
    """Say the same of one file in headers: 200 whole, 204 with the offset to send from, 404 named by no record."""
    found = _held(engine, [sha256]).get(sha256)
    if found is None:
        return Response(status_code=404, headers=HEADERS)
    headers = {**HEADERS, "Upload-Offset": str(found.have), "Upload-Length": str(found.bytes)}
    return Response(status_code=200 if found.is_whole else 204, headers=headers)


@router.patch("/{sha256}")
def take_part(
    request: Request, sha256: str, body: Body, engine: Store, sender: Sender, guards: Guarded
) -> JSONResponse:
    """Keep the next piece of a file. 200 means: committed to disk; whole when `have` is `bytes`."""
    at, whole_bytes = (_number(request, name) for name in ("Upload-Offset", "Upload-Length"))
    _check_part(request, body, at, whole_bytes)
    if not sender:
        count(guards.file_bytes, address_of(request), len(body))
    check_room(engine)
    catch_up(engine)
    with writing(engine) as session:
        found = blobs.add_part(session, sha256, at, whole_bytes, body)
    if not found.have:  # after the commit that threw it away
        raise ProblemError(PROBLEMS["blob_digest"], sha256=sha256)
    if found.is_whole:
        request.app.state.kick()
    answer = {"sha256": sha256, **_told(found)}
    return JSONResponse(answer, 200, {**HEADERS, "Upload-Offset": str(found.have)})


def _told(found: Held) -> dict[str, Any]:
    return {"have": found.have, "bytes": found.bytes, "central": found.central}


def _held(engine: Engine, hashes: list[str]) -> dict[str, Held]:
    catch_up(engine)
    with reading(engine) as session:
        return blobs.held(session, hashes)


def count(counter: limits.RateLimit, address: str, cost: int) -> None:
    """Count what somebody without a token takes. Raises ProblemError too_many_tries."""
    if seconds := counter.wait_seconds(address, cost):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    counter.count(address, cost)


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else -1
    if not is_number(number):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"{name} is not a number")
    return number


def _check_part(request: Request, body: bytes, at: int, whole_bytes: int) -> None:
    """Check what can be checked without the store: sizes, and that the piece is the one that was sent."""
    if len(body) > limits.MAX_BLOB_CHUNK_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(body), limit=limits.MAX_BLOB_CHUNK_BYTES)
    is_last = at + len(body) == whole_bytes
    if not body or (len(body) < limits.MIN_BLOB_CHUNK_BYTES and not is_last):
        reason = f"a piece has {limits.MIN_BLOB_CHUNK_BYTES} bytes or more, but the last"
        raise ProblemError(PROBLEMS["bad_request"], reason=reason)
    said = DIGEST.search(request.headers.get("content-digest", ""))
    if said is None:
        raise ProblemError(PROBLEMS["bad_request"], reason="Content-Digest has no sha-256")
    if _decoded(said[1]) != hashlib.sha256(body).digest():
        raise ProblemError(PROBLEMS["chunk_digest"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def check_room(engine: Engine) -> None:
    """Leave the last of the disk to records. A database on another machine minds its own. Raises disk_full."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return
    if shutil.disk_usage(Path(engine.url.database).parent).free < limits.DISK_RESERVE_BYTES:
        raise ProblemError(PROBLEMS["disk_full"])
