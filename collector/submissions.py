"""Submissions on this node: made from a posted form, and checked when they arrive from elsewhere."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso_here, now_ms, parse_iso
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.forms.check import check
from collector.forms.consented import NO_CONSENT, lacks_consent
from collector.forms.flags import Flag
from collector.forms.listed import with_places
from collector.forms.model import Form
from collector.links import is_ticket
from collector.paper.serials import is_serial
from collector.queries import single_use
from collector.queries.records import Arrival
from collector.territory import place_labels
from sync.records import FORMLESS, new_salt, uuid7
from sync.statements import made


def flags_of(forms: FormStore, content: Mapping[str, Any]) -> str:
    """Return what this node notices about a record, as a JSON list of {key, what, text}; "" when nothing.

    A form or version that is not here is noted too ("form_unknown"): the record is kept and checked when it comes.
    "no_consent" keeps a record apart (queries/settling.py): its form has a notice, and it was not accepted.
    """
    if content.get("kind") in FORMLESS:
        return ""
    form = forms.get(str(content.get("form")), str(content.get("version")))
    if form is None:
        return json.dumps(
            [{"key": "", "what": "form_unknown", "text": f"{content.get('form')} {content.get('version')}"}]
        )
    found = [] if content.get("form_sha") == form.sha256[:16] else [{"key": "", "what": "form_differs", "text": ""}]
    ended = parse_iso(str(content.get("finished"))) or (now_ms(), 0)
    checked = check(form, content.get("answers"), ended, str(content.get("lang")))
    if not checked.flags and not found and "places" not in content:
        return ""
    found += _told(with_places(form, checked.flags, content.get("places"), place_labels()))
    found += unconsented(form, checked.flags)
    return json.dumps(found, ensure_ascii=False) if found else ""


def _told(flags: Iterable[Flag]) -> list[dict[str, str]]:
    return [{"key": flag.key, "what": flag.what, "text": flag.text} for flag in flags]


def unconsented(form: Form, flags: Sequence[Flag]) -> list[dict[str, str]]:
    """Return the notice that keeps a record apart, if consent is missing in it."""
    missing = lacks_consent(form, flags)
    return [{"key": missing, "what": NO_CONSENT, "text": ""}] if missing else []


# what may be used once: key of the envelope -> how its code is told from anything else, and what is noticed
USED_ONCE = {single_use.PAPER: (is_serial, "serial_used"), single_use.TICKET: (is_ticket, "ticket_used")}


def notices_of(forms: FormStore, engine: Engine, content: Mapping[str, Any]) -> str:
    """Return what `flags_of` says and whether the record uses a sheet or a link that another record used.

    The first record that this node meets has the code, whatever becomes of it: nothing is refused for it.
    """
    flags, used = flags_of(forms, content), used_before(engine, content)
    return json.dumps(json.loads(flags or "[]") + used, ensure_ascii=False) if used else flags


def used_before(engine: Engine, content: Mapping[str, Any]) -> list[dict[str, str]]:
    """Let a record take its codes; return a flag for each that is another's. Writes only for a code's first record."""
    if content.get("kind") != "submission":
        return []
    flags, record_id = [], str(content.get("id"))
    for kind, (is_code, what) in USED_ONCE.items():
        code = content.get(kind)
        if not isinstance(code, str) or not is_code(code):
            continue
        holder = _take(engine, kind, code, record_id, content)
        if holder != record_id:
            flags.append({"key": "", "what": what, "text": f"{code} {holder}"})
    return flags


def _take(engine: Engine, kind: str, code: str, record_id: str, content: Mapping[str, Any]) -> str:
    with reading(engine) as session:
        holder = single_use.holder_of(session, kind, code)
    if holder:
        return holder
    form, version = str(content.get("form")), str(content.get("version"))
    with writing(engine) as session:
        return single_use.take_code(session, kind, code, record_id, form, version, now_ms())


def make_submission(
    form: Form,
    answers: Mapping[str, Any],
    started_ms: int,
    lang: str,
    record_id: str = "",
    blobs: Sequence[Mapping[str, Any]] = (),
    claim: str = "",
    paper: str = "",
    replaces: str = "",
    places: Mapping[str, Mapping[str, str]] | None = None,
) -> Arrival:
    """Return the record of a form posted to this node by a browser without our scripts, ready to ingest.

    claim: what the person's receipt code hashes to (receipt_codes.py). paper: the serial of the sheet it was read from.
    replaces: the record that this one corrects. places: chosen from the list where a point is missing (listed.py).
    What lacks the consent that its form asks for is kept apart.
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
        "mode": "paper" if paper else "web",
        "salt": new_salt(),
        "answers": dict(answers),
    }
    if claim:
        content["claim"] = claim
    if paper:
        content["paper"] = paper
    if replaces:
        content |= {"kind": "edit", "replaces": replaces}
    if places:
        content["places"] = {key: dict(place) for key, place in places.items()}
    if blobs:
        content["blobs"] = [dict(entry) for entry in blobs]
    noticed = with_places(form, check(form, answers, (now_ms(), 0), lang).flags, places, place_labels())
    flags = unconsented(form, noticed) + _told(flag for flag in noticed if flag.what == "place_listed")
    return made(content)._replace(flags=json.dumps(flags, ensure_ascii=False) if flags else "")
