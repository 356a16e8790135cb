"""The publishing worker: reads one form with its files on standard input and says what it found, as lines of JSON.

Run by `collector.publish.publishing` as `python -m collector.publish.worker SECONDS`, a process of its own, since a
file from outside may hang, crash or swell any reader. Standard input: a line of JSON {"name", "size", "files":
[{"name", "size", "sha256"}]}, then the bytes of the form and of each file one after the other (of pictures the first
ones). Each step writes its line at once: what was found before a crash is kept.

    {"step": "sheets", "form_id", "version", "questions", "findings", "needs"}    needs: names of the files it names
    {"step": "gate", "findings"}          one a round: pyxform stops at its first error (see forms/mend.py)
    {"step": "form", "findings", "form", "xform", "version", "files"}             files: name in the form -> attached
    {"step": "done"}
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from collector.forms.attachments import Need, check_attachments, matched, needs_of_sheets
from collector.forms.binds import bind_problems
from collector.forms.consent import with_consent
from collector.forms.consent_checks import check_consent, told_in_settings
from collector.forms.file_contents import text_of
from collector.forms.form_warnings import form_warnings, page_problems
from collector.forms.gate import Converted, convert_sheets
from collector.forms.list_columns import column_problems
from collector.forms.mend import drop_row, mend
from collector.forms.model import Form, form_to_json
from collector.forms.placing import place_problem
from collector.forms.readers import MAX_ROWS, UnreadableFile, read_sheets
from collector.forms.report import Finding, FormErrors, FormProblem, finding_to_json
from collector.forms.sentences import say
from collector.forms.sheets import Outline, Sheets, outline
from collector.forms.support import LIST_FILES
from collector.forms.survey_checks import ASKED, check_survey
from collector.forms.workbook_checks import (
    check_choices,
    check_columns,
    check_settings,
    check_shape,
    check_translations,
    form_id_of,
    version_of,
)
from collector.forms.xform import read_xform
from collector.forms.xform.digest import digest_of_parts
from collector.forms.xform_file import XFormFile, people_problems, place_in_xform, read_xform_file, with_version

MEMORY_BYTES = 1 << 30  # address space: the largest real form needs a fifth of it
MANY_ERRORS = 500  # so many are enough to begin with: pyxform is asked when they are corrected
ROUNDS = 30  # errors pyxform may add one by one
ROUNDS_SECONDS = 6.0  # and how long it may take: the rest shows up at the next try
ABOUT_REPEATS = ("indexed-repeat(", "position(", "count(", "sum(", "max(", "min(", "join(")
EMPTY_LISTS = {".csv": "", ".xml": "<root/>", ".geojson": '{"features": []}'}  # stands for a list that is missing
Emit = Callable[[dict[str, Any]], None]
Place = Callable[[FormProblem], Finding]


@dataclass(frozen=True)
class Attached:
    """The files that came with a form: name -> bytes (of pictures and sounds the first ones), name -> sha256."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


def check(name: str, content: bytes, emit: Emit, attached: Attached | None = None) -> None:
    """Take one form through all checks, telling `emit` after each step."""
    attached = attached or Attached()
    if name.lower().endswith(".xml"):
        _check_xform(name, content, attached, emit)
        return
    stem = name.rpartition(".")[0]
    sheets = _read(name, content, emit)
    if sheets is None:
        return
    whole = with_consent(sheets)
    walked = outline(whole)
    unfit = list(check_shape(sheets))
    needs = needs_of_sheets(whole, walked)
    found = unfit + ([] if not sheets.survey else list(_check_sheets(sheets, whole, walked, stem)))
    found += check_attachments(needs, attached.files)
    found = [told_in_settings(finding, sheets) for finding in found]
    emit(
        {
            "step": "sheets",
            "form_id": form_id_of(sheets, stem),
            "version": version_of(sheets),
            "questions": sum(node.type.kind in ASKED for node in walked.nodes),
            "findings": _as_json(found),
            "needs": [need.name for need in needs],
        }
    )
    errors = [finding for finding in found if finding.severity == "error"]
    if not unfit and len(errors) <= MANY_ERRORS:
        _convert(Checking(whole, sheets, form_id_of(sheets, stem), needs, attached, emit), errors)


