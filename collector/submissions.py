"""Submissions on this node: made from a posted form, and checked when they arrive from elsewhere."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from collector.clock import iso_here, now_ms, parse_iso
from collector.form_store import FormStore
from collector.forms.check import check
from collector.forms.model import Form
from collector.queries.records import Arrival
from sync.records import STATEMENTS, new_salt, uuid7
from sync.statements import made


def flags_of(forms: FormStore, content: Mapping[str, Any]) -> str:
    """Return what this node notices about a record, as a JSON list of {key, what, text}; "" when nothing.

    A form or version that is not here is noted too ("form_unknown"): the record is kept and checked when it comes.
    """
    if content.get("kind") in STATEMENTS:
        return ""
    form = forms.get(str(content.get("form")), str(content.get("version")))
    if form is None:
        return json.dumps(
            [{"key": "", "what": "form_unknown", "text": f"{content.get('form')} {content.get('version')}"}]
        )
    found = [] if content.get("form_sha") == form.sha256[:16] else [{"key": "", "what": "form_differs", "text": ""}]
    ended = parse_iso(str(content.get("finished"))) or (now_ms(), 0)
    checked = check(form, content.get("answers"), ended, str(content.get("lang")))
    found += [{"key": flag.key, "what": flag.what, "text": flag.text} for flag in checked.flags]
    return json.dumps(found, ensure_ascii=False) if found else ""


def make_submission(
    form: Form,
    answers: Mapping[str, Any],
    started_ms: int,
    lang: str,
    record_id: str = "",
    blobs: Sequence[Mapping[str, Any]] = (),
    claim: str = "",
) -> Arrival:
    """Return the record of a form posted to this node by a browser without our scripts, ready to ingest.

    claim: what the person's receipt code hashes to (receipt_codes.py).
    """
    content: dict[str, Any] = {
        "id": record_id or uuid7(),
        "kind": "submission",
        "form": form.form_id,
        "version": form.version,
        "form_sha": form.sha256[:16],
        "started": iso_here(started_ms),
        "finished": iso_here(now_ms()),
        "lang": lang,
        "mode": "web",
        "salt": new_salt(),
        "answers": dict(answers),
    }
    if claim:
        content["claim"] = claim
    if blobs:
        content["blobs"] = [dict(entry) for entry in blobs]
    return made(content)
