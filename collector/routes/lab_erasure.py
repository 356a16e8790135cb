"""The lab erases a record, with a reason, and sees which erasures are not confirmed everywhere yet."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from collector.clock import now_ms
from collector.db import reading, writing
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import confirmations
from collector.queries.erasures import wipe_traces
from collector.queries.records import ingest, record_by_id
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import note_in
from collector.routes.lab_scope import lab_scope
from collector.tables.log import Record
from sync.statements import make_tombstone

router = APIRouter(prefix="/lab", include_in_schema=False)
User = Annotated[Person, Depends(person_who_may("erase"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
MOST_REASON = 200
SHOWN = 100


@router.get("/borrados")
def show_erasures(request: Request, user: User) -> Response:
    """List the latest erasures: who, why, when, and which nodes have not confirmed."""
    with reading(request.app.state.engine) as session:
        found = confirmations.latest(session, SHOWN)
    scope = lab_scope(request, user.who, "/lab/borrados")
    scope.update(erasures=found, most=SHOWN)
    return page(request, "lab/erasures.html", scope)


@router.get("/records/{record_id}/borrar")
def ask_erasure(request: Request, user: User, record_id: str) -> Response:
    """Ask for the reason, and whether it is really meant."""
    return _ask(request, user.who, _record(request, record_id))


@router.post("/records/{record_id}/borrar")
def erase(request: Request, user: User, record_id: str, posted: Posted) -> Response:
    """Erase the record here, and everywhere that talks to this node."""
    record = _record(request, record_id)
    reason = one_line(posted.get("reason", ""), MOST_REASON)
    if not reason:
        return _ask(request, user.who, record, ProblemError(PROBLEMS["reason_needed"]))
    engine = request.app.state.engine
    with writing(engine) as session:
        ingest(session, [make_tombstone(record_id, user.who, reason)], now_ms())
        note_in(session, user, "erase", record_id, purpose=reason, count=1)
    wipe_traces(engine)
    request.app.state.kick()
    return RedirectResponse("/lab/borrados", 303)


def _record(request: Request, record_id: str) -> Record:
    """Return a record that can still be erased. Raises ProblemError record_not_found."""
    with reading(request.app.state.engine) as session:
        record = record_by_id(session, record_id)
    if record is None or record.state == "erased" or record.kind not in ("submission", "edit", "annotation"):
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    return record


def _ask(request: Request, user: str, record: Record, trouble: ProblemError | None = None) -> Response:
    form = request.app.state.forms.get(record.form, record.version)
    scope = lab_scope(request, user, "")
    scope.update(record=record, title=form.title if form else record.form, most=MOST_REASON)
    scope.update(trouble=trouble.sentence(page_language(request)) if trouble else "")
    return page(request, "lab/erase.html", scope, status=trouble.problem.status if trouble else 200)