@dataclass(frozen=True)
class Checking:
    """One spreadsheet on its way through pyxform and our reader. authored: the sheets without the rows of consent."""

    sheets: Sheets
    authored: Sheets
    form_id: str
    needs: list[Need]
    attached: Attached
    emit: Emit


def _read(name: str, content: bytes, emit: Emit) -> Sheets | None:
    try:
        return read_sheets(name, content)
    except UnreadableFile as error:
        found = say(error.reason, detail=error.detail[:200], limit=MAX_ROWS)
    except Exception as error:  # a reader's own fault on a strange file is that file's fault too
        found = say("damaged", detail=f"{type(error).__name__}: {error}"[:200])
    emit({"step": "sheets", "findings": _as_json([found])})
    return None


def _check_sheets(sheets: Sheets, whole: Sheets, walked: Outline, stem: str) -> Iterator[Finding]:
    """Give what is wrong in the sheets. whole: with the rows of consent, which others may refer to."""
    yield from check_settings(sheets, stem)
    yield from check_consent(sheets)
    yield from check_columns(sheets)
    yield from check_survey(whole, walked)
    yield from check_choices(sheets, walked)
    yield from check_translations(sheets, walked)


def _as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    return [finding_to_json(finding) for finding in findings]


# --- a spreadsheet


def _convert(checking: Checking, errors: list[Finding]) -> None:
    """Convert; with errors, go on with a mended copy until everything pyxform minds has been said."""
    mended = mend(checking.sheets, errors)
    is_clean = not errors
    places = {(error.sheet, error.row) for error in errors}
    until = time.monotonic() + ROUNDS_SECONDS
    for _ in range(ROUNDS):
        converted = convert_sheets(mended, checking.form_id, version_of(mended))
        error = converted.error
        said = [*converted.warnings, error] if error else converted.warnings
        news = [told_in_settings(finding, checking.authored) for finding in said if _is_news(finding, places)]
        checking.emit({"step": "gate", "findings": _as_json(news)})
        if error is None:
            _read_form(checking, mended, converted, is_clean)
            return
        if error.row is None or time.monotonic() > until:
            return
        is_clean, place = False, (error.sheet, error.row)
        mended = drop_row(mended, error.sheet, error.row) if place in places else mend(mended, [error])
        places.add(place)


def _is_news(finding: Finding, places: set[tuple[str, int | None]]) -> bool:
    """Say whether pyxform names a place not spoken of. Without a row it may tell of the mending, not of the form."""
    if finding.row is None:
        return finding.severity != "error" or not places
    return (finding.sheet, finding.row) not in places


def _read_form(checking: Checking, mended: Sheets, converted: Converted, is_clean: bool) -> None:
    """Read the XForm into a Form; only a clean form's is handed on, of a mended one just its problems."""
    version, xform = version_of(checking.sheets), converted.xform
    if is_clean and not version:
        version = content_version(xform, checking.needs, checking.attached)
        xform = with_version(xform, version)
    walked = outline(mended)

    def place(problem: FormProblem) -> Finding:
        return told_in_settings(place_problem(problem, checking.sheets, walked), checking.authored)

    found, form = _problems(xform, checking.needs, checking.attached, place)
    if not is_clean:
        found = [finding for finding in found if not _is_of_mending(finding, mended, checking.sheets)]
    checking.emit(_form_step(found, form if is_clean else None, xform, version, checking))


def _form_step(
    found: list[Finding], form: Form | None, xform: str, version: str, checking: "Checking | XFormChecking"
) -> dict[str, Any]:
    """Return the line of the last step; the form goes with it only if it is whole."""
    whole = {"form": form_to_json(form), "xform": xform} if form else {}
    files = matched(checking.needs, checking.attached.files)
    return {"step": "form", "findings": _as_json(found), "version": version, "files": files, **whole}


def content_version(xform: str, needs: list[Need], attached: Attached) -> str:
    """Return a version made of the content, the files included."""
    hashes = {name: attached.hashes[file] for name, file in matched(needs, attached.files).items()}
    return digest_of_parts(xform, hashes)[:10]


