"""Pages of an SQLite file that hold bytes of no row: where, and which row can cover them.

SQLite zeroes what it deletes (secure_delete). But when a row that grew no longer fits, it spreads the rows of that page
over its neighbours, and where it has to build a page anew, the old copies of what moved away stay in the middle of it:

    header | where each row begins | the gap: nobody's, but not always empty | rows

If such a row is erased later, its copy stays. So the gaps are looked at, and a row beside one that is not empty is made
to grow over it (`erasures.py: _cover`). The b-tree page: https://sqlite.org/fileformat.html, section 1.6.

This runs as a program of its own, and imports nothing of ours: a process that has the store open must not open its file
once more, because closing that would let go of SQLite's locks (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

import json
import re
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

TABLE_LEAF, TABLE_INTERIOR = 0x0D, 0x05
LEAF_HEADER, INTERIOR_HEADER = 8, 12
PAGES_AT_ONCE = 256
# more than the four bytes that SQLite itself leaves of a hole that it joined to the gap (btree.c: freeSpace), and more
# than what a row of nearly the right length may leave uncovered
REST = re.compile(rb"[^\0]{8}")
MOST = 500  # gaps of one look: whoever covers these looks again
# a longer row has a longer header too, and one that is a byte too long would have to leave its page
SLACK_BYTES = 4
# A row that is alone on its page cannot reach these first bytes of it. Whole columns before the answers stand between
# the beginning of a row and its content (number, id, hash), so no copy of an answer can begin here
OUT_OF_REACH = 40


class Gap(NamedTuple):
    """A gap that is not empty. root: the first page of its table; rowid: a row beside it; grow: by so many bytes."""

    root: int
    rowid: int
    grow: int


class _Cell(NamedTuple):
    """A row as it stands on its page. payload: its bytes, those on further pages included.

    head: the bytes before them; stored: all its bytes on this page.
    """

    at: int
    rowid: int
    payload: int
    head: int
    stored: int


class _Page(NamedTuple):
    """A page, the number of its rows, and where its gap begins and ends."""

    content: bytes
    rows: int
    begin: int
    end: int


def find_gaps(file: BinaryIO, roots: Collection[int]) -> list[Gap]:
    """Return up to `MOST` gaps that are not empty, of the tables whose first pages are `roots`.

    Reads the whole file, and once more when there are some. Cost: 0.5 s a GB, when the disk is as fast.
    Raises ValueError, IndexError and struct.error for a file that is no database or changes under the reader's eyes.
    """
    size, usable = _sizes(file)
    found = dict(_with_rests(file, size))
    if not found:
        return []
    above = {child: number for number, page in _pages(file, size) for child in _children(page)}
    of_table = {number: _root_of(number, above) for number in found}
    wanted = [number for number, root in of_table.items() if root in roots][:MOST]
    return [_gap(found[number], usable, of_table[number]) for number in wanted]


def _sizes(file: BinaryIO) -> tuple[int, int]:
    """Return how many bytes a page has, and how many of them SQLite uses."""
    file.seek(0)
    head = file.read(100)
    if not head.startswith(b"SQLite format 3\0"):
        raise ValueError("not an SQLite file")
    said = int.from_bytes(head[16:18], "big")
    size = 65536 if said == 1 else said
    return size, size - head[20]


def _pages(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Give the pages of tables, each with its number; overflow pages and the others begin with another byte."""
    file.seek(0)
    number = 1
    while piece := file.read(size * PAGES_AT_ONCE):
        for start in range(0, len(piece), size):
            if piece[start] in (TABLE_LEAF, TABLE_INTERIOR):
                yield number, piece[start : start + size]
            number += 1


def _with_rests(file: BinaryIO, size: int) -> Iterator[tuple[int, _Page]]:
    for number, content in _pages(file, size):
        if content[0] != TABLE_LEAF:
            continue
        page = _read_page(content)
        rest = content[page.begin : page.end].strip(b"\0")
        # the one page of an empty table has no row to grow, and never shared its rows with a neighbour
        if rest and page.rows and REST.search(rest):
            yield number, page


def _read_page(content: bytes) -> _Page:
    rows, end = struct.unpack_from(">HH", content, 3)
    begin = LEAF_HEADER + 2 * rows
    return _Page(content, rows, max(begin, OUT_OF_REACH) if rows == 1 else begin, end or 65536)


def _children(content: bytes) -> list[int]:
    """Return the pages below an interior page; none for a leaf."""
    if content[0] != TABLE_INTERIOR:
        return []
    (count,) = struct.unpack_from(">H", content, 3)
    (last,) = struct.unpack_from(">I", content, 8)
    begins = struct.unpack_from(f">{count}H", content, INTERIOR_HEADER)
    return [last, *(struct.unpack_from(">I", content, begin)[0] for begin in begins)]


def _root_of(number: int, above: dict[int, int]) -> int:
    for _ in range(20):  # no tree is as high: a file that changes meanwhile must not lead in a circle
        if number not in above:
            return number
        number = above[number]
    return 0


def _gap(page: _Page, usable: int, root: int) -> Gap:
    """Choose the row that is to grow over the gap, to all the room that there is on its page.

    Not the one beside the gap, which would only move the edge. Any other leaves a hole where it stood and then fits
    neither there nor in the gap: SQLite pushes all rows together, and zeroes what is left (btree.c: defragmentPage).
    """
    cells = sorted(_cells(page, usable))
    cell = max(cells[1:] or cells, key=lambda it: (it.stored > it.payload, it.stored))  # better a whole one
    room = usable - LEAF_HEADER - 2 * page.rows - sum(it.stored for it in cells if it is not cell)
    most = usable - 35  # of one row on one page
    return Gap(root, cell.rowid, min(room - cell.head, most) - SLACK_BYTES - cell.payload)


def _cells(page: _Page, usable: int) -> Iterator[_Cell]:
    for at in struct.unpack_from(f">{page.rows}H", page.content, LEAF_HEADER):
        payload, rowid_at = _number(page.content, at)
        rowid, body_at = _number(page.content, rowid_at)
        head = body_at - at
        yield _Cell(at, rowid, payload, head, head + _local(payload, usable))


def _local(payload: int, usable: int) -> int:
    """Return how many bytes of a row stand on its own page; the rest overflows (fileformat.html, section 1.6)."""
    most, least = usable - 35, (usable - 12) * 32 // 255 - 23
    if payload <= most:
        return payload
    share = least + (payload - least) % (usable - 4)
    return (share if share <= most else least) + 4


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length number at `at`, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | content[place] & 0x7F
        if content[place] < 0x80:
            return value, place + 1
    return value << 8 | content[at + 8], at + 9


def main(path: str, *roots: str) -> None:
    """Write the gaps as JSON: [[root, rowid, grow], …]."""
    with Path(path).open("rb", buffering=0) as file:
        json.dump(find_gaps(file, {int(root) for root in roots}), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
