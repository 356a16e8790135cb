"""Boards of what was said in the open as parts of a document: groups, iceberg, judging, offers, agreements, reasons."""

from collections.abc import Iterable, Iterator

from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.iceberg import iceberg_board
from collector.rooms.boards.judging import JudgedRow, judging_board
from collector.rooms.guide import Step, text_in
from collector.rooms.outputs.document import Bullets, Grid, Heading, Paragraph, Part
from collector.rooms.outputs.maps import LEVEL_NAMES, RELATION_NAMES, RESOURCE_NAMES
from collector.rooms.outputs.secret_parts import mean_words
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Item, Room
from collector.rooms.sense.pieces import repeatable


def affinity_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the groups of a step with what is in them; notes only where their words may be repeated."""
    board = affinity_board(room, step.name)
    for group in board.groups:
        yield Heading(f"{group.name} ({len(group.items)})", 3)
        yield from _listed(room, group.items, tongue)
    if board.apart:
        yield Heading(tongue("Sin grupo ({n})", n=len(board.apart)), 3)
        yield from _listed(room, board.apart, tongue)
    if not board.n:
        yield Paragraph(tongue("Nadie escribió todavía."))


def _listed(room: Room, items: Iterable[Item], tongue: Tongue) -> Iterator[Part]:
    found = list(items)
    lines = [text for item in found if (text := repeatable(room, item))]
    if len(found) > len(lines):
        lines.append(tongue("notas sin permiso para citar: {n}", n=len(found) - len(lines)))
    yield Bullets(tuple(lines))


def iceberg_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the four levels with the evidence of each item, the links, and what is only assumed."""
    board = iceberg_board(room, step.name)
    for level, items in board.levels.items():
        yield Heading(tongue(LEVEL_NAMES[level]), 3)
        lines = [tongue("{text} (evidencias: {n})", text=item.text, n=len(item.evidence)) for item in items]
        yield Bullets(tuple(lines)) if lines else Paragraph("–")
    texts = {item.id: item.text for item in board.items}
    if board.links:
        yield Heading(tongue("Relaciones"), 3)
        yield Bullets(
            tuple(
                f"{texts[each.start]} → {tongue(RELATION_NAMES[each.relation])} → {texts[each.end]}"
                for each in board.links
            )
        )
    if board.assumptions:
        yield Heading(tongue("Supuestos: todavía sin evidencia"), 3)
        yield Bullets(tuple(item.text for item in board.assumptions))


def judging_parts(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    """Give the ideas by score, raw beside centred, with who is still to be judged."""
    board = judging_board(room, step.name)
    weights = ", ".join(f"{text_in(each.label, tongue.language)} {each.weight} %" for each in step.options)
    low, high = board.scale
    yield Paragraph(tongue("Escala de {low} a {high}. Pesos: {weights}.", low=low, high=high, weights=weights))
    head = (
        tongue("Lugar"), tongue("Idea"), tongue("Calificación"), tongue("Calificación sin jueces duros ni blandos"),
        tongue("Jueces"), tongue("Estado"),
    )  # fmt: skip
    yield Grid("", head, tuple(_judged_row(row, board.judges, tongue) for row in board.rows))


def _judged_row(row: JudgedRow, judges: int, tongue: Tongue) -> tuple[str, ...]:
    conflicts = tongue("con conflicto de interés: {n}", n=row.conflicts) if row.conflicts else ""
    state = tongue("completa") if row.is_complete else tongue("faltan jueces")
    return (
        str(row.raw_place) if row.raw else "–",
        row.text,
        mean_words(row.raw, tongue),
        tongue.decimal(row.centred),
        f"{row.judges}/{judges}",
        ", ".join(part for part in (state, conflicts) if part),
    )


# --- offers and agreements


def offer_parts(room: Room, tongue: Tongue, step: str | None = None) -> Iterator[Part]:
    """Give what actors expect, bring and promise; an actor without one of these is listed as incomplete."""
    expectations, resources = room.of("expectation", step), room.of("resource", step)
    commitments = room.of("commitment", step)
    if commitments:
        head = (tongue("Actor"), tongue("Compromiso"), tongue("Posición"), tongue("Para cuándo"))
        yield Grid(tongue("Compromisos"), head, tuple(_commitment_row(room, item, tongue) for item in commitments))
    if resources:
        head = (tongue("Actor"), tongue("Recurso"), tongue("Tipo"), tongue("Posición"))
        yield Grid(tongue("Recursos"), head, tuple(_resource_row(room, item, tongue) for item in resources))
    if expectations:
        rows = tuple((item.said("actor"), item.text) for item in expectations)
        yield Grid(tongue("Expectativas"), (tongue("Actor"), tongue("Qué espera")), rows)
    incomplete = _incomplete(expectations, resources, commitments)
    if incomplete:
        yield Paragraph(tongue("Falta su expectativa o su recurso: {actors}.", actors=", ".join(incomplete)))


def _commitment_row(room: Room, item: Item, tongue: Tongue) -> tuple[str, ...]:
    due = tongue.day(item.said("by_when")) if item.said("by_when") else tongue("sin fecha")
    return item.said("actor"), item.text, position_words(room, item, tongue), due


def _resource_row(room: Room, item: Item, tongue: Tongue) -> tuple[str, ...]:
    kind = tongue(RESOURCE_NAMES[item.said("kind")])
    return item.said("actor"), item.text, kind, position_words(room, item, tongue)


def position_words(room: Room, item: Item, tongue: Tongue) -> str:
    """Return the position that an item names, as people read it."""
    name = item.said("position")
    steps = room.guide.steps if room.guide else ()
    labels = {option.name: text_in(option.label, tongue.language) for step in steps for option in step.options}
    return labels.get(name, name) or "–"


def _incomplete(*kinds: Iterable[Item]) -> list[str]:
    expectations, resources, commitments = ([*items] for items in kinds)
    names = {item.said("actor").casefold(): item.said("actor") for item in (*commitments, *resources, *expectations)}
    whole = {item.said("actor").casefold() for item in expectations} & {
        item.said("actor").casefold() for item in resources
    }
    return sorted(name for key, name in names.items() if key not in whole)


def agreement_parts(room: Room, tongue: Tongue, step: str | None = None) -> Iterator[Part]:
    """Give the agreements: what, who, with what, by when, and when it is looked at again."""
    items = room.of("agreement", step)
    if not items:
        return
    head = (tongue("Acuerdo"), tongue("Quién"), tongue("Con qué"), tongue("Para cuándo"), tongue("Se revisa"))
    rows = tuple(
        (
            item.said("what"),
            item.said("who"),
            item.said("with_what") or "–",
            tongue.day(item.said("by_when")) or tongue("sin fecha"),
            tongue.day(item.said("review")) or "–",
        )
        for item in items
    )
    yield Grid(tongue("Acuerdos"), head, rows)


def selection_parts(room: Room, tongue: Tongue, step: str | None = None) -> Iterator[Part]:
    """Give what was chosen at each level and why."""
    texts = {item.id: repeatable(room, item) for item in room.items if item.state == "shown"}
    rows = [
        (item.said("level"), texts.get(item.ref) or "–", item.said("reason")) for item in room.of("selection", step)
    ]
    if rows:
        yield Grid(tongue("Lo elegido"), (tongue("Nivel"), tongue("Relato"), tongue("Por qué")), tuple(rows))
