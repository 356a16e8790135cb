"""What browsers kept of rooms while their node was out of reach, and a whole session that a browser ran by itself.

    POST /s/{code}/envios    a phone; proves its seat or its ballot by a pass that its page gave it
    POST /sala/envios        a facilitator's browser that has given the PIN; any kind, also of a room that is new here

The lines and the answer are those of /sync/v1/outbox (docs/protocol.md). A pass is either of a seat or of a ballot, so
no request speaks for both.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import now_ms, parse_iso
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.arriving import REFUSED, reason_against
from collector.rooms.contributions import Contribution, parse_contribution
from collector.rooms.mine import is_repeated
from collector.rooms.refusals import Refusal
from collector.rooms.room import Item, Room
from collector.routes import access
from collector.routes.room_passes import holder_of_pass
from collector.routes.room_people import room_of_code
from collector.routes.rooms_common import rooms_of
from collector.routes.sync_common import HEADERS, Guards, address_of, body_of, guards_of, is_zipped, store_of
from sync.receive import given_id, keep_outbox, read_outbox
from sync.records import ReadRecord
from sync.statements import arrival_of
from sync.trouble import told_as_problems

router = APIRouter(include_in_schema=False)
SENT_AT = "collector-sent-at"
FARTHEST_MS = 366 * 24 * 3600 * 1000  # a clock that is farther off says nothing


@router.post("/s/{code}/envios")
async def from_phone(request: Request, code: str) -> Response:
    """Keep what a phone gave to a room while it could not reach us."""
    await store_of(request)
    guards, zipped = await guards_of(request), await is_zipped(request)
    return await run_in_threadpool(_keep_of_phone, request, code, guards, await body_of(request), zipped)


def _keep_of_phone(request: Request, code: str, guards: Guards, body: bytes, zipped: bool) -> Response:
    room = room_of_code(request, code)
    holder, address = holder_of_pass(request, room), address_of(request)
    if seconds := guards.records.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    records, skew_ms = read_outbox(body, zipped), skew_of(request)
    guards.records.count(address, len(records))
    reasons = {
        record.id: reason_against(room, record.content, holder, lambda: rooms_of(request).said(room.session), skew_ms)
        for record in records
        if record.kind == "contribution"
    }
    taken = [record for record in records if not reasons.get(record.id, REFUSED)]
    return _kept(request, guards, records, reasons, _repeated_ids(room, taken))


def _repeated_ids(room: Room, records: Iterable[ReadRecord]) -> set[str]:
    """Return what reached us by the page though its answer was lost, and second taps: said once, they stand once.

    Votes need no such care: the newest of a ballot counts.
    """
    said: list[Item | Contribution] = list(room.items)
    again: set[str] = set()
    for record in records:
        made = parse_contribution(record.content)
        if not made.is_secret and is_repeated(said, made):
            again.add(record.id)
        said.append(made)
    return again


@router.post("/sala/envios")
async def from_staff(request: Request) -> Response:
    """Keep what a facilitator's browser wrote: a session that ran without a node arrives here whole."""
    await store_of(request)
    guards, zipped = await guards_of(request), await is_zipped(request)
    return await run_in_threadpool(_keep_of_staff, request, guards, await body_of(request), zipped)


def _keep_of_staff(request: Request, guards: Guards, body: bytes, zipped: bool) -> Response:
    access.facilitator(request)
    records = read_outbox(body, zipped)
    reasons = {record.id: _reason_of_shape(record) for record in records if record.kind == "contribution"}
    return _kept(request, guards, records, reasons, set())


def _reason_of_shape(record: ReadRecord) -> str:
    """Whoever ran the session decided what was in time: only what no node could read is put apart."""
    try:
        parse_contribution(record.content)
    except Refusal:
        return REFUSED
    return ""


def skew_of(request: Request) -> int:
    """Return how many ms the sender's clock is behind ours, 0 where it does not say its time."""
    sent = parse_iso(request.headers.get(SENT_AT, ""))
    skew_ms = now_ms() - sent[0] if sent else 0
    return skew_ms if abs(skew_ms) < FARTHEST_MS else 0


def _kept(
    request: Request, guards: Guards, records: list[ReadRecord], reasons: dict[str, str], again: set[str]
) -> Response:
    """Keep records and answer. reasons: id -> why it is put apart, "" for what counts; again: what is here already.

    What is no contribution is put apart too: these addresses are for rooms.
    """
    new = [record for record in records if record.id not in again]
    found = [record.why or reasons.get(record.id, "not_allowed") for record in new]
    arrivals = [
        arrival_of(record._replace(why=why, about="") if why else record)
        for record, why in zip(new, found, strict=True)
    ]
    with guards.batches.turn(), told_as_problems():
        received = keep_outbox(request.app.state.engine, new, arrivals, now_ms())
    if received.new:
        request.app.state.kick()
    answer: dict[str, Any] = received.answer
    answer["why"] = {given_id(record): why for record, why in zip(new, found, strict=True) if why}
    answer["results"] |= {record.id: "duplicate" for record in records if record.id in again}
    return JSONResponse(answer, 200, HEADERS)
