"""How records become rows of the lab's own SQLite file: names of tables and columns, and the values in them. Pure.

    hogar           a row a record               id (of the record), _n, …, answers
    hogar_persona   a row a row of the repeat    id "RECORD/persona[2]", _record and _parent -> hogar, _row 2, …
    hogar_visita    rows inside those            id "RECORD/persona[2]/visita[1]", _parent -> hogar_persona, …

SQLite does not tell names apart by case, so two names are the same here when their lower case is.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.forms.model import Form
from collector.forms.settling import MAX_ROWS
from collector.lab.own_words import own_label
from collector.lab.tables import INTEGER, TEXT, Column, Table, answers_of, as_text, typed, wider
from collector.lab.words import named

OUR_TABLES = (
    "forms", "questions", "choices", "texts", "search", "removed", "_pull",
    "search_data", "search_idx", "search_docsize", "search_config",
)  # fmt: skip
META_COLUMNS = {
    "id": TEXT,
    "_n": INTEGER,
    "_version": TEXT,
    "_started": TEXT,
    "_finished": TEXT,
    "_received": TEXT,
    "_node": TEXT,
    "_lang": TEXT,
    "_state": TEXT,
    "_review": TEXT,
}
ROW_COLUMNS = {"id": TEXT, "_record": TEXT, "_parent": TEXT, "_row": INTEGER}
# what finds no column or is no object where a row is expected: JSON, so that nothing is lost
MORE = "_more"
# SQLite takes 2,000 columns; what comes after this many keeps its text column but gets none a choice
MOST_COLUMNS = 1900
MOST_ANSWERS = 1990
# tables made for lists whose form is not known: a stranger's record must not make thousands
MOST_UNKNOWN_TABLES = 50


def table_name(form_id: str, taken: Collection[str]) -> str:
    """Return a name for the form's table that needs no quoting in SQL nor in addresses: letters, digits and "_"."""
    plain = unicodedata.normalize("NFKD", form_id).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_]+", "_", plain).strip("_") or "form"
    if name[0].isdigit() or name.lower().startswith("sqlite_"):
        name = f"form_{name}"
    return free_name(name, {*taken, *OUR_TABLES})


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, or with _2, _3, … when another has it."""
    lower = {other.lower() for other in taken}
    candidate, number = name, 1
    while candidate.lower() in lower:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


@dataclass
class FormTable:
    """The table of a form or of one repeat: what each answer and each choice is called there, and the column's type.

    types: column -> INTEGER, REAL or TEXT; keys: answer key -> column; choices: (version, key) -> choice -> column;
    steps: keys of the repeats down to it; inner: key -> table of a repeat right inside; texts: keys of the questions
    that people answer in their own words; taken: names of tables, shared by all of a file.
    """

    name: str
    taken: set[str]
    steps: tuple[str, ...] = ()
    parent: "FormTable | None" = None
    types: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    choices: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    inner: "dict[str, FormTable]" = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken.add(self.name)
        if not self.types:
            self.types.update(ROW_COLUMNS if self.steps else META_COLUMNS)

    @property
    def root(self) -> "FormTable":
        """Return the table of the records."""
        return self if self.parent is None else self.parent.root

    def walk(self) -> "Iterator[FormTable]":
        """Give this table and those inside it, each before what it holds."""
        yield self
        for table in self.inner.values():
            yield from table.walk()

    def full_name(self, key: str) -> str:
        """Return the key with those of the repeats around it, as `questions` names it: "persona/edad"."""
        return "/".join((*self.steps, key))

    def table_for(self, key: str) -> "FormTable":
        """Return the table of a repeat in this one, naming it when it is new: hogar_persona, hogar_visita."""
        if key not in self.inner:
            name = table_name(f"{self.root.name}_{key.rpartition('/')[2]}", self.taken)
            self.inner[key] = FormTable(name, self.taken, (*self.steps, key), self)
        return self.inner[key]

    def column_for(self, key: str) -> str | None:
        """Return the column of an answer, naming it when it is new: ODK's name, "-" between groups and question.

        None when SQLite takes no more columns.
        """
        if key not in self.keys:
            if len(self.types) >= MOST_ANSWERS:
                return None
            self.keys[key] = free_name(key.replace("/", "-"), {*self.types, MORE})
            self.types[self.keys[key]] = TEXT
        return self.keys[key]

    def choice_columns(self, version: str, column: Column, older: Mapping[str, str]) -> dict[str, str]:
        """Return choice -> its column of 0 and 1; `older` names those that other versions have already."""
        found: dict[str, str] = {}
        for choice in column.choices:
            name = older.get(choice.name) or found.get(choice.name)
            if name is None and len(self.types) >= MOST_COLUMNS:
                continue
            if name is None:
                name = free_name(f"{self.keys[column.key]}/{choice.name}", {*self.types, MORE})
                self.types[name] = INTEGER
            found[choice.name] = name
        self.choices[version, column.key] = found
        return found

    # --- records

    def rows(self, entry: Mapping[str, Any], is_explained: bool) -> "Iterator[tuple[FormTable, dict[str, Any]]]":
        """Give a record of the feed as rows, each with its table.

        Answers that no definition knows get a text column; where the whole version is not known (is_explained False) a
        list of objects is taken for a repeat.
        """
        record: Mapping[str, Any] = entry["record"]
        row = {
            "id": entry["id"],
            "_n": entry["n"],
            "_version": str(entry["version"]),
            "_started": record.get("started"),
            "_finished": record.get("finished"),
            "_received": entry["received"],
            "_node": entry["via_origin"],
            "_lang": record.get("lang"),
            "_state": entry["state"],
            "_review": entry.get("review", ""),
        }
        return _Filler(str(entry["id"]), str(entry["version"]), is_explained).fill(self, row, answers_of(record))


@dataclass(frozen=True)
class _Filler:
    """Puts the answers of one record into rows."""

    record_id: str
    version: str
    is_explained: bool

    def fill(
        self, table: FormTable, row: dict[str, Any], answers: object
    ) -> Iterator[tuple[FormTable, dict[str, Any]]]:
        """Give `row` with its answers in it, then the rows inside it."""
        more: dict[str, Any] = {}
        rows: list[tuple[FormTable, str, list[Any]]] = []
        if not isinstance(answers, dict):
            row[self._more_in(table)] = json.dumps(answers, ensure_ascii=False)
            answers = {}
        for key, value in answers.items():
            inner = self._inner(table, key, value)
            if inner is not None:
                rows.append((inner, key, value[:MAX_ROWS]))
                more.update({key: value[MAX_ROWS:]} if len(value) > MAX_ROWS else {})
            elif (key in table.inner and key not in table.keys) or table.column_for(key) is None:
                more[key] = value
            else:
                self._put(table, row, key, as_text(value))
        if more:
            row[self._more_in(table)] = json.dumps(more, ensure_ascii=False)
        yield table, row
        for inner, key, given in rows:
            for number, each in enumerate(given, 1):
                own = {
                    "id": f"{row['id']}/{key}[{number}]",
                    "_record": self.record_id,
                    "_parent": row["id"],
                    "_row": number,
                }
                yield from self.fill(inner, own, each)

    def _inner(self, table: FormTable, key: str, value: object) -> FormTable | None:
        """Return the table of the rows in an answer, None where it holds none."""
        if not isinstance(value, list):
            return None
        if key in table.inner or self.is_explained or not value or not all(isinstance(row, dict) for row in value):
            return table.inner.get(key)
        if key in table.keys or sum(1 for _ in table.root.walk()) > MOST_UNKNOWN_TABLES:
            return None
        return table.table_for(key)

    def _more_in(self, table: FormTable) -> str:
        table.types.setdefault(MORE, TEXT)
        return MORE

    def _put(self, table: FormTable, row: dict[str, Any], key: str, text: str) -> None:
        column = table.keys[key]
        row[column] = typed(table.types[column], text)
        chosen = set(text.split())
        for choice, name in table.choices.get((self.version, key), {}).items():
            row[name] = int(choice in chosen) if chosen else None


# --- where the answers of a version go


def place_version(asked: Table, table: FormTable, untyped: Mapping[str, Collection[str]] | None = None) -> None:
    """Give the tables of a form the columns that a version needs, wide enough for its types.

    asked: the version's own tables; untyped: name of a table -> columns of answers that no version has explained yet.
    """
    for here, its_table in side_by_side(asked, table):
        for column in here.columns:
            _place_question(its_table, column, (untyped or {}).get(its_table.name, ()))


def side_by_side(asked: Table, table: FormTable) -> Iterator[tuple[Table, FormTable]]:
    """Give each table of a form with its table in the file, naming those that are new."""
    yield asked, table
    for inner in asked.inner:
        yield from side_by_side(inner, table.table_for(inner.key))


def _place_question(table: FormTable, column: Column, untyped: Collection[str]) -> None:
    is_new = column.key not in table.keys
    name = table.column_for(column.key)
    if name is None:
        return
    if is_new or name in untyped:
        table.types[name] = column.type
    else:
        table.types[name] = wider(table.types[name], column.type)
    if column.question.type == "text":
        table.texts.add(column.key)
    if column.is_multiple:
        named = [choices for (_, key), choices in table.choices.items() if key == column.key]
        older = {choice: name for choices in named for choice, name in choices.items()}
        table.choice_columns(column.form.version, column, older)


# --- what explains the tables


def question_rows(form: Form, asked: Table, table: FormTable) -> list[dict[str, Any]]:
    """Return a row a question or repeat and language: what it asks, its type, and the table and column that hold it."""
    found = [(part, its_table) for here, its_table in side_by_side(asked, table) for part in here.parts]
    return [
        {
            "form": form.form_id,
            "version": form.version,
            "name": part.name,
            "language": language,
            "label": named(_label_of(part).get(language, ""), form) or own_label(part.name, language),
            **_place_of(part, its_table),
            "position": position,
        }
        for position, (part, its_table) in enumerate(found, 1)
        for language in _languages(form)
    ]


def _place_of(part: Column | Table, table: FormTable) -> dict[str, str]:
    """Return the type of a question and where its answers are; a repeat has a table of its own and no column."""
    if isinstance(part, Table):
        return {"type": "repeat", "column": "", "table": table.inner[part.key].name}
    return {"type": part.question.type, "column": table.keys.get(part.key, ""), "table": table.name}


def _label_of(part: Column | Table) -> Mapping[str, str]:
    if isinstance(part, Table):
        return part.repeat.label if part.repeat else {}
    return part.question.label


def choice_rows(form: Form, asked: Table, table: FormTable) -> list[dict[str, Any]]:
    """Return a row a choice and language; `column` is its column of 0 and 1, "" for a select_one."""
    return [
        {
            "form": form.form_id,
            "version": form.version,
            "question": column.name,
            "list": column.question.list_name,
            "name": choice.name,
            "language": language,
            "label": named(choice.label.get(language, ""), form),
            "column": its_table.choices.get((form.version, column.key), {}).get(choice.name, ""),
            "position": position,
        }
        for here, its_table in side_by_side(asked, table)
        for column in here.columns
        for position, choice in enumerate(column.choices, 1)
        for language in _languages(form)
    ]


# (table, key, is it a repeat)
Placed = tuple[str, str, bool]


def placed(table: FormTable) -> set[Placed]:
    """Return everything that has a place in a form's tables."""
    columns = {(each.name, key, False) for each in table.walk() for key in each.keys}
    return columns | {(each.name, key, True) for each in table.walk() for key in each.inner}


def unknown_rows(form_id: str, version: str, fresh: Collection[Placed], table: FormTable) -> list[dict[str, Any]]:
    """Return rows for answers whose form is not published where they came from, so that their place is explained."""
    tables = {each.name: each for each in table.walk()}
    return [
        {
            "form": form_id,
            "version": version,
            "name": tables[name].full_name(key),
            "language": "",
            "label": key,
            "type": "repeat" if is_repeat else "unknown",
            "column": "" if is_repeat else tables[name].keys[key],
            "table": tables[name].inner[key].name if is_repeat else name,
            "position": 0,
        }
        for name, key, is_repeat in sorted(fresh)
    ]


def _languages(form: Form) -> tuple[str, ...]:
    """Return the form's languages; a form with one unnamed language keys its texts by ""."""
    named = {name for question in form.questions for name in question.label}
    return form.languages or tuple(sorted(named)) or ("",)
