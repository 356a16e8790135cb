"""Reactions: one tap on something said in the open, and the actors that confirm an agreement. Open, so never a vote.

reaction   also, important, doubt     one for each writer and thing; the latest counts
reaction   confirm, with an actor     one for each actor and thing, whoever writes it down
reaction   none                       takes back what the same writer, or the same actor, said before
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from collector.rooms.boards.words import folded
from collector.rooms.room import Item, Room

REACTIONS = ("also", "important", "doubt")
CONFIRM, NONE = "confirm", "none"
# what people may react to: said in the open and seen by all
REACTED_KINDS = frozenset(
    {"statement", "note", "agreement", "commitment", "resource", "expectation", "objection", "iceberg", "selection"}
)
CONFIRMED_KINDS = frozenset({"agreement", "commitment"})


@dataclass(frozen=True)
class Reactions:
    """What people tapped on one thing. counts: reaction -> people, in the order of `REACTIONS`, never 0.

    actors: who confirmed it, in the words and the order in which they were first written down.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    actors: tuple[str, ...] = ()


def reactions_in(room: Room) -> dict[str, Reactions]:
    """Return the reactions of a room by the id of what they speak of; only things that are shown, and have any.

    Names that this release does not know are left out of the counts. Cost: one pass over the items.
    """
    shown = {item.id for item in room.items if item.state == "shown" and item.what in REACTED_KINDS}
    taps: dict[str, dict[str, Item]] = {}
    for item in room.of("reaction"):
        if item.ref in shown:
            # the place of the first tap of an actor stays, its last word counts
            taps.setdefault(item.ref, {})[_whose(item)] = item
    found = {ref: _counted(list(latest.values())) for ref, latest in taps.items()}
    return {ref: each for ref, each in found.items() if each.counts or each.actors}


def _counted(latest: list[Item]) -> Reactions:
    names = [item.said("reaction") for item in latest if not item.said("actor")]
    counts = {name: names.count(name) for name in REACTIONS if name in names}
    actors = [item.said("actor") for item in latest if item.said("actor") and item.said("reaction") == CONFIRM]
    return Reactions(counts, tuple(actors))


def _whose(item: Item) -> str:
    """Return by whom a reaction counts once: the actor it is given for, else the seat, else the device or tab."""
    if item.said("actor"):
        return f"actor {folded(item.said('actor'))}"
    return f"seat {item.seat}" if item.seat else f"writer {item.by}"


def own_reactions(room: Room, by: Collection[str], seat: str = "") -> dict[str, str]:
    """Return what one person tapped: id of the thing -> reaction. by: the writers that are this person's."""
    found: dict[str, str] = {}
    for item in room.of("reaction"):
        is_own = item.seat == seat if seat else not item.seat and item.by in by
        if is_own and not item.said("actor"):
            found[item.ref] = item.said("reaction")
    return {ref: name for ref, name in found.items() if name in REACTIONS}


def next_reaction(pressed: str, current: str) -> str:
    """Return what a tap says: the reaction of the button, or "none" where it was this one already."""
    return NONE if pressed == current else pressed


def actors_in(room: Room) -> tuple[str, ...]:
    """Return the actors that were named in the room, each once, in the words of who named it first."""
    names: dict[str, str] = {}
    for item in room.items:
        name = item.said("who") if item.what == "agreement" else item.said("actor")
        if name and item.state == "shown":
            names.setdefault(folded(name), name)
    return tuple(names.values())


RefusedWhy = Literal["not_an_id", "not_one_of", ""]


def why_not(room: Room, ref: str, reaction: str, actor: str = "") -> RefusedWhy:
    """Return why a tap cannot be taken, "" where it can: the thing is not there, or nothing of this name is offered.

    A statement that is voted on takes none before the reveal: a tap is open and would tell how somebody votes.
    """
    item = next((each for each in room.items if each.id == ref and each.state == "shown"), None)
    if item is None or item.what not in REACTED_KINDS or is_blind(room, item):
        return "not_an_id"
    if actor:
        return "" if reaction in (CONFIRM, NONE) and item.what in CONFIRMED_KINDS else "not_one_of"
    return "" if reaction in (*REACTIONS, NONE) else "not_one_of"


def is_blind(room: Room, item: Item) -> bool:
    """Tell a statement that people vote on and whose result was not revealed."""
    step = room.step(item.step)
    is_voted = item.what == "statement" and step is not None and step.type == "statements"
    return is_voted and room.run(item.step).state != "revealed"
