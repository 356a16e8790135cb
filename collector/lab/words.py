"""What a form says, as the lab reads it: no record fills the places where a text shows an answer, so their names do."""

from typing import Any

from collector.forms.model import IR, OUTPUT_MARK, Form, Text, text_in
from collector.forms.plain_words import plain_words

NOTHING_TO_NAME = "…"


def words_of(text: Text, language: str, form: Form) -> str:
    """Return a text without marks of other tools, the answers that it shows named in braces: "¿Cuántos años tiene
    {nombre}?".
    """
    return named(plain_words(text_in(text, language, form)), form)


def named(words: str, form: Form) -> str:
    """Return `words` with a name in braces for each place of an answer."""
    return OUTPUT_MARK.sub(lambda mark: f"{{{_output_name(int(mark.group(1)), form)}}}", words)


def _output_name(number: int, form: Form) -> str:
    if number >= len(form.outputs):
        return NOTHING_TO_NAME
    row, expression = form.outputs[number]
    return _first_name(expression, "" if row == form.root else row, form) or NOTHING_TO_NAME


def _first_name(expression: Any, row: str, form: Form) -> str:
    """Return the name of the first question that an expression reads in `row` (path of its repeat, "" = the record)."""
    if not isinstance(expression, list | tuple) or not expression:
        return ""
    if expression[0] in ("v", "r") and isinstance(expression[1], int):
        found = _read_by(list(expression), row, form)
        if found:
            return found
    names = (_first_name(part, row, form) for part in expression[1:])
    return next((name for name in names if name), "")


def _read_by(expression: IR, row: str, form: Form) -> str:
    """Return the name of what ["v", up, slot] or ["r", up, [[slot, predicates], …], leaf] reads."""
    rows = {repeat.path: repeat.row for repeat in form.repeats}
    for _ in range(expression[1]):
        row = rows.get(row, "")
    if expression[0] == "v":
        return _name_at(row, expression[2], form)
    for slot, _predicates in expression[2]:
        row = next((repeat.path for repeat in form.repeats if repeat.row == row and repeat.slot == slot), row)
    return _name_at(row, expression[3], form) or row.rpartition("/")[2]


def _name_at(row: str, slot: object, form: Form) -> str:
    return next((question.name for question in form.questions if question.row == row and question.slot == slot), "")
