"""What citizens meet: a form's page, its posts without JavaScript, and where an answer is."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from collector.clock import iso, now_ms, offset_here, parse_iso
from collector.db import reading, writing
from collector.fill.page import (
    FILES,
    Drawing,
    all_rows,
    control_of,
    has_files,
    is_open,
    page_troubles,
    shown_pages,
    shown_tags,
)
from collector.fill.page_files import page_scripts
from collector.fill.page_json import DEVICE, fill_json
from collector.fill.post_body import Posted, carried_files, named_in, read_posted
from collector.fill.posted import take_posted
from collector.fill.rich import is_rich
from collector.fill.voices import speaks
from collector.fill.words import Words
from collector.forms.consented import consent_page
from collector.forms.listed import places_of
from collector.forms.model import Form, language_code
from collector.forms.state import MAX_ROWS, Filling
from collector.kept_pages import WEEK, Kept, keep, send_kept
from collector.pages import browser_language, page, render
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, nodes, records
from collector.receipt_codes import claim_of, make_code, read_code, shown
from collector.routes.closed import closed_page
from collector.routes.media import KEPT_BYTES, media_addresses
from collector.routes.voices import voice_addresses, voices_in
from collector.submissions import make_submission
from collector.web import headers_of
from sync.records import FORMLESS, uuid7

router = APIRouter(include_in_schema=False)
CODE_COOKIE = "collector_code"
CODE_SECONDS = 3600  # long enough to write it down; on a shared tablet the next person must not find it


@router.get("/mis-respuestas")
def mine(request: Request) -> Response:
    """The outbox page: drawn by the browser from its own store, so the same for everybody and kept for a week."""
    body = render(request, "citizen/mine.html", {"lang": browser_language(request)})
    headers = {"Cache-Control": WEEK, "Vary": "Accept-Language"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/r/{record_id}")
def where_is(request: Request, record_id: str) -> Response:
    """Thank-you page of a browser without our scripts: how far this record came, or that it is erased."""
    with reading(request.app.state.engine) as session:
        record = records.record_by_id(session, record_id)
        if record is not None and record.state == "erased":
            return RedirectResponse(f"/respuesta/{record_id}", 303)
        if record is None or record.kind in FORMLESS:
            raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
        central = nodes.is_central(session) or bool(records.receipts_of(session, [record_id]))
    code = request.cookies.get(CODE_COOKIE, "")
    scope = {"record": record, "central": central, "address": form_address(record.form, record.version), "code": code}
    return page(request, "citizen/thanks.html", scope, block="main")


@router.get("/f/{form_id}")
def newest(request: Request, form_id: str) -> Response:
    """Lead to the newest version; kept for a week, so that a scanned QR opens without a signal."""
    versions = request.app.state.forms.versions(form_id)
    if not versions:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    address = form_address(form_id, versions[0].version)
    return closed_page(request, form_id) or RedirectResponse(address, 302, {"Cache-Control": WEEK})


def form_address(form_id: str, version: str) -> str:
    """Return the address of a version's page: the same bytes every time, without a query."""
    return f"/f/{quote(form_id, safe='')}/{quote(version, safe='')}"


def find_form(request: Request, form_id: str, version: str) -> Form:
    """Return the form. Raises ProblemError form_not_found."""
    form: Form | None = request.app.state.forms.get(form_id, version)
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{form_id} {version}")
    return form


class KeptResponse(Response):
    """The answer of a page that is kept from now on; the next one comes from `KeptPages` itself."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_kept(self.kept, dict(scope["headers"]), send)


@router.get("/f/{form_id}/{version}")
def form_page(request: Request, form_id: str, version: str) -> Response:
    """The form's page: the same bytes for everybody, kept by the browser for a week; or that it has closed."""
    return closed_page(request, form_id) or _kept(request, form_id, version)


@router.get("/f/{form_id}/{version}/form.json")
def form_json(request: Request, form_id: str, version: str) -> Response:
    """What the page's scripts read of the form."""
    return _kept(request, form_id, version)


