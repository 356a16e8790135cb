"""CSV as ODK Central names it: a file of the records, one for each repeat, joined by PARENT_KEY and KEY. Row by row.

Beyond Central: a byte order mark and CRLF, so that Excel reads the accents (`bom=False` leaves the mark out); the
columns of every version; SET-OF-… where the rows of a repeat are linked (`sets=False` leaves it out); `extra`, five
columns of our own at the end; after those `places`, three a geopoint beside which places were chosen from the list.
Answers are written exactly as given; `safe` puts an apostrophe before texts that a spreadsheet would run as a formula.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.lab.listed import place_columns
from collector.lab.tables import FILES, Column, Table, answers_of, as_text, each_row, text_at

BOM = "\ufeff"
LINE_END = "\r\n"
INSTANCE_ID = "meta-instanceID"
TAIL = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected",
    "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
ROW_TAIL = ("PARENT_KEY", "KEY")
EXTRA = ("Started", "Finished", "Language", "State", "Flags")
REVIEWS = {"has_issues": "hasIssues"}  # ours -> ODK's, where they differ
POINT = ("Latitude", "Longitude", "Altitude", "Accuracy")
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
# types whose answers may begin with a sign and still be no formula
NUMERIC = ("integer", "decimal", "range", "geopoint")
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


@dataclass(frozen=True)
class Layout:
    """What the files hold. split: column name -> choice names that get a column of 0 and 1.

    places: names of the columns beside which some record keeps a place chosen from the list (listed.py).
    """

    table: Table
    split: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bom: bool = True
    extra: bool = False
    safe: bool = False
    sets: bool = True
    places: Collection[str] = ()


class CsvRecord(NamedTuple):
    """A record for the file: `content` is its body read, `submitted` when it came (ISO), `device` where it was born.

    files_here: names of the files whose bytes are on this node; review: as the record's column says it.
    """

    content: Mapping[str, Any]
    submitted: str
    device: str
    state: str = "usable"
    flags: str = ""
    files_here: frozenset[str] = frozenset()
    review: str = ""


def csv_lines(layout: Layout, records: Iterable[CsvRecord]) -> Iterator[str]:
    """Give the file of the records a piece at a time: the head, then a row a record. Holds one row in memory."""
    file, line = _RecordFile(layout), _liner()
    yield (BOM if layout.bom else "") + line(file.header())
    for record in records:
        yield line(file.row(record))


def row_lines(layout: Layout, table: Table, records: Iterable[CsvRecord]) -> Iterator[str]:
    """Give the file of a repeat a piece at a time: the head, then its rows in the order of their records."""
    file, line = RowFile(layout, table), _liner()
    yield (BOM if layout.bom else "") + line(file.header())
    for record in records:
        yield from map(line, file.rows(record))


def header(layout: Layout) -> list[str]:
    """Return the names of the columns of the records."""
    return _RecordFile(layout).header()


def split_choices(column: Column, values: Iterable[str]) -> list[str]:
    """Return the choices seen in the answers of a select_multiple, by code point: Central makes columns of these."""
    return sorted({name for value in values for name in value.split()}) if column.is_multiple else []


def file_names(form_id: str, table: Table) -> dict[tuple[str, ...], str]:
    """Return steps -> name of the file: "hogar.csv", "hogar-persona.csv", "hogar-persona~1.csv" for a second one."""
    found: dict[tuple[str, ...], str] = {}
    for each in table.walk():
        name = stem = file_stem("-".join(part for part in (form_id, each.key.rpartition("/")[2]) if part))
        number = 0
        while f"{name}.csv".lower() in {taken.lower() for taken in found.values()}:
            number += 1
            name = f"{stem}~{number}"
        found[each.steps] = f"{name}.csv"
    return found


def file_stem(name: str) -> str:
    """Return `name` without what file systems refuse or would read as a folder."""
    return _NOT_IN_FILE_NAMES.sub("_", name).strip(". ") or "form"


# gives some cells of a row: of its answers, and of its own key
Cells = Callable[[Mapping[str, Any], str], Iterable[str]]


class RowFile:
    """The file of a repeat."""

    def __init__(self, layout: Layout, table: Table) -> None:
        self._layout, self._table = layout, table
        self._cells = _cells_of(layout, table.parts)
        self._places = _place_names(layout, table)

    def header(self) -> list[str]:
        """Return the names of the columns."""
        return [*_names(self._layout, self._table.parts), *ROW_TAIL, *self._places]

    def rows(self, record: CsvRecord) -> list[list[str]]:
        """Return the cells of each row that a record has in the file."""
        found = []
        for parent, key, row in each_row(self._table.steps, answers_of(record.content), _record_key(record)):
            cells = [*_filled(self._cells, row, key), parent, key]
            found.append([*cells, *_place_cells(self._layout, self._places, row)] if self._places else cells)
        return found


class _RecordFile:
    """The file of the records. Central's order: what is asked, instanceID and what stands beside it, what was asked."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        kinds: tuple[list[Column | Table], ...] = ([], [], [])
        for part in layout.table.parts:
            kinds[_kind(part)].append(part)
        self._asked, self._rest = kinds[0], kinds[1] + kinds[2]
        self._cells, self._cells_of_rest = _cells_of(layout, self._asked), _cells_of(layout, self._rest)
        self._places = _place_names(layout, layout.table)
        tables = [(table.steps, _file_keys(table)) for table in layout.table.walk()]
        self._files = [(steps, keys) for steps, keys in tables if keys]

    def header(self) -> list[str]:
        """Return the names of the columns."""
        layout = self._layout
        names = ["SubmissionDate", *_names(layout, self._asked), INSTANCE_ID, *_names(layout, self._rest)]
        return [*names, *TAIL, *(EXTRA if layout.extra else ()), *self._places]

    def row(self, record: CsvRecord) -> list[str]:
        """Return the cells of a record."""
        layout, answers, key = self._layout, answers_of(record.content), _record_key(record)
        cells = [record.submitted, *_filled(self._cells, answers, key), key]
        cells += _filled(self._cells_of_rest, answers, key)
        tail = [key, *self._tail(record, answers), *(_extra(record) if layout.extra else ())]
        cells.extend(map(_disarmed, tail) if layout.safe else tail)
        return [*cells, *_place_cells(layout, self._places, answers)] if self._places else cells

    def _tail(self, record: CsvRecord, answers: Mapping[str, Any]) -> list[str]:
        named = [name for steps, keys in self._files for name in _files_named(steps, keys, answers)]
        here = sum(name in record.files_here for name in named)
        review = "hasIssues" if record.state == "contested" else REVIEWS.get(record.review, record.review)
        return ["", "", str(here), str(len(named)), "", review, record.device, "0", _text(record, "version")]


