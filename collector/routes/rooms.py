"""The rooms of a node: the list, opening one from a guide in under a minute, and its page while it runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import iso_here, now_ms
from collector.links import qr_svg, room_code
from collector.pages import page, page_language
from collector.room_guides import starter_guides
from collector.room_store import make_contribution
from collector.rooms.guide import Guide, segments_as_json, steps_as_json, text_in
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.routes.access import facilitator, one_line, posted_fields
from collector.routes.rooms_common import (
    NOTICE_VERSION,
    PURPOSES,
    find_room,
    join_address,
    mark_of_page,
    next_count,
    open_step,
    place_of,
    refusal_sentence,
    room_page,
    rooms_of,
    shown_step,
    unless_marked,
    waiting_items,
    writer_of,
)
from collector.routes.rooms_last import last_said
from collector.routes.staff_scope import staff_scope
from collector.territory import place_labels, provinces

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
SEATS_OFFERED, MOST_SEATS = 8, 60
MOST_TITLE = 200
ROOMS_A_PAGE = 20
FACTS = ("title", "place", "date", "convened_by")


# --- the list, and a new one


@router.get("/sala")
def list_rooms(request: Request, _who: Facilitator, desde: int = 0) -> HTMLResponse:
    """List the rooms of this node, the newest first, a page at a time."""
    store, ids = rooms_of(request), rooms_of(request).ids()
    first = max(0, min(desde, len(ids)))
    found = [room for room in map(store.get, ids[first : first + ROOMS_A_PAGE]) if room is not None]
    rows = [(room, room_code(room.session)) for room in found]
    more = first + ROOMS_A_PAGE if first + ROOMS_A_PAGE < len(ids) else 0
    scope = {"rows": rows, "open_step": open_step, "place_of": place_of, "more": more}
    return page(request, "rooms/list.html", scope | staff_scope(request, "/sala"))


@router.get("/sala/nueva")
def ask_new(request: Request, _who: Facilitator, guia: str = "") -> HTMLResponse:
    """Ask for a guide, then for what the session needs."""
    return _new(request, starter_guides().get(guia), {})


@router.post("/sala/nueva")
def open_room(request: Request, _who: Facilitator, posted: Posted) -> Response:
    """Open a room and lead to its page; what cannot be is said beside what was typed."""
    guide = starter_guides().get(posted.get("guide", ""))
    if guide is None:
        return _new(request, None, posted, status=422)
    try:
        session = _opened(request, guide, posted)
    except Refusal as refusal:
        return _new(request, guide, posted, refusal_sentence(request, refusal), 422)
    return RedirectResponse(f"/sala/{session}", 303)


def _opened(request: Request, guide: Guide, posted: dict[str, str]) -> str:
    """Open a room with its seats and the consent of the group. Raises Refusal before anything is kept."""
    store, writer = rooms_of(request), writer_of(request)
    title = one_line(posted.get("title", ""), MOST_TITLE) or text_in(guide.title, page_language(request))
    payload = {
        **facts_in(posted), "title": title, "guide": guide.name, "guide_version": guide.version,
        "steps": steps_as_json(guide), "segments": segments_as_json(guide.segments),
    }  # fmt: skip
    payload |= {"round": int(posted["round"])} if posted.get("round", "") in ("0", "1", "2", "3", "4", "5") else {}
    session = store.open(payload, writer)
    for number in range(1, seats_wanted(posted.get("seats", "")) + 1):
        store.add(make_contribution(session, "seat", {}, writer, next_count(), seat=f"P{number}"))
    if posted.get("group_consent") == "si":
        said = {"purposes": {"participate": True}, "group": True, "how": "oral", "notice_version": NOTICE_VERSION}
        store.add(make_contribution(session, "consent", said, writer, next_count()))
    return session


def facts_in(posted: dict[str, str]) -> dict[str, Any]:
    """Return the facts of a session among what was typed; blank ones are left out."""
    typed = {key: one_line(posted.get(key, ""), MOST_TITLE) for key in FACTS}
    labels = place_labels()
    typed["place"] = labels.get(typed["place"], typed["place"])
    return {key: value for key, value in typed.items() if value}


def seats_wanted(typed: str) -> int:
    """Return how many seats to make: none to sixty."""
    count = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else SEATS_OFFERED
    return min(count, MOST_SEATS)


def _new(
    request: Request, guide: Guide | None, typed: dict[str, str], trouble: str = "", status: int = 200
) -> HTMLResponse:
    language = page_language(request)
    filled = {"title": "", "place": "", "date": iso_here(now_ms())[:10], "convened_by": "", "seats": str(SEATS_OFFERED)}
    scope = {
        "guides": [(each.name, text_in(each.title, language), len(each.steps)) for each in starter_guides().values()],
        "guide": guide,
        "title": text_in(guide.title, language) if guide else "",
        "words_of": lambda text: text_in(text, language),
        "provinces": provinces(),
        "typed": filled | {"round": "", "group_consent": ""} | typed,
        "trouble": trouble,
    }
    return page(request, "rooms/new.html", scope | staff_scope(request, "/sala"), status=status)


# --- the page of a running room


@router.get("/sala/{session}")
def run_room(request: Request, session: str, _who: Facilitator) -> Response:
    """Show a room: its steps, who is there, what waits. The part that changes is polled."""
    room = find_room(request, session)
    tag = mark_of_page(request, session, "run")
    return unless_marked(request, tag, lambda: run_page(request, room))


def run_page(request: Request, room: Room, trouble: str = "", status: int = 200) -> HTMLResponse:
    """Answer with the page of a running room, and with what went wrong."""
    address = join_address(request, room)
    scope = {
        "trouble": trouble,
        "address": address,
        "spoken": address.partition("://")[2],
        "qr": qr_svg(address),
        "waiting": waiting_items(room),
        "open_now": open_step(room),
        "shown_now": shown_step(room),
        "next_step": next_step(room),
        "voted": lambda step: people_in_step(room, step),
        "last": last_said(request, room.session),
        "purposes": PURPOSES,
        "nobody_there": not room.seats,
    }
    return room_page(request, "rooms/run.html", room, scope, block="live", status=status)


def next_step(room: Room) -> str:
    """Return the step to go on with: the first that was never opened, "" while one is open or at the end."""
    if room.guide is None or open_step(room) is not None or room.is_closed:
        return ""
    return next((step.name for step in room.guide.steps if room.run(step.name).state == "hidden"), "")


def people_in_step(room: Room, step_name: str) -> int:
    """Return how many people voted in a step, by the kind of vote that most gave."""
    return max((count for (_, step), count in room.secret.voters.items() if step == step_name), default=0)
