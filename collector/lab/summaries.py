"""One question in numbers, by its type: choices, places in a ranking, numbers, hours, dates, or just how many.

The store groups the answers; `chars_needed` says how much of each answer it must keep apart for that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from collector.lab.charts import Share, choice_shares, quartiles, share_of
from collector.lab.tables import PLACES, SELECTS, Column, number_in, shown
from collector.lab.timelines import TimeLine, time_line

NUMBERS = ("integer", "decimal", "range")
DATES = ("date", "datetime")
MOST_STEPS = 21  # a number of so few values is drawn step by step: a scale, a number of children
MOST_SAMPLES = 5
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9].*", re.DOTALL)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}).*)?")
WHOLE, NUMBER, MOMENT, NONE = 4000, 24, 16, 0


@dataclass(frozen=True)
class Spread:
    """Numbers, as text: the smallest, the quartiles, the largest, and the mean."""

    least: str
    low: str
    median: str
    high: str
    most: str
    mean: str


@dataclass(frozen=True)
class Place:
    """A choice of a ranking: its mean place (1 = first), how many placed it; length: of the bar, longest for first."""

    label: str
    mean: str
    count: int
    length: float


@dataclass(frozen=True)
class QuestionCount:
    """One question. n: how many gave an opinion, records or (in_rows) rows of a repeat; only what fits it is filled.

    shares: choices, steps of a scale or hours; apart: (label, count) of what is no opinion; unread: answers that are
    not of its type; samples: the newest texts or places; numbers: value -> how often, of too many to draw one by one;
    time_line: dates, where there are two different ones at least.
    """

    column: Column
    label: str
    n: int
    in_rows: bool = False
    shares: Sequence[Share] = ()
    apart: Sequence[tuple[str, int]] = ()
    places: Sequence[Place] = ()
    spread: Spread | None = None
    span: tuple[str, str] | None = None
    unread: int = 0
    samples: Sequence[str] = field(default_factory=tuple)
    numbers: Mapping[float, int] = field(default_factory=dict)
    time_line: TimeLine | None = None

    @property
    def is_choice(self) -> bool:
        """Tell whether the bars are choices: they alone carry an interval and are drawn when nobody took any."""
        return self.column.question.type in SELECTS


def chars_needed(column: Column) -> int:
    """Return how many characters of an answer its summary reads: all of a choice, none of a text that is counted."""
    kind = column.question.type
    if column.has_choices:
        return WHOLE
    if kind in NUMBERS:
        return NUMBER
    return MOMENT if kind in (*DATES, "time") else NONE


def wants_samples(column: Column) -> bool:
    """Tell whether the newest answers themselves are shown."""
    return column.question.type in ("text", "barcode", *PLACES)


def question_count(
    column: Column, values: Mapping[str, int], language: str, samples: Sequence[str] = ()
) -> QuestionCount:
    """Sum up a question from value -> count."""
    kind = column.question.type
    found = QuestionCount(column, column.label(language), sum(values.values()), bool(column.steps))
    if kind in SELECTS:
        n, shares, apart = choice_shares(column, values, language)
        return _with(found, n=n, shares=shares, apart=apart)
    if kind == "rank":
        return _ranking(found, values, language)
    if kind in NUMBERS:
        return _numbers(found, values)
    if kind == "time":
        return _hours(found, values)
    if kind in DATES:
        return _dates(found, values)
    return _with(found, samples=[shown(column, text, language) for text in samples])


def _with(found: QuestionCount, **parts: object) -> QuestionCount:
    return QuestionCount(**{**found.__dict__, **parts})


def _ranking(found: QuestionCount, values: Mapping[str, int], language: str) -> QuestionCount:
    """Return the mean place of each choice, the first first; one that nobody placed comes last, without a mean."""
    labels = found.column.choice_labels(language)
    sums: dict[str, int] = dict.fromkeys(labels, 0)
    counts: dict[str, int] = dict.fromkeys(labels, 0)
    for value, count in values.items():
        for place, name in enumerate(dict.fromkeys(value.split()), 1):
            sums[name] = sums.get(name, 0) + place * count
            counts[name] = counts.get(name, 0) + count
    means = {name: sums[name] / counts[name] for name in counts if counts[name]}
    last = max(means.values(), default=1.0)
    order = sorted(counts, key=lambda name: means.get(name, last + 1))
    places = [
        Place(
            label=labels.get(name, name),
            mean=f"{means[name]:.1f}" if name in means else "–",
            count=counts[name],
            length=1 / means[name] if name in means else 0.0,
        )
        for name in order
    ]
    return _with(found, places=places)


def _numbers(found: QuestionCount, values: Mapping[str, int]) -> QuestionCount:
    counted: dict[float, int] = {}
    for text, count in values.items():
        number = number_in(text) if len(text) < NUMBER else None  # one that was cut would be another
        if number is not None:
            counted[number] = counted.get(number, 0) + count
    n = sum(counted.values())
    shares = []
    if 0 < len(counted) <= MOST_STEPS:
        shares = [share_of(_plain(number), _plain(number), counted[number], n) for number in sorted(counted)]
    many = {} if shares else counted
    return _with(found, n=n, unread=found.n - n, shares=shares, spread=_spread(counted), numbers=many)


def _spread(counted: Mapping[float, int]) -> Spread | None:
    ordered = [number for number in sorted(counted) for _ in range(counted[number])]
    quarters = quartiles(ordered)
    if quarters is None:
        return None
    mean = sum(number * (count / len(ordered)) for number, count in counted.items())
    return Spread(*(_plain(number) for number in (ordered[0], *quarters, ordered[-1], mean)))


def _plain(number: float) -> str:
    """Return at most two decimals and no ".0"; very large and very small ones with their power of ten."""
    if number and not 0.005 <= abs(number) < 1e15:
        return f"{number:.3g}"
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _hours(found: QuestionCount, values: Mapping[str, int]) -> QuestionCount:
    """Return a bar an hour of the day, from the first to the last one that was said."""
    hours: dict[int, int] = {}
    for text, count in values.items():
        match = _HOUR.fullmatch(text)
        if match:
            hours[int(match[1])] = hours.get(int(match[1]), 0) + count
    n = sum(hours.values())
    span = range(min(hours), max(hours) + 1) if hours else range(0)
    shares = [share_of(str(hour), f"{hour:02d}:00–{hour:02d}:59", hours.get(hour, 0), n) for hour in span]
    return _with(found, n=n, unread=found.n - n, shares=shares)


def _dates(found: QuestionCount, values: Mapping[str, int]) -> QuestionCount:
    """Return the earliest and the latest, as the clock there said it, and how many there are over time."""
    read = {text: match for text in values if (match := _DAY.fullmatch(text)) and _date(match[1])}
    n = sum(values[text] for text in read)
    moments = sorted(f"{match[1]} {match[2] or ''}".strip() for match in read.values())
    days: dict[date, int] = {}
    for text, match in read.items():
        day = date.fromisoformat(match[1])
        days[day] = days.get(day, 0) + values[text]
    span = (moments[0], moments[-1]) if moments else None
    return _with(found, n=n, unread=found.n - n, span=span, time_line=time_line(days))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
