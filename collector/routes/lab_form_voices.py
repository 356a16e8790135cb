"""The lab records or uploads what facilitators also can: the texts of a form in the languages of its people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from collector.fill.post_body import read_posted
from collector.routes.access import Person, person_who_may
from collector.routes.lab_forms import HERE, address_of, form_scope
from collector.routes.links import newest_form
from collector.routes.staff_scope import LAB_LAYOUT
from collector.routes.voices import Desk, change_voice, voices_page

router = APIRouter(prefix=HERE, include_in_schema=False)
Publisher = Annotated[Person, Depends(person_who_may("publish"))]


def _desk(request: Request, person: Person, form_id: str) -> Desk:
    own = address_of(form_id)
    return Desk(f"{own}/voces", f"{own}/idiomas", form_scope(request, person) | {"layout": LAB_LAYOUT})


@router.get("/{form_id}/voces")
def show(request: Request, person: Publisher, form_id: str, lengua: str = "") -> HTMLResponse:
    """List the texts of a form, each with its recording in one language and the way to make one."""
    return voices_page(request, newest_form(request, form_id), _desk(request, person, form_id), lengua)


@router.post("/{form_id}/voces")
async def change(request: Request, person: Publisher, form_id: str) -> Response:
    """Keep a recording, or remove one."""
    posted = await read_posted(request)
    return await run_in_threadpool(change_voice, request, form_id, posted, _desk(request, person, form_id))
