"""Any instance XML as a Shape and rows, so that conformance vectors run on the engine the product runs.

A document becomes the root row; same-named siblings are rows of a repeat; an element with elements inside is a group,
and the texts between them are slots of their own ("#text1", …), so that the text of an element is what XPath says.
A node the expression names and the XML lacks is declared as not relevant, which is how a record says "no such node".
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from xml.dom.minidom import Element, Node, parseString

from collector.forms.expressions import Row, Shape, Slot

XHTML = "http://www.w3.org/1999/xhtml"
STEP = re.compile(r"/([^/\[]+)(?:\[(\d+)\])?")


def name_of(element: Element) -> str:
    """Return the name a path calls an element by: XHTML without a prefix cannot be called by its bare name."""
    is_xhtml = element.namespaceURI == XHTML and not element.prefix
    return f"xhtml:{element.tagName}" if is_xhtml else str(element.tagName)


def elements(node: Node) -> list[Element]:
    """List the child elements."""
    return [child for child in node.childNodes if isinstance(child, Element)]


def chunks(node: Node) -> list[str]:
    """List the texts directly in a node, those around an element apart."""
    found, current = [], ""
    for child in node.childNodes:
        if child.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
            current += child.data or ""
        elif isinstance(child, Element):
            found.append(current)
            current = ""
    return [*found, current]


def element_at(document: Node, path: str) -> Node:
    """Return the node at an absolute path with positions; the document for "/"."""
    node = document
    for name, position in STEP.findall(path if path != "/" else ""):
        same = [child for child in elements(node) if child.tagName == name]
        if len(same) < int(position or 1):
            raise ValueError(f"No element at {path}.")
        node = same[int(position or 1) - 1]
    return node


@dataclass
class Instance:
    """A shape under construction and its rows."""

    slots: dict[str, Slot] = field(default_factory=dict)
    lists: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    texts: list[dict[str, str]] = field(default_factory=list)
    language: str = "en"
    repeats: frozenset[str] = frozenset()
    sizes: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    row_of_node: dict[int, Row] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """Return the shape as it is now."""
        return Shape("", self.slots, dict.fromkeys(self.lists, ()))

    def declare(self, path: str, kind: str, row: str, type: str = "string") -> None:
        """Add a node to the shape."""
        if path in self.slots:
            return
        if kind != "group":
            self.sizes[row] += 1
        self.slots[path] = Slot(path, self.sizes[row], row, kind, type)  # type: ignore[arg-type]

    def declare_missing(self, path: str) -> None:
        """Add a node that the XML lacks: not relevant in any row."""
        parent = path.rpartition("/")[0]
        row = self.shape.row_of(parent)
        self.declare(path, "value", row)
        for each in self.rows.get(row, []):
            each.append(None)

    def describe(self, path: str, nodes: list[Node], row: str, types: dict[str, str]) -> None:
        """Declare what is inside `nodes`, the occurrences of `path`."""
        inside: dict[str, list[list[Element]]] = {}
        for node in nodes:
            by_name: dict[str, list[Element]] = {}
            for number, (text, child) in enumerate(zip(chunks(node), [*elements(node), None], strict=True), 1):
                if text:
                    inside.setdefault(f"#text{number}", [])
                if child:
                    inside.setdefault(name_of(child), [])
                    by_name.setdefault(name_of(child), []).append(child)
            for name, children in by_name.items():
                inside[name].append(children)
        for name, lists in inside.items():
            if name.startswith("#"):
                self.declare(f"{path}/{name}", "value", row)
            else:
                self.describe_child(f"{path}/{name}", lists, row, types)

    def describe_child(self, path: str, lists: list[list[Element]], row: str, types: dict[str, str]) -> None:
        """Declare one child name: a repeat, a group or a value."""
        everyone: list[Node] = [child for children in lists for child in children]
        if path in self.repeats or any(len(children) > 1 for children in lists):
            self.declare(path, "repeat", row)
            self.describe(path, everyone, path, types)
        elif any(elements(child) for child in everyone):
            self.declare(path, "group", row)
            self.describe(path, everyone, row, types)
        else:
            self.declare(path, "value", row, types.get(path, "string"))

    def new_row(self, path: str, parent: Row | None) -> Row:
        """Make an empty row: no value relevant, no row in any repeat."""
        row: Row = [parent, *[None] * self.sizes[path]]
        for slot in self.slots.values():
            if slot.row == path and slot.kind == "repeat":
                row[slot.index] = []
        self.rows.setdefault(path, []).append(row)
        return row

    def fill(self, path: str, node: Node, row: Row) -> None:
        """Copy what is inside `node` into `row`."""
        self.row_of_node[id(node)] = row
        for number, text in enumerate(chunks(node), 1):
            if text:
                row[self.slots[f"{path}/#text{number}"].index] = text
        for child in elements(node):
            self.fill_child(f"{path}/{name_of(child)}", child, row)

    def fill_child(self, path: str, child: Element, row: Row) -> None:
        """Copy one child into `row`."""
        slot = self.slots[path]
        if slot.kind == "repeat":
            inner = self.new_row(path, row)
            row[slot.index].append(inner)
            self.fill(path, child, inner)
            return
        if slot.kind == "value":
            row[slot.index] = "".join(chunks(child))
        self.row_of_node[id(child)] = row
        if slot.kind == "group":
            self.fill(path, child, row)


def secondary_instances(document: Node) -> dict[str, list[dict[str, str]]]:
    """Read the lists of an XForm's model."""
    found = {}
    for instance in document.getElementsByTagName("instance"):  # type: ignore[attr-defined]
        if instance.hasAttribute("id") and elements(instance):
            found[instance.getAttribute("id")] = [item_of(item) for item in elements(elements(instance)[0])]
    return found


