"""How records become rows of the lab's own SQLite file: names of tables and columns, and the values in them. Pure.

SQLite does not tell names apart by case, so two names are the same here when their lower case is.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.forms.model import Form
from collector.lab.tables import INTEGER, TEXT, Column, answers_of, typed

OUR_TABLES = ("forms", "questions", "choices", "_pull")
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
}
# SQLite takes 2,000 columns; what comes after this many keeps its text column but gets none a choice
MOST_COLUMNS = 1900


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
    """The table of one form: what each answer and each choice is called there, and the column's type.

    types: column -> INTEGER, REAL or TEXT; keys: answer key -> column; choices: (version, key) -> choice -> column.
    """

    name: str
    types: dict[str, str] = field(default_factory=lambda: dict(META_COLUMNS))
    keys: dict[str, str] = field(default_factory=dict)
    choices: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def column_for(self, key: str) -> str:
        """Return the column of an answer, naming it when it is new: ODK's name, "-" between groups and question."""
        if key not in self.keys:
            self.keys[key] = free_name(key.replace("/", "-"), self.types)
            self.types[self.keys[key]] = TEXT
        return self.keys[key]

    def choice_columns(self, version: str, column: Column, older: Mapping[str, str]) -> dict[str, str]:
        """Return choice -> its column of 0 and 1; `older` names those that other versions have already."""
        named: dict[str, str] = {}
        for choice in column.choices:
            name = older.get(choice.name) or named.get(choice.name)
            if name is None and len(self.types) >= MOST_COLUMNS:
                continue
            if name is None:
                name = free_name(f"{self.keys[column.key]}/{choice.name}", self.types)
                self.types[name] = INTEGER
            named[choice.name] = name
        self.choices[version, column.key] = named
        return named

    def row(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record of the feed as a row; answers that no definition knows get a text column of their own."""
        record: Mapping[str, Any] = entry["record"]
        version = str(entry["version"])
        row = {
            "id": entry["id"],
            "_n": entry["n"],
            "_version": version,
            "_started": record.get("started"),
            "_finished": record.get("finished"),
            "_received": entry["received"],
            "_node": entry["via_origin"],
            "_lang": record.get("lang"),
            "_state": entry["state"],
        }
        for key, text in answers_of(record).items():
            column = self.column_for(key)
            row[column] = typed(self.types[column], text)
            chosen = set(text.split())
            for choice, name in self.choices.get((version, key), {}).items():
                row[name] = int(choice in chosen) if chosen else None
        return row


def question_rows(form: Form, columns: Sequence[Column], table: FormTable) -> list[dict[str, Any]]:
    """Return a row a question and language: what it asks, its type and the column that holds it."""
    return [
        {
            "form": form.form_id,
            "version": form.version,
            "name": column.key,
            "language": language,
            "label": column.question.label.get(language, ""),
            "type": column.question.type,
            "column": table.keys[column.key],
            "position": position,
        }
        for position, column in enumerate(columns, 1)
        for language in _languages(form)
    ]


def choice_rows(form: Form, columns: Sequence[Column], table: FormTable) -> list[dict[str, Any]]:
    """Return a row a choice and language; `column` is its column of 0 and 1, "" for a select_one."""
    return [
        {
            "form": form.form_id,
            "version": form.version,
            "question": column.key,
            "list": column.question.list_name,
            "name": choice.name,
            "language": language,
            "label": choice.label.get(language, ""),
            "column": table.choices.get((form.version, column.key), {}).get(choice.name, ""),
            "position": position,
        }
        for column in columns
        for position, choice in enumerate(column.choices, 1)
        for language in _languages(form)
    ]


def unknown_rows(form_id: str, version: str, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return rows for answers whose form is not published where they came from, so that their column is explained."""
    return [
        {
            "form": form_id,
            "version": version,
            "name": key,
            "language": "",
            "label": key,
            "type": "unknown",
            "column": column,
            "position": 0,
        }
        for key, column in keys.items()
    ]


def _languages(form: Form) -> tuple[str, ...]:
    """Return the form's languages; a form with one unnamed language keys its texts by ""."""
    named = {name for question in form.questions for name in question.label}
    return form.languages or tuple(sorted(named)) or ("",)
