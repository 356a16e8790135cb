"""What an expression reads through texts: a label that jr:choice-name() or jr:itext() gives may show answers itself."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from collector.forms.expressions import labels_used
from collector.forms.expressions.analyse import every
from collector.forms.model import IR, OUTPUT_MARK, Form, Question
from collector.forms.twins import has_twins


class Placed(NamedTuple):
    """An expression and the node whose row it is read in."""

    context: str
    ir: IR


def behind_texts(ir: IR, form: Form, questions: Mapping[str, Question]) -> list[Placed]:
    """Return the expressions that decide what the texts say that `ir` asks for; also through texts in those texts."""
    found: dict[str, Placed] = {}
    todo = list(_asked(ir, form, questions))
    while todo:
        placed = todo.pop()
        if repr(placed) not in found:
            found[repr(placed)] = placed
            todo += _asked(placed.ir, form, questions)
    return list(found.values())


def _asked(ir: IR, form: Form, questions: Mapping[str, Question]) -> Iterator[Placed]:
    for path in sorted(labels_used(ir) & questions.keys()):
        yield from _of_choices(questions[path], form)
    # the id may be calculated: any text may be meant
    if any(part[:2] == ["f", "jr:itext"] for part in every(ir)):
        yield from (Placed(*output) for output in form.outputs)


def _of_choices(question: Question, form: Form) -> Iterator[Placed]:
    """Give what the labels of a question's choices hang on: answers they show, rows they are, the filter."""
    yield from _shown_in(form, question.list_name)
    if question.rows is not None:
        yield Placed(question.path, [*question.rows.nodes[:3], [question.rows.value, question.rows.label]])
    elif question.choice_filter is not None and has_twins(form, question):
        yield Placed(question.path, question.choice_filter)


@lru_cache(maxsize=256)
def _shown_in(form: Form, list_name: str) -> tuple[Placed, ...]:
    """Return what the labels of a list show, each once: a long list may show the same answer in every label."""
    labels = [choice.label for choice in form.lists.get(list_name, ())] if form.outputs else []
    marks = {int(mark) for label in labels for words in label.values() for mark in OUTPUT_MARK.findall(words)}
    found = (Placed(*form.outputs[number]) for number in sorted(marks) if number < len(form.outputs))
    return tuple({repr(placed): placed for placed in found}.values())
