"""The rooms of a node: the list, opening one from a guide in under a minute, and its page while it runs."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import iso_here, now_ms
from collector.db import reading
from collector.links import qr_svg, room_code
from collector.pages import page, page_language
from collector.queries.contributions import origins_of
from collector.room_guides import find_guide, kept_guides, starter_guides
from collector.room_store import make_contribution
from collector.rooms.file_kinds import SENTENCES
from collector.rooms.guide import Guide, segments_as_json, steps_as_json, text_in
from collector.rooms.places import place_key, place_told
from collector.rooms.refusals import Refusal
from collector.rooms.room import Facts, Room
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
from collector.territory import place_labels, place_names, provinces
from sync.room_lines import ReadRoom
from sync.rooms import known_names

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
SEATS_OFFERED, MOST_SEATS = 8, 60
MOST_TITLE = 200
ROOMS_A_PAGE = 20
FACTS = ("title", "date", "convened_by")


# --- the list, and a new one


@router.get("/sala")
def list_rooms(request: Request, _who: Facilitator, desde: int = 0) -> HTMLResponse:
    """List the rooms of this node, the newest first, a page at a time."""
    return list_page(request, first=desde)


def list_page(
    request: Request,
    name: str = "",
    trouble: str = "",
    taken: ReadRoom | None = None,
    new: int = 0,
    first: int = 0,
    status: int = 200,
) -> HTMLResponse:
    """Answer with the list; with what came of a file. name: of a file that is no room; trouble: what it is instead."""
    store, ids = rooms_of(request), rooms_of(request).ids()
    first = max(0, min(first, len(ids)))
    found = [room for room in map(store.get, ids[first : first + ROOMS_A_PAGE]) if room is not None]
    scope = {
        "rows": [(room, room_code(room.session)) for room in found],
        "came_from": came_from(request, [room.session for room in found]),
        "open_step": open_step,
        "place_of": place_of,
        "more": first + ROOMS_A_PAGE if first + ROOMS_A_PAGE < len(ids) else 0,
        "file_name": name,
        "trouble": SENTENCES.get(trouble, ""),
        "taken": taken,
        "taken_code": room_code(taken.room) if taken else "",
        "new": new,
    }
    return page(request, "rooms/list.html", scope | staff_scope(request, "/sala"), status=status)


def came_from(request: Request, rooms: Sequence[str]) -> dict[str, str]:
    """Return room -> the name of the node where it was opened, of those that were opened elsewhere; "" is not known."""
    with reading(request.app.state.engine) as session:
        names = known_names(session)
        return {room: names.get(origin, "") for room, origin in origins_of(session, rooms).items()}


@router.get("/sala/nueva")
def ask_new(request: Request, _who: Facilitator, guia: str = "") -> HTMLResponse:
    """Ask for a guide, then for what the session needs."""
    return _new(request, guia, {})


@router.post("/sala/nueva")
def open_room(request: Request, _who: Facilitator, posted: Posted) -> Response:
    """Open a room and lead to its page; what cannot be is said beside what was typed."""
    key = posted.get("guide", "")
    guide = find_guide(request.app.state.engine, key)
    if guide is None:
        return _new(request, "", posted, status=422)
    try:
        session = _opened(request, guide, posted)
    except Refusal as refusal:
        return _new(request, key, posted, refusal_sentence(request, refusal), 422)
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
    typed = {key: one_line(posted.get(key, ""), MOST_TITLE) for key in (*FACTS, "place", "district")}
    told = place_told(typed.pop("place"), typed.pop("district"))
    # where the list was shown, nothing chosen and nothing written takes back what was said before
    taken_back = {"place": "", "district": ""} if "district" in posted else {}
    return {key: value for key, value in typed.items() if value} | taken_back | told


def _facts_typed(typed: dict[str, str]) -> Facts:
    told = place_told(typed.get("place", ""), typed.get("district", ""))
    return Facts(place=told.get("place", ""), district=told.get("district", ""))


def place_fields(facts: Facts) -> dict[str, Any]:
    """Return what the piece that asks for a place shows: the list, the district of now, words beside it."""
    district = place_key(facts)
    known = district in place_labels()
    is_bare = known and facts.place in ("", district, place_labels()[district], place_names()[district])
    return {
        "provinces": provinces(),
        "place_district": district if known else "",
        "place_words": "" if is_bare else facts.place,
    }


def seats_wanted(typed: str) -> int:
    """Return how many seats to make: none to sixty."""
    count = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else SEATS_OFFERED
    return min(count, MOST_SEATS)


def _new(request: Request, key: str, typed: dict[str, str], trouble: str = "", status: int = 200) -> HTMLResponse:
    """Answer with what a session needs; while no guide is chosen, with the guides. key: name or id of the guide."""
    language, guide = page_language(request), find_guide(request.app.state.engine, key)
    filled = {"title": "", "place": "", "date": iso_here(now_ms())[:10], "convened_by": "", "seats": str(SEATS_OFFERED)}
    scope = {
        "guides": _choices(request, language) if guide is None else [],
        "guide": guide,
        "guide_key": key,
        "title": text_in(guide.title, language) if guide else "",
        "words_of": lambda text: text_in(text, language),
        "typed": filled | {"round": "", "group_consent": ""} | typed,
        "trouble": trouble,
        **place_fields(_facts_typed(typed)),
    }
    return page(request, "rooms/new.html", scope | staff_scope(request, "/sala"), status=status)


def _choices(request: Request, language: str) -> list[tuple[str, str, int]]:
    """Return (key, title, number of steps) of every guide: those that come with the program, then those brought."""
    every = dict(starter_guides())
    every |= {kept.id: kept.guide for kept in kept_guides(request.app.state.engine)}
    return [(key, text_in(guide.title, language), len(guide.steps)) for key, guide in every.items()]


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
        **place_fields(room.facts),
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
