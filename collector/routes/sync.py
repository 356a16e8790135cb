"""The sync protocol over HTTP (docs/protocol.md). Bodies are read up to a limit; the work is done in `sync/`.

Here: enrolment, hello, batches, receipts, and what browsers send. Forms stand in sync_forms.py; the feed, reports and
questions about where something is in sync_feed.py.
"""

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, erasures, nodes, receipts, store
from collector.queries.feed import feed_top
from collector.routes import sync_feed, sync_forms, sync_rooms
from collector.routes.sync_common import (
    HEADERS,
    PROTOCOL,
    Body,
    Guarded,
    Guards,
    Holder,
    Peer,
    Store,
    address_of,
    body_of,
    count_question,
    guards_of,
    holder_of,
    is_zipped,
    json_body,
    offers_of,
    peer_of,
    store_of,
    text_of,
)
from collector.routes.sync_forms import forms_etag, plans_etag
from sync import keys, limits
from sync.batches import is_name
from sync.receive import receive_batch, receive_outbox
from sync.trouble import told_as_problems

__all__ = ["HEADERS", "Body", "Guarded", "Store", "address_of", "json_body", "peer_of", "router"]
router = APIRouter(prefix="/sync/v1", tags=["sync"])


# --- between nodes


@router.post("/enroll", status_code=201)
def enroll(request: Request, body: Body, engine: Store, guards: Guarded) -> JSONResponse:
    """Let a node in that brings a one-time code; the token in the answer is shown only here."""
    address = address_of(request)
    if seconds := guards.wrong_codes.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    wish = json_body(body)
    code, name, node_id = text_of(wish, "code", 20), text_of(wish, "name", 100), text_of(wish, "node_id", 64)
    if not is_name(node_id):
        raise ProblemError(PROBLEMS["bad_request"], reason='"node_id" has other letters than a-z 0-9 _ . -')
    public_key = wish.get("public_key", "")
    if public_key != "" and not keys.is_public_key(public_key):
        raise ProblemError(PROBLEMS["bad_request"], reason='"public_key" is not 43 letters of base64url')
    try:
        with writing(engine) as session:
            me = store.fact(session, "node_id")
            if node_id in (me, _upstream_id(session)):  # the code stays good for another node
                raise ProblemError(PROBLEMS["loop"])
            token = nodes.enrol_node(session, code, name, node_id, now_ms(), public_key)
            own = {
                "upstream_id": me,
                "upstream_public_key": keys.public_text(keys.own_key(session)),
                "central_key": keys.central_key(session),
            }
    except ProblemError as error:
        if error.problem.code == "code_invalid":
            guards.wrong_codes.count(address)
        raise
    answer = {"node_id": node_id, "token": token, "server_time": iso(now_ms()), **own}
    return JSONResponse(answer, 201, HEADERS)


def _upstream_id(session: Session) -> str:
    """Return the id of the node that this one pushes to, "" at central."""
    upstream = nodes.upstream_row(session)
    return upstream.node_id if upstream else ""


@router.put("/key")
def key(body: Body, engine: Store, peer: Peer) -> JSONResponse:
    """Take the key of a node that enrolled without one. Another key than the one known needs another enrolment."""
    public_key = json_body(body).get("public_key")
    if not keys.is_public_key(public_key):
        raise ProblemError(PROBLEMS["bad_request"], reason='"public_key" is not 43 letters of base64url')
    with writing(engine) as session:
        if not nodes.add_public_key(session, peer, str(public_key)):
            raise ProblemError(PROBLEMS["key_differs"])
    return JSONResponse({"key": True}, 200, HEADERS)


