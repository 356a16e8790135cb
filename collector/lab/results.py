"""What the lab's page of one form says, put together from counts. Pure: the route brings the numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from collector.clock import parse_iso
from collector.lab.charts import (
    DayColumn,
    QuestionCount,
    Share,
    day_columns,
    days_of,
    quartiles,
    question_count,
    ranked,
)
from collector.lab.tables import SELECTS, Column, answers_of, selects, shown

# a form left open over night says nothing of how long it takes
LONGEST_MINUTES = 240.0


@dataclass(frozen=True)
class Minutes:
    """How long people took, as "3:40": the median, and between what half of them stayed."""

    median: str
    low: str
    high: str


@dataclass(frozen=True)
class Results:
    """places: records by municipality, None when the form does not ask it; days: all of them, for the table."""

    places: list[Share] | None
    places_asked: int
    days: list[tuple[str, int]]
    day_columns: list[DayColumn]
    minutes: Minutes | None
    questions: list[QuestionCount]


@dataclass(frozen=True)
class Counted:
    """What the store counted: values by key, hours (text, is UTC, records), and how long people took."""

    values: Mapping[str, Counter[str]]
    hours: Sequence[tuple[str, bool, int]]
    minutes: Minutes | None


def territory_columns(columns: Sequence[Column], districts: frozenset[str]) -> list[Column]:
    """Return the columns that say the municipality: one, or one a version when it moved to another group."""
    found = (column.form.territory_question(districts) for column in columns)
    keys = {question.key for question in found if question is not None}
    return [column for column in columns if column.key in keys]


def results_of(
    columns: Sequence[Column], counted: Counted, territory: Sequence[Column], language: str, today: date, zone: tzinfo
) -> Results:
    """Put the page together. Questions stand in form order, the municipality apart from them."""
    days = days_of(counted.hours, zone)
    asked = [column for column in selects(columns) if column not in territory]
    return Results(
        places=_places(counted.values, territory, language) if territory else None,
        places_asked=len(territory[-1].choices) if territory else 0,
        days=days,
        day_columns=day_columns(days, today),
        minutes=counted.minutes,
        questions=[question_count(column, counted.values.get(column.key, {}), language) for column in asked],
    )


def _places(values: Mapping[str, Counter[str]], territory: Sequence[Column], language: str) -> list[Share]:
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


# what a node noticed about a record (collector.forms.check), in words for people
FLAGS = {
    "form_unknown": "El formulario o su versión no está en este equipo.",
    "form_differs": "Se contestó con otro contenido de esta misma versión del formulario.",
    "required": "Falta una respuesta que el formulario pide.",
    "type": "La respuesta no es del tipo que se pide.",
    "choice": "La opción no está entre las que se ofrecen.",
    "constraint": "La respuesta no cumple la regla de la pregunta.",
    "not_relevant": "La pregunta no correspondía según las otras respuestas.",
    "recomputed": "Lo calculado en el equipo no coincide con lo que se calcula aquí:",
    "unknown": "El formulario no tiene esta pregunta.",
    "not_text": "La respuesta no llegó como texto.",
}


@dataclass(frozen=True)
class Notice:
    """One flag of a record: the question as people read it ("" = the whole record), a sentence and the value."""

    label: str
    sentence: str
    text: str


def notices(columns: Sequence[Column], flags: Iterable[Mapping[str, str]], language: str) -> list[Notice]:
    """Return what was noticed about a record, in words; a code that this release does not know is shown as it is."""
    labels = {column.key: column.label(language) for column in columns}
    return [
        Notice(labels.get(flag["key"], flag["key"]), FLAGS.get(flag["what"], flag["what"]), flag.get("text", ""))
        for flag in flags
    ]


@dataclass(frozen=True)
class Answer:
    """One answer of a record in full: `text` as stored, `words` as people read it."""

    key: str
    label: str
    text: str
    words: str
    is_choice: bool


def full_answers(columns: Sequence[Column], content: Mapping[str, object], language: str) -> list[Answer]:
    """Return every question with its answer in form order, then the answers no version of the form knows."""
    answers = answers_of(content)
    known = [_answer(column, answers.pop(column.key, ""), language) for column in columns]
    return known + [Answer(key, key, text, text, False) for key, text in answers.items()]


def _answer(column: Column, text: str, language: str) -> Answer:
    words = shown(column, text, language)
    return Answer(column.key, column.label(language), text, words, column.question.type in SELECTS)


def moment_in(iso_text: str, zone: tzinfo) -> str:
    """Return "2026-11-20 10:42" as it was there: times with their own offset keep it, times in UTC move to `zone`."""
    try:
        moment = datetime.fromisoformat(iso_text)
    except ValueError:
        return iso_text
    if iso_text.endswith("Z"):
        moment = moment.astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M}"
