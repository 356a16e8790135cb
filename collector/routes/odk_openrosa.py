"""Where ODK Collect and its relatives send: OpenRosa, with a device's key in the address.

A success is 201: 200 would be taken for a captive portal. What a sender is told is text for people.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from collector.odk_problems import OdkError
from collector.odk_receiving import PostedFile, Sender, opened, take_any
from collector.queries.odk import AppUser
from collector.routes.odk_common import OdkRoute, Project, desk_of, device_of

XML_PART = "xml_submission_file"
MOST_BYTES = 100_000_000  # of one request; Collect sends more in several
MOST_PARTS = 200
HEADERS: Mapping[str, str] = {
    "X-OpenRosa-Version": "1.0",
    "X-OpenRosa-Accept-Content-Length": str(MOST_BYTES),
    "Content-Language": "es",
}
THANKS = "Se recibió completo."


class OpenRosaRoute(OdkRoute):
    """A route whose problems are OpenRosa responses."""

    def answer_problem(self, error: OdkError) -> Response:
        """Return the answer to a problem: XML that Collect shows."""
        return said(error.sentence(), error.row.status, "error")


router = APIRouter(prefix="/v1/key/{key}", include_in_schema=False, route_class=OpenRosaRoute)


def said(message: str, status: int, nature: str = "") -> Response:
    """Return an OpenRosa response."""
    body = f'<message nature="{nature}">{escape(message)}</message>'
    text = f'<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">{body}</OpenRosaResponse>'
    return Response(text, status, HEADERS, media_type="text/xml; charset=utf-8")


@router.api_route("/projects/{project_id}/submission", methods=["GET", "HEAD"])
def offer(request: Request, key: str, project_id: Project) -> Response:
    """Tell that submissions are taken here, and how large they may be."""
    device_of(request, key)
    return Response(status_code=204, headers=HEADERS)


@router.post("/projects/{project_id}/submission")
async def take(request: Request, key: str, project_id: Project) -> Response:
    """Take a submission with its files, or more files of one that is here."""
    user = await run_in_threadpool(device_of, request, key)
    xml, files = await _parts(request)
    await run_in_threadpool(_take, request, user, xml, files)
    return said(THANKS, 201)


def _take(request: Request, user: AppUser, xml: bytes, files: list[PostedFile]) -> None:
    agent = request.headers.get("user-agent", "")
    sender = Sender(user.id, user.name, request.query_params.get("deviceID", ""), agent)
    desk = desk_of(request)
    post = opened(desk, xml, sender, files)
    if post.form.form_id not in user.forms:
        raise OdkError("login")  # to a device this is as if there were no such form
    take_any(desk, post)
    request.app.state.kick()


async def _parts(request: Request) -> tuple[bytes, list[PostedFile]]:
    """Return the XML and the files of a request, whatever their order. Raises OdkError multipart, too_large."""
    size = 0
    receive = request.receive

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise OdkError("too_large", size=size, limit=MOST_BYTES)
        return message

    try:
        async with Request(request.scope, counted).form(max_files=MOST_PARTS, max_fields=MOST_PARTS) as form:
            found = [(name, part) for name, part in form.multi_items()]
            parts = [await _read(name, part) for name, part in found]
    except HTTPException as error:
        raise OdkError("unparseable", format="multipart", reason=str(error.detail)[:200]) from error
    xml = next((part.content for part in parts if part.name == XML_PART), None)
    if xml is None:
        raise OdkError("multipart", field=XML_PART)
    return xml, [part for part in parts if part.name not in (XML_PART, "*isIncomplete*")]


async def _read(name: str, part: UploadFile | str) -> PostedFile:
    if isinstance(part, str):
        return PostedFile(name, part.encode(), "")
    return PostedFile(name, await part.read(), part.content_type or "")
