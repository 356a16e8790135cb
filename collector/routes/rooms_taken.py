"""A session on two devices with no network between them: a small file takes the room from one to the other."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import now_ms
from collector.db import reading, writing
from collector.links import room_code
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from collector.queries.fleet import nodes_with_room
from collector.rooms.file_kinds import kind_of
from collector.routes.access import facilitator
from collector.routes.audited import PIN_HOLDER, note
from collector.routes.posted_file import posted_file
from collector.routes.rooms import list_page
from collector.routes.rooms_common import find_room, room_page
from sync.room_lines import NOTES, PREPARED, CarriedRoom, NotARoom, lines_of, read_lines
from sync.rooms import carried_now, keep_room, names_for

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
MOST_BYTES = 8 * 1024 * 1024  # a room of 40 people with all its notes has a tenth of that


@router.get("/sala/{session}/llevar")
def ask_what(request: Request, session: str, _who: Facilitator) -> HTMLResponse:
    """Show how a room goes to another tablet, and which have it already."""
    room = find_room(request, session)
    with reading(request.app.state.engine) as opened:
        holders, has_below = nodes_with_room(opened, session), bool(nodes.list_nodes(opened))
        sizes = {holds: _size(carried_now(opened, session, holds)) for holds in (PREPARED, NOTES)}
    return room_page(
        request, "rooms/take_along.html", room, {"holders": holders, "has_below": has_below, "sizes": sizes}
    )


def _size(found: CarriedRoom | None) -> int:
    """Return how many kilobytes a room is as a file, 0 where it does not go along."""
    return max(1, round(sum(len(each.body) for each in found.said) / 1000)) if found else 0


@router.get("/sala/{session}/llevar/{name}.csala")
def get_file(request: Request, session: str, name: str, _who: Facilitator, con: str = "") -> Response:
    """Give the room as a file; `con=notas` with all that was said in the open."""
    find_room(request, session)
    with reading(request.app.state.engine) as opened:
        found = carried_now(opened, session, NOTES if con == "notas" else PREPARED)
        if found is None or name != file_name(session, found.holds):
            raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
        content = lines_of(found.with_names(names_for(opened, found)), store.fact(opened, "node_id"))
    note(request, PIN_HOLDER, "export", session, file=f"{name}.csala")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csala"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


def file_name(session: str, holds: str) -> str:
    """Return what a room's file is called, without its ending."""
    return f"sala-{room_code(session)}{'-notas' if holds == NOTES else ''}"


@router.get("/sala/traer")
def show_list(_who: Facilitator) -> RedirectResponse:
    """Lead who reloads the page of an upload back to the list."""
    return RedirectResponse("/sala", 303)


@router.post("/sala/traer")
async def bring(request: Request, _who: Facilitator) -> HTMLResponse:
    """Take a room in from a file; what is no room is said with what it is."""
    try:
        name, content = await posted_file(request, MOST_BYTES)
    except ProblemError as error:
        if error.problem.code != "too_large":
            raise
        return list_page(request, trouble="too_large", status=422)
    return await run_in_threadpool(_bring, request, name, content)


def _bring(request: Request, name: str, content: bytes) -> HTMLResponse:
    engine = request.app.state.engine
    if not name:
        return list_page(request, trouble="none", status=422)
    try:
        with reading(engine) as session:
            read = read_lines(content, store.fact(session, "node_id"))
    except NotARoom as error:
        return list_page(request, name, "damaged" if error.reason == "damaged" else kind_of(content), status=422)
    with writing(engine) as session:
        new = keep_room(session, read, now_ms())
    if new:
        request.app.state.kick()
    return list_page(request, taken=read, new=new)
