"""Guides of one's own: the page that explains how to write one, taking one in, and giving it out again."""

import json
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import iso_here, parse_iso
from collector.forms.report import Finding
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.publish.guides import ENDINGS, MAX_GUIDE_BYTES, CheckedGuide, check_guide, too_big
from collector.room_guides import LIBRARY, KeptGuide, guide_payload, kept_guides, starter_file, starter_guides
from collector.room_store import make_contribution
from collector.rooms.guide import LIST_SIZES, STEP_TYPES, text_in
from collector.rooms.refusals import Refusal
from collector.routes.access import facilitator
from collector.routes.posted_file import posted_file
from collector.routes.rooms_common import next_count, refusal_sentence, rooms_of, writer_of
from collector.routes.staff_scope import staff_scope
from sync.records import MAX_RECORD_BYTES

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
MOST_NAME = 100
MAX_PAYLOAD_BYTES = MAX_RECORD_BYTES - 2000  # the rest of the record is some 400
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "md": "text/markdown; charset=utf-8",
}


@router.get("/sala/guias")
def show(request: Request, _who: Facilitator) -> HTMLResponse:
    """Explain how a guide is written, and list those that were brought."""
    return _page(request)


@router.post("/sala/guias")
async def upload(request: Request, _who: Facilitator) -> Response:
    """Take a guide in and lead on to its session; what is wrong in it is listed, and nothing kept."""
    try:
        name, content = await posted_file(request, 4 * MAX_GUIDE_BYTES)
    except ProblemError as error:
        if error.problem.code != "too_large":
            raise
        return _page(request, trouble=error.sentence(page_language(request)), status=422)
    if not name:
        return _page(request, no_file=True, status=422)
    checked = await run_in_threadpool(check_guide, name, content)
    return await run_in_threadpool(_keep, request, checked, name, content)


def _keep(request: Request, checked: CheckedGuide, name: str, content: bytes) -> Response:
    if checked.guide is None:
        return _page(request, name=name, findings=checked.findings, status=422)
    if checked.guide.name in starter_guides():
        return _page(request, name=name, taken_name=checked.guide.name, status=422)
    held = next((each for each in kept_guides(request.app.state.engine) if each.guide == checked.guide), None)
    if held is not None:
        return RedirectResponse(f"/sala/nueva?guia={held.id}", 303)
    payload = guide_payload(checked.guide, name[-MOST_NAME:], content)
    size = len(json.dumps(payload, ensure_ascii=False).encode())
    if size > MAX_PAYLOAD_BYTES:
        return _page(request, name=name, findings=(too_big(size),), status=422)
    try:
        body = make_contribution(LIBRARY, "guide", payload, writer_of(request), next_count())
        rooms_of(request).add(body)
    except Refusal as refusal:
        return _page(request, name=name, trouble=refusal_sentence(request, refusal), status=422)
    return RedirectResponse(f"/sala/nueva?guia={body['id']}", 303)


@router.get("/sala/guias/{key}/archivo")
def get_file(request: Request, key: str, _who: Facilitator) -> Response:
    """Give a guide out as the file that was brought."""
    kept = _find(request, key)
    ending = kept.source_name.rpartition(".")[2].lower()
    name = f"{kept.guide.name}.{ending if ending in ENDINGS else 'md'}"
    return _download(kept.source, name)


@router.get("/sala/guias/ejemplo/{name}.{ending}")
def get_example(request: Request, name: str, ending: str, _who: Facilitator) -> Response:
    """Give a guide that comes with the program, as a spreadsheet or as text."""
    try:
        return _download(starter_file(name, ending), f"{name}.{ending}")
    except KeyError as error:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path) from error


@router.post("/sala/guias/{key}/quitar")
def take_away(request: Request, key: str, _who: Facilitator) -> RedirectResponse:
    """Take a guide off the list: sessions that used it keep theirs."""
    kept = _find(request, key)
    rooms_of(request).add(make_contribution(LIBRARY, "undo", {}, writer_of(request), next_count(), ref=kept.id))
    return RedirectResponse("/sala/guias", 303)


def _find(request: Request, key: str) -> KeptGuide:
    """Return a guide that was brought. Raises ProblemError not_found."""
    kept = next((each for each in kept_guides(request.app.state.engine) if each.id == key), None)
    if kept is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return kept


def _download(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    media_type = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(content, media_type=media_type, headers=headers)


def _page(
    request: Request,
    name: str = "",
    findings: tuple[Finding, ...] = (),
    taken_name: str = "",
    trouble: str = "",
    no_file: bool = False,
    status: int = 200,
) -> HTMLResponse:
    """Answer with the page of guides. name: of a file that was not taken; taken_name: a starter guide is called so."""
    language = page_language(request)
    scope = {
        "file_name": name,
        "findings": findings,
        "taken_name": taken_name,
        "trouble": trouble,
        "no_file": no_file,
        "report_lang": language,
        "kept": [_row(each, language) for each in kept_guides(request.app.state.engine)],
        "examples": [(each.name, text_in(each.title, language)) for each in starter_guides().values()],
        "types": STEP_TYPES,
        "list_sizes": LIST_SIZES,
    }
    return page(request, "rooms/guides.html", scope | staff_scope(request, "/sala"), status=status)


def _row(kept: KeptGuide, language: str) -> dict[str, str | int]:
    """Return what the list says of a guide that was brought."""
    moment = parse_iso(kept.finished)
    day = iso_here(moment[0])[:10] if moment else ""
    title = text_in(kept.guide.title, language)
    return {"id": kept.id, "title": title, "steps": len(kept.guide.steps), "day": day, "file": kept.source_name}
