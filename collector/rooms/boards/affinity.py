"""Statements and notes put into groups: a list of groups first, so that nobody needs to drag."""

from dataclasses import dataclass

from collector.rooms.boards.words import folded
from collector.rooms.room import Item, Room


@dataclass(frozen=True)
class AffinityGroup:
    """A group under the name it was given first; items in the order they were said."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class AffinityBoard:
    """The groups, largest first, and what is in none. Items may name the seat that said them; they are no votes."""

    step: str
    groups: tuple[AffinityGroup, ...]
    apart: tuple[Item, ...]

    @property
    def n(self) -> int:
        """Return how many items there are."""
        return len(self.apart) + sum(len(group.items) for group in self.groups)


def affinity_board(room: Room, step_name: str) -> AffinityBoard:
    """Return the groups of a step: of its statements (or those of the step it names) and of what was placed in it.

    The latest placement of an item counts, whoever made it; "" takes it out of its group. Names that differ only in
    accents, case or blanks are one group.
    """
    step = room.step(step_name)
    source = step.source if step else step_name
    placed = {item.ref: item.said("group") for item in room.of("placement", step_name)}
    items = [
        item
        for item in room.items
        if item.state == "shown" and (item.id in placed or (item.what == "statement" and item.step == source))
    ]
    names: dict[str, str] = {}
    for placement in room.of("placement", step_name):
        names.setdefault(folded(placement.said("group")), placement.said("group"))
    members: dict[str, list[Item]] = {}
    for item in items:
        members.setdefault(folded(placed.get(item.id, "")), []).append(item)
    apart = tuple(members.pop("", []))
    groups = [AffinityGroup(names[key], tuple(members[key])) for key in names if key in members]
    groups.sort(key=lambda group: -len(group.items))
    return AffinityBoard(step_name, tuple(groups), apart)
