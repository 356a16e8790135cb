"""The program installed on a tablet: its manifest, its start page, and the list of what it needs without a signal.

Prepared over https (or on localhost) a tablet has its surveys, drafts, outbox and kiosk mode with no node near.
"""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from collector.pages import browser_language, render
from collector.routes import webapp_rooms
from collector.routes.citizen import form_address
from collector.routes.kiosk import kiosk_address
from collector.routes.media import KEPT_BYTES, media_addresses
from collector.routes.voices import voice_addresses, voices_in

router = APIRouter(include_in_schema=False)
router.include_router(webapp_rooms.router)
ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("maskable-512", 512, "maskable"))
OWN_PAGES = ("/app", webapp_rooms.PAGE, webapp_rooms.GUIDES, "/mis-respuestas", "/offline")


@router.get("/manifest.webmanifest")
def manifest(request: Request) -> Response:
    """Say how the program looks among others of a tablet, and where it starts."""
    assets = request.app.state.assets
    icons = [
        {"src": assets.url(f"icons/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in ICONS
    ]
    content = {
        "id": "/app",
        "name": f"Collector · {request.app.state.node_name}",
        "short_name": "Collector",
        "lang": "es",
        "start_url": "/app",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f4ec",
        "theme_color": "#0f3b2d",
        "icons": icons,
    }
    return JSONResponse(content, headers={"Cache-Control": "max-age=3600"}, media_type="application/manifest+json")


@router.get("/app")
def start(request: Request) -> Response:
    """The start page of the installed program: the same for everybody, drawn further by the browser itself."""
    forms = [
        (row.title, f"/f/{quote(row.form_id, safe='')}", f"/k/{quote(row.form_id, safe='')}")
        for row in request.app.state.forms.open()
    ]
    body = render(request, "webapp/start.html", {"lang": browser_language(request), "forms": forms})
    # not kept by the browser: the service worker keeps it, and a new survey must show up
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/app/lista.json")
def needed(request: Request) -> dict[str, Any]:
    """List what a tablet keeps for work without a signal: pages, files of forms, and the program's own files."""
    state = request.app.state
    pages, media = list(OWN_PAGES), []
    for row in state.forms.open():
        form = state.forms.get(row.form_id, row.version)
        if form is None:
            continue
        address = form_address(row.form_id, row.version)
        pages += [address, f"{address}/form.json", kiosk_address(row.form_id, row.version)]
        media += media_addresses(form, state.forms.files(row.form_id, row.version))
        media += voice_addresses(address, voices_in(request, form), KEPT_BYTES)
    program = [state.assets.url(path) for path in state.assets.files if path.startswith(("js/", "css/", "vendor/"))]
    return {"version": state.assets.version, "pages": pages, "media": media, "program": program}
