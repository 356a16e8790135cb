"""The page on which the lab plans a form: whom it goes to, how often answers are expected, quotas, what is public."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_plan import plan_content
from collector.lab.planning import (
    Offered,
    Pairs,
    Trouble,
    expected_lines,
    public_questions,
    questions_in_rows,
    quota_questions,
    read_plan,
)
from collector.lab.tables import language_of
from collector.pages import page, page_language
from collector.queries import plans
from collector.queries.fleet import list_fleet
from collector.routes.access import Person, person_who_may, posted_pairs
from collector.routes.audited import note
from collector.routes.lab_forms import HERE, FormOf, Kept, address_of, form_scope
from collector.territory import place_labels, provinces

router = APIRouter(prefix=HERE, include_in_schema=False)
Publisher = Annotated[Person, Depends(person_who_may("publish"))]
POST_BYTES, MOST_FIELDS = 128 * 1024, 3000


@router.get("/{form_id}/plan")
def show(request: Request, person: Publisher, kept: FormOf) -> HTMLResponse:
    """Show the plan to be edited."""
    return _page(request, person, kept, _offered(request, kept))


@router.post("/{form_id}/plan", response_model=None)
async def change(request: Request, person: Publisher, kept: FormOf) -> HTMLResponse | RedirectResponse:
    """Keep the plan that was posted."""
    pairs = await posted_pairs(request, POST_BYTES, MOST_FIELDS)
    return await run_in_threadpool(_change, request, person, kept, pairs)


def _change(request: Request, person: Person, kept: Kept, pairs: Pairs) -> HTMLResponse | RedirectResponse:
    offered = _offered(request, kept)
    plan, troubles = read_plan(pairs, kept.plan, offered)
    if troubles:
        return _page(request, person, replace(kept, plan=plan), offered, troubles, dict(pairs))
    if plan != kept.plan:
        note(request, person, "plan", kept.form_id, plan=plan_content(plan), frequency_days=plan.frequency_days)
        with writing(request.app.state.engine) as session:
            plans.put_plan(session, kept.form_id, plan, now_ms())
    return RedirectResponse(address_of(kept.form_id), 303)


def _offered(request: Request, kept: Kept) -> Offered:
    language = language_of(kept.form, page_language(request))
    with reading(request.app.state.engine) as session:
        nodes = frozenset(row.id for row in list_fleet(session) if not row.is_revoked)
    asked = [find(kept.form, language) for find in (quota_questions, public_questions, questions_in_rows)]
    return Offered(nodes, place_labels(), *asked)


def _page(
    request: Request, person: Person, kept: Kept, offered: Offered,
    troubles: Sequence[Trouble] = (), typed: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    with reading(request.app.state.engine) as session:
        fleet = [row for row in list_fleet(session) if row.id in offered.nodes]
    plan = kept.plan
    scope: dict[str, Any] = form_scope(request, person) | {
        "kept": kept, "plan": plan, "own": address_of(kept.form_id), "offered": offered, "fleet": fleet,
        "provinces": provinces(), "troubles": troubles, "typed": typed or {},
        "targets": {(quota.question, quota.value): quota.target for quota in plan.quotas},
        "expected": expected_lines(plan.expected, offered.places),
    }  # fmt: skip
    return page(request, "lab/form_plan.html", scope, status=422 if troubles else 200)
