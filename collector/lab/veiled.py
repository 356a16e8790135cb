"""The lab's pages for whoever may not know who answered: the same, with "•••" where an identifier stood. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.lab.identifiers import MASK, plain_key
from collector.lab.results import Results
from collector.lab.summaries import QuestionCount


def veiled_results(results: Results, keys: frozenset[str]) -> Results:
    """Return the numbers of a form without the answers of these keys: how many answered stays, what they said goes."""
    repeats = [replace(each, questions=_veiled_all(each.questions, keys)) for each in results.repeats]
    return replace(results, questions=_veiled_all(results.questions, keys), repeats=repeats)


def _veiled_all(questions: Sequence[QuestionCount], keys: frozenset[str]) -> list[QuestionCount]:
    return [_veiled(each) if each.column.name in keys else each for each in questions]


def _veiled(question: QuestionCount) -> QuestionCount:
    """Return how many answered, and nothing of what: the smallest number or the earliest date is somebody's."""
    return QuestionCount(
        question.column, question.label, question.n, question.in_rows, samples=(MASK,) * bool(question.n)
    )


def veiled_flags(flags: Sequence[Mapping[str, Any]], keys: frozenset[str]) -> list[dict[str, Any]]:
    """Return what a node noticed about a record, without the values of these keys."""
    return [
        {**flag, "text": MASK} if flag.get("text") and plain_key(str(flag.get("key", ""))) in keys else dict(flag)
        for flag in flags
    ]
