"""What an expression can see while it runs."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.forms.expressions.values import Item, Value

# [parent row, slot, slot, …]: text or None in a value's slot, a list of rows in a repeat's.
Row = list[Any]
# Position and number of the candidates of a predicate, and the item it looks at.
Focus = tuple[int, int, Item | None]


def value_as_label(path: str, value: str, row: Row) -> str:
    """Return the value: what jr:choice-name gives when nobody knows the choices."""
    return value


def id_as_text(text_id: str) -> str:
    """Return the id: what jr:itext gives when nobody knows the translations."""
    return text_id


@dataclass(slots=True)
class Env:
    """Row, clock, language, lists and hooks. Set `row` anew to evaluate for another row.

    now: epoch milliseconds and minutes east of Greenwich; on a node, those the respondent's device recorded.
    instances: list id -> items; keep the same list objects between calls, the look-up index hangs on their identity.
    choice_label: (absolute path of the question, value, row) -> label. random: floats in [0, 1).
    """

    row: Row
    now: tuple[int, int] = (0, 0)
    lang: str = "es"
    instances: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    choice_label: Callable[[str, str, Row], str] = value_as_label
    itext: Callable[[str], str] = id_as_text
    random: Callable[[], float] = random.random


Evaluate = Callable[[Env, Row, Focus | None], Value]
