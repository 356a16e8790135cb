"""What a term leaves of answers: bodies without direct identifiers, and counts of those that are erased. Pure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from collector.forms.model import Form
from collector.lab.identifiers import whole_key, without
from collector.lab.tables import SELECTS, Column, Table


@dataclass(frozen=True)
class KeptQuestion:
    """A question of records that their term erased: choice -> how often, or one line for every answer."""

    label: str
    name: str
    lines: list[tuple[str, int]]


@dataclass(frozen=True)
class KeptCounts:
    """What stays of a form's erased records: how many there were, and their questions in form order."""

    records: int
    questions: list[KeptQuestion]


LIST_TYPES = ("select_multiple", "rank")
RECORDS = ("", "")  # where the records themselves are counted


def reduced(bodies: Sequence[str], hidden: frozenset[str]) -> list[str | None]:
    """Return each content of a family without the answers of these keys; None where nothing of it has to go.

    What annotations name as files goes with the answers that named them.
    """
    if not hidden:
        return [None] * len(bodies)
    contents = [_object(body) for body in bodies]
    kept = [without(content, hidden) if "answers" in content else content for content in contents]
    gone = _names(contents) - _names(kept)
    kept = [after | _files_left(before, gone) for before, after in zip(contents, kept, strict=True)]
    return [
        _text_of(after, body) if after != before else None
        for body, before, after in zip(bodies, contents, kept, strict=True)
    ]


def _object(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _names(contents: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return every text among the answers: the name of a file is one."""
    return {text for content in contents for text in _texts(content.get("answers"))}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _files_left(content: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    entries = content.get("blobs")
    if not isinstance(entries, list):
        return {}
    return {"blobs": [each for each in entries if not (isinstance(each, dict) and each.get("name") in gone)]}


def _text_of(content: Mapping[str, Any], body: str) -> str:
    # what was escaped in the body (a lone surrogate, say) could not be kept as it is
    is_plain = "\\u" not in body
    return json.dumps(content, ensure_ascii=not is_plain, sort_keys=True, separators=(",", ":"))


# --- counts


def territory_keys(forms: Sequence[Form], codes: frozenset[str]) -> tuple[str, ...]:
    """Return the keys of the questions that ask the municipality, one a version at most."""
    found = (form.territory_question(codes) for form in forms)
    return tuple(dict.fromkeys(question.key for question in found if question is not None and not question.row))


def counts_in(
    content: Mapping[str, Any], forms: Sequence[Form], hidden: frozenset[str], places: Sequence[str]
) -> tuple[str, Counter[tuple[str, str]]]:
    """Return the municipality ("" for none) and (whole key, choice) -> how often, of one record that counts.

    choice: of a select each choice; "" for any other answer. hidden: keys that are not counted.
    """
    answers = content.get("answers")
    answers = answers if isinstance(answers, dict) else {}
    place = next((text for key in places if isinstance(text := answers.get(key), str) and text), "")
    kinds, found = _kinds(tuple(forms)), Counter({RECORDS: 1})
    for key, text in _each_answer(answers, ""):
        if text and key in kinds and key not in hidden:
            choices = text.split() if kinds[key] in LIST_TYPES else [text] if kinds[key] in SELECTS else [""]
            found.update((key, choice) for choice in choices)
    return place, found


@lru_cache(maxsize=64)
def _kinds(forms: tuple[Form, ...]) -> dict[str, str]:
    """Return whole key -> type of what people are asked, the newest version's where they differ."""
    asked = [question for form in reversed(forms) for question in ((q, form) for q in form.questions)]
    return {whole_key(form, question): question.type for question, form in asked if question.type != "calculate"}


def _each_answer(row: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, str):
            yield prefix + name, value
        elif isinstance(value, list):
            for inner in value:
                if isinstance(inner, dict):
                    yield from _each_answer(inner, f"{prefix}{name}/")


# --- shown


def kept_counts(table: Table, counts: Mapping[str, Mapping[str, int]], language: str) -> KeptCounts | None:
    """Return the kept counts as people read them; None while a form has none. counts: whole key -> choice -> count."""
    if not counts:
        return None
    columns = [column for each in table.walk() for column in each.columns]
    questions = [
        KeptQuestion(column.label(language), column.name, _lines(column, found, language))
        for column in columns
        if (found := counts.get("/".join((*column.steps, column.key))))
    ]
    return KeptCounts(counts.get("", {}).get("", 0), questions)


def _lines(column: Column, found: Mapping[str, int], language: str) -> list[tuple[str, int]]:
    labels = column.choice_labels(language) if column.has_choices else {}
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(labels.get(choice, choice), count) for choice, count in ranked]
