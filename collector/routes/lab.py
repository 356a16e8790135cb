"""The lab's pages: signing in, what arrived, one form in numbers, one record in full, and the CSV."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading
from collector.forms.model import Form
from collector.lab.csv import CsvRecord, Layout, csv_lines, split_choices
from collector.lab.results import (
    Counted,
    Results,
    full_answers,
    minutes_of,
    moment_in,
    notices,
    results_of,
    territory_columns,
)
from collector.lab.tables import Column, answers_of, columns_of, language_of, selects, shown
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries.lab import FormCount
from collector.routes.access import (
    LAB_COOKIE,
    LAB_LOGIN,
    lab_user,
    local_path,
    posted_fields,
    set_cookie,
    sign_in_lab,
    sign_out,
)
from collector.routes.lab_scope import lab_scope, zone_here
from collector.tables import Record

router = APIRouter(prefix="/lab", include_in_schema=False)
User = Annotated[str, Depends(lab_user)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]

Before = Annotated[int | None, Query(ge=0, le=2**53)]

PAGE_RECORDS = 50
CSV_RECORDS = 500


# --- signing in


@router.get("/login")
def show_login(request: Request, next: str = "/lab") -> Response:
    """Show the log-in page. A fragment asked for by a browser whose session ended leaves for the page itself."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": f"{LAB_LOGIN}?next={quote(next, safe='')}"})
    return _login_page(request, "", "", next, 200)


@router.post("/login")
def log_in(request: Request, posted: Posted) -> Response:
    """Sign in and go where the person wanted to go; with a wrong secret show the page again."""
    email, target = posted.get("email", ""), local_path(posted.get("next", ""), "/lab")
    try:
        token = sign_in_lab(request, email, posted.get("password", ""))
        problem = None if token else ProblemError(PROBLEMS["login_failed"])
    except ProblemError as locked:
        token, problem = None, locked
    if token is None or problem:
        problem = problem or ProblemError(PROBLEMS["login_failed"])
        return _login_page(request, email, problem.sentence(page_language(request)), target, problem.problem.status)
    response = RedirectResponse(target, 303)
    set_cookie(request, response, LAB_COOKIE, token)
    return response


