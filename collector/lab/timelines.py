"""Dates as columns over time: by day, week, month, quarter or year, or so many years, whichever gives 6 to 24. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from collector.lab.charts import counted_columns, named_columns

FEWEST, MOST = 6, 24
DAY, WEEK, MONTH, QUARTER, YEAR = "day", "week", "month", "quarter", "year"


@dataclass(frozen=True)
class Period:
    """One column. label: the whole period, for the table; name: short, for the axis; height: of the longest, 0 to 1."""

    label: str
    name: str
    count: int
    height: float
    is_named: bool
    is_counted: bool


@dataclass(frozen=True)
class TimeLine:
    """Columns from the first to the last date, empty ones too. unit: one of the words above; years: in one column."""

    unit: str
    years: int
    periods: tuple[Period, ...]


@dataclass(frozen=True)
class _Unit:
    """A way to cut time. number_of: a date -> the number of its period, one more for the next one."""

    word: str
    number_of: Callable[[date], int]
    label: Callable[[int], str]
    name: Callable[[int], str]
    years: int = 1


def time_line(days: Mapping[date, int]) -> TimeLine | None:
    """Return dates with their counts as columns; None for fewer than two different ones."""
    if len(days) < 2:
        return None
    unit = _unit_for(min(days), max(days))
    first, last = unit.number_of(min(days)), unit.number_of(max(days))
    counts = [0] * (last - first + 1)
    for day, count in days.items():
        counts[unit.number_of(day) - first] += count
    numbers = range(first, last + 1)
    names = [unit.name(number) for number in numbers]
    named, counted, longest = named_columns(names), counted_columns(counts), max(counts) or 1
    periods = (
        Period(unit.label(number), names[at], counts[at], counts[at] / longest, named[at], counted[at])
        for at, number in enumerate(numbers)
    )
    return TimeLine(unit.word, unit.years, tuple(periods))


def _unit_for(first: date, last: date) -> _Unit:
    """Return the finest unit with no more than MOST columns; where that gives fewer than FEWEST, the one before it."""
    units = [*_UNITS, *(_of_years(years) for years in (2, 5, 10, 20, 50, 100, 200, 500))]
    spans = [unit.number_of(last) - unit.number_of(first) + 1 for unit in units]
    place = next((at for at, span in enumerate(spans) if span <= MOST), len(units) - 1)
    return units[place - 1 if place and spans[place] < FEWEST else place]


def _month_text(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _monday(number: int) -> date:
    """Return the first day of a week. A week before the first Monday of the calendar begins with the calendar."""
    return date.fromordinal(max(1, number * 7 + 1))


def _week_label(number: int) -> str:
    monday = _monday(number)
    return f"{monday.isoformat()} – {min(date.max - timedelta(6), monday) + timedelta(6)}"


def _short(day: date) -> str:
    return f"{day.day:02d}/{day.month:02d}"


def _of_years(years: int) -> _Unit:
    def label(number: int) -> str:
        return f"{number * years}–{number * years + years - 1}"

    return _Unit(YEAR, lambda day: day.year // years, label, lambda number: str(number * years), years)


_UNITS: Sequence[_Unit] = (
    _Unit(DAY, date.toordinal, lambda at: date.fromordinal(at).isoformat(), lambda at: _short(date.fromordinal(at))),
    _Unit(WEEK, lambda day: (day.toordinal() - 1) // 7, _week_label, lambda at: _short(_monday(at))),
    _Unit(MONTH, lambda day: day.year * 12 + day.month - 1, _month_text, _month_text),
    _Unit(QUARTER, lambda day: (day.year * 12 + day.month - 1) // 3,
          lambda at: f"{_month_text(at * 3)} – {_month_text(at * 3 + 2)}", lambda at: _month_text(at * 3)),
    _Unit(YEAR, lambda day: day.year, str, str),
)  # fmt: skip
