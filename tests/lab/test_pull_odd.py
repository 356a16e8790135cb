"""Pulls that meet odd names, rows three deep, a busy file and a full disk: nothing is lost, and what to do is said."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyxform.xls2xform import convert

from collector.pull.file import LabFile
from tests.lab.conftest import Lab
from tests.lab.test_export_programs import given, publish
from tests.lab.test_pull import Pull, problem
from tests.lab.test_pull import fetch as fetch  # the fixture

NAMES = ("select", "order", "forms", "texts", "_pull", "search", "a-b", "a_b", "A_B", "sqlite_x", "2x", "removed")


def asked(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(sql).fetchall()


def test_forms_and_questions_may_be_called_as_sql_and_our_tables_are(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    questions = [("text", name, name) for name in ("id", "rowid", "select", "_review", "_more")]
    for form_id in NAMES:
        publish(lab, form_id, [*questions, ("select_multiple l", "m", "M")], (("l", "id", "I"), ("l", "a", "A")))
        given(lab, form_id, {"id": form_id, "rowid": "y", "select": "ñandú", "_review": "z", "_more": "w", "m": "id"})
    assert fetch().records == len(NAMES) and fetch().records == 0
    tables = dict(asked(lab_db, 'SELECT form, "table" FROM forms'))
    assert len({name.lower() for name in tables.values()}) == len(tables)
    for form_id in NAMES:
        columns = 'id_2, rowid, "select", _review_2, _more_2, m, "m/id", "m/a"'
        (row,) = asked(lab_db, f'SELECT {columns} FROM "{tables[form_id]}"')
        assert row == (form_id, "y", "ñandú", "z", "w", "id", 1, 0)
    assert asked(lab_db, "SELECT count(*) FROM search WHERE search MATCH 'nandu'") == [(len(NAMES),)]


def test_rows_three_deep_lead_to_theirs_and_go_with_their_record(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    begins = "".join(f"| | begin repeat | {name} | {name} |\n" for name in "abc")
    text = f"| survey |\n| | type | name | label |\n{begins}| | text | t | T |\n" + "| | end repeat | | |\n" * 3
    text += "| settings |\n| | form_id | version |\n| | hondo | 1 |\n"
    lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    (record,) = lab.put(lab.record("hondo", {"a": [{"b": [{"c": [{"t": "uno"}, {"t": "dos"}]}, {}]}]}))
    fetch()
    found = asked(
        lab_db,
        "SELECT c.t, b.id, a.id FROM hondo_c c JOIN hondo_b b ON b.id = c._parent JOIN hondo_a a ON a.id = b._parent",
    )
    assert found == [(text, f"{record}/a[1]/b[1]", f"{record}/a[1]") for text in ("uno", "dos")]
    lab.erase(record)
    fetch()
    assert [asked(lab_db, f"SELECT count(*) FROM hondo_{name}") for name in "abc"] == [[(0,)]] * 3


def test_a_file_that_another_program_has_open_says_so_and_goes_on_later(
    lab: Lab, fetch: Pull, lab_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.put(lab.answer())
    fetch()
    lab.put(lab.answer())
    with closing(sqlite3.connect(lab_db, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert problem(fetch) == "pull_file_busy"
    assert fetch().records == 1


def test_a_disk_that_fills_up_is_told_and_the_pull_goes_on_from_there(
    lab: Lab, fetch: Pull, lab_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.put(*(lab.answer() for _ in range(4)))
    written, write = [0], LabFile.write_page

    def full(self: LabFile, *given: Any) -> int:
        written[0] += 1
        if written[0] == 2:
            raise sqlite3.OperationalError("database or disk is full")
        return write(self, *given)

    monkeypatch.setattr(LabFile, "write_page", full)
    assert problem(lambda: fetch(page_records=2)) == "pull_disk_full"
    assert asked(lab_db, "SELECT count(*) FROM barrio") == [(2,)]
    assert fetch().records == 2
