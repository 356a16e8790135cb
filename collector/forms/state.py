"""A form being filled in: answers, relevance, calculations, checks. The same rules as static/js/state.js.

Calculations and relevance are brought to rest in document-order passes, PASSES at most, identical on both sides.
Answers of questions that are not relevant are kept while filling and left out of `answers()`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from collector.forms.expressions import Env, Row, build, stored_text, to_boolean
from collector.forms.model import IR, Choice, Form, Question, Text, language_code, text_in

PASSES = 8
MAX_TEXT = 20_000
Trouble = Literal["", "required", "type", "choice", "constraint"]
SHAPES = {
    "integer": re.compile(r"-?[0-9]{1,15}"),
    "decimal": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)"),
}
Closure = Any


@dataclass(frozen=True)
class Program:
    """A form with its closures, made once a version and shared by every filling."""

    form: Form
    relevant: Mapping[str, Closure]
    required: Mapping[str, Closure]
    constraint: Mapping[str, Closure]
    calculate: Mapping[str, Closure]
    choice_filter: Mapping[str, Closure]
    instances: Mapping[str, list[dict[str, str]]]
    questions: Mapping[str, Question]
    groups: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=256)
def program_of(form: Form) -> Program:
    """Return the closures of `form`; kept for the next filling."""
    relevant = {group.path: group.relevant for group in form.groups}
    relevant |= {question.path: question.logic.relevant for question in form.questions}
    questions = {question.path: question for question in form.questions}
    return Program(
        form=form,
        relevant=_closures(relevant),
        required=_closures({path: q.logic.required for path, q in questions.items()}),
        constraint=_closures({path: q.logic.constraint for path, q in questions.items()}),
        calculate=_closures({path: q.logic.calculate for path, q in questions.items()}),
        choice_filter=_closures({path: q.choice_filter for path, q in questions.items()}),
        instances={name: [dict(choice.columns) for choice in items] for name, items in form.lists.items()},
        questions=questions,
        groups={group.path: group.groups for group in form.groups} | {p: q.groups for p, q in questions.items()},
        names={name: tuple(choice.name for choice in items) for name, items in form.lists.items()},
    )


def _closures(expressions: Mapping[str, IR | None]) -> dict[str, Closure]:
    return {path: build(ir) for path, ir in expressions.items() if ir is not None}


def language_of(form: Form, code: str) -> str:
    """Return the language of the form with this code, its default where it has none."""
    return next((name for name in form.languages if language_code(name) == code), (form.languages or ("",))[0])


def choice_text(choice: Choice, language: str, form: Form) -> str:
    """Return what jr:choice-name() gives: the label, and the name of a choice without one."""
    return text_in(choice.label, language, form) or choice.name


@lru_cache(maxsize=256)
def texts_by_id(form: Form) -> Mapping[str, Text]:
    """Return what jr:itext() finds: the texts of the choices, and the labels and hints of what is asked."""
    found = {f"{group.path}:label": group.label for group in form.groups}
    found |= {f"{question.path}:label": question.label for question in form.questions}
    found |= {f"{question.path}:hint": question.hint for question in form.questions}
    choices = (choice for items in form.lists.values() for choice in items)
    found |= {choice.columns["itextId"]: choice.label for choice in choices if "itextId" in choice.columns}
    return {text_id: text for text_id, text in found.items() if text}


def tidy(question: Question, text: str) -> str:
    """Return `text` as stored: NFC, no U+0000 or lone surrogates, trimmed; decimals with a point."""
    clean = text.encode("utf-8", "ignore").decode().replace("\0", "").replace("\r\n", "\n")
    trimmed = unicodedata.normalize("NFC", clean).strip()
    return trimmed.replace(",", ".", 1) if question.type == "decimal" else trimmed


@dataclass
class Filling:
    """One submission on its way. `now`: (epoch ms, offset minutes) that today() and now() give."""

    form: Form
    now: tuple[int, int]
    lang: str = "es"
    raw: dict[str, str] = field(default_factory=dict)
    relevant: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.program = program_of(self.form)
        self.row: list[Any] = [None] * (1 + max((q.slot for q in self.form.questions), default=0))
        self.env = Env(
            row=self.row,
            now=self.now,
            lang=self.lang,
            instances=self.program.instances,
            choice_label=self._choice_label,
            itext=self._text_of,
        )
        self.raw = {question.path: question.default for question in self.form.questions}
        self.relevant = dict.fromkeys(self.form.nodes, True)

    def _choice_label(self, path: str, value: str, row: Row) -> str:
        question = self.program.questions.get(path)
        choices = self.form.lists.get(question.list_name, ()) if question else ()
        chosen = next((choice for choice in choices if choice.name == value), None)
        return choice_text(chosen, language_of(self.form, self.lang), self.form) if chosen else value

    def _text_of(self, text_id: str) -> str:
        text = texts_by_id(self.form).get(text_id, {})
        return text_in(text, language_of(self.form, self.lang), self.form) or text_id

    def fill(self, answers: Mapping[str, str]) -> None:
        """Take `answers` (key -> text) for what the form asks, then settle. Other keys are left alone."""
        for question in self.form.questions:
            if question.key in answers and question.type != "calculate":
                self.raw[question.path] = tidy(question, answers[question.key])
        self.settle()

    def settle(self) -> None:
        """Bring calculations, relevance and filtered choices to rest."""
        for question in self.form.questions:
            self._place(question.path)
        for _ in range(PASSES):
            if not self._pass():
                break

    def _place(self, path: str) -> None:
        self.row[self.program.questions[path].slot] = self.raw[path] if self.relevant[path] else None

    def _pass(self) -> bool:
        moved = False
        for path in self.form.order:
            moved |= self.relevant[path] and self._calculate(path)
        for path in self.form.nodes:
            now = all(self.relevant[group] for group in self.program.groups[path]) and self._truth("relevant", path)
            moved |= now != self.relevant[path]
            self.relevant[path] = now
            if path in self.program.questions:
                self._place(path)
                moved |= now and self._drop_unoffered(path)
        return moved

    def _calculate(self, path: str) -> bool:
        value = stored_text(self.program.calculate[path](self.env), self.program.questions[path].bind, self.env.now[1])
        if value == self.raw[path]:
            return False
        self.raw[path] = value
        self._place(path)
        return True

    def _drop_unoffered(self, path: str) -> bool:
        """A filtered choice list may no longer offer what was chosen: then that choice goes."""
        if path not in self.program.choice_filter or not self.raw[path]:
            return False
        offered = self.choices(path)
        kept = " ".join(name for name in self.raw[path].split() if name in offered)
        if kept == self.raw[path]:
            return False
        self.raw[path] = kept
        self._place(path)
        return True

    def _truth(self, which: str, path: str) -> bool:
        closure = getattr(self.program, which).get(path)
        return True if closure is None else to_boolean(closure(self.env))

    def choices(self, path: str) -> tuple[str, ...]:
        """Return the names offered now."""
        closure = self.program.choice_filter.get(path)
        if closure is not None:
            return tuple(closure(self.env))
        return self.program.names.get(self.program.questions[path].list_name, ())

    def trouble(self, path: str) -> Trouble:
        """Return what is wrong with this answer now, "" when nothing is."""
        question = self.program.questions[path]
        if not self.relevant[path] or question.type in ("note", "calculate"):
            return ""
        value = self.raw[path]
        if not value:
            return "required" if path in self.program.required and self._truth("required", path) else ""
        if not fits(question, value):
            return "type"
        if question.list_name and any(name not in self.choices(path) for name in self._chosen(question, value)):
            return "choice"
        return "" if self._truth("constraint", path) else "constraint"

    def _chosen(self, question: Question, value: str) -> list[str]:
        return value.split() if question.type == "select_multiple" else [value]

    def page_is_shown(self, page: int) -> bool:
        """Tell whether any question of the page is relevant now."""
        return any(self.relevant[path] for path in self.form.pages[page])

    def answers(self) -> dict[str, str]:
        """Return relevant answers by key; empty ones left out."""
        return {
            q.key: self.raw[q.path]
            for q in self.form.questions
            if q.type != "note" and self.relevant[q.path] and self.raw[q.path]
        }


def fits(question: Question, value: str) -> bool:
    """Tell whether `value` has the form of the question's type."""
    if len(value) > MAX_TEXT:
        return False
    if question.type == "date":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)) and _is_date(value)
    shape = SHAPES.get(question.type)
    return shape is None or bool(shape.fullmatch(value))


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
