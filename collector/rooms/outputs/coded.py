"""What is coded, a row for each text and code, in the columns that Taguette writes: id, document, tag, content."""

from collections.abc import Iterable

from collector.rooms.outputs.csv import csv_text
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.pieces import Piece

HEAD = ("id", "document", "tag", "content")


def coded_csv(pieces: Iterable[Piece], found: Coded) -> str:
    """Return the file: pieces in the order they were said, their codes by path; id is that of the text.

    No seat and no segment: whoever needs those takes the project (refi.py), which is for the lab alone.
    """
    known = sorted({piece.target: piece for piece in pieces}.values(), key=lambda piece: piece.order)
    rows = [
        (piece.target, piece.document, path, piece.text)
        for piece in known
        for path in sorted(found.paths(piece.target))
    ]
    return csv_text(HEAD, rows)
