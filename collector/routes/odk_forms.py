"""Forms that clients of ODK publish: whole at once, or a draft that gets its files and is then published."""

import hashlib
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, now_ms
from collector.form_store import FormStore, VersionTaken, media_type_of
from collector.forms.report import FormErrors
from collector.forms.xform_head import head_of, with_version
from collector.odk_problems import OdkError
from collector.odk_receiving import said_version
from collector.publish.odk_drafts import OdkDraft, drop_draft, keep_draft, keep_file, read_draft
from collector.publish.publishing import MAX_BYTES, MAX_FILE_BYTES, Checked, check_file
from collector.routes.access import Person
from collector.routes.odk_common import PROJECT, OdkRoute, Project, new_key, record_note, said_yes, who_may
from collector.tables.forms import FormVersion
from collector.web import read_body

router = APIRouter(prefix="/v1/projects/{project_id}/forms", include_in_schema=False, route_class=OdkRoute)
Publisher = Annotated[Person, Depends(who_may("publish"))]
Viewer = Annotated[Person, Depends(who_may("see"))]
ENDINGS = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-excel": "xls",
}


@router.get("")
def list_forms(request: Request, project_id: Project, person: Viewer) -> list[dict[str, Any]]:
    """List the newest version of every form."""
    forms: FormStore = request.app.state.forms
    return [_about(row) for row in forms.current() if person.may_read(row.form_id)]


@router.post("")
async def create(request: Request, project_id: Project, person: Publisher) -> dict[str, Any]:
    """Take a form; with `publish=true` publish it, else keep it as a draft."""
    content = await read_body(request, MAX_BYTES)
    return await run_in_threadpool(_create, request, person, content)


def _create(request: Request, person: Person, content: bytes) -> dict[str, Any]:
    name = f"form.{_ending(request)}"
    forms: FormStore = request.app.state.forms
    form_id = _form_id(request, name, content)
    if forms.versions(form_id):
        raise OdkError("taken", fields="projectId,xmlFormId", values=f"{PROJECT},{form_id}")
    draft = OdkDraft(form_id, name, content, now_ms())
    if said_yes(request, "publish"):
        return _about(_publish(request, person, draft, ""))
    keep_draft(request.app.state.settings.data_dir, draft)
    return _of_draft(draft)


@router.get("/{form_id}")
def show(request: Request, project_id: Project, form_id: str, person: Viewer) -> dict[str, Any]:
    """Show the newest version of a form."""
    forms: FormStore = request.app.state.forms
    rows = forms.versions(form_id)
    if not rows:
        raise OdkError("not_found")
    return _about(rows[0])


@router.post("/{form_id}/draft")
async def make_draft(request: Request, project_id: Project, form_id: str, person: Publisher) -> dict[str, bool]:
    """Keep a draft of the form's next version: as sent, or without a body the published one to begin with."""
    content = await read_body(request, MAX_BYTES)
    await run_in_threadpool(_make_draft, request, form_id, content)
    return {"success": True}


def _make_draft(request: Request, form_id: str, content: bytes) -> None:
    state = request.app.state
    rows: list[FormVersion] = state.forms.versions(form_id)
    if not rows and read_draft(state.settings.data_dir, form_id) is None:
        raise OdkError("not_found")
    if not content.strip():
        if not rows:
            raise OdkError("missing", field="body")
        keep_draft(state.settings.data_dir, OdkDraft(form_id, "form.xml", rows[0].xform.encode(), now_ms()))
        return
    name = f"form.{_ending(request)}"
    found = _form_id(request, name, content)
    if found != form_id:
        raise OdkError("unexpected", field="form id", value=found, reason="did not match the form ID in the URL")
    keep_draft(state.settings.data_dir, OdkDraft(form_id, name, content, now_ms()))


@router.post("/{form_id}/draft/attachments/{name}")
async def attach(request: Request, project_id: Project, form_id: str, name: str, person: Publisher) -> dict[str, Any]:
    """Keep a file of the draft."""
    content = await read_body(request, MAX_FILE_BYTES)
    is_kept = await run_in_threadpool(keep_file, request.app.state.settings.data_dir, form_id, name, content)
    if not is_kept:
        raise OdkError("not_found")
    kind = media_type_of(name).partition("/")[0]
    there = {"exists": True, "blobExists": True, "datasetExists": False, "updatedAt": iso(now_ms())}
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"name": name, "type": kind if kind in ("image", "audio", "video") else "file", "hash": digest} | there


