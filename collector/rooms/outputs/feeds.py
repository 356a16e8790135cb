"""Texts for tools that group what people wrote: the columns they read, and nothing that nobody may repeat.

Only words whose person agreed to be quoted, and none with what looks like a telephone, an address, an identity card or
a name (privacy requirement P03). No seat, no place, no segment. Columns: Talk to the City and Sensemaker.
"""

from collections.abc import Iterable, Iterator

from collector.rooms.outputs.csv import csv_text
from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.screening import is_personal


def comments_feed(pieces: Iterable[Piece]) -> str:
    """Return id,comment: a row a text. id is that of the text here, so that whoever holds the records finds it."""
    return csv_text(("id", "comment"), ((piece.target, piece.text) for piece in _allowed(pieces)), bom=False)


def participants_feed(pieces: Iterable[Piece]) -> str:
    """Return participant_id,survey_text: a row a person. participant_id is the number of the row and says no more."""
    said: dict[str, list[str]] = {}
    for piece in _allowed(pieces):
        said.setdefault(piece.person, []).append(piece.text)
    rows = ((number, "\n".join(texts)) for number, texts in enumerate(said.values(), 1))
    return csv_text(("participant_id", "survey_text"), rows, bom=False)


def _allowed(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Give the texts that may leave, in the order they were said, each once."""
    allowed = {piece.target: piece for piece in pieces if piece.may_quote and not is_personal(piece.text)}
    return iter(sorted(allowed.values(), key=lambda piece: piece.order))
