"""Who expects, brings and promises what, and what was agreed: as documents, and as CSV with a row a thing."""

from collections.abc import Iterator

from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import Document, Grid, Paragraph, Part
from collector.rooms.outputs.heading import facts_line, notice_of
from collector.rooms.outputs.maps import actor_map
from collector.rooms.outputs.open_parts import agreement_parts, offer_parts, position_words
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Item, Room

OFFERS = ("expectation", "resource", "commitment")
ACTORS_HEAD = ("actor", "sector", "what", "kind", "text", "position", "by_when")
AGREEMENTS_HEAD = ("number", "what", "who", "with_what", "by_when", "review")


def actors_document(room: Room, tongue: Tongue = SPANISH) -> Document:
    """Return the actors: what each expects, brings and promises, and the arrows of the map in words."""
    parts = [Paragraph(facts_line(room, tongue)), *offer_parts(room, tongue), *_arrows(room, tongue)]
    title = tongue("Actores: {title}", title=room.facts.title)
    return Document(title, tuple(parts), tongue.language, notice_of(room, tongue))


def _arrows(room: Room, tongue: Tongue) -> Iterator[Part]:
    found = actor_map(room, tongue)
    labels = {node.key: node.label for node in found.nodes}
    rows = tuple((labels[edge.start], edge.label, labels[edge.end], edge.description) for edge in found.edges)
    if rows:
        head = (tongue("Actor"), tongue("Qué pone"), tongue("Posición"), tongue("Detalle"))
        yield Grid(tongue("Quién se une a qué posición"), head, rows)


def actors_csv(room: Room, tongue: Tongue = SPANISH) -> str:
    """Return a row for each thing that an actor said: expectation, resource (material, human, symbolic), commitment."""
    return csv_text(ACTORS_HEAD, (_actor_row(room, item, tongue) for what in OFFERS for item in room.of(what)))


def _actor_row(room: Room, item: Item, tongue: Tongue) -> tuple[str, ...]:
    position = position_words(room, item, tongue) if item.said("position") else ""
    said = (item.said("kind"), item.text, position, item.said("by_when"))
    return (item.said("actor"), item.said("sector"), item.what, *said)


def agreements_document(room: Room, tongue: Tongue = SPANISH) -> Document:
    """Return the agreements as a table to sign and to look at again."""
    parts = (Paragraph(facts_line(room, tongue)), *agreement_parts(room, tongue))
    title = tongue("Acuerdos: {title}", title=room.facts.title)
    return Document(title, parts, tongue.language, notice_of(room, tongue))


def agreements_csv(room: Room) -> str:
    """Return a row for each agreement, in the order they were made; days as 2026-11-22."""
    rows = (
        (number, *(item.said(key) for key in AGREEMENTS_HEAD[1:]))
        for number, item in enumerate(room.of("agreement"), 1)
    )
    return csv_text(AGREEMENTS_HEAD, rows)
