"""Short codes and posters: `/e/<code>` opens a form, a page to print tells people how, links for one person each."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.clock import iso_here, now_ms
from collector.db import reading, writing
from collector.forms.model import Form, language_code
from collector.forms.people import asks_by_name, asks_by_text
from collector.kept_pages import WEEK
from collector.links import (
    MOST_NAME,
    MOST_SECRET,
    form_code,
    forms_with,
    make_ticket,
    minutes_to_answer,
    qr_svg,
    tidy_code,
    wifi_text,
)
from collector.pages import page, translator
from collector.problems import PROBLEMS, ProblemError
from collector.queries import links, single_use
from collector.routes.access import facilitator, posted_fields
from collector.routes.staff_scope import own_address, staff_scope
from collector.tables.forms import SingleUse
from sync.records import uuid7

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
MOST_PRINTED = 200
LINKS_OFFERED = 30
CARDS = 8  # of one page
LONGEST = 80


# --- codes


@router.get("/e")
def ask_code(request: Request, code: str = "") -> Response:
    """Ask for the code of a form, or lead on to what was typed."""
    if tidy_code(code):
        return RedirectResponse(f"/e/{quote(tidy_code(code)[:LONGEST], safe='')}", 302)
    return page(request, "paper/code.html", {"typed": "", "several": []})


@router.get("/e/{code}")
@router.get("/E/{code}")
def open_code(request: Request, code: str) -> Response:
    """Lead to the form of this code; kept for a week, so that a scanned poster opens without a signal."""
    titles = {row.form_id: row.title for row in request.app.state.forms.current()}
    found = forms_with(code, titles)
    if len(found) == 1:
        return RedirectResponse(f"/f/{quote(found[0], safe='')}", 302, {"Cache-Control": WEEK})
    scope = {"typed": code.strip()[:LONGEST], "several": [(form_id, titles[form_id]) for form_id in found]}
    return page(request, "paper/code.html", scope, status=300 if found else 404)


def newest_form(request: Request, form_id: str) -> Form:
    """Return the newest version of a form. Raises ProblemError form_not_found."""
    versions = request.app.state.forms.versions(form_id)
    form: Form | None = request.app.state.forms.get(form_id, versions[0].version) if versions else None
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    return form


def short_address(request: Request, form_id: str) -> str:
    """Return the address that stands on posters: of this node, with the form's code."""
    return f"{own_address(request)}/e/{form_code(form_id)}"


def tongues(request: Request, form: Form) -> list[tuple[str, Any]]:
    """Return (code, translator) of the languages that a poster of this form speaks: Spanish, and ours of the form's."""
    codes = {language_code(name) for name in form.languages}
    spoken = ("es", "en") if "en" in codes else ("es",)
    return [(code, translator(request.app.state.english, code)) for code in spoken]


# --- posters


@dataclass(frozen=True)
class Wanted:
    """What a facilitator typed for a poster."""

    name: str = ""
    password: str = ""
    is_kept: bool = False
    who: str = ""
    until: str = ""
    is_anonymous: bool = True


@router.get("/equipo/cartel/{form_id}")
def poster(request: Request, form_id: str, _who: Facilitator, solo: str = "") -> HTMLResponse:
    """Show the poster as it would be printed, and what it can say more."""
    form = newest_form(request, form_id)
    with reading(request.app.state.engine) as session:
        name, password = links.remembered_wifi(session)
    wanted = Wanted(name, password, bool(name), request.app.state.node_name, "", not asks_for_people(form))
    return _poster(request, form, wanted, bool(solo))


@router.post("/equipo/cartel/{form_id}")
def poster_with(request: Request, form_id: str, _who: Facilitator, posted: Posted, solo: str = "") -> HTMLResponse:
    """Show the poster with what was typed. The Wi-Fi stays on this node only when that was ticked."""
    form = newest_form(request, form_id)
    wanted = Wanted(
        posted.get("wifi", "").strip().encode()[:MOST_NAME].decode(errors="ignore"),
        posted.get("clave", "")[:MOST_SECRET],
        posted.get("recordar") == "si",
        posted.get("quien", "").strip()[:LONGEST],
        posted.get("hasta", "").strip()[:LONGEST],
        posted.get("anonima") == "si",
    )
    with writing(request.app.state.engine) as session:
        if wanted.is_kept and wanted.name:
            links.remember_wifi(session, wanted.name, wanted.password)
        else:
            links.forget_wifi(session)
    return _poster(request, form, wanted, bool(solo))


