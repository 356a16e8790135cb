"""The energy map of positions as a document, a drawing, CSV, and a short text for a chat group.

The document, the drawing and the CSV are for whoever works with the map; the text is for anybody, so nothing in it was
written by a participant. While the votes are blind, or of fewer than five people, all four say so and give no share.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from collector.rooms.boards.energy import Breadth, EnergyBoard, EnergyRow
from collector.rooms.boards.words import folded
from collector.rooms.formulas import Share
from collector.rooms.guide import text_in
from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import Bullets, Document, Drawing, Grid, Heading, Paragraph, Part
from collector.rooms.outputs.heading import facts_line, group_words, notice_of, segment_words
from collector.rooms.outputs.small_multiples import Bar, Panel, small_multiples
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.payloads import RESOURCES
from collector.rooms.places import place_name
from collector.rooms.room import Room
from collector.rooms.sense.pieces import may_quote
from collector.rooms.sense.screening import without_personal

CHAT_LENGTH = 1000
CHAT_LABEL = 60
TIED, CONCENTRATED = "empate técnico", "energía concentrada"


def energy_document(room: Room, board: EnergyBoard, tongue: Tongue = SPANISH) -> Document:
    """Return the map as a document: the drawing, the same in a table, objections, how to read it."""
    title = tongue("Mapa de energía: {title}", title=room.facts.title)
    heading = Heading(tongue("Posiciones y su energía"))
    parts = (Paragraph(facts_line(room, tongue)), heading, *energy_parts(room, board, tongue))
    return Document(title, parts, tongue.language, notice_of(room, tongue))


def energy_parts(room: Room, board: EnergyBoard, tongue: Tongue) -> Iterator[Part]:
    """Give the parts of the map, to stand in any document."""
    yield Paragraph(veil_sentence(board, tongue))
    yield Drawing(energy_svg(board, tongue))
    yield _grid(room, board, tongue)
    reasons = list(_objection_lines(room, board, tongue))
    if reasons:
        yield Heading(tongue("Objeciones"), 3)
        yield Bullets(tuple(reasons))
    yield Heading(tongue("Cómo leer el mapa"), 3)
    yield Bullets(
        (
            tongue("El mapa no suma todo en una nota. Cada columna se lee aparte."),
            tongue("«Empate técnico»: los intervalos se tocan, y nadie sabe cuál va primero."),
            tongue("«Energía concentrada»: casi todos los puntos vienen de un solo grupo."),
        )
    )


def veil_sentence(board: EnergyBoard, tongue: Tongue) -> str:
    """Return whether the points may be seen, and of how many people."""
    if board.veil.state == "blind":
        return tongue("Votos hasta ahora: {n}. El resultado todavía no se revela.", n=board.veil.voters)
    if board.veil.state == "few":
        return tongue("Votaron menos de 5 personas. El resultado no se muestra, para cuidar el secreto.")
    return tongue("Votaron {n} personas. Cada una repartió {points} puntos.", n=board.veil.voters, points=board.points)


def _grid(room: Room, board: EnergyBoard, tongue: Tongue) -> Grid:
    head = (
        tongue("Posición"), tongue("Preferencia"), tongue("Compromisos con fecha"), tongue("Recursos"),
        tongue("Amplitud"), tongue("Objeciones"), tongue("Cambio"), tongue("Avisos"),
    )  # fmt: skip
    return Grid("", head, tuple(_grid_row(room, row, tongue) for row in board.rows))


def _grid_row(room: Room, row: EnergyRow, tongue: Tongue) -> tuple[str, ...]:
    return (
        label_of(row, tongue),
        _preference(row, tongue),
        tongue("{committed} de {actors} actores", committed=row.committed, actors=row.actors),
        _resources(row, tongue),
        "\n".join(_breadth(room, each, tongue) for each in row.breadth) or "–",
        str(row.objections),
        _change(row, tongue),
        "\n".join([*flags_of(row, tongue), *_concentrated(room, row, tongue)]) or "–",
    )


def _breadth(room: Room, breadth: Breadth, tongue: Tongue) -> str:
    segment = segment_words(room, breadth.segment, tongue)
    return f"{segment}: {tongue.decimal(breadth.number, 1)} (n={breadth.n})"


def _concentrated(room: Room, row: EnergyRow, tongue: Tongue) -> list[str]:
    """Return the groups that nearly all points come from, where they are large enough to be named."""
    return [group_words(room, each.segment, each.value, tongue) for each in row.concentration if each.value]


def label_of(row: EnergyRow, tongue: Tongue) -> str:
    """Return the position as people read it."""
    return text_in(row.option.label, tongue.language)


def _preference(row: EnergyRow, tongue: Tongue) -> str:
    if row.preference is None:
        return "–"
    share = row.preference.share
    return tongue(
        "{share} ({low} a {high}), {count} puntos, n={n}",
        share=tongue.percent(share.share),
        low=tongue.percent(share.low),
        high=tongue.percent(share.high),
        count=share.count,
        n=share.n,
    )


def _resources(row: EnergyRow, tongue: Tongue) -> str:
    words = (tongue("materiales"), tongue("humanos"), tongue("simbólicos"))
    offered = [(row.resources[kind], word) for kind, word in zip(RESOURCES, words, strict=True)]
    return "\n".join(f"{word}: {count}" for count, word in offered if count) or "–"


def _change(row: EnergyRow, tongue: Tongue) -> str:
    if row.change is None:
        return "–"
    low, high, change = (f"{value * 100:+.1f}" for value in (row.change.low, row.change.high, row.change.change))
    return tongue("{change} puntos ({low} a {high})", change=change, low=low, high=high)


def flags_of(row: EnergyRow, tongue: Tongue) -> list[str]:
    """Return what must be known before anybody reads the order as a result."""
    found = [tongue(TIED)] if row.preference is not None and row.preference.is_tied else []
    return found + ([tongue(CONCENTRATED)] if row.concentration else [])


def _objection_lines(room: Room, board: EnergyBoard, tongue: Tongue) -> Iterator[str]:
    """Give the reasons that may be repeated: those of whoever allowed it; the others are counted only."""
    allowed = {folded(item.said("reason")) for item in room.of("objection") if may_quote(room, item.seat)}
    for row in board.rows:
        said = [each for each in row.top_objections if folded(each.reason) in allowed]
        for each in said:
            yield f"{label_of(row, tongue)}: «{each.reason}» ({each.count})"
        if row.objections and not said:
            yield tongue("{position}: sin permiso para citar ({n})", position=label_of(row, tongue), n=row.objections)


# --- the drawing


def energy_svg(board: EnergyBoard, tongue: Tongue = SPANISH) -> str:
    """Return the map as SVG: a row a position, a small chart a component, each with its own scale and its numbers."""
    most_resources = max((sum(row.resources.values()) for row in board.rows), default=0)
    most_objections = max((row.objections for row in board.rows), default=0)
    panels = (
        Panel(tongue("Preferencia"), [_preference_bar(row, tongue) for row in board.rows]),
        Panel(tongue("Compromisos con fecha"), [_count_bar(row.committed, row.actors) for row in board.rows]),
        Panel(tongue("Recursos"), [_count_bar(sum(row.resources.values()), most_resources) for row in board.rows]),
        Panel(tongue("Objeciones"), [_count_bar(row.objections, most_objections) for row in board.rows]),
    )
    labels = [label_of(row, tongue) for row in board.rows]
    return small_multiples(tongue("Mapa de energía"), labels, panels)


def _preference_bar(row: EnergyRow, tongue: Tongue) -> Bar:
    if row.preference is None:
        return Bar(0.0, "–")
    share = row.preference.share
    ends = tongue("{low} a {high}", low=tongue.percent(share.low), high=tongue.percent(share.high))
    return Bar(share.share, tongue.percent(share.share), share.low, share.high, ends)


def _count_bar(count: int, most: int) -> Bar:
    return Bar(count / most if most else 0.0, str(count))


# --- CSV

HEAD = (
    "position", "label", "place", "points", "points_total", "voters", "share", "low", "high", "tied", "concentrated_in",
    "actors_committed", "actors_promised", "actors", "material", "human", "symbolic", "breadth", "objections",
    "change", "change_low", "change_high", "round", "previous_round", "state",
)  # fmt: skip


def energy_csv(board: EnergyBoard, tongue: Tongue = SPANISH) -> str:
    """Return a row a position. Shares are from 0 to 1 with four decimals, empty while they may not be seen.

    breadth: "sector=2.31" for each segment; concentrated_in: segments whose one group gave nearly all points.
    """
    return csv_text(HEAD, [_csv_row(row, board, tongue) for row in board.rows])


def _csv_row(row: EnergyRow, board: EnergyBoard, tongue: Tongue) -> Sequence[object]:
    breadth = [f"{each.segment}={each.number:.2f}" for each in row.breadth if each.number is not None]
    changes = (row.change.change, row.change.low, row.change.high) if row.change else (None, None, None)
    return (
        row.option.name, label_of(row, tongue), *_csv_preference(row),
        " ".join(each.segment for each in row.concentration),
        row.committed, row.promised, row.actors, *(row.resources[kind] for kind in RESOURCES), " ".join(breadth),
        row.objections, *map(four_decimals, changes), board.round, board.previous_round, board.veil.state,
    )  # fmt: skip


def _csv_preference(row: EnergyRow) -> tuple[object, ...]:
    if row.preference is None:
        return (None,) * 8
    share = row.preference.share
    shares = (four_decimals(share.share), four_decimals(share.low), four_decimals(share.high))
    return (row.preference.place, share.count, share.total, share.n, *shares, int(row.preference.is_tied))


def four_decimals(value: float | None) -> Decimal | None:
    """Return four decimals; a number below 0 is no formula, so no apostrophe goes before it."""
    return None if value is None else Decimal(f"{value:.4f}")


# --- the text for a chat group


def energy_chat(room: Room, board: EnergyBoard, tongue: Tongue = SPANISH) -> str:
    """Return the map in at most 1,000 characters of plain text, for a chat group.

    It names positions, counts and flags. No seat, telephone, address or name: nothing a participant wrote is in it,
    and what the facilitator wrote is screened. Positions that do not fit are counted at the end.
    """
    seats = tuple(room.seats)
    head = _chat_head(room, board, tongue)
    lines = [_chat_line(place, row, seats, tongue) for place, row in enumerate(board.rows, 1)]
    for shown in range(len(lines), -1, -1):
        rest = [tongue("y {n} más", n=len(lines) - shown)] if shown < len(lines) else []
        text = "\n".join([*head, *lines[:shown], *rest])
        if len(text) <= CHAT_LENGTH:
            return text
    return "\n".join(head)[:CHAT_LENGTH]


def _chat_head(room: Room, board: EnergyBoard, tongue: Tongue) -> list[str]:
    seats = tuple(room.seats)
    title = _short(without_personal(room.facts.title, seats), 120)
    place = _short(without_personal(place_name(room.facts), seats), CHAT_LABEL)
    when = tongue.day(room.facts.date) if room.facts.date else ""
    lines = [
        tongue("DEMOSTRACIÓN: datos inventados") if room.facts.demo else "",
        tongue("Mapa de energía: {title}", title=title),
        ", ".join(part for part in (place, when) if part),
        veil_sentence(board, tongue),
    ]
    return [line for line in lines if line]


def _chat_line(place: int, row: EnergyRow, seats: Sequence[str], tongue: Tongue) -> str:
    label = _short(without_personal(label_of(row, tongue), seats), CHAT_LABEL)
    share = _chat_share(row.preference.share, tongue) if row.preference else ""
    said = [
        share,
        tongue("compromisos con fecha: {n}", n=row.committed) if row.committed else "",
        tongue("recursos: {n}", n=sum(row.resources.values())) if any(row.resources.values()) else "",
        tongue("objeciones: {n}", n=row.objections) if row.objections else "",
        *flags_of(row, tongue),
    ]
    number = row.preference.place if row.preference else place
    rest = ", ".join(part for part in said if part)
    return f"{number}. {label}: {rest}" if rest else f"{number}. {label}"


def _chat_share(share: Share, tongue: Tongue) -> str:
    """Return the share with its interval: of few people a share alone says more than anybody knows."""
    return tongue(
        "{share} de los puntos ({low} a {high})",
        share=tongue.percent(share.share),
        low=tongue.percent(share.low),
        high=tongue.percent(share.high),
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
