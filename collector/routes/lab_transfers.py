"""The register of what left the lab: each file given to somebody outside, with its hash; as a page and as CSV."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy import Engine

from collector.db import reading
from collector.lab.transfers import COLUMNS, transfer_of
from collector.pages import page
from collector.queries import exports
from collector.rooms.outputs.csv import csv_text
from collector.routes.access import Person, person_who_may
from collector.routes.audited import Purpose, note
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_take import NAMES

router = APIRouter(prefix="/lab/entregas", include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("audit"))]
Words = Annotated[str, Query(max_length=200)]
HERE = "/lab/entregas"
PAGE = 50
AT_ONCE = 500


@router.get("")
def show_transfers(request: Request, person: Reader, antes: Words = "") -> HTMLResponse:
    """Show what was given to whom, the latest first, a page at a time."""
    with reading(request.app.state.engine) as session:
        found = exports.transfers(session, antes, PAGE + 1)
    scope = lab_scope(request, person.who, HERE)
    scope.update(
        transfers=[transfer_of(entry) for entry in found[:PAGE]],
        formats=NAMES,
        older=found[PAGE - 1].id if len(found) > PAGE else "",
        newest=bool(antes),
    )
    return page(request, "lab/transfers.html", scope)


@router.get(".csv")
def export_transfers(request: Request, person: Reader, purpose: Purpose) -> Response:
    """Send the register as CSV, the latest first. That it was taken stands in the audit."""
    note(request, person, "export", "transfers", purpose=purpose)
    headers = {"Content-Disposition": "attachment; filename=entregas.csv", "Cache-Control": "no-store"}
    lines = _lines(request.app.state.engine)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _lines(engine: Engine) -> Iterator[str]:
    yield csv_text(COLUMNS, [])
    before = ""
    while True:
        with reading(engine) as session:
            found = exports.transfers(session, before, AT_ONCE)
        if found:
            yield csv_text(COLUMNS, [transfer_of(entry).line() for entry in found], bom=False).split("\r\n", 1)[1]
        if len(found) < AT_ONCE:
            return
        before = found[-1].id
