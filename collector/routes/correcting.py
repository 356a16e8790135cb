"""A person corrects their own answers with the receipt code: the form's page, filled in, without scripts.

What is sent is a record of its own that takes the place of the first one (kind "edit"); the same code finds it.
"""

import json

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, now_ms, offset_here
from collector.fill.post_body import Posted, read_posted
from collector.forms.listed import put_places
from collector.forms.model import Form, language_code
from collector.forms.state import Filling, language_of
from collector.lab.tables import answers_of
from collector.problems import PROBLEMS, ProblemError
from collector.queries.records import COLLECTED
from collector.routes.citizen import View, answer_post, draw, find_form
from collector.routes.withdrawal import WrongCodes, with_claimed
from collector.tables.log import Record
from sync.limits import RateLimit
from sync.records import uuid7

router = APIRouter(include_in_schema=False)


@router.post("/codigo/corregir/{record_id}")
async def correct(request: Request, record_id: str, wrong: WrongCodes) -> Response:
    """Draw the form with the answers of a record, then take its pages one by one. Raises ProblemError."""
    posted = await read_posted(request)
    return await run_in_threadpool(_correct, request, record_id, wrong, posted)


def _correct(request: Request, record_id: str, wrong: RateLimit, posted: Posted) -> Response:
    def go_on(code: str, records: list[Record]) -> Response:
        record = next((it for it in records if it.id == record_id and it.kind in COLLECTED and it.body), None)
        if record is None:
            raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
        form = find_form(request, record.form, record.version)
        if "_page" not in posted.fields:
            return _first_page(request, form, record, code)
        return answer_post(request, form, posted, request.url.path, _corrected, record.id)

    return with_claimed(request, {"code": posted.fields.get("_code", "")}, wrong, go_on)


def _first_page(request: Request, form: Form, record: Record, code: str) -> HTMLResponse:
    content = json.loads(record.body or "{}")
    language = language_of(form, str(content.get("lang", "")))
    filling = Filling(form, (now_ms(), offset_here()), language_code(language), language=language)
    filling.fill(answers_of(content))
    put_places(filling, content.get("places"))
    view = View(request, form, filling, language)
    view.address, view.replaces, view.is_plain = request.url.path, record.id, True
    view.record_id, view.code, view.started = uuid7(), code, iso(now_ms())
    view.files = {str(entry.get("name")): entry for entry in content.get("blobs", ()) if isinstance(entry, dict)}
    return draw(view)


def _corrected(view: View, record_id: str, _is_its_code: bool) -> Response:
    return RedirectResponse(f"/respuesta/{record_id}", 303)
