"""Bytes of .xlsx, .xls, .md or .csv -> Sheets, keeping the row numbers the author sees.

Pure: works on bytes, opens nothing. Runs inside the publishing worker, since a spreadsheet from outside can be hostile.
Cells become text by pyxform's own rules (1.0 -> "1", dates as ISO text), so both read a file the same way.

    xlsx, xls   row numbers are those of the spreadsheet, blank rows counted
    md, csv     the header is row 1 of its sheet; rows whose cells are all blank count, lines that are no row do not
"""

import csv
import io
import re
import struct
from collections.abc import Iterable, Iterator
from zipfile import BadZipFile

from openpyxl import load_workbook
from pyxform.xls2json_backends import is_empty, xls_value_to_unicode, xlsx_value_to_str
from xlrd import XLRDError, open_workbook

from collector.forms.sheets import SHEET_NAMES, SheetRow, Sheets

MAX_COLUMNS = 500  # wider than any real form; formatted but blank columns reach 16,384
MAX_ROWS = 50_000  # rows of one sheet
BLANK_RUN = 1_000  # after so many blank rows the rest is formatting, not form
MD_COMMENT = re.compile(r"\s*#")
MD_TAIL_COMMENT = re.compile(r"#[^|]+$")
MD_RULE = re.compile(r"\|(?:[|-]+|(?:\s*:?-{2,}:?\s*\|)+)")
MD_PIPE = re.compile(r"(?<!\\)\|")

Grid = Iterable[list[str]]


class UnreadableFile(Exception):
    """A file that is not what its name says. `reason`: encoding, damaged, too_many_rows; detail: English, for logs."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


def read_sheets(name: str, content: bytes) -> Sheets:
    """Read the sheets of `content`, by the ending of `name`. Raises UnreadableFile."""
    ending = name.rpartition(".")[2].lower()
    grids = {"xlsx": _xlsx, "xlsm": _xlsx, "xls": _xls, "md": _md, "csv": _csv}[ending]
    return _sheets(grids(content))


def _sheets(grids: Iterable[tuple[str, Grid]]) -> Sheets:
    found = [(name, *_rows(grid)) for name, grid in grids]
    known = {name.lower(): (headers, rows) for name, headers, rows in found if name.lower() in SHEET_NAMES}
    if len(found) == 1 and not known:  # a workbook of one sheet is a survey whatever its name, as pyxform has it
        known = {"survey": found[0][1:]}
    rows = {sheet: known.get(sheet, ([], []))[1] for sheet in SHEET_NAMES}
    return Sheets(
        survey=rows.pop("survey"),
        choices=rows.pop("choices"),
        settings=rows.pop("settings"),
        others={sheet: mine for sheet, mine in rows.items() if mine},
        headers={sheet: headers for sheet, (headers, _) in known.items()},
        names=[name for name, _, _ in found],
    )


def _rows(grid: Grid) -> tuple[list[str], list[SheetRow]]:
    """Split a grid into its headers and its rows that are not blank; the first row is number 1."""
    lines = enumerate(grid, start=1)
    _, first = next(lines, (1, []))
    headers = [" ".join(header.split()) for header in first[:MAX_COLUMNS]]
    rows: list[SheetRow] = []
    last = 1
    for number, line in lines:
        if number > MAX_ROWS:
            raise UnreadableFile("too_many_rows", f"more than {MAX_ROWS} rows")
        cells = _cells(headers, line)
        if cells:
            rows.append(SheetRow(number, cells))
            last = number
        elif number - last > BLANK_RUN:
            break
    return [header for header in headers if header], rows


def _cells(headers: list[str], line: list[str]) -> dict[str, str]:
    """Pair headers with the filled cells of a line; of two columns with one header the first filled one counts."""
    cells: dict[str, str] = {}
    for header, text in zip(headers, line, strict=False):
        if header and text.strip():
            cells.setdefault(header, text.strip())
    return cells


def _xlsx(content: bytes) -> Iterator[tuple[str, Grid]]:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a formatted sheet says 16,384 columns: read what there is
            yield sheet.title, _xlsx_grid(sheet.iter_rows(values_only=True))
        book.close()
    except (BadZipFile, KeyError, OSError, TypeError, ValueError, AttributeError, SyntaxError) as error:
        raise UnreadableFile("damaged", f"{type(error).__name__}: {error}") from error


def _xlsx_grid(rows: Iterable[tuple[object, ...]]) -> Iterator[list[str]]:
    return (["" if is_empty(value) else xlsx_value_to_str(value) for value in row] for row in rows)


def _xls(content: bytes) -> Iterator[tuple[str, Grid]]:
    try:
        book = open_workbook(file_contents=content, on_demand=True)
        for name in book.sheet_names():
            sheet = book.sheet_by_name(name)
            yield name, ([_xls_text(cell, book.datemode) for cell in sheet.row(n)] for n in range(sheet.nrows))
    except (XLRDError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
        raise UnreadableFile("damaged", f"{type(error).__name__}: {error}") from error


def _xls_text(cell: object, datemode: int) -> str:
    value, kind = getattr(cell, "value", ""), getattr(cell, "ctype", 0)
    return "" if is_empty(value) else xls_value_to_unicode(value, kind, datemode)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile("encoding", str(error)) from error


def _md(content: bytes) -> Iterator[tuple[str, Grid]]:
    """Give the sheets of `| survey | | |` tables. A first cell that is filled names a sheet and starts it."""
    sheets: dict[str, list[list[str]]] = {}
    current: list[list[str]] | None = None
    for line in _decoded(content).splitlines():
        parts = _md_cells(line)
        if parts is None:
            continue
        if parts[0]:
            current = sheets.setdefault(parts[0], [])
        started = current is not None and (current or any(parts[1:]))
        if current is not None and started and not (parts[0] and not any(parts[1:])):
            current.append(parts[1:])
    yield from sheets.items()


def _md_cells(line: str) -> list[str] | None:
    """Return the cells of a table line, None for comments, rules (|---|) and prose."""
    if MD_COMMENT.match(line):
        return None
    line = MD_TAIL_COMMENT.sub("", line).strip()
    if not (line.startswith("|") and line.endswith("|") and len(line) > 1) or MD_RULE.fullmatch(line):
        return None
    return [part.strip().replace(r"\|", "|") for part in MD_PIPE.split(line[1:-1])]


def _csv(content: bytes) -> Iterator[tuple[str, Grid]]:
    """Give the sheets of a CSV whose first column names the sheet, comma or semicolon (Excel in Spanish)."""
    text = _decoded(content)
    start = text[:5000]
    delimiter = ";" if start.count(";") > start.count(",") else ","
    sheets: dict[str, list[list[str]]] = {}
    current: list[list[str]] | None = None
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            name = line[0].strip() if line else ""
            filled = any(cell.strip() for cell in line[1:])
            if name:
                current = sheets.setdefault(name, [])
            if current is not None and (filled or (current and not name)):
                current.append([cell.strip() for cell in line[1:]])
    except csv.Error as error:
        raise UnreadableFile("damaged", str(error)) from error
    yield from sheets.items()
