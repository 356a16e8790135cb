"""What a facilitator meets: the PIN, and one page with today's surveys and how far every answer came."""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from collector import people
from collector.clock import now_ms
from collector.db import reading
from collector.fleet.status import whole_status
from collector.links import form_code
from collector.pages import page, page_language, unless_same
from collector.problems import PROBLEMS, ProblemError
from collector.queries import records, reviews
from collector.queries.fleet import FleetRow, list_fleet
from collector.queries.plans import not_open
from collector.routes import access
from collector.routes.staff_scope import own_address
from collector.tables.log import Quarantine

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(access.facilitator)]
MINUTE_MS = 60_000
MOST_RETURNED = 100  # a tablet has fewer


@router.get(access.PIN_LOGIN)
def ask_pin(request: Request) -> HTMLResponse:
    """Ask for the PIN."""
    with reading(request.app.state.engine) as session:
        ready = people.has_pin(session)
    back = request.query_params.get("next", "")
    return page(request, "facilitator/pin.html", {"trouble": "", "next": back, "ready": ready})


@router.post(access.PIN_LOGIN)
async def check_pin(request: Request) -> Response:
    """Open the facilitator's pages to this browser when the PIN is right."""
    fields = await access.posted_fields(request)
    back = access.local_path(fields.get("next", ""), "/equipo")
    token = await run_in_threadpool(access.sign_in_facilitator, request, fields.get("pin", ""))
    if token is None:
        trouble = ProblemError(PROBLEMS["pin_failed"]).sentence(page_language(request))
        return page(request, "facilitator/pin.html", {"trouble": trouble, "next": back, "ready": True}, status=401)
    response = RedirectResponse(back, 303)
    access.set_cookie(request, response, access.PIN_COOKIE, token)
    return response


@router.post("/equipo/salir")
def leave(request: Request) -> Response:
    """Close the facilitator's pages on this browser."""
    response = RedirectResponse("/", 303)
    access.sign_out(request, response, access.PIN_COOKIE)
    return response


@router.get("/equipo")
def today(request: Request, _who: Facilitator) -> Response:
    """Today's surveys, and how far every answer of this node came."""
    return unless_same(request, page(request, "facilitator/today.html", _today(request), block="sending"))


@router.post("/equipo/enviar")
def send_now(request: Request, _who: Facilitator) -> Response:
    """Try to send now, and show what came of it."""
    request.app.state.sync_now()
    if request.headers.get("hx-request") == "true":
        return page(request, "facilitator/today.html", _today(request), block="sending")
    return RedirectResponse("/equipo", 303)


@router.get("/equipo/estado.json")
def status_json(request: Request, _who: Facilitator) -> dict[str, Any]:
    """The same as `collector status --json`."""
    with reading(request.app.state.engine) as session:
        return whole_status(session).as_json()


@router.get("/equipo/qr/{form_id}.svg")
def form_qr(request: Request, form_id: str, _who: Facilitator) -> Response:
    """The QR that opens a form on a phone of the same network. Raises ProblemError form_not_found."""
    if not request.app.state.forms.versions(form_id):
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    address = f"{own_address(request)}/e/{form_code(form_id)}"
    code = segno.make(address, error="m", micro=False)
    return Response(code.svg_inline(scale=6, border=4, dark="#000", light="#fff"), media_type="image/svg+xml")


def _today(request: Request) -> dict[str, Any]:
    with reading(request.app.state.engine) as session:
        standing = whole_status(session)
        held: list[Quarantine] = records.list_quarantine(session)
        counts = records.count_by_form(session)
        closed = not_open(session)
        forms = [row.form_id for row in request.app.state.forms.current()]
        returned = len(reviews.returned(session, forms, ("", request.app.state.node_id), None, MOST_RETURNED))
    return {
        "status": standing.node,
        "files": standing.files,
        "fleet": lambda: short_fleet(request.app.state.engine),
        "held": held,
        "returned": returned,
        "forms": request.app.state.forms.current(),
        "counts": counts,
        "closed": closed,
        "base": own_address(request),
        "ago": lambda ms: ago(ms, now_ms()),
    }


def short_fleet(engine: Engine) -> list[FleetRow]:
    """Return the nodes that send here themselves and are not revoked."""
    with reading(engine) as session:
        return [row for row in list_fleet(session) if row.level == 1 and not row.is_revoked]


def ago(then_ms: int | None, now: int) -> tuple[str, int]:
    """Return how long ago as (unit, count): ("never" | "now" | "minutes" | "hours" | "days", n)."""
    if then_ms is None:
        return ("never", 0)
    minutes = max(0, now - then_ms) // MINUTE_MS
    if minutes < 2:
        return ("now", 0)
    if minutes < 60:
        return ("minutes", minutes)
    return ("hours", minutes // 60) if minutes < 48 * 60 else ("days", minutes // 1440)
