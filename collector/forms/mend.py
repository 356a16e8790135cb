"""Mend a refused form just enough that the next check can look at the rest of it.

pyxform stops at its first error, and expressions are checked only after pyxform. So that one report names everything,
each error's cell is replaced by something harmless in a copy, and checking goes on with the copy. The copy is never
published: a form with errors has no XForm.
"""

from dataclasses import replace

from collector.forms.report import Finding
from collector.forms.sheets import Column, SheetRow, Sheets, columns_of, row_type

HARMLESS = {"label": "…", "calculation": "''"}  # cells that may not be empty


def mend(sheets: Sheets, errors: list[Finding]) -> Sheets:
    """Return a copy of `sheets` without what the `errors` are about; `sheets` itself where there are none."""
    if not errors:
        return sheets
    for error in errors:
        if error.code.startswith("file"):
            continue  # about what is attached: the cell itself is well written
        columns = columns_of(sheets.headers.get(error.sheet, []), error.sheet)
        column = next((c for c in columns if c.header == error.column), Column(error.column, error.column))
        if error.row == 1:
            sheets = _without_column(sheets, error.sheet, error.column)
        elif error.row is not None:
            sheets = _with_row(sheets, error.sheet, error.row, column)
    return _balanced(sheets)


def drop_row(sheets: Sheets, sheet: str, number: int) -> Sheets:
    """Return a copy without one row, the last resort; of a group's begin or end the bare row stays."""
    rows = sheets.rows(sheet)
    row = next((row for row in rows if row.row == number), None)
    bare: list[SheetRow] = []
    if sheet == "survey" and row and row_type(sheets.table("survey").text(row, "type")).kind in ("begin", "end"):
        bare = [SheetRow(number, _only(sheets, row, "type", "name"))]
    return _with_rows(sheets, sheet, [new for row in rows for new in (bare if row.row == number else [row])])


def _with_rows(sheets: Sheets, sheet: str, rows: list[SheetRow]) -> Sheets:
    if sheet == "survey":
        return replace(sheets, survey=rows)
    if sheet == "choices":
        return replace(sheets, choices=rows)
    return replace(sheets, settings=rows) if sheet == "settings" else sheets


def _without_column(sheets: Sheets, sheet: str, header: str) -> Sheets:
    rows = [SheetRow(row.row, {k: v for k, v in row.cells.items() if k != header}) for row in sheets.rows(sheet)]
    headers = {**sheets.headers, sheet: [name for name in sheets.headers.get(sheet, []) if name != header]}
    return replace(_with_rows(sheets, sheet, rows), headers=headers)


def _with_row(sheets: Sheets, sheet: str, number: int, column: Column) -> Sheets:
    mended: list[SheetRow] = []
    for row in sheets.rows(sheet):
        new = _mended_row(sheets, sheet, row, column) if row.row == number else row
        mended += [new] if new else []
    return _with_rows(sheets, sheet, mended)


def _mended_row(sheets: Sheets, sheet: str, row: SheetRow, column: Column) -> SheetRow | None:
    table = sheets.table(sheet)
    if sheet == "survey" and column.name == "type":
        return _mended_type(sheets, row)
    if column.name == "name":
        return SheetRow(row.row, {**row.cells, table.header("name"): f"fila_{row.row}"})
    cells = {header: text for header, text in row.cells.items() if header != column.header}
    if sheet == "survey" and column.name in HARMLESS:
        cells[table.header(column.name)] = HARMLESS[column.name]
    return SheetRow(row.row, cells)


def _mended_type(sheets: Sheets, row: SheetRow) -> SheetRow | None:
    """Return the row as a plain text question, or as a plain group; None where it has no meaning left."""
    table = sheets.table("survey")
    said = row_type(table.text(row, "type"))
    if said.kind == "begin":
        return SheetRow(row.row, {**_only(sheets, row, "name", "label"), table.header("type"): "begin_group"})
    if not said.word or said.kind == "end":
        return None
    kept = _only(sheets, row, "name", "label", "relevant", "constraint", "required")
    label = {} if table.text(row, "label") else {table.header("label"): HARMLESS["label"]}
    return SheetRow(row.row, {**kept, **label, table.header("type"): "text"})


def _only(sheets: Sheets, row: SheetRow, *names: str) -> dict[str, str]:
    columns = sheets.table("survey").columns
    return {c.header: row.cells[c.header] for c in columns if c.name in names and c.header in row.cells}


def _balanced(sheets: Sheets) -> Sheets:
    """Close every group and repeat once, as what it now is; a begin without end is closed at the end."""
    table = sheets.table("survey")
    rows: list[SheetRow] = []
    opened: list[str] = []
    for row in sheets.survey:
        said = row_type(table.text(row, "type"))
        if said.kind == "end" and not opened:
            continue
        if said.kind == "begin":
            opened.append(said.word.replace("begin_", "end_"))
        rows.append(SheetRow(row.row, {**row.cells, table.header("type"): opened.pop()}) if said.kind == "end" else row)
    last = rows[-1].row if rows else 1
    rows += [SheetRow(last + n, {table.header("type"): word}) for n, word in enumerate(reversed(opened), start=1)]
    return replace(sheets, survey=rows)
