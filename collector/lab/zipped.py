"""A ZIP made a piece at a time: nobody holds it whole, and nobody needs to go back in it."""

import csv
import tempfile
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from io import StringIO

from collector.lab.csv import BOM, LINE_END, CsvRecord, Layout, RowFile, csv_lines, file_names
from collector.lab.tables import Table

PIECE_CHARS = 64 * 1024
IN_MEMORY_BYTES = 1 << 20  # of a repeat's file, before it goes to the disk
# what is packed already only costs time when it is packed again
PACKED = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".m4a", ".mp3", ".webm", ".3gp", ".ogg", ".amr", ".zip")


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


def archive_pieces(files: Iterable[tuple[str, Iterable[bytes]]], moment: datetime) -> Iterator[bytes]:
    """Give a ZIP of (name, pieces of its content); its memory is that of one piece. moment: the date files bear."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, pieces in files:
            about = zipfile.ZipInfo(name, moment.timetuple()[:6])
            is_packed = name.lower().endswith(PACKED)
            about.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            with archive.open(about, "w") as member:
                for piece in pieces:
                    member.write(piece)
                    yield sink.fetch()
    yield sink.fetch()


def zip_pieces(files: Iterable[tuple[str, Iterable[str]]], moment: datetime) -> Iterator[bytes]:
    """Give a ZIP of (name, lines of text), as `archive_pieces`."""
    return archive_pieces(((name, _encoded(lines)) for name, lines in files), moment)


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8", "replace") for piece in in_pieces(lines))


def zipped_tables(layout: Layout, form_id: str, records: Iterable[CsvRecord], moment: datetime) -> Iterator[bytes]:
    """Give a ZIP of the CSV files of a form with repeats, reading the records once.

    The rows of repeats wait in a file on the disk while the records are sent.
    """
    names = file_names(form_id, layout.table)
    with ExitStack() as stack:
        repeats = [table for table in layout.table.walk() if table.steps]
        waiting = {table.steps: stack.enter_context(_Waiting(layout, table)) for table in repeats}

        def passing() -> Iterator[CsvRecord]:
            for record in records:
                for rows in waiting.values():
                    rows.add(record)
                yield record

        files: list[tuple[str, Iterable[str]]] = [(names[()], csv_lines(layout, passing()))]
        files += [(names[steps], rows.read_back()) for steps, rows in waiting.items()]
        yield from zip_pieces(files, moment)


class _Waiting:
    """The file of a repeat while the records are sent: a piece in memory, the rest on the disk."""

    def __init__(self, layout: Layout, table: Table) -> None:
        self._rows = RowFile(layout, table)
        self._disk = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  closed by __exit__
        self._piece = StringIO(BOM if layout.bom else "", newline="")
        self._piece.seek(0, 2)
        self._writer = csv.writer(self._piece, lineterminator=LINE_END)
        self._writer.writerow(self._rows.header())

    def __enter__(self) -> "_Waiting":
        return self

    def __exit__(self, *_raised: object) -> None:
        self._disk.close()

    def add(self, record: CsvRecord) -> None:
        """Write the rows of a record."""
        self._writer.writerows(self._rows.rows(record))
        if self._piece.tell() >= PIECE_CHARS:
            self._put_down()

    def _put_down(self) -> None:
        self._disk.write(self._piece.getvalue().encode("utf-8", "replace"))
        self._piece.seek(0)
        self._piece.truncate()

    def read_back(self) -> Iterator[str]:
        """Give the whole file again, from its head."""
        self._put_down()
        self._disk.seek(0)
        decoder = getincrementaldecoder("utf-8")()
        while piece := self._disk.read(PIECE_CHARS):
            yield decoder.decode(piece)


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
