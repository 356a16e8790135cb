"""One form as the lab opens it: its versions as one table, and what the store counts in it."""

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from collector.db import reading
from collector.forms.model import Form
from collector.lab.results import Counted, CountedTable, keys_to_count, minutes_of, samples_of
from collector.lab.tables import Table, language_of, tables_of
from collector.pages import page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries.lab import EVERY, FormCount, Only

SAMPLE_RECORDS = 50
MOST_KEPT = 64  # counts at hand: of each form, and of each choice of filters


@dataclass(frozen=True)
class OpenForm:
    """A form as the lab opens it: its versions (oldest first), their tables, and its counts by state."""

    form_id: str
    title: str
    forms: list[Form]
    table: Table
    count: FormCount
    language: str


def open_form(request: Request, form_id: str) -> OpenForm:
    """Return the form of the address. Raises ProblemError form_not_found when it has neither version nor record."""
    forms = versions_of(request, form_id)
    known = request.app.state.arrivals.form_count(form_id)
    if not forms and known is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    count = known or FormCount(form_id, 0, 0, 0, 0)
    language = language_of(forms[-1], page_language(request)) if forms else ""
    title = forms[-1].title if forms else form_id
    return OpenForm(form_id, title, forms, tables_of(forms), count, language)


def versions_of(request: Request, form_id: str) -> list[Form]:
    """Return every version of a form that this node can read, oldest first."""
    rows = reversed(request.app.state.forms.versions(form_id))
    return [form for row in rows if (form := request.app.state.forms.get(form_id, row.version))]


Opened = Annotated[OpenForm, Depends(open_form)]


def counted(request: Request, opened: OpenForm, only: Only = EVERY) -> Counted:
    """Count, or return what was counted when nothing has been written since: 100,000 records take seconds to count."""
    state = request.app.state
    if not hasattr(state, "lab_counts"):
        state.lab_counts = {}
    kept: dict[tuple[str, Only], tuple[tuple[int, int], Counted]] = state.lab_counts
    name = opened.form_id, only
    with reading(state.engine) as session:
        moment = (record_queries.last_number(session), len(opened.forms))
        known = kept.get(name)
        if known is not None and known[0] == moment:
            return known[1]
        found = _count(session, opened, only)
    if len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)), None)  # the one kept longest
    kept[name] = (moment, found)
    return found


def _count(session: Session, opened: OpenForm, only: Only) -> Counted:
    newest = lab_queries.newest_records(session, opened.form_id, None, SAMPLE_RECORDS, only)
    return Counted(
        tables={table.steps: _count_table(session, opened.form_id, table, only) for table in opened.table.walk()},
        hours=lab_queries.hour_counts(session, opened.form_id, only),
        minutes=minutes_of(lab_queries.each_duration(session, opened.form_id, only)),
        samples=samples_of(opened.table, (json.loads(record.body or "{}") for record in newest)),
    )


def _count_table(session: Session, form_id: str, table: Table, only: Only) -> CountedTable:
    values = lab_queries.answer_counts(session, form_id, keys_to_count(table), table.steps, only)
    rows, records = lab_queries.row_counts(session, form_id, table.steps, only) if table.steps else (0, 0)
    return CountedTable(rows, records, values)


@cache
def municipalities() -> frozenset[str]:
    """Return the codes that name a municipality in the starter forms: districts, and the comarcas without any."""
    text = files("collector.starter").joinpath("territory.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    parents = {row["parent"] for row in rows}
    return frozenset(row["code"] for row in rows if row["code"] not in parents)
