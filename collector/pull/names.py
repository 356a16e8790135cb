"""Names and places in statements for the lab's file."""

from collections.abc import Sequence


def marks(values: Sequence[object]) -> str:
    """Return "?, ?, …", one for each value."""
    return ", ".join("?" * len(values))


def quoted(name: str) -> str:
    """Return a name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
