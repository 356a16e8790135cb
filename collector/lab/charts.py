"""Numbers into what a page draws: shares with their intervals, bars in per cent, columns a day. No markup here."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from collector.lab.tables import NO_ANSWER, Column

Z_95 = 1.959963984540054
MOST_DAYS = 62
CHART_HEIGHT = 84.0
CHART_LETTERS = 36  # that stand beside each other below a chart on a phone 360 px wide
LONG_LIST = 20  # choices nobody took are left out of longer lists
MOST_BARS = 60  # of still longer ones only those most taken are drawn


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share: 9 of 10 -> (0.596, 0.982). (0, 1) when nobody answered.

    Source: E. B. Wilson 1927; keeps inside 0 and 1 and holds for small n, where the usual ± does not.
    """
    if n == 0:
        return 0.0, 1.0
    share, square = count / n, Z_95 * Z_95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Share:
    """A bar: `count` of `n`, and the 95 % interval, all shares from 0 to 1. length: of the drawn bar, 0 to 1."""

    name: str
    label: str
    count: int
    share: float
    low: float
    high: float
    length: float


def choice_shares(
    column: Column, values: Mapping[str, int], language: str
) -> tuple[int, list[Share], list[tuple[str, int]]]:
    """Return (n, the choices in form order, what is no opinion: (label, count)); n leaves out who gave no opinion.

    What is no choice of the form is shown by its own text: names of a list that is not here, rows of a repeat.
    """
    labels = column.choice_labels(language)
    by_choice = dict.fromkeys(labels, 0)
    n = 0
    for value, count in values.items():
        chosen = dict.fromkeys(value.split() if column.is_multiple else [value])
        n += count if any(name not in NO_ANSWER for name in chosen) else 0
        for name in chosen:
            by_choice[name] = by_choice.get(name, 0) + count
    asked = [(name, labels.get(name, name), by_choice[name]) for name in by_choice if name not in NO_ANSWER]
    if len(asked) > LONG_LIST:
        asked = [item for item in asked if item[2]]
    if len(asked) > MOST_BARS:
        least = sorted((item[2] for item in asked), reverse=True)[MOST_BARS - 1]
        asked = [item for item in asked if item[2] >= least][:MOST_BARS]
    apart = [(labels.get(name, name), by_choice[name]) for name in NO_ANSWER if name in by_choice]
    return n, [share_of(*item, n) for item in asked], apart


def share_of(name: str, label: str, count: int, n: int) -> Share:
    """Return the bar of `count` of `n`."""
    low, high = wilson(count, n)
    share = count / n if n else 0.0
    return Share(name, label, count, share, low, high, share)


def ranked(column: Column, values: Mapping[str, int], language: str) -> list[Share]:
    """Return the values that occur, most first, as shares of all, each bar drawn against the longest."""
    labels = column.choice_labels(language)
    n, most = sum(values.values()), max(values.values(), default=0)
    order = sorted(values.items(), key=lambda item: (-item[1], labels.get(item[0], item[0])))
    return [
        Share(name, labels.get(name, name), count, count / n, *wilson(count, n), count / most) for name, count in order
    ]


def named_columns(names: Sequence[str]) -> list[bool]:
    """Tell which columns carry their name, so that the names do not run into each other on a phone; the first does."""
    longest = max(map(len, names), default=0) + 1
    step = max(1, math.ceil(len(names) * longest / CHART_LETTERS))
    return [place % step == 0 for place in range(len(names))]


def counted_columns(counts: Sequence[int]) -> list[bool]:
    """Tell which columns carry their number: those with any where all fit, else the first of the highest."""
    longest = max((len(f"{count:,}") for count in counts), default=0) + 1
    if len(counts) * longest <= CHART_LETTERS:
        return [count > 0 for count in counts]
    highest = counts.index(max(counts))
    return [place == highest for place in range(len(counts))]


@dataclass(frozen=True)
class DayColumn:
    """One day of the chart, in per cent of its width; y and height in px of its height."""

    day: str
    count: int
    x: float
    width: float
    y: float
    height: float
    middle: float
    is_named: bool
    is_counted: bool


def days_of(hours: Iterable[tuple[str, bool, int]], zone: tzinfo) -> list[tuple[str, int]]:
    """Return (day, count) from (hour, is UTC, count), oldest first; hours in UTC fall on the day they had in `zone`."""
    days: dict[str, int] = {}
    for hour, is_utc, count in hours:
        day = _local_day(hour, zone) if is_utc else hour[:10]
        days[day] = days.get(day, 0) + count
    return sorted(days.items())


def _local_day(hour: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(f"{hour}:30:00+00:00")
    except ValueError:
        return hour[:10]
    return moment.astimezone(zone).date().isoformat()


def day_columns(counts: Sequence[tuple[str, int]], today: date) -> list[DayColumn]:
    """Return the last MOST_DAYS days up to the last one with records, empty ones too; five at most carry their name.

    Days after tomorrow come from a clock that runs ahead: they would push the true ones out; the table has them.
    """
    days = _every_day(dict(counts), today + timedelta(days=1))
    most = max((count for _, count in days), default=0)
    step = 100 / len(days) if days else 0
    named = max(1, math.ceil(len(days) / 5))
    columns = []
    for place, (day, count) in enumerate(days):
        height = CHART_HEIGHT * count / most if most else 0.0
        x, width = place * step + step * 0.1, step * 0.8
        is_named = (len(days) - 1 - place) % named == 0
        is_counted = count > 0 and (len(days) <= 14 or count == most)
        y = CHART_HEIGHT - height
        columns.append(DayColumn(day, count, x, width, y, height, x + width / 2, is_named, is_counted))
    return columns


def _every_day(counts: Mapping[str, int], until: date) -> list[tuple[str, int]]:
    known = sorted(day for day in map(_as_date, counts) if day is not None and day <= until)
    if not known:
        return []
    first = max(known[0], known[-1] - timedelta(days=MOST_DAYS - 1))
    span = range((known[-1] - first).days + 1)
    days = [(first + timedelta(days=place)).isoformat() for place in span]
    return [(day, counts.get(day, 0)) for day in days]


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Return the lower quartile, the median and the upper quartile, by linear interpolation; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return _at(ordered, 0.25), _at(ordered, 0.5), _at(ordered, 0.75)


def _at(ordered: Sequence[float], part: float) -> float:
    place = (len(ordered) - 1) * part
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