def _kind(part: Column | Table) -> int:
    """Return 0 for what is asked, 1 for what stands beside instanceID, 2 for what the newest version does not ask."""
    if isinstance(part, Table):
        return 0
    return 2 if part.is_removed else 1 if part.key.startswith("meta/") else 0


def _file_keys(table: Table) -> list[str]:
    return [column.key for column in table.columns if column.question.type in FILES]


def _files_named(steps: Sequence[str], keys: Sequence[str], answers: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for _, _, row in each_row(steps, answers)] if steps else [answers]
    return (name for row in rows for key in keys if (name := text_at(row, key)))


def _names(layout: Layout, parts: Iterable[Column | Table]) -> list[str]:
    names: list[str] = []
    for part in parts:
        if isinstance(part, Table):
            names.extend([f"SET-OF-{part.header}"] if layout.sets else [])
        elif part.question.type == "geopoint":
            names.extend(f"{part.header}-{name}" for name in POINT)
        else:
            names.append(part.header)
            names.extend(f"{part.header}/{choice}" for choice in layout.split.get(part.name, ()))
    return names


def _filled(cells: Iterable[Cells], row: Mapping[str, Any], key: str) -> list[str]:
    """Return the cells of a row; `key` is its own."""
    found: list[str] = []
    for some in cells:
        found += some(row, key)
    return found


