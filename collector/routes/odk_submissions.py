"""Single submissions for clients of ODK: send, correct, review, comment, add files, remove and bring back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, now_ms
from collector.db import writing
from collector.lab.odk_filter import EVERYTHING
from collector.lab.odk_geojson import feature_of, geojson_pieces
from collector.lab.tables import text_at
from collector.odk_problems import OdkError
from collector.odk_receiving import (
    PostedFile,
    annotation,
    attach,
    entry_of,
    ids_of,
    opened,
    take_edit,
    take_new,
)
from collector.odk_submissions import REMOVED, STATE, Known, instance_of
from collector.queries import odk, records
from collector.queries.blobs import MAX_BLOB_BYTES
from collector.queries.odk import Seen
from collector.queries.records import Arrival
from collector.routes.access import Person
from collector.routes.odk_common import (
    PLACES_TYPE,
    OdkRoute,
    Project,
    desk_of,
    json_body,
    places_asked,
    record_note,
    sender_of,
    shelf_of,
    who_may,
)
from collector.tables.log import Record
from collector.web import read_body
from sync.records import MAX_RECORD_BYTES

router = APIRouter(
    prefix="/v1/projects/{project_id}/forms/{form_id}/submissions", include_in_schema=False, route_class=OdkRoute
)
Reader = Annotated[Person, Depends(who_may("records"))]
Reviewer = Annotated[Person, Depends(who_may("review"))]
Eraser = Annotated[Person, Depends(who_may("erase"))]
MOST_XML = 4 * MAX_RECORD_BYTES  # tags weigh more than what stands between them
MOST_COMMENT = 1000
# as ODK says a state -> as a review says it
STATES = {
    "approved": "approved", "rejected": "rejected", "hasIssues": "has_issues", "edited": "received",
    None: "received",
}  # fmt: skip
LIST_LIMIT = 1000
DONE = {"success": True}


@router.get("")
def list_all(
    request: Request, project_id: Project, form_id: str, person: Reader, limit: int = LIST_LIMIT, offset: int = 0
) -> list[dict[str, Any]]:
    """List submissions, newest first: `limit` of them, at most a thousand, after `offset`."""
    shelf = shelf_of(request, person, form_id)
    record_note(request, person, "export", form_id, format="odk list", offset=offset)
    wanted = range(max(offset, 0), max(offset, 0) + min(max(limit, 0), LIST_LIMIT))
    found = []
    for number, known in enumerate(shelf.each(EVERYTHING)):
        if number >= wanted.stop:
            break
        if number in wanted:
            found.append(_about(known))
    return found


@router.post("")
async def send(request: Request, project_id: Project, form_id: str, person: Reviewer) -> dict[str, Any]:
    """Take a new submission."""
    xml = await read_body(request, MOST_XML)
    return await run_in_threadpool(_send, request, form_id, person, xml)


def _send(request: Request, form_id: str, person: Person, xml: bytes) -> dict[str, Any]:
    shelf_of(request, person, form_id)
    record_id = take_new(desk_of(request), opened(desk_of(request), xml, sender_of(request, person), (), form_id))
    return _told(request, form_id, person, record_id)


@router.get("/{instance_id}.geojson")
def show_places(request: Request, project_id: Project, form_id: str, instance_id: str, person: Reader) -> Response:
    """Show where a submission is: of the fields that `fieldpath` names, else of the first one outside repeats.

    The feature bears the id of the version that counts.
    """
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "read_record", known.seen.head.id, format="odk geojson")
    feature = feature_of(replace(known.sent, key=known.sent.instance), known.fields, places_asked(request))
    return Response("".join(geojson_pieces([feature] if feature else [])), media_type=PLACES_TYPE)


@router.get("/{instance_id}")
def show(request: Request, project_id: Project, form_id: str, instance_id: str, person: Reader) -> dict[str, Any]:
    """Show what is known of a submission beside its answers."""
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "read_record", known.seen.head.id, format="odk")
    return _about(known)


@router.put("/{instance_id}")
async def correct(
    request: Request, project_id: Project, form_id: str, instance_id: str, person: Reviewer
) -> dict[str, Any]:
    """Take a new version of a submission; its XML names the one it replaces in deprecatedID."""
    xml = await read_body(request, MOST_XML)
    return await run_in_threadpool(_correct, request, form_id, instance_id, person, xml)


def _correct(request: Request, form_id: str, instance_id: str, person: Person, xml: bytes) -> dict[str, Any]:
    known = _find(request, form_id, person, instance_id)
    post = opened(desk_of(request), xml, sender_of(request, person), (), form_id)
    record_note(request, person, "edit", known.seen.head.id, format="odk")
    return _told(request, form_id, person, take_edit(desk_of(request), post, known.sent.key))


@router.patch("/{instance_id}")
async def review(
    request: Request, project_id: Project, form_id: str, instance_id: str, person: Reviewer
) -> dict[str, Any]:
    """Give a submission a review state: approved, hasIssues, rejected, edited, or null."""
    said = await json_body(request)
    state = said.get("reviewState")
    if not (state is None or isinstance(state, str)) or state not in STATES:
        raise OdkError("unexpected", field="state", value=state, reason="not a recognized state name")
    return await run_in_threadpool(_review, request, form_id, instance_id, person, state)


def _review(request: Request, form_id: str, instance_id: str, person: Person, state: str | None) -> dict[str, Any]:
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "review", known.seen.head.id, state=state or "received", format="odk")
    said = {"state": STATES[state], "sha256": bytes(known.seen.head.sha256).hex()}
    _say(request, known, person, {"review": said, STATE: state or ""})
    return _told(request, form_id, person, known.seen.head.id)


@router.delete("/{instance_id}")
def remove(request: Request, project_id: Project, form_id: str, instance_id: str, person: Eraser) -> dict[str, bool]:
    """Leave a submission out of everything here, until it is brought back. To erase it for ever is the lab's page."""
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "review", known.seen.head.id, state="removed", format="odk")
    _say(request, known, person, {REMOVED: True})
    return DONE


