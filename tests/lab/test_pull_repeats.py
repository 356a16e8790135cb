"""`collector pull` with rows in rows: a table a repeat, linked to the rows around it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from collector.db import writing
from collector.forms.settling import MAX_ROWS
from collector.problems import ProblemError
from collector.pull.client import pull
from collector.pull.explained import ReadUpTo
from collector.pull.file import LabFile
from collector.queries import store
from tests.lab.conftest import Lab
from tests.lab.test_pull import Pull, rows, whole
from tests.lab.test_pull import fetch as fetch  # the fixture
from tests.lab.test_repeats import ANSWERS, JSON, KEYS, ODD
from tests.lab.visitas import visitas, visitas_xml


@pytest.fixture
def visits(lab: Lab) -> Lab:
    """Give the node with the form of visits."""
    lab.publish(visitas_xml())
    return lab


def test_rows_of_a_repeat_get_a_table_that_leads_to_their_record_and_their_row(
    visits: Lab, fetch: Pull, lab_db: Path
) -> None:
    record_id = visits.put(visits.record("visitas", ANSWERS))[0]
    result = fetch()
    assert (result.records, result.tables) == (1, ("visitas", "visitas_persona", "visitas_visita"))
    assert rows(lab_db, 'SELECT id, jefa, "casa-punto", orden FROM visitas') == [
        (record_id, "Ñandú", "8.98 -79.52 20 5", "luz caminos agua")
    ]
    columns = {name: kind for _, name, kind, *_ in rows(lab_db, "PRAGMA table_info(visitas_persona)")}
    assert columns == {
        "id": "TEXT", "_record": "TEXT", "_parent": "TEXT", "_row": "INTEGER", "nombre": "TEXT", "edad": "INTEGER",
        "trabaja": "TEXT", "usa": "TEXT", "usa/agua": "INTEGER", "usa/luz": "INTEGER", "usa/caminos": "INTEGER",
        "salud-dolor": "INTEGER", "foto": "TEXT",
    }  # fmt: skip
    assert rows(
        lab_db, 'SELECT id, _record, _parent, _row, nombre, edad, "usa/luz", "usa/caminos" FROM visitas_persona'
    ) == [
        (f"{record_id}/casa/persona[1]", record_id, record_id, 1, "Ana", 41, 1, 0),
        (f"{record_id}/casa/persona[2]", record_id, record_id, 2, "José", 9, None, None),
    ]
    first = f"{record_id}/casa/persona[1]"
    assert rows(lab_db, "SELECT id, _record, _parent, _row, hora, costo FROM visitas_visita ORDER BY _row") == [
        (f"{first}/visita[1]", record_id, first, 1, "09:30:00.000-05:00", 2.5),
        (f"{first}/visita[2]", record_id, first, 2, "10:05", 1.0),
    ]


def test_programs_can_follow_the_rows_by_foreign_keys_and_indexes(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    fetch()
    links = rows(lab_db, 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(\'visitas_visita\') ORDER BY 1')
    assert links == [("_parent", "visitas_persona", "id"), ("_record", "visitas", "id")]
    assert rows(lab_db, "PRAGMA foreign_key_check") == []
    plan = rows(lab_db, "EXPLAIN QUERY PLAN SELECT * FROM visitas_persona WHERE _record = 'x'")
    assert "USING INDEX" in plan[0][-1]


def test_the_file_says_where_each_question_of_a_repeat_is(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    fetch()
    sql = (
        "SELECT name, label, type, \"table\", \"column\" FROM questions WHERE form = 'visitas' AND language LIKE 'Esp%'"
    )
    found = {row[0]: row[1:] for row in rows(lab_db, sql)}
    assert found["casa/persona"] == ("Persona", "repeat", "visitas_persona", "")
    assert found["casa/persona/salud/dolor"] == ("¿Cuánto le duele?", "range", "visitas_persona", "salud-dolor")
    assert found["casa/persona/edad"][0] == "¿Cuántos años tiene {nombre}?"
    assert found["casa/persona/visita"] == ("Visita", "repeat", "visitas_visita", "")
    assert found["casa/persona/visita/costo"][2:] == ("visitas_visita", "costo")
    assert rows(
        lab_db, "SELECT DISTINCT \"column\" FROM choices WHERE question = 'casa/persona/usa' AND name = 'luz'"
    ) == [("usa/luz",)]


def test_pulling_again_changes_nothing_and_goes_on_in_the_same_tables(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(*(visits.record("visitas", ANSWERS) for _ in range(7)))
    fetch(page_records=3)
    before = whole(lab_db)
    assert fetch().read == 0 and whole(lab_db) == before
    visits.put(visits.record("visitas", ANSWERS))
    fetch()
    counts = (
        "SELECT (SELECT count(*) FROM visitas), (SELECT count(*) FROM visitas_persona), count(*) FROM visitas_visita"
    )
    assert rows(lab_db, counts) == [(8, 16, 16)]


def test_a_restored_node_is_read_anew_and_no_row_is_doubled_or_left_over(
    visits: Lab, fetch: Pull, lab_db: Path
) -> None:
    record_id = visits.put(visits.record("visitas", ANSWERS))[0]
    fetch()
    with sqlite3.connect(lab_db) as connection:
        connection.execute("INSERT INTO visitas_persona (id, _record, _row) VALUES ('vieja', ?, 3)", [record_id])
    connection.close()
    with writing(visits.node.app.state.engine) as session:
        store.set_fact(session, "epoch", "otra")
    assert fetch().restarted
    assert rows(lab_db, "SELECT count(*), max(_row) FROM visitas_persona") == [(2, 2)]


def test_an_erased_record_leaves_no_row_of_its_repeats(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    first, second = visits.put(visits.record("visitas", ANSWERS), visits.record("visitas", ANSWERS))
    fetch()
    visits.erase(first)
    with writing(visits.node.app.state.engine) as session:
        store.set_fact(session, "epoch", "otra")
    fetch()
    assert rows(lab_db, "SELECT DISTINCT _record FROM visitas_persona") == [(second,)]
    assert rows(lab_db, "SELECT count(*) FROM visitas_visita") == [(2,)]


def test_a_new_version_adds_columns_and_keeps_the_tables(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    fetch()
    visits.publish(visitas_xml("2"))
    visits.put(visits.record("visitas", ANSWERS | {"otra": "sí"}, version="2"))
    fetch()
    assert rows(lab_db, "SELECT _version, otra, listo FROM visitas ORDER BY _n") == [
        ("1", None, "OK"),
        ("2", "sí", "OK"),
    ]
    assert rows(lab_db, "SELECT count(*) FROM visitas_persona") == [(4,)]
    assert rows(lab_db, "PRAGMA foreign_key_check") == []


def test_rows_of_a_form_that_is_published_later_get_their_types_then(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(lab.record("visitas", ANSWERS))
    fetch()
    sql = "SELECT typeof(edad), edad FROM visitas_persona ORDER BY _row"
    assert rows(lab_db, sql) == [("text", "41"), ("text", "9")]
    assert rows(lab_db, "SELECT type, \"table\" FROM questions WHERE name = 'casa/persona/visita'") == [
        ("repeat", "visitas_visita")
    ]
    lab.publish(visitas_xml())
    lab.put(lab.record("visitas", ANSWERS))
    fetch()
    assert rows(lab_db, sql) == [("integer", 41), ("integer", 41), ("integer", 9), ("integer", 9)]
    assert (
        rows(lab_db, 'SELECT usa, "usa/agua", "usa/caminos" FROM visitas_persona WHERE _row = 1')
        == [("luz agua", 1, 0)] * 2
    )
    assert rows(lab_db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'visitas%'") == [
        ("visitas",), ("visitas_persona",), ("visitas_visita",),
    ]  # fmt: skip


def test_an_answer_that_a_definition_never_explains_keeps_its_column(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    for _ in range(2):
        visits.put(visits.record("visitas", {"rara": "1", "casa/persona": [{"raro": "2"}]}))
        fetch()
    assert rows(lab_db, "SELECT rara FROM visitas") == [("1",), ("1",)]
    assert rows(lab_db, "SELECT raro FROM visitas_persona") == [("2",), ("2",)]


def test_answers_without_a_place_are_kept_as_json(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(visits.record("visitas", {"casa/persona": ["suelta", {"edad": ["4"]}], "jefa": {"a": 1}}))
    visits.put(visits.record("visitas", {"casa/persona": "no es lista"}))
    fetch()
    assert rows(lab_db, "SELECT jefa, _more FROM visitas ORDER BY _n") == [
        ('{"a": 1}', None),
        (None, '{"casa/persona": "no es lista"}'),
    ]
    assert rows(lab_db, "SELECT _row, edad, _more FROM visitas_persona") == [(1, None, '"suelta"'), (2, '["4"]', None)]


def test_a_record_with_thousands_of_strange_answers_does_not_stop_the_pull(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    many = {f"q{number}": "1" for number in range(2500)}
    lists = {f"r{number}": [{"x": "1"}] for number in range(120)}
    lab.put(lab.record("larga", many), lab.record("listas", lists), lab.record("larga", {"q999": "2", "q1": "3"}))
    assert fetch().records == 3
    more = [json.loads(text or "{}") for (text,) in rows(lab_db, "SELECT _more FROM larga ORDER BY _n")]
    assert len(more[0]) > 500 and more[0]["q999"] == "1" and more[1] == {"q999": "2"}
    assert rows(lab_db, "SELECT q1 FROM larga ORDER BY _n") == [("1",), ("3",)]
    tables = rows(lab_db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name LIKE 'listas_%'")[0][0]
    assert 40 <= tables <= 50
    assert rows(lab_db, "SELECT r99 FROM listas") == [('[{"x": "1"}]',)]


def test_rows_beyond_the_most_a_form_may_have_are_kept_as_json(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(visits.record("visitas", {"casa/persona": [{}] * (MAX_ROWS + 3)}))
    fetch()
    assert rows(lab_db, "SELECT count(*) FROM visitas_persona") == [(MAX_ROWS,)]
    assert rows(lab_db, "SELECT _more FROM visitas") == [('{"casa/persona": [{}, {}, {}]}',)]


def test_a_file_of_an_earlier_release_is_taken_on(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(lab.answer(edad="41", temas="luz"))
    fetch()
    with sqlite3.connect(lab_db) as connection:
        connection.execute('ALTER TABLE questions DROP COLUMN "table"')
    connection.close()
    lab.publish(visitas_xml())
    lab.put(lab.answer(edad="42", temas="agua"), lab.record("visitas", ANSWERS))
    fetch()
    assert rows(lab_db, 'SELECT edad, "temas/luz" FROM barrio ORDER BY _n') == [(41, 1), (42, 0)]
    assert rows(lab_db, "SELECT DISTINCT \"table\" FROM questions WHERE form = 'barrio'") == [("barrio",)]
    assert rows(lab_db, "SELECT count(*) FROM visitas_persona") == [(2,)]


def test_two_forms_whose_tables_would_have_one_name_keep_their_own(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.publish(visitas_xml(form_id="visitas_persona"))
    lab.publish(visitas_xml())
    lab.put(lab.record("visitas", ANSWERS), lab.record("visitas_persona", ANSWERS | {"jefa": "otra"}))
    fetch()
    of = dict(rows(lab_db, 'SELECT form, "table" FROM forms'))
    people = dict(rows(lab_db, "SELECT form, \"table\" FROM questions WHERE type = 'repeat' AND name = 'casa/persona'"))
    assert len({*of.values(), *people.values()}) == 5
    for form in ("visitas", "visitas_persona"):
        link = f'SELECT DISTINCT r.jefa FROM "{people[form]}" p JOIN "{of[form]}" r ON r.id = p._record'
        assert rows(lab_db, link) == [("Ñandú" if form == "visitas" else "otra",)]


def test_the_feed_carries_answers_nested_as_they_are_stored(visits: Lab) -> None:
    visits.put(visits.record("visitas", ANSWERS))
    headers = {"Authorization": f"Bearer {visits.token()}", "Accept": "application/x-ndjson", "X-Purpose": "pruebas"}
    lines = httpx.get(f"{visits.node.url}/api/v1/records", headers=headers).text.splitlines()
    assert json.loads(lines[1])["record"]["answers"] == ANSWERS


# --- a start that fails


def test_a_first_pull_that_fails_leaves_no_file(lab: Lab, lab_db: Path) -> None:
    with pytest.raises(ProblemError):
        pull(lab.node.url, "col_no", lab_db)
    assert not lab_db.exists()


def test_a_first_pull_that_ends_after_a_page_keeps_it(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(4)))

    def cut(position: int, last: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(page_records=2, progress=cut)
    assert rows(lab_db, "SELECT count(*) FROM barrio") == [(2,)]


def test_a_later_pull_that_fails_keeps_the_file(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    fetch()
    with pytest.raises(ProblemError):
        fetch(token="col_no")
    assert lab_db.exists()


# --- any JSON


def test_odd_records_are_pulled_like_any(visits: Lab, fetch: Pull, lab_db: Path) -> None:
    visits.put(*(visits.record("visitas", answers) for answers in ODD))
    visits.put(*(visits.record("visitas", answers, version="9") for answers in ODD))
    assert fetch(page_records=2).records == 2 * len(ODD)
    assert rows(lab_db, "PRAGMA foreign_key_check") == []


def answers_and_texts(database: Database) -> list[str]:
    """Return all that the file holds, its texts without their numbers: those are new whenever they are written."""
    texts = database.query('SELECT form, "table", record, "row", question, text FROM texts')
    numbered = ('INSERT INTO "texts"', 'INSERT INTO "search', "INSERT INTO 'search")
    return sorted([line for line in database.conn.iterdump() if not line.startswith(numbered)] + [*map(repr, texts)])


ENTRY: dict[str, Any] = {"kind": "submission", "received": "t", "state": "usable", "via_origin": "n"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5), min_size=1, max_size=4), st.booleans())
def test_any_json_is_written_and_read_back_under_the_same_names(given_answers: list[Any], is_known: bool) -> None:
    database = Database(memory=True)
    file = LabFile(database)
    file.prepare()
    if is_known:
        file.add_form(visitas())
    entries = [
        ENTRY | {"n": n, "id": f"i{n}", "form": "visitas", "version": "1", "record": {"answers": answers}}
        for n, answers in enumerate(given_answers, 1)
    ]
    for entry in entries:
        file.write_page([entry], "u", ReadUpTo("e", entry["n"]))
    before = answers_and_texts(database)
    again = LabFile(database)
    again.prepare()
    for entry in entries:
        assert again.write_page([entry], "u", ReadUpTo("e", len(entries))) == 0
    assert answers_and_texts(database) == before
    assert database["visitas"].count == len(entries)
    database.close()
