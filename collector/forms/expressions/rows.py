"""Looking at rows and items: no closures here."""

from collections.abc import Iterable, Sequence

from collector.forms.expressions.environment import Row
from collector.forms.expressions.values import Item, Value, truth


def climb(row: Row, up: int) -> Row:
    """Return the row `up` rows above."""
    for _ in range(up):
        row = row[0]
    return row


def row_text(row: Row, slots: Iterable[int] | None = None) -> str:
    """Join all the texts in a row, or in some slots of it, as XPath does for the text of an element."""
    parts = []
    for slot in slots if slots is not None else range(1, len(row)):
        held = row[slot]
        parts.append("".join(map(row_text, held)) if isinstance(held, list) else held or "")
    return "".join(parts)


def holds_any(node: Row | Item | str, slots: Iterable[int] | None = None) -> bool:
    """Tell whether a node holds something: a text any character, a row (or some slots of it) any relevant question."""
    if not isinstance(node, list):
        return node != ""
    held = node[1:] if slots is None else [node[slot] for slot in slots]
    return any(each is not None and each != [] for each in held)


def accepts(value: Value, place: int) -> bool:
    """Tell whether a predicate's value keeps the candidate at `place`."""
    return value == place if isinstance(value, float) else truth(value)


def distinct(rows: list[Row]) -> list[Row]:
    """Drop rows already met, keeping the order."""
    return list({id(row): row for row in rows}.values())


def index_by(items: Sequence[Item], column: str) -> dict[str, list[Item]]:
    """Group items by a column."""
    index: dict[str, list[Item]] = {}
    for item in items:
        index.setdefault(item.get(column, ""), []).append(item)
    return index
