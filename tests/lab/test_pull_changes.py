"""`collector pull` again: what changed since is changed in the file, texts are found, and nothing new costs nothing."""

import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from collector.db import reading, writing
from collector.forms.model import Form
from collector.lab.pulled import FormTable, place_version
from collector.lab.pulled_rows import plan_of, quick_rows, slow_rows
from collector.lab.tables import tables_of
from collector.problems import ProblemError
from collector.pull.client import pull
from collector.pull.line import NodeLine
from collector.queries.audit import list_entries
from collector.queries.records import ingest
from sync.statements import made, make_decision, make_review
from tests.lab.conftest import MOMENT_MS, Lab
from tests.lab.test_pull import Pull, problem, rows, whole
from tests.lab.test_pull import fetch as fetch  # the fixture
from tests.lab.test_repeats import ANSWERS, JSON, KEYS, ODD
from tests.lab.visitas import visitas, visitas_xml

FOUND = "SELECT text FROM search WHERE search MATCH ? ORDER BY rowid"


def say(lab: Lab, *arrivals: Any) -> None:
    with writing(lab.node.app.state.engine) as session:
        ingest(session, list(arrivals), MOMENT_MS)


def search(path: Path, words: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [text for (text,) in connection.execute(FOUND, [words])]


# --- changes to what was pulled before


def test_a_review_changes_the_row_that_was_pulled_before(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    first, second = lab.put(lab.answer(), lab.answer())
    fetch()
    assert rows(lab_db, "SELECT DISTINCT _review FROM barrio") == [("received",)]
    say(lab, make_review(first, "rejected", "ana@ejemplo.pa", "no es de aquí"))
    result = fetch()
    assert (result.records, rows(lab_db, "SELECT id, _review FROM barrio ORDER BY _n")) == (
        0,
        [(second, "received"), (first, "rejected")],
    )


def test_an_edit_takes_the_place_of_what_was_pulled_and_the_file_says_what_went(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    (first,) = lab.put(lab.answer(idea="antes", gusta="si"))
    fetch()
    content = lab.answer(idea="después") | {"kind": "edit", "replaces": first}
    say(lab, made(content))
    fetch()
    assert rows(lab_db, "SELECT id, idea, gusta FROM barrio") == [(content["id"], "después", None)]
    assert rows(lab_db, "SELECT id, form, state FROM removed") == [(first, "barrio", "replaced")]
    assert (search(lab_db, "antes"), search(lab_db, "despues")) == ([], ["después"])


def test_a_record_that_counts_again_stands_there_again(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    content = lab.answer(idea="una")
    (first,) = lab.put(content)
    lab.put(content | {"lang": "en"})
    fetch()
    assert rows(lab_db, "SELECT id, state FROM removed") == [(first, "contested")]
    with reading(lab.node.app.state.engine) as session:
        sha256 = session.connection().exec_driver_sql("SELECT sha256 FROM record").scalar()
    say(lab, make_decision(first, "use", bytes(sha256 or b"").hex(), "ana@ejemplo.pa"))
    fetch()
    assert rows(lab_db, "SELECT id, _state FROM barrio") == [(first, "usable")]
    assert rows(lab_db, "SELECT count(*) FROM removed") == [(0,)]


def test_a_record_that_was_given_another_form_leaves_the_table_of_the_first(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    (first,) = lab.put(lab.record("barrrio", {"idea": "agua"}))
    fetch()
    assert rows(lab_db, "SELECT id FROM barrrio") == [(first,)]
    with reading(lab.node.app.state.engine) as session:
        sha256 = session.connection().exec_driver_sql("SELECT sha256 FROM record").scalar()
    say(lab, make_decision(first, "use", bytes(sha256 or b"").hex(), "ana@ejemplo.pa", "barrio", "1"))
    fetch()
    assert (rows(lab_db, "SELECT id FROM barrrio"), rows(lab_db, "SELECT id, idea FROM barrio")) == (
        [],
        [(first, "agua")],
    )
    assert search(lab_db, "agua") == ["agua"]


# --- texts


def test_a_search_knows_no_accents_nor_capitals_and_rows_of_repeats_are_in_it(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    lab.publish(visitas_xml())
    (first,) = lab.put(lab.answer(idea="El RÍO Ñuñoa crece"))
    (second,) = lab.put(lab.record("visitas", ANSWERS))
    fetch()
    assert search(lab_db, "rio nunoa") == ["El RÍO Ñuñoa crece"]
    assert search(lab_db, "crec*") == ["El RÍO Ñuñoa crece"]
    assert rows(lab_db, "SELECT form, record, question FROM search WHERE search MATCH 'jose'") == [
        ("visitas", second, "casa/persona/nombre")
    ]
    assert rows(lab_db, 'SELECT "table", "row" FROM texts WHERE text = \'José\'') == [
        ("visitas_persona", f"{second}/casa/persona[2]")
    ]
    assert rows(lab_db, "SELECT record FROM texts WHERE form = 'barrio'") == [(first,)]


def test_a_word_of_an_erased_record_is_in_no_byte_of_the_file(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    kept, erased = lab.put(lab.answer(idea="el cocobolo"), lab.answer(idea="Guarumo y guarumito"))
    lab.put(*(lab.answer(idea=f"texto {number}") for number in range(50)))
    fetch(page_records=10)
    assert b"uarumo" in lab_db.read_bytes() and search(lab_db, "guarumo") != []
    lab.erase(erased)
    fetch()
    assert search(lab_db, "guarumo OR guarumito") == [] and search(lab_db, "cocobolo") == ["el cocobolo"]
    assert b"uarum" not in lab_db.read_bytes()
    assert rows(lab_db, "SELECT id, state FROM removed") == [(erased, "erased")]
    assert rows(lab_db, "INSERT INTO search (search) VALUES ('integrity-check')") == []
    assert rows(lab_db, f"SELECT count(*) FROM barrio WHERE id = '{kept}'") == [(1,)]


def test_answers_of_a_form_that_comes_later_are_found_when_it_comes(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.publish(visitas_xml("1", "otras"))
    lab.put(lab.record("visitas", ANSWERS))
    fetch()
    assert search(lab_db, "jose") == []  # nobody knows yet what is a text and what a choice
    lab.publish(visitas_xml())
    fetch()
    assert search(lab_db, "jose") == ["José"]
    assert fetch().read == 0


def test_a_file_of_an_earlier_release_gets_its_texts_its_reviews_and_its_search(
    lab: Lab, fetch: Pull, lab_db: Path
) -> None:
    lab.put(lab.answer(idea="el río"))
    fetch()
    database = Database(lab_db)
    for name in ("search", "texts", "removed"):
        database.table(name).drop()
    database.table("barrio").transform(drop={"_review"})
    database.table("_pull").transform(drop={"tag", "forms"})
    database.close()
    assert fetch().read == 0
    assert search(lab_db, "rio") == ["el río"]
    (second,) = lab.put(lab.answer(idea="la luz"))
    fetch()
    assert rows(lab_db, "SELECT _review FROM barrio ORDER BY _n") == [(None,), ("received",)]
    assert search(lab_db, "luz") == ["la luz"] and rows(lab_db, "SELECT record FROM texts WHERE text = 'la luz'") == [
        (second,)
    ]


def test_a_table_of_other_use_that_is_called_texts_is_left_alone(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    fetch()
    database = Database(lab_db)
    for name in ("search", "texts"):
        database.table(name).drop()
    database.execute("CREATE TABLE texts (mio TEXT)")
    database.close()
    assert problem(fetch) == "pull_file_unusable"
    assert rows(lab_db, "SELECT name FROM pragma_table_info('texts')") == [("mio",)]


# --- quick rows and slow rows


def _placed(form: Form) -> FormTable:
    table = FormTable("visitas", set())
    place_version(tables_of([form]), table)
    return table


@given(st.one_of(st.just(ANSWERS), st.dictionaries(st.sampled_from(KEYS), st.one_of(st.text(), JSON), max_size=6)))
def test_quick_rows_hold_what_slow_rows_hold(answers: dict[str, Any]) -> None:
    entry = {
        "id": "i", "n": 3, "version": "1", "received": "t", "state": "usable", "review": "approved", "via_origin": "x",
        "record": {"started": "a", "finished": "b", "lang": "es", "answers": answers},
    }  # fmt: skip
    table = _placed(visitas())
    quick = quick_rows(plan_of(table, "1"), entry)
    slow = [(each.name, dict(zip(each.types, row, strict=False))) for each, row in slow_rows(table, entry, True)]
    if quick is not None:
        assert [(each.name, dict(zip(each.types, row, strict=True))) for each, row in quick] == slow


def test_an_ordinary_record_has_quick_rows_and_an_odd_one_has_none() -> None:
    entry = {"id": "i", "n": 3, "version": "1", "received": "t", "state": "usable", "via_origin": "x"}
    plan = plan_of(_placed(visitas()), "1")
    found = quick_rows(plan, entry | {"record": {"answers": ANSWERS}})
    assert found is not None and len(found) > 3
    for odd in ODD:
        assert quick_rows(plan, entry | {"record": odd}) is None or isinstance(odd, dict)
    assert quick_rows(plan, entry | {"record": {"answers": {"nadie": "1"}}}) is None


def test_a_file_whose_columns_somebody_moved_is_written_all_the_same(lab: Lab, fetch: Pull, lab_db: Path) -> None:
    lab.put(lab.answer(idea="una"))
    fetch()
    database = Database(lab_db)
    database.table("barrio").transform(column_order=["idea", "edad", "id"])
    database.close()
    lab.put(lab.answer(idea="otra", edad="7"))
    fetch()
    assert rows(lab_db, "SELECT idea, edad, _lang FROM barrio ORDER BY _n") == [("una", None, "es"), ("otra", 7, "es")]


# --- the line


class Between:
    """A door between a program and a node that counts the bytes, and can be shut in the middle of an answer."""

    def __init__(self, port: int) -> None:
        self.bytes = 0
        self.requests = 0
        self.cut_after: int | None = None  # bytes of answers
        self._port, self._listener = port, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                asker, _ = self._listener.accept()
            except OSError:
                return
            node = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._pass, args=(asker, node, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(node, asker, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        try:
            while piece := source.recv(65536):
                self.bytes += len(piece)
                self.requests += 0 if is_answer else piece.count(b" HTTP/1.1\r\n")
                if is_answer and self.cut_after is not None:
                    self.cut_after -= len(piece)
                    if self.cut_after < 0:
                        self.cut_after = None
                        target.sendall(piece[: len(piece) // 2])
                        break
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            with closing(end), suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone tells nobody while the other thread waits at it

    def close(self) -> None:
        self._listener.close()


@contextmanager
def between(lab: Lab) -> Iterator[Between]:
    door = Between(lab.node.port)
    yield door
    door.close()


def test_nothing_new_is_one_request_and_at_most_600_bytes_both_ways(lab: Lab, lab_db: Path) -> None:
    lab.put(*(lab.answer(idea="x" * 200) for _ in range(30)))
    token = lab.token()
    with between(lab) as door:
        assert pull(door.url, token, lab_db).read == 30
        before, door.bytes, door.requests = whole(lab_db), 0, 0
        assert pull(door.url, token, lab_db).read == 0
        assert (door.requests, door.bytes <= 600) == (1, True), door.bytes
    assert whole(lab_db) == before


def test_a_line_that_is_cut_in_an_answer_is_tried_again_from_the_same_place(lab: Lab, lab_db: Path) -> None:
    lab.put(*(lab.answer(idea="x" * 400) for _ in range(40)))
    waits: list[float] = []
    with between(lab) as door, httpx.Client(timeout=20) as http:
        line = NodeLine(http, door.url, lab.token(), retries=3, sleep=waits.append)
        line.forms()
        door.cut_after = 2000
        page = line.page({"after": 0, "limit": 40})
        assert len(page.records) == 40  # type: ignore[union-attr]
    assert waits == [1.0]


def test_a_pull_goes_on_over_a_line_that_is_cut(lab: Lab, lab_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    ids = lab.put(*(lab.answer(idea="x" * 400) for _ in range(40)))
    with between(lab) as door:

        def cut(position: int, last: int) -> None:
            door.cut_after = 100 if position == 10 else door.cut_after

        pull(door.url, lab.token(), lab_db, cut, page_records=10)
    assert [record for (record,) in rows(lab_db, "SELECT id FROM barrio ORDER BY _n")] == ids


def test_a_line_that_stays_cut_is_told_and_what_was_written_stays(lab: Lab, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(40)))

    def away(request: httpx.Request) -> httpx.Response:
        if "after=20" in str(request.url):
            raise httpx.ReadError("cortado")
        return httpx.request(request.method, request.url, headers=request.headers)

    with httpx.Client(transport=httpx.MockTransport(away)) as http:
        told = problem(lambda: pull(lab.node.url, lab.token(), lab_db, http=http, page_records=10, retries=0))
    assert told == "pull_unreachable"
    assert rows(lab_db, "SELECT next, (SELECT count(*) FROM barrio) FROM _pull") == [(20, 20)]


def test_a_page_that_is_not_whole_is_refused(lab: Lab, lab_db: Path) -> None:
    lab.put(*(lab.answer() for _ in range(5)))

    def shorten(request: httpx.Request) -> httpx.Response:
        answer = httpx.request(request.method, request.url, headers=request.headers)
        content = answer.json()
        content["records"] = content.get("records", [])[:-1]
        return httpx.Response(200, headers={"X-Collector": "1"}, json=content)

    with httpx.Client(transport=httpx.MockTransport(shorten)) as http:
        assert problem(lambda: pull(lab.node.url, lab.token(), lab_db, http=http)) == "upstream_strange"


def test_a_feed_that_ends_before_its_log_is_refused(lab: Lab, lab_db: Path) -> None:
    def end(request: httpx.Request) -> httpx.Response:
        answer = httpx.request(request.method, request.url, headers=request.headers)
        return httpx.Response(200, headers={"X-Collector": "1"}, json=answer.json() | {"more": False})

    lab.put(*(lab.answer() for _ in range(5)))
    with httpx.Client(transport=httpx.MockTransport(end)) as http:
        told = problem(lambda: pull(lab.node.url, lab.token(), lab_db, http=http, page_records=3))
    assert told == "upstream_strange"


def test_a_node_that_asks_to_wait_is_waited_for(lab: Lab) -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "7", "X-Collector": "1"})])

    def busy(request: httpx.Request) -> httpx.Response:
        return next(answers, None) or httpx.request(request.method, request.url, headers=request.headers)

    waits: list[float] = []
    with httpx.Client(transport=httpx.MockTransport(busy)) as http:
        line = NodeLine(http, lab.node.url, lab.token(), sleep=waits.append)
        assert [form["form_id"] for form in line.forms()] == ["barrio"]
    assert waits == [7]


@pytest.mark.parametrize(("scope", "code"), [("aggregates", "scope_missing"), ("records", "")])
def test_a_pull_says_what_the_node_says_of_its_token(
    lab: Lab, lab_db: Path, scope: str, code: str, make_token: Callable[..., str]
) -> None:
    lab.put(lab.answer())
    try:
        pull(lab.node.url, make_token(scope), lab_db)
        told = ""
    except ProblemError as error:
        told = error.problem.code
    assert told == code


@pytest.fixture
def make_token(lab: Lab) -> Callable[..., str]:
    """Give a function that makes a token of a scope."""
    from collector import people

    def make(scope: str) -> str:
        with writing(lab.node.app.state.engine) as session:
            return people.make_token(session, "t", scope, purpose="pruebas")

    return make


def test_a_pull_says_what_it_is_for(lab: Lab, lab_db: Path) -> None:
    lab.put(lab.answer())
    pull(lab.node.url, lab.token(), lab_db, purpose="Informe de inversión")
    with reading(lab.node.app.state.engine) as session:
        assert [(it.purpose, it.count) for it in list_entries(session, action="export")] == [
            ("Informe de inversion", 1)
        ]
