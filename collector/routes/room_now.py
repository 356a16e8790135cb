"""The page of a phone in a room: the step that is open now, its controls, and what this person gave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from collector.links import room_code
from collector.pages import HTMX, page, page_language, translator
from collector.rooms.boards.affinity import affinity_board
from collector.rooms.given import budget_of, points_in
from collector.rooms.guide import STEP_TYPES, Step, text_in
from collector.rooms.mine import (
    Mine,
    kept_points,
    levels_of,
    open_steps,
    own_items,
    sight_of,
    step_now,
    voting_of,
)
from collector.rooms.payloads import SECRET
from collector.rooms.refusals import Refusal
from collector.rooms.room import Item, Room
from collector.routes.room_passes import ballot_pass, seat_pass
from collector.routes.room_person import Person, mine_in
from collector.routes.room_shared import shared_scope
from collector.routes.rooms_common import POLL_SECONDS, refusal_sentence, words_for

# why a phone's form was not taken, where the sentence for programs would not help: code -> what to do
PLAIN: Mapping[str, str] = {
    "not_a_text": "Falta algo por escribir. Complete el espacio y toque otra vez.",
    "not_one_of": "Falta elegir una opción. Elija una y toque otra vez.",
    "missing": "Todavía no marcó nada. Marque algo y toque otra vez.",
    "twice": "La misma opción está en dos lugares. Póngala en uno solo.",
    "not_a_hundred": "Faltan piedras por repartir. Reparta las diez, o toque «No aplica».",
    "step_closed": "Este paso ya se cerró. Lo que dio antes está guardado.",
    "room_closed": "La reunión ya terminó. Lo que dio antes está guardado.",
    "criterion_missing": "Falta un puntaje. Ponga uno en cada criterio.",
    "unknown_option": "Esa opción ya no está en la lista. Elija otra.",
    "not_an_id": "Lo que quería marcar ya no está. Elija otra vez.",
    "wrong_step": "Este paso ya no recibe eso. Mire lo que está abierto ahora.",
}
# which of the templates draws the controls of a type; a type that is not here is only read
CONTROLS: Mapping[str, str] = {
    "question": "open",
    "affinity": "affinity",
    "statements": "statements",
    "dots": "points",
    "energy": "energy",
    "rank": "rank",
    "triad": "points",
    "dyad": "dyad",
    "iceberg": "iceberg",
    "score": "score",
    "measure": "measure",
    "commitments": "commitments",
    "agreements": "agreements",
    "selection": "selection",
}
CHOOSES_A_STATEMENT = ("affinity", "score")
# what a person has unfolded stays so when the page is drawn anew: no swap touches the attribute
UNFOLDED = HTMX | {"morphIgnore": ["data-htmx-powered", "open"]}
UNFOLDED_CONFIG = Markup(json.dumps(UNFOLDED, separators=(",", ":")))  # noqa: S704 - nothing of it comes from outside
WIDEST_SCALE = 20  # more steps than that are typed as a number


@dataclass(frozen=True)
class Asked:
    """What the address of the page says: a step, a statement whose vote is to be changed, a kind just given."""

    step: str = ""
    statement: str = ""
    given: str = ""

    @property
    def query(self) -> str:
        """Return it as the address carries it."""
        pairs = (("paso", self.step), ("frase", self.statement), ("dio", self.given))
        return urlencode({key: value[:80] for key, value in pairs if value})


def address_of(room: Room) -> str:
    """Return where a room's people stand."""
    return f"/s/{room_code(room.session)}"


def people_scope(request: Request, room: Room) -> dict[str, Any]:
    """Return what every page of a room's people asks for."""
    return {"room": room, "words": words_for(request, room), "here": address_of(room)}


def tag_of(request: Request, room: Room, person: Person, asked: Asked) -> str:
    """Return the tag of a phone's page: others' votes do not change it."""
    parts = sight_of(room, step_now(room, asked.step)), person.by[:8], page_language(request), asked.query
    return f'"{"-".join(parts)}"'


def plain_refusal(request: Request, refusal: Refusal) -> str:
    """Return why a phone's form was not taken, as one would say it to somebody in the room."""
    translate = translator(request.app.state.english, page_language(request))
    if refusal.code in PLAIN:
        return translate(PLAIN[refusal.code])
    return refusal_sentence(request, refusal)


def now_page(
    request: Request,
    room: Room,
    person: Person,
    asked: Asked,
    *,
    draft: Mapping[str, int] | None = None,
    posted: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
) -> HTMLResponse:
    """Show the step that is open now, and what this person gave to it.

    draft: points that are not given yet; posted and refusal: what could not be stored, and why.
    """
    step = step_now(room, asked.step)
    fields = posted or {}
    scope = (
        people_scope(request, room)
        | dict(shared_scope(request, room, person, step))
        | {
            "person": person,
            "htmx_config": UNFOLDED_CONFIG,
            "give_to": f"{address_of(room)}/ahora",
            "step": step,
            "run": room.run(step.name if step else ""),
            "opened": open_steps(room),
            "controls": CONTROLS.get(step.type, "") if step else "",
            "given": asked.given if step and step.name == asked.step else "",
            "posted": fields,
            "trouble": plain_refusal(request, refusal) if refusal else "",
            "trouble_of": fields.get("_what", "") if refusal else "",
            "query": asked.query,
            "seat_pass": seat_pass(request, room, person),
            "ballot_pass": ballot_pass(request, room, person),
            "segments": json.dumps(dict(person.segments), ensure_ascii=False),
            "ballot_count": 0,
            # what is being filled in is not drawn anew under the hands
            "is_held": bool(refusal or asked.statement) or draft is not None,
            "poll_seconds": POLL_SECONDS,
        }
    )
    if step is not None:
        mine = mine_in(request, room.session, person.ballot)
        points = draft if draft is not None else points_in(step, fields) if fields else kept_points(step, mine)
        scope |= controls_scope(request, room, person, step, mine) | {
            "points": points,
            "voting": voting_of(room, step, mine, asked.statement) if step.type == "statements" else None,
            "ballot_count": mine.count,
        }
    return page(request, "rooms/people_now.html", scope, block="now", status=422 if refusal else 200)


def controls_scope(request: Request, room: Room, person: Person, step: Step, mine: Mine) -> dict[str, Any]:
    """Return what the controls of the step types draw from; pairs are (value, words) of a list to choose from."""
    language = page_language(request)
    statements = room.of("statement", step.source)
    least, most = step.scale
    return {
        "mine": mine,
        "own": own_items(room, step, person.by),
        "budget": budget_of(step),
        # a room may have said hundreds of things: a list to choose from is made for who chooses from it
        "statement_pairs": _pairs(statements) if step.type in CHOOSES_A_STATEMENT else [],
        "told_pairs": _pairs(statements or room.of("statement")) if step.type == "selection" else [],
        "group_pairs": _group_pairs(room, step),
        "option_pairs": [(option.name, text_in(option.label, language)) for option in step.options],
        "iceberg": levels_of(room, step) if step.type == "iceberg" else {},
        "iceberg_pairs": _pairs(room.of("iceberg", step.name)),
        "numbers": range(least, most + 1) if most - least <= WIDEST_SCALE else (),
        "is_secret": bool(SECRET & STEP_TYPES[step.type]),
    }


def _pairs(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    return [(item.id, item.text) for item in items]


def _group_pairs(room: Room, step: Step) -> list[tuple[str, str]]:
    if step.type != "affinity":
        return []
    return [(group.name, group.name) for group in affinity_board(room, step.name).groups]
