"""The interface for programs: a form in numbers, and the nodes. docs/api.md has it for people.

A token of scope "aggregates" is told what the pages of municipalities tell, with their totals (routes/given_out.py):
one rule, so that a page and a program side by side tell no more than the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from collector.clock import iso
from collector.db import reading
from collector.forms.model import Form
from collector.lab.results import keys_to_count
from collector.lab.tables import Table, tables_of
from collector.lab.told_counts import counts_of, question_in_numbers
from collector.queries import fleet, pulls
from collector.queries import lab as lab_queries
from collector.routes import api_shapes as shapes
from collector.routes.api_common import PREFIX, ApiRoute, Program, Reader, tagged
from collector.routes.api_forms import published
from collector.routes.given_out import counts_handed_out

router = APIRouter(prefix=PREFIX, route_class=ApiRoute)


@dataclass(frozen=True)
class _Counted:
    """A form in numbers for whoever may read its records: at which log number, and of how many versions."""

    last: int
    versions: int
    content: dict[str, Any]


@router.get("/forms/{form_id}/counts", response_model=shapes.FormCounts)
def show_counts(request: Request, form_id: str, person: Program) -> Response:
    """Return a form in numbers: each question with n, its choices with Wilson intervals, numbers by their quartiles.

    A token of scope `aggregates` gets the numbers of the pages of municipalities: of 5 people or more, of questions
    outside repeats, and the same ones until so many came that the difference tells of nobody.
    """
    forms = published(request, form_id, person)
    told = _counted(request, forms) if person.may("records") else counts_handed_out(request, form_id)
    return tagged(request, told)


@router.get("/nodes", response_model=shapes.NodeList)
def list_nodes(request: Request, person: Reader) -> Response:
    """List the nodes below this one with their last contact."""
    with reading(request.app.state.engine) as session:
        rows = fleet.list_fleet(session)
    nodes = [
        {
            "id": row.id,
            "name": row.name,
            "above": row.above,
            "last_contact": None if row.last_contact_ms is None else iso(row.last_contact_ms),
            "waiting": row.waiting,
            "is_revoked": row.is_revoked,
        }
        for row in rows
    ]
    return tagged(request, {"nodes": nodes})


def _counted(request: Request, forms: Sequence[Form]) -> dict[str, Any]:
    """Return every number; counted when the log has moved, else what was counted: 100,000 records take seconds."""
    state, form_id = request.app.state, forms[-1].form_id
    if not hasattr(state, "api_counts"):
        state.api_counts = {}
    kept: dict[str, _Counted] = state.api_counts
    with reading(state.engine) as session:
        last = pulls.mark(session).last
        known = kept.get(form_id)
        if known is not None and (known.last, known.versions) == (last, len(forms)):
            return known.content
        records, _ = lab_queries.row_counts(session, form_id, ())
        questions = [line for table in tables_of(forms).walk() for line in _of_table(session, form_id, table)]
    content = counts_of(forms, questions, records, 1, last)
    kept[form_id] = _Counted(last, len(forms), content)
    return content


def _of_table(session: Session, form_id: str, table: Table) -> list[dict[str, Any]]:
    values = lab_queries.answer_counts(session, form_id, keys_to_count(table), table.steps)
    asked = [column for column in table.columns if column.question.type != "calculate"]
    return [question_in_numbers(column, values[column.key]) for column in asked]
