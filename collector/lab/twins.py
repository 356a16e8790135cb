"""Choices of one name, as codes that start anew in each district: which of them a record means, and what they say.

The answers of a record say it, by the form's own filter; where records are counted together nothing does.
"""

from collections.abc import Iterator, Mapping

from collector.forms.filling_rows import FillingRow
from collector.forms.model import Form, Question
from collector.forms.program import program_of
from collector.forms.state import Filling
from collector.lab.words import words_of

NEVER = (0, 0)  # no form asks for the time to filter choices of one name
MOST_TOLD = 3  # labels of one name that are told apart


def joint_labels(question: Question, form: Form, language: str) -> dict[str, str]:
    """Return name -> all that it can mean, "Centro / Puerto", for a list whose names a filter tells apart."""
    if question.path not in program_of(form).twins:
        return {}
    found: dict[str, list[str]] = {}
    for choice in form.lists[question.list_name]:
        found.setdefault(choice.name, []).append(words_of(choice.label, language, form) or choice.name)
    return {name: _joined(list(dict.fromkeys(labels))) for name, labels in found.items()}


def _joined(labels: list[str]) -> str:
    return " / ".join(labels if len(labels) <= MOST_TOLD else [*labels[:MOST_TOLD], "…"])


def meant_labels(form: Form, answers: Mapping[str, object], language: str) -> dict[str, dict[str, str]]:
    """Return key with row numbers -> name -> label, of the choices that the record's own answers offered.

    Takes as long as checking the record, and nothing for a form without such lists.
    """
    if not program_of(form).twins:
        return {}
    filling = Filling(form, NEVER, recorded=True, verbatim=True)
    filling.fill(answers)
    return {
        prefix + question.key: _offered(filling, question, row, language)
        for row, prefix in _rows(filling, filling.root, "")
        for question in filling.program.levels[row.path].questions
        if question.path in filling.program.twins
    }


def _offered(filling: Filling, question: Question, row: FillingRow, language: str) -> dict[str, str]:
    choices = filling.form.lists[question.list_name]
    found: dict[str, str] = {}
    for choice in (choices[place] for place in filling.offered_twins(question.path, row)):
        found.setdefault(choice.name, words_of(choice.label, language, filling.form) or choice.name)
    return found


def _rows(filling: Filling, row: FillingRow, prefix: str) -> Iterator[tuple[FillingRow, str]]:
    """Give each row of the record with what its keys begin with: "persona[2]/"."""
    yield row, prefix
    for repeat in filling.program.levels[row.path].repeats:
        for number, inner in enumerate(row.rows[repeat.path], 1):
            yield from _rows(filling, inner, f"{prefix}{repeat.key}[{number}]/")
