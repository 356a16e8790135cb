"""A form, in all its versions, as tables: one for the records, one for each repeat; and records as rows of them.

    Table () ─┬─ Column casa                       answers of a record: {"casa": …, "persona": [{…, "visita": [{…}]}]}
              ├─ Table (persona) ─┬─ Column edad   a row of a repeat: what stands in its list, keys relative to it
              │                   └─ Table (persona, visita) ── Column costo
              └─ Column total

Parts stand in the order of the newest version; what only older ones have comes after. Notes hold no answer and get no
column. What a record holds may be any JSON: a part that is not what the form says is read as if it were not there.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from collector.forms.model import Choice, Form, Question, Repeat
from collector.lab.own_words import own_label
from collector.lab.twins import joint_labels
from collector.lab.words import words_of

SELECTS = ("select_one", "select_multiple")
# choices that are no opinion: counted, shown and averaged apart (docs/lab.md)
NO_ANSWER = ("ns", "nr")
FILES = ("image", "audio", "video", "file")
PLACES = ("geopoint", "geotrace", "geoshape")
INTEGER, REAL, TEXT = "INTEGER", "REAL", "TEXT"
_TYPES = {"integer": INTEGER, "decimal": REAL}
# what Python would also take for a number (1_000, nan, other digits) stays text
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_CLOCK = re.compile(r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})T)?([0-9]{2}:[0-9]{2})(?::[0-9.]{2,12})?(?:Z|[+-][0-9:]{2,5})?")
_BIND_TYPES = {"int": INTEGER, "integer": INTEGER, "decimal": REAL}


@dataclass(frozen=True)
class Column:
    """One question across the versions of its form.

    key: as in the answers of its row ("lugar/municipio"); steps: keys of the repeats around it, outermost first;
    type: INTEGER, REAL or TEXT, wide enough for every version; question, form: as the newest version has them;
    choices: of all versions, the newest label winning; is_removed: the newest version does not ask it any more.
    """

    key: str
    type: str
    question: Question
    form: Form
    choices: tuple[Choice, ...] = ()
    steps: tuple[str, ...] = ()
    is_removed: bool = False

    @property
    def name(self) -> str:
        """Return the key with those of the repeats around it: "persona/edad"."""
        return "/".join((*self.steps, self.key))

    @property
    def header(self) -> str:
        """Return ODK's column name: groups and question joined with "-"."""
        return self.key.replace("/", "-")

    @property
    def is_multiple(self) -> bool:
        """Tell whether the answer may hold several choices."""
        return self.question.type == "select_multiple"

    @property
    def has_choices(self) -> bool:
        """Tell whether the answer is made of choices, ranked ones too."""
        return self.question.type in (*SELECTS, "rank")

    def label(self, language: str) -> str:
        """Return the question as people read it; what publishing wrote, in our words; else its name."""
        asked = words_of(self.question.label, language, self.form)
        return asked or own_label(self.name, language) or self.question.name

    def choice_labels(self, language: str) -> dict[str, str]:
        """Return choice name -> label, all of them for a name that several choices have."""
        labels = {choice.name: words_of(choice.label, language, self.form) or choice.name for choice in self.choices}
        return labels | joint_labels(self.question, self.form, language)


