"""The table: a row a figure, against the floor where there is one, and whether it reaches its bar."""

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = "| measured | node | floor | ratio | bar | |\n|---|---:|---:|---:|---|---|"


@dataclass(frozen=True)
class Bar:
    """A limit that a figure should keep: `least` or `most`, either may be missing."""

    least: float | None = None
    most: float | None = None
    unit: str = ""

    def holds(self, figure: float) -> bool:
        """Tell whether `figure` reaches the bar."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)

    def __str__(self) -> str:
        sign, limit = ("≥", self.least) if self.least is not None else ("≤", self.most)
        return f"{sign} {limit:,g}{self.unit}"


@dataclass(frozen=True)
class Row:
    """One figure. judged: the number that the bar is about; ratio and floor are "" where nothing is compared."""

    name: str
    node: str
    judged: float = 0.0
    bar: Bar | None = None
    floor: str = ""
    ratio: str = ""

    @property
    def verdict(self) -> str:
        """Return what the last column says; nothing fails by it."""
        if self.bar is None:
            return ""
        return "OK" if self.bar.holds(self.judged) else "below the bar"

    def __str__(self) -> str:
        cells = (self.name, self.node, self.floor, self.ratio, str(self.bar or ""), self.verdict)
        return f"| {' | '.join(cells)} |"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join([HEAD, *map(str, rows)])


def per_request(milliseconds: float) -> str:
    """Return CPU time as it stands in the table."""
    return f"{milliseconds:.2f} ms"
