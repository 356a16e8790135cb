"""Drafts of forms that clients of ODK prepare piece by piece: first the form, then its files, then "publish".

    data_dir/odk-drafts/HASH of the form's id/form        the XForm or workbook as it was sent
                                             about.json   its name, and who sent it
                                             file-HASH    a file, and its name in about.json

Outside the store, as lab drafts are (drafts.py): a draft is no form yet. A newer draft of a form takes its place.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "odk-drafts"


@dataclass(frozen=True)
class OdkDraft:
    """A draft. name: of a file with its ending ("form.xml"); files: name -> content."""

    form_id: str
    name: str
    content: bytes
    made_ms: int
    files: dict[str, bytes] = field(default_factory=dict)


def keep_draft(data_dir: Path, draft: OdkDraft) -> None:
    """Keep a draft, in place of the one before."""
    drop_draft(data_dir, draft.form_id)
    folder = _folder(data_dir, draft.form_id)
    folder.mkdir(parents=True)
    (folder / "form").write_bytes(draft.content)
    _tell(folder, {"form_id": draft.form_id, "name": draft.name, "made_ms": draft.made_ms, "files": []})


def keep_file(data_dir: Path, form_id: str, name: str, content: bytes) -> bool:
    """Keep a file of a draft; False where there is no draft."""
    folder = _folder(data_dir, form_id)
    about = _about(folder)
    if about is None:
        return False
    (folder / _file_name(name)).write_bytes(content)
    _tell(folder, about | {"files": sorted({*about["files"], name})})
    return True


def read_draft(data_dir: Path, form_id: str) -> OdkDraft | None:
    """Return the draft of a form, None when there is none."""
    folder = _folder(data_dir, form_id)
    about = _about(folder)
    if about is None:
        return None
    files = {name: (folder / _file_name(name)).read_bytes() for name in about["files"]}
    return OdkDraft(form_id, about["name"], (folder / "form").read_bytes(), about["made_ms"], files)


def drop_draft(data_dir: Path, form_id: str) -> None:
    """Forget the draft of a form."""
    shutil.rmtree(_folder(data_dir, form_id), ignore_errors=True)


def _folder(data_dir: Path, form_id: str) -> Path:
    return data_dir / FOLDER / hashlib.sha256(form_id.encode()).hexdigest()[:32]


def _file_name(name: str) -> str:
    return f"file-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _tell(folder: Path, about: dict[str, Any]) -> None:
    """Write about.json last and at once: a draft is there or not."""
    waiting = folder / "about.new"
    waiting.write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    waiting.replace(folder / "about.json")


def _about(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found
