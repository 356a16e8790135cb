"""The lab's pages: signing in, what arrived, one form in numbers, and one record in full."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from collector.db import reading
from collector.forms.listed import labels_of
from collector.lab.consent_words import consent_scope
from collector.lab.results import Results, moment_in, results_of, territory_columns
from collector.lab.tables import Column, Table, answers_of, language_of, rows_at, shown, tables_of, text_at
from collector.lab.whole_record import MOST_NOTICES, Notice, RecordReader, files_of, notices
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries.confirmations import erasure_of
from collector.queries.lab import FormCount
from collector.routes import lab_export
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
from collector.routes.lab_opened import Opened, OpenForm, counted, municipalities
from collector.routes.lab_scope import lab_scope, zone_here
from collector.tables import Record
from collector.territory import place_labels

router = APIRouter(prefix="/lab", include_in_schema=False)
router.include_router(lab_export.router)  # first: "/records/ID.xml" is no record named "ID.xml"
User = Annotated[str, Depends(lab_user)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]

Before = Annotated[int | None, Query(ge=0, le=2**53)]

PAGE_RECORDS = 50


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
    territory = territory_columns(opened.table.columns, municipalities())
    today = datetime.now(zone_here()).date()
    return results_of(opened.table, counted(request, opened), territory, opened.language, today, zone_here())


@dataclass(frozen=True)
class Cell:
    """An answer in the table of records; rows: how many a repeat has, None for a question."""

    text: str
    rows: int | None = None


@dataclass(frozen=True)
class RecordLine:
    """A row of the table of records."""

    record: Record
    finished: str
    cells: list[Cell]


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
    places = labels_of(content.get("places"), place_labels())
    cells = [_cell(part, answers, opened.language, places) for part in opened.table.parts]
    return RecordLine(record, moment_in(str(content.get("finished", "")), zone_here()), cells)


def _cell(part: Column | Table, answers: Mapping[str, Any], language: str, places: Mapping[str, str]) -> Cell:
    """Return an answer as people read it; of a repeat how many rows it has."""
    if isinstance(part, Table):
        return Cell("", len(rows_at(answers, part.key)))
    return Cell(shown(part, text_at(answers, part.key), language) or places.get(part.key, ""))


# --- one record


@router.get("/records/{record_id}")
def show_record(request: Request, user: User, record_id: str) -> Response:
    """Show one record in full: answers, times, way, hash and its very bytes."""
    with reading(request.app.state.engine) as session:
        record = record_queries.record_by_id(session, record_id)
        names = lab_queries.node_names(session)
        erasure = erasure_of(session, record_id) if record and record.state == "erased" else None
    if record is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    scope = lab_scope(request, user, "")
    scope.update(_record_scope(request, record), names=names, erasure=erasure)
    return page(request, "lab/record.html", scope)


def _record_scope(request: Request, record: Record) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(record.body or "{}")
    form = request.app.state.forms.get(record.form, record.version)
    language = language_of(form, page_language(request)) if form else ""
    table = tables_of([form] if form else [])
    found = notices(table, json.loads(record.flags or "[]"), language)
    noticed: dict[str, list[Notice]] = {}
    for key, notice in found:
        noticed.setdefault(key, []).append(notice)
    places = labels_of(content.get("places"), place_labels())
    reader = RecordReader(language, files_of(content), noticed, places=places)
    return {
        "record": record,
        "content": content,
        "form": form,
        "title": form.title if form else record.form,
        "answers": reader.parts(table, answers_of(content)) if record.body else [],
        "hops": json.loads(record.via or "[]"),
        "flags": [notice for _, notice in found],
        "most_notices": MOST_NOTICES,
        **consent_scope(form if record.body else None, answers_of(content), language),
        "own_id": _node_id(request),
    }


def _node_id(request: Request) -> str:
    return str(request.app.state.node_id)
