"""The facilitator's desk of one step: what was said in it, to be moved, joined, confirmed, hidden or written down.

Moving is a list and a button, never a drag. Nothing secret is here: votes are given on phones, tablets and paper alone.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.pages import page_language
from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.reactions import CONFIRM, actors_in, next_reaction, own_reactions, reactions_in, why_not
from collector.rooms.given import Said, check_known, said_in
from collector.rooms.guide import STEP_TYPES, Step, text_in
from collector.rooms.mine import known_ids
from collector.rooms.payloads import LEVELS, SECRET
from collector.rooms.refusals import Refusal, shown
from collector.rooms.room import Item, Room
from collector.routes.access import facilitator, one_line, posted_fields
from collector.routes.room_now import plain_refusal
from collector.routes.rooms_common import (
    find_room,
    find_step,
    mark_of_page,
    room_page,
    say,
    unless_marked,
    writer_of,
)
from collector.routes.rooms_drawn import LISTED, drawn
from collector.routes.rooms_last import MOVES, LastSaid, last_said

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
NOT_WRITTEN_HERE = frozenset(
    {"score", "photo", "minute"}
)  # a judge's own; the photo has no file here; the closing page
WRITTEN_HERE = frozenset().union(*STEP_TYPES.values()) - SECRET - NOT_WRITTEN_HERE
TAKEN_BACK_HERE = WRITTEN_HERE | {"moderate"}  # a reaction is taken back by its own button
MOST_ITEMS, MOST_NOTES = 60, 100
SHORT = 90


@router.get("/sala/{session}/mesa/{name}")
def show_desk(request: Request, session: str, name: str, _who: Facilitator) -> Response:
    """Show what was said in a step, with what can be done with it."""
    room = find_room(request, session)
    step = find_step(request, room, name)
    return unless_marked(request, mark_of_page(request, session, "desk", name), lambda: _page(request, room, step))


@router.post("/sala/{session}/mesa/{name}")
def act(request: Request, session: str, name: str, _who: Facilitator, posted: Posted) -> Response:
    """Do one thing on the desk. What was refused is said on the page, with what was typed, 422."""
    room = find_room(request, session)
    step, what = find_step(request, room, name), posted.get("_what", "")
    try:
        ACTS.get(what, _add)(request, room, step, posted)
    except Refusal as refusal:
        return _page(request, room, step, posted, plain_refusal(request, refusal), 422)
    if request.headers.get("hx-request") == "true":
        return _page(request, find_room(request, session), step, done=what)
    return RedirectResponse(f"/sala/{session}/mesa/{name}", 303)


# --- acts, each as the form's field _what names it


def _add(request: Request, room: Room, step: Step, posted: Mapping[str, str]) -> None:
    """Write down something of a kind the step takes; also a placement or a link. Votes are refused."""
    what = posted.get("_what", "")
    if what not in WRITTEN_HERE:
        raise Refusal("wrong_step", step=step.name, type=step.type, what=what)
    for said in said_in(step, what, posted, room.facts.round):
        check_known(said, known_ids(room))
        _check_level(step, said)
        say(request, room, said.what, said.payload, step=step.name, ref=said.ref)


def _check_level(step: Step, said: Said) -> None:
    """Raise Refusal for an item of an iceberg that would be moved to where there is no level."""
    group = said.payload.get("group", "")
    if step.type == "iceberg" and said.what == "placement" and group not in LEVELS:
        raise Refusal("not_one_of", key="group", value=shown(group), known=", ".join(LEVELS))


def _react(request: Request, room: Room, step: Step, posted: Mapping[str, str]) -> None:
    ref, pressed = posted.get("ref", ""), posted.get("reaction", "")
    current = own_reactions(room, [writer_of(request).by]).get(ref, "")
    _say_reaction(request, room, step, ref, {"reaction": next_reaction(pressed, current)})


def _confirm(request: Request, room: Room, step: Step, posted: Mapping[str, str]) -> None:
    """Write down that an actor confirms an agreement, or take that back."""
    actor = one_line(posted.get("actor", ""), 200)
    if not actor:
        raise Refusal("not_a_text", key="actor", value=shown(""))
    said = {"reaction": "none" if posted.get("none") else CONFIRM, "actor": actor}
    _say_reaction(request, room, step, posted.get("ref", ""), said)


def _say_reaction(request: Request, room: Room, step: Step, ref: str, said: Mapping[str, str]) -> None:
    why = why_not(room, ref, said["reaction"], said.get("actor", ""))
    if why:
        raise Refusal(why, key="ref", value=shown(ref), known="–")
    say(request, room, "reaction", said, step=step.name, ref=ref)


def _moderate(request: Request, room: Room, step: Step, posted: Mapping[str, str]) -> None:
    ref, state = posted.get("ref", ""), posted.get("state", "")
    if ref in {item.id for item in _items(room, step)}:
        say(request, room, "moderate", {"state": state}, ref=ref)


def _undo(request: Request, room: Room, step: Step, posted: Mapping[str, str]) -> None:
    """Take back the last thing done here, or bring it back: only what the page offered."""
    last = _last(request, room, step)
    if posted.get("ref") in {each.id for each in (last.done, last.undone) if each is not None}:
        say(request, room, "undo", {}, ref=posted["ref"])


def _last(request: Request, room: Room, step: Step) -> LastSaid:
    return last_said(request, room.session, TAKEN_BACK_HERE, step=step.name, by=writer_of(request).by)


Act = Callable[[Request, Room, Step, Mapping[str, str]], None]
ACTS: Mapping[str, Act] = {"reaction": _react, "confirm": _confirm, "moderate": _moderate, "undo": _undo}


# --- the page


def _page(
    request: Request,
    room: Room,
    step: Step,
    posted: Mapping[str, str] | None = None,
    trouble: str = "",
    status: int = 200,
    done: str = "",
) -> HTMLResponse:
    items = _items(room, step)
    groups = affinity_board(room, step.name)
    ideas = (*(item for group in groups.groups for item in group.items), *groups.apart)
    scope = {
        "step": step,
        "run": room.run(step.name),
        "desk": f"/sala/{room.session}/mesa/{step.name}",
        "drawn": drawn(request, room, step),
        "items": items[-MOST_ITEMS:],
        "older": max(0, len(items) - MOST_ITEMS),
        "adds": sorted(STEP_TYPES[step.type] & WRITTEN_HERE - MOVES, key=_first_of(step)),
        "reactions": reactions_in(room),
        "own_reactions": own_reactions(room, [writer_of(request).by]),
        "actors": actors_in(room),
        "texts": {item.id: item.text for item in room.items if item.text},
        "option_pairs": [(option.name, text_in(option.label, page_language(request))) for option in step.options],
        "told_pairs": _pairs(room.of("statement", step.source) or room.of("statement")),
        "idea_pairs": _pairs(ideas),
        "group_pairs": [(group.name, group.name) for group in groups.groups],
        "iceberg_pairs": _pairs(room.of("iceberg", step.name)),
        "note_pairs": _pairs(room.of("note")[-MOST_NOTES:]),
        "evidence_pairs": _pairs((*room.of("note"), *room.of("statement"))[-MOST_NOTES:]),
        "last": _last(request, room, step),
        "typed": posted or {},
        "typed_of": (posted or {}).get("_what", ""),
        "trouble": trouble,
        "done": done,
    }
    return room_page(request, "rooms/desk.html", room, scope, block="desk", status=status)


def _first_of(step: Step) -> Callable[[str], int]:
    """Return the order in which a step's kinds are offered: as its board lists them."""
    order = (*LISTED.get(step.type, ()), "statement", "iceberg", "commitment", "resource", "expectation", "objection")
    return lambda what: order.index(what) if what in order else len(order)


def _items(room: Room, step: Step) -> list[Item]:
    """Return what was said in a step and can be reacted to, also what is hidden or waits, in order."""
    kinds: Collection[str] = STEP_TYPES[step.type] - MOVES - {"score"} | {"note"}
    return [item for item in room.items if item.what in kinds and item.step == step.name]


def _pairs(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    """Return (id, first words) of a list to choose from."""
    return [(item.id, item.text if len(item.text) <= SHORT else f"{item.text[:SHORT]}…") for item in items]
