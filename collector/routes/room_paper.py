"""Papers of a room: the facilitator types what was counted by hand, or one paper after the other. PIN."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.room_store import new_token
from collector.rooms.given import Said, check_known, draft_after, points_in, said_in
from collector.rooms.guide import Step
from collector.rooms.mine import Mine, known_ids, voting_of
from collector.rooms.papers import COUNTED, pile_in, tallies_in, typed_before
from collector.rooms.payloads import CHOICES
from collector.rooms.refusals import Refusal
from collector.rooms.room import Room
from collector.routes.access import facilitator
from collector.routes.room_now import CONTROLS, controls_scope, plain_refusal
from collector.routes.room_person import Person, declared_segments, give, mine_in, room_fields, sign
from collector.routes.rooms_common import find_room, find_step, room_page

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
LONGEST_TOKEN = 64


Posted = Annotated[dict[str, str], Depends(room_fields)]


@dataclass(frozen=True)
class Desk:
    """Where papers are typed: of which room and step, and of which pile. segments: of the people of the pile.

    paper: random letters of the one paper that this page is for, so that a second tap does not count it twice.
    """

    request: Request
    room: Room
    step: Step
    segments: Mapping[str, str]
    paper: str

    @property
    def address(self) -> str:
        """Return the page of this step's papers."""
        return f"/sala/{self.room.session}/papel/{quote(self.step.name, safe='')}"

    @property
    def pile(self) -> Person:
        """Return the one ballot of the pile: typed again, it corrects what was typed before."""
        return self._writer("pile", json.dumps(dict(self.segments)))

    @property
    def one_paper(self) -> Person:
        """Return the ballot of a paper that is typed by itself."""
        return self._writer("paper", self.paper)

    def _writer(self, *parts: str) -> Person:
        request, room, step = self.request, self.room.session, self.step.name
        by, ballot = (sign(request, room, kind, step, *parts) for kind in ("writer", "ballot"))
        return Person("", by, ballot, "paper", self.segments)


@router.get("/sala/{session}/papel/{name}")
def papers(request: Request, session: str, name: str, _who: Facilitator) -> HTMLResponse:
    """Show the tally of a step, as it was typed last for the pile that the address names."""
    desk = _desk(request, session, name, request.query_params)
    return _page(desk, stored=request.query_params.get("guardado", ""))


@router.post("/sala/{session}/papel/{name}")
def take_papers(request: Request, session: str, name: str, _who: Facilitator, posted: Posted) -> Response:
    """Store a tally, or what one paper says."""
    desk = _desk(request, session, name, posted)
    if "_more" in posted or "_less" in posted:
        return _page(desk, posted, draft=draft_after(desk.step, posted))
    try:
        person = desk.pile if posted.get("_what") == "tally" else desk.one_paper
        said = _said(desk, posted)
        for each in said:
            give(request, desk.room, person, desk.step.name, each)
    except Refusal as refusal:
        return _page(desk, posted, refusal)
    chosen = {f"seg.{key}": value for key, value in desk.segments.items()}
    return RedirectResponse(f"{desk.address}?{urlencode({'guardado': len(said), **chosen})}", 303)


def _desk(request: Request, session: str, name: str, fields: Mapping[str, str]) -> Desk:
    room = find_room(request, session)
    paper = request.query_params.get("papel", "")[:LONGEST_TOKEN] if request.method == "POST" else ""
    return Desk(request, room, find_step(request, room, name), declared_segments(room, fields), paper or new_token())


def _said(desk: Desk, posted: Mapping[str, str]) -> list[Said]:
    room, step, what = desk.room, desk.step, posted.get("_what", "")
    if what == "tally" and step.type == "statements":
        return tallies_in(room.of("statement", step.source), posted)
    if what == "tally" and step.type in COUNTED:
        return [pile_in(step, posted)]
    said = said_in(step, what, posted, room.facts.round)
    for each in said:
        check_known(each, known_ids(room))
    return said


def _page(
    desk: Desk,
    posted: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
    draft: Mapping[str, int] | None = None,
    stored: str = "",
) -> HTMLResponse:
    """Show the tally; posted and refusal: what could not be stored, and why."""
    request, room, step, fields = desk.request, desk.room, desk.step, posted or {}
    items = room.of("statement", step.source)
    is_tally = step.type in COUNTED
    before = typed_before(step, items, mine_in(request, room.session, desk.pile.ballot)) if is_tally else {}
    scope: dict[str, Any] = controls_scope(request, room, desk.one_paper, step, Mine()) | {
        "step": step,
        "run": room.run(step.name),
        "controls": CONTROLS.get(step.type, ""),
        "give_to": f"{desk.address}?papel={quote(desk.paper, safe='')}",
        "address": desk.address,
        "is_tally": is_tally,
        "items": items,
        "choices": CHOICES,
        "typed": fields if fields.get("_what") == "tally" else before,
        "segments": desk.segments,
        "posted": fields,
        "points": draft if draft is not None else points_in(step, fields),
        "voting": voting_of(room, step, Mine()),
        "trouble": plain_refusal(request, refusal) if refusal else "",
        "trouble_of": fields.get("_what", "") if refusal else "",
        "stored": stored if stored.isascii() and stored.isdecimal() and len(stored) < 5 else "",
    }
    return room_page(request, "rooms/people_paper.html", room, scope, block="now", status=422 if refusal else 200)
