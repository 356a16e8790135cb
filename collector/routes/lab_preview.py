"""A form as citizens will meet it, before it is published: the very page with its scripts, which stores nothing.

static/js/preview.js closes the browser's store to the page's scripts, which then do what they do on a phone that blocks
it: they show every page and post the end to the node. Here nothing comes of that post. Without scripts the node takes
every step, as on the page itself.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import now_ms
from collector.fill.page_json import fill_json
from collector.fill.post_body import read_posted
from collector.form_store import as_name, stored_file
from collector.forms.model import language_code
from collector.forms.state import Filling
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.publish.drafts import Draft, open_draft
from collector.routes.access import who_may
from collector.routes.citizen import View, answer_post
from collector.routes.media import file_headers, range_of

router = APIRouter(prefix="/lab/vista", include_in_schema=False)
NOT_KEPT = {"Cache-Control": "no-store"}
User = Annotated[str, Depends(who_may("publish"))]


def draft_of(request: Request, token: str) -> Draft:
    """Return the draft of the address. Raises ProblemError draft_gone."""
    draft = open_draft(request.app.state.settings.data_dir, token, now_ms())
    if draft is None:
        raise ProblemError(PROBLEMS["draft_gone"])
    return draft


Drafted = Annotated[Draft, Depends(draft_of)]


@router.get("/{token}")
def show(request: Request, _user: User, draft: Drafted) -> HTMLResponse:
    """Draw the page of the form as somebody meets it who opens it."""
    return HTMLResponse(_view(request, draft).render(first=True), headers=NOT_KEPT)


@router.get("/{token}/form.json")
def form_json(request: Request, _user: User, draft: Drafted) -> Response:
    """What the page's scripts read of the form."""
    content = fill_json(draft.form, _view(request, draft).words, node_id=request.app.state.node_id)
    return Response(content, headers=NOT_KEPT, media_type="application/json")


def _view(request: Request, draft: Draft) -> View:
    form = draft.form
    language = (form.languages or ("",))[0]
    view = View(request, form, Filling(form, (now_ms(), 0), language_code(language)), language)
    view.filling.settle()
    view.address = view.home = f"/lab/vista/{draft.token}"
    view.is_preview = True
    return view


@router.post("/{token}")
async def go_on(request: Request, _user: User, draft: Drafted) -> Response:
    """Take a page: next, back, another language, or send, which ends the preview."""
    posted = await read_posted(request)
    here = f"/lab/vista/{draft.token}"
    return await run_in_threadpool(answer_post, request, draft.form, posted, here, _thank, "", is_preview=True)


def _thank(view: View, _record_id: str, _is_its_code: bool) -> Response:
    scope = {"form": view.form, "again": view.address, "back": view.address.replace("/vista/", "/publicar/")}
    return page(view.request, "lab/preview_end.html", scope, block="main")


@router.get("/{token}/media/{name}")
def media(request: Request, _user: User, draft: Drafted, name: str) -> Response:
    """Send a file that the form came with, or the range of it that a player asks for."""
    content = draft.file(as_name(name))
    if content is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    headers = file_headers(stored_file(as_name(name), content)) | NOT_KEPT
    wanted = range_of(request.headers.get("range", ""), len(content))
    if not wanted:
        return Response(content, headers=headers)
    said = f"bytes {wanted.start}-{wanted.stop - 1}/{len(content)}"
    return Response(content[wanted.start : wanted.stop], 206, headers | {"Content-Range": said})


@router.get("/{token}/media/voice/{digest}")
def voice(_user: User, draft: Drafted, digest: str) -> RedirectResponse:
    """Lead to a recording of these words: it speaks in every version that has them."""
    form_id, version = (quote(text, safe="") for text in (draft.form.form_id, draft.form.version))
    return RedirectResponse(f"/f/{form_id}/{version}/media/voice/{quote(digest, safe='')}", 302)
