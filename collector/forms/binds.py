"""Every rule of an XForm is in its Form, or is spoken of: no bind gets lost on the way.

Pure. Reads the binds of the XML anew, by itself, and compares them with the Form that `read_xform` made of it.
"""

from collections.abc import Iterator

import defusedxml.ElementTree as SafeXml

from collector.forms.model import Form, Group, Question, Repeat
from collector.forms.report import FormProblem
from collector.forms.sentences import problem
from collector.forms.xform.elements import local

RULES = ("relevant", "required", "readonly", "constraint", "calculate")
GROUP_RULES = ("relevant", "readonly")
Node = Question | Group | Repeat


def bind_problems(xform: str, form: Form) -> Iterator[FormProblem]:
    """Give a problem for each rule of a bind that the form does not hold."""
    nodes: dict[str, Node] = {group.path: group for group in form.groups}
    nodes |= {repeat.path: repeat for repeat in form.repeats} | {each.path: each for each in form.questions}
    tree = {*form.tree, form.root}
    for element in SafeXml.fromstring(xform.strip()).iter():
        if not isinstance(element.tag, str) or local(element) != "bind":
            continue
        path = whole_path(element.get("nodeset") or element.get("ref") or "", form.root)
        rules = [name for name in RULES if (element.get(name) or "").strip()]
        if rules and path not in tree:
            yield problem("bind_nowhere", path, rules[0], path=path)
        elif not is_record_id(path):
            yield from _lost(path, rules, nodes.get(path))


def whole_path(nodeset: str, root: str) -> str:
    """Return the absolute path of a bind; a relative one counts from the root."""
    nodeset = nodeset.strip()
    return nodeset if nodeset.startswith("/") else f"{root}/{nodeset.removeprefix('./')}"


def is_record_id(path: str) -> bool:
    """Say whether this is the id of the record, which Collector gives itself."""
    return path.rpartition("/")[2].rpartition(":")[2] == "instanceID"


def _lost(path: str, rules: list[str], node: Node | None) -> Iterator[FormProblem]:
    for name in rules:
        if isinstance(node, Question):
            is_held = getattr(node.logic, name) is not None
        elif name not in GROUP_RULES:
            yield problem("group_rule", path, name, name=name)
            continue
        else:
            is_held = node is not None and getattr(node, name) is not None
        if not is_held:
            yield problem("bind_dropped", path, name, path=path, name=name)
