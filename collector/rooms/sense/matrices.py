"""Themes against municipalities or segments: how many records speak of each, protected before anybody else sees it.

A cell counts distinct records. A record stands in one column, and in one row for each theme that it carries, so the
total of a row counts records, and that of a column adds mentions up: totals are always sums of what the table shows.
A cell is small when fewer than k people stand behind it, however many records they left (privacy requirement P18).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.rooms.sense.codebook import Code, Codebook, above
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.flows import Place
from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.suppression import CountTable, Policy, Published, protect

NOT_SAID = ""  # column of what names no municipality or segment


@dataclass(frozen=True)
class Matrix:
    """Themes in rows, columns by key. For the custodian: `shown` is for everybody else.

    records: of each place without totals, the ids of the records behind it in order.
    """

    themes: tuple[Code, ...]
    columns: tuple[str, ...]
    table: CountTable
    records: Mapping[Place, tuple[str, ...]]

    def shown(self, policy: Policy | None = None) -> Published:
        """Return the table as it may leave the lab where no other of these records does; release.py is for several."""
        return protect(self.table, policy)

    def row(self, path: str) -> int:
        """Return the number of the row of a theme. Raises KeyError."""
        found = next((row for row, code in enumerate(self.themes) if code.path == path), None)
        if found is None:
            raise KeyError(f"the matrix has no row for {path!r}")
        return found

    def drill_down(self, path: str, column: str) -> tuple[str, ...]:
        """Return the records behind a cell; they are as many as it counts. Raises KeyError for no such cell."""
        if column not in self.columns:
            raise KeyError(f"the matrix has no column for {column!r}")
        return self.records[self.row(path), self.columns.index(column)]


def theme_by_place(pieces: Iterable[Piece], found: Coded, book: Codebook, themes: Sequence[str] = ()) -> Matrix:
    """Return theme x municipality. themes: paths of the rows, else every code right under a dimension."""
    return theme_by(pieces, found, book, lambda piece: piece.place, themes)


def theme_by_segment(
    pieces: Iterable[Piece], found: Coded, book: Codebook, segment: str, themes: Sequence[str] = ()
) -> Matrix:
    """Return theme x value of a declared segment, as "generation"."""
    return theme_by(pieces, found, book, lambda piece: piece.segments.get(segment, NOT_SAID), themes)


def theme_by(
    pieces: Iterable[Piece],
    found: Coded,
    book: Codebook,
    column_of: Callable[[Piece], str],
    themes: Sequence[str] = (),
) -> Matrix:
    """Return themes against any column. A theme holds what carries its code or one below it."""
    rows = _rows(book, themes)
    known = sorted({piece.target: piece for piece in pieces}.values(), key=lambda piece: piece.order)
    columns = tuple(sorted({column_of(piece) for piece in known}, key=lambda name: (name == NOT_SAID, name)))
    behind: dict[Place, list[Piece]] = {}
    places = {name: place for place, name in enumerate(columns)}
    numbers = {code.path: row for row, code in enumerate(rows)}
    for piece in known:
        column = places[column_of(piece)]
        for row in sorted(_rows_of(found.paths(piece.target), numbers)):
            behind.setdefault((row, column), []).append(piece)
    cells = {place: _records(behind.get(place, [])) for place in _places(len(rows), len(columns))}
    return Matrix(rows, columns, _counts(rows, columns, cells, behind), cells)


def _rows(book: Codebook, themes: Sequence[str]) -> tuple[Code, ...]:
    if themes:
        asked = dict.fromkeys(book.now(path) for path in themes)
        return tuple(book.codes[path] for path in asked if path in book.codes)
    # a code at the top with nothing below it is a theme by itself
    return tuple(
        code for code in book.codes.values() if code.depth == 2 or (code.depth == 1 and not book.children(code.path))
    )


def _rows_of(paths: Iterable[str], numbers: Mapping[str, int]) -> set[int]:
    """Return the rows whose code is one of the paths or stands above it."""
    return {numbers[each] for path in paths for each in (path, *above(path)) if each in numbers}


def _places(rows: int, columns: int) -> list[Place]:
    return [(row, column) for row in range(rows) for column in range(columns)]


def _records(pieces: Iterable[Piece]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(piece.record for piece in pieces))


def _counts(
    rows: tuple[Code, ...],
    columns: tuple[str, ...],
    cells: Mapping[Place, tuple[str, ...]],
    behind: Mapping[Place, list[Piece]],
) -> CountTable:
    counts = tuple(tuple(len(cells[row, column]) for column in range(len(columns))) for row in range(len(rows)))
    people = tuple(
        tuple(_people(behind, _span(row, len(rows)), _span(column, len(columns))) for column in range(len(columns) + 1))
        for row in range(len(rows) + 1)
    )
    return CountTable(tuple(code.path for code in rows), columns, counts, people)


def _span(place: int, count: int) -> range:
    """Return the one row or column, or all of them where `place` is that of the totals."""
    return range(count) if place == count else range(place, place + 1)


def _people(behind: Mapping[Place, list[Piece]], rows: range, columns: range) -> int:
    return len({piece.person for row in rows for column in columns for piece in behind.get((row, column), ())})
