"""Which boards a step is drawn by, and what they need beside the room itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request

from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.dots import dot_board
from collector.rooms.boards.energy import energy_board
from collector.rooms.boards.iceberg import IcebergChanges, iceberg_board, iceberg_changes
from collector.rooms.boards.judging import judging_board
from collector.rooms.boards.paired import paired_board
from collector.rooms.boards.ranking import ranking_board
from collector.rooms.boards.reactions import Reactions, reactions_in
from collector.rooms.boards.signify import signify_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.boards.veil import FEWEST_VOTERS
from collector.rooms.guide import Step
from collector.rooms.places import place_key
from collector.rooms.room import Item, Room
from collector.routes.rooms_common import rooms_of

Board = object
MOST_ROUNDS = 16
# kinds that a step gathers in the open, listed as they were said
LISTED: Mapping[str, tuple[str, ...]] = {
    "commitments": ("commitment", "resource", "expectation"),
    "agreements": ("agreement",),
    "selection": ("selection",),
    "photo": ("photo",),
    "minutes": ("minute",),
    "question": ("statement",),
}
SECRET_KIND: Mapping[str, str] = {
    "statements": "vote", "dots": "allocation", "energy": "allocation", "rank": "rank", "triad": "triad",
    "dyad": "dyad", "measure": "measure",
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """What was said in a step, kind by kind, in order. texts: id -> words of what a selection speaks of."""

    step: str
    items: Mapping[str, tuple[Item, ...]]
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Since:
    """What differs between an iceberg and that of an earlier workshop. round: of that one."""

    round: int
    changes: IcebergChanges


@dataclass(frozen=True)
class Drawn:
    """A board and the macro of templates/rooms/_boards.html that draws it. people: who voted, None without votes.

    reactions: to what stands on it, by id; since: of an iceberg whose earlier round is here.
    """

    kind: str
    board: Board
    people: int | None
    fewest: int = FEWEST_VOTERS
    reactions: Mapping[str, Reactions] = field(default_factory=dict)
    since: Since | None = None


Maker = Callable[[Request, Room, str], Board]
MAKERS: Mapping[str, tuple[str, Maker]] = {
    "statements": ("statements", lambda _request, room, step: statement_board(room, step)),
    "dots": ("dots", lambda _request, room, step: dot_board(room, step)),
    "energy": ("energy", lambda request, room, step: energy_board(room, step, round_before(request, room))),
    "rank": ("rank", lambda _request, room, step: ranking_board(room, step)),
    "triad": ("signify", lambda _request, room, step: signify_board(room, step)),
    "dyad": ("signify", lambda _request, room, step: signify_board(room, step)),
    "affinity": ("affinity", lambda _request, room, step: affinity_board(room, step)),
    "iceberg": ("iceberg", lambda _request, room, step: iceberg_board(room, step)),
    "score": ("judging", lambda _request, room, step: judging_board(room, step)),
    "measure": ("paired", lambda request, room, step: _paired(request, room, step)),
}


def drawn(request: Request, room: Room, step: Step) -> Drawn:
    """Return the board of a step."""
    people = room.voters(SECRET_KIND[step.type], step.name) if step.type in SECRET_KIND else None
    kind, maker = MAKERS.get(step.type, ("listed" if step.type in LISTED else "prompt", _plain))
    board = maker(request, room, step.name)
    return Drawn(kind, board, people, reactions=reactions_in(room), since=_since(request, room, step))


def _plain(_request: Request, room: Room, step: str) -> Board:
    found = room.known_step(step)
    return _listed(room, found) if found.type in LISTED else found


def _since(request: Request, room: Room, step: Step) -> Since | None:
    earlier = round_before(request, room) if step.type == "iceberg" else None
    before = earlier.step(step.name) if earlier else None
    if earlier is None or before is None or before.type != "iceberg":
        return None
    changes = iceberg_changes(iceberg_board(earlier, step.name), iceberg_board(room, step.name))
    return Since(earlier.facts.round, changes)


def _listed(room: Room, step: Step) -> Listed:
    """Return what was said in a step; who brings what is told of the whole room: an energy step gathers it too."""
    where = None if step.type == "commitments" else step.name
    items = {what: room.of(what, where) for what in LISTED[step.type]}
    return Listed(step.name, items, {item.id: item.text for item in room.items if item.state == "shown"})


def _paired(request: Request, room: Room, step: str) -> Board:
    segment = room.segments[0].name if room.segments else ""
    return paired_board([room, *_others_of_guide(request, room)], step, segment)


def round_before(request: Request, room: Room) -> Room | None:
    """Return the room of the same guide and place whose round comes before, the nearest; None without one."""
    earlier = [
        other
        for other in _others_of_guide(request, room)
        if other.facts.round < room.facts.round and place_key(other.facts) == place_key(room.facts)
    ]
    return max(earlier, key=lambda other: other.facts.round, default=None)


def _others_of_guide(request: Request, room: Room) -> list[Room]:
    """Return the other rooms of the same guide that this node holds, the newest first."""
    if not room.facts.guide:
        return []
    store = rooms_of(request)
    found = [other for each in store.ids()[:MOST_ROUNDS] if each != room.session and (other := store.get(each))]
    return [each for each in found if each.facts.guide == room.facts.guide and each.facts.demo == room.facts.demo]
