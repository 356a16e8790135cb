"""The sync protocol over HTTP (docs/protocol.md). Bodies are read up to a limit; the work is done in `sync/`."""

import gzip
import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.requests import ClientDisconnect

from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, forms, nodes, store
from collector.web import read_body
from sync import limits
from sync.batches import is_name
from sync.receive import receive_batch, receive_outbox

router = APIRouter(prefix="/sync/v1", tags=["sync"])
PROTOCOL = 1
NDJSON = "application/x-ndjson"
HEADERS = {"X-Collector": "1", "Cache-Control": "no-store"}  # the first tells our answers from a captive portal's
READ_ON_BYTES = 4 * limits.MAX_BODY_BYTES


@dataclass
class Guards:
    """Counters of one application: wrong codes, records, questions and bytes of files per address."""

    wrong_codes: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(5, 60))
    records: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(600, 60))
    questions: limits.RateLimit = field(default_factory=lambda: limits.RateLimit(600, 60))
    file_bytes: limits.RateLimit = field(
        default_factory=lambda: limits.RateLimit(limits.BLOB_BYTES_PER_ADDRESS, limits.BLOB_WINDOW_SECONDS)
    )


async def _guards(request: Request) -> Guards:
    """Return the application's counters; async, so that only the event loop's thread makes them."""
    state = request.app.state
    if not hasattr(state, "sync_guards"):
        state.sync_guards = Guards()
    guards: Guards = state.sync_guards
    return guards


async def _body(request: Request) -> bytes:
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
    except ClientDisconnect:
        return


async def _is_zipped(request: Request) -> bool:
    """Check the type of an NDJSON body and tell whether it is gzip. Raises ProblemError unsupported_type."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != NDJSON:  # a type that no page of another origin may send unasked
        raise ProblemError(PROBLEMS["unsupported_type"], media_type=media_type or "?", wanted=NDJSON)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise ProblemError(PROBLEMS["unsupported_type"], media_type=encoding, wanted="gzip")
    return encoding == "gzip"


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


Body = Annotated[bytes, Depends(_body)]
Zipped = Annotated[bool, Depends(_is_zipped)]
Store = Annotated[Engine, Depends(_engine)]
Guarded = Annotated[Guards, Depends(_guards)]


def peer_of(request: Request, engine: Store) -> str:
    """Return the node whose token this request brings. Raises ProblemError unknown_node or revoked."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ProblemError(PROBLEMS["unknown_node"])
    with reading(engine) as session:
        return nodes.node_of_token(session, token.strip())


Peer = Annotated[str, Depends(peer_of)]


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


def _text(found: dict[str, Any], key: str, most: int) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise ProblemError(PROBLEMS["bad_request"], reason=f'"{key}" is missing or not a text of up to {most} letters')
    return value


# --- between nodes


@router.post("/enroll", status_code=201)
def enroll(request: Request, body: Body, engine: Store, guards: Guarded) -> JSONResponse:
    """Let a node in that brings a one-time code; the token in the answer is shown only here."""
    address = address_of(request)
    if seconds := guards.wrong_codes.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    wish = json_body(body)
    code, name, node_id = _text(wish, "code", 20), _text(wish, "name", 100), _text(wish, "node_id", 64)
    if not is_name(node_id):
        raise ProblemError(PROBLEMS["bad_request"], reason='"node_id" has other letters than a-z 0-9 _ . -')
    try:
        with writing(engine) as session:
            me = store.fact(session, "node_id")
            if me == node_id:
                raise ProblemError(PROBLEMS["loop"])
            token = nodes.enrol_node(session, code, name, node_id, now_ms())
    except ProblemError as error:
        if error.problem.code == "code_invalid":
            guards.wrong_codes.count(address)
        raise
    answer = {"node_id": node_id, "token": token, "upstream_id": me, "server_time": iso(now_ms())}
    return JSONResponse(answer, 201, HEADERS)


