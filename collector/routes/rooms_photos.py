"""Photos of the wall: taken with the tablet or chosen from it, kept whole with the record that names them.

A photo goes upstream in pieces like the files of answers, and leaves with its record when that is erased.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from collector.db import reading, writing
from collector.fill.post_body import PostedFile, read_posted
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.routes.access import facilitator
from collector.routes.lab_files import DRAWN, FILE_RULES, pieces_of
from collector.routes.rooms_common import find_room, find_step, refusal_sentence, room_page, say
from sync.blobs import catch_up

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
NAME = "pared"


@router.get("/sala/{session}/fotos")
def list_photos(request: Request, session: str, _who: Facilitator, paso: str = "") -> HTMLResponse:
    """Show the photos of a room, and the form for another one. paso: the step that it is of."""
    room = find_room(request, session)
    return _page(request, room, find_step(request, room, paso).name if paso else "")


@router.post("/sala/{session}/fotos")
async def add_photo(request: Request, session: str, _who: Facilitator) -> Response:
    """Keep a photo. What is no picture, or has no consent of the group, is refused in words, 422."""
    posted = await read_posted(request)
    file = next((each for each in posted.files if each.field == NAME), None)
    return await run_in_threadpool(_add, request, session, posted.fields, file)


def _add(request: Request, session: str, fields: dict[str, str], file: PostedFile | None) -> Response:
    room = find_room(request, session)
    step = find_step(request, room, fields["step"]).name if fields.get("step") else ""
    try:
        _check(room, file)
        entry = _kept(request, file) if file else {}
        payload = {"file": entry["name"], "text": fields.get("text", "").strip()}
        say(request, room, "photo", {key: text for key, text in payload.items() if text}, step=step, blobs=[entry])
    except Refusal as refusal:
        return _page(request, room, step, refusal_sentence(request, refusal), 422)
    return RedirectResponse(f"/sala/{session}/fotos" + (f"?paso={quote(step, safe='')}" if step else ""), 303)


def _check(room: Room, file: PostedFile | None) -> None:
    if not room.allows("", "photo"):
        raise Refusal("photo_not_allowed")
    if file is None:
        raise Refusal("photo_missing")
    if file.media_type not in DRAWN:
        raise Refusal("photo_not_a_picture", value=file.media_type or "?")


def _kept(request: Request, file: PostedFile) -> dict[str, object]:
    with writing(request.app.state.engine) as session:
        sha256 = blobs.add_blob(session, file.content, file.media_type)
        return blobs.entry_of(session, sha256, NAME) or {}


def _page(request: Request, room: Room, step: str, trouble: str = "", status: int = 200) -> HTMLResponse:
    scope = {
        "photos": room.of("photo"),
        "step": step,
        "trouble": trouble,
        "may": room.allows("", "photo"),
        "kinds": ",".join(DRAWN),
    }
    return room_page(request, "rooms/photos.html", room, scope, status=status)


@router.get("/sala/{session}/foto/{photo}")
def show_photo(request: Request, session: str, photo: str, _who: Facilitator) -> Response:
    """Send a photo of this room by the id of its contribution. Raises ProblemError not_found."""
    room = find_room(request, session)
    engine = request.app.state.engine
    catch_up(engine)
    with reading(engine) as store:
        found = blobs.files_of_record(store, photo) if any(each.id == photo for each in room.of("photo")) else []
    file = next((each for each in found if each.media_type in DRAWN), None)
    if file is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    headers = {"Content-Length": str(file.bytes), **FILE_RULES}
    return StreamingResponse(pieces_of(engine, file), headers=headers, media_type=file.media_type)
