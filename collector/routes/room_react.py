"""One tap of a phone on something said in the open, or an actor's word on an agreement; a second tap takes it back."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from collector.room_store import Writer, make_contribution
from collector.rooms.accepting import check_accepts
from collector.rooms.boards.reactions import CONFIRM, NONE, next_reaction, own_reactions, why_not
from collector.rooms.contributions import parse_contribution
from collector.rooms.refusals import Refusal, shown
from collector.rooms.room import Room
from collector.routes.access import one_line
from collector.routes.room_now import Asked, address_of, now_page
from collector.routes.room_people import away, room_of_code
from collector.routes.room_person import Person, person_in, room_fields
from collector.routes.rooms_common import next_count, rooms_of

router = APIRouter(include_in_schema=False)
Posted = Annotated[dict[str, str], Depends(room_fields)]
LONGEST_ACTOR = 200


@router.post("/s/{code}/reaccion")
def react(request: Request, code: str, posted: Posted) -> Response:
    """Take a tap. What cannot be taken is said on the page, 422."""
    room = room_of_code(request, code)
    person = person_in(request, room.session)
    if person is None:
        return away(request, address_of(room))
    step = posted.get("_step", "")
    try:
        _keep(request, room, person, posted)
    except Refusal as refusal:
        return now_page(request, room, person, Asked(step), posted=posted, refusal=refusal)
    return RedirectResponse(f"{address_of(room)}/ahora?{urlencode({'paso': step, 'dio': 'reaction'})}", 303)


def _keep(request: Request, room: Room, person: Person, posted: dict[str, str]) -> None:
    """Store a tap of a person, by its seat and never by its ballot. Raises Refusal."""
    ref, said = posted.get("ref", ""), _said(room, person, posted)
    why = why_not(room, ref, said["reaction"], said.get("actor", ""))
    if why:
        raise Refusal(why, key="ref", value=shown(ref), known="–")
    about = next(item for item in room.items if item.id == ref)
    body = make_contribution(
        room.session,
        "reaction",
        said,
        Writer(person.by, person.mode),
        next_count(),
        seat=person.seat,
        step=about.step,
        ref=ref,
    )
    check_accepts(room, parse_contribution(body))
    rooms_of(request).add(body)


def _said(room: Room, person: Person, posted: dict[str, str]) -> dict[str, str]:
    """Return what a tap says: the button, none where it was pressed already, or that an actor confirms."""
    if posted.get("_what") == "confirm":
        actor = one_line(posted.get("actor", ""), LONGEST_ACTOR)
        if not actor:
            raise Refusal("not_a_text", key="actor", value=shown(""))
        return {"reaction": NONE if posted.get("none") else CONFIRM, "actor": actor}
    current = own_reactions(room, [person.by], person.seat).get(posted.get("ref", ""), "")
    return {"reaction": next_reaction(posted.get("reaction", ""), current)}
