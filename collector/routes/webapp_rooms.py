"""A session that a tablet runs by itself, with no node in the room: the page for all of it, and the guides it can use.

Both are kept by the browser's service worker. What is said there are contributions like any other (docs/room-take.md).
"""

import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request, Response

from collector.pages import browser_language, render, translator
from collector.room_guides import kept_guides, starter_guides
from collector.rooms.guide import guide_as_json
from collector.routes.rooms_common import PURPOSES
from collector.territory import provinces

router = APIRouter(include_in_schema=False)
PAGE, GUIDES = "/app/sala", "/app/guias.json"
# in the order in which they import each other: what a new program fetches with the page
SCRIPTS = (
    "outbox", "remember", "parts", "sha256", "kiosk-store", "kiosk-pin", "kiosk-desk", "kiosk-idle", "kiosk-device",
    "room-records", "room-take-state", "room-take-draw", "room-take-log", "room-take-forms", "room-take-codes",
    "room-take-secret", "room-take-send", "room-take-keep", "room-take-list", "room-take-run", "room-take-people",
    "room-take-results", "room-take-notes", "room-take-pass",
)  # fmt: skip


@router.get(PAGE)
def take_room(request: Request) -> Response:
    """The page of a session without a node: the same for everybody, drawn further by the browser itself."""
    language = browser_language(request)
    translate = translator(request.app.state.english, language)
    scope = {
        "lang": language,
        "kind": "staff",
        "brand": request.app.state.node_name,
        "place": "",
        "home": "/app",
        "nav": [("/app", translate("Esta tableta"), False), (PAGE, translate("Sesiones sin nodo"), True)],
        "who": "",
        "purposes": PURPOSES,
        "provinces": provinces(),
        "scripts": [f"js/{name}.js" for name in SCRIPTS],
    }
    body = render(request, "webapp/room.html", scope)
    # as /app: the service worker keeps it, and a new program must show up
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


@router.get(GUIDES)
def guides(request: Request) -> Response:
    """The guides of this node, {"guides": [{key, name, version, title, steps, segments}]}; 304 when unchanged."""
    body = json.dumps({"guides": guides_here(request)}, ensure_ascii=False)
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def guides_here(request: Request) -> list[dict[str, Any]]:
    """Return the guides that come with the program, then those that people brought, each under its key."""
    brought = {each.id: each.guide for each in kept_guides(request.app.state.engine)}
    return [{"key": key, **guide_as_json(guide)} for key, guide in {**starter_guides(), **brought}.items()]
