"""Submissions that clients of ODK send become records like any other: answers under paths, files beside them.

    XML ── read ── a form and version that are here ── what stands under this id already?
                                                       nothing              a new record, or an edit of another
                                                       the same XML         only its files are new
                                                       another XML          409, nothing changes

The record keeps under "odk" what its answers cannot say (docs/odk.md): the instanceID, who sent it by which device, and
the hash of the XML, which stands beside it as a file, byte for byte.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import iso, iso_here, now_ms, parse_iso
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.forms.model import Form
from collector.forms.submission_reading import Submission, answers_in, read_submission
from collector.forms.xform_head import head_of
from collector.lab.odk_fields import fields_of, names_of_files
from collector.lab.odk_whole import encrypted_files, says_more
from collector.odk_problems import OdkError
from collector.queries import blobs, odk, plans, records
from collector.queries.odk import Seen
from collector.queries.records import Arrival
from collector.tables.forms import FormVersion
from collector.tables.log import Record
from sync.records import UUID_FORM, new_salt, uuid7
from sync.statements import made

XML_NAME = "odk:submission.xml"  # of the XML among the files of a record: no answer can name it by accident
XML_TYPE = "text/xml"
MOST_FILES = 60  # that one record or annotation names: the store looks at 64
MOST_DEVICE = 255


@dataclass(frozen=True)
class Sender:
    """Who sends. id: the number of the actor; device, agent: as the request says them."""

    id: int
    name: str
    device: str = ""
    agent: str = ""


@dataclass(frozen=True)
class PostedFile:
    """A file that came with a submission, under the name that an answer gives it."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Desk:
    """Where submissions are taken. check: notes what is odd in a record, as for records from other nodes."""

    engine: Engine
    forms: FormStore
    check: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Post:
    """A submission ready to be taken: read, with its form. files: what came with it."""

    xml: bytes
    submission: Submission
    form: Form
    sender: Sender
    files: Sequence[PostedFile] = field(default_factory=tuple)


def opened(desk: Desk, xml: bytes, sender: Sender, files: Sequence[PostedFile] = (), form_id: str = "") -> Post:
    """Read a submission and find its form. form_id: the one that it has to be of, "" for any.

    Raises OdkError unparseable, missing, unexpected, not_found, version_unknown, closed.
    """
    submission = _read(xml)
    if form_id and submission.form_id != form_id:
        reason = "did not match the form ID in the URL"
        raise OdkError("unexpected", field="form id", value=submission.form_id, reason=reason)
    form = form_of(desk.forms, submission.form_id, submission.version)
    with reading(desk.engine) as session:
        if plans.get_plan(session, form.form_id).is_closed:
            raise OdkError("closed")
    return Post(xml, submission, form, sender, files)


def _read(xml: bytes) -> Submission:
    try:
        submission = read_submission(xml)
    except ValueError as error:
        raise OdkError("unparseable", format="xml", reason=str(error)) from error
    for name, text in (("form id", submission.form_id), ("instanceID", submission.instance)):
        if not text:
            raise OdkError("missing", field=name)
    return submission


def form_of(forms: FormStore, form_id: str, version: str) -> Form:
    """Return the version of a form that a submission names. Raises OdkError not_found, version_unknown.

    A form that says no version has one of its own here; a submission of it says none either.
    """
    known = forms.get(form_id, version) if version else None  # nearly always, and without reading every form
    if known is not None:
        return known
    rows = forms.versions(form_id)
    if not rows:
        raise OdkError("not_found")
    for row in rows:
        if version in (row.version, said_version(row)):
            form = forms.get(form_id, row.version)
            if form is not None:
                return form
    raise OdkError("version_unknown", formVersion=version)


def said_version(row: FormVersion) -> str:
    """Return the version that a form was published with, "" for none: then it has one of its own making here."""
    if not row.source_name.endswith(".xml"):
        return row.version
    return head_of(row.source.decode("utf-8", "replace")).version


# --- taking it


def take_new(desk: Desk, post: Post) -> str:
    """Store a submission that must be new; return its record's id. Raises OdkError taken, instance_taken."""
    with reading(desk.engine) as session:
        if _held(session, post.form.form_id, post.submission.instance) is not None:
            values = f"{post.form.form_id}, {post.submission.instance}"
            raise OdkError("taken", fields="formId,instanceId", values=values)
    return _store(desk, post, None)


