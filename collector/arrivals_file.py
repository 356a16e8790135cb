"""The file in which counts of arrivals wait for the next start: a line of JSON, then the counts as 64-bit numbers.

It is made from the log and may be lost: a file that is missing, damaged or of another store is not read.
"""

import json
import logging
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SHAPE = 2
log = logging.getLogger("collector.arrivals")


def save_kept(path: Path, mark: list[Any], head: dict[str, Any], parts: Sequence[bytes]) -> None:
    """Write the file whole, in place of the one before. mark: whose counts it holds.

    A disk that refuses costs the next start some seconds, nothing else.
    """
    told = head | {"mark": [SHAPE, sys.byteorder, *mark], "sizes": [len(part) for part in parts], "crc": _sum(parts)}
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("wb") as file:
            file.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
            file.writelines(parts)
        fresh.replace(path)
    except OSError as error:
        log.warning("counts not kept in %s: %s", path, error)


def _sum(parts: Sequence[bytes]) -> int:
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    return found


def load_kept(path: Path, mark: list[Any]) -> tuple[dict[str, Any], list[bytes]] | None:
    """Return what the file holds; None when it is not there, not whole, or not of this store."""
    try:
        with path.open("rb") as file:
            head: dict[str, Any] = json.loads(file.readline())
            if head["mark"] != [SHAPE, sys.byteorder, *mark]:
                return None
            parts = [file.read(size) for size in head["sizes"]]
            return (head, parts) if head["crc"] == _sum(parts) and not file.read(1) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
