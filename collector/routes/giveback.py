"""What is given back: a municipality's own page and one for everybody; sheets to print, with protected counts."""

import json
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_plan import Plan
from collector.giveback_store import Given
from collector.lab.giveback import NO_PLACE, OTHERS
from collector.lab.giveback_parts import Part, Words, municipality_parts, public_parts
from collector.lab.tables import language_of
from collector.pages import page, page_language, translator
from collector.problems import PROBLEMS, ProblemError
from collector.queries import plans, store
from collector.rooms.outputs.csv import csv_text
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import note
from collector.routes.given_out import handed_out
from collector.routes.lab_opened import municipalities
from collector.routes.lab_scope import lab_scope, zone_here
from collector.sense_store import last_release
from collector.territory import place_labels, place_names

router = APIRouter(include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("municipality"))]
Writer = Annotated[Person, Depends(person_who_may("reply"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
REPLIES = "reply:"  # the fact: what a municipality answered, JSON list of {text, by, at_ms}
MOST_REPLIES, LONGEST_REPLY = 50, 400
HERE, PUBLIC = "/municipio", "/publico"
THEMES = "place"  # the table of themes by municipality (routes/lab_themes.py)


@dataclass(frozen=True)
class FormGiven:
    """What is told of a form on a page."""

    form_id: str
    title: str
    parts: list[Part]
    given: Given
    n: int


# --- a municipality's own page


@router.get(HERE)
def show_municipalities(request: Request, person: Reader) -> Response:
    """Show the municipalities that have a page; lead somebody of one to hers. Raises municipality_missing."""
    if person.role == "municipality":
        if not person.municipality:
            raise ProblemError(PROBLEMS["municipality_missing"])
        return RedirectResponse(f"{HERE}/{person.municipality}", 303)
    found = [handed_out(request, form_id, waits=False) for form_id in _form_ids(request)]
    told, labels = {code for handed in found for code in _places_told(handed.given)}, place_labels()
    scope = lab_scope(request, person.who, HERE)
    scope.update(
        places=sorted(((code, labels.get(code, code)) for code in told), key=lambda item: item[1]),
        counting=[handed.forms[-1].title for handed in found if handed.given.is_counting],
    )
    return page(request, "giveback/municipalities.html", scope)


@router.get(HERE + "/{code}.csv")
def get_csv(request: Request, person: Reader, code: str) -> Response:
    """Give what the page says as CSV."""
    _let_in(person, code)
    forms, _ = _of_municipality(request, code, waits=True)
    note(request, person, "release", f"{HERE}/{code}", count=sum(each.n for each in forms))
    translate = _translate(request)
    protected = translate("protegido")
    lines = [
        (each.form_id, part.key, part.label, said.label, protected if said.count is None else said.count, part.n)
        for each in forms
        for part in each.parts
        for said in part.said
    ]
    head = ("formulario", "pregunta", "texto", "respuesta", "personas", "n")
    headers = {"Content-Disposition": f"attachment; filename=municipio-{code}.csv"}
    return Response(csv_text(head, lines), media_type="text/csv; charset=utf-8", headers=headers)


@router.get(HERE + "/{code}")
def show_municipality(request: Request, person: Reader, code: str) -> HTMLResponse:
    """Show what people said in one municipality, and what it answers. Raises right_missing for somebody of another."""
    _let_in(person, code)
    return _municipality_page(request, person, code, "")


@router.post(HERE + "/{code}")
def add_reply(request: Request, person: Writer, code: str, posted: Posted) -> Response:
    """Keep what the municipality will do. Raises bad_request for no text or too many."""
    _let_in(person, code)
    text = one_line(posted.get("text", ""), LONGEST_REPLY)
    if not text:
        return _municipality_page(request, person, code, _translate(request)("Escriba qué harán."), 422)
    with writing(request.app.state.engine) as session:
        replies = _read_replies(store.fact(session, REPLIES + code))
        is_new = not replies or replies[-1]["text"] != text  # a second tap says it once
        if is_new and len(replies) >= MOST_REPLIES:
            raise ProblemError(PROBLEMS["bad_request"], reason=f"ya hay {MOST_REPLIES} compromisos")
        if is_new:
            replies.append({"text": text, "by": person.who, "at_ms": now_ms()})
            store.set_fact(session, REPLIES + code, json.dumps(replies, ensure_ascii=False))
    if is_new:
        note(request, person, "plan", f"{HERE}/{code}", text=text)
    return RedirectResponse(f"{HERE}/{code}#respuesta", 303)


def _let_in(person: Person, code: str) -> None:
    """Raise right_missing for somebody of another municipality, not_found for no municipality."""
    if person.role == "municipality" and person.municipality != code:
        raise ProblemError(PROBLEMS["right_missing"], role=person.role, right="municipality")
    if code not in municipalities():
        raise ProblemError(PROBLEMS["not_found"], path=f"{HERE}/{code}")


def _municipality_page(request: Request, person: Person, code: str, trouble: str, status: int = 200) -> HTMLResponse:
    with reading(request.app.state.engine) as session:
        replies = _read_replies(store.fact(session, REPLIES + code))
    scope = lab_scope(request, person.who, HERE)
    forms, counting = _of_municipality(request, code, waits=False)
    scope.update(
        code=code,
        name=place_names().get(code, code),
        forms=forms,
        counting=counting,
        themes=_themes(request, code),
        replies=replies,
        trouble=trouble,
        may_reply=person.may("reply"),
        day=_day,
    )
    return page(request, "giveback/municipality.html", scope, status=status)


def _day(at_ms: int) -> str:
    return day_of(at_ms, zone_here())


def day_of(at_ms: int, zone: tzinfo) -> str:
    """Return the day of a moment by the clock in `zone`."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()


def _read_replies(kept: str) -> list[dict[str, Any]]:
    return list(json.loads(kept)) if kept else []


def _themes(request: Request, code: str) -> list[tuple[str, int, list[str]]]:
    """Return (theme, records, the other municipalities that speak of it), from the tables that were handed out."""
    given = last_release(request.app.state.engine)
    if given is None or THEMES not in given.tables:
        return []
    labels, found = place_labels(), []
    for row in given.shown():
        division = row.divisions.get(THEMES)
        count = division.counts.get(code) if division and division.is_shown else None
        if division and count:
            others = [labels.get(place, place) for place, n in division.counts.items() if n and place != code]
            found.append((row.path, count, sorted(others)))
    return sorted(found, key=lambda item: -item[1])


# --- for everybody


@router.get(PUBLIC)
def show_public_forms(request: Request) -> HTMLResponse:
    """Show the forms that have a page for everybody."""
    forms = [(row.form_id, row.title) for row in request.app.state.forms.public()]
    return page(request, "giveback/public_forms.html", _public_scope(request) | {"forms": forms})


@router.get(PUBLIC + "/{form_id}")
def show_public_form(request: Request, form_id: str) -> HTMLResponse:
    """Show what everybody may see of a form. Raises form_not_found for one that is not public."""
    plan = _plan(request, form_id)
    if not plan.is_public:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    handed = handed_out(request, form_id, waits=False)
    newest, k = handed.forms[-1], handed.groups.public
    wanted = [line for line in handed.given.lines if line.column.key in plan.public]
    parts = public_parts(wanted, language_of(newest, page_language(request)), _words(request), k)
    scope = _public_scope(request) | {"title": newest.title, "parts": parts, "given": handed.given, "day": _day, "k": k}
    return page(request, "giveback/public.html", scope)


def _public_scope(request: Request) -> dict[str, Any]:
    return {"static": request.app.state.assets.url, "home": PUBLIC}


# --- what is told


def _plan(request: Request, form_id: str) -> Plan:
    with reading(request.app.state.engine) as session:
        return plans.get_plan(session, form_id)


def _form_ids(request: Request) -> list[str]:
    return [row.form_id for row in request.app.state.forms.current()]


def _of_municipality(request: Request, code: str, waits: bool) -> tuple[list[FormGiven], list[str]]:
    """Return what is told of each form there, and the titles of those that are counted for the first time."""
    language, found, counting = page_language(request), list[FormGiven](), list[str]()
    for form_id in _form_ids(request):
        handed = handed_out(request, form_id, waits)
        newest, given = handed.forms[-1], handed.given
        if given.is_counting:
            counting.append(newest.title)
        parts = municipality_parts(given.lines, code, language_of(newest, language), _words(request))
        if parts:
            found.append(FormGiven(form_id, newest.title, parts, given, max(part.n for part in parts)))
    return found, counting


def _places_told(given: Given) -> set[str]:
    names = {name for line in given.lines if line.told.is_divided for name in line.told.columns}
    return names - {OTHERS, NO_PLACE}


def _words(request: Request) -> Words:
    translate = _translate(request)
    return Words(translate("Otras respuestas, juntas"), translate("Sin respuesta"))


def _translate(request: Request) -> Any:
    return translator(request.app.state.english, page_language(request))
