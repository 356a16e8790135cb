"""What citizens meet instead of a form that takes no new answers: it closed, or it is for other places now.

Only opening stops. What was answered before arrives and is kept as ever: posts, outboxes and sheets are not asked here.
"""

from fastapi import Request
from fastapi.responses import HTMLResponse

from collector.db import reading
from collector.pages import page
from collector.queries.plans import get_plan


def closed_page(request: Request, form_id: str) -> HTMLResponse | None:
    """Return the page that says that the form takes no new answers here, None while it does or is not here at all.

    200, not 410: a phone's service worker takes any other status for a portal's, and would say "no signal".
    """
    with reading(request.app.state.engine) as session:
        plan = get_plan(session, form_id)
    if plan.takes_answers:
        return None
    versions = request.app.state.forms.versions(form_id)
    if not versions:
        return None
    return page(request, "citizen/closed.html", {"title": versions[0].title, "is_closed": plan.is_closed})
