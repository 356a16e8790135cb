"""Sheets of a form to print, each with its serial. They are entered in `paper_entry.py`."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import iso_here
from collector.db import reading
from collector.forms.model import language_code
from collector.links import qr_svg
from collector.pages import page, translator
from collector.paper.serials import make_serial, shown_serial
from collector.paper.sheet import blocks_of, laid_out
from collector.queries import single_use
from collector.routes.access import facilitator, posted_fields
from collector.routes.citizen import find_form
from collector.routes.links import asks_for_people, codes_of, keep_codes, newest_form, typed_count
from collector.routes.staff_scope import staff_scope

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
SHEETS_OFFERED = 20


@router.get("/equipo/papel/{form_id}")
def prepare(request: Request, form_id: str, _who: Facilitator, n: int = SHEETS_OFFERED) -> HTMLResponse:
    """Ask how many sheets are needed, and show those that were made before."""
    form = newest_form(request, form_id)
    with reading(request.app.state.engine) as session:
        made = single_use.batches_of(session, single_use.PAPER, form_id)
    languages = [(name, language_code(name)) for name in form.languages]
    scope = {
        "form": form,
        "sheets": [],
        "n": typed_count(str(n), SHEETS_OFFERED),
        "made": made,
        "languages": languages,
        "when": iso_here,
    }
    return page(request, "paper/print.html", scope | staff_scope(request, "/equipo/papel"))


@router.post("/equipo/papel/{form_id}")
def make_sheets(request: Request, form_id: str, _who: Facilitator, posted: Posted) -> Response:
    """Make the serials, and lead to the sheets to print."""
    form = newest_form(request, form_id)
    language = posted["idioma"] if posted.get("idioma") in form.languages else (form.languages or ("",))[0]
    serials = [make_serial(form_id) for _ in range(typed_count(posted.get("n", ""), SHEETS_OFFERED))]
    batch = keep_codes(request, form, single_use.PAPER, serials, language)
    return RedirectResponse(f"/equipo/papel/{quote(form_id, safe='')}/{batch}", 303)


@router.get("/equipo/papel/{form_id}/{batch}")
def print_sheets(request: Request, form_id: str, batch: str, _who: Facilitator) -> HTMLResponse:
    """Show the sheets that were made together, as they are printed; again and again the same."""
    rows = codes_of(request, form_id, single_use.PAPER, batch)
    form = find_form(request, form_id, rows[0].version)
    code = language_code(rows[0].language)
    ours = "en" if code == "en" else "es"  # our own words: in Spanish where we have no other
    tongue = translator(request.app.state.english, ours)
    scope = {
        "form": form,
        "sheets": [(shown_serial(row.code), qr_svg(row.code)) for row in rows],
        "blocks": list(laid_out(blocks_of(form, rows[0].language, tongue))),
        "form_lang": code,
        "paper_lang": ours,
        "tongue": tongue,
        "is_anonymous": not asks_for_people(form),
    }
    return page(request, "paper/print.html", scope | staff_scope(request, "/equipo/papel"))
