"""What `read_xform` says about a path of the XForm -> what it means in the author's sheet: row, column, cell.

Pure. A bind knows neither rows nor headers; the outline of the sheets does. Carets under an expression of the XForm
(` /data/grupo/edad `) are set anew under the author's own text (`${edad}`).
"""

import re
from dataclasses import replace

from collector.forms.report import Finding, FormProblem, known_severity
from collector.forms.sheets import Outline, SheetRow, Sheets, Table

COLUMN_OF = {"readonly": "read_only", "calculate": "calculation"}  # property of the XForm -> our column, if other
CARET = re.compile(r" *\^ *")
PATH = re.compile(r"/[\w\-]+(?:\.[\w\-]+)*(?:/[\w\-]+(?:\.[\w\-]+)*)+")


def place_problem(problem: FormProblem, sheets: Sheets, walked: Outline) -> Finding:
    """Return `problem` as a finding. sheets: as the author wrote them; walked: the outline that was converted."""
    if problem.property == "settings":
        return _at_settings(problem, sheets)
    if problem.path.endswith("/instanceName"):
        return _at_setting(problem, sheets)
    problem = _at_author(problem, walked)
    found = walked.row_at(problem.path) if problem.path else _row_with(problem.text, sheets)
    table = sheets.table("survey")
    row = next((row for row in table.rows if found and row.row == found.row), None)  # the cells before mending
    if row is None:
        return _finding(problem, "survey", None, "", problem.text)
    header = _header(table, row, problem)
    return _finding(problem, "survey", row.row, header, row.cells.get(header, ""))


def _at_settings(problem: FormProblem, sheets: Sheets) -> Finding:
    """Return a problem of the form as a whole, at the setting whose value it names, if it names one."""
    for row in sheets.settings[:1] if problem.text else []:
        for header, cell in row.cells.items():
            if cell == problem.text:
                return _finding(problem, "settings", row.row, header, cell)
    return _finding(problem, "settings", None, "", "")


def _at_author(problem: FormProblem, walked: Outline) -> FormProblem:
    """Return a problem of a node that was made for a row, at that row: a repeat's count, what `or_other` asks."""
    path = problem.path
    if walked.has(path):
        return problem
    if path.endswith("_count") and walked.has(path.removesuffix("_count")):
        return replace(problem, path=path.removesuffix("_count"), property="repeat_count")
    if path.endswith("_other") and walked.has(path.removesuffix("_other")):
        return replace(problem, path=path.removesuffix("_other"), property="type")
    return problem


def _at_setting(problem: FormProblem, sheets: Sheets) -> Finding:
    """Return a problem of the record's name, which pyxform makes a node of, at its setting."""
    table = sheets.table("settings")
    header = table.header("instance_name")
    row = table.rows[0] if table.rows else None
    return _finding(problem, "settings", row.row if row else None, header, row.cells.get(header, "") if row else "")


def _row_with(text: str, sheets: Sheets) -> SheetRow | None:
    """Return the first survey row with a cell that says `text`: for problems that come without a path."""
    wanted = " ".join(text.split())
    rows = (row for row in sheets.survey if wanted and wanted in {" ".join(c.split()) for c in row.cells.values()})
    return next(rows, None)


def _header(table: Table, row: SheetRow, problem: FormProblem) -> str:
    """Return the header meant: of several languages the one whose cell has a reference, else the first filled."""
    name = COLUMN_OF.get(problem.property, problem.property)
    with_reference = [column.header for column, cell in table.filled(row, name) if "${" in cell]
    return with_reference[0] if with_reference else table.header(name, row)


def _finding(problem: FormProblem, sheet: str, row: int | None, column: str, cell: str) -> Finding:
    return Finding(
        known_severity(problem.severity),
        sheet,
        row,
        column,
        cell,
        authored(problem.message),
        authored(problem.hint),
        authored(problem.message_en),
        authored(problem.hint_en),
        problem.code,
    )


def authored(message: str) -> str:
    """Return `message` with paths as ${name}, and a caret line kept under the same place of the expression."""
    lines = message.splitlines()
    if len(lines) < 3 or not CARET.fullmatch(lines[-1]):
        return _with_names(message)
    expression = lines[-2]
    shown, column = _expression(expression, lines[-1].index("^"))
    return "\n".join([*map(_with_names, lines[:-2]), shown, " " * column + "^"])


def _with_names(text: str) -> str:
    return PATH.sub(lambda match: _reference(match[0]), text)


def _reference(path: str) -> str:
    return f"${{{path.strip().rpartition('/')[2]}}}"


def _expression(text: str, position: int) -> tuple[str, int]:
    """Return the expression as its author wrote it, and where `position` is in it.

    pyxform puts a blank on each side of a path; those go with it.
    """
    shown, moved, end = "", position, 0
    for match in re.finditer(f" ?{PATH.pattern} ?", text):
        shown += text[end : match.start()] + _reference(match[0])
        end = match.end()
        if match.start() < position:
            moved = len(shown) + position - end if position >= end else len(shown) - len(_reference(match[0]))
    shown += text[end:]
    blanks = len(shown) - len(shown.lstrip())
    return shown.strip(), max(moved - blanks, 0)
