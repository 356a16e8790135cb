"""The forms of this node as the lab keeps them: state and versions, whom they go to, what they say in each language.

Plans are edited in lab_form_plan.py, voices recorded in lab_form_voices.py; publishing is routes/publish.py.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import now_ms
from collector.db import reading, writing
from collector.fill.spoken import texts_to_speak
from collector.fill.voices import tongue_name
from collector.form_plan import Plan
from collector.forms.model import Form
from collector.forms.terms import terms_of
from collector.lab.impact import Holder
from collector.lab.tables import language_of
from collector.lab.translations import tongues_of
from collector.links import form_code, qr_svg
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import plans, voices
from collector.queries.fleet import FleetRow, list_fleet
from collector.routes.access import Person, person_who_may
from collector.routes.audited import note
from collector.routes.form_impact import holders_of, slow_changes
from collector.routes.lab_scope import lab_scope
from collector.routes.links import short_address
from collector.tables.forms import FormVersion
from collector.territory import place_labels

HERE = "/lab/formularios"
router = APIRouter(prefix=HERE, include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("see"))]
Publisher = Annotated[Person, Depends(person_who_may("publish"))]
SPREADSHEET = "application/octet-stream"


def form_scope(request: Request, person: Person) -> dict[str, Any]:
    """Return what every page of forms needs."""
    return lab_scope(request, person.who, HERE) | {"may": person.may, "places": place_labels()}


def address_of(form_id: str) -> str:
    """Return the address of a form's page."""
    return f"{HERE}/{quote(form_id, safe='')}"


# --- the list


@dataclass(frozen=True)
class Line:
    """A form of the list, with its plan and how many versions it has."""

    form: FormVersion
    plan: Plan
    versions: int


@router.get("")
def show_list(request: Request, person: Reader) -> HTMLResponse:
    """List the forms with their state. Nothing is counted: the list is as quick with a million answers as with none."""
    rows = request.app.state.forms.versions()
    with reading(request.app.state.engine) as session:
        planned = plans.plans(session)
    lines: dict[str, Line] = {}
    for row in rows:
        known = lines.get(row.form_id)
        plan = planned.get(row.form_id, plans.NO_PLAN)
        lines[row.form_id] = Line(known.form, plan, known.versions + 1) if known else Line(row, plan, 1)
    return page(request, "lab/form_list.html", form_scope(request, person) | {"lines": list(lines.values())})


# --- one form


@dataclass(frozen=True)
class Kept:
    """A form as the lab keeps it: its versions, newest first, the newest one read, and its plan."""

    form_id: str
    versions: list[FormVersion]
    form: Form
    plan: Plan

    @property
    def newest(self) -> FormVersion:
        """Return the newest version."""
        return self.versions[0]


def kept_form(request: Request, form_id: str) -> Kept:
    """Return the form of the address. Raises ProblemError form_not_found."""
    versions = request.app.state.forms.versions(form_id)
    form: Form | None = request.app.state.forms.get(form_id, versions[0].version) if versions else None
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    with reading(request.app.state.engine) as session:
        return Kept(form_id, versions, form, plans.get_plan(session, form_id))


FormOf = Annotated[Kept, Depends(kept_form)]


@router.get("/{form_id}")
def show_form(request: Request, person: Reader, kept: FormOf) -> HTMLResponse:
    """Show one form: whether it takes answers, whom it goes to, how to share it, its versions and languages."""
    with reading(request.app.state.engine) as session:
        fleet, holders = list_fleet(session), holders_of(session, kept.form_id)
    scope = form_scope(request, person) | {
        "kept": kept,
        "plan": kept.plan,
        "terms": terms_of(kept.form),
        "own": address_of(kept.form_id),
        "names": {row.id: row.name or row.id[:8] for row in fleet},
        "holders": _by_version(holders),
        "address": short_address(request, kept.form_id),
        "code": form_code(kept.form_id),
        "qr": qr_svg(short_address(request, kept.form_id)),
        "tongues": tongues_of(kept.form),
        "unread": unread_by(fleet, kept.form_id),
    }
    return page(request, "lab/form_kept.html", scope)


