"""The iceberg: events, patterns, structures and mental models, with what they rest on.

An item without evidence is an assumption ("supuesto"), and stays one until somebody links a record to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.rooms.boards.words import folded
from collector.rooms.payloads import LEVELS
from collector.rooms.room import Item, Room


@dataclass(frozen=True)
class IcebergItem:
    """An item on its level. evidence: ids of records it rests on, each once, in the order they were linked."""

    id: str
    text: str
    level: str
    evidence: tuple[str, ...]

    @property
    def is_assumption(self) -> bool:
        """Say whether nothing is linked to it as evidence."""
        return not self.evidence


@dataclass(frozen=True)
class IcebergLink:
    """One item causes or reinforces another."""

    start: str
    end: str
    relation: str


@dataclass(frozen=True)
class IcebergBoard:
    """levels: each of the four in order, with its items in the order they were said; links: among items shown."""

    step: str
    levels: Mapping[str, tuple[IcebergItem, ...]]
    links: tuple[IcebergLink, ...]

    @property
    def items(self) -> tuple[IcebergItem, ...]:
        """Return all items, from events down to mental models."""
        return tuple(item for level in self.levels.values() for item in level)

    @property
    def assumptions(self) -> tuple[IcebergItem, ...]:
        """Return the items without evidence."""
        return tuple(item for item in self.items if item.is_assumption)


@dataclass(frozen=True)
class IcebergChanges:
    """What differs between two workshops, by the words of items. moved: (item now, the level it had)."""

    added: tuple[IcebergItem, ...]
    gone: tuple[IcebergItem, ...]
    moved: tuple[tuple[IcebergItem, str], ...]


def iceberg_board(room: Room, step: str) -> IcebergBoard:
    """Return the iceberg of a step. An item is moved by a placement whose group is a level; the latest counts."""
    moved = {item.ref: item.said("group") for item in room.of("placement", step) if item.said("group") in LEVELS}
    links = room.of("link", step)
    items = [_item(item, moved.get(item.id, item.said("level")), links) for item in room.of("iceberg", step)]
    levels = {level: tuple(item for item in items if item.level == level) for level in LEVELS}
    return IcebergBoard(step, levels, _links(links, {item.id for item in items}))


def _item(item: Item, level: str, links: Iterable[Item]) -> IcebergItem:
    evidence = dict.fromkeys(
        link.said("to") for link in links if link.ref == item.id and link.said("relation") == "evidence"
    )
    return IcebergItem(item.id, item.text, level, tuple(evidence))


def _links(links: Iterable[Item], shown: set[str]) -> tuple[IcebergLink, ...]:
    found = dict.fromkeys(
        IcebergLink(link.ref, link.said("to"), link.said("relation"))
        for link in links
        if link.said("relation") != "evidence" and {link.ref, link.said("to")} <= shown
    )
    return tuple(found)


def iceberg_changes(before: IcebergBoard, after: IcebergBoard) -> IcebergChanges:
    """Return what the later workshop added, left out and moved; items are the same when their words are."""
    old = {folded(item.text): item for item in before.items}
    new = {folded(item.text): item for item in after.items}
    return IcebergChanges(
        tuple(item for words, item in new.items() if words not in old),
        tuple(item for words, item in old.items() if words not in new),
        tuple(
            (item, old[words].level) for words, item in new.items() if words in old and old[words].level != item.level
        ),
    )
