"""What pyxform is given: the author's rows, in their places, with the little that has to be written for it.

Pure. `or_other` becomes a choice and a question here, in the language of the form: pyxform would write them in English,
and not at all where a form has translations. `k_shared` and `k_public` become attributes of the record: pyxform knows
no such settings; a column `privacy` becomes `bind::privacy`. Left out are columns for entities, which do not exist
here. A form_id or a version that cannot stand in an address is replaced; the report says so.
"""

from dataclasses import dataclass, replace

from collector.forms.readability import is_spanish
from collector.forms.sheets import Column, SheetRow, Sheets, Table, row_type
from collector.forms.support import LEAST_GROUPS, WARNED_COLUMNS, YES_COLUMNS, is_group, said_yes
from collector.forms.terms import TERM_SETTINGS

OTHER = "other"  # what is stored: pyxform's own name for it
PRIVACY_HEADER = "bind::privacy"
OTHER_CHOICE = {"es": "Otra respuesta", "en": "Other"}
OTHER_QUESTION = {"es": "Diga cuál.", "en": "Specify other."}


@dataclass(frozen=True)
class Prepared:
    """A workbook for pyxform. numbers: its row numbers of the survey, from 2 on -> those the author sees."""

    workbook: dict[str, object]
    numbers: tuple[int, ...]

    def row_of(self, number: int) -> int:
        """Return the author's number of the row that pyxform calls `number`."""
        return self.numbers[number - 2] if 2 <= number < len(self.numbers) + 2 else number


def prepare(sheets: Sheets, form_id: str, version: str) -> Prepared:
    """Return the sheets as pyxform's own readers would give them."""
    sheets = with_others(_with_privacy(_with_plain_yes(_without_columns(sheets))))
    settings, setting_headers = _settings(sheets, {"form_id": form_id, "version": version})
    headers = {sheet: list(sheets.headers.get(sheet, [])) for sheet in ("survey", "choices")}
    headers["settings"] = setting_headers
    survey = _spaced(sheets.survey)
    workbook: dict[str, object] = {
        "survey": [dict(row.cells) for row in survey],
        "choices": [dict(row.cells) for row in _spaced(sheets.choices)],
        "settings": [settings],
        **{f"{sheet}_header": [dict.fromkeys(names)] if names else [] for sheet, names in headers.items()},
        "sheet_names": list(sheets.names),
    }
    return Prepared(workbook, tuple(row.row for row in survey))


