"""An XLSForm as its author sees it: sheets, rows with their numbers, columns with the names written there.

Pure. Sheets as rows, headers understood, types understood, and the index path -> row that an XForm lacks. What of it
can be published stands in `support`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from collector.forms import support

SHEET_NAMES = ("survey", "choices", "settings", "entities", "external_choices", "osm")
CONTROL = re.compile(r"(begin|end)[\s_]+(group|repeat|loop|lgroup|looped group|kobomatrix|score|rank)(?:\s+(.+))?")
SELECT_KINDS = support.SELECT_TYPES | support.FILE_SELECT_TYPES
SELECT = re.compile(
    rf"({'|'.join(sorted(map(re.escape, SELECT_KINDS), key=len, reverse=True))})"
    r"(?:\s+(?!or_other$|or other$)(\S+))?(?:\s+(or specify other|or_other|or other|\S.*))?"
)
OR_OTHER = frozenset({"or specify other", "or_other", "or other"})


@dataclass(frozen=True)
class Column:
    """A header understood: `name` is ours ("relevant"), `language` as written ("Español (es)"), "" for none."""

    header: str
    name: str
    language: str = ""


@dataclass(frozen=True)
class SheetRow:
    """A row that is not blank. row: its number in the spreadsheet, where the header is 1; cells: header -> text."""

    row: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheets:
    """The sheets of a file. headers: sheet -> headers in order, as written, repeated ones too; names: every sheet."""

    survey: list[SheetRow] = field(default_factory=list)
    choices: list[SheetRow] = field(default_factory=list)
    settings: list[SheetRow] = field(default_factory=list)
    others: dict[str, list[SheetRow]] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def rows(self, sheet: str) -> list[SheetRow]:
        """Return the rows of `sheet`, [] where there is none."""
        mine = {"survey": self.survey, "choices": self.choices, "settings": self.settings}
        return mine.get(sheet, self.others.get(sheet, []))

    def table(self, sheet: str) -> "Table":
        """Return `sheet` with its headers understood."""
        return Table(sheet, self.rows(sheet), columns_of(self.headers.get(sheet, []), sheet))


@dataclass(frozen=True)
class Table:
    """A sheet that can be asked by our column names."""

    sheet: str
    rows: list[SheetRow]
    columns: list[Column]

    def text(self, row: SheetRow, name: str) -> str:
        """Return the cell of `row` under column `name`, the first filled one of its languages, "" for none."""
        return next((row.cells[c.header] for c in self.columns if c.name == name and row.cells.get(c.header)), "")

    def header(self, name: str, row: SheetRow | None = None) -> str:
        """Return the header of column `name` as written (the one filled in `row` if given); `name` if there is none."""
        mine = [column.header for column in self.columns if column.name == name]
        filled = [header for header in mine if row is not None and row.cells.get(header)]
        return (filled or mine or [name])[0]

    def has(self, name: str) -> bool:
        """Say whether there is such a column."""
        return any(column.name == name for column in self.columns)

    def filled(self, row: SheetRow, name: str) -> Iterator[tuple[Column, str]]:
        """Give each language's column of `name` with its cell, where it is filled."""
        for column in self.columns:
            if column.name == name and row.cells.get(column.header):
                yield column, row.cells[column.header]


def snake(text: str) -> str:
    """Return `text` in lower case, words joined by "_": how headers are compared."""
    return "_".join(text.split()).lower()


def columns_of(headers: list[str], sheet: str) -> list[Column]:
    """Understand each header: "label::Español (es)", "bind::relevant", "Relevance", "label:English" (old style)."""
    mark = "::" if any("::" in header for header in headers) else ":"
    known = {"settings": support.SETTING_ALIASES, "choices": support.CHOICE_ALIASES}
    aliases = known.get(sheet, support.COLUMN_ALIASES)
    return [_column(header, mark, aliases) for header in headers]


def _column(header: str, mark: str, aliases: Mapping[str, str]) -> Column:
    parts = [part.strip() for part in header.split("::" if "::" in header else mark)]
    if snake(parts[0]) in {"media", "bind", "body", "control"} and len(parts) > 1:
        parts = parts[1:]
    if parts[0] == "jr" and len(parts) > 1:  # "bind:jr:constraintMsg" of old single-colon forms
        parts = [f"jr:{parts[1]}", *parts[2:]]
    name = snake(parts[0])
    return Column(header, aliases.get(name, name), "::".join(parts[1:]))


