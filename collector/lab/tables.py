"""A form, in all its versions, as one table: its columns with their types, and records as rows of it.

Columns stand in the order of the oldest version; what later versions added comes after, so that a column never moves.
Notes hold no answer and get no column.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.forms.model import Choice, Form, Question, text_in

SELECTS = ("select_one", "select_multiple")
# choices that are no opinion: counted, shown and averaged apart (docs/lab.md)
NO_ANSWER = ("ns", "nr")
INTEGER, REAL, TEXT = "INTEGER", "REAL", "TEXT"
_TYPES = {"integer": INTEGER, "decimal": REAL}


@dataclass(frozen=True)
class Column:
    """One question across the versions of its form.

    key: as in answers ("lugar/municipio"); type: INTEGER, REAL or TEXT, wide enough for every version;
    question, form: as the newest version has them; choices: of all versions, the newest label winning.
    """

    key: str
    type: str
    question: Question
    form: Form
    choices: tuple[Choice, ...] = ()

    @property
    def header(self) -> str:
        """Return ODK's column name: groups and question joined with "-"."""
        return self.key.replace("/", "-")

    @property
    def is_multiple(self) -> bool:
        """Tell whether the answer may hold several choices."""
        return self.question.type == "select_multiple"

    def label(self, language: str) -> str:
        """Return the question as people read it, else its name."""
        return text_in(self.question.label, language, self.form) or self.question.name

    def choice_labels(self, language: str) -> dict[str, str]:
        """Return choice name -> label."""
        return {choice.name: text_in(choice.label, language, self.form) or choice.name for choice in self.choices}


def columns_of(forms: Iterable[Form]) -> tuple[Column, ...]:
    """Return the columns of a form's versions; give them oldest first."""
    columns: dict[str, Column] = {}
    for form in forms:
        for question in form.questions:
            if question.type != "note":
                columns[question.key] = _column(question, form, columns.get(question.key))
    return tuple(columns.values())


def _column(question: Question, form: Form, older: Column | None) -> Column:
    sql_type = _TYPES.get(question.type) or _TYPES.get(_bind_type(question), TEXT)
    choices = {choice.name: choice for choice in older.choices} if older else {}
    choices.update((choice.name, choice) for choice in form.lists.get(question.list_name, ()))
    return Column(
        key=question.key,
        type=wider(older.type, sql_type) if older else sql_type,
        question=question,
        form=form,
        choices=tuple(choices.values()),
    )


def _bind_type(question: Question) -> str:
    """Return the type of a calculate that says one; its result is then checked like an answer."""
    return {"int": "integer", "decimal": "decimal"}.get(question.bind, "") if question.type == "calculate" else ""


def wider(one: str, other: str) -> str:
    """Return the SQL type that holds both."""
    if one == other:
        return one
    return REAL if {one, other} == {INTEGER, REAL} else TEXT


def typed(sql_type: str, text: str) -> int | float | str | None:
    """Return the answer as a value of its column; text that is no such number stays text, a blank is None."""
    if text == "":
        return None
    try:
        if sql_type == INTEGER:
            number = int(text)
            return number if -(2**63) <= number < 2**63 else text
        return float(text) if sql_type == REAL else text
    except ValueError:
        return text


def answers_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers of a record as text."""
    answers = content.get("answers")
    return {key: str(value) for key, value in answers.items()} if isinstance(answers, dict) else {}


def shown(column: Column, text: str, language: str) -> str:
    """Return the answer as people read it: choices by their labels, the rest as given."""
    if column.question.type not in SELECTS or not text:
        return text
    labels = column.choice_labels(language)
    names = text.split() if column.is_multiple else [text]
    return " · ".join(labels.get(name, name) for name in names)


def language_of(form: Form, code: str) -> str:
    """Return the form's own name for the language `code` ("es"): "Español (es)"; "" when it has none such."""
    return next((name for name in form.languages if name.endswith(f"({code})")), "")


def selects(columns: Sequence[Column]) -> list[Column]:
    """Return the columns whose answers can be counted by choice."""
    return [column for column in columns if column.question.type in SELECTS]
