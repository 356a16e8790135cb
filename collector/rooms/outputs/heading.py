"""What every output of a session says alike: where, when, whether it is a demonstration, and what groups are called."""

from collector.rooms.guide import text_in
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.places import place_name
from collector.rooms.room import Room


def facts_line(room: Room, tongue: Tongue) -> str:
    """Return place, day and round in one line."""
    facts = room.facts
    parts = [
        place_name(facts),
        tongue.day(facts.date) if facts.date else "",
        tongue("ronda {n}", n=facts.round) if facts.round else "",
    ]
    return " · ".join(part for part in parts if part)


def notice_of(room: Room, tongue: Tongue) -> str:
    """Return what says that nothing here is real, "" for a real session."""
    return tongue("Demostración: los datos son inventados.") if room.facts.demo else ""


def segment_words(room: Room, segment: str, tongue: Tongue) -> str:
    """Return what people call a segment: "Generación"."""
    declared = room.segment(segment)
    return text_in(declared.label, tongue.language) if declared else segment


def value_words(room: Room, segment: str, value: str, tongue: Tongue) -> str:
    """Return what people call a value of a segment: "joven"."""
    declared = room.segment(segment)
    return text_in(declared.values.get(value, {"es": value}), tongue.language) if declared else value


def group_words(room: Room, segment: str, value: str, tongue: Tongue) -> str:
    """Return both: "Generación: joven"."""
    said = value_words(room, segment, value, tongue) if value else tongue("sin dato")
    return f"{segment_words(room, segment, tongue)}: {said}"
