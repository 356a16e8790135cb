"""The publishing worker: reads one spreadsheet on standard input and says what it found, as lines of JSON.

Run by `collector.publishing` as `python -m collector.publishing_worker NAME SECONDS`, a process of its own, since a
file from outside may hang, crash or swell any reader. Each step writes its line at once: what was found before a crash
is kept.

    {"step": "sheets", "form_id", "version", "questions", "findings"}
    {"step": "gate", "findings"}          one a round: pyxform stops at its first error (see forms/mend.py)
    {"step": "form", "findings", "form", "xform", "version"}
    {"step": "done"}
"""

import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from collector.forms.gate import Converted, convert_sheets
from collector.forms.mend import drop_row, has_repeats, mend
from collector.forms.model import Form, form_to_json
from collector.forms.placing import place_problem
from collector.forms.readers import MAX_ROWS, UnreadableFile, read_sheets
from collector.forms.report import Finding, FormErrors, finding_to_json
from collector.forms.sentences import say
from collector.forms.sheets import Outline, Sheets, outline, setting
from collector.forms.survey_checks import ASKED, check_survey
from collector.forms.workbook_checks import (
    check_choices,
    check_columns,
    check_settings,
    check_shape,
    check_translations,
    form_id_of,
)
from collector.forms.xform import read_xform

MEMORY_BYTES = 1 << 30  # address space: the largest real form needs a fifth of it
MANY_ERRORS = 500  # so many are enough to begin with: pyxform is asked when they are corrected
ROUNDS = 30  # errors pyxform may add one by one
ROUNDS_SECONDS = 6.0  # and how long it may take: the rest shows up at the next try
ABOUT_REPEATS = ("indexed-repeat(", "position(", "count(", "sum(", "max(", "min(", "join(")
Emit = Callable[[dict[str, Any]], None]


def check(name: str, content: bytes, emit: Emit) -> None:
    """Take one file through all checks, telling `emit` after each step."""
    stem = name.rpartition(".")[0]
    sheets = _read(name, content, emit)
    if sheets is None:
        return
    walked = outline(sheets)
    unfit = list(check_shape(sheets))
    found = unfit + ([] if not sheets.survey else list(_check_sheets(sheets, walked, stem)))
    emit(
        {
            "step": "sheets",
            "form_id": form_id_of(sheets, stem),
            "version": setting(sheets, "version"),
            "questions": sum(node.type.kind in ASKED for node in walked.nodes),
            "findings": _as_json(found),
        }
    )
    errors = [finding for finding in found if finding.severity == "error"]
    if not unfit and len(errors) <= MANY_ERRORS:
        _convert(sheets, errors, form_id_of(sheets, stem), emit)


def _read(name: str, content: bytes, emit: Emit) -> Sheets | None:
    try:
        return read_sheets(name, content)
    except UnreadableFile as error:
        found = say(error.reason, detail=error.detail[:200], limit=MAX_ROWS)
    except Exception as error:  # a reader's own fault on a strange file is that file's fault too
        found = say("damaged", detail=f"{type(error).__name__}: {error}"[:200])
    emit({"step": "sheets", "findings": _as_json([found])})
    return None


def _check_sheets(sheets: Sheets, walked: Outline, stem: str) -> Iterator[Finding]:
    yield from check_settings(sheets, stem)
    yield from check_columns(sheets)
    yield from check_survey(sheets, walked)
    yield from check_choices(sheets, walked)
    yield from check_translations(sheets)


def _as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    return [finding_to_json(finding) for finding in findings]


def _convert(sheets: Sheets, errors: list[Finding], form_id: str, emit: Emit) -> None:
    """Convert; with errors, go on with a mended copy until everything pyxform minds has been said."""
    mended = mend(sheets, errors)
    places = {(error.sheet, error.row) for error in errors}
    until = time.monotonic() + ROUNDS_SECONDS
    for _ in range(ROUNDS):
        converted = convert_sheets(mended, form_id)
        error = converted.error
        said = [*converted.warnings, error] if error else converted.warnings
        emit({"step": "gate", "findings": _as_json([finding for finding in said if _is_news(finding, places)])})
        if error is None:
            _read_form(sheets, mended, converted, form_id, emit)
            return
        if error.row is None or time.monotonic() > until:
            return
        place = (error.sheet, error.row)
        mended = drop_row(mended, error.sheet, error.row) if place in places else mend(mended, [error])
        places.add(place)


def _is_news(finding: Finding, places: set[tuple[str, int | None]]) -> bool:
    """Say whether pyxform names a place not spoken of. Without a row it may tell of the mending, not of the form."""
    if finding.row is None:
        return finding.severity != "error" or not places
    return (finding.sheet, finding.row) not in places


def _read_form(sheets: Sheets, mended: Sheets, converted: Converted, form_id: str, emit: Emit) -> None:
    """Read the XForm into a Form; only a clean form's is handed on, of a mended one just its problems."""
    is_clean = mended == sheets
    version = setting(sheets, "version")
    if is_clean and not version:
        version = hashlib.sha256(converted.xform.encode()).hexdigest()[:10]
        converted = convert_sheets(sheets, form_id, version)
    found, form = _problems(sheets, mended, converted.xform)
    handed = {"form": form_to_json(form), "xform": converted.xform} if form and is_clean else {}
    emit({"step": "form", "findings": _as_json(found), "version": version, **handed})


def _problems(sheets: Sheets, mended: Sheets, xform: str) -> tuple[list[Finding], Form | None]:
    walked = outline(mended)
    try:
        return [], read_xform(xform)
    except FormErrors as errors:
        found = [place_problem(problem, sheets, walked) for problem in errors.problems]
        if mended != sheets:
            repeats = has_repeats(sheets)
            found = [finding for finding in found if not _is_of_mending(finding, repeats)]
        return found, None
    except Exception as error:  # our own reader's fault: said, with what it was, instead of a traceback
        detail = f"{type(error).__name__}: {error}"[:200]
        return [say("reader_crashed", detail=detail)], None


def _is_of_mending(finding: Finding, repeats: bool) -> bool:
    """Say whether a problem comes from the mended copy: no place, or an expression about a repeat that is no more."""
    return finding.row is None or (repeats and any(word in finding.cell for word in ABOUT_REPEATS))


def limit_resources(seconds: float) -> None:
    """Hold memory and processor time down where the system can: a worker whose parent died ends by itself too."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        processor = int(seconds) + 5
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))


def main() -> None:
    """Check the file named on the command line, its bytes on standard input."""
    limit_resources(float(sys.argv[2]))

    def emit(line: dict[str, Any]) -> None:
        sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()

    check(sys.argv[1], sys.stdin.buffer.read(), emit)
    emit({"step": "done"})


if __name__ == "__main__":
    main()
