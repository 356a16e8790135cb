"""From a spreadsheet to a form that can be published, or to a report of all that stands in the way.

    bytes -> the file itself (size, kind, what it unpacks to)          here, without opening it
          -> sheets, checks, pyxform, our reader of XForms             in a worker process with limits
          -> Checked: report, form, xform

Nothing a file does can reach the caller as an exception: a worker that hangs, dies or is killed leaves a finding.
"""

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from collector.forms.model import Form, form_from_json
from collector.forms.report import Finding, Report, finding_from_json, order_findings
from collector.forms.sentences import say

MEGABYTE = 1_000_000
MAX_BYTES = 20 * MEGABYTE
MAX_UNPACKED_BYTES = 100 * MEGABYTE  # the sheets of a 20 MB workbook without pictures are far below
MAX_PARTS = 2_000  # files inside an .xlsx
ENDINGS = ("xlsx", "xlsm", "xls", "md", "csv")
ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0"  # .xls, and any Office file under a password


@dataclass(frozen=True)
class Checked:
    """The outcome. form and xform are there only if the report has no errors."""

    report: Report
    form: Form | None
    xform: str


def check_path(path: Path, seconds: float = 20) -> Checked:
    """Check the file at `path`. Raises OSError where it cannot be read; a file over the limit is not read."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        return _refused(path.name, _too_big(size))
    return check_file(path.name, path.read_bytes(), seconds)


def check_file(name: str, content: bytes, seconds: float = 20) -> Checked:
    """Check a file by its name and bytes; a worker gets `seconds`. A folder in the name is not looked at."""
    name = _plain(name)
    problem = file_problem(name, content)
    if problem:
        return _refused(name, problem)
    written, failure = _run_worker(name, content, seconds)
    return put_together(name, written, failure, seconds)


def _plain(name: str) -> str:
    """Return the last part of a name as a browser may send it, short and without what no command line can carry."""
    last = name.replace("\\", "/").rpartition("/")[2].replace("\0", "")
    return last[-200:].encode("utf-8", "replace").decode("utf-8")


def _refused(name: str, problem: Finding) -> Checked:
    return Checked(Report(PurePosixPath(name).stem, "", (problem,), 0), None, "")


# --- the file itself


def file_problem(name: str, content: bytes) -> Finding | None:
    """Return why the file is not opened at all, None if it may be."""
    ending = name.rpartition(".")[2].lower()
    if len(content) > MAX_BYTES:
        return _too_big(len(content))
    if ending not in ENDINGS:
        return say("wrong_ending", name=name)
    if not content.strip():
        return say("empty_file")
    expected = {"xlsx": ZIP_START, "xlsm": ZIP_START, "xls": OLE_START}.get(ending, b"")
    is_binary = not expected and (content[:4] in (ZIP_START, OLE_START) or b"\0" in content[:4096])
    if is_binary or not content.startswith(expected):
        return say("not_this_kind", ending=f".{ending}")
    return _zip_problem(content) if expected == ZIP_START else None


def _too_big(size: int) -> Finding:
    return say("too_big", size=round(size / MEGABYTE, 1), limit=MAX_BYTES // MEGABYTE)


def _zip_problem(content: bytes) -> Finding | None:
    """Return why the workbook is not unpacked. Python's zipfile never reads more of a part than is declared here."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return say("damaged", detail=str(error)[:200])
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
        size = round(unpacked / MEGABYTE)
        return say("unpacks_too_big", size=size, limit=MAX_UNPACKED_BYTES // MEGABYTE)
    return None


# --- the worker


def _run_worker(name: str, content: bytes, seconds: float) -> tuple[bytes, str]:
    """Return what the worker wrote and how it failed: "" when it ended by itself, "timeout", or its last words."""
    command = [sys.executable, "-P", "-m", "collector.publishing_worker", name, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the file's name is an argument, never a shell's text
            command, input=content, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", "timeout"
    if done.returncode == 0:
        return done.stdout, ""
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return done.stdout, words[-1][:200] if words else f"exit {done.returncode}"


def put_together(name: str, written: bytes, failure: str, seconds: float) -> Checked:
    """Return the outcome from the worker's lines; a last line cut short by the worker's end is left out."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in written[: written.rfind(b"\n") + 1].splitlines()]
    found = [finding_from_json(fields) for line in lines for fields in line.get("findings", [])]
    if failure == "timeout":
        found.append(say("timeout", seconds=f"{seconds:g}"))
    elif failure or not lines or lines[-1]["step"] != "done":
        found.append(say("crashed", detail=failure or "-"))
    facts = {key: value for line in lines for key, value in line.items() if value}
    return _outcome(name, facts, found)


def _outcome(name: str, facts: dict[str, Any], found: list[Finding]) -> Checked:
    form = form_from_json(facts["form"]) if "form" in facts else None
    form_id = form.form_id if form else facts.get("form_id", PurePosixPath(name).stem)
    questions = sum(q.page >= 0 and q.type != "note" for q in form.questions) if form else facts.get("questions", 0)
    report = Report(form_id, facts.get("version", ""), order_findings(found), questions)
    if form is None or not report.is_publishable:
        return Checked(report, None, "")
    return Checked(report, form, facts["xform"])
