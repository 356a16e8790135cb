"""The formats: each writes the sheets of a form to one file, row by row. `FORMATS` names them all.

A table by itself is one file, several are a ZIP of such files or sheets of one. What a format needs beyond the program
itself is imported when it is asked for; where it is not installed, `NotInstalledError` says what to install.
"""

import csv
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.exports.codebook import HEAD, Entry
from collector.exports.datapackage import datapackage
from collector.exports.sheets import BOOK, DATE, Sheet, day_of
from collector.lab.csv import BOM, LINE_END, CsvRecord, line_of
from collector.lab.tables import PLACES, answers_of, text_at

XLSX_ROWS, XLSX_TEXT, XLSX_COLUMNS = 1_048_576, 32_767, 16_384
XLSX_WHOLE = 10**15  # Excel keeps 15 digits of a number: a longer one stays as text
XLSX_FIRST_YEAR = 1900
SQLITE_COLUMNS = 2_000
CHUNK_ROWS = 5_000


class NotInstalledError(Exception):
    """A format needs a package that is not here. extra: what to install: citizen-collector[extra]."""

    def __init__(self, extra: str) -> None:
        super().__init__(extra)
        self.extra = extra


class TooManyError(Exception):
    """More rows or columns than the format takes. what: "rows" or "columns"."""

    def __init__(self, what: str, count: int, most: int) -> None:
        super().__init__(f"{count} {what}, {most} at most")
        self.what, self.count, self.most = what, count, most


@dataclass(frozen=True)
class Take:
    """What is written. records: gives all of them, each time anew; lines: the same as JSON; facts: of the export;
    files: gives the name in an archive and the bytes of each file that people sent.
    """

    form_id: str
    title: str
    sheets: Sequence[Sheet]
    records: Callable[[], Iterator[CsvRecord]]
    lines: Callable[[], Iterator[str]]
    book: Sequence[Entry]
    facts: Mapping[str, Any]
    bom: bool = True
    files: Callable[[], Iterator[tuple[str, Iterator[bytes]]]] = lambda: iter(())
    cuts: list[int] = field(default_factory=list)  # how long each text was that the format could not hold whole


Counts = dict[str, int]
Tick = Callable[[int], None]  # told how many records are written


@dataclass(frozen=True)
class Format:
    """One of them. suffix: of the file; zips: several tables come as a ZIP of files of this suffix."""

    suffix: str
    media_type: str
    write: Callable[[Path, Take, Tick], Counts]
    zips: bool = False

    def suffix_of(self, take: Take) -> str:
        """Return how the file of this form is called at its end."""
        return ".zip" if self.zips and len(take.sheets) > 1 else self.suffix

    def media_type_of(self, take: Take) -> str:
        """Return the media type of the file of this form."""
        return "application/zip" if self.suffix_of(take) == ".zip" else self.media_type


def each_row(take: Take, tick: Tick) -> Iterator[tuple[int, list[Any]]]:
    """Give (number of the sheet, row) of every record."""
    done = 0
    for done, record in enumerate(take.records(), 1):
        for place, sheet in enumerate(take.sheets):
            for row in sheet.rows(record):
                yield place, row
        if done % 200 == 0:
            tick(done)
    tick(done)


# --- CSV with what explains it


