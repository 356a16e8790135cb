"""The start page. It stands alone so that a node can show it before it has read anything else."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.pages import page

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request) -> HTMLResponse:
    """The surveys of this node."""
    forms = request.app.state.forms
    return page(request, "citizen/start.html", {"forms": forms.open(), "has_results": bool(forms.public())})