@router.post("/{instance_id}/restore")
def restore(request: Request, project_id: Project, form_id: str, instance_id: str, person: Eraser) -> dict[str, bool]:
    """Bring back what was removed."""
    known = _find(request, form_id, person, instance_id, is_removed=True)
    record_note(request, person, "review", known.seen.head.id, state="restored", format="odk")
    _say(request, known, person, {REMOVED: False})
    return DONE


# --- comments


@router.get("/{instance_id}/comments")
def comments(
    request: Request, project_id: Project, form_id: str, instance_id: str, person: Reader
) -> list[dict[str, Any]]:
    """List what people said of a submission, newest first."""
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "read_record", known.seen.head.id, format="odk")
    with writing(request.app.state.engine) as session:
        return [
            _comment(odk.actor_id(session, text_at(content, "by")), text_at(content, "comment"), word.received_ms)
            for word, content in reversed(known.words())
            if text_at(content, "comment")
        ]


@router.post("/{instance_id}/comments")
async def comment(
    request: Request, project_id: Project, form_id: str, instance_id: str, person: Reviewer
) -> dict[str, Any]:
    """Say something of a submission."""
    said = (await json_body(request)).get("body")
    if not isinstance(said, str) or not said.strip():
        raise OdkError("missing", field="body")
    return await run_in_threadpool(_add_comment, request, form_id, instance_id, person, said.strip()[:MOST_COMMENT])


def _add_comment(request: Request, form_id: str, instance_id: str, person: Person, said: str) -> dict[str, Any]:
    known = _find(request, form_id, person, instance_id)
    _say(request, known, person, {"comment": said})
    return _comment(sender_of(request, person).id, said, now_ms())


def _comment(actor: int, said: str, at_ms: int) -> dict[str, Any]:
    return {"body": said, "actorId": actor, "createdAt": iso(at_ms)}


