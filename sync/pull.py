"""What comes down from the upstream: forms, and receipts of what central holds."""

import hashlib
import logging
from typing import Any
from urllib.parse import quote

from collector.db import reading, writing
from collector.queries import forms, nodes
from sync.client import Refusal
from sync.greet import Greeting
from sync.run import Run

RECEIPT_PAGES = 20
log = logging.getLogger("collector.sync")


def pull_forms(run: Run, greeting: Greeting) -> None:
    """Fetch forms that are not here, oldest first, so that the newest here is the newest there."""
    known = run.known()
    if greeting.forms_etag == known.forms_etag:
        return
    answer = run.client.get("/forms", f'"{known.forms_etag}"' if known.forms_etag else "")
    if answer.status != 200:
        return
    if not isinstance(answer.content, list):
        raise run.client.strange("the list of forms is not a list")
    missing = [entry for entry in reversed(answer.content) if not _pull_form(run, entry)]
    if not missing:
        with writing(run.engine) as session:
            nodes.change_upstream(session, forms_etag=answer.etag.strip('"'))


def _pull_form(run: Run, entry: Any) -> bool:
    """Fetch and install one form unless it is here; False when it could not be installed."""
    try:
        form_id, version, sha256 = str(entry["form_id"]), str(entry["version"]), str(entry["sha256"])
    except (KeyError, TypeError) as error:
        raise run.client.strange("a form of the list has no name") from error
    with reading(run.engine) as session:
        held = forms.get_form(session, form_id, version)
    if held is not None or sha256 in run.state.refused_forms:
        return held is not None
    try:
        found = run.client.get(f"/forms/{quote(form_id, safe='')}/{quote(version, safe='')}").content
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        log.warning("form %s %s is listed and not given", form_id, version)  # its id holds a slash, say
        run.state.refused_forms.add(sha256)
        return False
    xform = found.get("xform") if isinstance(found, dict) else None
    if not isinstance(xform, str) or hashlib.sha256(xform.encode()).hexdigest() != sha256:
        raise run.client.strange(f"form {form_id} {version} is not the one of the list")
    try:
        run.install_form(xform, str(found.get("source_name", "")))
    except Exception:  # whatever is wrong with one form, records and other forms go on; tried again after a restart
        log.exception("form %s %s could not be installed", form_id, version)
        run.state.refused_forms.add(sha256)
        return False
    run.result.forms += 1
    return True


def pull_receipts(run: Run, greeting: Greeting) -> None:
    """Learn from a hub what central holds of our entries. Central itself says so with its cursor."""
    if greeting.central:
        return
    for _ in range(RECEIPT_PAGES):
        known = run.known()
        if known.receipts_n >= greeting.receipts_next:
            return
        found = run.client.get(f"/receipts?since={known.receipts_n}").content
        try:
            epoch, following = found["epoch"], int(found["next"])
            rows = [(str(record_id), str(start)) for _n, record_id, start in found["receipts"]]
        except (KeyError, TypeError, ValueError) as error:
            raise run.client.strange("the receipts are not a list of ours") from error
        if epoch != known.receipts_epoch or following <= known.receipts_n:
            return  # changed meanwhile: the next hello starts it anew
        _keep_receipts(run, rows, following)


def _keep_receipts(run: Run, rows: list[tuple[str, str]], following: int) -> None:
    with writing(run.engine) as session:
        held = nodes.held_hashes(session, [record_id for record_id, _ in rows])
        ours = [
            (record_id, sha256)
            for record_id, start in rows
            for sha256 in held.get(record_id, [])
            if len(start) >= 8 and sha256.hex().startswith(start)
        ]
        nodes.add_new_receipts(session, ours, run.now_ms)
        nodes.change_upstream(session, receipts_n=following)
    run.result.receipts += len(ours)