def _problems(xform: str, needs: list[Need], attached: Attached, place: Place) -> tuple[list[Finding], Form | None]:
    """Return what the reading of an XForm gives, and the Form if it has no errors of its own."""
    try:
        form = read_xform(xform, media=_media(needs, attached.files))
        found = [*page_problems(form), *bind_problems(xform, form), *column_problems(form), *form_warnings(form)]
    except FormErrors as errors:
        return [place(problem) for problem in errors.problems], None
    except Exception as error:  # our own reader's fault: said, with what it was, instead of a traceback
        detail = f"{type(error).__name__}: {error}"[:200]
        return [say("reader_crashed", detail=detail)], None
    return [place(problem) for problem in found], form


def _media(needs: list[Need], files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the texts of the lists that a form names; one that is missing or unreadable, and spoken of, is empty."""
    there = matched(needs, files)
    found: dict[str, str] = {}
    for need in needs:
        ending = next((each for each in LIST_FILES if need.name.lower().endswith(each)), "")
        if ending:
            with contextlib.suppress(UnicodeDecodeError):
                found[need.name] = text_of(files[there[need.name]]) if need.name in there else EMPTY_LISTS[ending]
            found.setdefault(need.name, EMPTY_LISTS[ending])
    return found


def _is_of_mending(finding: Finding, mended: Sheets, sheets: Sheets) -> bool:
    """Say whether a problem comes from the mended copy: no place, or about a repeat that is no more."""
    if finding.row is None:
        return finding.severity == "error"
    lost = _repeats(sheets) - _repeats(mended)
    return bool(lost) and any(word in finding.cell for word in ABOUT_REPEATS)


def _repeats(sheets: Sheets) -> set[int]:
    return {node.row.row for node in outline(sheets).nodes if node.type.word in ("begin_repeat", "begin_loop")}


# --- an XForm


@dataclass(frozen=True)
class XFormChecking:
    """One XForm on its way through our reader."""

    file: XFormFile
    needs: list[Need]
    attached: Attached


def _check_xform(name: str, content: bytes, attached: Attached, emit: Emit) -> None:
    """Check an XForm that comes as XML: no sheets, no pyxform."""
    file = read_xform_file(content)
    found = [*file.findings, *check_attachments(file.needs, attached.files)]
    emit({"step": "sheets", "findings": _as_json(found), "needs": [need.name for need in file.needs]})
    if not file.text:
        return
    checking = XFormChecking(file, file.needs, attached)

    def place(problem: FormProblem) -> Finding:
        return place_in_xform(problem, file)

    said, form = _problems(file.text, file.needs, attached, place)
    text, version = file.text, form.version if form else ""
    if form is not None:
        said += [place(problem) for problem in people_problems(form)]
        if not form.attributes.get(form.root, {}).get("version"):
            version = content_version(text, file.needs, attached)
            text = with_version(text, version)
            said.append(say("xform_version_missing", sheet="xform", column="version", version=version))
            form = read_xform(text, media=_media(file.needs, attached.files))
    is_clean = all(finding.severity != "error" for finding in found + said)
    emit({**_form_step(said, form if is_clean else None, text, version, checking), "form_id": form_id_in(form, name)})


def form_id_in(form: Form | None, name: str) -> str:
    """Return the id of a form that was read, else the file's name."""
    return form.form_id if form else name.rpartition(".")[0]


# --- the process


def limit_resources(seconds: float) -> None:
    """Hold memory and processor time down where the system can: a worker whose parent died ends by itself too."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        processor = int(seconds) + 5
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))


def read_task(stream: BinaryIO) -> tuple[str, bytes, Attached]:
    """Return what `publishing.task_of` wrote: the form's name, its bytes, its files."""
    header = json.loads(stream.readline())
    content = stream.read(header["size"])
    files = {each["name"]: stream.read(each["size"]) for each in header["files"]}
    return header["name"], content, Attached(files, {each["name"]: each["sha256"] for each in header["files"]})


def main() -> None:
    """Check the form on standard input."""
    limit_resources(float(sys.argv[1]))

    def emit(line: dict[str, Any]) -> None:
        sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()

    name, content, attached = read_task(sys.stdin.buffer)
    check(name, content, emit, attached)
    emit({"step": "done"})


if __name__ == "__main__":
    main()
