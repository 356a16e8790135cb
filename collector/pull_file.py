"""The SQLite file that `collector pull` writes: a table a form, `questions`, `choices`, `forms` and the cursor."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database
from sqlite_utils.db import Table

from collector.forms.model import Form
from collector.lab.pulled import (
    OUR_TABLES,
    FormTable,
    choice_rows,
    question_rows,
    table_name,
    unknown_rows,
)
from collector.lab.tables import Column, columns_of, wider

TABLES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "forms": (
        {"form": "TEXT", "version": "TEXT", "title": "TEXT", "sha256": "TEXT", "table": "TEXT"},
        ("form", "version"),
    ),
    "questions": (
        {
            "form": "TEXT", "version": "TEXT", "name": "TEXT", "language": "TEXT", "label": "TEXT",
            "type": "TEXT", "column": "TEXT", "position": "INTEGER",
        },
        ("form", "version", "name", "language"),
    ),
    "choices": (
        {
            "form": "TEXT", "version": "TEXT", "question": "TEXT", "list": "TEXT", "name": "TEXT",
            "language": "TEXT", "label": "TEXT", "column": "TEXT", "position": "INTEGER",
        },
        ("form", "version", "question", "name", "language"),
    ),
    "_pull": ({"url": "TEXT", "epoch": "TEXT", "next": "INTEGER"}, ("url",)),
}  # fmt: skip
# sqlite-utils writes at most 999 columns a statement
MOST_AT_ONCE = 900


class LabFile:
    """One open file. Every public method that writes is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._tables: dict[str, FormTable] = {}
        self._known: set[tuple[str, str]] = set()
        self._noted: set[tuple[str, str]] = set()
        self._written: dict[str, None] = {}

    @property
    def written(self) -> tuple[str, ...]:
        """Return the tables written to since the file was opened."""
        return tuple(self._written)

    def prepare(self) -> None:
        """Make our tables, or read how they were named. Raises ValueError when a table of other use has such a name."""
        names = self._db.table_names()
        if "_pull" not in names:
            foreign = [name for name in names if name.lower() in OUR_TABLES]
            if foreign:
                raise ValueError(f"la tabla {foreign[0]} es de otro uso")
            if {"record", "quarantine", "meta"} <= set(names):
                raise ValueError("es la base de datos de un equipo de Collector")
        with self._db.atomic():
            for name, (columns, pk) in TABLES.items():
                self._table(name).create(columns, pk=pk if len(pk) > 1 else pk[0], if_not_exists=True)
        self._read_names()

    def _read_names(self) -> None:
        for row in self._table("forms").rows:
            self._tables[row["form"]] = FormTable(row["table"], self._column_types(row["table"]))
            if row["sha256"]:
                self._known.add((row["form"], row["version"]))
        for row in self._table("questions").rows:
            self._tables[row["form"]].keys[row["name"]] = row["column"]
        for row in self._table("choices").rows_where("\"column\" <> ''"):
            named = self._tables[row["form"]].choices.setdefault((row["version"], row["question"]), {})
            named[row["name"]] = row["column"]

    def _table(self, name: str) -> Table:
        return self._db.table(name)

    def _column_types(self, table: str) -> dict[str, str]:
        return {column.name: column.type for column in self._table(table).columns}

    def cursor(self, url: str) -> tuple[str, int]:
        """Return (epoch, next) of the last page from `url`; ("", 0) before the first."""
        for row in self._table("_pull").rows_where("url = ?", [url]):
            return row["epoch"], row["next"]
        return "", 0

    def knows(self, form_id: str, version: str) -> bool:
        """Tell whether the definition of this version is in the file."""
        return (form_id, version) in self._known

    # --- definitions

    def add_form(self, form: Form) -> None:
        """Write a version's questions and choices, and give its table the columns it lacks."""
        columns = columns_of([form])
        with self._db.atomic():
            table = self._form_table(form.form_id)
            untyped = self._unknown_columns(form.form_id)
            for column in columns:
                self._place_question(table, column, untyped)
            self._match_columns(table)
            for column in columns:
                self._fill_choices(table, form.version, column)
            where = [form.form_id, form.version]
            self._table("questions").delete_where("form = ? and version = ?", where)
            self._table("questions").insert_all(question_rows(form, columns, table))
            self._table("choices").upsert_all(choice_rows(form, columns, table), pk=TABLES["choices"][1])
            self._note_form(form.form_id, form.version, form.title, form.sha256, table)
        self._known.add((form.form_id, form.version))

    def _form_table(self, form_id: str) -> FormTable:
        if form_id not in self._tables:
            taken = [*self._db.table_names(), *self._db.view_names()]
            self._tables[form_id] = FormTable(table_name(form_id, taken))
        return self._tables[form_id]

    def _note_form(self, form_id: str, version: str, title: str, sha256: str, table: FormTable) -> None:
        row = {"form": form_id, "version": version, "title": title, "sha256": sha256, "table": table.name}
        self._table("forms").upsert(row, pk=TABLES["forms"][1])

    def _unknown_columns(self, form_id: str) -> set[str]:
        """Return the columns that hold answers which no definition has explained so far."""
        sql = (
            'select "column" from questions where form = ? group by "column" having min("type") = max("type")'
            " and max(\"type\") = 'unknown'"
        )
        return {row["column"] for row in self._db.query(sql, [form_id])}

    def _place_question(self, table: FormTable, column: Column, untyped: set[str]) -> None:
        """Name the question's column and its choices', wide enough for this version's type."""
        is_new = column.key not in table.keys
        name = table.column_for(column.key)
        if is_new or name in untyped:
            table.types[name] = column.type
        else:
            table.types[name] = wider(table.types[name], column.type)
        if column.is_multiple:
            named = [choices for (_, key), choices in table.choices.items() if key == column.key]
            older = {choice: name for choices in named for choice, name in choices.items()}
            table.choice_columns(column.form.version, column, older)

    def _match_columns(self, table: FormTable) -> None:
        """Make the table in the file have the columns and types that `table` says."""
        made = self._table(table.name)
        if not made.exists():
            made.create(table.types, pk="id")
            return
        present = self._column_types(table.name)
        changed = {name: kind for name, kind in table.types.items() if present.get(name, kind) != kind}
        if changed:
            made.transform(types=changed)
        for name in table.types:
            if name not in present:
                made.add_column(name, table.types[name])

    def _fill_choices(self, table: FormTable, version: str, column: Column) -> None:
        """Fill the columns of 0 and 1 for rows of this version that came before its definition."""
        source = _quoted(table.keys[column.key])
        for choice, name in table.choices.get((version, column.key), {}).items():
            target = _quoted(name)
            self._db.execute(
                f"update {_quoted(table.name)} set {target} = instr(' ' || {source} || ' ', ?) > 0 "  # noqa: S608  quoted
                f"where _version = ? and {target} is null and {source} <> ''",
                [f" {choice} ", version],
            )

    # --- records

    def write_page(self, entries: Sequence[Mapping[str, Any]], url: str, epoch: str, after: int) -> int:
        """Write a page of the feed and the cursor behind it, together; return how many rows are new."""
        by_form: dict[str, list[Mapping[str, Any]]] = {}
        for entry in entries:
            if entry["kind"] == "submission":
                by_form.setdefault(entry["form"], []).append(entry)
        with self._db.atomic():
            new = sum(self._write_form(form_id, group) for form_id, group in by_form.items())
            self._table("_pull").upsert({"url": url, "epoch": epoch, "next": after}, pk="url")
        return new

    def _write_form(self, form_id: str, entries: Sequence[Mapping[str, Any]]) -> int:
        table = self._form_table(form_id)
        rows: list[dict[str, Any]] = []
        named = len(table.keys)
        for entry in entries:
            if entry["record"] is not None:
                rows.append(table.row(entry))
            if len(table.keys) > named or not self.knows(form_id, entry["version"]):
                self._explain(form_id, entry["version"], table, list(table.keys)[named:])
                named = len(table.keys)
        self._match_columns(table)
        erased = [entry["id"] for entry in entries if entry["record"] is None]
        self._table(table.name).delete_where(f"id in ({_marks(erased)})", erased)  # the row goes with its record
        held = self._table(table.name).count_where(f"id in ({_marks(rows)})", [row["id"] for row in rows])
        self._upsert(table.name, rows)
        self._written[table.name] = None
        return len(rows) - held

    def _explain(self, form_id: str, version: str, table: FormTable, fresh: list[str]) -> None:
        """Note answers whose definition is not here: their columns are text until the form arrives."""
        if not self.knows(form_id, version) and (form_id, version) not in self._noted:
            self._note_form(form_id, version, "", "", table)
            self._noted.add((form_id, version))
        columns = {key: table.keys[key] for key in fresh}
        self._table("questions").upsert_all(unknown_rows(form_id, version, columns), pk=TABLES["questions"][1])

    def _upsert(self, table: str, rows: list[dict[str, Any]]) -> None:
        names = sorted({name for row in rows for name in row if name != "id"})
        for start in range(0, len(names), MOST_AT_ONCE):
            part = ["id", *names[start : start + MOST_AT_ONCE]]
            self._table(table).upsert_all([{name: row.get(name) for name in part} for row in rows], pk="id")


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
