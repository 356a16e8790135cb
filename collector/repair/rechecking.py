"""Records are checked again when their form comes, or when a person gave them to one. In pages, each its own write.

The check itself runs outside the write lock: only what it found is written, and only to records that did not change
meanwhile. Files of answers are not touched.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from collector.db import reading, writing
from collector.form_store import FormStore
from collector.queries import forms as form_queries
from collector.queries import quarantine
from collector.queries.quarantine import Noted
from collector.queries.settling import object_of
from collector.submissions import flags_of

PAGE = 200
log = logging.getLogger("collector.repair.rechecking")

OF_THE_WAY = ("clock", "serial_used", "ticket_used")  # not found again by checking the record alone


def installer(forms: FormStore, engine: Engine) -> Callable[..., bool]:
    """Return `FormStore.install` that also checks the records which waited for the form.

    A form nobody has answered yet costs one question by an index.
    """

    def install(
        xform: str, source_name: str = "", source: bytes = b"", files: Mapping[str, bytes] | None = None
    ) -> bool:
        before = _published(engine)
        is_new = forms.install(xform, source_name, source, files)
        for form_id, version in sorted(_published(engine) - before):
            recheck_form(forms, engine, form_id, version)
        return is_new

    return install


def _published(engine: Engine) -> set[tuple[str, str]]:
    with reading(engine) as session:
        return {(form_id, version) for form_id, version, *_ in form_queries.list_manifest(session)}


def recheck_form(forms: FormStore, engine: Engine, form_id: str, version: str) -> int:
    """Check the records that were stored without this version of their form; return how many notices changed."""
    changed = after = 0
    while True:
        with reading(engine) as session:
            page = quarantine.unknown_after(session, form_id, version, after, PAGE)
        if not page:
            return changed
        after = page[-1].changed_n
        changed += _recheck(forms, engine, page)


def recheck_records(forms: FormStore, engine: Engine, ids: Sequence[str]) -> int:
    """Check these records again; return how many notices changed."""
    changed = 0
    for first in range(0, len(ids), PAGE):
        with reading(engine) as session:
            page = quarantine.noted(session, ids[first : first + PAGE])
        changed += _recheck(forms, engine, page)
    return changed


def _recheck(forms: FormStore, engine: Engine, page: Sequence[Noted]) -> int:
    found = [(one, _flags(forms, one)) for one in page]
    if all(flags == one.flags for one, flags in found):
        return 0
    with writing(engine) as session:
        return quarantine.put_flags(session, found)


def _flags(forms: FormStore, one: Noted) -> str:
    """Return what the check says today; what was noticed on the way here stays: the clock, a code used before."""
    flags = [flag for flag in json.loads(one.flags or "[]") if flag.get("what") in OF_THE_WAY]
    try:
        flags = checked_as(forms, one.body, one.form, one.version) + flags
    except Exception:  # whatever a form makes the check stumble over: the others go on (see sync/receive.py)
        log.exception("check of record %s", one.id)
        flags.append({"key": "", "what": "check_failed", "text": ""})
    return json.dumps(flags, ensure_ascii=False) if flags else ""


def checked_as(forms: FormStore, body: str, form_id: str, version: str) -> list[dict[str, Any]]:
    """Return the flags of a record's bytes as a record of this form, which may not be the one they name."""
    content = object_of(body)
    is_given = (content.get("form"), content.get("version")) != (form_id, version)
    found: list[dict[str, Any]] = json.loads(flags_of(forms, content | {"form": form_id, "version": version}) or "[]")
    # a record that a person gave to another form names the hash of its own
    return [flag for flag in found if not (is_given and flag["what"] == "form_differs")]
