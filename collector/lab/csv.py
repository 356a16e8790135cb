"""CSV as ODK Central names it: SubmissionDate, the questions, meta-instanceID, KEY and what follows. Row by row.

Beyond Central: a byte order mark and CRLF, so that Excel reads the accents (`bom=False` leaves the mark out); the
columns of every version; `extra`, five columns of our own at the end. Answers are written exactly as given; `safe`
puts an apostrophe before texts that a spreadsheet would run as a formula.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.lab.tables import Column, answers_of

BOM = "\ufeff"
TAIL = (
    "meta-instanceID", "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected",
    "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
EXTRA = ("Started", "Finished", "Language", "State", "Flags")
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Layout:
    """What the file holds. split: column key -> choice names that get a column of 0 and 1."""

    columns: Sequence[Column]
    split: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bom: bool = True
    extra: bool = False
    safe: bool = False


@dataclass(frozen=True)
class CsvRecord:
    """A record for the file: `content` is its body read, `submitted` when it came (ISO), `device` where it was born."""

    content: Mapping[str, Any]
    submitted: str
    device: str
    state: str = "usable"
    flags: str = ""


def csv_lines(layout: Layout, records: Iterable[CsvRecord]) -> Iterator[str]:
    """Give the file a piece at a time: the head, then a row a record. Holds one row in memory."""
    yield (BOM if layout.bom else "") + _line(header(layout))
    for record in records:
        yield _line(_row(layout, record))


def header(layout: Layout) -> list[str]:
    """Return the names of the columns."""
    names = ["SubmissionDate"]
    for column in layout.columns:
        names.append(column.header)
        names.extend(f"{column.header}/{choice}" for choice in layout.split.get(column.key, ()))
    return [*names, *TAIL, *(EXTRA if layout.extra else ())]


def split_choices(column: Column, values: Iterable[str]) -> list[str]:
    """Return the choices seen in the answers of a select_multiple, by code point: Central makes columns of these."""
    return sorted({name for value in values for name in value.split()}) if column.is_multiple else []


def _row(layout: Layout, record: CsvRecord) -> list[str]:
    answers = answers_of(record.content)
    cells = [record.submitted]
    for column in layout.columns:
        text = answers.get(column.key, "")
        cells.append(_guarded(column, text) if layout.safe else text)
        chosen = text.split()
        cells.extend("1" if choice in chosen else "0" for choice in layout.split.get(column.key, ()))
    return [*cells, *_tail(record), *(_extra(record) if layout.extra else ())]


def _tail(record: CsvRecord) -> list[str]:
    key = f"uuid:{_text(record, 'id')}"
    review = "hasIssues" if record.state == "contested" else ""
    return [key, key, "", "", "0", "0", "", review, record.device, "0", _text(record, "version")]


def _extra(record: CsvRecord) -> list[str]:
    return [*(_text(record, name) for name in ("started", "finished", "lang")), record.state, record.flags]


def _text(record: CsvRecord, name: str) -> str:
    value = record.content.get(name)
    return value if isinstance(value, str) else ""


def _guarded(column: Column, text: str) -> str:
    """Keep a spreadsheet from running what a citizen wrote. Numbers, dates and choices are checked and stay."""
    return f"'{text}" if column.question.type in ("text", "calculate") and text.startswith(FORMULA_MARKS) else text


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
