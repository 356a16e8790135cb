"""What a node notices about a record, and what is left of its answers."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flag:
    """What the check noticed. key: as in the answers, rows numbered from 1 ("persona[2]/edad").

    what: required, type, choice, constraint, not_relevant, recomputed, unknown, not_text, rows (their number differs
    from what the form counts, or there are too many to read).
    """

    key: str
    what: str
    text: str = ""


@dataclass(frozen=True)
class Checked:
    """answers: what counts after pruning; flags: what was noticed, in form order. Nothing is refused here."""

    answers: dict[str, Any]
    flags: tuple[Flag, ...]