def write_package(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a ZIP: a CSV a sheet, `datapackage.json` and the codebook."""
    counts = [0] * len(take.sheets)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent)))
        parts = [folder / str(place) for place in range(len(take.sheets))]
        files = [stack.enter_context(part.open("w", encoding="utf-8", newline="")) for part in parts]
        for file, sheet in zip(files, take.sheets, strict=True):
            file.write((BOM if take.bom else "") + line_of(field.name for field in sheet.fields))
        writers = [csv.writer(file, lineterminator=LINE_END) for file in files]
        for place, row in each_row(take, tick):
            writers[place].writerow(row)
            counts[place] += 1
        for file in files:
            file.close()
        told = {sheet.name: count for sheet, count in zip(take.sheets, counts, strict=True)}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for sheet, part in zip(take.sheets, parts, strict=True):
                archive.write(part, f"{sheet.name}.csv")
            archive.writestr("codebook.csv", codebook_csv(take.book, take.bom))
            archive.writestr(
                "datapackage.json", datapackage(take.form_id, take.title, take.sheets, told, take.facts)
            )  # fmt: skip
    return told


def write_with_files(path: Path, take: Take, tick: Tick) -> Counts:
    """Write the same with the files that people sent, a folder a record; pictures are packed already."""
    counts = write_package(path, take, tick)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, pieces in take.files():
            with archive.open(name, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
    return counts


def codebook_csv(book: Iterable[Entry], bom: bool = True) -> str:
    """Return the codebook as CSV."""
    return (BOM if bom else "") + line_of(HEAD) + "".join(line_of(entry.line()) for entry in book)


# --- spreadsheets


def write_xlsx(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a workbook: a sheet a table, a further one when a table has more rows than a sheet takes; the codebook."""
    try:
        import xlsxwriter
    except ImportError:
        raise NotInstalledError("xlsx") from None
    widest = max(len(sheet.fields) for sheet in take.sheets)
    if widest > XLSX_COLUMNS:
        raise TooManyError("columns", widest, XLSX_COLUMNS)
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": str(path.parent),
        "nan_inf_to_errors": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(str(path), options) as workbook:
        names: list[str] = []
        pages = [_XlsxPages(workbook, sheet, names, take.cuts) for sheet in take.sheets]
        for place, row in each_row(take, tick):
            pages[place].add(row)
        book = workbook.add_worksheet(_sheet_name(BOOK, names))
        for number, line in enumerate([HEAD, *(entry.line() for entry in take.book)]):
            book.write_row(number, 0, [text[:XLSX_TEXT] for text in line])
    return {sheet.name: page.rows for sheet, page in zip(take.sheets, pages, strict=True)}


class _XlsxPages:
    """The worksheets of one table."""

    def __init__(self, workbook: Any, sheet: Sheet, names: list[str], cuts: list[int]) -> None:
        self._workbook, self._sheet, self._names, self._cuts = workbook, sheet, names, cuts
        self._days = {place for place, field in enumerate(sheet.fields) if field.kind == DATE}
        self._day_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.rows = 0
        self._begin()

    def _begin(self) -> None:
        self._page = self._workbook.add_worksheet(_sheet_name(self._sheet.name, self._names))
        self._page.write_row(0, 0, [field.name for field in self._sheet.fields])
        self._page.freeze_panes(1, 0)
        self._at = 1

    def add(self, row: list[Any]) -> None:
        """Write a row; texts that a cell cannot hold are cut, end in "…", and are counted."""
        if self._at == XLSX_ROWS:
            self._begin()
        page, at = self._page, self._at
        for place, value in enumerate(row):
            if value is None:
                continue
            day = day_of(value) if place in self._days else None
            if day is not None and day.year >= XLSX_FIRST_YEAR:
                page.write_datetime(at, place, day, self._day_format)
            elif isinstance(value, str):
                page.write_string(at, place, self._cell_text(value))
            elif isinstance(value, int) and abs(value) >= XLSX_WHOLE:
                page.write_string(at, place, str(value))
            else:
                page.write_number(at, place, value)
        self._at += 1
        self.rows += 1

    def _cell_text(self, text: str) -> str:
        """Return a text as a cell holds it: its lines end in one mark, as Excel's own do."""
        plain = text.replace("\r\n", "\n") if "\r" in text else text
        if len(plain) <= XLSX_TEXT:
            return plain
        self._cuts.append(len(plain))
        return plain[: XLSX_TEXT - 1] + "…"


def _sheet_name(name: str, names: list[str]) -> str:
    """Return a name that Excel takes: 31 letters at most, none of []:*?/\\, unique."""
    plain = "".join("_" if mark in "[]:*?/\\'" else mark for mark in name)[:31] or "hoja"
    candidate, number = plain, 1
    while candidate.lower() in {each.lower() for each in names}:
        number += 1
        candidate = f"{plain[:28]}~{number}"
    names.append(candidate)
    return candidate


# --- JSON


def write_jsonl(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a record a line: what this node knows of it and the record as it was made."""
    done = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for done, line in enumerate(take.lines(), 1):
            file.write(line)
            if done % 200 == 0:
                tick(done)
    tick(done)
    return {take.sheets[0].name: done}


def write_geojson(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a Feature a record at its first geopoint, trace or shape outside of repeats; without one, no place."""
    sheet = take.sheets[0]
    columns = {field.column.key: field.column for field in sheet.fields if field.column is not None}
    places = [column for column in columns.values() if column.question.type in PLACES]
    names = [field.name for field in sheet.fields]
    done = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for done, record in enumerate(take.records(), 1):
            row = dict(zip(names, next(sheet.rows(record)), strict=True))
            answers = answers_of(record.content)
            found = (_geometry(text_at(answers, column.key), column.question.type) for column in places)
            feature = {
                "type": "Feature",
                "id": row["KEY"],
                "geometry": next((each for each in found if each), None),
                "properties": {name: value for name, value in row.items() if value is not None},
            }
            file.write((",\n" if done > 1 else "\n") + json.dumps(feature, ensure_ascii=False))
            if done % 200 == 0:
                tick(done)
        file.write("\n]}\n")
    tick(done)
    return {sheet.name: done}


def _geometry(text: str, kind: str) -> dict[str, Any] | None:
    """Return a place as GeoJSON: longitude before latitude; None for what is no place."""
    points = [found for part in text.split(";") if (found := _position(part))]
    if not points:
        return None
    if kind == "geopoint":
        return {"type": "Point", "coordinates": points[0]}
    if kind == "geotrace" and len(points) > 1:
        return {"type": "LineString", "coordinates": points}
    if kind == "geoshape" and len(points) > 3 and points[0] == points[-1]:
        return {"type": "Polygon", "coordinates": [points]}
    return None


def _position(text: str) -> list[float] | None:
    try:
        latitude, longitude, *height = (float(part) for part in text.split()[:3])
    except ValueError:
        return None
    return [longitude, latitude, *height] if abs(latitude) <= 90 and abs(longitude) <= 180 else None


# --- databases


def write_sqlite(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a SQLite file: a table a sheet with its keys, and the table `codebook`."""
    counts = [0] * len(take.sheets)
    widest = max(len(sheet.fields) for sheet in take.sheets)
    if widest > SQLITE_COLUMNS:
        raise TooManyError("columns", widest, SQLITE_COLUMNS)
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for sheet in take.sheets:
            database.execute(_create(sheet))
        inserts = [
            f"INSERT INTO {_quoted(sheet.name)} VALUES ({', '.join('?' * len(sheet.fields))})"  # noqa: S608  quoted
            for sheet in take.sheets
        ]
        waiting: list[list[list[Any]]] = [[] for _ in take.sheets]
        for place, row in each_row(take, tick):
            waiting[place].append(row)
            counts[place] += 1
            if len(waiting[place]) >= CHUNK_ROWS:
                database.executemany(inserts[place], waiting[place])
                waiting[place].clear()
        for insert, rows in zip(inserts, waiting, strict=True):
            database.executemany(insert, rows)
        database.execute(f"CREATE TABLE codebook ({', '.join(f'{name} TEXT' for name in HEAD)})")
        marks = ", ".join("?" * len(HEAD))
        database.executemany(f"INSERT INTO codebook VALUES ({marks})", [entry.line() for entry in take.book])  # noqa: S608
        database.execute("COMMIT")
    finally:
        database.close()
    return {sheet.name: count for sheet, count in zip(take.sheets, counts, strict=True)}


def _create(sheet: Sheet) -> str:
    columns = [
        f"{_quoted(each.name)} {each.type}{' PRIMARY KEY' if each.name == 'KEY' else ''}" for each in sheet.fields
    ]  # fmt: skip
    if sheet.steps:
        columns.append(f"FOREIGN KEY (PARENT_KEY) REFERENCES {_quoted(sheet.parent)} (KEY)")
    return f"CREATE TABLE {_quoted(sheet.name)} ({', '.join(columns)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