@dataclass(frozen=True)
class Table:
    """The records of a form, or the rows of one repeat. steps: keys of the repeats down to it, () for the records."""

    steps: tuple[str, ...] = ()
    parts: "tuple[Column | Table, ...]" = ()
    repeat: Repeat | None = None
    form: Form | None = None

    @property
    def key(self) -> str:
        """Return the repeat's key in the row around it; "" for the records."""
        return self.steps[-1] if self.steps else ""

    @property
    def name(self) -> str:
        """Return the keys down to it: "persona/visita"; "" for the records."""
        return "/".join(self.steps)

    @property
    def header(self) -> str:
        """Return ODK's name of the repeat in the table around it."""
        return self.key.replace("/", "-")

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return its questions, in order."""
        return tuple(part for part in self.parts if isinstance(part, Column))

    @property
    def inner(self) -> "tuple[Table, ...]":
        """Return the tables of the repeats right inside it, in order."""
        return tuple(part for part in self.parts if isinstance(part, Table))

    def label(self, language: str) -> str:
        """Return what the repeat is called, else its name."""
        if self.repeat is None or self.form is None:
            return self.key
        return words_of(self.repeat.label, language, self.form) or self.key.rpartition("/")[2]

    def walk(self) -> "Iterator[Table]":
        """Give this table and those inside it, each before what it holds."""
        yield self
        for table in self.inner:
            yield from table.walk()


# --- versions into one


def tables_of(forms: Sequence[Form]) -> Table:
    """Return the table of the records, with those of the repeats in it; give the versions oldest first."""
    return _merged([_Level(form, "", _parts_by_row(form)) for form in forms], (), forms[-1] if forms else None)


def without_columns(table: Table, names: Collection[str]) -> Table:
    """Return the table without the columns of these full names, at every depth."""
    parts = [
        without_columns(part, names) if isinstance(part, Table) else part
        for part in table.parts
        if isinstance(part, Table) or part.name not in names
    ]
    return replace(table, parts=tuple(parts)) if names else table


@dataclass(frozen=True)
class _Level:
    """The rows of one repeat ("": the record) in one version."""

    form: Form
    row: str
    by_row: Mapping[str, "dict[_Place, Question | Repeat]"]

    @property
    def parts(self) -> "Mapping[_Place, Question | Repeat]":
        """Return what is asked in these rows, in document order."""
        return self.by_row.get(self.row, {})


# (is it a repeat, its key): a later version may make a repeat of what was a question
_Place = tuple[bool, str]


def _parts_by_row(form: Form) -> dict[str, dict[_Place, Question | Repeat]]:
    """Return row -> what is asked in it, in document order."""
    places = {path: place for place, path in enumerate(form.tree)}
    asked: list[Question | Repeat] = [question for question in form.questions if question.type != "note"]
    found: dict[str, dict[_Place, Question | Repeat]] = {}
    for part in sorted([*asked, *form.repeats], key=lambda part: places.get(part.path, len(places))):
        found.setdefault(part.row, {})[isinstance(part, Repeat), part.key] = part
    return found


def _merged(levels: list[_Level], steps: tuple[str, ...], newest: Form | None, repeat: Repeat | None = None) -> Table:
    found: dict[_Place, Column | Table] = {}
    for level in reversed(levels):
        for place in level.parts:
            if place not in found:
                found[place] = _part(place, levels, steps, newest)
    return Table(steps, tuple(found.values()), repeat, levels[-1].form if levels else None)


def _part(place: _Place, levels: list[_Level], steps: tuple[str, ...], newest: Form | None) -> Column | Table:
    is_repeat, key = place
    asked = [(level, level.parts[place]) for level in levels if place in level.parts]
    if is_repeat:
        inside = [_Level(level.form, one.path, level.by_row) for level, one in asked]
        repeat = asked[-1][1]
        return _merged(inside, (*steps, key), newest, repeat if isinstance(repeat, Repeat) else None)
    column: Column | None = None
    for level, one in asked:
        if isinstance(one, Question):
            column = _column(one, level.form, column, steps, level.form is not newest)
    assert column is not None  # `place` was found in one of the versions
    return column


def _column(question: Question, form: Form, older: Column | None, steps: tuple[str, ...], is_removed: bool) -> Column:
    sql_type = _TYPES.get(question.type) or _bound_type(question)
    choices = {choice.name: choice for choice in older.choices} if older else {}
    choices.update((choice.name, choice) for choice in form.lists.get(question.list_name, ()))
    return Column(
        key=question.key,
        type=wider(older.type, sql_type) if older else sql_type,
        question=question,
        form=form,
        choices=tuple(choices.values()),
        steps=steps,
        is_removed=is_removed,
    )


def _bound_type(question: Question) -> str:
    """Return the type of a calculate or a range that says one; its answer is then checked like a number."""
    return _BIND_TYPES.get(question.bind, TEXT) if question.type in ("calculate", "range") else TEXT


def wider(one: str, other: str) -> str:
    """Return the SQL type that holds both."""
    if one == other:
        return one
    return REAL if {one, other} == {INTEGER, REAL} else TEXT


def typed(sql_type: str, text: str) -> int | float | str | None:
    """Return the answer as a value of its column; text that is no such number stays text, a blank is None."""
    if text == "":
        return None
    if sql_type == TEXT or len(text) > 100 or not _NUMBER.fullmatch(text):
        return text
    if sql_type == REAL:
        return float(text)
    number = int(text) if text.lstrip("+-").isdigit() else 2**63
    return number if -(2**63) <= number < 2**63 else text


def number_in(text: str) -> float | None:
    """Return the number that an answer says, None where it says none."""
    number = typed(REAL, text)
    return number if isinstance(number, float) else None


# --- records


def answers_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answers of a record as they stand; nothing where they are no object."""
    answers = content.get("answers")
    return answers if isinstance(answers, dict) else {}


