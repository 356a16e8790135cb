"""The interface for programs: forms, their versions, definitions and codebooks. docs/api.md has it for people."""

from typing import Any

from fastapi import APIRouter, Request, Response

from collector.clock import iso
from collector.db import reading
from collector.forms.model import Form, form_to_json
from collector.lab.questions import codebook_of
from collector.problems import PROBLEMS, ProblemError
from collector.queries import pulls, store
from collector.queries.pulls import FormFacts
from collector.routes import api_shapes as shapes
from collector.routes.access import Person
from collector.routes.api_common import PREFIX, ApiRoute, Program, check_form, tagged

router = APIRouter(prefix=PREFIX, route_class=ApiRoute)


@router.get("/forms", response_model=shapes.FormList)
def list_forms(request: Request, person: Program) -> Response:
    """List the forms that the token reads, each with its versions, newest first."""
    with reading(request.app.state.engine) as session:
        epoch, rows = store.fact(session, "epoch"), pulls.form_facts(session)
    return tagged(request, {"epoch": epoch, "forms": _listed([row for row in rows if person.may_read(row.form_id)])})


@router.get("/forms/{form_id}", response_model=shapes.FormFacts)
def show_form(request: Request, form_id: str, person: Program) -> Response:
    """Return one form with its versions, newest first."""
    return tagged(request, _listed(_versions(request, form_id, person))[0])


@router.get("/forms/{form_id}/questions", response_model=shapes.Codebook)
def show_questions(request: Request, form_id: str, person: Program) -> Response:
    """Return the codebook: every question of every version, with its choices, in each language."""
    return tagged(request, codebook_of(published(request, form_id, person)))


@router.get("/forms/{form_id}/{version}/definition", response_model=dict[str, Any])
def show_definition(request: Request, form_id: str, version: str, person: Program) -> Response:
    """Return the compiled form: questions, groups, lists and logic, texts in every language."""
    check_form(person, form_id)
    form = None if "\0" in version else request.app.state.forms.get(form_id, version)
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{form_id} {version}")
    return tagged(request, form_to_json(form))


def _versions(request: Request, form_id: str, person: Person) -> list[FormFacts]:
    """Return the versions of a form, newest first. Raises ProblemError form_not_found."""
    check_form(person, form_id)
    with reading(request.app.state.engine) as session:
        rows = pulls.form_facts(session, form_id)
    if not rows:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    return rows


def published(request: Request, form_id: str, person: Person) -> list[Form]:
    """Return every version of a form, oldest first. Raises ProblemError form_not_found."""
    rows = reversed(_versions(request, form_id, person))
    return [form for row in rows if (form := request.app.state.forms.get(form_id, row.version))]


def _listed(rows: list[FormFacts]) -> list[dict[str, Any]]:
    forms: dict[str, dict[str, Any]] = {}
    for row in rows:
        form = forms.setdefault(row.form_id, {"form_id": row.form_id, "title": row.title, "versions": []})
        form["versions"].append({"version": row.version, "sha256": row.sha256, "published": iso(row.published_ms)})
    return list(forms.values())
