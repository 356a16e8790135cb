"""A form being filled in: answers, checks, texts, the record. The same rules as static/js/state.js and rows.js.

settling.py brings calculations, relevance and rows to rest; here is what people say and are told.
Answers of questions that are not relevant are kept while filling and left out of `answers()`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from collector.forms.expressions import Row, stored_text
from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import chosen, fits, tidy
from collector.forms.model import OUTPUT_MARK, Choice, Form, Text, language_code, text_in
from collector.forms.program import Program, program_of
from collector.forms.settling import MAX_ROWS, Settling
from collector.forms.twins import list_read

__all__ = ["MAX_ROWS", "Filling", "Program", "choice_text", "fits", "language_of", "program_of", "texts_by_id", "tidy"]

Trouble = Literal["", "required", "type", "choice", "constraint"]
SILENT = ("note", "calculate")
LISTED = re.compile(r"([0-9]{2}){1,2}( (?=\S)[^\x00-\x1f\ud800-\udfff]{1,200})?")  # code, what was written (listed.py)
MAX_KEPT_ROWS = 20_000  # of a whole record: what a page carries comes from anybody


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
    found |= form.texts
    return {text_id: text for text_id, text in found.items() if text}


@dataclass
class Filling(Settling):
    """One submission on its way. `now`: (epoch ms, offset minutes) that today() and now() give.

    recorded: what somebody filled in elsewhere: nothing is put in by us (defaults, actions, row counts), and what only
    the device could compute stays as it is recorded; verbatim: nothing at all is computed, only what is relevant.
    language: a language of the form by name; else that of `lang`.
    """

    # --- answering

    def set(self, path: str, text: str, row: FillingRow | None = None) -> None:
        """Take one answer, right or wrong."""
        self._keep(path, row or self.root, tidy(self.program.questions[path], text))
        self.rest()

    def fill(self, answers: Mapping[str, Any]) -> None:
        """Take `answers` (key -> text, or rows) for what the form asks, then settle. Other keys are left alone."""
        self._fill_row(self.root, answers)
        self.settle()

    def _fill_row(self, row: FillingRow, answers: Mapping[str, Any]) -> None:
        level = self.program.levels[row.path]
        for question in level.questions:
            text = answers.get(question.key)
            if isinstance(text, str) and (self.recorded or question.type != "calculate"):
                row.raw[question.path] = tidy(question, text)
                row[question.slot] = row.raw[question.path] if row.relevant[question.path] else None
        for repeat in level.repeats:
            given = answers.get(repeat.key)
            if isinstance(given, list):
                self._cut(row, repeat.path, slice(0, None))
                for each in given[:MAX_ROWS]:
                    inner = self._append(row, repeat.path, None)
                    self._fill_row(inner, each if isinstance(each, Mapping) else {})

    # --- keeping: what a draft holds, and what a page without scripts carries from step to step

    def dump(self) -> dict[str, Any]:
        """Return everything that is kept, relevant or not: {"v": {node: text}, "r": {node: [the same for each row]}}.

        A node is its number in form.nodes, as in the page's JSON. "l" holds the places chosen from the list.
        """
        return self._dump_row(self.root)

    def _dump_row(self, row: FillingRow) -> dict[str, Any]:
        number = self.program.numbers
        values = {str(number[path]): text for path, text in row.raw.items() if text and path in number}
        rows = {str(number[path]): [self._dump_row(each) for each in held] for path, held in row.rows.items() if held}
        listed = {str(number[path]): text for path, text in row.listed.items() if text}
        return {key: found for key, found in (("v", values), ("r", rows), ("l", listed)) if found}

    def restore(self, kept: object) -> None:
        """Put back what `dump` gave; what is not of its shape is left out. What was drawn stays drawn."""
        self._is_open = False  # nothing is set off by putting back
        self._rows_left = MAX_KEPT_ROWS
        self._restore_row(self.root, kept)
        self.settle()
        self._fired.clear()
        self._born.clear()
        self._is_open = True

    def _restore_row(self, row: FillingRow, kept: object) -> None:
        held: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
        values, rows, listed = (part if isinstance(part, Mapping) else {} for part in map(held.get, "vrl"))
        row.listed = self._listed_in(row, listed)
        for path in row.raw:
            text = values.get(str(self.program.numbers.get(path)))
            row.raw[path] = text if isinstance(text, str) else ""
            row[self.program.questions[path].slot] = row.raw[path] if row.relevant[path] else None
            if row.raw[path]:
                row.drawn.add(path)
        for path in row.rows:
            self._cut(row, path, slice(0, None))
            given = rows.get(str(self.program.numbers.get(path)))
            for each in (given if isinstance(given, list) else [])[: min(MAX_ROWS, self._rows_left)]:
                self._rows_left -= 1
                self._restore_row(self._append(row, path, None), each)

    def _listed_in(self, row: FillingRow, kept: Mapping[Any, Any]) -> dict[str, str]:
        """Return path -> place of the geopoints of a row in what `dump` gave."""
        asked = [path for path in row.raw if self.program.questions[path].type == "geopoint"]
        found = {path: kept.get(str(self.program.numbers.get(path))) for path in asked}
        return {path: text for path, text in found.items() if isinstance(text, str) and LISTED.fullmatch(text)}

    # --- asking

    def choice_labels(self, path: str, row: FillingRow | None = None) -> dict[str, str]:
        """Return name -> label of what a select can offer, in the language now."""
        row, question = row or self.root, self.program.questions[path]
        if question.rows is not None:
            source = question.rows
            found = self._evaluate(self.program.source[path], row)
            return {
                each[source.value]: each[source.label] or each[source.value] for each in found if each[source.value]
            }
        labels: dict[str, str] = {}
        choices = self.form.lists.get(question.list_name, ())
        offered = [choices[place] for place in sorted(self.offered_twins(path, row))]
        for choice in (*offered, *choices):
            labels.setdefault(choice.name, self.said(choice.label, row) or choice.name)
        return labels

    def offered_twins(self, path: str, row: FillingRow | None = None) -> list[int]:
        """Return the places in its list of what a filter offers where several choices have one name: it means those."""
        if path not in self.program.twins:
            return []
        items = self.program.instances[list_read(self.program.questions[path].choice_filter or [])]
        places = {id(item): place for place, item in enumerate(items)}
        return [places[id(item)] for item in self._evaluate(self.program.twins[path], row or self.root)]

    def trouble(self, path: str, row: FillingRow | None = None) -> Trouble:
        """Return what has to be put right in this answer now, "" when nothing has.

        Where people cannot write, nobody can put right what is there: only the form's own constraint is held to.
        """
        misfit = self._misfit(path, row or self.root)
        return misfit if misfit and not self.is_closed(path, row) else self._breach(path, row or self.root)

    def fault(self, path: str, row: FillingRow | None = None) -> Trouble:
        """Return what is wrong with this answer now, whoever wrote it, "" when nothing is."""
        return self._misfit(path, row or self.root) or self._breach(path, row or self.root)

    def _is_asked(self, path: str, row: FillingRow) -> bool:
        return row.relevant[path] and self.program.questions[path].type not in SILENT

    def _breach(self, path: str, row: FillingRow) -> Trouble:
        is_held = not row.raw[path] or not self._is_asked(path, row) or self._truth(self.program.constraint, path, row)
        return "" if is_held else "constraint"

    def _misfit(self, path: str, row: FillingRow) -> Trouble:
        """Return whether an answer is missing, is not of its type or not among the choices."""
        question, value = self.program.questions[path], row.raw[path]
        if not self._is_asked(path, row):
            return ""
        if not value:
            is_missing = not row.listed.get(path) and self._truth(self.program.required, path, row, False)
            return "required" if is_missing else ""
        if not fits(question, value):
            return "type"
        if question.list_name and any(name not in self.choices(path, row) for name in chosen(question, value)):
            return "choice"
        return ""

    def troubles_in(self, path: str, row: FillingRow | None = None) -> list[tuple[str, FillingRow, Trouble]]:
        """List what is wrong in a group, in a repeat's row (`path` is its repeat) or in the whole record."""
        found: list[tuple[str, FillingRow, Trouble]] = []
        for each in (row or self.root).all_rows():
            for question in self.program.levels[each.path].questions:
                trouble = self.trouble(question.path, each) if question.path.startswith(path + "/") else ""
                if trouble:
                    found.append((question.path, each, trouble))
        return found

    def is_required(self, path: str, row: FillingRow | None = None) -> bool:
        """Tell whether an answer is required now."""
        return self._truth(self.program.required, path, row or self.root, False)

    def is_closed(self, path: str, row: FillingRow | None = None) -> bool:
        """Tell whether people see the answer of a question and cannot change it now."""
        return path in self.program.computed or self.is_readonly(path, row)

    def is_readonly(self, path: str, row: FillingRow | None = None) -> bool:
        """Tell whether a node is closed now, by itself or by what is around it."""
        here = row or self.root
        paths = (path, *self.program.local.get(path, ()))
        if any(self._truth(self.program.readonly, each, here, False) for each in paths if each != here.path):
            return True
        if here.parent is None:
            return False
        return self._truth(self.program.readonly, here.path, here, False) or self.is_readonly(here.path, here.parent)

    # --- texts

    def _language(self) -> str:
        return self.language or language_of(self.form, self.lang)

    def speak(self, language: str) -> None:
        """Switch to a language of the form."""
        self.language = language
        self.lang = self.env.lang = language_code(language)
        self.settle()

    def said(self, text: Text, row: FillingRow | None = None) -> str:
        """Return a text in the language now, with the answers that it shows."""
        words = text_in(text, self._language(), self.form)
        return OUTPUT_MARK.sub(lambda mark: self._output(int(mark.group(1)), row or self.root), words)

    def _output(self, number: int, row: FillingRow) -> str:
        if number >= len(self.form.outputs):  # a text that only jr:itext() finds: its answers are not known here
            return ""
        level, _ = self.form.outputs[number]
        here: FillingRow | None = row
        while here is not None and here.path != level:
            here = here.parent
        return "" if here is None else stored_text(self._evaluate(self.program.outputs[number], here))

    def message(self, path: str, row: FillingRow | None = None) -> str | None:
        """Return the form's own words for what is wrong now: "" where it has none, None when nothing is wrong."""
        trouble, question = self.trouble(path, row), self.program.questions[path]
        if not trouble:
            return None
        said = {"required": question.required_message, "constraint": question.constraint_message}.get(trouble, {})
        return self.said(said, row)

    def label_of_choice(self, path: str, value: str, row: Row) -> str:
        """Return the label in the language now, the value where there is none."""
        if path not in self.program.questions or not isinstance(row, FillingRow):
            return value
        now = self.env.row
        label = self.choice_labels(path, row).get(value, value)
        self.env.row = now
        return label

    def text_of(self, text_id: str) -> str:
        """Return the text in the language now, the id where there is none."""
        now = self.env.row
        text = self.said(texts_by_id(self.form).get(text_id, {}), now if isinstance(now, FillingRow) else None)
        self.env.row = now
        return text or text_id

    # --- the record

    def answers(self) -> dict[str, Any]:
        """Return relevant answers by key; empty ones left out; a repeat's rows as a list of the same."""
        return self._row_answers(self.root)

    def _row_answers(self, row: FillingRow) -> dict[str, Any]:
        level = self.program.levels[row.path]
        found: dict[str, Any] = {
            q.key: row.raw[q.path]
            for q in level.questions
            if q.type != "note" and row.relevant[q.path] and row.raw[q.path]
        }
        for repeat in level.repeats:
            rows = [self._row_answers(each) for each in row.shown(repeat)]
            if rows:
                found[repeat.key] = rows
        return found