def _kept(request: Request, form_id: str, version: str) -> Response:
    """Make the page and its JSON in one walk, and keep both; of a form that closed nothing: its page would be met."""
    form = find_form(request, form_id, version)
    language = _language(form)
    view = View(request, form, Filling(form, (now_ms(), 0), language_code(language)), language)
    view.filling.settle()
    html = view.render(first=True)
    path = f"/f/{form_id}/{version}"
    content = fill_json(form, view.words, node_id=request.app.state.node_id)
    made = {
        f"{path}/form.json": keep(content, "application/json"),
        path: keep(html.encode(), "text/html; charset=utf-8", headers_of(path)),
    }
    if closed_page(request, form_id) is None:
        request.app.state.kept_pages.update(made)
    return KeptResponse(made[request.scope["path"]])


Thank = Callable[["View", str, bool], Response]  # the drawing, the record's id, whether the drawing's code is its code
Keep = Callable[["View", records.Arrival], Response]  # what takes the record in place of storing it (lab_edit.py)


class View:
    """One drawing of a form's page for one filling. `address`: where it posts; `thank`: what a stored answer is told.

    replaces: the record that this one corrects; is_plain: drawn without scripts, so that the node takes every step.
    home: where the form's files are; is_preview: nobody answers, so that nothing is stored (routes/lab_preview.py).
    """

    def __init__(self, request: Request, form: Form, filling: Filling, language: str) -> None:
        self.request, self.form, self.filling, self.language = request, form, filling, language
        self.words = Words(form, self.language, request.app.state.english, filling, voices=voices_in(request, form))
        self.searches: dict[str, str] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.record_id = self.started = self.code = ""
        self.page = 0
        self.address = self.home = form_address(form.form_id, form.version)
        self.thank: Thank = _thanked
        self.keep: Keep | None = None
        self.replaces = ""
        self.is_plain = self.is_preview = False

    def render(self, first: bool = False, troubles: bool = False) -> str:
        """Return the HTML with page `self.page` visible; `first` for the cached page, which starts where it must."""
        path = shown_pages(self.filling) or [0]
        if first or self.page not in path:
            self.page = next((number for number in path if number >= self.page), path[-1])
        found = page_troubles(self.filling, self.page, self.words) if troubles else {}
        address = self.address
        drawing = Drawing(self.filling, self.words, found, self.searches)
        pages = list(drawing.everything())
        home, is_kept = self.home, not self.is_preview
        files = self.request.app.state.forms.files(self.form.form_id, self.form.version) if is_kept else []
        media = media_addresses(self.form, files)
        if self.words.voices and is_kept:
            media += voice_addresses(home, self.words.voices, KEPT_BYTES)
            media += [self.request.app.state.assets.url(path) for path in ("js/voice.js", "css/rich.css")]
        scope = {
            "form": self.form,
            "words": self.words,
            "lang": language_code(self.language),
            "language": self.language,
            "code_of": language_code,
            "pages": pages,
            "page": self.page,
            "consent": None if self.is_plain else consent_page(self.form),
            "position": path.index(self.page) + 1,
            "total": len(path),
            "troubles": found,
            "address": address,
            "home": home,
            "speaks": self._speaks(),
            "pictures": self._pictures(),
            "keep": " ".join([address, *media] if media else []),
            "scripts": [] if self.is_plain else page_scripts(self.form),
            "is_preview": self.is_preview,
            "was": "" if first and not is_rich(self.form) else json.dumps(self.filling.dump(), ensure_ascii=False),
            "has_files": has_files(self.form),
            "files": json.dumps(self.files, ensure_ascii=False) if self.files else "",
            "record_id": self.record_id,
            "code": self.code,
            "started": self.started,
        }
        partial = "main" if self.request.headers.get("hx-request") == "true" else None
        return render(self.request, "citizen/form.html", scope, partial)

    def _speaks(self) -> bool:
        return bool(self.words.voices) or speaks(self.form)

    def _pictures(self) -> list[str]:
        needs = {
            "face": any(control_of(q, self.form) == "scale" for q in self.form.questions),
            "plus": self.form.repeats,
            "volume": self._speaks(),
            "square": self._speaks(),
        }
        return [name for name, is_needed in needs.items() if is_needed]


