"""What leaves a room: its files for the facilitator, and those with words that may not be quoted for the lab."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from collector.links import room_code
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.outputs.listing import Around, OutputFile, files_of
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.places import place_name
from collector.rooms.room import Room
from collector.rooms.sense.sessions import CODEBOOK_SESSION
from collector.routes.access import Person, facilitator, one_line, person_who_may
from collector.routes.audited import MOST_PURPOSE, PIN_HOLDER, note, purpose_of
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_sense import form_lines, sense_of
from collector.routes.rooms_common import find_room, room_page, rooms_of
from collector.territory import place_labels

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
User = Annotated[Person, Depends(person_who_may("rooms"))]
# such a page carries its style in itself, and may do nothing else
PAGE_RULES = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; form-action 'none'"
MOST_ROUNDS = 16  # rooms looked through for rounds of the same guide, as the boards do
SHOWN_ENDINGS = ("html", "svg", "txt")  # opened in the browser; the others are saved


@router.get("/sala/{session}/salidas")
def list_outputs(request: Request, session: str, _who: Facilitator) -> HTMLResponse:
    """List what the facilitator may hand out of a room."""
    room = find_room(request, session)
    return room_page(request, "rooms/outputs.html", room, {"groups": _groups(_files(request, room, False))})


@router.get("/sala/{session}/salidas/{name}")
def get_output(request: Request, session: str, name: str, _who: Facilitator) -> Response:
    """Give one file. Noted without a purpose: it holds only what the room agreed to hand out."""
    room = find_room(request, session)
    file = _file(request, room, name, for_lab=False)
    note(request, PIN_HOLDER, "export", session, file=name)
    return _sent(room, file)


@router.get("/lab/salas")
def list_lab_rooms(request: Request, user: User) -> HTMLResponse:
    """List the rooms that are here, the newest first, with what they said in numbers."""
    store = rooms_of(request)
    found = [room for room in map(store.get, store.ids()) if room is not None]
    rows = [(room, room_code(room.session), place_name(room.facts)) for room in found]
    scope = {"rows": rows, "forms": form_lines(request), **lab_scope(request, user.who, "/lab/salas")}
    return page(request, "lab/rooms.html", scope)


@router.get("/lab/salas/{session}")
def list_lab_outputs(request: Request, session: str, user: User) -> HTMLResponse:
    """List all files of a room."""
    room = find_room(request, session)
    scope = {"room": room, "groups": _groups(_files(request, room, True)), **lab_scope(request, user.who, "/lab/salas")}
    return page(request, "lab/room.html", scope)


@router.get("/lab/salas/{session}/{name}")
def get_lab_output(request: Request, session: str, name: str, user: User) -> Response:
    """Give one file; one with words that may not be quoted only for a purpose that is said."""
    room = find_room(request, session)
    file = _file(request, room, name, for_lab=True)
    purpose = purpose_of(request) if file.for_lab else one_line(request.query_params.get("purpose", ""), MOST_PURPOSE)
    note(request, user, "export", session, purpose=purpose, file=name)
    return _sent(room, file)


def _files(request: Request, room: Room, for_lab: bool) -> list[OutputFile]:
    tongue = Tongue(page_language(request), request.app.state.english, place_labels())
    store = rooms_of(request)
    others = [other for each in store.ids()[:MOST_ROUNDS] if each != room.session and (other := store.get(each))]
    around = Around(tuple(others), sense_of(request).get(CODEBOOK_SESSION))
    return files_of(room, tongue, for_lab, around)


def _groups(files: list[OutputFile]) -> list[tuple[str, list[OutputFile]]]:
    """Return the files by what they are of, in order."""
    groups: dict[str, list[OutputFile]] = {}
    for file in files:
        groups.setdefault(file.of, []).append(file)
    return list(groups.items())


def _file(request: Request, room: Room, name: str, for_lab: bool) -> OutputFile:
    file = next((each for each in _files(request, room, for_lab) if each.name == name), None)
    if file is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return file


def _sent(room: Room, file: OutputFile) -> Response:
    how = "inline" if file.ending in SHOWN_ENDINGS else "attachment"
    mark = "demostracion-" if room.facts.demo else ""
    saved_as = quote(f"{mark}{room.facts.date or 'sala'}-{room_code(room.session)}-{file.name}")
    headers = {"Content-Disposition": f"{how}; filename*=UTF-8''{saved_as}", "Content-Security-Policy": PAGE_RULES}
    return Response(file.content(), media_type=file.media_type, headers=headers)
