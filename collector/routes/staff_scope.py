"""What a page of facilitators gets beyond "Hoy": the band and its frame; and the address of this node for others."""

from typing import Any

from fastapi import Request

from collector.pages import page_language, translator
from collector.web import lan_address

LOCAL = ("localhost", "127.0.0.1", "::1")
LAB_LAYOUT, STAFF_LAYOUT = "lab/_base.html", "facilitator/_base.html"


def staff_scope(request: Request, current: str) -> dict[str, Any]:
    """Return the names that templates/facilitator/_base.html asks for; `current`: the address of the page."""
    translate = translator(request.app.state.english, page_language(request))
    return {
        "layout": STAFF_LAYOUT,
        "kind": "staff",
        "brand": request.app.state.node_name,
        "place": "",
        "home": "/equipo",
        "nav": [
            ("/equipo", translate("Hoy"), current == "/equipo"),
            ("/sala", translate("Salas"), current == "/sala"),
            ("/equipo/avisos", translate("Avisos"), current == "/equipo/avisos"),
            ("/equipo/paquetes", translate("Llevar y traer"), False),
            ("/mis-respuestas", translate("Respuestas de este navegador"), False),
            ("/app", translate("Esta tableta"), False),
        ],
        "who": translate("Facilitación"),
    }


def own_address(request: Request) -> str:
    """Return the address by which other devices reach this node: the setting, else as this page was asked for.

    On the node itself a page stands at localhost, which leads nowhere elsewhere: the network's own number then.
    """
    setting = str(request.app.state.settings.public_url)
    if setting:
        return setting
    base = request.base_url
    if base.hostname in LOCAL:
        base = base.replace(hostname=lan_address())
    return str(base).rstrip("/")