@router.post("/{form_id}/draft/publish")
def publish(request: Request, project_id: Project, form_id: str, person: Publisher) -> dict[str, bool]:
    """Publish the draft, under another version if `version` gives one."""
    data_dir = request.app.state.settings.data_dir
    draft = read_draft(data_dir, form_id)
    if draft is None:
        raise OdkError("not_found")
    _publish(request, person, draft, request.query_params.get("version", ""))
    drop_draft(data_dir, form_id)
    return {"success": True}


# --- publishing


def _publish(request: Request, person: Person, draft: OdkDraft, version: str) -> FormVersion:
    """Publish a draft with its files and those that the version before had. Raises OdkError form_invalid,
    version_taken.
    """
    forms: FormStore = request.app.state.forms
    files = _files_before(forms, draft.form_id) | draft.files
    checked = check_file(draft.name, draft.content, files)
    xform, source = _usable(checked, draft), draft.content
    if version:
        xform = with_version(xform, version)
        source = with_version(_text(source), version).encode() if draft.name.endswith(".xml") else source
    record_note(request, person, "publish", draft.form_id, format="odk", version=version)
    try:
        is_new = request.app.state.install_form(xform, draft.name, source, checked.files or _named(files, xform))
    except VersionTaken as error:
        taken = str(error).removeprefix(draft.form_id).strip()
        raise OdkError("version_taken", xmlFormId=draft.form_id, version=taken) from error
    except FormErrors as error:
        raise OdkError("form_invalid", reason=str(error)[:1000]) from error
    row: FormVersion = forms.versions(draft.form_id)[0]
    if not is_new:
        raise OdkError("version_taken", xmlFormId=draft.form_id, version=row.version)
    return row


def _usable(checked: Checked, draft: OdkDraft) -> str:
    """Return the XForm to publish. A picture that is missing stops nobody here: ODK lets it come later."""
    if checked.form is not None:
        return checked.xform
    errors = checked.report.of("error")
    if draft.name.endswith(".xml") and all(finding.code == "file_missing" for finding in errors):
        return _text(draft.content)
    raise OdkError("form_invalid", reason=" ".join(finding.message for finding in errors)[:1000])


def _named(files: dict[str, bytes], xform: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name in xform}


def _files_before(forms: FormStore, form_id: str) -> dict[str, bytes]:
    rows = forms.versions(form_id)
    facts = forms.files(form_id, rows[0].version) if rows else []
    held = (forms.file(form_id, rows[0].version, fact.name) for fact in facts)
    return {file.name: file.content for file in held if file is not None}


def _form_id(request: Request, name: str, content: bytes) -> str:
    """Return the id of a form that was sent: of an XForm as it says it, of a workbook as reading it finds."""
    if name.endswith(".xml"):
        form_id = head_of(_text(content)).form_id
        if not form_id:
            raise OdkError("unparseable", format="xforms xml", reason="no primary instance with an id")
        return form_id
    checked = check_file(name, content)
    fallback = unquote(request.headers.get("x-xlsform-formid-fallback", ""))
    return checked.report.form_id or fallback


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OdkError("unparseable", format="xml", reason="not UTF-8") from error


def _ending(request: Request) -> str:
    return ENDINGS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower(), "xml")


# --- as ODK tells of a form


def _about(row: FormVersion) -> dict[str, Any]:
    source = row.source if row.source_name.endswith(".xml") else row.xform.encode()
    made = iso(row.published_ms)
    return _shape(row.form_id, row.title, said_version(row), source, made) | {"updatedAt": made, "publishedAt": made}


def _of_draft(draft: OdkDraft) -> dict[str, Any]:
    head = head_of(draft.content.decode("utf-8", "replace"))
    about = _shape(draft.form_id, head.title or draft.form_id, head.version, draft.content, iso(draft.made_ms))
    return about | {"updatedAt": None, "publishedAt": None, "draftToken": new_key()}


def _shape(form_id: str, name: str, version: str, source: bytes, made: str) -> dict[str, Any]:
    digest = hashlib.md5(source, usedforsecurity=False).hexdigest()
    return {
        "projectId": int(PROJECT), "xmlFormId": form_id, "name": name, "version": version, "hash": digest,
        "state": "open", "enketoId": None, "enketoOnceId": None, "keyId": None, "createdAt": made, "draftToken": None,
    }  # fmt: skip
