"""A form in numbers for programs: choices with n and Wilson intervals, small groups hidden. Pure.

Whoever may read records gets every number. For the others there is one rule, that of the pages of municipalities and
of everybody (lab/giveback.py), and the very numbers of those pages: a choice question is told as the totals of the
table that stands behind them, a municipality as the total of its column there. So a program and a page side by side
tell no more than the page. What no page tells, how many answered a text and the quartiles of numbers, is told again
only when k people came or went on each side of it, and nothing of it before LEAST_FIRST people answered the form.

Source: privacy requirements P18, P19 (k = 5 for partners; a form may ask for more, lab/small_groups.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from collector.forms.model import Form
from collector.lab.charts import quartiles, wilson
from collector.lab.giveback import LEAST_FIRST, NO_ANSWER, NO_PLACE, OTHERS, Told
from collector.lab.giveback_parts import SENSITIVE, YES, Line
from collector.lab.questions import texts_of
from collector.lab.summaries import NUMBERS
from collector.lab.tables import NO_ANSWER as NO_OPINION
from collector.lab.tables import SELECTS, Column, number_in

LEAST_FOR_NUMBERS = 20  # quartiles of fewer speak of single people
# what was told of a question that is none of choices: n, silent (who gave no answer), numbers
Entry = Mapping[str, Any]


# --- for whoever may read records


def question_in_numbers(column: Column, values: Mapping[str, int]) -> dict[str, Any]:
    """Return one question (routes/api_shapes.py: QuestionCount). values: answer -> how many gave it."""
    told = _blank(column) | {"n": sum(values.values())}
    if column.question.type in SELECTS:
        return told | _choices(column, values)
    return told | (_numbers(values) if column.question.type in NUMBERS else {})


def _blank(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.question.type,
        "label": texts_of(column.question.label, column.form),
        "repeat": "/".join(column.steps),
        "n": None,
        "values": [],
        "numbers": None,
    }


def _choices(column: Column, values: Mapping[str, int]) -> dict[str, Any]:
    """Return n, how many gave an opinion, and the choices in form order, then what is none by its own text."""
    counts, n = dict.fromkeys((choice.name for choice in column.choices), 0), 0
    for value, count in values.items():
        taken = dict.fromkeys(value.split() if column.is_multiple else [value])
        n += count if any(name not in NO_OPINION for name in taken) else 0
        for name in taken:
            counts[name] = counts.get(name, 0) + count
    return {"n": n, "values": [_value(column, name, count, n) for name, count in counts.items()]}


def _value(column: Column, name: str, count: int | None, n: int | None) -> dict[str, Any]:
    """Return one choice; count: None is hidden; n: of whom it is a share, None where that is not told."""
    label = next((choice.label for choice in column.choices if choice.name == name), {})
    is_opinion = name not in NO_OPINION
    row: dict[str, Any] = {
        "value": name, "label": texts_of(label, column.form), "count": count, "share": None, "low": None, "high": None,
        "is_opinion": is_opinion,
    }  # fmt: skip
    if count is None or not is_opinion or not n:
        return row
    low, high = wilson(count, n)
    return row | {"share": round(count / n, 6), "low": round(low, 6), "high": round(high, 6)}


def _numbers(values: Mapping[str, int]) -> dict[str, Any]:
    """Return n and the quartiles; the smallest and the largest answer are somebody's and never told."""
    read = sorted((number, count) for text, count in values.items() if (number := number_in(text)) is not None)
    n = sum(count for _, count in read)
    quarters = quartiles([number for number, count in read for _ in range(count)])
    if quarters is None:
        return {"n": n}
    mean = sum(number * (count / n) for number, count in read)
    return {"n": n, "numbers": dict(zip(("low", "median", "high", "mean"), (*quarters, mean), strict=True))}


# --- for the others: questions of choices, as the pages tell them


def choices_as_told(column: Column, lines: Sequence[Line]) -> dict[str, Any]:
    """Return a question of choices with the totals of its tables. lines: those of this question."""
    told = _several(column, lines) if column.is_multiple else _one(column, lines[0].told) if lines else None
    return _blank(column) | (told or {"values": [_value(column, each.name, None, None) for each in column.choices]})