def _settings(sheets: Sheets, given: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings with what is given in place, and their headers."""
    cells = dict(sheets.settings[0].cells) if sheets.settings else {}
    table = sheets.table("settings")
    headers = sheets.headers.get("settings", [])
    for name, value in given.items():
        if value:
            further = [column.header for column in table.columns if column.name == name][1:]
            cells = {header: text for header, text in cells.items() if header not in further}
            headers = [header for header in headers if header not in further]
            cells[table.header(name)] = value
    cells = _with_terms(table, _with_groups(table, cells))
    headers = [header for header in headers if not _is_term(table, header)]
    return cells, list(dict.fromkeys([*(header for header in headers if not _is_group(table, header)), *cells]))


def _with_groups(table: Table, cells: dict[str, str]) -> dict[str, str]:
    """Return the cells with k_shared and k_public as what stands in the XForm: pyxform knows no such settings."""
    found = {header: text for header, text in cells.items() if not _is_group(table, header)}
    for name in LEAST_GROUPS:
        said = cells.get(table.header(name), "")
        if table.has(name) and is_group(name, said):
            found[f"attribute::{name}"] = said.strip()
    return found


def _with_terms(table: Table, cells: dict[str, str]) -> dict[str, str]:
    """Return the cells with the terms as what stands in the XForm, where every node that holds the form finds them."""
    found = {header: text for header, text in cells.items() if not _is_term(table, header)}
    said = {name: cells.get(table.header(name), "").strip() for name in TERM_SETTINGS if table.has(name)}
    return found | {f"attribute::{name}": text for name, text in said.items() if text}


def _is_term(table: Table, header: str) -> bool:
    return any(column.header == header and column.name in TERM_SETTINGS for column in table.columns)


def _is_group(table: Table, header: str) -> bool:
    return any(column.header == header and column.name in LEAST_GROUPS for column in table.columns)


def _spaced(rows: list[SheetRow]) -> list[SheetRow]:
    """Return the rows with a blank one where the spreadsheet has one; rows that were put in have a number too."""
    spaced: list[SheetRow] = []
    last = 1
    for row in rows:
        spaced += [SheetRow(number, {}) for number in range(last + 1, row.row)]
        spaced.append(row)
        last = max(last, row.row)
    return spaced


def _without_columns(sheets: Sheets) -> Sheets:
    dropped = {column.header for column in sheets.table("survey").columns if column.name in WARNED_COLUMNS}
    if not dropped:
        return sheets
    rows = [SheetRow(row.row, {k: v for k, v in row.cells.items() if k not in dropped}) for row in sheets.survey]
    kept = [header for header in sheets.headers["survey"] if header not in dropped]
    return replace(sheets, survey=rows, headers={**sheets.headers, "survey": kept})


def _with_privacy(sheets: Sheets) -> Sheets:
    """Return the sheets with the column `privacy` under the name that pyxform brings into the XForm."""
    table = sheets.table("survey")
    if not table.has("privacy") or table.header("privacy") == PRIVACY_HEADER:
        return sheets
    header = table.header("privacy")
    rows = [
        SheetRow(row.row, {PRIVACY_HEADER if name == header else name: cell for name, cell in row.cells.items()})
        for row in sheets.survey
    ]
    headers = [PRIVACY_HEADER if name == header else name for name in sheets.headers["survey"]]
    return replace(sheets, survey=rows, headers={**sheets.headers, "survey": headers})


def _with_plain_yes(sheets: Sheets) -> Sheets:
    """Return the sheets with "sí" and its like as pyxform knows it: it would take them for the name of a question."""
    table = sheets.table("survey")
    headers = [column.header for column in table.columns if column.name in YES_COLUMNS]
    if not any(said_yes(row.cells.get(header, "")) for row in sheets.survey for header in headers):
        return sheets
    return replace(sheets, survey=[_said_plainly(row, headers) for row in sheets.survey])


def _said_plainly(row: SheetRow, headers: list[str]) -> SheetRow:
    words = {header: said_yes(row.cells.get(header, "")) for header in headers}
    return SheetRow(row.row, row.cells | {header: word for header, word in words.items() if word})


# --- a choice that is not in the list


def with_others(sheets: Sheets) -> Sheets:
    """Return the sheets with each `or_other` written out: a choice `other`, and a question for it in the next row."""
    table = sheets.table("survey")
    wanted = [row for row in sheets.survey if row_type(table.text(row, "type")).has_other]
    if not wanted:
        return sheets
    lists = dict.fromkeys(row_type(table.text(row, "type")).list_name for row in wanted)
    survey: list[SheetRow] = []
    for row in sheets.survey:
        survey += _with_question(sheets, table, row) if row in wanted else [row]
    choices = [*sheets.choices, *_other_choices(sheets, list(lists))]
    relevant = table.header("relevant")
    headers = {**sheets.headers, "survey": list(dict.fromkeys([*sheets.headers["survey"], relevant]))}
    return replace(sheets, survey=survey, choices=choices, headers=headers)


def _with_question(sheets: Sheets, table: Table, row: SheetRow) -> list[SheetRow]:
    said = row_type(table.text(row, "type"))
    name = table.text(row, "name")
    asked = SheetRow(row.row, {**row.cells, table.header("type"): f"{said.word} {said.list_name}"})
    cells = {table.header("type"): "text", table.header("name"): f"{name}_other"}
    cells[table.header("relevant")] = f"selected(../{name}, '{OTHER}')"
    return [asked, SheetRow(row.row, cells | _labels(sheets, "survey", OTHER_QUESTION))]


def _other_choices(sheets: Sheets, lists: list[str]) -> list[SheetRow]:
    table = sheets.table("choices")
    held = {(table.text(row, "list_name"), table.text(row, "name")) for row in sheets.choices}
    last = sheets.choices[-1].row if sheets.choices else 1
    missing = [name for name in lists if (name, OTHER) not in held]
    labels = _labels(sheets, "choices", OTHER_CHOICE)
    return [
        SheetRow(last + number, {table.header("list_name"): name, table.header("name"): OTHER} | labels)
        for number, name in enumerate(missing, start=1)
    ]


def _labels(sheets: Sheets, sheet: str, words: dict[str, str]) -> dict[str, str]:
    """Return a label in each language of the sheet: in English where the form is not Spanish."""
    table = sheets.table(sheet)
    columns = [column for column in table.columns if column.name == "label"] or [Column("label", "label")]
    return {column.header: words[_language(sheets, column)] for column in columns}


def _language(sheets: Sheets, column: Column) -> str:
    """Return "es" or "en" for a label column: by its language, else by how the questions are written."""
    table = sheets.table("survey")
    said = " ".join(text for row in sheets.survey for _, text in table.filled(row, "label"))
    return "es" if is_spanish(column.language, said) else "en"
