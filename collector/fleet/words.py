"""How the fleet's pages say stretches of time and sizes of disks, in one unit; sentences stand in the templates."""

from collections.abc import Callable

Translate = Callable[..., str]
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
SPANS = ("{n} años", "{n} días", "{n} h", "{n} min")
YEAR_MS = 365 * DAY_MS
SIZES = ("{n} GB", "{n} MB")


def span(ms: int, translate: Translate) -> str:
    """Return a stretch of time: "6 años", "3 días", "5 h", "12 min"; never less than a minute."""
    if ms >= 2 * YEAR_MS:
        return translate(SPANS[0], n=ms // YEAR_MS)
    if ms >= 2 * DAY_MS:
        return translate(SPANS[1], n=ms // DAY_MS)
    if ms >= HOUR_MS:
        return translate(SPANS[2], n=ms // HOUR_MS)
    return translate(SPANS[3], n=max(1, ms // MINUTE_MS))


def size(size_bytes: int, translate: Translate) -> str:
    """Return a size of a disk: "12 GB", "1.4 GB", "340 MB"."""
    if size_bytes >= 10**10:
        return translate(SIZES[0], n=round(size_bytes / 10**9))
    if size_bytes >= 10**9:
        return translate(SIZES[0], n=round(size_bytes / 10**9, 1))
    return translate(SIZES[1], n=-(-size_bytes // 10**6))