def take_edit(desk: Desk, post: Post, root_id: str) -> str:
    """Store a new version of a submission; return its record's id.

    root_id: the submission that it must be of. Raises OdkError no_deprecated, not_found, stale, instance_taken.
    """
    deprecated = post.submission.deprecated
    if not deprecated:
        raise OdkError("no_deprecated")
    with reading(desk.engine) as session:
        seen = seen_by(session, post.form.form_id, root_id)
        if seen is None or _instance(seen.root) != root_id:
            raise OdkError("not_found")
        if _instance(seen.head) != deprecated:
            raise OdkError("stale", deprecatedId=deprecated)
        if _held(session, post.form.form_id, post.submission.instance) is not None:
            raise OdkError("instance_taken")
    return _store(desk, post, seen)


def take_any(desk: Desk, post: Post) -> str:
    """Store what a device sends, in whatever order it does: new, an edit, or more files of what is here.

    Returns the record's id. Raises OdkError conflict, stale, deprecated_unknown.
    """
    submission, form_id = post.submission, post.form.form_id
    with reading(desk.engine) as session:
        held = _held(session, form_id, submission.instance)
        replaced = seen_by(session, form_id, submission.deprecated) if submission.deprecated else None
        if held is None and submission.deprecated and replaced is None:
            raise OdkError("deprecated_unknown", deprecatedId=submission.deprecated)
        if held is None and replaced is not None and _instance(replaced.head) != submission.deprecated:
            raise OdkError("stale", deprecatedId=submission.deprecated)
    if held is None:
        return _store(desk, post, replaced)
    with writing(desk.engine) as session:
        _complete(session, post, held)
    return held.id


def _complete(session: Session, post: Post, held: Record) -> None:
    """Add files to a submission that is here with the same XML. Raises OdkError conflict, stale."""
    said = json.loads(held.body or "{}").get("odk")
    if not isinstance(said, dict) or said.get("xml") != hashlib.sha256(post.xml).hexdigest():
        raise OdkError("conflict")
    seen = odk.one_of(session, post.form.form_id, held.id)
    if seen is None or seen.head.id != held.id:
        raise OdkError("stale", deprecatedId=post.submission.instance)
    known = _entries_of(seen)
    new = [file for file in post.files if _is_new(file, known.get(file.name))]
    attach(session, held.id, _kept(session, new, _expected(post)), post.sender.name)


def _is_new(file: PostedFile, entry: Mapping[str, Any] | None) -> bool:
    return entry is None or entry.get("sha256") != hashlib.sha256(file.content).hexdigest()


def _store(desk: Desk, post: Post, replaces: Seen | None) -> str:
    with reading(desk.engine) as session:
        record_id = new_id(session, post.form.form_id, post.submission.instance)
    content = _content(post, record_id, replaces)
    flags = desk.check(content)
    try:
        made(content)  # before anything is kept
        with writing(desk.engine) as session:
            entries = [_xml_entry(session, post.xml), *_files(session, post, replaces)]
            content["blobs"] = entries[:MOST_FILES]
            arrival = made(content)._replace(flags=flags)
            _ingest(session, arrival)
            attach(session, arrival.id, entries[MOST_FILES:], post.sender.name)
    except ValueError as error:
        raise OdkError("too_long", reason=str(error)[:200]) from error
    return arrival.id


def _ingest(session: Session, arrival: Arrival) -> None:
    """Store a record unless somebody took its id meanwhile: two contents of one id would put both aside."""
    held = records.record_by_id(session, arrival.id)
    if held is not None and bytes(held.sha256) != arrival.sha256:
        raise OdkError("instance_taken")
    records.ingest(session, [arrival], now_ms())


def _content(post: Post, record_id: str, replaces: Seen | None) -> dict[str, Any]:
    form, sender = post.form, post.sender
    answers = answers_in(form, post.submission.root)
    started, finished = _moments(form, answers)
    said: dict[str, Any] = {
        "instance": post.submission.instance, "version": post.submission.version, "submitter": sender.id,
        "name": sender.name, "device": sender.device[:MOST_DEVICE], "agent": sender.agent[:MOST_DEVICE],
        "xml": hashlib.sha256(post.xml).hexdigest(),
    }  # fmt: skip
    if sealed := encrypted_files(post.submission.root):
        said["encrypted"] = sealed
    elif says_more(form, post.submission.root):
        said["more"] = True
    content: dict[str, Any] = {
        "id": record_id,
        "kind": "submission",
        "form": form.form_id,
        "version": form.version,
        "form_sha": form.sha256[:16],
        "started": started,
        "finished": finished if replaces is None else iso_here(now_ms()),
        "lang": "es",
        "mode": "odk",
        "salt": new_salt(),
        "answers": answers,
        "odk": said,
    }
    return content if replaces is None else content | {"kind": "edit", "replaces": replaces.head.id}


