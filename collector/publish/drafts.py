"""Forms that were checked and are not published yet: kept in a folder for some hours, to be looked at and decided on.

    data_dir/por-publicar/TOKEN/draft.json    what was found, the XForm, the compiled form, the names of the files
                                source        the file as it was uploaded
                                file-0 …      the files that the form uses, in the order of their names

Outside the store: a draft is no form yet, backups and other nodes have nothing to do with it. The token is 128 random
bits; a folder without its draft.json was not finished and counts as not there.
"""

import json
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.forms.model import Form, form_from_json, form_to_json
from collector.forms.report import Report, finding_from_json, finding_to_json
from collector.publish.publishing import Checked

FOLDER = "por-publicar"
KEPT_MS = 12 * 3600 * 1000
MOST_DRAFTS = 10
TOKEN = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Draft:
    """A checked form that waits. name: of the uploaded file; who: who uploaded it; files: names, in order."""

    token: str
    name: str
    who: str
    made_ms: int
    report: Report
    form: Form
    xform: str
    files: tuple[str, ...]
    folder: Path

    def file(self, name: str) -> bytes | None:
        """Return a file that the form uses, None for another name."""
        return (self.folder / f"file-{self.files.index(name)}").read_bytes() if name in self.files else None

    def source(self) -> bytes:
        """Return the file as it was uploaded."""
        return (self.folder / "source").read_bytes()


def keep_draft(data_dir: Path, checked: Checked, name: str, content: bytes, who: str, now_ms: int) -> str:
    """Keep a form that could be published; return its token. Raises ValueError for one that could not."""
    if checked.form is None:
        raise ValueError("a form with errors is no draft")
    clean_drafts(data_dir, now_ms, MOST_DRAFTS - 1)
    token = secrets.token_hex(16)
    folder = data_dir / FOLDER / token
    folder.mkdir(parents=True)
    files = sorted(checked.files)
    for number, each in enumerate(files):
        (folder / f"file-{number}").write_bytes(checked.files[each])
    (folder / "source").write_bytes(content)
    facts = {
        "name": name, "who": who, "made_ms": now_ms, "xform": checked.xform, "files": files,
        "form": form_to_json(checked.form), "report": _report_to_json(checked.report),
    }  # fmt: skip
    # last, and whole or not at all: what has no draft.json is no draft
    unfinished = folder / "draft.part"
    unfinished.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(folder / "draft.json")
    return token


def open_draft(data_dir: Path, token: str, now_ms: int) -> Draft | None:
    """Return the draft, None when there is none, or none any more."""
    folder = data_dir / FOLDER / token
    facts = _facts(folder) if TOKEN.fullmatch(token) else None
    if facts is None or _is_over(facts, now_ms):
        return None
    return Draft(
        token=token, name=facts["name"], who=facts["who"], made_ms=facts["made_ms"], xform=facts["xform"],
        report=_report_from_json(facts["report"]), form=form_from_json(facts["form"]), files=tuple(facts["files"]),
        folder=folder,
    )  # fmt: skip


def drop_draft(data_dir: Path, token: str) -> None:
    """Throw a draft away; nothing happens where there is none."""
    if TOKEN.fullmatch(token):
        shutil.rmtree(data_dir / FOLDER / token, ignore_errors=True)


def clean_drafts(data_dir: Path, now_ms: int, most: int = MOST_DRAFTS) -> None:
    """Throw away the drafts whose time is over, those that were never finished, and the oldest beyond `most`."""
    held: list[tuple[int, Path]] = []
    for folder in (data_dir / FOLDER).glob("*"):
        facts = _facts(folder)
        if facts is None and _is_young(folder, now_ms):
            continue  # somebody is writing it
        if facts is None or _is_over(facts, now_ms):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            held.append((int(facts["made_ms"]), folder))
    for _, folder in sorted(held, reverse=True)[most:]:
        shutil.rmtree(folder, ignore_errors=True)


def _facts(folder: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        facts = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
        return facts if isinstance(facts, dict) else None
    return None


def _is_over(facts: dict[str, Any], now_ms: int) -> bool:
    # a clock that was set back must not keep a draft for ever
    return abs(now_ms - int(facts["made_ms"])) > KEPT_MS


def _is_young(folder: Path, now_ms: int) -> bool:
    with suppress(OSError):
        return abs(now_ms - int(folder.stat().st_mtime * 1000)) < KEPT_MS
    return False


def _report_to_json(report: Report) -> dict[str, Any]:
    findings = [finding_to_json(finding) for finding in report.findings]
    return {
        "form_id": report.form_id, "version": report.version, "questions": report.questions, "findings": findings,
    }  # fmt: skip


def _report_from_json(facts: dict[str, Any]) -> Report:
    findings = tuple(finding_from_json(fields) for fields in facts["findings"])
    return Report(facts["form_id"], facts["version"], findings, facts["questions"])
