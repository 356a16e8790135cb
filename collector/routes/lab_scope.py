"""What every page of the lab gets: the band, who is signed in, and how times are said."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from fastapi import Request

from collector.clock import iso, now_ms
from collector.lab.results import moment_in
from collector.pages import page_language, translator
from collector.rights import HOMES
from collector.routes.access import Person

# address, name, the right that opens it: a person sees only what she may open
SECTIONS = (
    ("/lab", "Qué llegó", "see"),
    ("/lab/al-dia", "Al día", "see"),
    ("/lab/formularios", "Formularios", "see"),
    ("/lab/publicar", "Publicar", "publish"),
    ("/municipio", "Municipios", "municipality"),
    ("/lab/revisar", "Revisar", "review"),
    ("/lab/avisos", "Avisos", "answer"),
    ("/lab/cuarentena", "Reparar", "repair"),
    ("/lab/salas", "Salas", "rooms"),
    ("/lab/equipos", "Equipos", "fleet"),
    ("/lab/personas", "Personas", "people"),
    ("/lab/auditoria", "Auditoría", "audit"),
)


def lab_scope(request: Request, user: str, current: str) -> dict[str, Any]:
    """Return the names that templates/lab/_base.html asks for; `current`: the address of the section one is in."""
    translate = translator(request.app.state.english, page_language(request))
    person: Person | None = getattr(request.state, "person", None)
    name = request.app.state.node_name
    return {
        "kind": "lab",
        "brand": "Collector",
        "place": "" if name == "Collector" else name,
        "home": HOMES[person.role] if person else "/lab",
        "nav": _nav(person, translate, current),
        "who": user,
        "ago": lambda ms: _ago(now_ms() - ms, translate),
        "local": lambda ms: moment_in(iso(ms), zone_here()),
        "moment": lambda text: moment_in(text, zone_here()),
        "static": request.app.state.assets.url,
    }


def _nav(person: Person | None, translate: Any, current: str) -> list[tuple[str, str, bool]]:
    if person is None or person.must_change:
        return []
    open_ones = [(href, name) for href, name, right in SECTIONS if person.may(right)]
    return [(href, str(translate(name)), href == current) for href, name in open_ones]


def _ago(passed_ms: int, translate: Any) -> str:
    minutes = passed_ms // 60_000
    if minutes < 1:
        return str(translate("ahora"))
    if minutes < 60:
        return str(translate("hace {n} min", n=minutes))
    if minutes < 48 * 60:
        return str(translate("hace {n} h", n=minutes // 60))
    return str(translate("hace {n} días", n=minutes // (24 * 60)))


def zone_here() -> tzinfo:
    """Return the time zone of this node, in which its people read times."""
    return datetime.now(UTC).astimezone().tzinfo or UTC
