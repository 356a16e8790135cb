"""The texts of a form that can be recorded: questions, and options that stand in the page with a button."""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.fill.page import control_of, is_live
from collector.fill.voices import text_key
from collector.forms.model import Form, Question, Text, text_in
from collector.forms.plain_words import plain_words

# a phone's own list, a search and a scale of faces have no room for sounds
HEARD = frozenset({"list", "many", "strip", "many-strip"})


@dataclass(frozen=True)
class Spoken:
    """A text of a form that can be recorded; choices stand under their question."""

    place: str
    key: str
    label: str
    is_choice: bool


def texts_to_speak(form: Form) -> Iterator[Spoken]:
    """Give every text that people are asked with, in the order of the form; a list's choices once."""
    seen: set[str] = set()
    for question in form.questions:
        if question.page < 0 or not any(question.label.values()):
            continue
        yield Spoken("q" + question.path, text_key(question.label, form), _words(form, question.label), False)
        if question.list_name not in seen and _has_heard_choices(question, form):
            seen.add(question.list_name)
            yield from _choices(question.list_name, form)


def _has_heard_choices(question: Question, form: Form) -> bool:
    return bool(question.list_name) and control_of(question, form) in HEARD and not is_live(question, form)


def _choices(list_name: str, form: Form) -> Iterator[Spoken]:
    for choice in form.lists[list_name]:
        if any(choice.label.values()):
            said = _words(form, choice.label)
            yield Spoken(f"c{list_name}/{choice.name}", text_key(choice.label, form), said, True)


def _words(form: Form, label: Text) -> str:
    return plain_words(text_in(label, (form.languages or ("",))[0], form))
