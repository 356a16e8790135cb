"""Forms on their way down (docs/protocol.md, "Forms"): the list, a form, the pieces of its files."""

import gzip
import hashlib
import json
from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import forms, plans, voices
from collector.routes.sync_common import HEADERS, Peer, Store

router = APIRouter()


def _manifest(session: Session, node_id: str) -> list[dict[str, Any]]:
    """Return the list for one node: forms that the lab assigned to others are not in it."""
    keys = ("form_id", "version", "sha256", "title")
    files, left_out = forms.files_by_form(session), plans.held_back(session, node_id)
    rows = [row for row in forms.list_manifest(session) if row[0] not in left_out]
    newest = {row[0]: row[1] for row in reversed(rows)}
    return [
        dict(zip(keys, row, strict=True))
        | _files_json(files.get((row[0], row[1]), []))
        | (_voices_json(session, row[0]) if newest[row[0]] == row[1] else {})
        for row in rows
    ]


def _voices_json(session: Session, form_id: str) -> dict[str, list[dict[str, str | int]]]:
    """Return the key `voices` of a form's newest version, left out where nobody has recorded any."""
    held = sorted(voices.list_voices(session, form_id), key=lambda row: (row.place, row.text, row.language))
    listed: list[dict[str, str | int]] = [
        {"place": row.place, "text": row.text, "language": row.language, "sha256": row.sha256, "bytes": row.size_bytes,
         "media_type": row.media_type, "made_by": row.made_by, "made_ms": row.made_ms}
        for row in held
    ]  # fmt: skip
    return {"voices": listed} if listed else {}


def _files_json(files: list[forms.FileFacts]) -> dict[str, list[dict[str, str | int]]]:
    """Return the key `files`, left out where there are none: such a list keeps its ETag from before files existed."""
    listed: list[dict[str, str | int]] = [
        {"name": file.name, "sha256": file.sha256, "bytes": file.size_bytes, "media_type": file.media_type}
        for file in files
    ]
    return {"files": listed} if listed else {}


def forms_etag(session: Session, node_id: str) -> str:
    """Return the ETag of a node's list of forms, without quotes."""
    return _etag_of(_manifest(session, node_id))


def plans_etag(session: Session, node_id: str) -> str:
    """Return the ETag of what a node is told of plans, without quotes; "" while there is nothing to tell."""
    told = plans.told_plans(session, node_id)
    return _etag_of(told) if told else ""


def _etag_of(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _zipped_json(request: Request, content: dict[str, Any]) -> Response:
    """Answer with JSON, gzipped for who takes it: a form shrinks to a tenth, and base64 to the bytes it stands for."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {**HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return Response(body, 200, headers, media_type="application/json")


@router.get("/forms")
def form_manifest(request: Request, engine: Store, peer: Peer) -> Response:
    """List the published forms, newest first; 304 when the reader has this list."""
    with reading(engine) as session:
        manifest = _manifest(session, peer)
    etag = f'"{_etag_of(manifest)}"'
    headers = {**HEADERS, "ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return JSONResponse(manifest, 200, headers)


@router.get("/plans")
def plan_list(engine: Store, peer: Peer) -> JSONResponse:
    """Tell a node which forms are closed and whom each is for; hello's `plans` says when that changes."""
    with reading(engine) as session:
        told = plans.told_plans(session, peer)
    return JSONResponse(told or {"place": "", "plans": []}, 200, {**HEADERS, "ETag": f'"{_etag_of(told)}"'})


@router.get("/forms/{form_id}/{version:path}")
def form(request: Request, form_id: str, version: str, engine: Store, peer: Peer) -> Response:
    """Give one published form, its XForm verbatim, and the names of its files."""
    with reading(engine) as session:
        row = forms.get_form(session, form_id, version)
        if row is None:
            raise ProblemError(PROBLEMS["form_not_found"], form=f"{form_id} {version}")
        keys = ("form_id", "version", "sha256", "title", "xform", "source_name")
        answer = {key: getattr(row, key) for key in keys} | _files_json(forms.list_files(session, form_id, version))
    return _zipped_json(request, answer)


@router.get("/form-files/{sha256}")
def form_file_piece(
    request: Request, sha256: str, engine: Store, peer: Peer, start: Annotated[int, Query(ge=0, le=2**53)] = 0
) -> Response:
    """Give a piece of a form's file, from `start` on. By its content: the same file of two forms is one address."""
    with reading(engine) as session:
        facts = forms.find_content(session, sha256)
        if facts is None:
            raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
        piece = forms.read_content(session, sha256, start, forms.PIECE_BYTES)
    answer = {"sha256": sha256, "bytes": facts.size_bytes, "start": start, "content": b64encode(piece).decode()}
    return _zipped_json(request, answer)


@router.get("/voices/{sha256}")
def voice(request: Request, sha256: str, engine: Store, peer: Peer) -> Response:
    """Give what somebody recorded of a form's text, whole: a few kilobytes."""
    with reading(engine) as session:
        content = voices.read_voice(session, sha256)
    if not content:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return _zipped_json(request, {"sha256": sha256, "content": b64encode(content).decode()})
