"""The rules of the REFI-QDA 1.5 schemas that our files can break, told by hand; a file that keeps them has no finding.

For each element: its attributes (name -> pattern, those that must be there marked), and its children in order with how
often each may stand there. Written from the published schema; references and texts are checked besides.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from defusedxml.ElementTree import fromstring

PROJECT, CODEBOOK = "{urn:QDA-XML:project:1.0}", "{urn:QDA-XML:codebook:1.0}"
GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"
ANY, WHOLE, BOOLEAN = r"(?s).*", r"-?\d+", "true|false|0|1"
MANY = 10**9


@dataclass(frozen=True)
class Rule:
    """must, may: attribute -> pattern; children: name -> (fewest, most), in the order they must stand."""

    must: dict[str, str] = field(default_factory=dict)
    may: dict[str, str] = field(default_factory=dict)
    children: dict[str, tuple[int, int]] = field(default_factory=dict)


def holds(child: str) -> Rule:
    return Rule(children={child: (1, MANY)})


REF = Rule({"targetGUID": GUID})
NAMED = {"guid": GUID, "name": ANY}
RULES = {
    "Project": Rule(
        {"name": ANY},
        {"origin": ANY, "creatingUserGUID": GUID, "creationDateTime": MOMENT, "modifiedDateTime": MOMENT},
        dict.fromkeys(("Users", "CodeBook", "Variables", "Cases", "Sources", "Sets", "Graphs"), (0, 1)),
    ),
    "Users": holds("User"),
    "User": Rule({"guid": GUID}, {"name": ANY, "id": ANY}),
    "CodeBook": Rule(may={"origin": ANY}, children={"Codes": (1, 1)}),
    "Codes": holds("Code"),
    "Code": Rule(NAMED | {"isCodable": BOOLEAN}, {"color": ANY}, {"Description": (0, 1), "Code": (0, MANY)}),
    "Description": Rule(),
    "Variables": holds("Variable"),
    "Variable": Rule(
        NAMED | {"typeOfVariable": "Text|Boolean|Integer|Float|Date|DateTime"}, {}, {"Description": (0, 1)}
    ),
    "Cases": holds("Case"),
    "Case": Rule(
        {"guid": GUID},
        {"name": ANY},
        {"Description": (0, 1), "CodeRef": (0, MANY), "VariableValue": (0, MANY), "SourceRef": (0, MANY)},
    ),
    "VariableValue": Rule(
        children={"VariableRef": (1, 1), "TextValue": (0, 1), "IntegerValue": (0, 1), "DateValue": (0, 1)}
    ),
    "TextValue": Rule(),
    "IntegerValue": Rule(),
    "DateValue": Rule(),
    "Sources": holds("TextSource"),
    "TextSource": Rule(
        {"guid": GUID},
        {"name": ANY, "plainTextPath": rf"internal://{GUID}\.txt", "creatingUser": GUID, "creationDateTime": MOMENT},
        {"PlainTextContent": (0, 1), "PlainTextSelection": (0, MANY), "Coding": (0, MANY), "VariableValue": (0, MANY)},
    ),
    "Coding": Rule({"guid": GUID}, {"creatingUser": GUID, "creationDateTime": MOMENT}, {"CodeRef": (1, 1)}),
    "Graphs": holds("Graph"),
    "Graph": Rule({"guid": GUID}, {"name": ANY}, {"Vertex": (0, MANY), "Edge": (0, MANY)}),
    "Vertex": Rule({"guid": GUID, "firstX": WHOLE, "firstY": WHOLE}, {"name": ANY, "representedGUID": GUID}),
    "Edge": Rule(
        {"guid": GUID, "sourceVertex": GUID, "targetVertex": GUID},
        {"name": ANY, "direction": "Associative|OneWay|Bidirectional"},
    ),
    "CodeRef": REF,
    "SourceRef": REF,
    "VariableRef": REF,
}  # fmt: skip
POINTS_TO = {
    "CodeRef": "Code", "SourceRef": "TextSource", "VariableRef": "Variable", "creatingUser": "User",
    "sourceVertex": "Vertex", "targetVertex": "Vertex", "representedGUID": "TextSource",
}  # fmt: skip


def findings_of_project(content: bytes) -> list[str]:
    """Return what a .qdpx file breaks, [] for nothing."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    root = fromstring(files.pop("project.qde"))
    if root.tag != f"{PROJECT}Project":
        return [f"the root is {root.tag}"]
    return [*_element(root, PROJECT), *_references(root), *_files(root, files)]


def findings_of_codebook(content: bytes) -> list[str]:
    """Return what a .qdc file breaks."""
    root = fromstring(content)
    if root.tag != f"{CODEBOOK}CodeBook":
        return [f"the root is {root.tag}"]
    return list(_element(root, CODEBOOK))


def _element(element, namespace) -> Iterator[str]:  # type: ignore[no-untyped-def]
    name = element.tag.removeprefix(namespace)
    rule = RULES.get(name)
    if rule is None:
        yield f"{name} is no element of the schema that we write"
        return
    yield from (f"{name} lacks {key}" for key in rule.must.keys() - element.keys())
    for key, value in element.items():
        pattern = (rule.must | rule.may).get(key)
        if pattern is None or not re.fullmatch(pattern, value):
            yield f"{name}: {key}={value!r}"
    names = [child.tag.removeprefix(namespace) for child in element]
    order = list(rule.children)
    if any(child not in order for child in names) or names != sorted(names, key=order.index):
        yield f"{name} holds {names}"
    for child, (fewest, most) in rule.children.items():
        if not fewest <= names.count(child) <= most:
            yield f"{name} holds {names.count(child)} {child}"
    for child in element:
        yield from _element(child, namespace)


def _references(root) -> Iterator[str]:  # type: ignore[no-untyped-def]
    kinds: dict[str, str] = {}
    for element in root.iter():
        guid = element.get("guid")
        if guid in kinds:
            yield f"the GUID {guid} stands twice"
        if guid:
            kinds[guid] = element.tag.removeprefix(PROJECT)
    for element in root.iter():
        name = element.tag.removeprefix(PROJECT)
        for key, target in element.items():
            wanted = POINTS_TO.get(name if key == "targetGUID" else key)
            if wanted and kinds.get(target) != wanted:
                yield f"{name} {key} points to {kinds.get(target)}, not to a {wanted}"


def _files(root, files) -> Iterator[str]:  # type: ignore[no-untyped-def]
    named = set()
    for source in root.iter(f"{PROJECT}TextSource"):
        path = source.get("plainTextPath")
        if (path is None) == (source.find(f"{PROJECT}PlainTextContent") is None):
            yield "a source needs its text in one place, either inside or beside"
        named.add(f"sources/{(path or '').removeprefix('internal://')}")
    yield from (f"{name} is named and missing, or there and not named" for name in named ^ files.keys())
    yield from (
        f"{name} has a byte order mark or CR"
        for name, text in files.items()
        if b"\r" in text or text[:3] == b"\xef\xbb\xbf"
    )
