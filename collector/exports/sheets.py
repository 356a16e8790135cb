"""The tables of a form with their columns typed and labelled, and records as rows of them: what every format writes.

Names are ODK's, as in the CSV: `lugar-municipio`, `temas/agua` for a choice, `punto-Latitude`; KEY and PARENT_KEY tie
the rows of repeats to theirs. A value that is not of its column's type, and an answer that no version of the form asks
for, go as they were given to the column `_unread`.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Any

from collector.lab.csv import POINT, CsvRecord, file_stem
from collector.lab.listed import place_columns
from collector.lab.tables import (
    INTEGER,
    REAL,
    TEXT,
    Column,
    Table,
    answers_of,
    as_text,
    each_row,
    shown,
    text_at,
    typed,
)

UNREAD = "_unread"
BOOK = "codebook"  # the table that explains the others: no sheet is called so
DATE = "date"
RECORD_FIELDS = {
    "KEY": "El registro", "SubmissionDate": "Cuándo llegó (UTC)", "Started": "Cuándo empezó",
    "Finished": "Cuándo terminó", "Language": "Idioma",
    "FormVersion": "Versión del formulario", "DeviceID": "Equipo donde nació", "ReviewState": "Revisión",
    "Flags": "Avisos (JSON)",
}  # fmt: skip
ROW_FIELDS = {"KEY": "La fila", "PARENT_KEY": "La fila a la que pertenece"}
PLACE_LABELS = {"place_code": "código del lugar", "place_name": "lugar", "place_text": "lugar, en palabras"}
_SPACES = re.compile(r"\s+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Options:
    """How the files are written. language: of labels, as the form names it; labels: choices by their label.

    split: several choices also as a column of 0 and 1 each; hidden: full names of questions that are left out; places:
    those beside which some record keeps a place chosen from the list; unread: whether there is a column for what found
    none (never in a file to share: it may hold anything).
    """

    language: str = ""
    labels: bool = False
    split: bool = True
    hidden: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    unread: bool = True


@dataclass(frozen=True)
class Field:
    """A column of a file. type: INTEGER, REAL or TEXT; choices: value -> label, where it holds one choice.

    kind: DATE where every value is a day, "2026-11-20".
    """

    name: str
    type: str
    label: str
    choices: Mapping[str, str] = field(default_factory=dict)
    column: Column | None = None
    kind: str = ""


# gives the cells of one question out of a row of answers; notes what does not fit
Unread = dict[str, Any]
Cells = Callable[[Mapping[str, Any], Unread], list[Any]]


@dataclass(frozen=True)
class Sheet:
    """A table of a file. steps: of its repeat, () for the records.

    known: keys of the answers that have a column here, or are left out on purpose; inner: those of repeats;
    has_unread: the last column is the one for what found none.
    """

    name: str
    steps: tuple[str, ...]
    parent: str
    fields: tuple[Field, ...]
    cells: tuple[Cells, ...]
    known: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    has_unread: bool = True

    def rows(self, record: CsvRecord) -> Iterator[list[Any]]:
        """Give the rows of a record in this sheet: one of the record itself, any number of a repeat."""
        answers, key = answers_of(record.content), f"uuid:{record.content.get('id', '')}"
        if not self.steps:
            yield self._row(_about(record, key), answers)
            return
        for parent, own, row in each_row(self.steps, answers, key):
            yield self._row([own, parent], row)

    def _row(self, head: list[Any], answers: Mapping[str, Any]) -> list[Any]:
        unread: Unread = {}
        for cells in self.cells:
            head.extend(cells(answers, unread))
        if self.has_unread:
            for key in sorted(answers.keys() - self.known):
                if key not in self.inner or not _are_rows(answers[key]):
                    unread[key] = answers[key]
            head.append(json.dumps(unread, ensure_ascii=False) if unread else None)
        return head


def _are_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def sheets_of(form_id: str, table: Table, options: Options) -> list[Sheet]:
    """Return the sheets of a form, the records first. Names are those of the CSV files, unique whatever the case."""
    names: dict[tuple[str, ...], str] = {}
    found = []
    for each in table.walk():
        wanted = file_stem("-".join(part for part in (form_id, each.key.rpartition("/")[2]) if part))
        wanted = f"form_{wanted}" if wanted.lower().startswith("sqlite_") else wanted  # SQLite keeps those for itself
        names[each.steps] = _free(wanted, [*names.values(), BOOK])
        found.append(_sheet(each, names, options))
    return found


def _free(name: str, taken: Collection[str]) -> str:
    lower, candidate, number = {each.lower() for each in taken}, name, 0
    while candidate.lower() in lower:
        number += 1
        candidate = f"{name}~{number}"
    return candidate


def _sheet(table: Table, names: Mapping[tuple[str, ...], str], options: Options) -> Sheet:
    about = RECORD_FIELDS if not table.steps else ROW_FIELDS
    fields = [Field(name, TEXT, label) for name, label in about.items()]
    cells: list[Cells] = []
    shown_columns = [column for column in table.columns if column.name not in options.hidden]
    for is_plain, some in groupby(shown_columns, lambda column: _is_plain(column, options)):
        columns = list(some)
        questions = [_question(column, options) for column in columns]
        fields += [each for made, _ in questions for each in made]
        cells += [_plain(columns)] if is_plain else [cell for _, cell in questions]
    if options.unread:
        fields.append(Field(UNREAD, TEXT, "Lo que no es del tipo de su columna o no tiene una, tal como se dio (JSON)"))
    parent = names[table.steps[:-1]] if table.steps else ""
    known = {key for column in table.columns for key in (column.key, *place_columns(column.key))}
    inner = frozenset(each.key for each in table.inner)
    made = tuple(_unique(fields))
    return Sheet(names[table.steps], table.steps, parent, made, tuple(cells), frozenset(known), inner, options.unread)


def _unique(fields: Sequence[Field]) -> Iterator[Field]:
    """Give the fields, a name that another has with ~1: names are one in SQLite and SPSS when their lower case is."""
    taken: list[str] = []
    for each in fields:
        name = _free(each.name, taken)
        taken.append(name)
        yield replace(each, name=name)


def _about(record: CsvRecord, key: str) -> list[Any]:
    content = record.content
    said = [content.get(name) for name in ("started", "finished", "lang", "version")]
    texts = [text if isinstance(text, str) and text else None for text in said]
    return [key, record.submitted, *texts, record.device or None, record.review or None, record.flags or None]


def _question(column: Column, options: Options) -> tuple[list[Field], Cells]:
    label = column.label(options.language)
    if column.question.type == "geopoint":
        fields = [Field(f"{column.header}-{part}", REAL, f"{label} ({part})", column=column) for part in POINT]
        listed = place_columns(column.key) if column.name in options.places else []
        words = PLACE_LABELS.values() if listed else ()
        fields += [
            Field(name, TEXT, f"{label} ({word})", column=column) for name, word in zip(listed, words, strict=True)
        ]
        return fields, _point(column, listed)
    if column.type != TEXT:
        return [Field(column.header, column.type, label, column=column)], _number(column)
    if column.question.type == DATE:
        return [Field(column.header, TEXT, label, column=column, kind=DATE)], _date(column)
    choices = column.choice_labels(options.language) if column.question.type == "select_one" else {}
    own = Field(column.header, TEXT, label, {} if options.labels else choices, column)
    if not (column.is_multiple and options.split):
        return [own], _text(column, options)
    names = [choice.name for choice in column.choices]
    labels = column.choice_labels(options.language)
    fields = [
        Field(f"{column.header}/{name}", INTEGER, f"{label}: {labels.get(name, name)}", column=column) for name in names
    ]
    return [own, *fields], _several(column, names, options)


def _is_plain(column: Column, options: Options) -> bool:
    """Tell whether an answer is written as it was given, into one cell."""
    if column.question.type in ("geopoint", DATE) or column.type != TEXT:
        return False
    return not (column.is_multiple and options.split) and not (column.has_choices and options.labels)


def _plain(columns: Sequence[Column]) -> Cells:
    """Return what gives the cells of questions that stand side by side, in one go: most of a form is such."""
    keys = [column.key for column in columns]

    def cells(answers: Mapping[str, Any], _unread: Unread) -> list[Any]:
        return [(text if type(text) is str else as_text(text)) or None for text in map(answers.get, keys)]

    return cells


def _text(column: Column, options: Options) -> Cells:
    key, has_labels = column.key, options.labels and column.has_choices

    def cells(answers: Mapping[str, Any], _unread: Unread) -> list[Any]:
        text = text_at(answers, key)
        return [(shown(column, text, options.language) if has_labels else text) or None]

    return cells


def _date(column: Column) -> Cells:
    key, header = column.key, column.header

    def cells(answers: Mapping[str, Any], unread: Unread) -> list[Any]:
        text = text_at(answers, key)
        if text and day_of(text) is None:
            unread[header] = text
            return [None]
        return [text or None]

    return cells


def day_of(text: str) -> date | None:
    """Return the day that "2026-11-20" says, None for what is none."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _number(column: Column) -> Cells:
    key, kind, header = column.key, column.type, column.header

    def cells(answers: Mapping[str, Any], unread: Unread) -> list[Any]:
        value = typed(kind, text_at(answers, key))
        if isinstance(value, str):
            unread[header] = value
            return [None]
        return [value]

    return cells


def _several(column: Column, names: Sequence[str], options: Options) -> Cells:
    own = _text(column, options)
    key = column.key

    def cells(answers: Mapping[str, Any], unread: Unread) -> list[Any]:
        chosen = set(text_at(answers, key).split())
        return [*own(answers, unread), *(int(name in chosen) if chosen else None for name in names)]

    return cells


def _point(column: Column, listed: Sequence[str]) -> Cells:
    key, header = column.key, column.header

    def cells(answers: Mapping[str, Any], unread: Unread) -> list[Any]:
        text = text_at(answers, key)
        values = [typed(REAL, part) for part in [*text.split(), *[""] * 4][:4]]
        if any(isinstance(value, str) for value in values):
            unread[header] = text
            values = [None] * 4
        return [*values, *(text_at(answers, name) or None for name in listed)]

    return cells


def one_line(text: str, most: int) -> str:
    """Return a label as one line of at most `most` characters."""
    plain = _SPACES.sub(" ", text).strip()
    return plain if len(plain) <= most else plain[: most - 1] + "…"
