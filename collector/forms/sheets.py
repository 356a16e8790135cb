"""An XLSForm as its author sees it: sheets, rows with their numbers, columns with the names written there.

Pure. What this release asks and what it refuses stands first, as plain data; `survey_checks` reads it and
docs/publishing.md lists it. Below: sheets as rows, headers understood, types understood, and the index path -> row
that an XForm lacks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

# --- what can be asked now: type as written -> type of the Form
ANSWER_TYPES = {
    "text": "text", "string": "text", "integer": "integer", "int": "integer", "decimal": "decimal", "date": "date",
    "note": "note", "calculate": "calculate",
}  # fmt: skip
SELECT_TYPES = {
    "select_one": "select_one", "select one": "select_one", "select one from": "select_one", "select1": "select_one",
    "add select one prompt using": "select_one", "select_multiple": "select_multiple",
    "select all that apply": "select_multiple", "select all that apply from": "select_multiple",
    "add select multiple prompt using": "select_multiple",
}  # fmt: skip
CLOCK_TYPES = frozenset({"start", "end", "today"})  # filled by the device's clock
SILENT_TYPES = frozenset({"deviceid", "username", "phonenumber", "email", "audit"})  # accepted, left empty

# --- what arrives later: type -> what it is, in Spanish and English
LATER_TYPES = {
    "begin_repeat": ("un grupo que se repite", "a group that repeats"),
    "select_one_from_file": ("opciones desde un archivo", "choices from a file"),
    "select_multiple_from_file": ("opciones desde un archivo", "choices from a file"),
    "rank": ("ordenar opciones", "ranking of choices"),
    "range": ("una escala deslizante", "a sliding scale"),
    "time": ("una hora", "a time"),
    "datetime": ("una fecha con hora", "a date with time"),
    "hidden": ("un valor oculto", "a hidden value"),
    "acknowledge": ("una casilla de conformidad", "an acknowledgement"),
    "trigger": ("una casilla de conformidad", "an acknowledgement"),
    "geopoint": ("un punto en el mapa", "a point on the map"),
    "gps": ("un punto en el mapa", "a point on the map"),
    "location": ("un punto en el mapa", "a point on the map"),
    "geotrace": ("una línea en el mapa", "a line on the map"),
    "geoshape": ("un área en el mapa", "an area on the map"),
    "start-geopoint": ("un punto en el mapa", "a point on the map"),
    "background-geopoint": ("un punto en el mapa", "a point on the map"),
    "image": ("una foto", "a photo"),
    "photo": ("una foto", "a photo"),
    "audio": ("una grabación", "a sound recording"),
    "background-audio": ("una grabación", "a sound recording"),
    "video": ("un video", "a video"),
    "file": ("un archivo", "a file"),
    "barcode": ("un código de barras", "a barcode"),
    "csv-external": ("datos desde un archivo", "data from a file"),
    "xml-external": ("datos desde un archivo", "data from a file"),
    "simserial": ("el número de la tarjeta SIM", "the serial number of the SIM card"),
    "subscriberid": ("el número de abonado", "the subscriber number"),
    "imei": ("el número del aparato", "the number of the device"),
}
# --- what is not coming: type -> what to do instead
REFUSED_TYPES = {
    "osm": ("Use text y pida el lugar con palabras.", "Use text and ask for the place in words."),
    "select_one_external": ("Use select_one con choice_filter.", "Use select_one with choice_filter."),
    "begin_kobomatrix": ("Use una pregunta select_one por fila.", "Use one select_one question a row."),
    "begin_loop": ("Escriba las preguntas una por una.", "Write the questions one by one."),
    "begin_score": ("Use una pregunta select_one por fila.", "Use one select_one question a row."),
    "begin_rank": ("Use una pregunta select_one por puesto.", "Use one select_one question a place."),
    "caseid": ("Quite la fila: es propia de SurveyCTO.", "Remove the row: it is SurveyCTO's own."),
    "calculate_here": ("Use calculate.", "Use calculate."),
    "tel": ("Use text; piense si necesita el teléfono.", "Use text; think whether you need the telephone."),
    "text audit": ("Quite la fila: Collector guarda inicio y fin.", "Remove the row: Collector keeps start and end."),
    "audio audit": ("Quite la fila: no se graba a nadie.", "Remove the row: nobody is recorded."),
}
REFUSED_PREFIXES = ("db:", "sensor_", "speed violations", "wq:")

# --- columns: every name an author may write -> the one name used here
COLUMN_ALIASES = {
    "command": "type", "tag": "name", "value": "name", "caption": "label", "relevance": "relevant",
    "requiredmsg": "required_message", "jr:requiredmsg": "required_message",
    "constraining_message": "constraint_message", "jr:constraintmsg": "constraint_message",
    "calculate": "calculation", "readonly": "read_only", "count": "repeat_count", "jr:count": "repeat_count",
}  # fmt: skip
CHOICE_ALIASES = {"value": "name", "caption": "label"}
TEXT_COLUMNS = ("label", "hint", "required_message", "constraint_message")  # one column a language
EXPRESSION_COLUMNS = ("relevant", "required", "read_only", "constraint", "calculation", "choice_filter")
MEDIA_COLUMNS = frozenset({"image", "big-image", "audio", "video"})
SURVEY_COLUMNS = frozenset({"type", "name", "default", "appearance", "disabled", *TEXT_COLUMNS, *EXPRESSION_COLUMNS})
LATER_COLUMNS = {  # refused where a cell is filled: leaving them out would change what the form asks
    "repeat_count": ("cuántas veces se repite un grupo", "how often a group repeats"),
    "trigger": ("un valor que se llena al cambiar otra respuesta", "a value filled when another answer changes"),
    "parameters": ("parámetros de la pregunta", "parameters of the question"),
    "intent": ("abrir otra aplicación", "opening another application"),
    "query": ("opciones desde un archivo", "choices from a file"),
}
UNUSED_COLUMNS = frozenset({"guidance_hint", "save_to", "rows", "autoplay", *MEDIA_COLUMNS})
SETTINGS = frozenset(
    {"form_title", "form_id", "version", "default_language", "style", "name", "allow_choice_duplicates"}
)
UNUSED_SETTINGS = frozenset({"instance_name", "submission_url", "auto_send", "auto_delete", "namespaces"})
SETTING_ALIASES = {
    "id_string": "form_id", "set_form_id": "form_id", "set_form_title": "form_title", "title": "form_title",
}  # fmt: skip
APPEARANCES = frozenset({
    "field-list", "minimal", "multiline", "numbers", "horizontal", "horizontal-compact", "vertical", "compact", "quick",
    "quickcompact", "columns", "columns-pack", "likert", "label", "list", "list-nolabel", "year", "month-year",
    "no-calendar", "w1", "w2", "w3", "w4",
})  # fmt: skip
COLUMNS_APPEARANCE = re.compile(r"(?:columns|compact|quickcompact)-\d+")
REFUSED_APPEARANCES = ("search(", "ex:", "intent:", "printer:")
YES = frozenset({"yes", "true", "true()"})

SHEET_NAMES = ("survey", "choices", "settings", "entities", "external_choices", "osm")
CONTROL = re.compile(r"(begin|end)[\s_]+(group|repeat|loop|lgroup|looped group|kobomatrix|score|rank)(?:\s+(.+))?")
SELECT = re.compile(
    rf"({'|'.join(sorted(map(re.escape, SELECT_TYPES), key=len, reverse=True))})"
    r"(?:\s+(?!or_other$|or other$)(\S+))?(?:\s+(or specify other|or_other|or other|\S.*))?"
)


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
    aliases = {"settings": SETTING_ALIASES, "choices": CHOICE_ALIASES}.get(sheet, COLUMN_ALIASES)
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
    """A type cell understood. kind: one of ANSWER_TYPES' values, select_one, select_multiple, begin, end, or "".

    word: what is looked up in the support lists ("begin_repeat", "geopoint"); rest: what follows a select's list.
    """

    kind: str
    word: str
    list_name: str = ""
    rest: str = ""


def row_type(text: str) -> RowType:
    """Understand a type cell."""
    text = " ".join(text.split())
    if text in ANSWER_TYPES:
        return RowType(ANSWER_TYPES[text], text)
    control = CONTROL.fullmatch(text)
    if control:
        word = {"lgroup": "repeat", "looped group": "repeat"}.get(control[2], control[2])
        return RowType(control[1], f"{control[1]}_{word}")
    select = SELECT.fullmatch(text)
    if select:
        return RowType(SELECT_TYPES[select[1]], select[1], select[2] or "", select[3] or "")
    known = text in LATER_TYPES or text in REFUSED_TYPES or text in CLOCK_TYPES or text in SILENT_TYPES
    return RowType("", text if known or " " not in text else text.split()[0])


def is_disabled(table: Table, row: SheetRow) -> bool:
    """Say whether the author switched the row off (column `disabled`)."""
    return table.text(row, "disabled").lower() in YES


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
