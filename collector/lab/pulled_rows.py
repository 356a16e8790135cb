"""Records as rows of the lab's file, quickly: by a plan of where each answer goes, made once a version. Pure.

Nearly every record holds texts under keys that its form asks. One that holds anything else has no quick rows, and
`FormTable.rows` places it answer by answer; both come to the same values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.forms.settling import MAX_ROWS
from collector.lab.pulled import META_COLUMNS, ROW_COLUMNS, FormTable
from collector.lab.tables import TEXT, typed

BEGINS = [name for name in META_COLUMNS if name != "_review"]  # files of earlier releases have that one elsewhere
# (its column, type, (choice, its column) …)
_Goes = tuple[int, str, tuple[tuple[str, int], ...]]


@dataclass
class Plan:
    """Where the answers of one version go. columns: of the row, in order; inner: key -> plan of the rows inside.

    is_usual: the columns begin as we make them, in this table and those inside; somebody may have moved them.
    """

    table: FormTable
    columns: list[str]
    goes: dict[str, _Goes] = field(default_factory=dict)
    inner: "dict[str, Plan]" = field(default_factory=dict)

    @property
    def is_usual(self) -> bool:
        """Tell whether quick rows can be made."""
        begins = list(ROW_COLUMNS) if self.table.parent else BEGINS
        return self.columns[: len(begins)] == begins and all(plan.is_usual for plan in self.inner.values())


# (its table, its values in the order of the table's columns; what is missing at the end is None)
Row = tuple[FormTable, list[Any]]


def plan_of(table: FormTable, version: str) -> Plan:
    """Return the plan for records of a version, as the tables stand now. Ask `is_usual` before using it."""
    plan = Plan(table, list(table.types))
    at = {name: place for place, name in enumerate(plan.columns)}
    for key, name in table.keys.items():
        if key not in table.inner:
            chosen = table.choices.get((version, key), {})
            plan.goes[key] = (at[name], table.types[name], tuple((each, at[column]) for each, column in chosen.items()))
    plan.inner = {key: plan_of(inner, version) for key, inner in table.inner.items() if key not in table.keys}
    return plan


def quick_rows(plan: Plan, entry: Mapping[str, Any]) -> list[Row] | None:
    """Return the rows of a record of the feed; None when it holds what the plan does not know."""
    record: Mapping[str, Any] = entry["record"]
    answers = record.get("answers")
    if not isinstance(answers, dict):
        return None
    begin = [
        entry["id"], entry["n"], entry["version"], record.get("started"), record.get("finished"), entry["received"],
        entry["via_origin"], record.get("lang"), entry["state"],
    ]  # fmt: skip
    row = begin + [None] * (len(plan.columns) - len(begin))
    row[plan.columns.index("_review")] = entry.get("review", "")
    found: list[Row] = []
    return found if _fill(plan, row, answers, entry["id"], found) else None


def _fill(plan: Plan, row: list[Any], answers: Mapping[str, Any], record_id: str, found: list[Row]) -> bool:
    """Put answers into `row`, and it with those inside it into `found`; False when something has no place."""
    found.append((plan.table, row))
    goes = plan.goes
    for key, value in answers.items():
        place = goes.get(key)
        if place is None:
            if not _fill_inner(plan, row[0], key, value, record_id, found):
                return False
            continue
        if not isinstance(value, str):
            return False
        column, kind, choices = place
        row[column] = (value or None) if kind == TEXT else typed(kind, value)
        if choices and value:
            chosen = set(value.split())
            for choice, each in choices if chosen else ():
                row[each] = 1 if choice in chosen else 0
    return True


def _fill_inner(plan: Plan, parent: str, key: str, rows: object, record_id: str, found: list[Row]) -> bool:
    inner = plan.inner.get(key)
    if inner is None or not isinstance(rows, list) or len(rows) > MAX_ROWS:
        return False
    for number, each in enumerate(rows, 1):
        if not isinstance(each, dict):
            return False
        begin = [f"{parent}/{key}[{number}]", record_id, parent, number]
        row = begin + [None] * (len(inner.columns) - len(begin))
        if not _fill(inner, row, each, record_id, found):
            return False
    return True


def slow_rows(table: FormTable, entry: Mapping[str, Any], is_explained: bool) -> Iterator[Row]:
    """Give the rows of any record: what has no column yet gets one."""
    for its_table, row in list(table.rows(entry, is_explained)):
        yield its_table, [row.get(name) for name in its_table.types]


def in_words(table: FormTable, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, str, str, str]]:
    """Give (record, row, question, text) of what people answered in their own words in rows of one table."""
    columns = list(table.types)
    places = [(columns.index(table.keys[key]), table.full_name(key)) for key in sorted(table.texts & set(table.keys))]
    record = columns.index("_record") if table.parent else 0
    for row in rows:
        for place, question in places:
            text = row[place] if place < len(row) else None
            if isinstance(text, str):
                yield row[record], row[0], question, text
