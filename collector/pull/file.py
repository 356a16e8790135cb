"""The SQLite file that `collector pull` writes: a table a form and repeat, what explains them, texts, and the cursor.

forms, questions, choices   what was asked          texts, search   what was answered in words (texts.py)
FORM, FORM_REPEAT           what was answered       removed         what counts no longer, and why
_pull                       where each address was read up to
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlite_utils import Database
from sqlite_utils.db import Table

from collector.forms.model import Form
from collector.lab.listed import with_place_columns
from collector.lab.pulled import (
    OUR_TABLES,
    FormTable,
    Placed,
    choice_rows,
    place_version,
    placed,
    question_rows,
    side_by_side,
    table_name,
    unknown_rows,
)
from collector.lab.pulled_rows import Plan, Row, in_words, plan_of, quick_rows, slow_rows
from collector.lab.tables import TEXT, Column, tables_of
from collector.pull.explained import TABLES, ReadUpTo
from collector.pull.names import marks, quoted
from collector.pull.texts import add_texts, drop_texts, fill_texts, forget_words, has_search, prepare_texts
from collector.territory import place_labels

COLLECTED = ("submission", "edit")


class LabFile:
    """One open file. Every public method that writes is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._tables: dict[str, FormTable] = {}
        self._taken: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._noted: set[tuple[str, str]] = set()
        self._written: dict[str, None] = {}
        self._is_read = False
        self.has_pages = False

    @property
    def written(self) -> tuple[str, ...]:
        """Return the tables written to since the file was opened."""
        return tuple(self._written)

    def prepare(self) -> None:
        """Make our tables where they are missing. Raises ValueError when a table of other use has such a name.

        What stands in them is read when it is needed: a pull that finds nothing new needs none of it.
        """
        names = self._db.table_names()
        if "_pull" not in names:
            foreign = [name for name in names if name.lower() in OUR_TABLES]
            if foreign:
                raise ValueError(f"la tabla {foreign[0]} es de otro uso")
            if {"record", "quarantine", "meta"} <= set(names):
                raise ValueError("es la base de datos de un equipo de Collector")
        wanted = {*TABLES, "texts", *(["search"] if has_search() else [])}
        columns = {*self._column_types("_pull"), *self._column_types("questions")} if wanted <= set(names) else set()
        if not {"tag", "table"} <= columns:
            self._make_ours()

    def _make_ours(self) -> None:
        """Make the tables of a new file, and bring those of an earlier release up to this one."""
        with self._db.atomic():
            for name, (columns, pk) in TABLES.items():
                self._table(name).create(columns, pk=pk if len(pk) > 1 else pk[0], if_not_exists=True)
            if "table" not in self._column_types("questions"):
                self._add_places()
            for name in {"tag", "forms"} - set(self._column_types("_pull")):
                self._table("_pull").add_column(name, str, not_null_default="")
            if prepare_texts(self._db.conn):
                self._read()
                self._fill_all_texts()

    def _read(self) -> None:
        """Read how the tables of forms were named, once."""
        if not self._is_read:
            self._is_read = True
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
                types.setdefault("_review", TEXT)  # a file of an earlier release gets it with the next page
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
                table.texts.update([_key_in(table, row["name"])] if row["type"] == "text" else [])
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

    def read_up_to(self, url: str) -> ReadUpTo:
        """Return how far the address was read."""
        for row in self._table("_pull").rows_where("url = ?", [url]):
            return ReadUpTo(row["epoch"], row["next"], row["tag"] or "", row["forms"] or "")
        return ReadUpTo()

    def knows(self, form_id: str, version: str) -> bool:
        """Tell whether the definition of this version is in the file."""
        self._read()
        return (form_id, version) in self._known

    # --- definitions

    def add_form(self, form: Form) -> None:
        """Write a version's questions and choices, and give its tables the columns they lack."""
        self._read()
        asked = tables_of([form])
        with self._db.atomic():
            table = self._form_table(form.form_id)
            pairs = list(side_by_side(asked, table))
            untyped = {each.name: self._unknown_columns(form.form_id, each.name) for _, each in pairs}
            place_version(asked, table, untyped)
            for _, its_table in pairs:
                self._match_columns(its_table)
            for here, its_table in pairs:
                for column in here.columns:
                    self._fill_choices(its_table, form.version, column)
                    if column.key in its_table.texts and its_table.keys[column.key] in untyped[its_table.name]:
                        self._fill_texts(form.form_id, its_table, column.key)
            self._write_questions(form, question_rows(form, asked, table))
            self._table("choices").upsert_all(choice_rows(form, asked, table), pk=TABLES["choices"][1])
            self._note_form(form.form_id, form.version, form.title, form.sha256, table)
        self._known.add((form.form_id, form.version))

    def _fill_all_texts(self) -> None:
        """Put into a file of an earlier release what it holds in words."""
        for form_id, root in self._tables.items():
            for table in root.walk():
                for key in sorted(table.texts & set(table.keys)):
                    self._fill_texts(form_id, table, key)

    def _fill_texts(self, form_id: str, table: FormTable, key: str) -> None:
        record = "_record" if table.parent else "id"
        fill_texts(self._db.conn, form_id, table.name, table.full_name(key), table.keys[key], record)

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
            source, target = quoted(table.keys[column.key]), quoted(name)
            root = quoted(table.root.name)
            which = f"_record in (select id from {root} where _version = ?)" if table.parent else "_version = ?"  # noqa: S608  quoted
            self._db.execute(
                f"update {quoted(table.name)} set {target} = instr(' ' || {source} || ' ', ?) > 0 "  # noqa: S608  quoted
                f"where {which} and {target} is null and {source} <> ''",
                [f" {choice} ", version],
            )

    # --- records

    def write_page(self, entries: Sequence[Mapping[str, Any]], url: str, upto: ReadUpTo) -> int:
        """Write a page of the feed and how far it goes, together; return how many rows are new."""
        self._read()
        by_form: dict[str, list[Mapping[str, Any]]] = {}
        for entry in entries:
            if entry["kind"] in COLLECTED:
                by_form.setdefault(entry["form"], []).append(entry)
        with self._db.atomic():
            self._take_away(by_form)
            new = sum(self._write_form(form_id, group) for form_id, group in by_form.items())
            row = {"url": url, "epoch": upto.epoch, "next": upto.next, "tag": upto.tag, "forms": upto.forms}
            self._table("_pull").upsert(row, pk="url")
        self.has_pages = True
        return new

    def _take_away(self, by_form: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Take away what a page says counts no longer, and what stands under another form; note the former."""
        # what came as it is now was never here before: most of a first pull
        changed = [entry for group in by_form.values() for entry in group if not _is_fresh(entry)]
        if not changed:
            return
        lost = 0
        for form_id, table in self._tables.items():
            lost += self._delete(table, [it["id"] for it in changed if not _counts(it) or it["form"] != form_id])
        gone = [(it["id"], it["form"], it["state"], it["n"]) for it in changed if not _counts(it)]
        self._db.conn.executemany("insert or replace into removed (id, form, state, _n) values (?, ?, ?, ?)", gone)
        back = [it["id"] for it in changed if _counts(it)]
        self._db.conn.execute(f"delete from removed where id in ({marks(back)})", back)  # noqa: S608  marks
        if lost:
            forget_words(self._db.conn)

    def _write_form(self, form_id: str, entries: Sequence[Mapping[str, Any]]) -> int:
        """Write the records of one form that count; return how many were not there."""
        table = self._form_table(form_id)
        self._written[table.name] = None
        entries = [entry for entry in entries if _counts(entry)]
        by_table: dict[str, list[list[Any]]] = {}
        for its_table, row in self._rows(form_id, table, entries):
            by_table.setdefault(its_table.name, []).append(row)
        for each in table.walk():
            self._match_columns(each)
        ids = [entry["id"] for entry in entries]
        held = self._table(table.name).count_where(f"id in ({marks(ids)})", ids)
        if held:
            self._delete(table, ids, keep_records=True)
        for each in table.walk():
            self._put(each, by_table.get(each.name, []), form_id)
        return len(ids) - held

    def _rows(self, form_id: str, table: FormTable, entries: Iterable[Mapping[str, Any]]) -> list[Row]:
        found: list[Row] = []
        plans: dict[str, Plan | None] = {}
        for entry in entries:
            version = entry["version"]
            if version not in plans:
                plans[version] = self._plan(table, form_id, version)
            plan = plans[version]
            placed_entry = {**entry, "record": with_place_columns(entry["record"], place_labels())}
            quick = quick_rows(plan, placed_entry) if plan else None
            if quick is None:
                before = placed(table)
                quick = list(slow_rows(table, placed_entry, self.knows(form_id, version)))
                self._explain(form_id, version, table, placed(table) - before)
                plans.clear()  # the record may have brought columns
            found += quick
        return found

    def _plan(self, table: FormTable, form_id: str, version: str) -> Plan | None:
        """Return the plan of a version; None where there can be none: its form is not here, or columns were moved."""
        plan = plan_of(table, version) if self.knows(form_id, version) else None
        return plan if plan and plan.is_usual else None

    def _delete(self, table: FormTable, ids: Sequence[str], keep_records: bool = False) -> int:
        """Take away records with the rows inside them and their texts; return how many records there were."""
        count = 0
        if not ids or not self._table(table.name).exists():
            return count
        for each in table.walk():
            if each.parent is None and keep_records:
                continue
            column = "_record" if each.parent else "id"
            sql = f"delete from {quoted(each.name)} where {column} in ({marks(ids)})"  # noqa: S608  quoted
            count += self._db.conn.execute(sql, ids).rowcount if self._table(each.name).exists() else 0
        drop_texts(self._db.conn, ids)
        return count

    def _explain(self, form_id: str, version: str, table: FormTable, fresh: set[Placed]) -> None:
        """Note answers whose definition is not here: their columns are text until the form arrives."""
        if not self.knows(form_id, version) and (form_id, version) not in self._noted:
            self._note_form(form_id, version, "", "", table)
            self._noted.add((form_id, version))
        if fresh:
            rows = unknown_rows(form_id, version, fresh, table)
            self._table("questions").upsert_all(rows, pk=TABLES["questions"][1])

    def _put(self, table: FormTable, rows: list[list[Any]], form_id: str) -> None:
        """Write rows by the driver, in place of what stands under their ids."""
        if not rows:
            return
        self._written[table.name] = None
        columns = list(table.types)
        names = [quoted(name) for name in columns]
        changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        statement = (
            f"insert into {quoted(table.name)} ({', '.join(names)}) values ({marks(columns)}) "  # noqa: S608  quoted
            f"on conflict (id) do update set {changes}"
        )
        # a row made before another one of the page brought a column ends before it
        self._db.conn.executemany(statement, (row + [None] * (len(columns) - len(row)) for row in rows))
        add_texts(self._db.conn, ((form_id, table.name, *said) for said in in_words(table, rows)))


def _is_fresh(entry: Mapping[str, Any]) -> bool:
    """Tell whether a record counts and is as it came."""
    return _counts(entry) and entry.get("first", 0) == entry["n"]


def _counts(entry: Mapping[str, Any]) -> bool:
    """Tell whether a record stands in the tables: not when it is erased, replaced by an edit, or contested."""
    return entry["record"] is not None and entry["state"] == "usable"


def _is_in(name: str, table: FormTable) -> bool:
    return name.startswith("/".join(table.steps) + "/")


def _key_in(table: FormTable, name: str) -> str:
    """Return the key in the rows of `table` of what `questions` calls `name`."""
    return name.removeprefix("/".join(table.steps) + "/") if table.steps else name