def item_of(item: Element, prefix: str = "") -> dict[str, str]:
    """Read one item: column (with / for a nested one) -> text."""
    columns: dict[str, str] = {}
    for child in elements(item):
        columns.setdefault(prefix + child.tagName, "".join(chunks(child)))
        columns |= {
            name: text for name, text in item_of(child, f"{prefix}{child.tagName}/").items() if name not in columns
        }
    return columns


def translations(document: Node) -> tuple[list[dict[str, str]], str]:
    """Read what jr:itext() finds, name and language -> text, and the default language."""
    found: dict[str, dict[str, str]] = {}
    everyone: list[Element] = document.getElementsByTagName("translation")  # type: ignore[attr-defined]
    for translation in everyone:
        for text in elements(translation):
            plain = [value for value in elements(text) if not value.hasAttribute("form")]
            texts = found.setdefault(text.getAttribute("id"), {"name": text.getAttribute("id")})
            texts[translation.getAttribute("lang")] = "".join(chunks(plain[0])) if plain else ""
    chosen = [each for each in everyone if each.hasAttribute("default")] or everyone
    return list(found.values()), chosen[0].getAttribute("lang") if chosen else "en"


def bind_types(document: Node) -> dict[str, str]:
    """Read the types of an XForm's binds."""
    binds = document.getElementsByTagName("bind")  # type: ignore[attr-defined]
    return {bind.getAttribute("nodeset"): bind.getAttribute("type").rpartition(":")[2] or "string" for bind in binds}


def read_instance(xml: str, node: str, primary: str | None) -> tuple[Instance, Row, str]:
    """Build an instance from XML; return it with the row and the path (without positions) of the context node."""
    document: Node = parseString(xml)  # test input only
    repeats = frozenset(repeat.getAttribute("nodeset") for repeat in document.getElementsByTagName("repeat"))  # type: ignore[attr-defined]
    texts, language = translations(document)
    instance = Instance(lists=secondary_instances(document), texts=texts, language=language, repeats=repeats)
    top = element_at(document, primary) if primary else document
    relative = node.removeprefix(primary or "") or "/"
    instance.describe("", [top], "", bind_types(document))
    root = instance.new_row("", None)
    instance.fill("", top, root)
    place = element_at(top, relative)
    return instance, instance.row_of_node[id(place)], path_to(place, top)


def path_to(node: Node, top: Node) -> str:
    """Return the path from `top` to `node`, without positions."""
    return "" if node is top else f"{path_to(node.parentNode, top)}/{name_of(node)}"  # type: ignore[arg-type]
