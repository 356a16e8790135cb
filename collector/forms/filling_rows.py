"""The rows of a record being filled in: what the engine reads, with what people said beside it."""

from collections.abc import Iterator
from typing import Any

from collector.forms.model import Repeat, Seed
from collector.forms.program import Level


class FillingRow(list[Any]):
    """A row of the engine, [parent, slot, …], that also holds what is kept while editing.

    raw: text by path, relevant or not; relevant: by path of the nodes in it; rows: all rows of its repeats, by path;
    seeds: what the rows of a counted repeat start with; is_on: whether the row itself takes part;
    drawn: calculates by chance that were made; listed: places chosen from the list, by their geopoint (listed.py).
    """

    __slots__ = ("drawn", "is_on", "listed", "path", "raw", "relevant", "rows", "seeds")

    def __init__(self, level: Level, parent: "FillingRow | None") -> None:
        super().__init__([parent, *[None] * (level.size - 1)])
        self.path = level.path
        self.raw: dict[str, str] = {question.path: "" for question in level.questions}
        self.relevant: dict[str, bool] = dict.fromkeys(level.nodes, True)
        self.rows: dict[str, list[FillingRow]] = {repeat.path: [] for repeat in level.repeats}
        self.seeds: dict[str, tuple[Seed, ...]] = {}
        self.drawn: set[str] = set()
        self.listed: dict[str, str] = {}
        self.is_on = True
        for question in level.questions:
            self[question.slot] = ""
        for repeat in level.repeats:
            self[repeat.slot] = []

    # rows hold their parents: they are one another only by identity
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    @property
    def parent(self) -> "FillingRow | None":
        """Return the row around this one."""
        found: FillingRow | None = self[0]
        return found

    def is_inside(self, row: "FillingRow") -> bool:
        """Tell whether this row is `row` or stands in it."""
        return self is row or (self.parent is not None and self.parent.is_inside(row))

    def all_rows(self) -> Iterator["FillingRow"]:
        """Give this row and all rows inside it."""
        yield self
        for rows in self.rows.values():
            for row in rows:
                yield from row.all_rows()

    def shown(self, repeat: Repeat) -> "list[FillingRow]":
        """Return the rows of a repeat that take part."""
        return [row for row in self.rows[repeat.path] if row.is_on]
