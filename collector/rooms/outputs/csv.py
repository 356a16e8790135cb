"""CSV that a spreadsheet opens with its accents and without running anything that somebody wrote."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from collector.lab.csv import BOM, FORMULA_MARKS


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = True) -> str:
    """Return a file: byte order mark, CRLF, the head, a line a row. What would run as a formula gets an apostrophe.

    Numbers are written as they are, below 0 too; None is an empty cell. bom: False for programs that take the
    mark for a letter of the first column.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return (BOM if bom else "") + buffer.getvalue()


def cell(value: object) -> str:
    """Return a value as it is written. Blanks before a sign do not save it: some spreadsheets trim them."""
    if value is None:
        return ""
    if isinstance(value, int | Decimal):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" \u00a0\n").startswith(FORMULA_MARKS) else text
