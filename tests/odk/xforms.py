"""XForms and submissions for tests, from a few words: `("edad", "int")`, `("casa", [...])`, `("persona*", [...])`."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

Node = tuple[str, Any]
HEAD = (
    '<?xml version="1.0"?><h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
    'xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms">'
)
META: Node = ("meta", [("instanceID", "string")])
CHOICES = ("agua", "luz", "calle", "ñame", "parque")


def xform(form_id: str, nodes: Sequence[Node], version: str | None = "1", meta: Node = META) -> str:
    """Return an XForm. A name that ends in * is a repeat; types are those of binds, and "select"."""
    named = f' version="{escape(version)}"' if version is not None else ""
    tree = [*nodes, meta]
    return (
        f"{HEAD}<h:head><h:title>{escape(form_id)}</h:title><model><instance>"
        f'<data id="{escape(form_id)}"{named}>{_instance(tree)}</data></instance>'
        f"{_binds(tree, '/data')}</model></h:head><h:body>{_controls(nodes, '/data')}</h:body></h:html>"
    )


def _instance(nodes: Sequence[Node]) -> str:
    found = ""
    for name, kind in nodes:
        plain = name.removesuffix("*")
        mark = ' jr:template=""' if name.endswith("*") else ""
        found += f"<{plain}{mark}>{_instance(kind)}</{plain}>" if isinstance(kind, list) else f"<{plain}/>"
    return found


def _binds(nodes: Sequence[Node], path: str) -> str:
    found = ""
    for name, kind in nodes:
        here = f"{path}/{name.removesuffix('*')}"
        if isinstance(kind, list):
            found += _binds(kind, here)
        else:
            found += f'<bind nodeset="{here}" type="{"string" if kind == "select" else kind}"/>'
    return found


def _controls(nodes: Sequence[Node], path: str) -> str:
    return "".join(_control(name, kind, f"{path}/{name.removesuffix('*')}") for name, kind in nodes)


def _control(name: str, kind: Any, path: str) -> str:
    label = f"<label>{name.removesuffix('*')}</label>"
    if name.endswith("*"):
        return f'<group ref="{path}">{label}<repeat nodeset="{path}">{_controls(kind, path)}</repeat></group>'
    if isinstance(kind, list):
        return f'<group ref="{path}">{label}{_controls(kind, path)}</group>'
    if kind == "select":
        items = "".join(f"<item><label>{each}</label><value>{each}</value></item>" for each in CHOICES)
        return f'<select ref="{path}">{label}{items}</select>'
    if kind == "binary":
        return f'<upload ref="{path}" mediatype="image/*">{label}</upload>'
    return f'<input ref="{path}">{label}</input>'


def submission(
    form_id: str, instance: str, body: str, version: str | None = "1", replaces: str = "", meta: str = ""
) -> str:
    """Return a submission; body: the XML between the root and meta."""
    named = f' version="{escape(version)}"' if version is not None else ""
    deprecated = f"<deprecatedID>{replaces}</deprecatedID>" if replaces else ""
    ids = f"<instanceID>{instance}</instanceID>{deprecated}{meta}"
    return f'<data id="{escape(form_id)}"{named}>{body}<meta>{ids}</meta></data>'
