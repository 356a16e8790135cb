"""What a person can do with the receipt code: see where the answer is, and erase it. And "where is my answer?".

The code stands in the body of posts only, never in an address: addresses stay in histories and logs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.lab.results import moment_in
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import confirmations
from collector.queries.erasures import ids_of_claim, wipe_traces
from collector.queries.records import COLLECTED, ingest, record_by_id
from collector.receipt_codes import claim_of, read_code, shown
from collector.routes.access import posted_fields
from collector.routes.audited import CITIZEN, note_in
from collector.routes.lab_scope import zone_here
from collector.routes.sync_common import Guarded, address_of, count_question
from collector.tables.log import Record
from sync.limits import RateLimit
from sync.records import FORMLESS
from sync.statements import make_tombstone
from sync.trace import trace

router = APIRouter(include_in_schema=False)
Posted = Annotated[dict[str, str], Depends(posted_fields)]
WRONG_TRIES = 5
WINDOW_SECONDS = 60


async def _wrong_codes(request: Request) -> RateLimit:
    """Return the application's counter of wrong codes; async, so that only the event loop's thread makes it."""
    state = request.app.state
    if not hasattr(state, "wrong_receipt_codes"):
        state.wrong_receipt_codes = RateLimit(WRONG_TRIES, WINDOW_SECONDS)
    counter: RateLimit = state.wrong_receipt_codes
    return counter


WrongCodes = Annotated[RateLimit, Depends(_wrong_codes)]


# --- the code


@router.get("/codigo")
def ask_code(request: Request) -> Response:
    """Ask for the code."""
    return page(request, "citizen/code.html", {"typed": "", "trouble": ""})


@router.post("/codigo")
def show_claimed(request: Request, posted: Posted, wrong: WrongCodes) -> Response:
    """Show what is here of a code: form, day and place, not the answers; or ask whether to erase it."""

    def show(code: str, records: list[Record]) -> Response:
        template = "citizen/code_erase.html" if posted.get("go") == "erase" else "citizen/code_found.html"
        return page(request, template, {"code": code, "found": _found(request, records)})

    return with_claimed(request, posted, wrong, show)


@router.post("/codigo/borrar")
def erase_claimed(request: Request, posted: Posted, wrong: WrongCodes) -> Response:
    """Erase what the code claims, and lead to the page that says where it is erased already."""

    def erase(_code: str, records: list[Record]) -> Response:
        engine = request.app.state.engine
        with writing(engine) as session:
            ingest(session, [make_tombstone(record.id, "person", "") for record in records], now_ms())
            for record in records:
                note_in(session, CITIZEN, "erase", record.id, count=1)
        wipe_traces(engine)
        request.app.state.kick()
        return RedirectResponse(f"/respuesta/{records[0].id}", 303)

    return with_claimed(request, posted, wrong, erase)


def with_claimed(
    request: Request, posted: dict[str, str], wrong: RateLimit, answer: Callable[[str, list[Record]], Response]
) -> Response:
    """Answer with the code as it is shown and the records it claims; ask for the code again when there are none."""
    typed = posted.get("code", "")
    try:
        records = _claimed(request, typed, wrong)
    except ProblemError as error:
        return _trouble(request, typed, error)
    return answer(shown(read_code(typed)), records)


def _trouble(request: Request, typed: str, error: ProblemError) -> Response:
    sentence = error.sentence(page_language(request))
    response = page(
        request, "citizen/code.html", {"typed": typed[:30], "trouble": sentence}, status=error.problem.status
    )
    if "seconds" in error.values:
        response.headers["Retry-After"] = str(error.values["seconds"])
    return response


def _claimed(request: Request, typed: str, wrong: RateLimit) -> list[Record]:
    """Return the records of a code: of a corrected one what counts, for erasing it erases all of it.

    Raises ProblemError too_many_tries, receipt_code_mistyped, receipt_code_unknown.
    """
    address = address_of(request)
    if seconds := wrong.wait_seconds(address):
        raise ProblemError(PROBLEMS["too_many_tries"], seconds=seconds)
    try:
        claim = claim_of(typed)
        with reading(request.app.state.engine) as session:
            records = [record_by_id(session, record_id) for record_id in ids_of_claim(session, claim)]
    except ProblemError:
        wrong.count(address)
        raise
    found = [it for it in records if it is not None and it.kind not in FORMLESS and it.state != "replaced"]
    if not found:
        wrong.count(address)
        raise ProblemError(PROBLEMS["receipt_code_unknown"], typed=shown(read_code(typed)))
    return found


@dataclass(frozen=True)
class Found:
    """A record as its person may see it: which form, when, its address, and whether it can be corrected here."""

    id: str
    title: str
    day: str
    can_change: bool


def _found(request: Request, records: Sequence[Record]) -> list[Found]:
    forms = request.app.state.forms
    found = []
    for record in records:
        form = forms.get(record.form, record.version)
        finished = str(json.loads(record.body or "{}").get("finished", ""))
        title, day = form.title if form else record.form, moment_in(finished, zone_here())[:10]
        found.append(Found(record.id, title, day, form is not None and record.kind in COLLECTED and bool(record.body)))
    return found


# --- where is my answer?


@dataclass(frozen=True)
class Step:
    """A place on the way of a record. state: "done" or "wait"; place: a node's name, or "" where it is not known."""

    state: str
    place: str
    when: str
    is_here: bool = False
    is_central: bool = False


@router.get("/respuesta/{record_id}")
def where_is(request: Request, record_id: str, guards: Guarded) -> Response:
    """Tell the way of a record: from where it was kept to central, asking upwards now when that can be done."""
    count_question(guards, address_of(request))
    state = request.app.state
    found = trace(state.engine, [record_id]).get(record_id)
    with reading(state.engine) as session:
        record = record_by_id(session, record_id)
        erasure = confirmations.erasure_of(session, record_id)
        known = confirmations.confirmations_of(session, [erasure])[erasure.id] if erasure else None
    if (found is None and erasure is None) or (record is not None and record.kind in FORMLESS):
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    form = state.forms.get(record.form, record.version) if record else None
    scope = {
        "title": form.title if form else record.form if record else "",
        "steps": _steps(found, state.node_id) if found else [],
        "asked": bool(found and found["asked"]),
        "erased": moment_in(iso(erasure.device_ms), zone_here()) if erasure else "",
        "known": known,
    }
    return page(request, "citizen/where.html", scope)


def _steps(found: dict[str, Any], me: str) -> list[Step]:
    """Return the nodes that held the record in order, and central last, done or not."""
    hops, central = found["hops"], found["central"]
    ends_there = bool(central) and hops[-1]["received"] == central  # central itself has answered, or is this node
    steps = [
        Step("done", hop["name"], _when(hop["received"]), hop["node"] == me, ends_there and hop is hops[-1])
        for hop in hops
        if hop["received"] or hop["name"] or not central  # a node without name and time says less than central does
    ]
    return steps if ends_there else [*steps, Step("done" if central else "wait", "", _when(central), is_central=True)]


def _when(text: str) -> str:
    return moment_in(text, zone_here()) if text else ""
