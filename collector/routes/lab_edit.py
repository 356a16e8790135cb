"""A record is corrected by somebody who did not give it: the form's page, filled in, then what changes and why.

What is sent is a record of its own that takes the place of the first one (kind "edit"), and a word beside it that says
who did it and why; both are written at once. The first one stays as it was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, now_ms, offset_here
from collector.db import reading, writing
from collector.fill.post_body import Posted, read_posted
from collector.forms.listed import put_places
from collector.forms.model import Form, language_code
from collector.forms.state import Filling, language_of
from collector.lab.identifiers import direct_keys
from collector.lab.reviewing import MOST_COMMENT, MOST_DIFFERENCES, Difference, content_of, differences
from collector.lab.tables import answers_of
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import reviews
from collector.queries.records import COLLECTED, Arrival, ingest, record_by_id
from collector.routes.access import Person, one_line, person_who_may
from collector.routes.audited import note, note_in
from collector.routes.citizen import View, answer_post, draw, find_form
from collector.routes.lab_scope import lab_scope
from collector.routes.returned import LAB, TABLET, Answerer, Team, may_be_met, scope_of
from collector.routes.reviewed import reader_of, story_scope
from collector.tables.log import Record
from collector.territory import place_labels
from sync.records import uuid7
from sync.statements import made, make_comment, make_review

router = APIRouter(include_in_schema=False)
Reviewer = Annotated[Person, Depends(person_who_may("review"))]
OWN = ("_why", "_approve")  # fields of the last page, which the form knows nothing of


@dataclass(frozen=True)
class Correction:
    """A correction under way: who makes it, of which record, at which address, and where it leads in the end."""

    person: Person
    record: Record
    form: Form
    address: str
    home: str


@router.get("/lab/records/{record_id}/corregir")
def begin(request: Request, reviewer: Reviewer, record_id: str) -> Response:
    """Draw the form with the answers of the record."""
    return _first_page(request, _of_lab(request, reviewer, record_id))


@router.post("/lab/records/{record_id}/corregir")
async def go_on(request: Request, reviewer: Reviewer, record_id: str) -> Response:
    """Take its pages one by one, then show what changes and ask why. Raises ProblemError."""
    posted = await read_posted(request)
    return await run_in_threadpool(lambda: _go_on(request, _of_lab(request, reviewer, record_id), posted))


@router.get(TABLET + "/{record_id}/corregir")
def begin_by_team(request: Request, team: Team, record_id: str) -> Response:
    """Draw the form with the answers of a record that came back."""
    return _first_page(request, _returned(request, team, TABLET, record_id))


@router.post(TABLET + "/{record_id}/corregir")
async def go_on_by_team(request: Request, team: Team, record_id: str) -> Response:
    """Take its pages one by one, then show what changes and ask why. Raises ProblemError."""
    posted = await read_posted(request)
    return await run_in_threadpool(lambda: _go_on(request, _returned(request, team, TABLET, record_id), posted))


@router.get(LAB + "/{record_id}/corregir")
def begin_by_facilitator(request: Request, person: Answerer, record_id: str) -> Response:
    """Draw the form with the answers of a record that came back."""
    return _first_page(request, _returned(request, person, LAB, record_id))


@router.post(LAB + "/{record_id}/corregir")
async def go_on_by_facilitator(request: Request, person: Answerer, record_id: str) -> Response:
    """Take its pages one by one, then show what changes and ask why. Raises ProblemError."""
    posted = await read_posted(request)
    return await run_in_threadpool(lambda: _go_on(request, _returned(request, person, LAB, record_id), posted))


def _of_lab(request: Request, person: Person, record_id: str) -> Correction:
    with reading(request.app.state.engine) as session:
        record = record_by_id(session, record_id)
    if record is None or record.kind not in COLLECTED or record.body is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    home = f"/lab/revisar/{quote(record.form, safe='')}"
    return _correction(request, person, record, f"/lab/records/{record_id}/corregir", home)


def _returned(request: Request, person: Person, home: str, record_id: str) -> Correction:
    """Return the correction of a record that came back. Who may not see whose answer it is corrects none that says it.

    The team of a tablet wrote it down there: it may see again what was collected on its own node.
    """
    story = story_scope(request, record_id, False)["story"]
    may_be_met(request, home, story)
    is_closed = home == LAB and not person.may("identifiers")
    if is_closed and direct_keys(reader_of(request, False).versions(story.record.form)):
        raise ProblemError(PROBLEMS["correction_closed"])
    if story.record.body is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    return _correction(request, person, story.record, f"{home}/{record_id}/corregir", home)


def _correction(request: Request, person: Person, record: Record, address: str, home: str) -> Correction:
    if record.state != "usable":
        raise ProblemError(PROBLEMS["record_corrected"])
    return Correction(person, record, find_form(request, record.form, record.version), address, home)


# --- the pages of the form


def _first_page(request: Request, correction: Correction) -> Response:
    record, form = correction.record, correction.form
    note(request, correction.person, "read_record", record.id, count=1)
    content = content_of(record.body)
    language = language_of(form, str(content.get("lang", "")))
    filling = Filling(form, (now_ms(), offset_here()), language_code(language), language=language)
    filling.fill(answers_of(content))
    put_places(filling, content.get("places"))
    view = View(request, form, filling, language)
    view.address, view.replaces, view.is_plain = correction.address, record.id, True
    view.record_id, view.started = uuid7(), iso(now_ms())
    view.files = {str(entry.get("name")): entry for entry in content.get("blobs", ()) if isinstance(entry, dict)}
    return draw(view)


def _go_on(request: Request, correction: Correction, posted: Posted) -> Response:
    own = {name: posted.fields.pop(name, "") for name in OWN}

    def keep(view: View, arrival: Arrival) -> Response:
        return _keep(request, correction, posted, own, view, arrival)

    replaces = correction.record.id
    return answer_post(request, correction.form, posted, correction.address, replaces=replaces, keep=keep)


# --- what changes, and why


def _keep(
    request: Request, correction: Correction, posted: Posted, own: Mapping[str, str], view: View, arrival: Arrival
) -> Response:
    """Show what changes until somebody says why, then write it."""
    edit = _as_edit(correction.record, arrival)
    changed = _changes(request, correction, edit)
    why = one_line(own["_why"], MOST_COMMENT)
    if not why or not changed:
        return _ask_why(request, correction, posted, view, changed, is_tried=posted.fields.get("_asked") == "1")
    _write(request, correction, edit, why, own["_approve"] == "1", [each.key for each in changed])
    request.app.state.kick()
    is_team = correction.home in (TABLET, LAB)
    return RedirectResponse(f"{correction.home}?done=1" if is_team else f"{correction.home}?record={edit.id}", 303)


def _as_edit(record: Record, arrival: Arrival) -> Arrival:
    """Return the edit with what the first record says beside its answers: the person's receipt code finds both."""
    old, new = content_of(record.body), json.loads(arrival.body)
    kept = {key: old[key] for key in ("claim", "mode") if isinstance(old.get(key), str)}
    new = {key: value for key, value in new.items() if key != "claim"} | kept
    return made(new)._replace(flags=arrival.flags)