def _login_page(request: Request, email: str, trouble: str, target: str, status: int) -> Response:
    scope = lab_scope(request, "", "")
    scope.update(nav=[], email=email, trouble=trouble, target=local_path(target, "/lab"))
    return page(request, "lab/login.html", scope, status=status)


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Sign out, whoever it is."""
    response = RedirectResponse(LAB_LOGIN, 303)
    sign_out(request, response, LAB_COOKIE)
    return response


# --- what arrived


@dataclass(frozen=True)
class FormLine:
    """A line of the list: a published form, or one that is known only by its records (title "")."""

    form_id: str
    title: str
    version: str
    count: FormCount


@router.get("")
def show_forms(request: Request, user: User) -> Response:
    """Show every form with what arrived, and what came from each node."""
    with reading(request.app.state.engine) as session:
        counts = {count.form: count for count in lab_queries.form_counts(session)}
        nodes = lab_queries.node_counts(session)
        quarantined = record_queries.count_quarantine(session)
    scope = lab_scope(request, user, "/lab")
    scope.update(forms=_form_lines(request, counts), nodes=nodes, quarantined=quarantined, own_id=_node_id(request))
    return page(request, "lab/forms.html", scope)


def _form_lines(request: Request, counts: dict[str, FormCount]) -> list[FormLine]:
    lines: dict[str, FormLine] = {}
    for row in request.app.state.forms.versions():
        count = counts.get(row.form_id, FormCount(row.form_id, 0, 0, 0, 0))
        lines.setdefault(row.form_id, FormLine(row.form_id, row.title, row.version, count))
    for form_id, count in counts.items():
        lines.setdefault(form_id, FormLine(form_id, "", "", count))
    return sorted(lines.values(), key=lambda line: line.count.last_ms, reverse=True)


# --- one form


@dataclass(frozen=True)
class OpenForm:
    """A form as the lab opens it: its versions (oldest first), their columns, and its counts by state."""

    form_id: str
    title: str
    forms: list[Form]
    columns: tuple[Column, ...]
    count: FormCount
    language: str


def open_form(request: Request, form_id: str) -> OpenForm:
    """Return the form of the address. Raises ProblemError form_not_found when it has neither version nor record."""
    versions = request.app.state.forms.versions(form_id)
    forms = [form for row in reversed(versions) if (form := request.app.state.forms.get(form_id, row.version))]
    with reading(request.app.state.engine) as session:
        counts = lab_queries.form_counts(session, form_id)
    if not forms and not counts:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    count = counts[0] if counts else FormCount(form_id, 0, 0, 0, 0)
    language = language_of(forms[-1], page_language(request)) if forms else ""
    title = forms[-1].title if forms else form_id
    return OpenForm(form_id, title, forms, columns_of(forms), count, language)


Opened = Annotated[OpenForm, Depends(open_form)]


@router.get("/forms/{form_id}")
def show_form(request: Request, user: User, opened: Opened, before: Before = None) -> Response:
    """Show one form in numbers and its records, newest first; HTMX asks for another page of records alone."""
    scope = lab_scope(request, user, "")
    scope.update(_records_scope(request, opened, before))
    if request.headers.get("hx-request") == "true":
        return page(request, "lab/form.html", scope, block="records")
    with reading(request.app.state.engine) as session:
        last = lab_queries.last_record(session, opened.form_id)
    scope.update(results=_results(request, opened), last=last)
    return page(request, "lab/form.html", scope)


def _results(request: Request, opened: OpenForm) -> Results:
    territory = territory_columns(opened.columns, _municipalities())
    today = datetime.now(zone_here()).date()
    return results_of(opened.columns, _counted(request, opened), territory, opened.language, today, zone_here())


def _counted(request: Request, opened: OpenForm) -> Counted:
    """Count, or return what was counted when nothing has been written since: 100,000 records take seconds to count."""
    state = request.app.state
    if not hasattr(state, "lab_counts"):
        state.lab_counts = {}
    kept: dict[str, tuple[tuple[int, int], Counted]] = state.lab_counts
    keys = [column.key for column in selects(opened.columns)]
    with reading(state.engine) as session:
        moment = (record_queries.last_number(session), len(opened.forms))
        known = kept.get(opened.form_id)
        if known is not None and known[0] == moment:
            return known[1]
        counted = Counted(
            values=lab_queries.answer_counts(session, opened.form_id, keys),
            hours=lab_queries.hour_counts(session, opened.form_id),
            minutes=minutes_of(lab_queries.each_duration(session, opened.form_id)),
        )
    kept[opened.form_id] = (moment, counted)
    return counted


@dataclass(frozen=True)
class RecordLine:
    """A row of the table of records."""

    record: Record
    finished: str
    cells: list[str]


def _records_scope(request: Request, opened: OpenForm, before: int | None) -> dict[str, Any]:
    with reading(request.app.state.engine) as session:
        found = lab_queries.newest_records(session, opened.form_id, before, PAGE_RECORDS + 1)
        names = lab_queries.node_names(session)
    lines = [_record_line(opened, record) for record in found[:PAGE_RECORDS]]
    older = lines[-1].record.n if len(found) > PAGE_RECORDS else None
    return {"opened": opened, "lines": lines, "older": older, "before": before, "names": names}


def _record_line(opened: OpenForm, record: Record) -> RecordLine:
    content = json.loads(record.body or "{}")
    answers = answers_of(content)
    cells = [shown(column, answers.get(column.key, ""), opened.language) for column in opened.columns]
    return RecordLine(record, moment_in(str(content.get("finished", "")), zone_here()), cells)


# --- one record


@router.get("/records/{record_id}")
def show_record(request: Request, user: User, record_id: str) -> Response:
    """Show one record in full: answers, times, way, hash and its very bytes."""
    with reading(request.app.state.engine) as session:
        record = record_queries.record_by_id(session, record_id)
        names = lab_queries.node_names(session)
    if record is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    scope = lab_scope(request, user, "")
    scope.update(_record_scope(request, record), names=names)
    return page(request, "lab/record.html", scope)


def _record_scope(request: Request, record: Record) -> dict[str, Any]:
    content = json.loads(record.body or "{}")
    form = request.app.state.forms.get(record.form, record.version)
    language = language_of(form, page_language(request)) if form else ""
    columns = columns_of([form] if form else [])
    return {
        "record": record,
        "content": content,
        "title": form.title if form else record.form,
        "answers": full_answers(columns, content, language) if record.body else [],
        "hops": json.loads(record.via or "[]"),
        "flags": notices(columns, json.loads(record.flags or "[]"), language),
        "own_id": _node_id(request),
    }


# --- CSV


@router.get("/forms/{form_id}/export.csv")
def export_csv(
    request: Request,
    user: User,
    opened: Opened,
    bom: bool = True,
    split: bool = False,
    extra: bool = False,
    safe: bool = False,
) -> Response:
    """Send every usable record, newest first, a page of records at a time: flat memory whatever the size."""
    layout = Layout(opened.columns, _split(request, opened) if split else {}, bom, extra, safe)
    records = _each_csv_record(request.app.state.engine, opened.form_id, _node_id(request))
    name = quote(f"{opened.form_id}.csv", safe="")
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    pieces = _in_pieces(csv_lines(layout, records))
    return StreamingResponse(pieces, media_type="text/csv", headers={"Content-Disposition": disposition})


def _split(request: Request, opened: OpenForm) -> dict[str, list[str]]:
    multiple = [column for column in opened.columns if column.is_multiple]
    with reading(request.app.state.engine) as session:
        values = lab_queries.answer_counts(session, opened.form_id, [column.key for column in multiple])
    return {column.key: split_choices(column, values[column.key]) for column in multiple}


def _each_csv_record(engine: Engine, form_id: str, own_id: str) -> Iterator[CsvRecord]:
    """Read a page at a time, each in its own short transaction: a slow download holds nothing up."""
    before: int | None = None
    while True:
        with reading(engine) as session:
            records = lab_queries.newest_records(session, form_id, before, CSV_RECORDS)
        if not records:
            return
        for record in records:
            content = json.loads(record.body or "{}")
            yield CsvRecord(content, iso(record.received_ms), record.origin or own_id, record.state, record.flags)
        before = records[-1].n


def _in_pieces(lines: Iterator[str], size: int = 64 * 1024) -> Iterator[str]:
    """Join lines into pieces: one trip through the server for hundreds of rows."""
    piece: list[str] = []
    length = 0
    for line in lines:
        piece.append(line)
        length += len(line)
        if length >= size:
            yield "".join(piece)
            piece, length = [], 0
    yield "".join(piece)


def _node_id(request: Request) -> str:
    return str(request.app.state.node_id)


@cache
def _municipalities() -> frozenset[str]:
    """Return the codes that name a municipality in the starter forms: districts, and the comarcas without any."""
    text = files("collector.starter").joinpath("territory.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    parents = {row["parent"] for row in rows}
    return frozenset(row["code"] for row in rows if row["code"] not in parents)
