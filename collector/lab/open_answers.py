"""Open answers of a survey as pieces that can be coded, beside what was said in rooms.

A piece of a survey carries the municipality that the record names and, as segments, its answers to questions with one
choice, by the question's name: a survey that asks `generacion` stands in one column with rooms that declare it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from collector.forms.consented import given_in, is_of_notice
from collector.forms.model import Form
from collector.lab.identifiers import is_direct
from collector.lab.tables import Column, Table, answers_of, each_row, text_at
from collector.rooms.sense.pieces import QUOTE, Piece, answer_target

MOST_VALUES = 12  # choices of a question that is a segment: with more, hardly any cell could be shown


@dataclass(frozen=True)
class OpenForm:
    """A form as its open answers are read. versions: version -> form; territory: columns that say the municipality."""

    title: str
    table: Table
    versions: Mapping[str, Form]
    territory: Sequence[Column]
    language: str = ""

    @cached_property
    def questions(self) -> list[Column]:
        """The questions that people answer in their own words, also those inside of repeats, in form order.

        Not those that ask who somebody is: a name has no theme, and whoever codes need not know whose words they are.
        """
        columns = [column for table in self.table.walk() for column in table.columns]
        texts = [each for each in columns if each.question.type == "text" and not is_direct(each.question, each.form)]
        return [each for each in texts if not is_of_notice(each.form, each.question)]

    @cached_property
    def labels(self) -> list[str]:
        """The same questions as people read them."""
        return [column.label(self.language) for column in self.questions]

    @cached_property
    def segments(self) -> dict[str, Column]:
        """Name -> question with one choice, of those that can stand as columns of a table."""
        apart = {column.key for column in self.territory}
        chosen = [each for each in self.table.columns if each.question.type == "select_one" and each.key not in apart]
        return {each.question.name: each for each in chosen if len(each.choices) <= MOST_VALUES}


@dataclass(frozen=True)
class Answered:
    """A record with its answers. content: its body."""

    id: str
    version: str
    at_ms: int
    content: Mapping[str, Any] = field(default_factory=dict)


def pieces_of_record(form: OpenForm, record: Answered) -> list[Piece]:
    """Return the open answers of a record, question by question; blanks are left out."""
    answers = answers_of(record.content)
    segments = {name: given for name, column in form.segments.items() if (given := text_at(answers, column.key))}
    place, is_given = _place(form, record.content, answers), _may_quote(form, record)
    return [
        Piece(
            target=answer_target(record.id, key),
            record=record.id,
            kind="answer",
            text=" ".join(text.split()),
            finished=str(record.content.get("finished", "")),
            at_ms=record.at_ms,
            document=form.title,
            place=place,
            segments=segments,
            question=label,
            may_quote=is_given,
        )
        for column, label in zip(form.questions, form.labels, strict=True)
        for key, text in _texts(column, answers)
        if text.strip()
    ]


def _texts(column: Column, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give (path of the answer, text): one, or one of each row around it, as "persona[2]/idea"."""
    if not column.steps:
        yield column.key, text_at(answers, column.key)
    for _, own, row in each_row(column.steps, answers):
        yield f"{own.lstrip('/')}/{column.key}", text_at(row, column.key)


def _place(form: OpenForm, content: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    """Return the code of the municipality that was answered, else that of a place chosen from the list."""
    given = next((text for column in form.territory if (text := text_at(answers, column.key))), "")
    listed = content.get("places")
    places = listed.values() if isinstance(listed, dict) else ()
    codes = [each.get("code") for each in places if isinstance(each, dict)]
    return given or next((code for code in codes if isinstance(code, str)), "")


def _may_quote(form: OpenForm, record: Answered) -> bool:
    """Tell whether the person ticked that their words may be quoted; a form that asks nobody has no consent."""
    version = form.versions.get(record.version)
    given = given_in(version, answers_of(record.content)) if version else None
    return given is not None and given.accepted and QUOTE in given.purposes
