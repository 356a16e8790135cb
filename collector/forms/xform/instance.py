"""The primary instance -> shape of the rows, what new rows hold, and every path in order.

Occurrences of one path are read together: a repeat may stand there as a template, as rows, or both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import Element

from collector.forms.expressions import Slot
from collector.forms.model import Seed
from collector.forms.xform.elements import JR, elements, node_name

TEMPLATE = f"{JR}template"


@dataclass
class Instance:
    """What the primary instance says. `repeats`: the paths that the body repeats."""

    repeats: frozenset[str]
    types: Mapping[str, str]
    slots: dict[str, Slot] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Element] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    tree: list[str] = field(default_factory=list)
    sizes: Counter[str] = field(default_factory=Counter)

    def read(self, root: Element, path: str) -> Seed:
        """Read everything below the root; return what a new record holds in its repeats."""
        self.slots[path] = Slot(path, 0, path, "group", "string")
        self._note_attributes(path, root)
        self._describe(path, [root], path)
        for repeat, template in self.templates.items():
            self.defaults |= self.seed(template, repeat).values
        return self.seed(root, path)

    def seed(self, element: Element, path: str) -> Seed:
        """Return what the row `element` holds."""
        values: dict[str, str] = {}
        rows: dict[str, list[Seed]] = {}
        self._sow(element, path, values, rows)
        return Seed(values, {repeat: tuple(found) for repeat, found in rows.items()})

    def _sow(self, element: Element, path: str, values: dict[str, str], rows: dict[str, list[Seed]]) -> None:
        for item in elements(element):
            here = f"{path}/{node_name(item)}"
            kind = self.slots[here].kind
            if kind == "repeat":
                found = rows.setdefault(here, [])
                if item.get(TEMPLATE) is None:
                    found.append(self.seed(item, here))
            elif kind == "group":
                self._sow(item, here, values, rows)
            elif (item.text or "").strip():
                values[here] = (item.text or "").strip()

    def _describe(self, path: str, occurrences: Sequence[Element], row: str) -> None:
        found: dict[str, list[list[Element]]] = {}
        for element in occurrences:
            here: dict[str, list[Element]] = {}
            for item in elements(element):
                here.setdefault(node_name(item), []).append(item)
            for name, items in here.items():
                found.setdefault(name, []).append(items)
        for name, families in found.items():
            self._describe_node(f"{path}/{name}", families, row)

    def _describe_node(self, path: str, families: list[list[Element]], row: str) -> None:
        """families: the occurrences, those of one parent together."""
        self.tree.append(path)
        everyone = [item for family in families for item in family]
        self._note_attributes(path, everyone[0])
        if self._is_repeat(path, families):
            self._add(path, row, "repeat")
            self.templates[path] = next((item for item in everyone if item.get(TEMPLATE) is not None), everyone[0])
            self._describe(path, everyone, path)
        elif any(elements(item) for item in everyone):
            self.slots[path] = Slot(path, 0, row, "group", "string")
            self._describe(path, everyone, row)
        else:
            self._add(path, row, "value")
            self.defaults[path] = (everyone[-1].text or "").strip()

    def _note_attributes(self, path: str, element: Element) -> None:
        found = {name: text for name, text in element.attrib.items() if name != TEMPLATE}
        if found:
            self.attributes[path] = found

    def _is_repeat(self, path: str, families: list[list[Element]]) -> bool:
        several = any(len(family) > 1 or family[0].get(TEMPLATE) is not None for family in families)
        return path in self.repeats or several

    def _add(self, path: str, row: str, kind: Literal["value", "repeat"]) -> None:
        self.sizes[row] += 1
        self.slots[path] = Slot(path, self.sizes[row], row, kind, self.types.get(path, "string"))