def _by_version(holders: list[Holder]) -> dict[str, list[Holder]]:
    found: dict[str, list[Holder]] = {}
    for holder in holders:
        found.setdefault(holder.newest, []).append(holder)
    return found


def unread_by(fleet: list[FleetRow], form_id: str) -> list[FleetRow]:
    """Return the nodes that should have the form's newest version and said that they do not."""
    lacking = [row for row in fleet if form_id in {form for form, _ in row.lacking_forms}]
    return [row for row in lacking if not row.is_revoked]


@router.post("/{form_id}/cerrar")
def close(request: Request, person: Publisher, kept: FormOf) -> RedirectResponse:
    """Take no new answers from now on, here and on every node below. What was answered before arrives and counts."""
    return _set_closed(request, person, kept, now_ms())


@router.post("/{form_id}/abrir")
def open_again(request: Request, person: Publisher, kept: FormOf) -> RedirectResponse:
    """Take answers again."""
    return _set_closed(request, person, kept, 0)


def _set_closed(request: Request, person: Person, kept: Kept, closed_ms: int) -> RedirectResponse:
    if kept.plan.is_from_above:
        raise ProblemError(PROBLEMS["plan_from_above"])
    if bool(closed_ms) != kept.plan.is_closed:
        note(request, person, "plan", kept.form_id, closed=bool(closed_ms))
        with writing(request.app.state.engine) as session:
            plan = plans.get_plan(session, kept.form_id).closed_at(closed_ms)
            plans.put_plan(session, kept.form_id, plan, now_ms())
    return RedirectResponse(address_of(kept.form_id), 303)


# --- versions


@router.get("/{form_id}/diferencia")
def show_difference(request: Request, person: Reader, kept: FormOf, de: str = "", a: str = "") -> HTMLResponse:
    """Show what changed between two versions, `de` and `a`; by default the newest and the one before it."""
    names = [row.version for row in kept.versions]
    newer = a if a in names else names[0]
    older = de if de in names else names[min(names.index(newer) + 1, len(names) - 1)]
    old, new = (request.app.state.forms.get(kept.form_id, version) for version in (older, newer))
    changes = slow_changes(request, old, new) if older != newer else []
    scope = form_scope(request, person) | {
        "kept": kept, "own": address_of(kept.form_id), "older": older, "newer": newer, "changes": changes,
    }  # fmt: skip
    return page(request, "lab/form_difference.html", scope)


@router.get("/{form_id}/fuente")
def send_source(request: Request, _person: Reader, kept: FormOf, version: str = "") -> Response:
    """Send the file from which a version was published, as it was uploaded; its XForm where there is none."""
    row = next((each for each in kept.versions if each.version == version), kept.newest)
    name = row.source_name if row.source else f"{row.form_id}-{row.version}.xml"
    content = row.source or row.xform.encode()
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type=SPREADSHEET if row.source else "application/xml", headers=headers)


# --- languages


@router.get("/{form_id}/idiomas")
def show_languages(request: Request, person: Reader, kept: FormOf) -> HTMLResponse:
    """Show what the form says in each language and what is missing, in writing and by voice."""
    spoken = [(each.place, each.key) for each in texts_to_speak(kept.form)]
    with reading(request.app.state.engine) as session:
        recorded = voices.list_voices(session, kept.form_id)
    standing = {(each.place, each.text, each.language) for each in recorded}
    heard = {code: sum((*text, code) in standing for text in spoken) for code in sorted({v[2] for v in standing})}
    scope = form_scope(request, person) | {
        "kept": kept, "own": address_of(kept.form_id), "tongues": tongues_of(kept.form), "to_speak": len(spoken),
        "heard": [(code, tongue_name(code, kept.form), count) for code, count in heard.items()],
        "language": language_of(kept.form, page_language(request)),
    }  # fmt: skip
    return page(request, "lab/form_languages.html", scope)
