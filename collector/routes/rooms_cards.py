"""Cards with link codes, to be printed and cut: the same card is typed before and after, and says nothing of who.

The codes are made for the page and kept nowhere: what is printed is all there is of them.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from collector.rooms.link_codes import make_link_code
from collector.rooms.room import Room
from collector.routes.access import facilitator
from collector.routes.rooms_common import find_room, room_page

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
A_PAGE, MOST_CARDS = 10, 200
FIRST_OFFER = 20


@router.get("/sala/{session}/tarjetas")
def show_cards(request: Request, session: str, _who: Facilitator, cuantas: str = "") -> HTMLResponse:
    """Show fresh cards, ten on each A4 page: other ones each time."""
    room = find_room(request, session)
    wanted = int(cuantas) if cuantas.isascii() and cuantas.isdecimal() and len(cuantas) < 5 else _offer(room)
    codes = fresh_codes(min(max(wanted, 1), MOST_CARDS))
    pages = [codes[first : first + A_PAGE] for first in range(0, len(codes), A_PAGE)]
    return room_page(request, "rooms/cards.html", room, {"pages": pages, "count": len(codes), "most": MOST_CARDS})


def _offer(room: Room) -> int:
    """Return how many cards to begin with: for the people or the seats of the room, in whole pages."""
    people = max(room.present, len(room.seats)) or FIRST_OFFER
    return -(-people // A_PAGE) * A_PAGE


def fresh_codes(count: int) -> list[str]:
    """Return so many codes, no two alike."""
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes[make_link_code()] = None
    return list(codes)
