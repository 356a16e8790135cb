"""Reads a guide of rooms on standard input and says what it found, as one line of JSON; a process of its own.

Run by `collector.publish.guides` as `python -m collector.publish.guide_worker SECONDS`, with the task that
`publishing.task_of` makes. A spreadsheet from outside may hang, crash or swell any reader.

    {"guide": {...} or null, "findings": [...]}
"""

import json
import sys
from typing import Any

from collector.forms.readers import MAX_ROWS, UnreadableFile, read_sheets
from collector.forms.report import Finding, finding_to_json
from collector.forms.sentences import say
from collector.forms.sheets import Sheets
from collector.publish.worker import limit_resources, read_task
from collector.rooms.guide import Guide, guide_as_json
from collector.rooms.guide_sheet import read_guide
from collector.rooms.refusals import Refusal

MOST_FINDINGS = 100


def check(name: str, content: bytes) -> dict[str, Any]:
    """Read a guide; return what the worker's line says."""
    sheets, unreadable = _sheets(name, content)
    guide, refused = read_guide(sheets) if sheets else (None, [])
    found = unreadable + [finding_of(refusal) for refusal in refused]
    return _line(guide, found[:MOST_FINDINGS])


def _line(guide: Guide | None, found: list[Finding]) -> dict[str, Any]:
    return {"guide": guide_as_json(guide) if guide else None, "findings": [finding_to_json(each) for each in found]}


def _sheets(name: str, content: bytes) -> tuple[Sheets | None, list[Finding]]:
    try:
        return read_sheets(name, content), []
    except UnreadableFile as error:
        return None, [say(error.reason, detail=error.detail[:200], limit=MAX_ROWS)]
    except Exception as error:  # a reader's own fault on a strange file is that file's fault too
        return None, [say("damaged", detail=f"{type(error).__name__}: {error}"[:200])]


def finding_of(refusal: Refusal) -> Finding:
    """Return what is wrong as a line of the report: "3 (choices)" is row 3 of that sheet, a number alone of survey."""
    row, _, sheet = str(refusal.values.get("row", "")).partition(" (")
    value = str(refusal.values.get("value", "")).strip("«»")
    spanish, english = refusal.sentence("es"), refusal.sentence("en")
    return Finding(
        "error", sheet.rstrip(")") or "survey", int(row) if row.isdecimal() else None, "", value, spanish, "", english,
        "", refusal.code,
    )  # fmt: skip


def main() -> None:
    """Read the guide on standard input."""
    limit_resources(float(sys.argv[1]))
    name, content, _ = read_task(sys.stdin.buffer)
    sys.stdout.buffer.write(json.dumps(check(name, content), ensure_ascii=False).encode("utf-8", "replace") + b"\n")


if __name__ == "__main__":
    main()
