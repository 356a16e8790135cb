"""The tables of a pulled file that are no answers: what was asked, what counts no longer, how far it was read."""

from dataclasses import dataclass

# table -> (column -> type, primary key)
TABLES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "forms": (
        {"form": "TEXT", "version": "TEXT", "title": "TEXT", "sha256": "TEXT", "table": "TEXT"},
        ("form", "version"),
    ),
    "questions": (
        {
            "form": "TEXT", "version": "TEXT", "name": "TEXT", "language": "TEXT", "label": "TEXT",
            "type": "TEXT", "column": "TEXT", "position": "INTEGER", "table": "TEXT",
        },
        ("form", "version", "name", "language"),
    ),
    "choices": (
        {
            "form": "TEXT", "version": "TEXT", "question": "TEXT", "list": "TEXT", "name": "TEXT",
            "language": "TEXT", "label": "TEXT", "column": "TEXT", "position": "INTEGER",
        },
        ("form", "version", "question", "name", "language"),
    ),
    "removed": ({"id": "TEXT", "form": "TEXT", "state": "TEXT", "_n": "INTEGER"}, ("id",)),
    "_pull": (
        {"url": "TEXT", "epoch": "TEXT", "next": "INTEGER", "tag": "TEXT", "forms": "TEXT"},
        ("url",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ReadUpTo:
    """How far an address was read. tag: of its last page, "" while more is waiting; forms: mark of its forms then."""

    epoch: str = ""
    next: int = 0
    tag: str = ""
    forms: str = ""