# --- files


@router.get("/{instance_id}/attachments")
def files(
    request: Request, project_id: Project, form_id: str, instance_id: str, person: Reader
) -> list[dict[str, Any]]:
    """List the files that the answers name, and whether they are here."""
    known = _find(request, form_id, person, instance_id)
    record_note(request, person, "read_record", known.seen.head.id, format="odk")
    return [{"name": name, "exists": name in known.files} for name in sorted(known.expected)]


@router.post("/{instance_id}/attachments/{name}")
async def add_file(
    request: Request, project_id: Project, form_id: str, instance_id: str, name: str, person: Reviewer
) -> dict[str, bool]:
    """Take a file that the answers name."""
    content = await read_body(request, MAX_BLOB_BYTES)
    await run_in_threadpool(_add_file, request, form_id, instance_id, person, name, content)
    return DONE


def _add_file(request: Request, form_id: str, instance_id: str, person: Person, name: str, content: bytes) -> None:
    known = _find(request, form_id, person, instance_id)
    if name not in known.expected or not content:
        raise OdkError("not_found")
    record_note(request, person, "edit", known.seen.head.id, format="odk", file=name)
    with writing(request.app.state.engine) as session:
        entry = entry_of(session, PostedFile(name, content, request.headers.get("content-type", "")))
        attach(session, known.seen.head.id, [entry], person.who)
    request.app.state.kick()


# --- what all of them share


def _find(request: Request, form_id: str, person: Person, instance_id: str, is_removed: bool = False) -> Known:
    """Return a submission by its first instanceID. Raises OdkError not_found."""
    shelf = shelf_of(request, person, form_id)
    found = (shelf.one(record_id) for record_id in ids_of(form_id, instance_id))
    known = next((each for each in found if each is not None), None)
    if known is None or known.sent.key != instance_id or known.is_removed is not is_removed:
        raise OdkError("not_found")
    return known


def _say(request: Request, known: Known, person: Person, said: Mapping[str, Any]) -> None:
    """Put on record what somebody said of the version that counts, after all that was said before."""
    at_ms = max(now_ms(), _last_ms(known.seen) + 1)
    word: Arrival = annotation(known.seen.head.id, person.who, at_ms, **said)
    with writing(request.app.state.engine) as session:
        records.ingest(session, [word], now_ms())
    request.app.state.kick()


def _last_ms(seen: Seen) -> int:
    return max((word.device_ms for word in seen.words), default=0)


def _told(request: Request, form_id: str, person: Person, record_id: str) -> dict[str, Any]:
    request.app.state.kick()
    known = shelf_of(request, person, form_id).one(record_id)
    if known is None:  # kept apart, as without consent: what came is what is told
        raise OdkError("not_found")
    return _about(known)


def _about(known: Known) -> dict[str, Any]:
    sent, seen = known.sent, known.seen
    about = {
        "instanceId": sent.key, "submitterId": int(sent.submitter_id or 0), "deviceId": sent.device or None,
        "userAgent": _said(known.first, "agent"), "reviewState": sent.review or None, "createdAt": sent.created,
        "updatedAt": iso(known.updated_ms) if known.updated_ms else None, "deletedAt": None,
    }  # fmt: skip
    return about | {
        "currentVersion": _version(seen.head, known.content, (seen.head is seen.root and sent.device) or None)
    }


def _version(record: Record, content: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    answers = content.get("answers")
    name = text_at(answers, "meta/instanceName") if isinstance(answers, dict) else ""
    return {
        "instanceId": instance_of(record, content), "instanceName": name or None, "current": True,
        "submitterId": int(_said(content, "submitter") or 0), "deviceId": device, "createdAt": iso(record.received_ms),
        "userAgent": _said(content, "agent"),
    }  # fmt: skip


def _said(content: Mapping[str, Any], key: str) -> Any:
    said = content.get("odk")
    return said.get(key) or None if isinstance(said, dict) else None
