"""The iceberg of a step as a document and as a drawing: four levels, what leads to what, and what is only assumed."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.boards.iceberg import IcebergBoard, IcebergChanges, iceberg_board, iceberg_changes
from collector.rooms.guide import Step
from collector.rooms.outputs.document import Bullets, Document, Drawing, Heading, Paragraph, Part
from collector.rooms.outputs.heading import facts_line, notice_of
from collector.rooms.outputs.maps import LEVEL_NAMES, RELATION_NAMES, Edge, Map, Node, iceberg_map
from collector.rooms.outputs.open_parts import iceberg_parts
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Room

WIDTH, MARGIN, GUTTER = 800, 24, 48  # of the drawing; the gutter at its right is for links that pass over a level
BOX, GAP, HEAD = 228, 16, 8
ARROWS = 170  # from a box's left edge to where its arrows come: right of the name of the level
LINE, LETTERS = 18, 30  # height of a line of text, letters in one
MOST_LINES = 5
TITLE, LEGEND = 30, 28  # heights: of a band's title, of the line that says what the arrows are
PER_ROW = 3
INK, SOFT, EDGE, FILL, WATER = "#12231b", "#43534a", "#0e5a4c", "#ffffff", "#dceae7"
EVIDENCE_FILL, ASSUMED = "#f3f0e4", "4 3"
# told apart by their dashes too: a printer may have no colours
COLOURS = {"causes": "#0e5a4c", "reinforces": "#8a4b00", "evidence": "#43534a"}
DASHES = {"causes": "", "reinforces": ' stroke-dasharray="9 4"', "evidence": ' stroke-dasharray="2 4"'}


@dataclass(frozen=True)
class Box:
    """Where a box stands. row: its number among the rows of boxes, from the top."""

    x: int
    y: int
    height: int
    row: int

    @property
    def bottom(self) -> int:
        """Return where it ends."""
        return self.y + self.height


def iceberg_document(room: Room, step: Step, tongue: Tongue = SPANISH, earlier: Room | None = None) -> Document:
    """Return the iceberg: the drawing, the same in words, the assumptions, what changed since an earlier workshop."""
    parts: list[Part] = [Paragraph(facts_line(room, tongue)), Drawing(iceberg_svg(room, step.name, tongue))]
    parts += [*_in_words(room, step, tongue), *_change_parts(room, step, tongue, earlier)]
    title = tongue("Iceberg: {title}", title=room.facts.title)
    return Document(title, tuple(parts), tongue.language, notice_of(room, tongue))


def _in_words(room: Room, step: Step, tongue: Tongue) -> Iterator[Part]:
    yield Heading(tongue("Los cuatro niveles"))
    yield from iceberg_parts(room, step, tongue)
    if not iceberg_board(room, step.name).assumptions:
        yield Paragraph(tongue("No quedan supuestos: todo lo escrito se apoya en algo que se dijo."))


# --- since an earlier workshop


def _change_parts(room: Room, step: Step, tongue: Tongue, earlier: Room | None) -> Iterator[Part]:
    before = earlier.step(step.name) if earlier else None
    if earlier is None or before is None or before.type != "iceberg":
        return
    changes = iceberg_changes(iceberg_board(earlier, step.name), iceberg_board(room, step.name))
    yield Heading(tongue("Qué cambió desde la ronda {n}", n=earlier.facts.round))
    lines = list(_change_lines(changes, tongue))
    yield Bullets(tuple(lines)) if lines else Paragraph(tongue("Nada: dice lo mismo."))


def _change_lines(changes: IcebergChanges, tongue: Tongue) -> Iterator[str]:
    for item in changes.added:
        yield tongue("Nuevo: {text} ({level})", text=item.text, level=tongue(LEVEL_NAMES[item.level]))
    for item, level in changes.moved:
        names = {"now": tongue(LEVEL_NAMES[item.level]), "before": tongue(LEVEL_NAMES[level])}
        yield tongue("Cambió de nivel: {text}, de {before} a {now}", text=item.text, **names)
    for item in changes.gone:
        yield tongue("Ya no está: {text} ({level})", text=item.text, level=tongue(LEVEL_NAMES[item.level]))


# --- the drawing


def iceberg_svg(room: Room, step: str, tongue: Tongue = SPANISH) -> str:
    """Return the iceberg as SVG: a band a level, a box an item, an arrow a link.

    What is only assumed has a broken edge and says so. Each box is a group with `data-node`, each arrow a path with
    `data-from` and `data-to`: a program reads as many back as there are. No style sheet, so it prints anywhere.
    """
    board, drawn = iceberg_board(room, step), iceberg_map(room, step, tongue)
    drawing = _Drawing(tongue, frozenset(item.id for item in board.assumptions))
    for title, nodes in _bands(board, drawn, tongue):
        drawing.add_band(title, nodes)
    arrows = [_arrow(edge, drawing.places, number) for number, edge in enumerate(drawn.edges)]
    relations = [relation for relation in COLOURS if any(edge.relation == relation for edge in drawn.edges)]
    legend = [_legend(relation, place, drawing.y, tongue) for place, relation in enumerate(relations)]
    height = drawing.y + (LEGEND if legend else 0)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13" fill="{INK}">'
    )
    title = html.escape(tongue("Iceberg: {title}", title=room.facts.title))
    parts = [head, f"<title>{title}</title>", *drawing.bands, *arrows, *drawing.boxes, *legend, "</svg>"]
    return "\n".join(parts) + "\n"


class _Drawing:
    """Bands and boxes from the top down. y: where the next band begins."""

    def __init__(self, tongue: Tongue, assumed: frozenset[str]) -> None:
        self.bands: list[str] = []
        self.boxes: list[str] = []
        self.places: dict[str, Box] = {}
        self.y = 8
        self._tongue, self._assumed, self._rows = tongue, assumed, 0

    def add_band(self, title: str, nodes: Sequence[Node]) -> None:
        """Add a level and its boxes, three in a row."""
        top = self.y + TITLE
        for first in range(0, len(nodes), PER_ROW):
            row = nodes[first : first + PER_ROW]
            self._add_row(row, top)
            top = max(self.places[node.key].bottom for node in row) + GAP
        bottom = max(top, self.y + TITLE + GAP)
        self.bands += [
            f'<rect x="0" y="{self.y}" width="{WIDTH}" height="{bottom - self.y}" rx="6" fill="{WATER}"/>',
            f'<text x="{MARGIN}" y="{self.y + 19}" font-weight="700" fill="{SOFT}">{html.escape(title)}</text>',
        ]
        self.y = bottom + 8

    def _add_row(self, row: Sequence[Node], top: int) -> None:
        height = max(_height(node, node.key in self._assumed) for node in row)
        for place, node in enumerate(row):
            box = Box(MARGIN + place * (BOX + GAP), top, height, self._rows)
            self.places[node.key] = box
            self.boxes.append(_box(node, box, node.key in self._assumed, self._tongue))
        self._rows += 1


def _bands(board: IcebergBoard, drawn: Map, tongue: Tongue) -> list[tuple[str, list[Node]]]:
    """Return the levels from events down with their nodes, then what they rest on."""
    nodes = {node.key: node for node in drawn.nodes}
    bands = [
        (tongue(LEVEL_NAMES[level]), [nodes.pop(item.id) for item in items]) for level, items in board.levels.items()
    ]
    return [*bands, *([(tongue("Se apoya en"), list(nodes.values()))] if nodes else [])]


def _height(node: Node, is_assumed: bool) -> int:
    return (len(_lines(node.label)) + is_assumed) * LINE + 14


def _box(node: Node, box: Box, is_assumed: bool, tongue: Tongue) -> str:
    x, y, height = box.x, box.y, box.height
    dashes = f' stroke-dasharray="{ASSUMED}"' if is_assumed else ""
    lines = [html.escape(line) for line in _lines(node.label)]
    spans = [f'<tspan x="{x + 10}" y="{y + 19 + LINE * number}">{line}</tspan>' for number, line in enumerate(lines)]
    if is_assumed:
        said = html.escape(tongue("supuesto"))
        spans.append(f'<tspan x="{x + 10}" y="{y + 19 + LINE * len(lines)}" font-style="italic">{said}</tspan>')
    rect = f'<rect x="{x}" y="{y}" width="{BOX}" height="{height}" rx="4" fill="{FILL}" stroke="{EDGE}"{dashes}/>'
    return f'<g data-node="{html.escape(node.key)}">{rect}<text>{"".join(spans)}</text></g>'


def _lines(text: str) -> list[str]:
    """Return a text cut into lines at its blanks; what does not fit ends with dots and stands whole in the words."""
    lines: list[str] = [""]
    for word in text.split():
        for piece in (word[start : start + LETTERS] for start in range(0, len(word), LETTERS)):
            if lines[-1] and len(lines[-1]) + 1 + len(piece) > LETTERS:
                lines.append("")
            lines[-1] = f"{lines[-1]} {piece}".strip()
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][: LETTERS - 1] + "…"]
    return lines


def _arrow(edge: Edge, places: Mapping[str, Box], number: int) -> str:
    """Return the arrow from a box to another: straight to the next row, round the others by the gutter at the right."""
    said = html.escape(edge.label)
    path, (x, y), is_down = _way(places[edge.start], places[edge.end], number)
    back = y - HEAD if is_down else y + HEAD
    return (
        f'<path data-from="{html.escape(edge.start)}" data-to="{html.escape(edge.end)}" d="{path}" fill="none" '
        f"{_stroke(edge.relation)}><title>{said}</title></path>"
        f'<path d="M{x} {y}L{x - HEAD // 2} {back}H{x + HEAD // 2}z" fill="{COLOURS.get(edge.relation, INK)}"/>'
    )


def _stroke(relation: str) -> str:
    return f'stroke="{COLOURS.get(relation, INK)}" stroke-width="2"{DASHES.get(relation, "")}'


def _way(start: Box, end: Box, number: int) -> tuple[str, tuple[int, int], bool]:
    """Return (a way, where it ends, whether it comes from above).

    Arrows that leave or reach one box stand a little apart, so that none hides another.
    """
    apart = number % 5 - 2
    from_x, to_x = start.x + ARROWS + apart * 14, end.x + ARROWS + apart * 14
    if start.row == end.row:
        return f"M{from_x} {start.y}V{start.y - 8}H{to_x}V{end.y}", (to_x, end.y), True
    is_down = end.row > start.row
    from_y, to_y = (start.bottom, end.y) if is_down else (start.y, end.bottom)
    if abs(end.row - start.row) == 1:
        middle = (from_y + to_y) // 2
        return f"M{from_x} {from_y}C{from_x} {middle} {to_x} {middle} {to_x} {to_y}", (to_x, to_y), is_down
    gutter = WIDTH - GUTTER // 2 + apart * 7
    leaves, comes = (from_y + 8, to_y - 10) if is_down else (from_y - 10, to_y + 10)
    return f"M{from_x} {from_y}V{leaves}H{gutter}V{comes}H{to_x}V{to_y}", (to_x, to_y), is_down


def _legend(relation: str, place: int, y: int, tongue: Tongue) -> str:
    """Return a piece of the line of a relation and what it says, under the drawing."""
    x, said = MARGIN + place * 200, html.escape(tongue(RELATION_NAMES[relation]))
    line = f'<line x1="{x}" y1="{y + 14}" x2="{x + 40}" y2="{y + 14}" {_stroke(relation)}/>'
    return f'{line}<text x="{x + 50}" y="{y + 18}">{said}</text>'
