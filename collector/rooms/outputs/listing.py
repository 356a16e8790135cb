"""The files that a room can give now: their names, what they are, and how each is made when somebody asks for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from collector.rooms.boards.energy import EnergyBoard, energy_board
from collector.rooms.guide import Segment, Step, text_in
from collector.rooms.outputs.before_after import before_after_csv, before_after_document
from collector.rooms.outputs.coded import coded_csv
from collector.rooms.outputs.document import Document, as_html, as_markdown
from collector.rooms.outputs.energy import energy_chat, energy_csv, energy_document, energy_svg
from collector.rooms.outputs.heading import notice_of
from collector.rooms.outputs.maps import Map, actor_map, iceberg_map, kumu
from collector.rooms.outputs.matrices import MatrixWords, matrix_csv, matrix_document
from collector.rooms.outputs.refi import Project, qdc, qdpx
from collector.rooms.outputs.report import minutes, session_report
from collector.rooms.outputs.return_sheet import Sheet, return_sheet
from collector.rooms.outputs.statements import comments_csv
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.coding import Coded, coded, read_codebook, read_codings
from collector.rooms.sense.matrices import theme_by_segment
from collector.rooms.sense.pieces import Piece, pieces_of, said_in_order
from collector.rooms.sense.suppression import Published

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8", "svg": "image/svg+xml", "json": "application/json",
    "qdpx": "application/zip", "qdc": "application/xml",
}  # fmt: skip
Made = str | bytes


@dataclass(frozen=True)
class OutputFile:
    """A file. name: "informe.html"; of: what it belongs to, as people read it; for_lab: it holds words that may not
    be quoted, or hidden ones; make: gives its content.
    """

    name: str
    of: str
    make: Callable[[], Made]
    for_lab: bool = False

    @property
    def ending(self) -> str:
        """Return "html", "csv" …"""
        return self.name.rpartition(".")[2]

    @property
    def media_type(self) -> str:
        """Return its media type."""
        return MEDIA_TYPES[self.ending]

    def content(self) -> bytes:
        """Return its bytes: the same for the same contributions, in whatever order they came."""
        made = self.make()
        return made.encode() if isinstance(made, str) else made


def files_of(room: Room, tongue: Tongue, for_lab: bool = False) -> list[OutputFile]:
    """Return the files of a room in the order in which people look for them; those of the lab only where asked for."""
    return [file for file in _Listing(room, tongue).files() if for_lab or not file.for_lab]


class _Listing:
    """What the files of one room are made from."""

    def __init__(self, room: Room, tongue: Tongue) -> None:
        self.room, self.tongue = room, tongue
        self.items = said_in_order([room])
        self.book: Codebook = read_codebook(self.items, tongue.language)
        self.coded: Coded = coded(read_codings(self.items), self.book)
        self.pieces: list[Piece] = pieces_of(room)

    def files(self) -> Iterator[OutputFile]:
        """Give the files in order: what is read first, each step, the matrices, what other programs read."""
        tongue = self.tongue
        sheet = Sheet(self.room, self.book, self.coded)
        yield from _document("informe", tongue("Informe de la sesión"), self._report)
        yield from _document("acta", tongue("Acta"), lambda: minutes(self.room, tongue))
        yield from _document("devolucion", tongue("Hoja para la comunidad"), lambda: return_sheet(sheet, tongue))
        for step in self.room.guide.steps if self.room.guide else ():
            yield from self._of_step(step, text_in(step.label, tongue.language))
        for segment in self.room.segments if self.book.codes else ():
            yield from self._of_segment(segment)
        maps = self._maps()
        if maps:
            yield OutputFile("mapas.json", tongue("Mapas para Kumu"), lambda: kumu(maps))
        yield OutputFile("textos.csv", tongue("Textos con sus temas"), lambda: coded_csv(self.pieces, self.coded), True)
        yield OutputFile("proyecto.qdpx", tongue("Proyecto REFI-QDA"), lambda: qdpx(self._project()), True)
        if self.book.codes:
            yield OutputFile("temas.qdc", tongue("Libro de códigos REFI-QDA"), lambda: qdc(self.book, self.coded), True)

    def _report(self) -> Document:
        return session_report(self.room, self.book, self.coded, self.tongue)

    def _of_step(self, step: Step, label: str) -> Iterator[OutputFile]:
        room, tongue, name = self.room, self.tongue, step.name
        if step.type == "energy":
            yield from self._of_energy(name, label)
        if step.type == "statements":
            yield OutputFile(f"frases-{name}.csv", label, lambda: comments_csv(room, name), True)
        if step.type == "measure":
            yield from _document(f"cambio-{name}", label, lambda: before_after_document([room], name, "", tongue))
            yield OutputFile(f"cambio-{name}.csv", label, lambda: before_after_csv([room], name, "", tongue))

    def _of_energy(self, step: str, label: str) -> Iterator[OutputFile]:
        room, tongue, name = self.room, self.tongue, f"energia-{step}"

        def board() -> EnergyBoard:
            return energy_board(room, step, None)

        yield from _document(name, label, lambda: energy_document(room, board(), tongue))
        yield OutputFile(f"{name}.svg", label, lambda: energy_svg(board(), tongue))
        yield OutputFile(f"{name}.csv", label, lambda: energy_csv(board(), tongue))
        yield OutputFile(f"{name}.txt", label, lambda: energy_chat(room, board(), tongue))

    def _of_segment(self, segment: Segment) -> Iterator[OutputFile]:
        language = self.tongue.language
        columns = {key: text_in(label, language) for key, label in segment.values.items()}
        axis = text_in(segment.label, language)
        title = self.tongue("Temas por «{what}»", what=axis)
        words = MatrixWords(title, axis, columns, self.book, self.tongue)
        name = f"temas-{segment.name}"

        def shown() -> Published:
            return theme_by_segment(self.pieces, self.coded, self.book, segment.name).shown()

        notice = notice_of(self.room, self.tongue)
        yield from _document(name, title, lambda: replace(matrix_document(shown(), words), notice=notice))
        yield OutputFile(f"{name}.csv", title, lambda: matrix_csv(shown(), words))

    def _maps(self) -> tuple[Map, ...]:
        guide = self.room.guide
        steps = [step.name for step in guide.steps if step.type == "iceberg"] if guide else []
        found = [*(iceberg_map(self.room, step, self.tongue) for step in steps), actor_map(self.room, self.tongue)]
        return tuple(each for each in found if each.nodes)

    def _project(self) -> Project:
        room = self.room
        segments = {each.name: text_in(each.label, self.tongue.language) for each in room.segments}
        rounds = {room.session: room.facts.round}
        title = room.facts.title or self.tongue("Sesión")
        pieces = tuple(self.pieces)
        return Project(title, self.book, self.coded, pieces, self._maps(), segments, rounds, self.tongue)


def _document(name: str, title: str, made: Callable[[], Document]) -> Iterator[OutputFile]:
    """Give a document as a page to read and print, and as text to go on writing in."""
    yield OutputFile(f"{name}.html", title, lambda: as_html(made()))
    yield OutputFile(f"{name}.md", title, lambda: as_markdown(made()))
