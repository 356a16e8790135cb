"""What a form's page that was opened from a cache asks: which version is the newest, and whether it takes answers.

Before citizen.py in collector/addresses.py: "current" is no version there.
"""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from collector.problems import PROBLEMS, ProblemError
from collector.routes.citizen import form_address
from collector.routes.closed import closed_page

router = APIRouter(include_in_schema=False)


@router.get("/f/{form_id}/current")
def current(request: Request, response: Response, form_id: str) -> dict[str, str]:
    """Say which version is the newest; a browser asks once in ten minutes.

    A form that closed is another version to a page in which nobody has typed: that page goes to `closed`.
    """
    versions = request.app.state.forms.versions(form_id)
    if not versions:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    response.headers["Cache-Control"] = "max-age=600"
    newest = versions[0].version
    if closed_page(request, form_id) is not None:
        return {"version": f"{newest} (cerrada)", "address": f"/f/{quote(form_id, safe='')}/current/cerrada"}
    return {"version": newest, "address": form_address(form_id, newest)}


@router.get("/f/{form_id}/current/cerrada")
def closed(request: Request, form_id: str) -> Response:
    """Say that the form has closed, at an address that no browser keeps; lead back to it once it is open again."""
    return closed_page(request, form_id) or RedirectResponse(f"/f/{quote(form_id, safe='')}", 302)