@router.post("/f/{form_id}/{version}")
async def post_form(request: Request, form_id: str, version: str) -> Response:
    """Take a page of the form from a browser without our scripts: next, back, another language, or send."""
    posted = await read_posted(request)
    return await run_in_threadpool(answer_post, request, find_form(request, form_id, version), posted)


def answer_post(
    request: Request, form: Form, posted: Posted, address: str = "", thank: Thank | None = None, replaces: str = "",
    is_preview: bool = False, keep: Keep | None = None,
) -> Response:  # fmt: skip
    """Answer one posted page; another `address` and `thank` where the form is met elsewhere than at its own page."""
    fields = posted.fields
    files = carried_files(fields.get("_files", "")) | _keep_files(request, form, posted, is_preview)
    language = _language(form, fields.get("_lang") or fields.get("_language", ""))
    filling = _before(form, fields, language, request.app.state.node_id)
    number = int(fields["_page"]) if fields.get("_page", "").isdecimal() and len(fields["_page"]) < 5 else 0
    number = number if number < len(form.pages) else 0
    seen = shown_tags(filling, number)
    take_posted(filling, fields)
    view = View(request, form, filling, language)
    view.address, view.thank = address or view.address, thank or view.thank
    view.replaces, view.is_plain, view.is_preview = replaces, bool(replaces), is_preview
    view.home = address if is_preview else view.home
    view.files, view.keep = files, keep
    view.record_id = _as_id(fields.get("_id", ""))
    view.code = _as_code(fields.get("_code", ""))
    view.started = fields["_started"] if parse_iso(fields.get("_started", "")) else iso(now_ms())
    view.searches = {key.removeprefix("_find/"): text for key, text in fields.items() if key.startswith("_find/")}
    view.page = number
    due = _consent_due(view)
    if due is not None and due < number:
        view.page = due
        return draw(view, troubles=True)
    if fields.get("_lang") or _change_rows(filling, fields.get("_go", "")) or fields.get("_go") == "find":
        return draw(view)
    if fields.get("_go") == "back":
        return _move(view, -1)
    if page_troubles(filling, number, view.words):
        return draw(view, troubles=True)
    if shown_tags(filling, number) - seen:  # an answer made a question of the same page appear: nobody has seen it
        return draw(view)
    return _send(view) if fields.get("_go") == "send" else _move(view, 1)


def _consent_due(view: View) -> int | None:
    """Return the first page up to the consent notice where something is missing: nobody goes beyond it."""
    last = consent_page(view.form)
    pages = [] if last is None else [number for number in shown_pages(view.filling) if number <= last]
    return next((number for number in pages if page_troubles(view.filling, number, view.words)), None)


def _before(form: Form, fields: Mapping[str, str], language: str, node_id: str) -> Filling:
    """Return the form as the posted page showed it: what it carried from step to step, at first a new record."""
    filling = Filling(form, (now_ms(), offset_here()), language_code(language), language=language)
    with suppress(KeyError, ValueError, RecursionError):  # opened just now, or not by our page: from the start
        filling.restore(json.loads(fields["_was"]))
    for question in form.questions:
        if question.property == DEVICE:
            filling.set(question.path, node_id)
    return filling


def _keep_files(request: Request, form: Form, posted: Posted, is_preview: bool) -> dict[str, dict[str, Any]]:
    """Store what was posted for the form's questions and put its name into the answer; return the entries."""
    entries: dict[str, dict[str, Any]] = {}
    asked = {question.key for question in form.questions if question.type in FILES}
    files = [file for file in posted.files if file.field.rpartition("]/")[2] in asked]
    if is_preview:
        posted.fields.update({file.field: file.field.rpartition("/")[2] for file in files if file.content})
    elif files:
        with writing(request.app.state.engine) as session:
            for file in files:
                sha256 = blobs.add_blob(session, file.content, file.media_type)
                entry = blobs.entry_of(session, sha256, file.field.rpartition("/")[2])
                if entry is not None:
                    posted.fields[file.field] = entry["name"]
                    entries[entry["name"]] = entry
    return entries


