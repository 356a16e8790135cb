"""The lab's pages: what arrived, one form in numbers, and one record in full."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from collector.db import reading
from collector.forms.listed import labels_of
from collector.lab.consent_words import consent_scope
from collector.lab.identifiers import direct_keys, hidden_keys, masked
from collector.lab.results import Counted, Results, moment_in, results_of, territory_columns
from collector.lab.tables import Column, Table, answers_of, language_of, rows_at, shown, tables_of, text_at
from collector.lab.term_counting import kept_counts
from collector.lab.veiled import veiled_flags, veiled_results
from collector.lab.whole_record import MOST_NOTICES, Notice, RecordReader, files_of, notices
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import plans, term_counts
from collector.queries import records as record_queries
from collector.queries.confirmations import erasure_of
from collector.queries.lab import FormCount, Only
from collector.routes import lab_export
from collector.routes.access import Person, lab_user, person_who_may
from collector.routes.audited import note
from collector.routes.lab_counts import nothing_counted, numbers_now
from collector.routes.lab_looked import looked_at
from collector.routes.lab_opened import Opened, OpenForm, municipalities, versions_of
from collector.routes.lab_quality import oddities_of
from collector.routes.lab_scope import lab_scope, zone_here
from collector.tables.log import Record
from collector.territory import place_labels

router = APIRouter(prefix="/lab", include_in_schema=False)
router.include_router(lab_export.router)  # first: "/records/ID.xml" is no record named "ID.xml"
User = Annotated[str, Depends(lab_user)]
Seer = Annotated[Person, Depends(person_who_may("see"))]
Reader = Annotated[Person, Depends(person_who_may("records"))]

Before = Annotated[int | None, Query(ge=0, le=2**53)]

PAGE_RECORDS = 50


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
    arrivals = request.app.state.arrivals
    with reading(request.app.state.engine) as session:
        names = lab_queries.node_names(session)
        quarantined = record_queries.count_quarantine(session)
    counts, nodes = {count.form: count for count in arrivals.form_counts()}, arrivals.node_counts(names)
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
def show_form(request: Request, person: Seer, opened: Opened, before: Before = None) -> Response:
    """Show one form in numbers and its records, newest first; HTMX asks for another page of records alone."""
    scope = lab_scope(request, person.who, "")
    looked = looked_at(request, opened)
    scope.update(_records_scope(request, opened, before, knows_who(person), looked.only), filters=looked.filters)
    if scope["lines"]:
        note(request, person, "read_record", opened.form_id, count=len(scope["lines"]))
    if request.headers.get("hx-request") == "true":
        return page(request, "lab/form.html", scope, block="records")
    with reading(request.app.state.engine) as session:
        last = lab_queries.last_record(session, opened.form_id)
        kept = kept_counts(opened.table, term_counts.counts_of(session, opened.form_id), opened.language)
        is_public = plans.get_plan(session, opened.form_id).is_public
    numbers = numbers_now(request, opened, looked.only)
    results = _results(opened, numbers.counted or nothing_counted(opened.table))
    shown_results = results if knows_who(person) else veiled_results(results, direct_keys(opened.forms))
    scope.update(results=shown_results, last=last, numbers=numbers, kept=kept, is_public=is_public)
    scope.update(looked.scope(shown_results))
    return page(request, "lab/form.html", scope)


@router.get("/forms/{form_id}/contado")
def tell_counted(request: Request, _person: Seer, opened: Opened) -> Response:
    """Tell a page that waits for its numbers to load again once they are there; 204 until then. Shows no record."""
    numbers = numbers_now(request, opened, looked_at(request, opened).only)
    is_there = numbers.counted is not None
    return Response(status_code=200 if is_there else 204, headers={"HX-Refresh": "true"} if is_there else None)


def knows_who(person: Person) -> bool:
    """Tell whether the person may see who answered."""
    return person.may("identifiers")


def _results(opened: OpenForm, found: Counted) -> Results:
    territory = territory_columns(opened.table.columns, municipalities())
    today = datetime.now(zone_here()).date()
    return results_of(opened.table, found, territory, opened.language, today, zone_here())


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


def _records_scope(request: Request, opened: OpenForm, before: int | None, knows: bool, only: Only) -> dict[str, Any]:
    with reading(request.app.state.engine) as session:
        found = lab_queries.newest_records(session, opened.form_id, before, PAGE_RECORDS + 1, only)
        names = lab_queries.node_names(session)
    lines = [_record_line(opened, record, knows) for record in found[:PAGE_RECORDS]]
    older = lines[-1].record.n if len(found) > PAGE_RECORDS else None
    return {"opened": opened, "lines": lines, "older": older, "before": before, "names": names, "is_veiled": not knows}


def _record_line(opened: OpenForm, record: Record, knows: bool) -> RecordLine:
    content = json.loads(record.body or "{}")
    content = content if knows else masked(content, hidden_keys(content, opened.forms))
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
def show_record(request: Request, reader: Reader, record_id: str) -> Response:
    """Show one record in full: answers, times, way, hash and its very bytes."""
    with reading(request.app.state.engine) as session:
        record = record_queries.record_by_id(session, record_id)
        names = lab_queries.node_names(session)
        erasure = erasure_of(session, record_id) if record and record.state == "erased" else None
    if record is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    note(request, reader, "read_record", record_id, count=1)
    scope = lab_scope(request, reader.who, "")
    scope.update(_record_scope(request, record, knows_who(reader)), names=names, erasure=erasure)
    scope.update(oddities=oddities_of(request, record_id, record.form) if record.state == "usable" else [])
    return page(request, "lab/record.html", scope)


def _record_scope(request: Request, record: Record, knows: bool) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(record.body or "{}")
    form = request.app.state.forms.get(record.form, record.version)
    flags = json.loads(record.flags or "[]")
    if not knows:
        hidden = hidden_keys(content, versions_of(request, record.form))
        content, flags = masked(content, hidden), veiled_flags(flags, hidden)
    language = language_of(form, page_language(request)) if form else ""
    table = tables_of([form] if form else [])
    found = notices(table, flags, language)
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
        "is_veiled": not knows,
    }


def _node_id(request: Request) -> str:
    return str(request.app.state.node_id)
