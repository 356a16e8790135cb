"""The one file that Collect's audits become in an ODK export. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from collector.lab.odk_csv import line

AUDIT_COLUMNS = (
    "event", "node", "start", "end", "latitude", "longitude", "accuracy", "old-value", "new-value", "user",
    "change-reason",
)  # fmt: skip

_CELL = re.compile(r'[^\S\n]*"([^"]*(?:""[^"]*)*)"[^\S\n]*(?=[,\n]|\Z)|([^,\n]*)')


def audit_lines(audits: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Give the audits of many submissions as one file; audits: (instanceID of the submission, its audit.csv).

    Nothing at all without audits: then there is no file. A column that Collect does not write stays empty, one that
    nobody knows is left out.
    """
    for number, (key, content) in enumerate(audits):
        if not number:
            yield line(["instance ID", *AUDIT_COLUMNS])
        for row in _rows(content):
            yield line([key, *(row.get(name, "") for name in AUDIT_COLUMNS)])


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    text = content.decode("utf-8-sig", "replace").replace("\0", "").replace("\r\n", "\n")
    rows = _read(text)
    header: Sequence[str] = next(rows, [])
    for row in rows:
        yield dict(zip(header, row, strict=False))


def _read(text: str) -> Iterator[list[str]]:
    """Give the rows of a CSV without empty lines. Blanks around a cell are none of it, unless they stand in quotes.

    A quote that does not close is a letter like any other: an audit is no reason to send no file at all.
    """
    row: list[str] = []
    at = 0
    while at < len(text):
        cell = _CELL.match(text, at)
        assert cell is not None  # any text is a cell, an empty one too
        quoted, plain = cell.groups()
        row.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        at = cell.end() + 1
        is_more = text[cell.end() : at] == ","
        if not is_more and (len(row) > 1 or row[0] or quoted is not None):
            yield row
        if not is_more:
            row = []
    if row:  # a comma stood last
        yield [*row, ""]
