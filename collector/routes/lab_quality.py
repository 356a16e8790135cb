"""What looks odd in records, and why: a list to go through, by form and by kind. Nothing is refused for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from collector.db import reading
from collector.lab.quality import KINDS, Finding
from collector.lab.quality_profile import LEAST
from collector.lab.quality_words import KIND_WORDS, Said, say_finding
from collector.lab.tables import Column, language_of, tables_of
from collector.pages import page, page_language, translator
from collector.queries import quality as queries
from collector.queries.lab import node_names
from collector.queries.quality import Noticed
from collector.routes.access import Person, person_who_may
from collector.routes.audited import note
from collector.routes.lab_scope import lab_scope
from collector.territory import place_labels

router = APIRouter(prefix="/lab", include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("records"))]
RecordId = Annotated[str, Query(max_length=36)]
PAGE_RECORDS = 50
FEW = 100  # records looked at before a page is drawn; what is left is looked at beside


@router.get("/calidad")
def show_quality(
    request: Request, reader: Reader, form: str = "", tipo: str = "", antes: RecordId = ""
) -> HTMLResponse:
    """Show the records in which something is odd, the newest first; `tipo`: one of KINDS."""
    state = request.app.state
    left, is_busy = state.quality.catch_up(FEW), state.quality.is_looking
    if left:
        state.quality.go_on()
    what = tipo if tipo in KINDS else ""
    with reading(state.engine) as session:
        noticed = queries.list_noticed(session, form, what, antes, PAGE_RECORDS + 1)
        names = node_names(session)
    shown = noticed[:PAGE_RECORDS]
    if shown:
        note(request, reader, "read_record", form or "calidad", count=len(shown), list="quality")
    scope = lab_scope(request, reader.who, "/lab/al-dia")
    scope |= {
        "lines": _lines(request, shown),
        "names": names,
        "own_id": state.node_id,
        "left": left,
        "is_busy": is_busy and not left,
        "least": LEAST,
        "form": form,
        "what": what,
        "kinds": [(kind, KIND_WORDS[kind]) for kind in KINDS],
        "titles": {row.form_id: row.title for row in reversed(state.forms.versions())},
        "older": shown[-1].record_id if len(noticed) > PAGE_RECORDS else "",
    }
    return page(request, "lab/quality.html", scope)


def _lines(request: Request, noticed: list[Noticed]) -> list[tuple[Noticed, list[Said]]]:
    said = {form: sayer(request, form) for form in {one.form for one in noticed}}
    return [(one, [said[one.form](found) for found in one.found]) for one in noticed]


def sayer(request: Request, form_id: str) -> Any:
    """Return what puts a finding of a form into words, in the language of the page."""
    state = request.app.state
    versions = [row.version for row in reversed(state.forms.versions(form_id))]
    forms = [form for version in versions if (form := state.forms.get(form_id, version))]
    columns: tuple[Column, ...] = tables_of(forms).columns
    language = language_of(forms[-1], page_language(request)) if forms else ""
    translate = translator(state.english, page_language(request))

    def say(found: Finding) -> Said:
        return say_finding(found, columns, language, place_labels(), translate)

    return say


def oddities_of(request: Request, record_id: str, form_id: str) -> list[Said]:
    """Return what is odd in one record, in words: for its page."""
    request.app.state.quality.catch_up(FEW)
    with reading(request.app.state.engine) as session:
        found = queries.findings(session, record_id)
    return [sayer(request, form_id)(one) for one in found] if found else []
