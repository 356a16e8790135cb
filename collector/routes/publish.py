"""The lab publishes a form from the browser: upload with its files, the command's own report, and what came of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.types import Message

from collector.form_store import VersionTaken
from collector.forms.report import Report
from collector.pages import page, page_language
from collector.publish.publishing import MAX_BYTES, MAX_FILES, Checked, check_file
from collector.routes.access import lab_user
from collector.routes.lab_scope import lab_scope
from collector.web import read_body

router = APIRouter(prefix="/lab/publicar", include_in_schema=False)
User = Annotated[str, Depends(lab_user)]
FORM_PARTS_BYTES = 256 * 1024  # what a multipart body adds to the files


@router.get("")
def show(request: Request, user: User) -> HTMLResponse:
    """Ask for a file."""
    return _page(request, user, "", None)


@router.post("")
async def upload(request: Request, user: User) -> HTMLResponse:
    """Check the form with its files, and publish it when that was asked for and nothing stands in the way."""
    body = await read_body(request, MAX_BYTES + FORM_PARTS_BYTES)

    async def again() -> Message:
        return {"type": "http.request", "body": body}

    async with Request(request.scope, again).form(max_files=MAX_FILES + 1, max_fields=5) as posted:
        file = posted.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return _page(request, user, "no_file", None, 422)
        name, content, go = file.filename, await file.read(), posted.get("go")
        media = [each for each in posted.getlist("media") if isinstance(each, UploadFile) and each.filename]
        files = {each.filename or "": await each.read() for each in media}
    checked = await run_in_threadpool(check_file, name, content, files)
    outcome = await run_in_threadpool(_publish, request, checked, name, content) if go == "publish" else "checked"
    if not checked.report.is_publishable:
        outcome = "errors"
    return _page(request, user, outcome, checked.report, 422 if outcome in ("errors", "taken") else 200)


def _publish(request: Request, checked: Checked, name: str, content: bytes) -> str:
    if checked.form is None:
        return "errors"
    try:
        is_new = request.app.state.install_form(checked.xform, name, content, checked.files)
    except VersionTaken:
        return "taken"
    return "published" if is_new else "known"


def _page(request: Request, user: str, outcome: str, report: Report | None, status: int = 200) -> HTMLResponse:
    scope = lab_scope(request, user, "/lab/publicar")
    scope.update(outcome=outcome, report=report, report_lang=page_language(request))
    return page(request, "lab/publish.html", scope, status=status)
