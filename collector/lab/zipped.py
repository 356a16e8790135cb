"""A ZIP made a piece at a time: nobody holds it whole, and nobody needs to go back in it."""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

PIECE_CHARS = 64 * 1024


class _Sink:
    """Takes what the archive writes until it is fetched. It cannot seek: sizes then stand after each file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Keep a piece."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: whoever reads, fetches."""

    def close(self) -> None:
        """Do nothing: what was written stays to be fetched."""

    def fetch(self) -> bytes:
        """Return what was written since the last time."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def zip_pieces(files: Iterable[tuple[str, Iterable[str]]], moment: datetime) -> Iterator[bytes]:
    """Give a ZIP of (name, lines of text); its memory is that of one piece. moment: the date that the files bear."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, lines in files:
            about = zipfile.ZipInfo(name, moment.timetuple()[:6])
            about.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(about, "w") as member:
                for piece in in_pieces(lines):
                    member.write(piece.encode("utf-8", "replace"))
                    yield sink.fetch()
    yield sink.fetch()


def in_pieces(lines: Iterable[str], size: int = PIECE_CHARS) -> Iterator[str]:
    """Join lines into pieces: one trip through the server for hundreds of rows."""
    piece: list[str] = []
    length = 0
    for line in lines:
        piece.append(line)
        length += len(line)
        if length >= size:
            yield "".join(piece)
            piece, length = [], 0
    yield "".join(piece)
