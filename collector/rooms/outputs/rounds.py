"""Rooms that belong together: the rounds of one guide, and the round before in the same place."""

from collections.abc import Iterable

from collector.rooms.places import place_key
from collector.rooms.room import Room


def rooms_of_guide(room: Room, others: Iterable[Room]) -> list[Room]:
    """Return the room and those of the same guide; a demonstration and a real room never go together."""
    alike = [
        other
        for other in others
        if other.session != room.session and other.facts.guide == room.facts.guide and _is_as_real(room, other)
    ]
    return [room, *alike] if room.facts.guide else [room]


def round_before(room: Room, others: Iterable[Room]) -> Room | None:
    """Return the room of the same guide and place whose round is the nearest smaller one; None without one."""
    place = place_key(room.facts)
    earlier = [
        other
        for other in rooms_of_guide(room, others)[1:]
        if other.facts.round < room.facts.round and place_key(other.facts) == place
    ]
    return max(earlier, key=lambda other: (other.facts.round, other.session), default=None)


def _is_as_real(room: Room, other: Room) -> bool:
    return room.facts.demo == other.facts.demo
