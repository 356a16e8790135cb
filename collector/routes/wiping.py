"""May this device be wiped? The facilitator's page: asks central now, and deletes nothing."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from collector.clock import now_ms
from collector.db import reading
from collector.fleet.status import whole_status
from collector.fleet.wiping import WipeReport, check_wipe
from collector.pages import page, page_language
from collector.problems import ProblemError
from collector.queries.fleet import list_fleet
from collector.routes.access import facilitator
from collector.routes.lab_scope import lab_scope
from collector.routes.staff_scope import staff_scope
from sync.line import open_line

router = APIRouter(prefix="/equipo/vaciar", include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]


@router.get("")
def show(request: Request, _who: Facilitator) -> HTMLResponse:
    """Say what the question is, and what this node remembers meanwhile."""
    return _page(request)


@router.post("")
def ask_central(request: Request, _who: Facilitator) -> HTMLResponse:
    """Ask central for all that is here and show what it lacks; when it cannot be asked, claim nothing."""
    try:
        with open_line() as http:
            report = check_wipe(request.app.state.engine, http)
    except ProblemError as error:
        return _page(request, trouble=error.sentence(page_language(request)), status=error.problem.status)
    return _page(request, report)


def _page(request: Request, report: WipeReport | None = None, trouble: str = "", status: int = 200) -> HTMLResponse:
    with reading(request.app.state.engine) as session:
        standing = whole_status(session)
        below = [row.name or row.id[:8] for row in list_fleet(session) if row.level == 1 and not row.is_revoked]
    titles = {form.form_id: form.title for form in request.app.state.forms.current()}
    scope: dict[str, Any] = staff_scope(request, "") | {
        "report": report,
        "trouble": trouble,
        "standing": standing,
        "below": below,
        "titles": titles,
        "asked_ms": now_ms(),
        "local": lab_scope(request, "", "")["local"],
    }
    return page(request, "facilitator/wipe.html", scope, status=status)
