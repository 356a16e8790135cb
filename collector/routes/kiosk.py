"""Kiosk mode: one tablet goes from hand to hand, and nobody meets what the one before answered.

The page between two people is the same bytes for everybody and is kept as a form's page is; what it does stands in
static/js/kiosk*.js. Without scripts the survey itself is posted here, so that its last page leads back here.
"""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from collector.fill.post_body import read_posted
from collector.forms.model import Form, language_code
from collector.kept_pages import WEEK, Kept, keep
from collector.pages import page, render, translator
from collector.problems import PROBLEMS, ProblemError
from collector.routes import access
from collector.routes.citizen import KeptResponse, View, answer_post, find_form, form_address
from collector.routes.closed import closed_page
from collector.routes.staff_scope import staff_scope

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(access.facilitator)]
CHOOSE = "/equipo/entregar-tableta"


def kiosk_address(form_id: str, version: str) -> str:
    """Return the address of the page between two people, for a version of a form."""
    return "/k" + form_address(form_id, version).removeprefix("/f")


@router.get(CHOOSE)
def choose(request: Request, _who: Facilitator) -> Response:
    """The facilitator's page: which survey to hand round; also ends kiosk mode where its own PIN is forgotten."""
    forms = [(form.title, f"/k/{quote(form.form_id, safe='')}") for form in request.app.state.forms.open()]
    return page(request, "kiosk/choose.html", staff_scope(request, CHOOSE) | {"forms": forms})


@router.post(CHOOSE)
def close_staff_pages(request: Request) -> Response:
    """Close the facilitators' pages in this browser before it leaves her hands. Asked by the page that starts."""
    response = JSONResponse({"closed": True})
    access.sign_out(request, response, access.PIN_COOKIE)
    return response


def _newest_address(request: Request, form_id: str) -> tuple[str, str]:
    versions = request.app.state.forms.versions(form_id)
    if not versions:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    return versions[0].version, kiosk_address(form_id, versions[0].version)


@router.get("/k/{form_id}")
def newest(request: Request, form_id: str) -> Response:
    """Lead to the newest version; kept for a week, so that it opens without a signal."""
    address = _newest_address(request, form_id)[1]
    return closed_page(request, form_id) or RedirectResponse(address, 302, {"Cache-Control": WEEK})


@router.get("/k/{form_id}/current")
def current(request: Request, form_id: str) -> dict[str, str]:
    """Say which version is the newest, for pages opened from a cache."""
    version, address = _newest_address(request, form_id)
    return {"version": version, "address": address, "survey": form_address(form_id, version)}


@router.get("/k/{form_id}/{version}")
def between(request: Request, form_id: str, version: str) -> Response:
    """The page between two people, kept by the browser for a week."""
    form = find_form(request, form_id, version)
    if closed := closed_page(request, form_id):
        return closed
    html = render(request, "kiosk/between.html", _scope(request, form))
    pages: dict[str, Kept] = request.app.state.kept_pages
    pages[f"/k/{form_id}/{version}"] = keep(html.encode(), "text/html; charset=utf-8")
    return KeptResponse(pages[f"/k/{form_id}/{version}"])


def _scope(request: Request, form: Form) -> dict[str, object]:
    lang = "en" if language_code((form.languages or ("",))[0]) == "en" else "es"
    return {
        "form": form,
        "lang": lang,
        "both": _both(request, lang),
        "address": form_address(form.form_id, form.version),
        "here": kiosk_address(form.form_id, form.version),
    }


def _both(request: Request, lang: str) -> Callable[[str], Markup]:
    """Return a function that writes a sentence in both languages: scripts show that of the person who answers."""
    english = translator(request.app.state.english, "en")
    one = Markup('<span lang="{}" data-in="{}"{}>{}</span>')

    def both(sentence: str) -> Markup:
        texts = {"es": sentence, "en": english(sentence)}
        hidden = {code: "" if code == lang else Markup(" hidden") for code in texts}
        return Markup("").join(one.format(code, code, hidden[code], text) for code, text in texts.items())

    return both


@router.post("/k/{form_id}/{version}")
async def post_form(request: Request, form_id: str, version: str) -> Response:
    """Take a page of the survey from a browser without scripts that stands in kiosk mode."""
    posted = await read_posted(request)
    form = find_form(request, form_id, version)
    return await run_in_threadpool(answer_post, request, form, posted, kiosk_address(form_id, version), _thank)


def _thank(view: View, _record_id: str, is_its_code: bool) -> Response:
    """Answer with the page itself, no redirect and no cookie: going back must not show the code to the next person."""
    form = view.form
    scope = _scope(view.request, form) | {"code": view.code if is_its_code else ""}
    return page(view.request, "kiosk/thanks.html", scope)


@router.get("/k/{form_id}/{version}/media/{name}")
def media(form_id: str, version: str, name: str) -> Response:
    """Lead to a form's file: without scripts the survey's pages name them from here."""
    return RedirectResponse(f"{form_address(form_id, version)}/media/{quote(name, safe='')}", 302)
