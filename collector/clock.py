"""Time as this program keeps it: epoch milliseconds inside, ISO 8601 with offset in records and answers."""

import time
from datetime import UTC, datetime
from functools import lru_cache

LONGEST = len("2026-11-20T10:42:00.123456-05:00:00.123456")


def now_ms() -> int:
    """Return the present moment in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """Return `ms` as "2026-11-20T10:42:00.123Z"."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_here(ms: int) -> str:
    """Return `ms` in this machine's zone: "2026-11-20T10:42:00.123-05:00", the day that people here call it."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().isoformat(timespec="milliseconds")


def offset_here() -> int:
    """Return the minutes that this machine's zone is ahead of UTC now."""
    offset = datetime.now().astimezone().utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def parse_iso(text: str) -> tuple[int, int] | None:
    """Read "2026-11-20T10:42:00.123-05:00" as (epoch ms, offset minutes); None when it is not such a time."""
    return _parse(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=1024)  # a record's end is asked for by who keeps it and by who checks it
def _parse(text: str) -> tuple[int, int] | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = moment.utcoffset()
    if offset is None or not 1970 <= moment.year <= 9000:  # years in which every zone can say it
        return None
    return round(moment.timestamp() * 1000), int(offset.total_seconds() // 60)
