"""Which module of `routes` answers which address. It is imported when somebody first asks for one of its addresses.

All of them together take longer to import than everything else that a node does until it answers, and most nodes are
asked for few of them. An address is found by its first part, so that a batch is compared with no page's address.
"""

from importlib import import_module
from threading import Lock

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

# first part of an address -> its modules, in the order in which a request meets them
MODULES: dict[str, tuple[str, ...]] = {
    "": ("start",),
    "health": ("static",),
    "static": ("static",),
    "sw.js": ("static",),
    "offline": ("static",),
    "favicon.ico": ("static",),
    "manifest.webmanifest": ("webapp",),
    "app": ("webapp",),
    "f": ("voices", "form_current", "citizen", "media"),
    "r": ("citizen",),
    "mis-respuestas": ("citizen",),
    "k": ("kiosk",),
    "e": ("links",),
    "E": ("links",),
    "codigo": ("withdrawal", "own_answers", "correcting"),
    "respuesta": ("withdrawal",),
    "pasar": ("handover",),
    "retomar": ("handover",),
    "s": ("room_pass", "room_people", "room_react", "room_outbox", "rooms_board"),
    "sala": (
        "room_outbox",
        "room_paper",
        "rooms_taken",
        "rooms_guides",
        "rooms",
        "rooms_run",
        "rooms_desk",
        "rooms_cards",
        "rooms_photos",
        "rooms_notes",
        "rooms_outputs",
        "rooms_board",
    ),
    "equipo": (
        "bundles",
        "fleet",
        "enrol",
        "wiping",
        "kiosk",
        "links",
        "paper",
        "paper_entry",
        "voices",
        "lab_edit",
        "returned",
        "facilitator",
    ),
    "lab": (
        "lab_login",
        "lab_account",
        "lab_people",
        "lab_tokens",
        "lab_audit",
        "lab_review",
        "lab_edit",
        "returned",
        "quarantine",
        "lab_erasure",
        "fleet",
        "rooms_codes",  # before the files of a room: "temas" is none of them
        "rooms_outputs",
        "lab_take",
        "lab_transfers",
        "lab_texts",
        "lab",
        "lab_files",
        "publish",
        "lab_preview",
        "lab_form_plan",
        "lab_form_voices",
        "lab_forms",
        "lab_watch",
        "lab_quality",
    ),
    "municipio": ("giveback",),
    "publico": ("giveback",),
    "v1": (
        "odk_exports",
        "odk_projects",
        "odk_forms",
        "odk_submissions",
        "odk_openrosa",
        "odk_other",  # last: it takes what the others leave
    ),
    "sync": ("sync", "blobs", "handover"),
    "api": ("api_about", "api_forms", "api_counts", "api_records"),
}


def router_of(first: str) -> APIRouter:
    """Import the modules behind the first part of an address; return what leads to their routes."""
    router = APIRouter()
    for name in MODULES[first]:
        router.include_router(_router_in(name))
    return router


def every_router() -> list[APIRouter]:
    """Return the router of every module that answers an address."""
    names = dict.fromkeys(name for modules in MODULES.values() for name in modules)
    return [_router_in(name) for name in names]


def _router_in(name: str) -> APIRouter:
    router: APIRouter = import_module(f"collector.routes.{name}").router
    return router


class Addresses(BaseRoute):
    """All addresses of a node, as one route."""

    def __init__(self) -> None:
        self._routers: dict[str, APIRouter] = {}
        self._lock = Lock()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether somebody may know the address, from its first part alone."""
        is_ours = scope["type"] == "http" and first_part(scope["path"]) in MODULES
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. The first one who asks waits for the import, and nobody else does."""
        first = first_part(scope["path"])
        router = self._routers.get(first)
        if router is None:
            router = await run_in_threadpool(self._load, first)
        await router(scope, receive, send)

    def _load(self, first: str) -> APIRouter:
        with self._lock:
            if first not in self._routers:
                self._routers[first] = router_of(first)
            return self._routers[first]


def first_part(path: str) -> str:
    """Return "sala" of "/sala/0190/notas", and "" of "/"."""
    return path[1:].partition("/")[0]
