"""The fleet board of the lab: every node below this one, codes to enrol with, a node's name, its leave, its alarm."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from sqlalchemy import Engine

from collector import __version__
from collector.clock import now_ms
from collector.db import reading, writing
from collector.fleet.board import Board, Line, make_board
from collector.fleet.words import size, span
from collector.pages import page, page_language, translator
from collector.problems import PROBLEMS, ProblemError
from collector.queries import fleet_nodes, nodes, plans
from collector.queries.fleet import list_fleet
from collector.queries.fleet_nodes import KnownNode
from collector.routes.access import facilitator, posted_fields, who_may
from collector.routes.lab_scope import lab_scope
from collector.routes.staff_scope import LAB_LAYOUT, own_address, staff_scope
from collector.routes.sync_common import PROTOCOL
from collector.territory import place_labels, provinces

router = APIRouter(include_in_schema=False)
User = Annotated[str, Depends(who_may("fleet"))]
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
HERE = "/lab/equipos"
LONGEST_NAME = 100
TABLET_PORT = 8000  # where a tablet's own node stands unless somebody chose otherwise


# --- the board


@router.get(HERE)
def show_board(request: Request, user: User) -> HTMLResponse:
    """Show every node below this one, and who is late."""
    scope = _scope(request, user) | {
        "board": board_of(request.app.state.engine, request.app.state.node_name),
        "protocol": PROTOCOL,
    }
    return page(request, "lab/fleet.html", scope)


def board_of(engine: Engine, own_name: str) -> Board:
    """Return the board as it stands now."""
    with reading(engine) as session:
        return make_board(list_fleet(session), now_ms(), own_name, __version__)


def _scope(request: Request, user: str) -> dict[str, Any]:
    return lab_scope(request, user, HERE) | {"layout": LAB_LAYOUT, **measures(request)}


def measures(request: Request) -> dict[str, Any]:
    """Return how templates say stretches of time and sizes."""
    translate = translator(request.app.state.english, page_language(request))
    return {"span": lambda ms: span(ms, translate), "size": lambda size_bytes: size(size_bytes, translate)}


# --- codes


@router.get(HERE + "/codigo")
def leave_code(_user: User) -> RedirectResponse:
    """Lead back to the board: a code is shown once."""
    return RedirectResponse(HERE, 303)


@router.post(HERE + "/codigo")
def give_code(request: Request, user: User, posted: Posted) -> HTMLResponse:
    """Make a code for one node and show it, as text and as a picture to scan."""
    return _code_page(request, _scope(request, user) | {"back": HERE}, posted.get("node", ""))


@router.get("/equipo/codigo")
def leave_code_of_hub(_who: Facilitator) -> RedirectResponse:
    """Lead back: a code is shown once."""
    return RedirectResponse("/equipo", 303)


@router.post("/equipo/codigo")
def give_code_of_hub(request: Request, _who: Facilitator) -> HTMLResponse:
    """Make a code where there is no lab: a facilitator with a hub in the field."""
    return _code_page(request, staff_scope(request, "") | {"back": "/equipo"}, "")


def _code_page(request: Request, scope: dict[str, Any], node_id: str) -> HTMLResponse:
    made_ms, address = now_ms(), own_address(request)
    with writing(request.app.state.engine) as session:
        name = fleet_nodes.known_node(session, node_id).name if node_id else ""
        code = nodes.make_enrol_code(session, made_ms)
    link = enrol_link(TABLET_PORT, address, code)
    scope |= {
        "code": code,
        "address": address,
        "link": link,
        "path": f"/equipo/inscribir?{_query(address, code)}",
        "qr": qr_of(link),
        "minutes": nodes.CODE_MINUTES,
        "name": name,
        "is_alone": address.startswith("http://127.0.0.1"),
    }
    return page(request, "lab/fleet_code.html", scope)


def enrol_link(port: int, address: str, code: str) -> str:
    """Return the address on the tablet itself that opens its own page of enrolment, filled in."""
    return f"http://localhost:{port}/equipo/inscribir?{_query(address, code)}"


def _query(address: str, code: str) -> str:
    return urlencode({"url": address, "codigo": code})


def qr_of(text: str) -> Markup:
    """Return the picture of `text` as SVG to put into a page."""
    picture = segno.make(text, error="m", micro=False).svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    return Markup(picture)  # noqa: S704 - made of black and white squares, the text is not in it


# --- one node


@router.get(HERE + "/{node_id}")
def show_node(request: Request, user: User, node_id: str) -> HTMLResponse:
    """Show all that is known of a node, and what can be done with it when it sends here itself."""
    line, known, board = _node(request, node_id)
    return _node_page(request, user, line, known, board)


def _node(request: Request, node_id: str) -> tuple[Line, KnownNode | None, Board]:
    board = board_of(request.app.state.engine, request.app.state.node_name)
    line = board.line(node_id)
    if line is None:
        raise ProblemError(PROBLEMS["node_not_found"], node=node_id)
    if line.row.level > 1:
        return line, None, board
    with reading(request.app.state.engine) as session:
        return line, fleet_nodes.known_node(session, node_id), board


def _node_page(
    request: Request, user: str, line: Line, known: KnownNode | None, board: Board, trouble: str = "", typed: str = ""
) -> HTMLResponse:
    scope = _scope(request, user) | {
        "line": line,
        "row": line.row,
        "known": known,
        "below": board.below(line.row.id),
        "hub": board.line(line.row.above) if line.row.above else None,
        "protocol": PROTOCOL,
        "trouble": trouble,
        "typed": typed or line.row.name,
        "provinces": provinces(),
    }
    return page(request, "lab/fleet_node.html", scope, status=422 if trouble else 200)


@router.post(HERE + "/{node_id}/nombre", response_model=None)
def rename(request: Request, user: User, posted: Posted, node_id: str) -> HTMLResponse | RedirectResponse:
    """Call the node by another name here."""
    name = posted.get("name", "").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        line, known, board = _node(request, node_id)
        return _node_page(request, user, line, known, board, "name", name)
    with writing(request.app.state.engine) as session:
        fleet_nodes.known_node(session, node_id)
        fleet_nodes.rename_node(session, node_id, name)
    return RedirectResponse(f"{HERE}/{quote(node_id, safe='')}", 303)


@router.post(HERE + "/{node_id}/municipio")
def place(request: Request, _user: User, posted: Posted, node_id: str) -> RedirectResponse:
    """Say in which municipality or province the node works: forms assigned there go to it."""
    code = posted.get("municipio", "")
    if code and code not in place_labels():
        raise ProblemError(PROBLEMS["bad_request"], reason="no hay un municipio con ese código")
    with writing(request.app.state.engine) as session:
        fleet_nodes.known_node(session, node_id)
        plans.place_node(session, node_id, code)
    return RedirectResponse(f"{HERE}/{quote(node_id, safe='')}", 303)


@router.get(HERE + "/{node_id}/baja", response_model=None)
def ask_revoke(request: Request, user: User, node_id: str) -> HTMLResponse | RedirectResponse:
    """Say what happens when the node is revoked, and ask."""
    line, known, board = _node(request, node_id)
    if known is None or known.revoked_ms is not None:
        return RedirectResponse(f"{HERE}/{quote(node_id, safe='')}", 303)
    below = board.below(node_id)
    return page(request, "lab/fleet_revoke.html", _scope(request, user) | {"line": line, "below": below})


@router.post(HERE + "/{node_id}/baja")
def revoke(request: Request, _user: User, node_id: str) -> RedirectResponse:
    """Revoke the node: from now on what it sends is kept apart."""
    with writing(request.app.state.engine) as session:
        if fleet_nodes.known_node(session, node_id).revoked_ms is None:
            nodes.revoke_node(session, node_id, now_ms())
    return RedirectResponse(f"{HERE}/{quote(node_id, safe='')}", 303)


@router.post(HERE + "/{node_id}/alarma")
def clear_alarm(request: Request, _user: User, node_id: str) -> RedirectResponse:
    """Take the alarm down: somebody has looked."""
    with writing(request.app.state.engine) as session:
        fleet_nodes.known_node(session, node_id)
        nodes.note_alarm(session, node_id, "")
    return RedirectResponse(f"{HERE}/{quote(node_id, safe='')}", 303)
