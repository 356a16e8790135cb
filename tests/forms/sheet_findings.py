"""Small forms written as Markdown, and what publishing finds in them, in this process."""

import hashlib
from collections.abc import Mapping
from typing import Any

from collector.forms.model import Form, form_from_json
from collector.forms.report import Finding, finding_from_json, order_findings
from collector.publish import worker as publishing_worker

SURVEY = ("type", "name", "label")
CHOICES = "| choices | | | |\n| | list_name | name | label |\n| | si_no | si | Sí |\n| | si_no | no | No |\n"
SETTINGS = "| settings | | |\n| | form_id | version |\n| | prueba | 2026112101 |\n"
GOOD = ("text", "idea", "¿Qué cambiaría?")
Row = tuple[str, ...]


def table(name: str, *rows: Row) -> str:
    """Write rows as one sheet of a Markdown form."""
    lines = [f"| {name} |", *(f"| | {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def choices(*rows: Row) -> str:
    """Write a choices sheet."""
    return table("choices", ("list_name", "name", "label"), *rows)


def steps(
    content: str | bytes, name: str = "prueba.md", files: Mapping[str, bytes] | None = None
) -> list[dict[str, Any]]:
    """Run the worker's work in this process."""
    said: list[dict[str, Any]] = []
    files = files or {}
    hashes = {file: hashlib.sha256(inside).hexdigest() for file, inside in files.items()}
    attached = publishing_worker.Attached(files, hashes)
    publishing_worker.check(name, content.encode() if isinstance(content, str) else content, said.append, attached)
    return said


def found_in(said: list[dict[str, Any]]) -> list[Finding]:
    """Return the findings of a run as the report orders them."""
    return list(order_findings(finding_from_json(each) for step in said for each in step.get("findings", [])))


def findings(
    *survey: Row,
    choices: str = CHOICES,
    settings: str = SETTINGS,
    extra: str = "",
    files: Mapping[str, bytes] | None = None,
) -> list[Finding]:
    """Return what is found in a form with these survey rows, the header first."""
    return found_in(steps(table("survey", *survey) + choices + settings + extra, files=files))


def form_of(
    *survey: Row, choices: str = CHOICES, settings: str = SETTINGS, files: Mapping[str, bytes] | None = None
) -> Form:
    """Return the Form of a spreadsheet that has no errors."""
    said = steps(table("survey", *survey) + choices + settings, files=files)
    assert "form" in said[-1], found_in(said)
    return form_from_json(said[-1]["form"])


def at(found: list[Finding], row: int | None, column: str, sheet: str = "survey") -> Finding:
    """Return the one finding at a place."""
    here = [finding for finding in found if (finding.sheet, finding.row, finding.column) == (sheet, row, column)]
    assert len(here) == 1, found
    return here[0]


def errors(found: list[Finding]) -> list[tuple[int | None, str]]:
    """Return row and column of the errors."""
    return [(finding.row, finding.column) for finding in found if finding.severity == "error"]


def codes(found: list[Finding], severity: str = "warning") -> list[tuple[str, int | None, str]]:
    """Return kind, row and column of the findings of one severity."""
    return [(finding.code, finding.row, finding.column) for finding in found if finding.severity == severity]