@router.get("/hello")
def hello(engine: Store, peer: Peer) -> JSONResponse:
    """Tell a node where it stands with us."""
    with writing(engine) as session:
        nodes.note_contact(session, peer, now_ms())
        me = store.fact(session, "node_id")
        answer = {
            "protocol": PROTOCOL,
            "node_id": me,
            "epoch": store.fact(session, "epoch"),
            "server_time": iso(now_ms()),
            "central": nodes.is_central(session),
            "limits": {
                "records": limits.MAX_BATCH_RECORDS,
                "bytes": limits.MAX_BODY_BYTES,
                "inflated": limits.MAX_INFLATED_BYTES,
            },
            "cursors": {peer: nodes.cursors_of(session, peer)},
            "receipts": {"epoch": nodes.feed_epoch(session), "next": nodes.newest_receipt(session)},
            "forms_etag": _forms_etag(_manifest(session)),
            "blobs": {"chunk": limits.MAX_BLOB_CHUNK_BYTES, "central": blobs.count_central(session)},
        }
    return JSONResponse(answer, 200, HEADERS)


@router.post("/batches")
def batches(request: Request, body: Body, zipped: Zipped, engine: Store, peer: Peer) -> JSONResponse:
    """Keep a batch. 200 means: committed to disk."""
    state = request.app.state
    received = receive_batch(engine, peer, body, zipped, now_ms(), state.check)
    if received.new:
        state.kick()
    return JSONResponse(received.answer, 200, HEADERS)


@router.get("/receipts")
def receipts(engine: Store, peer: Peer, since: Annotated[int, Query(ge=0, le=2**53)] = 0) -> JSONResponse:
    """List what central holds durably, from `since` on."""
    with reading(engine) as session:
        feed = nodes.receipt_feed(session, max(0, min(since, 2**62)), limits.MAX_RECEIPTS)
    return JSONResponse({"epoch": feed.epoch, "next": feed.next, "receipts": feed.entries}, 200, HEADERS)


# --- forms, downwards


def _manifest(session: Session) -> list[dict[str, Any]]:
    keys = ("form_id", "version", "sha256", "title")
    files = forms.files_by_form(session)
    return [
        dict(zip(keys, row, strict=True)) | _files_json(files.get((row[0], row[1]), []))
        for row in forms.list_manifest(session)
    ]


def _files_json(files: list[forms.FileFacts]) -> dict[str, list[dict[str, str | int]]]:
    """Return the key `files`, left out where there are none: such a list keeps its ETag from before files existed."""
    listed: list[dict[str, str | int]] = [
        {"name": file.name, "sha256": file.sha256, "bytes": file.size_bytes, "media_type": file.media_type}
        for file in files
    ]
    return {"files": listed} if listed else {}


def _forms_etag(manifest: list[dict[str, Any]]) -> str:
    text = json.dumps(manifest, sort_keys=True)
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
        manifest = _manifest(session)
    etag = f'"{_forms_etag(manifest)}"'
    headers = {**HEADERS, "ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return JSONResponse(manifest, 200, headers)


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


# --- from browsers


@router.post("/outbox")
def outbox(request: Request, body: Body, zipped: Zipped, engine: Store, guards: Guarded) -> JSONResponse:
    """Keep what a citizen's browser collected. No token: citizens have no account, ids cannot be guessed."""
    address = address_of(request)
    if seconds := guards.records.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    received = receive_outbox(engine, body, zipped, now_ms(), request.app.state.check)
    guards.records.count(address, len(received.answer["results"]))
    if received.new:
        request.app.state.kick()
    return JSONResponse(received.answer, 200, HEADERS)


@router.post("/receipts/ask")
def ask_receipts(request: Request, body: Body, engine: Store, guards: Guarded) -> JSONResponse:
    """Tell a browser how far its records came; it must know their ids."""
    address = address_of(request)
    if seconds := guards.questions.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    guards.questions.count(address)
    ids = json_body(body).get("ids")
    if not isinstance(ids, list) or not all(is_name(record_id) for record_id in ids):
        raise ProblemError(PROBLEMS["bad_request"], reason='"ids" is not a list of ids')
    if len(ids) > limits.MAX_ASKED_IDS:
        raise ProblemError(PROBLEMS["too_many_records"], count=len(ids), limit=limits.MAX_ASKED_IDS)
    with reading(engine) as session:
        central, held = nodes.whereabouts(session, ids)
    times = {record_id: iso(at_ms) for record_id, at_ms in central.items()}
    return JSONResponse({"central": times, "held": held}, 200, HEADERS)
