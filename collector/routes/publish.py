"""The lab publishes a form from the browser: upload with its files, the command's own report, what a new version
changes, a look at it as people will meet it, and then the decision.

What was checked waits as a draft (collector/publish/drafts.py), so that nobody uploads twice.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.types import Message

from collector.clock import now_ms
from collector.form_store import VersionTaken
from collector.forms.report import Report
from collector.pages import page, page_language
from collector.publish.drafts import Draft, drop_draft, keep_draft, open_draft
from collector.publish.publishing import MAX_BYTES, MAX_FILES, Checked, check_file
from collector.routes.access import Person, person_who_may, posted_fields
from collector.routes.audited import note
from collector.routes.form_impact import Impact, impact_of
from collector.routes.lab_preview import Drafted
from collector.routes.lab_scope import lab_scope
from collector.web import read_body

HERE = "/lab/publicar"
router = APIRouter(prefix=HERE, include_in_schema=False)
Publisher = Annotated[Person, Depends(person_who_may("publish"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
FORM_PARTS_BYTES = 256 * 1024  # what a multipart body adds to the files
LONGEST_NAME = 200


@router.get("")
def show(request: Request, person: Publisher) -> HTMLResponse:
    """Ask for a file."""
    return _page(request, person, "", None)


@router.post("", response_model=None)
async def upload(request: Request, person: Publisher) -> HTMLResponse | RedirectResponse:
    """Check the form with its files, and publish it when that was asked for and nothing stands in the way.

    A version that takes the place of answered questions waits for a second word.
    """
    body = await read_body(request, MAX_BYTES + FORM_PARTS_BYTES)

    async def again() -> Message:
        return {"type": "http.request", "body": body}

    async with Request(request.scope, again).form(max_files=MAX_FILES + 1, max_fields=5) as posted:
        file = posted.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return _page(request, person, "no_file", None, status=422)
        name, content, go = file.filename, await file.read(), posted.get("go")
        media = [each for each in posted.getlist("media") if isinstance(each, UploadFile) and each.filename]
        files = {each.filename or "": await each.read() for each in media}
    checked = await run_in_threadpool(check_file, name, content, files)
    return await run_in_threadpool(_judge, request, person, checked, name[-LONGEST_NAME:], content, go == "publish")


def _judge(
    request: Request, person: Person, checked: Checked, name: str, content: bytes, is_wanted: bool
) -> HTMLResponse | RedirectResponse:
    """Keep what can be published, and publish it at once when that was asked for and it takes nothing away."""
    if checked.form is None:
        return _page(request, person, "errors", checked.report, status=422)
    data_dir = request.app.state.settings.data_dir
    token = keep_draft(data_dir, checked, name, content, person.who, now_ms())
    impact = impact_of(request, checked.form) if is_wanted else None
    draft = open_draft(data_dir, token, now_ms())
    if draft is None or not is_wanted or (impact is not None and impact.asked):
        return RedirectResponse(f"{HERE}/{token}{'?confirmar=1' if is_wanted else ''}", 303)
    return _published(request, person, draft)


@router.get("/{token}")
def show_draft(request: Request, person: Publisher, draft: Drafted, confirmar: int = 0) -> HTMLResponse:
    """Show the report of a form that waits, and what publishing it changes; `confirmar`: it was to be published."""
    outcome = "confirm" if confirmar else "checked"
    return _page(request, person, outcome, draft.report, impact_of(request, draft.form), draft)


@router.post("/{token}", response_model=None)
def decide(request: Request, person: Publisher, posted: Posted, draft: Drafted) -> HTMLResponse | RedirectResponse:
    """Publish the form that waits, or throw it away."""
    if posted.get("go") == "drop":
        drop_draft(request.app.state.settings.data_dir, draft.token)
        return RedirectResponse(HERE, 303)
    return _published(request, person, draft)


def _published(request: Request, person: Person, draft: Draft) -> HTMLResponse:
    """Publish, with a trace of who did, and say what came of it."""
    form = draft.form
    files = {name: draft.file(name) or b"" for name in draft.files}
    held = request.app.state.forms.get(form.form_id, form.version)
    if held is None:  # before it stands here: no trace, no form
        note(request, person, "publish", form.form_id, version=form.version, file=draft.name)
    try:
        is_new = request.app.state.install_form(draft.xform, draft.name, draft.source(), files)
    except VersionTaken:
        return _page(request, person, "taken", draft.report, status=422)
    drop_draft(request.app.state.settings.data_dir, draft.token)
    return _page(request, person, "published" if is_new else "known", draft.report)


def _page(
    request: Request, person: Person, outcome: str, report: Report | None,
    impact: Impact | None = None, draft: Draft | None = None, status: int = 200,
) -> HTMLResponse:  # fmt: skip
    scope = lab_scope(request, person.who, HERE)
    scope.update(
        outcome=outcome, report=report, report_lang=page_language(request), impact=impact, draft=draft,
        own=f"/lab/formularios/{quote(report.form_id, safe='')}" if report and report.form_id else "",
    )  # fmt: skip
    return page(request, "lab/publish.html", scope, status=status)
