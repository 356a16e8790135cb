"""Sheets -> XForm by pyxform, the field's own converter, and its messages as findings.

Pure, but slow and able to hang on a strange form: called in the publishing worker only. pyxform is given our rows, with
blank ones in their place, so that the row numbers in its messages are those of the spreadsheet.
"""

import re
from dataclasses import dataclass, replace

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from collector.forms.report import Finding, known_severity
from collector.forms.sentences import say
from collector.forms.sheets import SheetRow, Sheets

PLACE = re.compile(r"\[row : (\d+)\]\s*")
SHEET = re.compile(r"On the '(\w+)' sheet, (?:the '([^']+)' value(?: '([^']*)')? is (?:invalid|problematic)\. )?")
DIRECTION = re.compile(r"\s*Learn more: \S+")
# (pattern, code): what pyxform says -> our sentence; None = said better by our own checks, left out
KNOWN = (
    (re.compile(r"^Language '.*' is missing the", re.S), None),
    (re.compile(r"case-insensitive match"), None),
    (re.compile(r"Choices should have a label"), None),
    (re.compile(r"'disabled' column header"), None),
    (re.compile(r"Row without name, text, or label"), None),
    (re.compile(r"Could not find the name '(?P<name>[^']+)'"), "reference_unknown"),
    (re.compile(r"no survey element named '(?P<name>[^']+)'"), "reference_unknown"),
    (re.compile(r"List name not in choices sheet: (?P<list_name>\S+)"), "list_unknown"),
    (re.compile(r"Reference variables must start"), "reference_bad"),
    (re.compile(r"Names must begin with a letter"), "name_bad"),
    (re.compile(r"Missing calculation"), "calculation_missing"),
    (re.compile(r"Column headers must not be empty and must not contain spaces"), "choice_header"),
    (re.compile(r"do not contain valid machine-readable codes: (?P<names>[^.]+)"), "language_code"),
    (re.compile(r"looking for a sheet named '(?P<name>\w+)'.*found: (?P<candidates>.+?)\."), "sheet_misspelt"),
)
COLUMN_OF = {"list_unknown": "type", "name_bad": "name", "calculation_missing": "calculation"}


@dataclass(frozen=True)
class Converted:
    """What pyxform gave: the XForm with warnings, or the one error it stopped at."""

    xform: str
    warnings: list[Finding]
    error: Finding | None = None


def convert_sheets(sheets: Sheets, form_id: str, version: str = "") -> Converted:
    """Convert `sheets`. form_id: used where the settings give none; version: put into the settings if not ""."""
    warnings: list[str] = []
    try:
        xform = convert(_workbook(sheets, form_id, version), warnings=warnings, validate=False).xform
    except PyXFormError as error:
        return Converted("", [], gate_finding(str(error), sheets, "error"))
    except Exception as error:  # pyxform ends in bare TypeErrors and KeyErrors on odd headers
        detail = f"{type(error).__name__}: {error}"[:200]
        return Converted("", [], say("gate_crashed", detail=detail))
    said = [gate_finding(text, sheets, "warning") for text in warnings if not _is_ours(text)]
    return Converted(xform, said)


def _workbook(sheets: Sheets, form_id: str, version: str) -> dict[str, object]:
    """Return the sheets as pyxform's own readers would give them."""
    settings = [dict(row.cells) for row in sheets.settings[:1]] or [{}]
    headers = {sheet: list(sheets.headers.get(sheet, [])) for sheet in ("survey", "choices", "settings")}
    table = sheets.table("settings")
    appearance = sheets.table("survey").header("appearance")
    given = {"form_id": form_id, "version": version}
    for name, value in given.items():
        if value and not (sheets.settings and table.text(sheets.settings[0], name)):
            settings[0][table.header(name)] = value
            headers["settings"] = list(dict.fromkeys([*headers["settings"], table.header(name)]))
    return {
        "survey": [_as_list(row, appearance) for row in _spaced(sheets.survey)],
        "choices": [dict(row.cells) for row in _spaced(sheets.choices)],
        "settings": settings,
        **{f"{sheet}_header": [dict.fromkeys(names)] if names else [] for sheet, names in headers.items()},
        "sheet_names": list(sheets.names),
    }


def _as_list(row: SheetRow, appearance: str) -> dict[str, str]:
    """Return the cells, a table-list as the list it is shown as: pyxform would add questions of its own for it."""
    if "table-list" not in row.cells.get(appearance, ""):
        return dict(row.cells)
    return {**row.cells, appearance: row.cells[appearance].replace("table-list", "field-list")}


def _spaced(rows: list[SheetRow]) -> list[SheetRow]:
    """Return the rows from number 2 on with a blank one where the spreadsheet has one."""
    by_number = {row.row: row for row in rows}
    return [by_number.get(number, SheetRow(number, {})) for number in range(2, max(by_number, default=1) + 1)]


def _is_ours(text: str) -> bool:
    return any(code is None and pattern.search(text) for pattern, code in KNOWN)


def gate_finding(message: str, sheets: Sheets, severity: str) -> Finding:
    """Return what pyxform says as a finding, in our words where the kind is known."""
    row, sheet, column = _place(message)
    match, code = _kind(message)
    values = match.groupdict() if match else {}
    table = sheets.table(sheet)
    column = column or COLUMN_OF.get(code, "")
    sheet_row = next((each for each in table.rows if each.row == row), None)
    header = _header(sheets, sheet, column, sheet_row) if column else ""
    cell = sheet_row.cells.get(header, "") if sheet_row else ""
    detail = " ".join(DIRECTION.sub("", SHEET.sub("", PLACE.sub("", message))).split())
    name = table.text(sheet_row, "name") if sheet_row else ""
    extra = {
        "written": cell[:40],
        "detail": detail,
        "guess": "",
        "guess_en": "",
        "name": name,
        "example": "p1",
        **values,
    }
    sheet = sheet if row or column or code == "language_code" else ""
    found = say(code, sheet=sheet, row=row, column=header, cell=cell, **extra)
    return replace(found, severity=known_severity(severity)) if code.startswith("gate") else found


def _place(message: str) -> tuple[int | None, str, str]:
    row = PLACE.search(message)
    sheet = SHEET.search(message)
    return (int(row[1]) if row else None), (sheet[1] if sheet else "survey"), ((sheet[2] or "") if sheet else "")


def _kind(message: str) -> tuple[re.Match[str] | None, str]:
    for pattern, code in KNOWN:
        match = pattern.search(message)
        if match and code:
            return match, code
    return None, "gate"


def _header(sheets: Sheets, sheet: str, said: str, row: SheetRow | None) -> str:
    """Return the header as written for the column pyxform names in its own way ("calculate", "label", "jr:count")."""
    headers = sheets.headers.get(sheet, [])
    if said in headers:
        return said
    table = sheets.table(sheet)
    name = {"calculate": "calculation", "readonly": "read_only"}.get(said, said.partition("::")[0])
    return table.header(name, row)
