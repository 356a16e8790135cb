"""What the answers to a form are usually like: how long people take, how numbers spread, where points lie. Pure.

A profile is made of the newest answers, MOST of them. Everything that quality.py calls odd is odd beside it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from collector.clock import parse_iso
from collector.forms.model import Question
from collector.lab.charts import quartiles
from collector.lab.results import LONGEST_MINUTES
from collector.lab.tables import Column, Table, answers_of, number_in, text_at

MOST = 5_000  # answers that a profile is made of
LEAST = 20  # fewer say nothing of what is usual
LEAST_POINTS = 10  # of one municipality; with fewer the form's own points stand for them
LEAST_BLOCK = 5  # questions that straight-lining is looked for in
EARTH_KM = 6371.0
COMPARED = ("text", "integer", "decimal", "select_one", "select_multiple", "rank", "range", "barcode")
NUMBERS = ("integer", "decimal", "range")


@dataclass(frozen=True)
class Asked:
    """Which questions each rule looks at, outside repeats. compared: those in which two records may be the same.

    Not compared are those that say little of a person or are the same for many: calculations, notes, files, points,
    dates and times, the municipality, the consent, what the device fills in by itself.
    """

    compared: frozenset[str]
    texts: frozenset[str]
    numbers: tuple[str, ...]
    points: tuple[str, ...]
    places: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]
    repeats: tuple[str, ...]


def asked_in(table: Table, territory: Sequence[Column], direct: frozenset[str]) -> Asked:
    """Return what the rules look at in a form's versions.

    direct: keys of the questions that say who somebody is; of telephone numbers nobody needs to know what is usual.
    """
    places = tuple(column.key for column in territory)
    kept = [column for column in table.columns if _is_compared(column.question) and column.key not in places]
    return Asked(
        compared=frozenset(column.key for column in kept),
        texts=frozenset(column.key for column in kept if column.question.type == "text"),
        numbers=tuple(column.key for column in kept if column.question.type in NUMBERS and column.key not in direct),
        points=tuple(column.key for column in table.columns if column.question.type == "geopoint"),
        places=places,
        blocks=_blocks(table.columns),
        repeats=tuple(inner.key for inner in table.inner),
    )


def _is_compared(question: Question) -> bool:
    return question.type in COMPARED and not question.property and not question.key.startswith("consent/")


def _blocks(columns: Sequence[Column]) -> tuple[tuple[str, ...], ...]:
    """Return the runs of questions in one group that offer one list: a grid, or a scale asked of several things."""
    runs: list[list[Column]] = []
    for column in columns:
        if runs and _list_of(runs[-1][-1]) == _list_of(column):
            runs[-1].append(column)
        else:
            runs.append([column])
    kept = [run for run in runs if run[0].question.type == "select_one" and len(run) >= LEAST_BLOCK]
    return tuple(tuple(column.key for column in run) for run in kept)


def _list_of(column: Column) -> tuple[str, str, tuple[str, ...]]:
    return column.question.type, column.question.list_name, column.question.groups


# --- one record


@dataclass(frozen=True)
class Looked:
    """A record as the rules see it. n: its log number; seconds: how long it took, None when its times do not say."""

    id: str
    n: int
    origin: str
    finished_ms: int
    seconds: int | None
    answers: Mapping[str, Any]


def looked_at(record_id: str, n: int, origin: str, content: Mapping[str, Any]) -> Looked:
    """Return what the rules see of a record's content."""
    begin, end = (parse_iso(text) if isinstance(text, str) else None for text in _times(content))
    length = (end[0] - begin[0]) // 1000 if begin and end else -1
    seconds = length if 0 <= length <= LONGEST_MINUTES * 60 else None
    return Looked(record_id, n, origin, end[0] if end else 0, seconds, answers_of(content))


def _times(content: Mapping[str, Any]) -> tuple[object, object]:
    return content.get("started"), content.get("finished")


def point_of(asked: Asked, looked: Looked) -> tuple[float, float] | None:
    """Return (latitude, longitude) of the first point that was taken."""
    for key in asked.points:
        parts = text_at(looked.answers, key).split()
        numbers = [number_in(part) for part in parts[:2]]
        if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
            return numbers[0], numbers[1]
    return None


def place_of(asked: Asked, looked: Looked) -> str:
    """Return the municipality that was chosen, "" for none."""
    return next((text for key in asked.places if (text := text_at(looked.answers, key))), "")


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the way between two points (latitude, longitude in degrees) over the ground, by haversine."""
    lat_a, lat_b = math.radians(one[0]), math.radians(other[0])
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


# --- many


@dataclass(frozen=True)
class Spread:
    """How the numbers of a question spread. mad: median distance from the median."""

    low: float
    high: float
    median: float
    mad: float


@dataclass(frozen=True)
class Cluster:
    """Where points lie: their middle, and how far from it half of them are, in km."""

    middle: tuple[float, float]
    mad_km: float


@dataclass(frozen=True)
class Profile:
    """What is usual. clusters: municipality -> its points, "" for all of the form."""

    seconds: int | None = None
    numbers: Mapping[str, Spread] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)


def profile_of(asked: Asked, records: Sequence[Looked]) -> Profile:
    """Return the profile of these records; what fewer than LEAST of them say is left out."""
    lengths = [looked.seconds for looked in records if looked.seconds is not None]
    numbers = {key: spread for key in asked.numbers if (spread := _spread(_numbers(records, key)))}
    seconds = int(median(lengths)) if len(lengths) >= LEAST else None
    return Profile(seconds, numbers, _clusters(asked, records))


def _numbers(records: Iterable[Looked], key: str) -> list[float]:
    found = (number_in(text_at(looked.answers, key)) for looked in records)
    return [number for number in found if number is not None and math.isfinite(number)]


def _spread(values: Sequence[float]) -> Spread | None:
    found = quartiles(values) if len(values) >= LEAST else None
    if found is None:
        return None
    low, middle, high = found
    return Spread(low, high, middle, median(abs(value - middle) for value in values))


def _clusters(asked: Asked, records: Iterable[Looked]) -> dict[str, Cluster]:
    points: dict[str, list[tuple[float, float]]] = {}
    for looked in records:
        point = point_of(asked, looked)
        if point is not None:
            for place in {"", place_of(asked, looked)}:
                points.setdefault(place, []).append(point)
    least = {place: LEAST_POINTS if place else LEAST for place in points}
    return {place: _cluster(held) for place, held in points.items() if len(held) >= least[place]}


def _cluster(points: Sequence[tuple[float, float]]) -> Cluster:
    middle = median(point[0] for point in points), median(point[1] for point in points)
    return Cluster(middle, median(distance_km(point, middle) for point in points))
