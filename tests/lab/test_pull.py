"""`collector pull`: a real node, a real file, cut and repeated."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.db import writing
from collector.problems import ProblemError
from collector.pull.client import PullResult, pull
from collector.queries import store
from tests.conftest import free_port
from tests.lab.conftest import Lab

Pull = Callable[..., PullResult]


@pytest.fixture
def fetch(lab: Lab, lab_db: Path) -> Pull:
    """Give a function that pulls from the node into the file."""
    token = lab.token()
    return lambda **options: pull(lab.node.url, options.pop("token", token), lab_db, **options)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def whole(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def test_records_become_rows_with_real_types(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    content = lab.answer(edad="41", pago="2.50", temas="luz", gusta="si", idea="=1+1\nñ")
    lab.put(content, origin="c3" * 16)
    result = fetch()
    assert (result.records, result.read, result.tables, result.restarted) == (1, 1, ("barrio",), False)
    columns = {name: kind for _, name, kind, *_ in rows(lab_db, "PRAGMA table_info(barrio)")}
    assert columns == {
        "id": "TEXT", "_n": "INTEGER", "_version": "TEXT", "_started": "TEXT", "_finished": "TEXT",
        "_received": "TEXT", "_node": "TEXT", "_lang": "TEXT", "_state": "TEXT", "_review": "TEXT",
        "lugar-municipio": "TEXT", "edad": "INTEGER", "pago": "REAL",
        "temas": "TEXT", "temas/agua": "INTEGER", "temas/luz": "INTEGER", "gusta": "TEXT", "idea": "TEXT",
    }  # fmt: skip
    assert rows(lab_db, 'SELECT id, _n, edad, pago, temas, "temas/agua", "temas/luz", idea, _node FROM barrio') == [
        (content["id"], 1, 41, 2.5, "luz", 0, 1, "=1+1\nñ", "c3" * 16)
    ]


def test_the_file_explains_its_questions_and_choices_in_every_language(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    fetch()
    assert rows(lab_db, "SELECT language, label, type, \"column\" FROM questions WHERE name = 'edad' ORDER BY 1") == [
        ("English (en)", "How old are you?", "integer", "edad"),
        ("Español (es)", "¿Cuántos años tiene?", "integer", "edad"),
    ]
    assert rows(
        lab_db, "SELECT name, label, \"column\" FROM choices WHERE list = 'temas' AND language LIKE 'Esp%'"
    ) == [
        ("agua", "Agua", "temas/agua"),
        ("luz", "Luz", "temas/luz"),
    ]


def test_an_unanswered_select_multiple_leaves_its_choices_blank(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(lab.answer(temas=""), lab.answer())
    fetch()
    assert rows(lab_db, 'SELECT temas, "temas/agua" FROM barrio') == [(None, None), (None, None)]


def test_pulling_again_changes_nothing_and_brings_only_what_is_new(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer(edad=str(number)) for number in range(12)))
    assert fetch(page_records=5).records == 12
    before = whole(lab_db)
    assert fetch().read == 0
    assert whole(lab_db) == before
    lab.put(lab.answer())
    assert (fetch().records, rows(lab_db, "SELECT count(*) FROM barrio")) == (1, [(13,)])


def test_a_pull_cut_after_a_page_goes_on_from_there(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(12)))

    class Cut(Exception):
        pass

    def cut(position: int, last: int) -> None:
        if position >= 10:
            raise Cut

    with pytest.raises(Cut):
        fetch(page_records=5, progress=cut)
    assert rows(lab_db, "SELECT next, (SELECT count(*) FROM barrio) FROM _pull") == [(10, 10)]
    assert fetch(page_records=5).read == 2
    assert rows(lab_db, "SELECT count(*), count(DISTINCT id) FROM barrio") == [(12, 12)]


def test_a_page_that_cannot_be_written_leaves_no_half_of_itself(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(4)))
    fetch(page_records=2, progress=lambda *_: None)
    lab.put(lab.answer(), lab.answer(idea="no"))
    with sqlite3.connect(lab_db) as connection:
        connection.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON barrio WHEN new.idea = 'no' BEGIN SELECT RAISE(ABORT, 'parado'); END"
        )
    connection.close()
    with pytest.raises(ProblemError, match="parado"):
        fetch()
    assert rows(lab_db, "SELECT next, (SELECT count(*) FROM barrio) FROM _pull") == [(4, 4)]


def test_progress_ends_at_the_end_of_the_log(lab: Lab, fetch: Pull) -> None:
    lab.put(*(lab.answer() for _ in range(7)))
    told: list[tuple[int, int]] = []
    fetch(page_records=3, progress=lambda position, last: told.append((position, last)))
    assert told == [(3, 7), (6, 7), (7, 7)]


def test_a_new_version_adds_columns_and_widens_types_without_losing_a_value(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    lab.put(lab.answer("1", edad="41", temas="agua"))
    fetch()
    lab.install("2")
    lab.put(lab.answer("2", edad="41.5", temas="caminos", hijos="3"))
    fetch()
    columns = {name: kind for _, name, kind, *_ in rows(lab_db, "PRAGMA table_info(barrio)")}
    assert (columns["edad"], columns["hijos"], columns["temas/caminos"]) == ("REAL", "INTEGER", "INTEGER")
    assert rows(lab_db, 'SELECT _version, edad, hijos, "temas/agua", "temas/caminos" FROM barrio ORDER BY _n') == [
        ("1", 41.0, None, 1, None),
        ("2", 41.5, 3, 0, 1),
    ]
    assert rows(lab_db, "SELECT name FROM pragma_table_info('barrio') WHERE pk") == [("id",)]


def test_answers_of_a_form_that_is_published_later_get_their_types_then(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(lab.answer("2", edad="41.5", temas="caminos agua", hijos="3"))
    fetch()
    assert rows(lab_db, "SELECT typeof(hijos), type FROM barrio, questions WHERE name = 'hijos'") == [
        ("text", "unknown")
    ]
    lab.install("2")
    fetch()
    assert rows(lab_db, 'SELECT hijos, typeof(hijos), edad, "temas/caminos", "temas/luz" FROM barrio') == [
        (3, "integer", 41.5, 1, 0)
    ]
    assert rows(lab_db, "SELECT DISTINCT type FROM questions WHERE name = 'hijos'") == [("integer",)]


def test_a_version_published_during_the_pull_is_fetched_before_its_records(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer("1") for _ in range(2)))

    def publish(position: int, last: int) -> None:
        if position == 2:
            lab.install("2")

    lab.put(lab.answer("2", hijos="3"))
    fetch(page_records=2, progress=publish)
    assert rows(lab_db, "SELECT typeof(hijos) FROM barrio WHERE _version = '2'") == [("integer",)]


def test_names_that_differ_only_by_case_or_meet_ours_get_columns_of_their_own(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    lab.put(lab.answer("9", id="uno", ID="dos", _n="tres") | {"form": "Raro: ñandú/2"})
    lab.put(lab.answer("9", x="1") | {"form": "raro: ñandú/2"}, lab.answer("9", x="1") | {"form": "choices"})
    fetch()
    tables = [name for (name,) in rows(lab_db, "SELECT \"table\" FROM forms WHERE version = '9' ORDER BY rowid")]
    assert tables == ["Raro_nandu_2", "raro_nandu_2_2", "choices_2"]
    # canonical bytes sort keys by code point, so the capitals were met first
    assert rows(lab_db, "SELECT ID_2, id_3, _n_2, _n FROM Raro_nandu_2") == [("dos", "uno", "tres", 1)]
    lab.put(lab.answer("9", id="otro") | {"form": "Raro: ñandú/2"})
    fetch()
    assert len(rows(lab_db, "PRAGMA table_info(Raro_nandu_2)")) == 14
    column = rows(lab_db, "SELECT \"column\" FROM questions WHERE form LIKE 'Raro%' AND name = 'id'")[0][0]
    assert rows(lab_db, f'SELECT "{column}" FROM Raro_nandu_2 ORDER BY _n') == [("uno",), ("otro",)]


def test_what_is_erased_or_contested_leaves_no_row(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    first, second = lab.put(lab.answer(), lab.answer())
    content = lab.answer()
    lab.put(content)
    fetch()
    assert len(rows(lab_db, "SELECT id FROM barrio")) == 3
    lab.erase(second)
    lab.put(content | {"lang": "en"})  # the same id with other content
    fetch()
    assert rows(lab_db, "SELECT id, _state FROM barrio ORDER BY _n") == [(first, "usable")]


def test_a_restored_node_is_read_anew_and_nothing_is_doubled(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(3)))
    fetch()
    with writing(lab.node.app.state.engine) as session:
        store.set_fact(session, "epoch", "otra")
    result = fetch()
    assert (result.restarted, result.read, result.records) == (True, 3, 0)
    assert rows(lab_db, "SELECT epoch, (SELECT count(*) FROM barrio) FROM _pull") == [("otra", 3)]


def test_a_form_with_more_questions_than_one_statement_takes_is_written_whole(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    many = {f"q{number}": str(number) for number in range(1200)}
    lab.put(lab.answer("9", **many) | {"form": "larga"})
    fetch()
    assert rows(lab_db, "SELECT q0, q1199 FROM larga") == [("0", "1199")]


def test_other_tables_of_the_file_are_left_alone(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab_db.parent.mkdir()
    with sqlite3.connect(lab_db) as connection:
        connection.execute("CREATE TABLE barrio (mio TEXT)")
    connection.close()
    lab.put(lab.answer())
    fetch()
    assert rows(lab_db, "SELECT count(*) FROM barrio") == [(0,)] and rows(lab_db, "SELECT count(*) FROM barrio_2") == [
        (1,)
    ]


# --- what can go wrong


def problem(call: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        call()
    assert caught.value.sentence("es") and caught.value.sentence("en")
    return caught.value.problem.code


@pytest.mark.parametrize("token", ["col_no", "", "col_ñ", "dos palabras", "col_x\nX-Otro: 1"])
def test_a_wrong_token_is_named(fetch: Pull, token: str) -> None:
    assert problem(lambda: fetch(token=token)) == "token_invalid"


def test_a_token_pasted_with_its_line_end_opens(lab: Lab, fetch: Pull) -> None:
    assert fetch(token=f" {lab.token()}\n").records == 0


def test_a_node_that_is_away_is_named(lab_db: Path) -> None:
    assert problem(lambda: pull(f"http://127.0.0.1:{free_port()}", "col_x", lab_db)) == "pull_unreachable"


def test_an_address_without_http_is_named(lab_db: Path) -> None:
    assert problem(lambda: pull("central.ejemplo.pa", "col_x", lab_db)) == "bad_request"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<h1>Wi-Fi gratis</h1>"),
        httpx.Response(302, headers={"Location": "http://portal.example"}),
        httpx.Response(200, json={"forms": []}),
        httpx.Response(200, headers={"X-Collector": "1"}, json=["forms"]),
        httpx.Response(200, headers={"X-Collector": "1", "Content-Type": "application/json"}, content=b'{"forms": ['),
        httpx.Response(401, html="Acepte las condiciones"),
    ],
)
def test_a_captive_portal_is_not_taken_for_central(lab_db: Path, answer: httpx.Response) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as http:
        assert problem(lambda: pull("http://central.example", "col_x", lab_db, http=http)) == "upstream_strange"


@pytest.mark.parametrize(
    "page",
    [
        {"epoch": "e", "next": 0, "last": 9, "more": True, "records": []},
        {"epoch": "", "next": 0, "last": 9, "more": False, "records": []},
        {"epoch": "e", "next": 1, "last": 9, "more": False, "records": [{"n": 1, "id": "x"}]},
        {"epoch": "e", "next": 0, "last": 9, "more": False, "records": [{"n": 5}]},
    ],
)
def test_a_page_that_leads_nowhere_stops_the_pull(lab_db: Path, page: dict[str, Any]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found: dict[str, Any] = {"forms": []} if request.url.path.endswith("forms") else page
        return httpx.Response(200, headers={"X-Collector": "1"}, json=found)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        assert problem(lambda: pull("http://central.example", "col_x", lab_db, http=http)) == "upstream_strange"


def test_a_file_that_is_no_database_is_left_as_it_is(fetch: Pull, lab_db: Path) -> None:
    lab_db.parent.mkdir()
    lab_db.write_text("esto es una carta, no una base de datos" * 20)
    before = lab_db.read_bytes()
    assert problem(fetch) == "pull_file_unusable"
    assert lab_db.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(fetch: Pull, lab_db: Path) -> None:
    lab_db.mkdir(parents=True)
    assert problem(fetch) == "pull_file_unusable"


def test_a_database_whose_tables_have_our_names_is_left_alone(fetch: Pull, lab_db: Path) -> None:
    lab_db.parent.mkdir()
    with sqlite3.connect(lab_db) as connection:
        connection.execute("CREATE TABLE Choices (mio TEXT)")
    connection.close()
    assert problem(fetch) == "pull_file_unusable"
    assert rows(lab_db, "SELECT name FROM sqlite_master") == [("Choices",)]