def as_text(value: object) -> str:
    """Return an answer as text; what is no text as JSON, so that nothing is lost."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def text_at(row: Mapping[str, Any], key: str) -> str:
    """Return the answer of a row as text, "" where there is none."""
    return as_text(row.get(key))


def rows_at(row: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the rows of a repeat in a row; one that is no object counts, so that the numbers hold, and is empty."""
    rows = row.get(key)
    return [each if isinstance(each, dict) else {} for each in rows] if isinstance(rows, list) else []


def each_row(
    steps: Sequence[str], row: Mapping[str, Any], here: str = ""
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Give (key of the row around, its own key, row) of a repeat's rows in a record: "…/persona[2]/visita[1]"."""
    if not steps:
        return
    for number, inner in enumerate(rows_at(row, steps[0]), 1):
        own = f"{here}/{steps[0]}[{number}]"
        if len(steps) == 1:
            yield here, own, inner
        else:
            yield from each_row(steps[1:], inner, own)


def shown(column: Column, text: str, language: str, meant: Mapping[str, str] | None = None) -> str:
    """Return the answer as people read it: choices by their labels, places as coordinates, times without seconds.

    meant: labels of choices that this record is known to mean (twins.py).
    """
    if not text:
        return text
    if column.question.type in PLACES:
        return " → ".join(_coordinates(point) for point in text.split(";") if point.strip())
    if column.question.type in ("time", "datetime"):
        return _without_seconds(text)
    if not column.has_choices:
        return text
    labels = column.choice_labels(language) | dict(meant or {})
    if column.question.type == "rank":
        return " · ".join(f"{place}. {labels.get(name, name)}" for place, name in enumerate(text.split(), 1))
    names = text.split() if column.is_multiple else [text]
    return " · ".join(labels.get(name, name) for name in names)


def _without_seconds(moment: str) -> str:
    """Return "2026-11-20 10:00" or "10:00" as the clock there said it; what is no time stays as it is."""
    match = _CLOCK.fullmatch(moment)
    return " ".join(part for part in match.groups() if part) if match else moment


def _coordinates(point: str) -> str:
    """Return "8.98, -79.52 (± 5 m)" of "8.98 -79.52 20 5"; what is no point stays as it is."""
    parts = point.split()
    if len(parts) < 2:
        return point
    accuracy = f" (± {parts[3]} m)" if len(parts) > 3 and parts[3].strip("0.") else ""
    return f"{parts[0]}, {parts[1]}{accuracy}"


def language_of(form: Form, code: str) -> str:
    """Return the form's own name for the language `code` ("es"): "Español (es)"; "" when it has none such."""
    return next((name for name in form.languages if name.endswith(f"({code})")), "")
