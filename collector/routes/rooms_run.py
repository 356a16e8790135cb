"""What a facilitator does in a running room: steps, timer, who is there, seats and consent, moderation, undo."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import iso_here, now_ms, parse_iso
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.guide import Step
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.routes.access import facilitator, one_line, posted_fields
from collector.routes.rooms import MOST_SEATS, facts_in, run_page
from collector.routes.rooms_common import (
    NOTICE_VERSION,
    PURPOSES,
    find_room,
    find_step,
    refusal_sentence,
    room_page,
    rooms_of,
    say,
)
from collector.routes.rooms_last import last_said

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
MINUTE_MS = 60_000
MOST_MINUTES = 600
MORE_MINUTES = 5


def after(request: Request, session: str, act: Callable[[Room], object], back: str = "") -> Response:
    """Do something in a room and lead back; what was refused is said on the page that asked, 422."""
    room = find_room(request, session)
    try:
        act(room)
    except Refusal as refusal:
        return run_page(request, room, refusal_sentence(request, refusal), 422)
    if request.headers.get("hx-request") == "true":
        return run_page(request, find_room(request, session))
    return RedirectResponse(f"/sala/{session}{back}", 303)


# --- steps


@router.post("/sala/{session}/paso/{name}")
def set_step(request: Request, session: str, name: str, _who: Facilitator, posted: Posted) -> Response:
    """Open, lock, reveal or hide a step. One is open at a time: what was open before is locked."""
    state = posted.get("state", "")
    return after(request, session, lambda room: _set_step(request, room, find_step(request, room, name), state))


def _set_step(request: Request, room: Room, step: Step, state: str) -> None:
    if state == "open" and room.guide is not None:
        for other in room.guide.steps:
            if other.name != step.name and room.run(other.name).state == "open":
                say(request, room, "step", {"state": "locked"}, step=other.name)
    until = {"until": minutes_from_now(step.minutes)} if state == "open" and step.minutes else {}
    say(request, room, "step", {"state": state} | until, step=step.name)


@router.post("/sala/{session}/tiempo/{name}")
def more_time(request: Request, session: str, name: str, _who: Facilitator, posted: Posted) -> Response:
    """Give an open step more minutes, from now or from when its timer ends; 0 ends the timer."""
    typed = posted.get("minutes", "")
    minutes = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else MORE_MINUTES

    def extend(room: Room) -> None:
        run = room.run(find_step(request, room, name).name)
        until = {"until": minutes_from_now(min(minutes, MOST_MINUTES), run.until)} if minutes else {}
        say(request, room, "step", {"state": run.state} | until, step=name)

    return after(request, session, extend)


def minutes_from_now(minutes: int, until: str = "") -> str:
    """Return the moment so many minutes after `until`, where that is still to come, else after now."""
    now = now_ms()
    moment = parse_iso(until) if until else None
    start = max(now, moment[0]) if moment else now
    return iso_here(start + minutes * MINUTE_MS)


# --- who is there


@router.post("/sala/{session}/presentes")
def count_people(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Keep how many people are in the room."""
    typed = posted.get("count", "").strip()
    count: Any = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else typed
    return after(request, session, lambda room: say(request, room, "presentes", {"count": count}))