def _change_rows(filling: Filling, go: str) -> bool:
    """Add or remove the row that a button names ("add:casa/persona", "remove:persona[2]"); False for another button."""
    what, _, name = go.partition(":")
    if what not in ("add", "remove"):
        return False
    for row, prefix, _ in list(all_rows(filling)):
        for repeat in filling.program.levels[row.path].repeats:
            rows = row.rows[repeat.path]
            numbers = [n for n in range(len(rows)) if name == f"{prefix}{repeat.key}[{n + 1}]"]
            if what == "add" and name == prefix + repeat.key and is_open(repeat) and len(rows) < MAX_ROWS:
                filling.add_row(repeat.path, row)
            elif what == "remove" and numbers and is_open(repeat):
                filling.remove_row(repeat.path, numbers[0], row)
    return True


def _language(form: Form, asked: str = "") -> str:
    """Return the language of the form to draw: the one asked for, else its default."""
    return asked if asked in form.languages else (form.languages or ("",))[0]


def _as_id(text: str) -> str:
    """Return the id that the page carries, or a new one: a form posted twice stays one record."""
    lean = text.replace("-", "")
    return text if len(text) == 36 and len(lean) == 32 and all(c in "0123456789abcdef" for c in lean) else uuid7()


def _as_code(text: str) -> str:
    """Return the receipt code that the page carries, or a new one: posted twice, the person sees the same."""
    try:
        return shown(read_code(text))
    except ProblemError:
        return make_code()


def draw(view: View, troubles: bool = False) -> HTMLResponse:
    """Answer with the page as it stands; `troubles`: with what is not right on it, as 422."""
    response = HTMLResponse(view.render(troubles=troubles), 422 if troubles else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _move(view: View, step: int) -> Response:
    path = shown_pages(view.filling)
    beyond = [number for number in path if (number > view.page if step > 0 else number < view.page)]
    if not beyond and step > 0:
        return _send(view)
    view.page = (beyond[0] if step > 0 else beyond[-1]) if beyond else view.page
    return draw(view)


def _send(view: View) -> Response:
    for number in shown_pages(view.filling):
        if page_troubles(view.filling, number, view.words):
            view.page = number
            return draw(view, troubles=True)
    view.filling.finish()
    if view.is_preview:
        return view.thank(view, view.record_id, True)
    state = view.request.app.state
    started = parse_iso(view.started) or (now_ms(), 0)
    answers, places = view.filling.answers(), places_of(view.filling)
    language, files = language_code(view.language), named_in(answers, view.files)
    claim = claim_of(view.code)
    arrival = make_submission(
        view.form, answers, started[0], language, view.record_id, files, claim, replaces=view.replaces, places=places
    )
    if view.keep is not None:
        return view.keep(view, arrival)
    with writing(state.engine) as session:
        held = records.record_by_id(session, arrival.id)
        is_its_code = held is None or held.claim == arrival.claim
        if held is None:
            records.ingest(session, [arrival], now_ms())
    state.kick()
    return view.thank(view, arrival.id, is_its_code)


def _thanked(view: View, record_id: str, is_its_code: bool) -> Response:
    """Lead to the thank-you page; the code goes in a cookie of that page alone, never in an address."""
    path = f"/r/{record_id}"
    response = RedirectResponse(path, 303)
    if not is_its_code:
        return response
    is_secure = view.request.app.state.settings.secure_cookies
    response.set_cookie(
        CODE_COOKIE, view.code, CODE_SECONDS, path=path, secure=is_secure, httponly=True, samesite="strict"
    )
    return response
