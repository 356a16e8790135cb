"""Sheets -> XForm by pyxform, the field's own converter, and its messages as findings.

Pure, but slow and able to hang on a strange form: called in the publishing worker only. `preparing` makes what pyxform
is given, and knows which row of the spreadsheet its messages are about.
"""

import re
from dataclasses import dataclass, replace

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from collector.forms.preparing import Prepared, prepare
from collector.forms.report import Finding, known_severity
from collector.forms.sentences import say
from collector.forms.sheets import SheetRow, Sheets, Table
from collector.forms.support import LIST_FILES

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
    (re.compile(r"Use the max-pixels parameter"), None),
    (re.compile(r"is no longer supported on most devices"), None),
    (re.compile(r"Repeat has no label"), None),
    (re.compile(r"Could not find the name '(?P<name>[^']+)'"), "reference_unknown"),
    (re.compile(r"no survey element named '(?P<name>[^']+)'"), "reference_unknown"),
    (re.compile(r"List name not in choices sheet: (?P<list_name>\S+)"), "list_unknown"),
    (re.compile(r"Reference variables must start"), "reference_bad"),
    (re.compile(r"Names must begin with a letter"), "name_bad"),
    (re.compile(r"Missing calculation"), "calculation_missing"),
    (re.compile(r"Column headers must not be empty and must not contain spaces"), "choice_header"),
    (re.compile(r"do not contain valid machine-readable codes: (?P<names>[^.]+)"), "language_code"),
    (re.compile(r"instance id will be generated .*Instance name: '(?P<name>[^']+)'", re.S), "list_two_sources"),
    (re.compile(r"Instance names must be unique within a form\. The name '(?P<name>[^']+)'"), "list_two_sources"),
    (
        re.compile(
            r"'parameters' value|[Pp]arameters? |value must be a number or a reference|randomize must be|quality\."
        ),
        "parameters_bad",
    ),
    (re.compile(r"looking for a sheet named '(?P<name>\w+)'.*found: (?P<candidates>.+?)\."), "sheet_misspelt"),
)
COLUMN_OF = {
    "list_unknown": "type", "name_bad": "name", "calculation_missing": "calculation", "parameters_bad": "parameters",
}  # fmt: skip
WORDS = re.compile(r"'([^']{2,80})'")  # what a message without a place speaks of
PARAMETER = re.compile(r"\b(randomize|seed|max-pixels|quality|rows|track-changes\S*|identify-user|location-[a-z-]+)\b")


@dataclass(frozen=True)
class Converted:
    """What pyxform gave: the XForm with warnings, or the one error it stopped at."""

    xform: str
    warnings: list[Finding]
    error: Finding | None = None


def convert_sheets(sheets: Sheets, form_id: str, version: str) -> Converted:
    """Convert `sheets` under this id and version, "" for none."""
    prepared = prepare(sheets, form_id, version)
    warnings: list[str] = []
    try:
        xform = convert(prepared.workbook, warnings=warnings, validate=False).xform
    except PyXFormError as error:
        return Converted("", [], gate_finding(_with_true_row(str(error), prepared), sheets, "error"))
    except Exception as error:  # pyxform ends in bare TypeErrors and KeyErrors on odd headers
        detail = f"{type(error).__name__}: {error}"[:200]
        return Converted("", [], say("gate_crashed", detail=detail))
    said = [gate_finding(_with_true_row(text, prepared), sheets, "warning") for text in warnings if not _is_ours(text)]
    return Converted(xform, said)


def _with_true_row(message: str, prepared: Prepared) -> str:
    """Return a message with the row numbers that the author sees, where it is about the survey."""
    sheet = SHEET.search(message)
    if sheet is not None and sheet[1] != "survey":
        return message
    return PLACE.sub(lambda match: f"[row : {prepared.row_of(int(match[1]))}] ", message)


def _is_ours(text: str) -> bool:
    return any(code is None and pattern.search(text) for pattern, code in KNOWN)


def gate_finding(message: str, sheets: Sheets, severity: str) -> Finding:
    """Return what pyxform says as a finding, in our words where the kind is known."""
    row, sheet, column = _place(message)
    match, code = _kind(message)
    if row is None and severity == "error":
        row, column = _spoken_of(message, sheets.table("survey"), column)
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


def _spoken_of(message: str, table: Table, column: str) -> tuple[int | None, str]:
    """Return row and header of the cell that a message without a place quotes, else of one with its parameter."""
    for word in WORDS.findall(message):
        for row in table.rows:
            header = next((header for header, cell in row.cells.items() if _speaks_of(cell, word)), "")
            if header:
                return row.row, header
    named = set(PARAMETER.findall(message))
    row_with = (row for row in table.rows if any(name in table.text(row, "parameters") for name in named))
    found = next(row_with, None)
    return (found.row, table.header("parameters", found)) if found else (None, column)


def _speaks_of(cell: str, word: str) -> bool:
    """Say whether a cell is the word, has it among its words or names a file of that name."""
    words = re.split(r"[\s=,;]+", cell)
    return word in (cell, *words) or any(f"{word}{ending}" in words for ending in LIST_FILES)


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