def _poster(request: Request, form: Form, wanted: Wanted, is_small: bool) -> HTMLResponse:
    address = short_address(request, form.form_id)
    scope = {
        "form": form,
        "wanted": wanted,
        "is_small": is_small,
        "cards": range(CARDS),
        "address": address,
        "spoken": address.partition("://")[2].replace(f"/e/{form_code(form.form_id)}", ""),
        "code": form_code(form.form_id),
        "qr_form": qr_svg(address),
        "qr_wifi": qr_svg(wifi_text(wanted.name, wanted.password)) if wanted.name else "",
        "minutes": minutes_to_answer(form),
        "tongues": tongues(request, form),
        "others": [(language_code(name), name.partition(" (")[0]) for name in form.languages],
    }
    return page(request, "facilitator/poster.html", scope | staff_scope(request, "/equipo/cartel"))


def asks_for_people(form: Form) -> bool:
    """Tell whether a question seems to ask who somebody is: then no poster says that it does not."""
    asked = ((question.name, list(question.label.values()), question.type) for question in form.questions)
    return any(asks_by_name(name, kind) or asks_by_text(texts, kind) for name, texts, kind in asked)


# --- everything that is printed of a form; links for one person


@router.get("/equipo/enlaces/{form_id}")
def all_of(request: Request, form_id: str, _who: Facilitator, n: int = LINKS_OFFERED) -> HTMLResponse:
    """Show the short address of a form, and what can be printed of it."""
    form = newest_form(request, form_id)
    with reading(request.app.state.engine) as session:
        made = single_use.batches_of(session, single_use.TICKET, form_id)
    return page(
        request,
        "facilitator/links.html",
        _links(request, form, {"made": made, "n": typed_count(str(n), LINKS_OFFERED), "cards": []}),
    )


@router.post("/equipo/enlaces/{form_id}")
def make_links(request: Request, form_id: str, _who: Facilitator, posted: Posted) -> Response:
    """Make links of which each counts once, and lead to their cards."""
    codes = [make_ticket() for _ in range(typed_count(posted.get("n", ""), LINKS_OFFERED))]
    batch = keep_codes(request, newest_form(request, form_id), single_use.TICKET, codes)
    return RedirectResponse(f"/equipo/enlaces/{quote(form_id, safe='')}/{batch}", 303)


@router.get("/equipo/enlaces/{form_id}/{batch}")
def print_links(request: Request, form_id: str, batch: str, _who: Facilitator) -> HTMLResponse:
    """Show the cards of links that were made together."""
    form = newest_form(request, form_id)
    rows = codes_of(request, form_id, single_use.TICKET, batch)
    whole = f"{own_address(request)}/f/{quote(form_id, safe='')}"
    cards = [qr_svg(f"{whole}#t={row.code}") for row in rows]
    return page(request, "facilitator/links.html", _links(request, form, {"made": [], "n": 0, "cards": cards}))


def keep_codes(request: Request, form: Form, kind: str, codes: list[str], language: str = "") -> str:
    """Keep codes that were made together now, and return the name of their batch."""
    batch, moment = uuid7(), now_ms()
    rows = [
        SingleUse(
            kind=kind, code=code, form=form.form_id, version=form.version,
            language=language, batch=batch, made_ms=moment,
        )
        for code in codes
    ]  # fmt: skip
    with writing(request.app.state.engine) as session:
        single_use.add_codes(session, rows)
    return batch


def codes_of(request: Request, form_id: str, kind: str, batch: str) -> list[SingleUse]:
    """Return the codes of a form that were made together. Raises ProblemError not_found for none."""
    with reading(request.app.state.engine) as session:
        rows = [row for row in single_use.codes_in(session, kind, batch) if row.form == form_id]
    if not rows:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return rows


def _links(request: Request, form: Form, more: dict[str, Any]) -> dict[str, Any]:
    address = short_address(request, form.form_id)
    scope = {
        "form": form,
        "spoken": address.partition("://")[2].lower(),
        "code": form_code(form.form_id),
        "qr_form": qr_svg(address),
        "when": iso_here,
    }
    return scope | more | staff_scope(request, "/equipo/enlaces")


def typed_count(typed: str, otherwise: int) -> int:
    """Return how many sheets or links are wanted: at least one, and not more than a printer bears."""
    count = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else otherwise
    return max(1, min(count, MOST_PRINTED))