@dataclass(frozen=True)
class RowType:
    """A type cell understood.

    kind: one of ANSWER_TYPES' or SELECT_TYPES' values; clock, place, silent, ignored, data; begin, end; "" for others.
    word: what is looked up in the support lists ("begin_repeat", "osm"); rest: what follows a select's list.
    """

    kind: str
    word: str
    list_name: str = ""
    rest: str = ""

    @property
    def is_from_file(self) -> bool:
        """Say whether the choices come from an attached file, which `list_name` names."""
        return self.word in support.FILE_SELECT_TYPES

    @property
    def has_other(self) -> bool:
        """Say whether people may name a choice that is not in the list."""
        return self.rest in OR_OTHER


def row_type(text: str) -> RowType:
    """Understand a type cell."""
    text = " ".join(text.split())
    control = CONTROL.fullmatch(text)
    if control:
        word = {"lgroup": "repeat", "looped group": "repeat"}.get(control[2], control[2])
        return RowType(control[1], f"{control[1]}_{word}")
    select = SELECT.fullmatch(text)
    if select:
        return RowType(SELECT_KINDS[select[1]], select[1], select[2] or "", select[3] or "")
    kind = _plain_kind(text)
    if kind:
        return RowType(kind, text)
    text = support.REFUSED_ALIASES.get(text, text)
    return RowType("", text if text in support.REFUSED_TYPES or " " not in text else text.split()[0])


def _plain_kind(text: str) -> str:
    """Return the kind of a type that is one word of the lists, "" for none."""
    special = (
        (support.CLOCK_TYPES, "clock"),
        (support.PLACE_TYPES, "place"),
        (support.SILENT_TYPES, "silent"),
        (support.IGNORED_TYPES, "ignored"),
        (support.DATA_TYPES, "data"),
    )
    if text in support.ANSWER_TYPES:
        return support.ANSWER_TYPES[text]
    found = next((kind for names, kind in special if text in names), "")
    return found or ("" if text in support.REFUSED_TYPES | support.REFUSED_ALIASES else support.old_kind(text))


def is_disabled(table: Table, row: SheetRow) -> bool:
    """Say whether the author switched the row off (column `disabled`)."""
    return table.text(row, "disabled").lower() in support.YES


@dataclass(frozen=True)
class Node:
    """A question or group of the survey sheet with its place. path: "/data/g/q"."""

    path: str
    row: SheetRow
    type: RowType
    name: str


@dataclass(frozen=True)
class Outline:
    """The survey by nesting. unmatched: rows whose begin or end has no partner."""

    nodes: list[Node]
    unmatched: list[SheetRow]

    def row_at(self, path: str) -> SheetRow | None:
        """Return the row that says `path`, else that of the nearest group above it, else None."""
        while path.count("/") > 1:
            if path in self._by_path:
                return self._by_path[path]
            path = path.rpartition("/")[0]
        return None

    def has(self, path: str) -> bool:
        """Say whether a row says exactly this path."""
        return path in self._by_path

    @cached_property
    def _by_path(self) -> dict[str, SheetRow]:
        return {node.path: node.row for node in reversed(self.nodes)}


def outline(sheets: Sheets) -> Outline:
    """Walk the survey sheet and give every row its path."""
    table = sheets.table("survey")
    open_rows: list[tuple[SheetRow, str, str]] = []  # row, word without begin_, name
    nodes: list[Node] = []
    unmatched: list[SheetRow] = []
    for row in active_rows(table):
        said = row_type(table.text(row, "type"))
        if said.kind == "end":
            if open_rows and open_rows[-1][1] == said.word[len("end_") :]:
                open_rows.pop()
            else:
                unmatched.append(row)
            continue
        name = table.text(row, "name") or (f"generated_note_name_{row.row}" if said.kind == "note" else "")
        above = "/".join([root_name(sheets), *(group for _, _, group in open_rows)])
        nodes.append(Node(f"/{above}/{name}", row, said, name))
        if said.kind == "begin":
            open_rows.append((row, said.word[len("begin_") :], name))
    return Outline(nodes, unmatched + [row for row, _, _ in open_rows])


def active_rows(table: Table) -> Iterator[SheetRow]:
    """Give the rows that say something: typed, not switched off."""
    return (row for row in table.rows if table.text(row, "type") and not is_disabled(table, row))


def setting(sheets: Sheets, name: str) -> str:
    """Return a setting, "" where it is not given."""
    table = sheets.table("settings")
    return table.text(table.rows[0], name) if table.rows else ""


def root_name(sheets: Sheets) -> str:
    """Return the name of the XForm's root: the setting `name`, else "data" as pyxform does."""
    return setting(sheets, "name") or "data"
