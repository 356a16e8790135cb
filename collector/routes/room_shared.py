"""What a phone shows of everybody's: what was said in a step in the open, and its board once it is revealed."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from collector.rooms.boards.reactions import actors_in, is_blind, own_reactions, reactions_in
from collector.rooms.guide import STEP_TYPES, Step
from collector.rooms.payloads import SECRET
from collector.rooms.room import Item, Room
from collector.routes.room_person import Person
from collector.routes.rooms_drawn import drawn

MOST_SHOWN = 30
# kinds that are no words of their own
NOT_SHOWN = SECRET | {"placement", "link", "score", "photo", "minute"}


def shared_scope(request: Request, room: Room, person: Person, step: Step | None) -> Mapping[str, Any]:
    """Return what the pieces _people_said.html and _people_board.html draw from.

    drawn: the board of a step that is revealed, else None: before that nobody's phone shows a result.
    """
    is_revealed = step is not None and room.run(step.name).state == "revealed"
    return {
        "drawn": drawn(request, room, step) if step is not None and is_revealed else None,
        "said_here": said_here(room, step)[-MOST_SHOWN:] if step is not None else [],
        "reactions": reactions_in(room) if is_revealed else {},
        "own_reactions": own_reactions(room, [person.by], person.seat),
        "actors": actors_in(room),
    }


def said_here(room: Room, step: Step) -> list[Item]:
    """Return what everybody may read of a step, in order: shown, and no statement whose votes are blind."""
    kinds = STEP_TYPES[step.type] - NOT_SHOWN
    source = {step.name, step.source if step.type == "affinity" else step.name}
    items = [item for item in room.items if item.what in kinds and item.step in source and item.state == "shown"]
    return [item for item in items if not is_blind(room, item)]
