"""Names of copies, which say when they were made."""

from itertools import count
from pathlib import Path

from collector.clock import iso_here, now_ms


def name_now(stem: str, suffix: str) -> str:
    """Return "collector-2026-11-22-104200.db", by the clock of this node."""
    return f"{stem}-{iso_here(now_ms())[:19].replace(':', '').replace('T', '-')}{suffix}"


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """Return such a name that nothing in `folder` has: two copies of one second must not lie on each other."""
    path = folder / name_now(stem, suffix)
    others = (path.with_name(f"{path.stem}-{number}{suffix}") for number in count(2))
    return path if not path.exists() else next(other for other in others if not other.exists())
