"""From a spreadsheet or an XForm, with its files, to a form that can be published, or to a report of what is wrong.

    bytes -> the file itself (size, kind, what it unpacks to)          here, without opening it
          -> sheets, checks, pyxform, our reader of XForms             in a worker process with limits
          -> Checked: report, form, xform, files

Nothing a file does can reach the caller as an exception: a worker that hangs, dies or is killed leaves a finding.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from collector.forms.consented import is_of_notice
from collector.forms.form_warnings import asks
from collector.forms.model import Form, form_from_json
from collector.forms.report import Finding, Report, finding_from_json, order_findings
from collector.forms.sentences import say

MEGABYTE = 1_000_000
MAX_BYTES = 20 * MEGABYTE  # a form with all its files
MAX_FILE_BYTES = 5 * MEGABYTE  # one attached file: every phone fetches it
MAX_FILES = 500
MAX_UNPACKED_BYTES = 100 * MEGABYTE  # the sheets of a 20 MB workbook without pictures are far below
MAX_PARTS = 2_000  # files inside an .xlsx
HEAD_BYTES = 512  # what the worker gets of a picture, sound or video
ENDINGS = ("xlsx", "xlsm", "xls", "md", "csv", "xml")
LIST_ENDINGS = (".csv", ".xml", ".geojson")
ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0"  # .xls, and any Office file under a password
NO_FILES: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Checked:
    """The outcome. form, xform and files (those the form uses) are there only if the report has no errors.

    needed: names of the files that the form names, attached or not.
    """

    report: Report
    form: Form | None
    xform: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    needed: tuple[str, ...] = ()


def check_path(path: Path, seconds: float = 20, media: Iterable[Path] = ()) -> Checked:
    """Check the file at `path` with the files of `media`, and those it names that stand beside it.

    Raises OSError where one cannot be read; a file over the limit is not read.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        return _refused(path.name, _too_big(size))
    attached = {each.name: each for each in media if each != path}
    sizes = {name: each.stat().st_size for name, each in attached.items()}
    problem = files_problem(size, sizes)
    if problem:
        return _refused(path.name, problem)
    content = path.read_bytes()
    files = {name: each.read_bytes() for name, each in attached.items()}
    checked = check_file(path.name, content, files, seconds)
    beside = {name: path.parent / name for name in checked.needed if name not in files and Path(name).name == name}
    found = {name: each.stat().st_size for name, each in beside.items() if each.is_file()}
    if not found or files_problem(size, sizes | found):
        return checked
    return check_file(path.name, content, files | {name: beside[name].read_bytes() for name in found}, seconds)


def check_file(name: str, content: bytes, files: Mapping[str, bytes] = NO_FILES, seconds: float = 20) -> Checked:
    """Check a form by its name and bytes, with its files; a worker gets `seconds`. Names are taken without folders."""
    name = _plain(name)
    files = {_plain(each): file for each, file in files.items()}
    problem = file_problem(name, content) or files_problem(len(content), {k: len(v) for k, v in files.items()})
    if problem:
        return _refused(name, problem)
    written, failure = _run_worker(task_of(name, content, files), seconds)
    return put_together(name, written, failure, seconds, files)


def files_in(media: Iterable[Path]) -> list[Path]:
    """Return the files given, and those of the folders given; what begins with a dot is left out."""
    found: list[Path] = []
    for path in media:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [each for each in inside if not path.is_dir() or (each.is_file() and each.name[0] != ".")]
    return found


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


def files_problem(form_bytes: int, sizes: Mapping[str, int]) -> Finding | None:
    """Return why the attached files (name -> bytes) are not taken, None if they are."""
    if len(sizes) > MAX_FILES:
        return say("files_too_many", count=len(sizes), limit=MAX_FILES)
    for name, size in sizes.items():
        if size > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // MEGABYTE
            return say("file_too_big", name=name, size=round(size / MEGABYTE, 1), limit=limit)
    total = form_bytes + sum(sizes.values())
    if sizes and total > MAX_BYTES:
        return say("files_too_big", size=round(total / MEGABYTE, 1), limit=MAX_BYTES // MEGABYTE)
    return None


# --- the worker


def task_of(name: str, content: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return what the worker reads: lists whole, of other files the first bytes, which tell what they are."""
    sent = {each: file if each.lower().endswith(LIST_ENDINGS) else file[:HEAD_BYTES] for each, file in files.items()}
    facts = [
        {"name": each, "size": len(sent[each]), "sha256": hashlib.sha256(file).hexdigest()}
        for each, file in files.items()
    ]
    header = json.dumps({"name": name, "size": len(content), "files": facts}).encode()
    return b"".join([header, b"\n", content, *sent.values()])


def _run_worker(task: bytes, seconds: float) -> tuple[bytes, str]:
    return run_worker("collector.publish.worker", task, seconds)


def run_worker(module: str, task: bytes, seconds: float) -> tuple[bytes, str]:
    """Return what a worker wrote and how it failed: "" when it ended by itself, "timeout", or its last words."""
    command = [sys.executable, "-P", "-m", module, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module, nothing of the file on its command line
            command, input=task, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", "timeout"
    if done.returncode == 0:
        return done.stdout, ""
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return done.stdout, words[-1][:200] if words else f"exit {done.returncode}"


def put_together(
    name: str, written: bytes, failure: str, seconds: float, files: Mapping[str, bytes] = NO_FILES
) -> Checked:
    """Return the outcome from the worker's lines; a last line cut short by the worker's end is left out."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in written[: written.rfind(b"\n") + 1].splitlines()]
    found = [finding_from_json(fields) for line in lines for fields in line.get("findings", [])]
    if failure == "timeout":
        found.append(say("timeout", seconds=f"{seconds:g}"))
    elif failure or not lines or lines[-1]["step"] != "done":
        found.append(say("crashed", detail=failure or "-"))
    facts = {key: value for line in lines for key, value in line.items() if value}
    return _outcome(name, facts, found, files)


def _outcome(name: str, facts: dict[str, Any], found: list[Finding], files: Mapping[str, bytes]) -> Checked:
    form = form_from_json(facts["form"]) if "form" in facts else None
    form_id = form.form_id if form else facts.get("form_id", PurePosixPath(name).stem)
    own = [question for question in form.questions if not is_of_notice(form, question)] if form else []
    questions = sum(map(asks, own)) if form else facts.get("questions", 0)
    report = Report(form_id, facts.get("version", ""), order_findings(found), questions)
    needed = tuple(facts.get("needs", ()))
    if form is None or not report.is_publishable:
        return Checked(report, None, "", {}, needed)
    used = {as_named: files[attached] for as_named, attached in facts.get("files", {}).items()}
    return Checked(report, form, facts["xform"], used, needed)
