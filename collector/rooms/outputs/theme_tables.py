"""The tables of themes of one room: by question and by each segment, protected together since they count the same."""

from collector.rooms.guide import text_in
from collector.rooms.outputs.matrices import MatrixWords
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.matrices import theme_by, theme_by_segment
from collector.rooms.sense.pieces import pieces_of
from collector.rooms.sense.release import Release, release
from collector.rooms.sense.suppression import Policy

QUESTION = "question"
SEGMENT = "segment:"


def room_tables(room: Room, book: Codebook, found: Coded, policy: Policy | None = None) -> Release:
    """Return the tables of a room: `QUESTION`, and `SEGMENT` with the name of each segment."""
    pieces = pieces_of(room)
    matrices = {QUESTION: theme_by(pieces, found, book, lambda piece: piece.question)}
    for segment in room.segments:
        matrices[SEGMENT + segment.name] = theme_by_segment(pieces, found, book, segment.name)
    return release(matrices, book, policy)


def question_words(room: Room, book: Codebook, tongue: Tongue) -> MatrixWords:
    """Return how the table by question is worded."""
    steps = room.guide.steps if room.guide else ()
    names = {step.name: text_in(step.label, tongue.language) for step in steps}
    return MatrixWords(tongue("Temas por pregunta"), tongue("Pregunta"), names, book, tongue, has_column_totals=False)


def segment_words(room: Room, name: str, book: Codebook, tongue: Tongue) -> MatrixWords:
    """Return how the table by a segment is worded."""
    segment = room.segment(name)
    language = tongue.language
    axis = text_in(segment.label, language) if segment else name
    columns = {key: text_in(label, language) for key, label in segment.values.items()} if segment else {}
    title = tongue("Temas por «{what}»", what=axis)
    return MatrixWords(title, axis, columns, book, tongue, has_column_totals=False)
