"""The files that a room can give now: their names, what they are, and how each is made when somebody asks for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from collector.rooms.boards.energy import EnergyBoard, energy_board
from collector.rooms.guide import Segment, Step, text_in
from collector.rooms.outputs.actors import OFFERS, actors_csv, actors_document, agreements_csv, agreements_document
from collector.rooms.outputs.before_after import before_after_csv, before_after_document
from collector.rooms.outputs.coded import coded_csv
from collector.rooms.outputs.document import Document, as_html, as_markdown
from collector.rooms.outputs.energy import energy_chat, energy_csv, energy_document, energy_svg
from collector.rooms.outputs.feeds import comments_feed, participants_feed
from collector.rooms.outputs.heading import notice_of
from collector.rooms.outputs.iceberg import iceberg_document, iceberg_svg
from collector.rooms.outputs.maps import Map, actor_map, iceberg_map, kumu
from collector.rooms.outputs.matrices import matrix_csv, matrix_document
from collector.rooms.outputs.refi import Project, qdc, qdpx
from collector.rooms.outputs.report import minutes, session_report
from collector.rooms.outputs.return_sheet import Sheet, return_sheet
from collector.rooms.outputs.rounds import rooms_of_guide, round_before
from collector.rooms.outputs.statements import comments_csv, statements_document
from collector.rooms.outputs.theme_tables import SEGMENT, room_tables, segment_words
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook, used_book
from collector.rooms.sense.coding import Coded, coded, read_codebook, read_codings
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


@dataclass(frozen=True)
class Around:
    """What stands around a room. others: rooms of which some may be rounds of its guide; book: the codebook of all."""

    others: tuple[Room, ...] = ()
    book: Room | None = None


def files_of(room: Room, tongue: Tongue, for_lab: bool = False, around: Around | None = None) -> list[OutputFile]:
    """Return the files of a room in the order in which people look for them; those of the lab only where asked for."""
    return [file for file in _Listing(room, tongue, around or Around()).files() if for_lab or not file.for_lab]


class _Listing:
    """What the files of one room are made from."""

    def __init__(self, room: Room, tongue: Tongue, around: Around) -> None:
        self.room, self.tongue = room, tongue
        self.alike, self.earlier = rooms_of_guide(room, around.others), round_before(room, around.others)
        items = said_in_order([room, around.book] if around.book else [room])
        whole = read_codebook(items, tongue.language)
        self.coded: Coded = coded(read_codings(items), whole)
        # of the book of all what this room uses, and what its own people wrote into it
        own = [each for each in said_in_order([room]) if each.what == "code"]
        self.book: Codebook = used_book(whole, {*self.coded.used(), *(whole.now(each.said("path")) for each in own)})
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
        yield from self._of_offers()
        for segment in self.room.segments if self.book.codes else ():
            yield from self._of_segment(segment)
        maps = self._maps()
        if maps:
            yield OutputFile("mapas.json", tongue("Mapas para Kumu"), lambda: kumu(maps))
        yield OutputFile("textos.csv", tongue("Textos con sus temas"), lambda: coded_csv(self.pieces, self.coded), True)
        feeds = tongue("Textos que se pueden citar, para programas que los agrupan")
        yield OutputFile("comentarios.csv", f"{feeds}: id, comment", lambda: comments_feed(self.pieces), True)
        each = f"{feeds}: participant_id, survey_text"
        yield OutputFile("participantes.csv", each, lambda: participants_feed(self.pieces), True)
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
            yield from _document(f"frases-{name}", label, lambda: statements_document(room, step, tongue))
            yield OutputFile(f"frases-{name}.csv", label, lambda: comments_csv(room, name), True)
        if step.type == "iceberg":
            yield from _document(f"iceberg-{name}", label, lambda: iceberg_document(room, step, tongue, self.earlier))
            yield OutputFile(f"iceberg-{name}.svg", label, lambda: iceberg_svg(room, name, tongue))
        if step.type == "measure":
            rooms = [each for each in self.alike if each.step(name) is not None]
            segment = room.segments[0].name if room.segments else ""
            yield from _document(f"cambio-{name}", label, lambda: before_after_document(rooms, name, segment, tongue))
            yield OutputFile(f"cambio-{name}.csv", label, lambda: before_after_csv(rooms, name, segment, tongue))

    def _of_energy(self, step: str, label: str) -> Iterator[OutputFile]:
        room, tongue, name = self.room, self.tongue, f"energia-{step}"

        def board() -> EnergyBoard:
            return energy_board(room, step, self.earlier)

        yield from _document(name, label, lambda: energy_document(room, board(), tongue))
        yield OutputFile(f"{name}.svg", label, lambda: energy_svg(board(), tongue))
        yield OutputFile(f"{name}.csv", label, lambda: energy_csv(board(), tongue))
        yield OutputFile(f"{name}.txt", label, lambda: energy_chat(room, board(), tongue))

    def _of_offers(self) -> Iterator[OutputFile]:
        room, tongue = self.room, self.tongue
        if any(room.of(what) for what in OFFERS):
            label = tongue("Actores y lo que ponen")
            yield from _document("actores", label, lambda: actors_document(room, tongue))
            yield OutputFile("actores.csv", label, lambda: actors_csv(room, tongue))
        if room.of("agreement"):
            yield from _document("acuerdos", tongue("Acuerdos"), lambda: agreements_document(room, tongue))
            yield OutputFile("acuerdos.csv", tongue("Acuerdos"), lambda: agreements_csv(room))

    def _of_segment(self, segment: Segment) -> Iterator[OutputFile]:
        """Give themes by a segment: for the lab, since it may not go out beside the tables over several rooms."""
        words = segment_words(self.room, segment.name, self.book, self.tongue)
        name, table = f"temas-{segment.name}", SEGMENT + segment.name

        def shown() -> Published:
            return room_tables(self.room, self.book, self.coded).published(table)

        notice = notice_of(self.room, self.tongue)
        yield from _document(
            name, words.title, lambda: replace(matrix_document(shown(), words), notice=notice), for_lab=True
        )
        yield OutputFile(f"{name}.csv", words.title, lambda: matrix_csv(shown(), words), True)

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


def _document(name: str, title: str, made: Callable[[], Document], for_lab: bool = False) -> Iterator[OutputFile]:
    """Give a document as a page to read and print, and as text to go on writing in."""
    yield OutputFile(f"{name}.html", title, lambda: as_html(made()), for_lab)
    yield OutputFile(f"{name}.md", title, lambda: as_markdown(made()), for_lab)
