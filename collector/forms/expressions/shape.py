"""The shape of an instance: which paths exist, in which row they live and at which slot.

The form model makes a Shape once at publish; resolving an expression turns its paths into row hops and slot numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Slot:
    """One node of the instance.

    row: path of the nearest enclosing repeat, or the root path. index: place in that row (unused for groups).
    type: XForms bind type.
    """

    path: str
    index: int
    row: str
    kind: Literal["value", "repeat", "group"]
    type: str = "string"


@dataclass(frozen=True)
class Shape:
    """An instance: its root path, its nodes by absolute path, and its secondary instances with their column names."""

    root: str
    slots: Mapping[str, Slot]
    instances: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def has(self, path: str) -> bool:
        """Tell whether `path` is a node; the document itself ("") counts as the way to the root."""
        return path in self.slots or path in (self.root, "")

    def is_repeat(self, path: str) -> bool:
        """Tell whether `path` is a repeat."""
        slot = self.slots.get(path)
        return slot is not None and slot.kind == "repeat"

    def row_of(self, path: str) -> str:
        """Return the row a node is read from: a repeat's own row, else the row that holds it."""
        slot = self.slots.get(path)
        if slot is None:
            return self.root
        return path if slot.kind == "repeat" else slot.row

    def parent_row(self, row: str) -> str:
        """Return the row around the row `row`."""
        return self.slots[row].row

    def chain(self, row: str) -> list[str]:
        """List the repeats around `row`, itself included, innermost first."""
        found = []
        while row != self.root:
            found.append(row)
            row = self.parent_row(row)
        return found

    def inside(self, group: str, row: str) -> Iterator[Slot]:
        """Yield the slots of `row` that stand below the group `group`, in document order."""
        found = [
            s for s in self.slots.values() if s.kind != "group" and s.row == row and s.path.startswith(group + "/")
        ]
        yield from sorted(found, key=lambda slot: slot.index)
