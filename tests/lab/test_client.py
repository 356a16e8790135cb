"""`collector.client`: rows in Python from a cursor on, and as frames, with nothing left out in silence."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from collector import people
from collector.client import Client
from collector.db import writing
from collector.problems import ProblemError
from collector.queries.records import ingest
from sync.statements import made
from tests.lab.conftest import MOMENT_MS, Lab
from tests.lab.test_repeats import ANSWERS
from tests.lab.visitas import visitas_xml

ALONE = """
import json, sys
sys.modules["pandas"] = None
from collector.client import Client
with Client(sys.argv[1], sys.argv[2]) as client:
    rows = list(client.table("barrio"))
    try:
        client.table("barrio").frame()
    except ImportError as error:
        said = str(error)
heavy = ("sqlalchemy", "sqlmodel", "fastapi", "starlette", "pydantic", "sqlite_utils", "jinja2", "pyxform")
print(json.dumps([len(rows), [name for name in heavy if name in sys.modules], said]))
"""


@pytest.fixture
def client(lab: Lab) -> Iterator[Client]:
    """Give a client with a token, in pages of three records."""
    with Client(lab.node.url, lab.token(), purpose="pruebas", page_records=3) as client:
        yield client


def code(act: Callable[[], Any]) -> str:
    with pytest.raises(ProblemError) as caught:
        act()
    return caught.value.problem.code


def test_rows_have_the_columns_and_types_of_a_pulled_file(lab: Lab, client: Client) -> None:
    content = lab.answer(edad="41", pago="2.50", temas="luz", gusta="si", idea="ñ")
    lab.put(content, lab.answer())
    rows = client.table("barrio")
    first, second = rows
    assert (first["id"], first["_n"], first["edad"], first["pago"]) == (content["id"], 1, 41, 2.5)
    assert (first["temas"], first["temas/agua"], first["temas/luz"], first["_review"]) == ("luz", 0, 1, "received")
    assert list(first) == list(second) == rows.columns and second["temas/agua"] is None


def test_since_a_cursor_come_only_what_is_new_or_changed(lab: Lab, client: Client) -> None:
    ids = lab.put(*(lab.answer() for _ in range(8)))
    rows = client.table("barrio")
    assert [row["id"] for row in rows] == ids
    again = client.table("barrio", since=rows.cursor)
    assert (list(again), again.cursor) == ([], rows.cursor)
    (new,) = lab.put(lab.answer())
    lab.put(lab.record("otra", {"x": "1"}))
    edit = lab.answer() | {"kind": "edit", "replaces": ids[2]}
    with writing(lab.node.app.state.engine) as session:
        ingest(session, [made(edit)], MOMENT_MS)
    lab.erase(ids[4])
    later = client.table("barrio", since=rows.cursor)
    assert {row["id"] for row in later} == {new, edit["id"]}
    assert later.removed == {ids[2], ids[4]}
    assert [row["id"] for row in client.table("barrio", since="2026-11-20")] != []
    assert list(client.table("barrio", since="2027-06-01")) == []


def test_who_stops_in_the_middle_goes_on_without_a_gap(lab: Lab, client: Client) -> None:
    ids = lab.put(*(lab.answer() for _ in range(8)))
    rows = client.table("barrio")
    seen = [next(rows)["id"] for _ in range(5)]
    seen += [row["id"] for row in client.table("barrio", since=rows.cursor)]
    assert list(dict.fromkeys(seen)) == ids and len(seen) <= len(ids) + 3


def test_a_repeat_is_a_table_by_its_name_or_its_last_part(lab: Lab, client: Client) -> None:
    lab.publish(visitas_xml())
    (record,) = lab.put(lab.record("visitas", ANSWERS))
    people_there = list(client.table("visitas", "casa/persona"))
    assert [(row["_row"], row["nombre"], row["_parent"]) for row in people_there] == [
        (1, "Ana", record),
        (2, "José", record),
    ]
    assert list(client.table("visitas", "persona")) == people_there
    assert {row["_parent"] for row in client.table("visitas", "visita")} == {people_there[0]["id"]}
    assert code(lambda: list(client.table("visitas", "nadie"))) == "repeat_unknown"
    assert code(lambda: list(client.table("nadie"))) == "form_not_found"


def test_labels_stand_in_place_of_choices_when_asked(lab: Lab, client: Client) -> None:
    lab.put(lab.answer(temas="luz agua", gusta="si", idea="si"))
    (spanish,) = client.table("barrio", labels="es")
    (english,) = client.table("barrio", labels="English (en)")
    assert (spanish["gusta"], spanish["temas"], spanish["idea"]) == ("Sí", "Luz · Agua", "si")
    assert (english["gusta"], english["lugar-municipio"]) == ("Yes", "San Miguelito")


def test_a_frame_has_whole_numbers_and_each_record_once_as_it_was_last(lab: Lab, client: Client) -> None:
    lab.publish(visitas_xml())
    ids = lab.put(*(lab.answer(edad=str(20 + number), pago="1.5") for number in range(4)), lab.answer())
    lab.put(lab.record("visitas", ANSWERS))
    lab.erase(ids[0])
    frame = client.table("barrio").frame()
    assert list(frame["id"]) == ids[1:] and str(frame["edad"].dtype) == "Int64"
    assert frame["edad"].sum() == 21 + 22 + 23 and frame["edad"].isna().sum() == 1
    assert str(frame["pago"].dtype) == "float64"
    rows = client.table("visitas", "persona").frame()
    assert list(rows["nombre"]) == ["Ana", "José"]
    empty = client.table("barrio", since="2027-06-01").frame()
    assert len(empty) == 0 and "idea" in empty.columns


def test_answers_of_a_form_that_is_published_while_reading_get_their_types(lab: Lab, client: Client) -> None:
    lab.put(*(lab.answer("1") for _ in range(3)), lab.answer("2", hijos="3"))
    rows = client.table("barrio")
    next(rows)
    lab.install("2")
    assert [row.get("hijos") for row in rows] == [None, None, 3]


def test_a_line_that_is_cut_is_taken_up_where_it_was(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    ids = lab.put(*(lab.answer() for _ in range(10)))
    asked: list[str] = []

    def often_cut(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if len(asked) % 3 == 0:
            raise httpx.RemoteProtocolError("cortado")
        return httpx.request(request.method, request.url, headers=request.headers)

    with httpx.Client(transport=httpx.MockTransport(often_cut)) as http:
        client = Client(lab.node.url, lab.token(), page_records=2, http=http)
        assert [row["id"] for row in client.table("barrio")] == ids
    assert len(asked) > len(set(asked))


def test_a_page_with_fewer_records_than_it_says_is_refused(lab: Lab) -> None:
    lab.put(*(lab.answer() for _ in range(4)))

    def lose(request: httpx.Request) -> httpx.Response:
        answer = httpx.request(request.method, request.url, headers=request.headers)
        content = answer.json()
        if "records" in content:
            del content["records"][1]
        return httpx.Response(200, headers={"X-Collector": "1"}, json=content)

    with httpx.Client(transport=httpx.MockTransport(lose)) as http:
        assert code(lambda: list(Client(lab.node.url, lab.token(), http=http).table("barrio"))) == "upstream_strange"


def test_what_the_token_does_not_open_is_said(lab: Lab) -> None:
    with writing(lab.node.app.state.engine) as session:
        token = people.make_token(session, "t", "aggregates", purpose="pruebas")
    lab.put(lab.answer(gusta="si"))
    with Client(lab.node.url, token) as client:
        assert code(lambda: list(client.table("barrio"))) == "scope_missing"
        assert client.counts("barrio")["k"] == 5
        assert [form["form_id"] for form in client.forms()] == ["barrio"]
    with Client(lab.node.url, "col_nada") as client:
        assert code(lambda: list(client.table("barrio"))) == "token_invalid"
    assert code(lambda: Client("central.ejemplo.pa", "col_nada")) == "bad_request"


def test_it_takes_httpx_alone_and_says_when_pandas_is_missing(lab: Lab) -> None:
    lab.put(*(lab.answer() for _ in range(3)))
    command = [sys.executable, "-c", ALONE, lab.node.url, lab.token()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    count, heavy, said = json.loads(done.stdout)
    assert (count, heavy) == (3, []) and "pip install pandas" in said
