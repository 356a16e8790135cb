"""A facilitator enrols this node at another one: the page that a scanned code opens, filled in."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine

from collector.db import reading, writing
from collector.pages import page, page_language
from collector.problems import ProblemError
from collector.queries import nodes, store
from collector.routes.access import facilitator, posted_fields
from collector.routes.staff_scope import staff_scope
from sync.address import whole_address
from sync.line import open_line
from sync.push import enrol

router = APIRouter(prefix="/equipo/inscribir", include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
LONGEST = 300
LONGEST_NAME = 100


@dataclass(frozen=True)
class Typed:
    """What stands in the fields. may_change: the person wants another upstream than the one there is."""

    url: str
    code: str
    name: str
    may_change: bool = False


@router.get("")
def show(request: Request, _who: Facilitator, url: str = "", codigo: str = "") -> HTMLResponse:
    """Show the fields, filled in from the scanned code."""
    return _page(request, Typed(url[:LONGEST], codigo[:LONGEST], _own_name(request)))


@router.post("")
def enrol_here(request: Request, _who: Facilitator, posted: Posted) -> HTMLResponse:
    """Enrol this node and say in plain words what came of it; what was typed stays when it did not work."""
    typed = Typed(
        posted.get("url", "").strip()[:LONGEST],
        posted.get("codigo", "").strip()[:LONGEST],
        posted.get("nombre", "").strip()[:LONGEST_NAME],
        posted.get("cambiar") == "si",
    )
    if _upstream(request.app.state.engine) and not typed.may_change:
        return _page(request, typed, must_agree=True, status=409)
    try:
        _enrol(request, typed)
    except ProblemError as error:
        trouble = error.sentence(page_language(request))
        return _page(request, typed, trouble, status=error.problem.status)
    request.app.state.kick()
    return _page(request, typed, is_done=True)


def _enrol(request: Request, typed: Typed) -> None:
    engine = request.app.state.engine
    with open_line() as http:
        enrol(engine, http, whole_address(typed.url), typed.code, typed.name)
    if typed.name:
        with writing(engine) as session:
            store.set_fact(session, "name", typed.name)
        request.app.state.node_name = typed.name


def _upstream(engine: Engine) -> str:
    with reading(engine) as session:
        upstream = nodes.get_upstream(session)
        return upstream.url if upstream else ""


def _own_name(request: Request) -> str:
    with reading(request.app.state.engine) as session:
        return store.fact(session, "name")


def _page(
    request: Request,
    typed: Typed,
    trouble: str = "",
    must_agree: bool = False,
    is_done: bool = False,
    status: int = 200,
) -> HTMLResponse:
    with reading(request.app.state.engine) as session:
        standing = nodes.node_status(session)
    scope: dict[str, Any] = {
        "typed": typed,
        "trouble": trouble,
        "must_agree": must_agree,
        "is_done": is_done,
        "standing": standing,
    }
    return page(request, "facilitator/enrol.html", staff_scope(request, "") | scope, status=status)
