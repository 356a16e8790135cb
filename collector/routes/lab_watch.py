"""Watching: who is up to date, who reports, what just came, how far the quotas are. Counts only, no answer."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from collector.db import reading
from collector.lab.freshness import Board
from collector.lab.late import STATES, board_rows, late_text, report_rows, since
from collector.lab.quotas import Wanted, places_of, quotas_of, uncounted
from collector.lab.reporting import Reports, date_of, summed
from collector.lab.small_groups import small_groups_of
from collector.lab.tables import Column
from collector.pages import page, page_language, translator
from collector.problems import PROBLEMS, ProblemError
from collector.queries import arrivals as queries
from collector.queries import lab as lab_queries
from collector.queries import plans as plan_queries
from collector.queries.lab import node_names
from collector.routes.access import Person, lab_user, person_who_may
from collector.routes.lab_opened import OpenForm, open_form, versions_of
from collector.routes.lab_scope import lab_scope
from collector.territory import place_labels
from collector.watching import Watched, watch_of

router = APIRouter(prefix="/lab", include_in_schema=False)
User = Annotated[str, Depends(lab_user)]
Reader = Annotated[Person, Depends(person_who_may("see"))]
HERE = "/lab/al-dia"
NEWEST = 30
WHOLE_ANSWER = 200  # characters of an answer that a quota may ask for


# --- the board


@router.get("/al-dia")
def show_board(request: Request, user: User, form: str = "", compartir: bool = False) -> HTMLResponse:
    """Show form × municipality: who is up to date, due, overdue, delinquent, and why a cell is empty."""
    watched = watch_of(request.app.state).now()
    groups = _groups(request, watched) if compartir else {}
    board, reports = _board(watched, form, groups), summed(watched.reports(form))
    scope = lab_scope(request, user, HERE) | _words(request)
    scope |= {
        "board": board,
        "text": _text(request, board),
        "reports": reports if not compartir else {},
        "no_reports": Reports(),
        "silent": watched.silent if not compartir else (),
        "form": form,
        "is_shared": compartir,
        "groups": groups,
        "here": HERE,
        "query": _query(form, compartir),
    }
    return page(request, "lab/board.html", scope)


def _board(watched: Watched, form: str, groups: Mapping[str, int]) -> Board:
    if form and form not in {line.form_id for line in watched.forms}:
        raise ProblemError(PROBLEMS["form_not_found"], form=form)
    return watched.board(form, groups)


def _shown(request: Request, form: str, is_shared: bool) -> Board:
    watched = watch_of(request.app.state).now()
    return _board(watched, form, _groups(request, watched) if is_shared else {})


def _groups(request: Request, watched: Watched) -> dict[str, int]:
    """Return form -> how many answers a cell needs at least to be shared."""
    return {line.form_id: small_groups_of(versions_of(request, line.form_id)).shared for line in watched.forms}


def _query(form: str, is_shared: bool) -> dict[str, str]:
    return ({"form": form} if form else {}) | ({"compartir": "1"} if is_shared else {})


def _words(request: Request) -> dict[str, Any]:
    translate = translator(request.app.state.english, page_language(request))
    return {
        "states": {state: translate(words) for state, words in STATES.items()},
        "since": lambda cell: since(cell, translate),
        "places": place_labels(),
        "date_of": date_of,
    }


def _text(request: Request, board: Board) -> str:
    return late_text(board, request.app.state.node_name, translator(request.app.state.english, page_language(request)))


@router.get("/al-dia/aviso.txt")
def send_text(request: Request, user: User, form: str = "", compartir: bool = False) -> Response:
    """Send who is late as text for a message, in the language of the page: `?lang=en` for English."""
    board = _shown(request, form, compartir)
    return _file(_text(request, board), "aviso.txt", "text/plain")


@router.get("/al-dia/tablero.csv")
def send_board(request: Request, user: User, form: str = "", compartir: bool = False) -> Response:
    """Send the board, a cell a row; protected as the page is when it is to be shared."""
    board = _shown(request, form, compartir)
    return _file(_csv(board_rows(board)), "tablero.csv", "text/csv")


@router.get("/al-dia/informes.csv")
def send_reports(request: Request, user: User, form: str = "") -> Response:
    """Send the reporting rates under DHIS2's names, a municipality and period a row."""
    return _file(_csv(report_rows(watch_of(request.app.state).now().reports(form))), "informes.csv", "text/csv")


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    """Return the rows as CSV that spreadsheets read: with a byte order mark."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows(rows)
    return "\ufeff" + sheet.getvalue()


def _file(content: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


# --- what just came


@router.get("/llegadas")
def show_arrivals(request: Request, user: User) -> Response:
    """Show what came last; HTMX asks again every ten seconds and is sent nothing while nothing came."""
    state = request.app.state
    watched = watch_of(state).now()
    tag = f'"{watched.mark}-{page_language(request)}"'
    if request.headers.get("hx-request") == "true" and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag, "Vary": "HX-Request", "Cache-Control": "no-store"})
    scope = lab_scope(request, user, HERE) | _arrivals_scope(request, watched)
    response = page(request, "lab/arrivals.html", scope, block="live")
    if request.headers.get("hx-request") == "true":
        response.headers["ETag"] = tag
    return response


def _arrivals_scope(request: Request, watched: Watched) -> dict[str, Any]:
    state = request.app.state
    newest = state.arrivals.newest(NEWEST)
    with reading(state.engine) as session:
        facts = queries.arrived_at(session, [n for n, _ in newest])
        names = node_names(session)
    titles = {line.form_id: line.title for line in watched.forms}
    lines = [
        {"record": facts[n], "form": form, "title": titles.get(form, form), "node": origin, "place": place}
        for n, (form, origin, place) in newest
        if n in facts
    ]
    counted = watched.totals()
    totals = [(line.form_id, line.title, *counted.get(line.form_id, (0, 0, 0))) for line in watched.forms]
    return {
        "lines": lines,
        "names": names,
        "places": place_labels(),
        "own_id": state.node_id,
        "totals": sorted(totals, key=lambda total: -total[3])[:NEWEST],
    }


# --- quotas


@router.get("/cuotas/{form_id}")
def show_quotas(request: Request, reader: Reader, form_id: str) -> HTMLResponse:
    """Show what the plan wants of a form, what came, and what is missing: by answer and by municipality."""
    opened = open_form(request, form_id)
    watched = watch_of(request.app.state).now()
    with reading(request.app.state.engine) as session:
        plan = plan_queries.get_plan(session, form_id)
        lost = uncounted(plan, {column.key for column in opened.table.columns})
        plan = replace(plan, quotas=tuple(quota for quota in plan.quotas if quota not in lost))
        keys = {quota.question: WHOLE_ANSWER for quota in plan.quotas}
        counts = _quota_counts(request, opened, keys)
    by_municipality = {place: days for (form, place), days in watched.days.items() if form == form_id}
    period, expected = places_of(plan, by_municipality, watched.today)
    scope = lab_scope(request, reader.who, HERE) | _words(request)
    scope |= {
        "opened": opened,
        "quotas": [_quota_line(opened, wanted) for wanted in quotas_of(plan, counts)],
        "expected": [(place_labels().get(wanted.value, wanted.value), wanted) for wanted in expected],
        "lost": [(_label_in_rows(opened, quota.question), quota.value) for quota in lost],
        "period": period,
        "may_plan": reader.may("publish"),
    }
    return page(request, "lab/quotas.html", scope)


def _label_in_rows(opened: OpenForm, name: str) -> str:
    """Return the words of a question anywhere in the form, its name where the form does not ask it."""
    columns = (column for table in opened.table.walk() for column in table.columns)
    return next((column.label(opened.language) for column in columns if column.name == name), name)


def _quota_counts(request: Request, opened: OpenForm, keys: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    """Count the answers to these questions, or return what was counted when nothing came since."""
    state = request.app.state
    if not hasattr(state, "quota_counts"):
        state.quota_counts = {}
    moment = state.arrivals.mark(), json.dumps(keys)
    known = state.quota_counts.get(opened.form_id)
    if known is None or known[0] != moment:
        with reading(state.engine) as session:
            known = moment, lab_queries.answer_counts(session, opened.form_id, keys)
        state.quota_counts[opened.form_id] = known
    found: Mapping[str, Mapping[str, int]] = known[1]
    return found


def _quota_line(opened: OpenForm, wanted: Wanted) -> tuple[str, str, Wanted]:
    """Return the question and the answer as people read them."""
    column: Column | None = next((one for one in opened.table.columns if one.key == wanted.question), None)
    if column is None:
        return wanted.question, wanted.value, wanted
    labels = column.choice_labels(opened.language)
    return column.label(opened.language), labels.get(wanted.value, wanted.value), wanted
