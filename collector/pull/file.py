"""The SQLite file that `collector pull` writes: a table a form and repeat, `questions`, `choices`, `forms`, cursor."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlite_utils import Database
from sqlite_utils.db import Table

from collector.forms.model import Form
from collector.lab import tables as forms_as_tables
from collector.lab.listed import with_place_columns
from collector.lab.pulled import (
    OUR_TABLES,
    FormTable,
    Placed,
    choice_rows,
    placed,
    question_rows,
    table_name,
    unknown_rows,
)
from collector.lab.tables import Column, tables_of, wider
from collector.territory import place_labels

TABLES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "forms": (
        {"form": "TEXT", "version": "TEXT", "title": "TEXT", "sha256": "TEXT", "table": "TEXT"},
        ("form", "version"),
    ),
    "questions": (
        {
            "form": "TEXT", "version": "TEXT", "name": "TEXT", "language": "TEXT", "label": "TEXT",
            "type": "TEXT", "column": "TEXT", "position": "INTEGER", "table": "TEXT",
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
        self._taken: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._noted: set[tuple[str, str]] = set()
        self._written: dict[str, None] = {}
        self.has_pages = False

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
            if "table" not in self._column_types("questions"):
                self._add_places()
        self._taken.update(self._db.table_names(), self._db.view_names())
        self._read_names()

    def _add_places(self) -> None:
        """Add to a file of an earlier release what `questions` says now; there each form had one table."""
        self._table("questions").add_column("table", str)
        self._db.execute(
            'update questions set "table" = (select max(f."table") from forms f where f.form = questions.form)'
        )

    def _read_names(self) -> None:
        for row in self._table("forms").rows:
            if row["form"] not in self._tables:
                types = self._column_types(row["table"])
                self._tables[row["form"]] = FormTable(row["table"], self._taken, types=types)
            if row["sha256"]:
                self._known.add((row["form"], row["version"]))
        at = {table.name: table for table in self._tables.values()}
        names = 'select distinct form, name, type, "table", "column" from questions where type {} \'repeat\''
        for row in sorted(self._db.query(names.format("=")), key=lambda row: len(row["name"])):
            self._read_repeat(row, at)
        for row in self._db.query(names.format("<>")):
            table = at[row["table"]]
            if row["column"]:
                table.keys[_key_in(table, row["name"])] = row["column"]
        self._read_choices(at)

    def _read_repeat(self, row: Mapping[str, Any], at: dict[str, FormTable]) -> None:
        """Put the table of a repeat below the one around it: the one with the longest name that begins its own."""
        around = max(
            (table for table in self._tables[row["form"]].walk() if not table.steps or _is_in(row["name"], table)),
            key=lambda table: len(table.steps),
        )
        key = _key_in(around, row["name"])
        if key not in around.inner:
            types = self._column_types(row["table"])
            made = FormTable(row["table"], self._taken, (*around.steps, key), around, types)
            at[row["table"]] = around.inner[key] = made

    def _read_choices(self, at: Mapping[str, FormTable]) -> None:
        rows = self._db.query(
            'select distinct c.version, c.question, c.name, c."column", q."table" from choices c join questions q '
            "on q.form = c.form and q.version = c.version and q.name = c.question where c.\"column\" <> ''"
        )
        for row in rows:
            table = at[row["table"]]
            choices = table.choices.setdefault((row["version"], _key_in(table, row["question"])), {})
            choices[row["name"]] = row["column"]

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
        """Write a version's questions and choices, and give its tables the columns they lack."""
        asked = tables_of([form])
        with self._db.atomic():
            table = self._form_table(form.form_id)
            pairs = list(_side_by_side(asked, table))
            for here, its_table in pairs:
                untyped = self._unknown_columns(form.form_id, its_table.name)
                for column in here.columns:
                    self._place_question(its_table, column, untyped)
            for _, its_table in pairs:
                self._match_columns(its_table)
            for here, its_table in pairs:
                for column in here.columns:
                    self._fill_choices(its_table, form.version, column)
            self._write_questions(form, question_rows(form, asked, table))
            self._table("choices").upsert_all(choice_rows(form, asked, table), pk=TABLES["choices"][1])
            self._note_form(form.form_id, form.version, form.title, form.sha256, table)
        self._known.add((form.form_id, form.version))

    def _write_questions(self, form: Form, rows: list[dict[str, Any]]) -> None:
        """Write what explains the answers, in place of what was noted of them before; the rest stays as noted."""
        names = json.dumps([row["name"] for row in rows])
        where = "form = ? and version = ? and name in (select value from json_each(?))"
        self._table("questions").delete_where(where, [form.form_id, form.version, names])
        self._table("questions").upsert_all(rows, pk=TABLES["questions"][1])

    def _form_table(self, form_id: str) -> FormTable:
        if form_id not in self._tables:
            self._tables[form_id] = FormTable(table_name(form_id, self._taken), self._taken)
        return self._tables[form_id]

    def _note_form(self, form_id: str, version: str, title: str, sha256: str, table: FormTable) -> None:
        row = {"form": form_id, "version": version, "title": title, "sha256": sha256, "table": table.name}
        self._table("forms").upsert(row, pk=TABLES["forms"][1])

    def _unknown_columns(self, form_id: str, table: str) -> set[str]:
        """Return the columns that hold answers which no definition has explained so far."""
        sql = (
            'select "column" from questions where form = ? and "table" = ? group by "column" '
            'having min("type") = max("type") and max("type") = \'unknown\''
        )
        return {row["column"] for row in self._db.query(sql, [form_id, table])}

    def _place_question(self, table: FormTable, column: Column, untyped: set[str]) -> None:
        """Name the question's column and its choices', wide enough for this version's type."""
        is_new = column.key not in table.keys
        name = table.column_for(column.key)
        if name is None:
            return
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
            self._make(table)
            return
        present = self._column_types(table.name)
        changed = {name: kind for name, kind in table.types.items() if present.get(name, kind) != kind}
        if changed:
            made.transform(types=changed)
        for name in table.types:
            if name not in present:
                made.add_column(name, table.types[name])

    def _make(self, table: FormTable) -> None:
        """Make the table; that of a repeat says to which rows it belongs, so that programs can follow."""
        if table.parent is None:
            self._table(table.name).create(table.types, pk="id")
            return
        links = [("_record", table.root.name, "id"), ("_parent", table.parent.name, "id")]
        made = self._table(table.name).create(table.types, pk="id", foreign_keys=links)
        made.create_index(["_record"])
        made.create_index(["_parent"])

    def _fill_choices(self, table: FormTable, version: str, column: Column) -> None:
        """Fill the columns of 0 and 1 for rows of this version that came before its definition."""
        for choice, name in table.choices.get((version, column.key), {}).items():
            source, target = _quoted(table.keys[column.key]), _quoted(name)
            root = _quoted(table.root.name)
            which = f"_record in (select id from {root} where _version = ?)" if table.parent else "_version = ?"  # noqa: S608  quoted
            self._db.execute(
                f"update {_quoted(table.name)} set {target} = instr(' ' || {source} || ' ', ?) > 0 "  # noqa: S608  quoted
                f"where {which} and {target} is null and {source} <> ''",
                [f" {choice} ", version],
            )

    # --- records

    def write_page(self, entries: Sequence[Mapping[str, Any]], url: str, epoch: str, after: int) -> int:
        """Write a page of the feed and the cursor behind it, together; return how many rows are new."""
        by_form: dict[str, list[Mapping[str, Any]]] = {}
        for entry in entries:
            if entry["kind"] in ("submission", "edit"):
                by_form.setdefault(entry["form"], []).append(entry)
        with self._db.atomic():
            new = sum(self._write_form(form_id, group) for form_id, group in by_form.items())
            self._table("_pull").upsert({"url": url, "epoch": epoch, "next": after}, pk="url")
        self.has_pages = True
        return new

    def _write_form(self, form_id: str, entries: Sequence[Mapping[str, Any]]) -> int:
        table = self._form_table(form_id)
        rows: dict[str, list[dict[str, Any]]] = {table.name: []}
        for entry in entries:
            before = placed(table)
            if _counts(entry):
                placed_entry = {**entry, "record": with_place_columns(entry["record"], place_labels())}
                for its_table, row in table.rows(placed_entry, self.knows(form_id, entry["version"])):
                    rows.setdefault(its_table.name, []).append(row)
            self._explain(form_id, entry["version"], table, placed(table) - before)
        for each in table.walk():
            self._match_columns(each)
        ids = [entry["id"] for entry in entries]
        gone = [entry["id"] for entry in entries if not _counts(entry)]
        self._delete(table, ids, gone)
        kept = [row["id"] for row in rows[table.name]]
        held = self._table(table.name).count_where(f"id in ({_marks(kept)})", kept)
        for each in table.walk():
            self._upsert(each.name, rows.get(each.name, []))
        self._written[table.name] = None
        return len(kept) - held

    def _delete(self, table: FormTable, ids: Sequence[str], gone: Sequence[str]) -> None:
        """Take away the rows of what counts no longer, and those inside records that are written anew."""
        for each in table.walk():
            column, old = ("_record", ids) if each.parent else ("id", gone)
            self._table(each.name).delete_where(f"{column} in ({_marks(old)})", old)

    def _explain(self, form_id: str, version: str, table: FormTable, fresh: set[Placed]) -> None:
        """Note answers whose definition is not here: their columns are text until the form arrives."""
        if not self.knows(form_id, version) and (form_id, version) not in self._noted:
            self._note_form(form_id, version, "", "", table)
            self._noted.add((form_id, version))
        if fresh:
            rows = unknown_rows(form_id, version, fresh, table)
            self._table("questions").upsert_all(rows, pk=TABLES["questions"][1])

    def _upsert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self._written[table] = None
        names = sorted({name for row in rows for name in row if name != "id"})
        for start in range(0, len(names), MOST_AT_ONCE):
            part = ["id", *names[start : start + MOST_AT_ONCE]]
            self._table(table).upsert_all([{name: row.get(name) for name in part} for row in rows], pk="id")


def _counts(entry: Mapping[str, Any]) -> bool:
    """Tell whether a record stands in the tables: not when it is erased, replaced by an edit, or contested."""
    return entry["record"] is not None and entry["state"] == "usable"


def _side_by_side(asked: forms_as_tables.Table, table: FormTable) -> Iterator[tuple[forms_as_tables.Table, FormTable]]:
    """Give each table of a form with its table in the file, naming those that are new."""
    yield asked, table
    for inner in asked.inner:
        yield from _side_by_side(inner, table.table_for(inner.key))


def _is_in(name: str, table: FormTable) -> bool:
    return name.startswith("/".join(table.steps) + "/")


def _key_in(table: FormTable, name: str) -> str:
    """Return the key in the rows of `table` of what `questions` calls `name`."""
    return name.removeprefix("/".join(table.steps) + "/") if table.steps else name


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
