"""What the lab's page of one form says, put together from counts. Pure: the route brings the numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from collector.clock import parse_iso
from collector.lab.charts import DayColumn, Share, day_columns, days_of, quartiles, ranked
from collector.lab.summaries import MOST_SAMPLES, QuestionCount, chars_needed, question_count, wants_samples
from collector.lab.tables import Column, Table, answers_of, each_row, text_at

# a form left open over night says nothing of how long it takes
LONGEST_MINUTES = 240.0


@dataclass(frozen=True)
class Minutes:
    """How long people took, as "3:40": the median, and between what half of them stayed."""

    median: str
    low: str
    high: str


@dataclass(frozen=True)
class RepeatResults:
    """The questions inside one repeat: `rows` of them stand in `records`."""

    label: str
    name: str
    rows: int
    records: int
    questions: list[QuestionCount]


@dataclass(frozen=True)
class Results:
    """places: records by municipality, None when the form does not ask it; places_asked: how many one could choose,
    places_given: how many of those somebody chose; days: all of them, for the table.
    """

    places: list[Share] | None
    places_asked: int
    places_given: int
    days: list[tuple[str, int]]
    day_columns: list[DayColumn]
    minutes: Minutes | None
    questions: list[QuestionCount]
    repeats: list[RepeatResults]


@dataclass(frozen=True)
class CountedTable:
    """What the store counted in one table: rows, in how many records, and values by key."""

    rows: int
    records: int
    values: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Counted:
    """tables: by their steps; hours (text, is UTC, records); samples: newest answers by the column's name."""

    tables: Mapping[tuple[str, ...], CountedTable]
    hours: Sequence[tuple[str, bool, int]]
    minutes: Minutes | None
    samples: Mapping[str, Sequence[str]]


def keys_to_count(table: Table) -> dict[str, int]:
    """Return key -> how many characters of its answers to keep apart. Calculations are no question to anybody."""
    asked = [column for column in table.columns if column.question.type != "calculate"]
    return {column.key: chars_needed(column) for column in asked}


def samples_of(table: Table, contents: Iterable[Mapping[str, object]]) -> dict[str, list[str]]:
    """Return column name -> a few answers out of `contents`, the newest first."""
    found: dict[str, list[str]] = {}
    wanted = {each.steps: [column for column in each.columns if wants_samples(column)] for each in table.walk()}
    for content in contents:
        answers = answers_of(content)
        for steps, columns in wanted.items():
            rows = [row for _, _, row in each_row(steps, answers)] if steps else [answers]
            for column in columns:
                held = found.setdefault(column.name, [])
                held.extend(text for row in rows if (text := text_at(row, column.key)) and len(held) < MOST_SAMPLES)
    return {name: texts[:MOST_SAMPLES] for name, texts in found.items()}


def territory_columns(columns: Sequence[Column], districts: frozenset[str]) -> list[Column]:
    """Return the columns that say the municipality: one, or one a version when it moved to another group."""
    found = (column.form.territory_question(districts) for column in columns)
    keys = {question.key for question in found if question is not None and not question.row}
    return [column for column in columns if column.key in keys]


def results_of(
    table: Table, counted: Counted, territory: Sequence[Column], language: str, today: date, zone: tzinfo
) -> Results:
    """Put the page together. Questions stand in form order, the municipality apart from them."""
    days = days_of(counted.hours, zone)
    places = _places(counted.tables[()].values, territory, language) if territory else None
    asked = {choice.name for column in territory for choice in column.choices}
    return Results(
        places=places,
        places_asked=len(asked),
        places_given=sum(share.name in asked for share in places or ()),
        days=days,
        day_columns=day_columns(days, today),
        minutes=counted.minutes,
        questions=_questions(table, counted, language, territory),
        repeats=[_repeat(inner, counted, language) for inner in table.walk() if inner.steps],
    )


def _repeat(table: Table, counted: Counted, language: str) -> RepeatResults:
    here = counted.tables[table.steps]
    questions = _questions(table, counted, language, ())
    return RepeatResults(table.label(language), table.name, here.rows, here.records, questions)


def _questions(table: Table, counted: Counted, language: str, apart_from: Sequence[Column]) -> list[QuestionCount]:
    values, asked = counted.tables[table.steps].values, keys_to_count(table)
    return [
        question_count(column, values.get(column.key, {}), language, counted.samples.get(column.name, ()))
        for column in table.columns
        if column.key in asked and column not in apart_from
    ]


def _places(values: Mapping[str, Mapping[str, int]], territory: Sequence[Column], language: str) -> list[Share]:
    together: Counter[str] = Counter()
    for column in territory:
        together.update(values.get(column.key, {}))
    return ranked(territory[-1], together, language)


def minutes_of(durations: Iterable[tuple[str, str]]) -> Minutes | None:
    """Return the median and the quartiles; times that cannot be read, run backwards or exceed 4 hours are left out."""
    lengths = [length for length in (_length(*pair) for pair in durations) if length is not None]
    found = quartiles(lengths)
    if found is None:
        return None
    low, median, high = (_minutes_and_seconds(round(value * 60)) for value in found)
    return Minutes(median, low, high)


def _minutes_and_seconds(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _length(started: str, finished: str) -> float | None:
    begin, end = parse_iso(started), parse_iso(finished)
    if begin is None or end is None:
        return None
    minutes = (end[0] - begin[0]) / 60_000
    return minutes if 0 <= minutes <= LONGEST_MINUTES else None


def moment_in(iso_text: str, zone: tzinfo) -> str:
    """Return "2026-11-20 10:42" as it was there: times with their own offset keep it, times in UTC move to `zone`."""
    try:
        moment = datetime.fromisoformat(iso_text)
    except ValueError:
        return iso_text
    if iso_text.endswith("Z"):
        moment = moment.astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M}"