def _changes(request: Request, correction: Correction, edit: Arrival) -> list[Difference]:
    old, new = content_of(correction.record.body), json.loads(edit.body)
    return differences(old, new, (correction.form, correction.form), page_language(request), place_labels())


def _ask_why(
    request: Request, correction: Correction, posted: Posted, view: View, changed: list[Difference], is_tried: bool
) -> Response:
    carried: dict[str, Any] = posted.fields | {
        "_files": json.dumps(view.files, ensure_ascii=False), "_id": view.record_id, "_started": view.started,
        "_asked": "1",
    }  # fmt: skip
    carried.pop("_go", None)
    scope = _frame(request, correction)
    trouble = ProblemError(PROBLEMS["comment_needed"]).sentence(page_language(request)) if is_tried and changed else ""
    scope.update(
        record=correction.record, title=correction.form.title, address=correction.address, carried=carried,
        changed=changed[:MOST_DIFFERENCES], count=len(changed), most_comment=MOST_COMMENT, trouble=trouble,
        back=correction.home, may_approve=correction.person.may("review"),
    )  # fmt: skip
    return page(request, "lab/edit_confirm.html", scope, status=422 if trouble else 200)


def _frame(request: Request, correction: Correction) -> dict[str, Any]:
    if correction.home in (TABLET, LAB):
        return scope_of(request, correction.person, correction.home)
    return lab_scope(request, correction.person.who, "/lab/revisar") | {"layout": "lab/_base.html"}


def _write(
    request: Request, correction: Correction, edit: Arrival, why: str, is_approved: bool, keys: list[str]
) -> None:
    """Write the edit with its reason; posted twice, it is one. Raises ProblemError record_corrected."""
    person, record = correction.person, correction.record
    words = [make_comment(edit.id, person.who, why, replaces=record.id)]
    if is_approved and person.may("review"):
        at_ms = words[0].device_ms + 1
        words.append(make_review(edit.id, "approved", person.who, "", edit.sha256.hex(), at_ms))
    with writing(request.app.state.engine) as session:
        if record_by_id(session, edit.id) is not None:
            return
        if not all(it.is_usable for it in reviews.picked(session, [record.id])):
            raise ProblemError(PROBLEMS["record_corrected"])
        note_in(session, person, "edit", record.id, count=1, edit=edit.id, keys=keys[:MOST_DIFFERENCES])
        ingest(session, [edit, *words], now_ms())