def _cells_of(layout: Layout, parts: Iterable[Column | Table]) -> list[Cells]:
    """Return what gives the cells of these parts: decided once a file. Answers written as they are go in one go."""
    found: list[Cells] = []
    plain: list[str] = []
    for part in parts:
        special = _special(layout, part)
        if special is None and isinstance(part, Column):
            plain.append(part.key)
            continue
        found += [_plain(plain)] if plain else []
        found += [special] if special else []
        plain = []
    return [*found, _plain(plain)] if plain else found


def _plain(keys: Sequence[str]) -> Cells:
    # a glance at the type spares a call for nearly every cell
    return lambda row, _key: [text if type(text) is str else as_text(text) for text in map(row.get, keys)]


def _special(layout: Layout, part: Column | Table) -> Cells | None:
    """Return what gives the cells of a part that is no answer written as it is, None for one that is."""
    if isinstance(part, Table):
        name = part.key
        return (lambda _row, key: (f"{key}/{name}",)) if layout.sets else lambda _row, _key: ()
    if part.question.type == "geopoint":
        return _point(layout, part)
    choices = layout.split.get(part.name, ())
    return _split(layout, part, choices) if choices or layout.safe else None


def _point(layout: Layout, column: Column) -> Cells:
    def cells(row: Mapping[str, Any], _key: str) -> list[str]:
        # what cannot be read lands in the first columns as it is, as in Central
        parts = [*text_at(row, column.key).split(), *[""] * 4][:4]
        return [_guarded(column, each) for each in parts] if layout.safe else parts

    return cells


def _split(layout: Layout, column: Column, choices: Sequence[str]) -> Cells:
    def cells(row: Mapping[str, Any], _key: str) -> list[str]:
        text = text_at(row, column.key)
        chosen = text.split()
        own = _guarded(column, text) if layout.safe else text
        return [own, *("1" if choice in chosen else "0" for choice in choices)]

    return cells


def _place_names(layout: Layout, table: Table) -> list[str]:
    return [name for column in table.columns if column.name in layout.places for name in place_columns(column.key)]


def _place_cells(layout: Layout, names: Iterable[str], row: Mapping[str, Any]) -> Iterator[str]:
    texts = (text_at(row, name) for name in names)
    return map(_disarmed, texts) if layout.safe else texts


def _extra(record: CsvRecord) -> list[str]:
    return [*(_text(record, name) for name in ("started", "finished", "lang")), record.state, record.flags]


def _record_key(record: CsvRecord) -> str:
    return f"uuid:{_text(record, 'id')}"


def _text(record: CsvRecord, name: str) -> str:
    value = record.content.get(name)
    return value if isinstance(value, str) else ""


def _guarded(column: Column, text: str) -> str:
    """Keep a spreadsheet from running what somebody wrote, whatever its question asks for: nobody refused it."""
    if column.question.type in NUMERIC and _NUMBER.fullmatch(text):
        return text
    return _disarmed(text)


def _disarmed(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


class _Echo:
    """Gives back what a writer writes: csv.writer returns it."""

    def write(self, text: str) -> str:
        return text


_ECHO = _Echo()


def line_of(cells: Iterable[Any]) -> str:
    """Return cells as a line of a CSV file, its end too."""
    return _liner()(cells)


def _liner() -> Callable[[Iterable[Any]], str]:
    """Return what makes lines of cells, for one file: two threads must not share it."""
    return csv.writer(_ECHO, lineterminator=LINE_END).writerow  # it returns what _Echo gives back
