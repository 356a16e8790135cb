"""A filled sheet entered by keyboard: its serial first, then the whole form on one page. Each sheet once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import iso, iso_here, now_ms, offset_here, parse_iso
from collector.db import reading, writing
from collector.fill.post_body import read_posted
from collector.fill.words import Words
from collector.forms.listed import places_of
from collector.forms.model import Form, language_code
from collector.forms.state import Filling
from collector.links import form_code, forms_with
from collector.pages import page, page_language
from collector.paper import dates, entry
from collector.paper.serials import code_in, read_serial, shown_serial
from collector.problems import PROBLEMS, ProblemError
from collector.queries import records, single_use
from collector.queries.records import Arrival
from collector.routes.access import facilitator
from collector.routes.links import newest_form
from collector.routes.staff_scope import staff_scope
from collector.submissions import flags_of, make_submission

router = APIRouter(prefix="/equipo/digitar", include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]


@dataclass(frozen=True)
class Sheet:
    """A sheet that is being entered."""

    serial: str
    form: Form
    language: str


@router.get("/{form_id}")
def enter(
    request: Request, form_id: str, _who: Facilitator, hoja: str = "", version: str = "", lista: str = ""
) -> Response:
    """Ask for a serial; with one, show the whole form to fill in from the sheet."""
    newest = newest_form(request, form_id)
    if not hoja:
        return _ask_serial(request, newest, stored=lista)
    try:
        sheet = _sheet(request, newest, hoja, version)
    except ProblemError as error:
        return _ask_serial(request, newest, hoja, error)
    now = (now_ms(), offset_here())
    return _entry_page(request, sheet, entry.begin(sheet.form, sheet.language, now, request.app.state.node_id), {})


@router.post("/{form_id}")
async def take_sheet(request: Request, form_id: str, _who: Facilitator) -> Response:
    """Take what was typed: a look at what is asked now, another row, or the whole sheet to keep."""
    posted = await read_posted(request)
    return await run_in_threadpool(_take, request, form_id, posted.fields)


def _take(request: Request, form_id: str, fields: Mapping[str, str]) -> Response:
    newest = newest_form(request, form_id)
    try:
        sheet = _sheet(request, newest, fields.get("_serial", ""), fields.get("_version", ""), fields.get("_id", ""))
    except ProblemError as error:
        return _ask_serial(request, newest, fields.get("_serial", ""), error)
    now, node_id, go = (now_ms(), offset_here()), request.app.state.node_id, fields.get("_go", "")
    filling = entry.begin(sheet.form, sheet.language, now, node_id, fields.get("_was", ""))
    words = Words(sheet.form, sheet.language, request.app.state.english, filling)
    seen = _shown(filling)
    entry.take(filling, fields)
    if go == "look":
        return JSONResponse(entry.live_state(filling))
    row = entry.change_rows(filling, go)
    if row:
        return _entry_page(request, sheet, filling, fields, row=row)
    troubles = entry.troubles_of(filling, words)
    is_new = not fields.get("_live") and bool(_shown(filling) - seen)
    may_keep = not entry.must_change(filling)
    if is_new or (troubles and not (go == "anyway" and may_keep)):
        return _entry_page(request, sheet, filling, fields, troubles, is_new=is_new, may_keep=may_keep)
    return _keep(request, sheet, filling, fields)


def _sheet(request: Request, newest: Form, typed: str, version: str, record_id: str = "") -> Sheet:
    """Return the sheet of a typed serial. Raises serial_mistyped, serial_of_other_form, serial_used."""
    serial = read_serial(typed, newest.form_id)
    if code_in(serial) != form_code(newest.form_id):
        raise _of_other_form(request, serial)
    with reading(request.app.state.engine) as session:
        known = single_use.find_code(session, single_use.PAPER, serial)
        holder, made, language = (known.record_id, known.version, known.language) if known else ("", "", "")
    if holder and holder != record_id:
        raise ProblemError(PROBLEMS["serial_used"], serial=shown_serial(serial), record=holder)
    forms = request.app.state.forms
    # a sheet printed on another node: of the version that its reader names, else of the newest
    form = forms.get(newest.form_id, made or version) or newest
    return Sheet(serial, form, language if language in form.languages else (form.languages or ("",))[0])


def _of_other_form(request: Request, serial: str) -> ProblemError:
    titles = {row.form_id: row.title for row in request.app.state.forms.current()}
    others = [titles[form_id] for form_id in forms_with(code_in(serial), titles)]
    title = others[0] if others else code_in(serial)
    return ProblemError(PROBLEMS["serial_of_other_form"], serial=shown_serial(serial), title=title)


def _shown(filling: Filling) -> set[str]:
    return set(entry.live_state(filling)["shown"])


def _keep(request: Request, sheet: Sheet, filling: Filling, fields: Mapping[str, str]) -> Response:
    """Store the record and use up the serial, in one transaction; entered twice at once, one of the two is told so."""
    state, arrival = request.app.state, _record_of(request, sheet, filling, fields)
    facts = (arrival.id, sheet.form.form_id, sheet.form.version, now_ms())
    with writing(state.engine) as session:
        holder = single_use.take_code(session, single_use.PAPER, sheet.serial, *facts)
        if holder == arrival.id and records.record_by_id(session, arrival.id) is None:
            records.ingest(session, [arrival], now_ms())
    if holder != arrival.id:
        used = ProblemError(PROBLEMS["serial_used"], serial=shown_serial(sheet.serial), record=holder)
        return _ask_serial(request, sheet.form, sheet.serial, used)
    state.kick()
    query = urlencode({"lista": sheet.serial})
    return RedirectResponse(f"/equipo/digitar/{quote(sheet.form.form_id, safe='')}?{query}", 303)


def _record_of(request: Request, sheet: Sheet, filling: Filling, fields: Mapping[str, str]) -> Arrival:
    """Return the record of a sheet, with what the node notices of it."""
    filling.finish()
    started = parse_iso(fields.get("_started", "")) or (now_ms(), 0)
    record_id, language = entry.as_id(fields.get("_id", "")), language_code(sheet.language)
    answers, places = filling.answers(), places_of(filling)
    arrival = make_submission(sheet.form, answers, started[0], language, record_id, paper=sheet.serial, places=places)
    return arrival._replace(flags=flags_of(request.app.state.forms, json.loads(arrival.body)))


def _ask_serial(
    request: Request, form: Form, typed: str = "", problem: ProblemError | None = None, stored: str = ""
) -> HTMLResponse:
    """Show the field for a serial, with what is wrong with the last one, or that the last sheet is kept."""
    with reading(request.app.state.engine) as session:
        today = single_use.count_used_since(session, single_use.PAPER, form.form_id, _midnight_ms())
        used = single_use.find_code(session, single_use.PAPER, _serial_or_nothing(typed, form.form_id))
        used_ms = used.used_ms if used else 0
    versions = [row.version for row in request.app.state.forms.versions(form.form_id)]
    scope = {
        "form": form,
        "typed": typed.strip()[:40] if problem else "",
        "problem": problem,
        "sentence": problem.sentence(page_language(request)) if problem else "",
        "used": str(problem.values.get("record", "")) if problem else "",
        "used_at": iso_here(used_ms)[:16].replace("T", " ") if used_ms else "",
        "stored": shown_serial(_serial_or_nothing(stored, form.form_id)) if stored else "",
        "today": today,
        "versions": versions,
    }
    scope |= staff_scope(request, "/equipo/digitar")
    return page(request, "paper/serial.html", scope, status=problem.problem.status if problem else 200)


def _serial_or_nothing(typed: str, form_id: str) -> str:
    try:
        return read_serial(typed, form_id)
    except ProblemError:
        return ""


def _midnight_ms() -> int:
    """Return when today began, by this node's clock."""
    return round(datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def _entry_page(
    request: Request,
    sheet: Sheet,
    filling: Filling,
    fields: Mapping[str, str],
    troubles: Mapping[str, str] | None = None,
    row: str = "",
    is_new: bool = False,
    may_keep: bool = False,
) -> HTMLResponse:
    """Show the form as it stands. row: the row that was just made; is_new: an answer made questions appear."""
    found = dict(troubles or {})
    words = Words(sheet.form, sheet.language, request.app.state.english, filling)
    lines = entry.page_lines(filling, words, found)
    scope = {
        "form": sheet.form,
        "words": words,
        "form_lang": language_code(sheet.language),
        "numbers": {line.item.tag: line.number for line in entry.flat(lines)},
        "listed": entry.listed,
        "dates": dates,
        "lines": lines,
        "serial": sheet.serial,
        "shown": shown_serial(sheet.serial),
        "troubles": found,
        "row": row,
        "is_new": is_new,
        "may_keep": may_keep and bool(found),
        "was": json.dumps(filling.dump(), ensure_ascii=False),
        "record_id": entry.as_id(fields.get("_id", "")),
        "started": fields.get("_started") or iso(now_ms()),
    }
    status = 422 if found or is_new else 200
    return page(request, "paper/entry.html", scope | staff_scope(request, "/equipo/digitar"), status=status)
