"""Scales: choices from one end to the other, drawn to both sides of their middle; and numbers in bands. Pure.

A question is a scale when its choices, those that are no opinion left aside, are 3 to 11 numbers one after the other,
or when the first and the last stand at two ends of one thing («nada» … «mucho»). Questions that stand one after the
other with the same list are drawn together.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.lab.charts import Share, counted_columns, named_columns
from collector.lab.summaries import QuestionCount
from collector.lab.tables import NO_ANSWER, Column

FEWEST, MOST = 3, 11
# how the ends of a scale begin: low and high of one thing, in Spanish and English
ENDS = (
    ("nada", "mucho"), ("nada", "much"), ("nada", "total"), ("nunca", "siempre"),
    ("muy en desacuerdo", "muy de acuerdo"),
    ("totalmente en desacuerdo", "totalmente de acuerdo"), ("en desacuerdo", "de acuerdo"), ("muy mal", "muy buen"),
    ("muy mal", "muy bien"), ("mal", "bien"), ("pesim", "excelente"), ("muy insatisfech", "muy satisfech"),
    ("ninguna", "mucha"), ("ningun", "much"), ("poc", "much"), ("muy poc", "much"), ("nada", "completa"),
    ("muy baj", "muy alt"), ("baj", "alt"), ("peor", "mejor"), ("empeor", "mejor"),
    ("not at all", "a lot"), ("never", "always"), ("strongly disagree", "strongly agree"), ("disagree", "agree"),
    ("very bad", "very good"), ("bad", "good"), ("none", "a lot"), ("no trust", "complete trust"), ("low", "high"),
)  # fmt: skip
MOST_BANDS = 12
_WHOLE = re.compile(r"-?[0-9]{1,3}")


def is_scale(column: Column, language: str) -> bool:
    """Tell whether the choices of a question lead from one end to the other."""
    if column.question.type != "select_one":
        return False
    labels = {name: label for name, label in column.choice_labels(language).items() if name not in NO_ANSWER}
    if not FEWEST <= len(labels) <= MOST:
        return False
    numbers = [int(name) for name in labels if _WHOLE.fullmatch(name)]
    if len(numbers) == len(labels):
        return numbers in (list(range(numbers[0], numbers[-1] + 1)), list(range(numbers[0], numbers[-1] - 1, -1)))
    first, last = (_bare(list(labels.values())[place]) for place in (0, -1))
    return any({_begins(first, ends), _begins(last, ends)} == {0, 1} for ends in ENDS)


def _begins(text: str, ends: tuple[str, str]) -> int | None:
    return next((place for place, end in enumerate(ends) if text.startswith(end)), None)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(mark for mark in plain if not unicodedata.combining(mark)).strip(" ¡¿.,;:«»\"'")


@dataclass(frozen=True)
class Piece:
    """A choice on the bar of a scale: from `start`, `width` wide, in per cent of the drawing; tone: 0 to 4, 2 is the
    middle.
    """

    share: Share
    tone: int
    start: float
    width: float


@dataclass(frozen=True)
class ScaleRow:
    """One question of a scale: its choices to both sides of the middle."""

    question: QuestionCount
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Scale:
    """Questions with one list of choices. middle: where theirs is, in per cent of the drawing; key: (tone, label)."""

    rows: tuple[ScaleRow, ...]
    key: tuple[tuple[int, str], ...]
    middle: float


def scales_of(questions: Sequence[QuestionCount], language: str) -> list[QuestionCount | Scale]:
    """Return the questions with those that are scales drawn as such; neighbours with one list stand together."""
    found: list[QuestionCount | Scale] = []
    waiting: list[QuestionCount] = []
    for question in questions:
        if waiting and not _is_same(waiting[-1], question):
            found.append(_scale(waiting))
            waiting = []
        if question.n and is_scale(question.column, language):
            waiting.append(question)
        else:
            found.append(question)
    return [*found, _scale(waiting)] if waiting else found


def _is_same(one: QuestionCount, other: QuestionCount) -> bool:
    names = [[choice.name for choice in each.column.choices] for each in (one, other)]
    return names[0] == names[1] and other.n > 0 and one.column.question.list_name == other.column.question.list_name


def _scale(questions: Sequence[QuestionCount]) -> Scale:
    """Put the bars beside each other so that their middles stand in one line."""
    lefts = [_left(question) for question in questions]
    rights = [1 - left for left in lefts]
    whole = max(lefts) + max(rights)
    middle = max(lefts) / whole
    rows = []
    for question, left in zip(questions, lefts, strict=True):
        at, pieces = middle - left / whole, []
        for level, share in enumerate(question.shares):
            width = share.share / whole
            pieces.append(Piece(share, _tone(level, len(question.shares)), round(at * 100, 2), round(width * 100, 2)))
            at += width
        rows.append(ScaleRow(question, tuple(pieces)))
    shares = questions[0].shares
    key = tuple((_tone(level, len(shares)), share.label) for level, share in enumerate(shares))
    return Scale(tuple(rows), key, round(middle * 100, 2))


def _tone(level: int, levels: int) -> int:
    """Return which of five colours a choice has: the ends always theirs."""
    return round(level * 4 / (levels - 1)) if levels > 1 else 2


def _left(question: QuestionCount) -> float:
    """Return the share on the left of the middle: half of the choice in the middle, where there is one."""
    shares = [share.share for share in question.shares]
    half, odd = divmod(len(shares), 2)
    return sum(shares[:half]) + (shares[half] / 2 if odd else 0.0)


@dataclass(frozen=True)
class Band:
    """Numbers from `low` up to, not including, `high` (the last band includes it); height: of the longest, 0 to 1."""

    low: str
    high: str
    count: int
    height: float
    is_named: bool = True
    is_counted: bool = True

    @property
    def name(self) -> str:
        """Return what stands below its column."""
        return self.low


def bands_of(counted: Mapping[float, int]) -> list[Band]:
    """Return numbers in up to 12 bands of one round width; [] for fewer than two different ones."""
    if len(counted) < 2:
        return []
    least, most = min(counted), max(counted)
    step = _round_step((most - least) / MOST_BANDS)
    first = math.floor(least / step)
    times = max(1, min(MOST_BANDS + 2, math.ceil(round(most / step, 9)) - first))
    counts = [0] * times
    for number, count in counted.items():
        counts[min(times - 1, max(0, int(number / step - first)))] += count
    longest = max(counts) or 1
    ends = [_number(first + place, step) for place in range(times + 1)]
    named, counted_at = named_columns(ends[:-1]), counted_columns(counts)
    return [
        Band(ends[at], ends[at + 1], count, count / longest, named[at], counted_at[at])
        for at, count in enumerate(counts)
    ]


def _number(times: int, step: float) -> str:
    """Return times steps in whole digits: 1000000, not 1e+06; of very large and small ones the power of ten."""
    number = times * step
    if number and not 1e-4 <= abs(number) < 1e12:
        return f"{number:g}"
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _round_step(rough: float) -> float:
    """Return the next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next((times * power for times in (1, 2, 2.5, 5, 10) if times * power >= rough * 0.999999), 10 * power)