def _moments(form: Form, answers: Mapping[str, Any]) -> tuple[str, str]:
    """Return when it was begun and ended, as the device says it where the form asks for that; else now."""
    ends = {action.path for action in form.actions if "finish" in action.events}
    said = {question.path: str(answers.get(question.key, "")) for question in form.questions if not question.row}
    now = iso_here(now_ms())
    finished = next((said[path] for path in ends if parse_iso(said.get(path, ""))), now)
    start = str(answers.get("start", ""))
    return (start if parse_iso(start) else finished), finished


# --- ids


def new_id(session: Session, form_id: str, instance: str) -> str:
    """Return the id for the record of an instanceID: its UUID; one made from it where that is none, or another form's.

    ODK lets two forms use one instanceID; here an id is one record's in all the world.
    """
    first, *others = ids_of(form_id, instance)
    held = records.record_by_id(session, first) if others else None
    return others[0] if held is not None and held.form != form_id else first


def ids_of(form_id: str, instance: str) -> list[str]:
    """Return the ids that a submission may have here."""
    plain = instance.removeprefix("uuid:").lower()
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, f"odk:{form_id}:{instance}"))
    return [plain, made_up] if UUID_FORM.fullmatch(plain) else [made_up]


def _held(session: Session, form_id: str, instance: str) -> Record | None:
    return odk.first_held(session, form_id, ids_of(form_id, instance))


def seen_by(session: Session, form_id: str, instance: str) -> Seen | None:
    """Return the submission that an instanceID names, by any of its versions."""
    held = _held(session, form_id, instance)
    return odk.one_of(session, form_id, held.id) if held is not None else None


def _instance(record: Record) -> str:
    said = json.loads(record.body or "{}").get("odk")
    given = said.get("instance") if isinstance(said, dict) else None
    return given if isinstance(given, str) and given else f"uuid:{record.id}"


# --- files


def _expected(post: Post) -> list[str]:
    sealed = encrypted_files(post.submission.root)
    return sealed or names_of_files(fields_of(post.form), answers_in(post.form, post.submission.root))


def _files(session: Session, post: Post, replaces: Seen | None) -> list[dict[str, Any]]:
    """Keep the files that came, and take over those of the version before that are still named."""
    expected = _expected(post)
    kept = _kept(session, post.files, expected)
    came = {entry["name"] for entry in kept}
    before = _entries_of(replaces) if replaces is not None else {}
    return kept + [before[name] for name in expected if name in before and name not in came]


def _kept(session: Session, files: Iterable[PostedFile], expected: Sequence[str]) -> list[dict[str, Any]]:
    """Keep those files that an answer names; an empty one is none."""
    named = {file.name: file for file in files if file.name in expected and file.content}
    return [entry_of(session, file) for file in named.values()]


def entry_of(session: Session, file: PostedFile) -> dict[str, Any]:
    """Keep a file; return what a record says of it. Raises OdkError too_large."""
    if len(file.content) > blobs.MAX_BLOB_BYTES:
        raise OdkError("too_large", size=len(file.content), limit=blobs.MAX_BLOB_BYTES)
    sha256 = blobs.add_blob(session, file.content, file.media_type)
    kind = blobs.tidy_type(file.media_type)
    return {"name": file.name, "sha256": sha256, "bytes": len(file.content), "type": kind}


def _xml_entry(session: Session, xml: bytes) -> dict[str, Any]:
    return entry_of(session, PostedFile(XML_NAME, xml, XML_TYPE))


def _entries_of(seen: Seen) -> dict[str, dict[str, Any]]:
    """Return name -> entry of the files that a submission names by now."""
    found: dict[str, dict[str, Any]] = {}
    for record in (seen.head, *seen.words):
        named = json.loads(record.body or "{}").get("blobs")
        entries = [entry for entry in named if isinstance(entry, dict)] if isinstance(named, list) else []
        found |= {str(entry.get("name")): entry for entry in entries}
    found.pop(XML_NAME, None)
    return found


def attach(session: Session, about: str, entries: Sequence[dict[str, Any]], by: str) -> None:
    """Note files that came after their record: annotations name them, so that they travel and go with it."""
    for start in range(0, len(entries), MOST_FILES):
        some = [dict(entry) for entry in entries[start : start + MOST_FILES]]
        records.ingest(session, [annotation(about, by, now_ms(), blobs=some)], now_ms())


def annotation(about: str, by: str, at_ms: int, **said: Any) -> Arrival:
    """Return what is said of a record by a client of ODK."""
    head = {"id": uuid7(at_ms), "kind": "annotation", "finished": iso(at_ms), "salt": new_salt()}
    return made(head | {"about": about, "by": by} | said)