@router.get("/hello")
def hello(request: Request, engine: Store, holder: Holder) -> Response:
    """Tell a node where it stands with us; 304 while that is what it knows."""
    rooms = offers_of(request).now(engine, now_ms()).tag
    with writing(engine) as session:
        nodes.note_contact(session, holder.node_id, now_ms())
        answer = _standing(session, holder)
    answer |= {"rooms": rooms} if rooms and not holder.is_revoked else {}
    etag = f'"{hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:16]}"'
    headers = {**HEADERS, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return JSONResponse({**answer, "server_time": iso(now_ms())}, 200, headers)


def _standing(session: Session, holder: nodes.Holder) -> dict[str, Any]:
    """Return hello's answer but for the time. A revoked node learns where to send from, and nothing else."""
    node_id = holder.node_id
    answer: dict[str, Any] = {
        "protocol": PROTOCOL,
        "node_id": store.fact(session, "node_id"),
        "limits": {
            "records": limits.MAX_BATCH_RECORDS,
            "bytes": limits.MAX_BODY_BYTES,
            "inflated": limits.MAX_INFLATED_BYTES,
        },
        "cursors": {node_id: nodes.cursors_of(session, node_id)},
    }
    if holder.is_revoked:
        return answer | {"revoked": True}
    answer |= {
        "heads": {node_id: nodes.heads_of(session, node_id)},
        "epoch": store.fact(session, "epoch"),
        "central": nodes.is_central(session),
        "receipts": {"epoch": receipts.feed_epoch(session), "next": receipts.newest_receipt(session)},
        "forms_etag": forms_etag(session, node_id),
        "blobs": {"chunk": limits.MAX_BLOB_CHUNK_BYTES, "central": blobs.count_central(session)},
        "feed": feed_top(session),
    }
    told = plans_etag(session, node_id)
    answer |= {"plans": told} if told else {}
    has_key = nodes.sender_of(session, node_id).public_key != ""
    return answer if has_key else answer | {"key": False}


@router.post("/batches")
async def batches(request: Request) -> Response:
    """Keep a batch. 200 means: committed to disk. One turn of a thread a batch: dependencies would take one each."""
    engine, guards, zipped = await store_of(request), await guards_of(request), await is_zipped(request)
    return await run_in_threadpool(_keep_batch, request, engine, guards, await body_of(request), zipped)


def _keep_batch(request: Request, engine: Engine, guards: Guards, body: bytes, zipped: bool) -> Response:
    state, holder = request.app.state, holder_of(request, engine)
    signature = request.headers.get("collector-signature", "")
    with guards.batches.turn(), told_as_problems():
        received = receive_batch(engine, holder.node_id, body, zipped, now_ms(), state.check, signature)
    if received.new:
        state.kick()
    return JSONResponse(received.answer, 200, HEADERS)


@router.get("/receipts")
def receipt_list(engine: Store, peer: Peer, since: Annotated[int, Query(ge=0, le=2**53)] = 0) -> JSONResponse:
    """List what central holds durably, from `since` on."""
    with reading(engine) as session:
        feed = receipts.receipt_feed(session, max(0, min(since, 2**62)), limits.MAX_RECEIPTS)
    return JSONResponse({"epoch": feed.epoch, "next": feed.next, "receipts": feed.entries}, 200, HEADERS)


# --- from browsers


@router.post("/outbox")
async def outbox(request: Request) -> Response:
    """Keep what a citizen's browser collected. No token: citizens have no account, ids cannot be guessed."""
    engine, guards, zipped = await store_of(request), await guards_of(request), await is_zipped(request)
    return await run_in_threadpool(_keep_outbox, request, engine, guards, await body_of(request), zipped)


def _keep_outbox(request: Request, engine: Engine, guards: Guards, body: bytes, zipped: bool) -> Response:
    address = address_of(request)
    if seconds := guards.records.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    with guards.batches.turn(), told_as_problems():
        received = receive_outbox(engine, body, zipped, now_ms(), request.app.state.check)
    guards.records.count(address, len(received.answer["results"]))
    if received.new:
        request.app.state.kick()
    return JSONResponse(received.answer, 200, HEADERS)


@router.post("/receipts/ask")
def ask_receipts(request: Request, body: Body, engine: Store, guards: Guarded) -> JSONResponse:
    """Tell a browser how far its records came; it must know their ids."""
    count_question(guards, address_of(request))
    ids = json_body(body).get("ids")
    if not isinstance(ids, list) or not all(is_name(record_id) for record_id in ids):
        raise ProblemError(PROBLEMS["bad_request"], reason='"ids" is not a list of ids')
    if len(ids) > limits.MAX_ASKED_IDS:
        raise ProblemError(PROBLEMS["too_many_records"], count=len(ids), limit=limits.MAX_ASKED_IDS)
    with reading(engine) as session:
        central, held = receipts.whereabouts(session, ids)
        erased = erasures.erased_ids(session, ids)
    times = {record_id: iso(at_ms) for record_id, at_ms in central.items()}
    return JSONResponse({"central": times, "held": held, "erased": erased}, 200, HEADERS)


# last: a batch is compared with no pattern of theirs
router.include_router(sync_forms.router)
router.include_router(sync_feed.router)
router.include_router(sync_rooms.router)