@router.post("/sala/{session}/puestos")
def add_seats(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Add seats after those that are there."""
    typed = posted.get("seats", "")
    wanted = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 1

    def add(room: Room) -> None:
        for number in free_numbers(room)[: min(wanted, MOST_SEATS)]:
            say(request, room, "seat", {}, seat=f"P{number}")

    return after(request, session, add, "#puestos")


def free_numbers(room: Room) -> list[int]:
    """Return the numbers of seats that nobody has, the lowest first."""
    return [number for number in range(1, 3 * MOST_SEATS) if f"P{number}" not in room.seats]


@router.get("/sala/{session}/puesto/{seat}")
def show_seat(request: Request, session: str, seat: str, _who: Facilitator) -> HTMLResponse:
    """Show a seat: its groups and what it agreed to."""
    return _seat_page(request, find_room(request, session), seat)


@router.post("/sala/{session}/puesto/{seat}")
def set_seat(request: Request, session: str, seat: str, _who: Facilitator, posted: Posted) -> Response:
    """Keep the groups of a seat and its consent."""
    room = find_room(request, session)
    if seat not in room.seats:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    try:
        _keep_seat(request, room, seat, posted)
    except Refusal as refusal:
        return _seat_page(request, room, seat, refusal_sentence(request, refusal), 422)
    return RedirectResponse(f"/sala/{session}#puestos", 303)


@router.post("/sala/{session}/puesto/{seat}/borrar")
def erase_seat(request: Request, session: str, seat: str, _who: Facilitator, posted: Posted) -> Response:
    """Erase what a seat said, because the person asked for it and somebody said twice that it is meant."""
    room = find_room(request, session)
    if seat not in room.seats:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    if posted.get("sure") != "yes":
        return RedirectResponse(f"/sala/{session}/puesto/{quote(seat, safe='')}", 303)
    rooms_of(request).erase_seat(session, seat)
    request.app.state.kick()
    return RedirectResponse(f"/sala/{session}#puestos", 303)


def _keep_seat(request: Request, room: Room, seat: str, posted: Mapping[str, str]) -> None:
    chosen = {segment.name: posted.get(f"segment.{segment.name}", "") for segment in room.segments}
    segments = {
        segment.name: chosen[segment.name] for segment in room.segments if chosen[segment.name] in segment.values
    }
    if segments != dict(room.seats[seat].segments):
        say(request, room, "seat", {"segments": segments}, seat=seat)
    keep_consent(request, room, posted, seat)


def keep_consent(request: Request, room: Room, posted: Mapping[str, str], seat: str = "") -> None:
    """Keep what a seat, or without one the group, agrees to, where it differs from what is kept."""
    purposes = {purpose: posted.get(f"purpose.{purpose}") == "si" for purpose in PURPOSES}
    known = room.consents.get(seat)
    if known is None and not any(purposes.values()):
        return
    if known is None or dict(known.purposes) != purposes:
        said: dict[str, Any] = {"purposes": purposes, "how": "oral", "notice_version": NOTICE_VERSION}
        said |= {} if seat else {"group": True}
        say(request, room, "consent", said, seat=seat)


def _seat_page(request: Request, room: Room, seat: str, trouble: str = "", status: int = 200) -> HTMLResponse:
    if seat not in room.seats:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    scope = {"seat": room.seats[seat], "consent": room.consents.get(seat), "purposes": PURPOSES, "trouble": trouble}
    return room_page(request, "rooms/seat.html", room, scope, status=status)


@router.post("/sala/{session}/consentimiento")
def group_consent(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Keep what the group agreed to aloud."""
    return after(request, session, lambda room: keep_consent(request, room, posted), "#puestos")


@router.post("/sala/{session}/datos")
def set_facts(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Mend the title, place or date of a session."""

    def mend(room: Room) -> None:
        changed = {key: value for key, value in facts_in(posted).items() if value != getattr(room.facts, key)}
        if changed:
            say(request, room, "session", changed)

    return after(request, session, mend)


# --- what people said, and taking back


@router.post("/sala/{session}/moderar")
def moderate(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Show or hide something that was said."""
    ref, state = one_line(posted.get("ref", ""), 60), posted.get("state", "")
    return after(request, session, lambda room: say(request, room, "moderate", {"state": state}, ref=ref))


@router.post("/sala/{session}/deshacer")
def undo(request: Request, session: str, _who: Facilitator, posted: Posted) -> Response:
    """Take back the last thing that was done, or bring it back. Only what the page offered: a later thing stays."""
    wanted = posted.get("ref", "")

    def take_back(room: Room) -> None:
        last = last_said(request, session)
        offered = {each.id for each in (last.done, last.undone) if each is not None}
        if wanted in offered:
            say(request, room, "undo", {}, ref=wanted)

    return after(request, session, take_back)