def _one(column: Column, told: Told) -> dict[str, Any]:
    totals = told.totals()
    # which choices stand together is not told: then one that nobody took looks like those
    counts = {each.name: totals.get(each.name, None if OTHERS in totals else 0) for each in column.choices}
    silent = totals.get(NO_ANSWER, 0) + sum(totals.get(name, 0) for name in NO_OPINION)
    n = None if OTHERS in totals else told.n - silent
    return {"n": n, "values": [_value(column, name, count, n) for name, count in counts.items()]}


def _several(column: Column, lines: Sequence[Line]) -> dict[str, Any]:
    """Return the choices, each out of a table of its own: who took it, who answered without it, who did not answer."""
    found = {line.choice: line.told.totals() for line in lines}
    answered = {
        name: sum(count for row, count in totals.items() if row != NO_ANSWER)
        for name, totals in found.items()
        if OTHERS not in totals
    }
    same = set(answered.values())
    has_opinion_alone = all(each.name not in NO_OPINION for each in column.choices)
    n = next(iter(same)) if len(same) == 1 and len(answered) == len(column.choices) and has_opinion_alone else None
    return {
        "n": n,
        "values": [
            _value(column, each.name, _taken(found.get(each.name)), answered.get(each.name) if has_opinion_alone else n)
            for each in column.choices
        ],
    }


def _taken(totals: Mapping[str, int] | None) -> int | None:
    if totals is None:
        return None
    return totals.get(YES, None if OTHERS in totals else 0)


def places_as_told(column: Column, lines: Iterable[Line]) -> dict[str, Any]:
    """Return the question for the municipality: of each the people that its page speaks of, where it has one."""
    people: dict[str, int] = {}
    for told in (line.told for line in lines if line.told.is_divided):
        for name in told.columns:
            if name not in (OTHERS, NO_PLACE):
                people[name] = max(people.get(name, 0), told.column_total(name))
    return _blank(column) | {
        "values": [_value(column, each.name, people.get(each.name), None) for each in column.choices]
    }


# --- for the others: what no page tells


def next_entry(
    earlier: Entry | None, column: Column, values: Mapping[str, int], people: int, k: int, direct: Collection[str]
) -> Entry | None:
    """Return what is told of a question from now on, None while nothing is.

    earlier: what was told before; people: how many records there are; direct: keys that say who somebody is. Quartiles
    stay when nobody came or went among who answered: they would tell what somebody corrected.
    """
    n = sum(values.values())
    fresh: dict[str, Any] = {"n": n, "silent": people - n, "numbers": None}
    if column.question.type in NUMBERS and column.key not in direct and column.question.privacy not in SENSITIVE:
        read = _numbers(values)
        fresh |= {"numbers": read.get("numbers") if read["n"] >= LEAST_FOR_NUMBERS else None}
    if 0 < n < k or 0 < people - n < k:
        return earlier
    if earlier is None:
        return fresh if people >= LEAST_FIRST else None
    changes = n - int(earlier["n"]), people - n - int(earlier["silent"])
    if not any(changes) or any(0 < abs(change) < k for change in changes):
        return earlier
    return fresh | ({} if changes[0] else {"numbers": earlier["numbers"]})


def entry_as_told(column: Column, entry: Entry | None) -> dict[str, Any]:
    """Return a question of which only n, and of numbers the quartiles, are told."""
    return _blank(column) | ({"n": entry["n"], "numbers": entry["numbers"]} if entry else {})


# --- the whole


def counts_of(
    forms: Sequence[Form], questions: Sequence[dict[str, Any]], records: int, k: int, upto: int
) -> dict[str, Any]:
    """Return a form in numbers (FormCounts). Of fewer records than k nothing is told."""
    is_few = 0 < records < k
    return {
        "form_id": forms[-1].form_id,
        "title": forms[-1].title,
        "records": None if is_few else records,
        "k": k,
        "upto": upto,
        "questions": [] if is_few else list(questions),
    }
