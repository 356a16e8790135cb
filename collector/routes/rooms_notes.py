"""The note pad of a separate note-taker, and the end of a session: minutes read back to the group."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.rooms.boards.timeline import balance, timeline
from collector.rooms.boards.words import folded
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.rooms.rules import LONG_TEXT, SHORT_TEXT
from collector.routes.access import facilitator, one_line, posted_pairs
from collector.routes.rooms_common import (
    find_room,
    mark_of_page,
    open_step,
    refusal_sentence,
    room_page,
    say,
    unless_marked,
)
from collector.routes.rooms_last import last_said

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
LAST_NOTES, MOST_NOTES = 12, 300
MOST_THEMES = 16
MANNERS = ("verbatim", "paraphrase")
NOTES = frozenset({"note"})


async def long_fields(request: Request) -> dict[str, str]:
    """Read a plain form that may hold the minutes of a session: name -> first value, up to 128 KiB."""
    return dict(reversed(await posted_pairs(request, 128 * 1024, 20)))


Posted = Annotated[dict[str, str], Depends(long_fields)]


# --- notes


@router.get("/sala/{session}/notas")
def show_notes(request: Request, session: str, _who: Facilitator, todas: str = "") -> Response:
    """Show the note pad; the list of what was noted, by anybody, is polled."""
    room = find_room(request, session)
    typed = {key: request.query_params.get(key, "") for key in ("seat", "step", "manner", "again")}
    return unless_marked(
        request,
        mark_of_page(request, session, "notes", todas[:1]),
        lambda: _notes_page(request, room, typed, is_whole=bool(todas)),
    )


@router.post("/sala/{session}/notas")
def add_note(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Keep one note. The seat, the step and the manner stay chosen for the next one."""
    room = find_room(request, session)
    try:
        room = say(
            request, room, "note", note_in(room, posted), seat=posted.get("seat", ""), step=posted.get("step", "")
        )
    except Refusal as refusal:
        return _notes_page(request, room, posted, refusal_sentence(request, refusal), 422, block="pad")
    kept = {key: posted[key] for key in ("seat", "step", "manner") if posted.get(key)} | {"again": "1"}
    if request.headers.get("hx-request") == "true":
        return _notes_page(request, room, kept, block="pad")
    return RedirectResponse(f"/sala/{session}/notas?{urlencode(kept)}", 303)


def note_in(room: Room, posted: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of a note as it was typed; lines keep their breaks."""
    text = posted.get("text", "").replace("\0", "").replace("\r\n", "\n").strip()
    payload: dict[str, Any] = {"text": text}
    # not called "form": in a browser that name would hide the form itself from its scripts
    if posted.get("manner") in MANNERS:
        payload["form"] = posted["manner"]
    theme = one_line(posted.get("new_theme", ""), SHORT_TEXT) or one_line(posted.get("theme", ""), SHORT_TEXT)
    payload |= {"theme": known_theme(room, theme)} if theme else {}
    payload |= {"quote": True} if posted.get("quote") == "si" else {}
    return payload


def known_theme(room: Room, theme: str) -> str:
    """Return a theme as it was first written in this room, so that accents and case make no second one."""
    return next((each for each in themes_of(room) if folded(each) == folded(theme)), theme)


def themes_of(room: Room) -> list[str]:
    """Return the themes of the room's notes, the most used first."""
    counts: dict[str, int] = {}
    for item in room.of("note"):
        if item.said("theme"):
            counts[item.said("theme")] = counts.get(item.said("theme"), 0) + 1
    return sorted(counts, key=lambda theme: (-counts[theme], theme))[:MOST_THEMES]


@router.post("/sala/{session}/notas/deshacer")
def undo_note(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Take a note back, or bring the last one back; everything else of the room stays out of reach here."""
    room = find_room(request, session)
    ref, last = posted.get("ref", ""), last_said(request, session, NOTES)
    if ref in {item.id for item in room.of("note")} or (last.undone is not None and last.undone.id == ref):
        say(request, room, "undo", {}, ref=ref)
    return RedirectResponse(f"/sala/{session}/notas#notas", 303)


def _notes_page(
    request: Request,
    room: Room,
    typed: Mapping[str, str],
    trouble: str = "",
    status: int = 200,
    *,
    is_whole: bool = False,
    block: str = "notes",
) -> HTMLResponse:
    rows = timeline(room)
    now = open_step(room)
    first = {
        "seat": "",
        "step": now.name if now else "",
        "manner": "paraphrase",
        "text": "",
        "theme": "",
        "new_theme": "",
        "again": "",
    }
    scope = {
        "rows": list(reversed(rows))[: MOST_NOTES if is_whole else LAST_NOTES],
        "count": len(rows),
        "balance": balance(room),
        "themes": themes_of(room),
        "typed": first | {"quote": ""} | {key: value for key, value in typed.items() if value},
        "taken_back": last_said(request, room.session, NOTES).undone,
        "trouble": trouble,
        "is_whole": is_whole,
        "most_text": LONG_TEXT,
        "widest": widest(balance(room).by_segment.values()),
    }
    return room_page(request, "rooms/notes.html", room, scope, block, status)


def widest(segments: Iterable[Iterable[Any]]) -> float:
    """Return the most notes for each seat of any group, at least one: what the longest bar stands for."""
    return max((group.per_seat for groups in segments for group in groups), default=0.0) or 1.0


# --- the end


@router.get("/sala/{session}/cerrar")
def show_closing(request: Request, session: str, _who: Facilitator) -> HTMLResponse:
    """Show the minutes to be read back to the group, and what is kept of them."""
    return _closing_page(request, find_room(request, session), {})


@router.post("/sala/{session}/cerrar")
def close(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Close the session with its summary, and with whether it was read to the group."""
    room = find_room(request, session)
    summary = posted.get("summary", "").replace("\0", "").replace("\r\n", "\n").strip()
    try:
        say(request, room, "close", {"summary": summary, "read_back": posted.get("read_back") == "si"})
    except Refusal as refusal:
        return _closing_page(request, room, posted, refusal_sentence(request, refusal), 422)
    return RedirectResponse(f"/sala/{session}/cerrar", 303)


def _closing_page(
    request: Request, room: Room, typed: Mapping[str, str], trouble: str = "", status: int = 200
) -> HTMLResponse:
    closing = room.closing
    scope = {
        "trouble": trouble,
        "summary": typed.get("summary") or (closing.summary if closing else ""),
        "is_read_back": typed.get("read_back") == "si" or bool(closing and closing.is_read_back),
        "notes": timeline(room),
        "agreements": room.of("agreement"),
        "commitments": room.of("commitment"),
        "minutes": room.of("minute"),
        "balance": balance(room),
    }
    return room_page(request, "rooms/close.html", room, scope, status=status)
