"""Bad input gets a clear answer that says what happened and what to do, and changes nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.app import create_app
from collector.db import reading
from collector.forms.check import check
from collector.forms.xform import read_xform
from collector.problems import ProblemError
from collector.queries import records
from collector.settings import Settings
from tests.conftest import Node, submission
from tests.stored import count_entries

PAGE = "/f/confianza/2026112200"


def collector(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COLLECTOR_")}
    return subprocess.run(
        [sys.executable, "-m", "collector.cli", *words], capture_output=True, text=True, timeout=60, env=environment
    )


def stored(node: Node) -> int:
    with reading(node.app.state.engine) as session:
        return count_entries(session)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vacio.xlsx", b"", "vac"),
        ("foto.xlsx", b"\x89PNG\r\n\x1a\n" + b"x" * 500, ".xlsx"),
        ("encuesta.pdf", b"%PDF-1.7", "pdf"),
        ("grande.csv", b"x" * (50 * 1024 * 1024), "MB"),
        ("notas.md", b"# Solo texto\n", "survey"),
    ],
)
def test_a_file_that_is_no_form_is_refused_with_a_sentence_and_nothing_is_published(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    done = collector("form", "publish", str(file), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert says in done.stdout and "Nada cambió" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


def test_a_file_that_does_not_exist_is_named() -> None:
    done = collector("form", "check", "no-hay.xlsx")
    assert (done.returncode, "no-hay.xlsx" in done.stderr) == (1, True)


def test_the_report_as_json_has_the_agreed_keys_and_exit_1(tmp_path: Path) -> None:
    file = tmp_path / "mala.md"
    file.write_text(
        "| survey |\n| | type | name | label | relevant |\n"
        "| | text | a | A | foo(${a}) |\n| | select_one nada | b | B | |\n"
    )
    done = collector("form", "check", str(file), "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(report) == {"form_id", "version", "problems", "questions"}
    errors = {(p["row"], p["column"]): p for p in report["problems"] if p["severity"] == "error"}
    assert {(2, "relevant"), (3, "type")} <= set(errors)
    assert all(set(p) == {"severity", "sheet", "row", "column", "cell", "message", "hint"} for p in report["problems"])


def test_a_version_already_published_with_other_content_is_refused(tmp_path: Path) -> None:
    sheet = (
        "| survey |\n| | type | name | label |\n| | text | a | {label} |\n"
        "| settings |\n| | form_id | version |\n| | f | 1 |\n"
    )
    for label, code in (("A", 0), ("A", 0), ("B", 1)):
        (tmp_path / "f.md").write_text(sheet.format(label=label))
        done = collector("form", "publish", str(tmp_path / "f.md"), "--data", str(tmp_path / "data"))
        assert done.returncode == code, done.stdout + done.stderr
    assert "version" in done.stderr


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    create_app(Settings(data_dir=tmp_path, sync_seconds=0)).state.engine.dispose()
    with sqlite3.connect(tmp_path / "collector.db") as database:
        database.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    database.close()
    with pytest.raises(ProblemError, match="999"):
        create_app(Settings(data_dir=tmp_path, sync_seconds=0))
    done = collector("status", "--data", str(tmp_path))
    assert done.returncode == 1 and "versión más nueva" in done.stderr


def test_an_answer_outside_the_choices_is_refused_beside_its_field(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    node = make_node()
    publish(node, "confianza")
    answer = httpx.post(node.url + PAGE, data={"_page": "0", "_go": "next", "edad": "inventada"})
    assert answer.status_code == 422
    assert "Elija una de las opciones" in answer.text
    assert stored(node) == 0


def test_a_record_with_answers_outside_the_choices_is_kept_and_flagged(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], send_outbox: Callable[..., httpx.Response]
) -> None:
    node = make_node()
    publish(node, "confianza")
    content = submission(answers={"edad": "inventada", "otra": "cosa", "numero": 3})
    assert send_outbox(node, content).json()["results"] == {content["id"]: "stored"}
    with reading(node.app.state.engine) as session:
        record = records.record_by_id(session, str(content["id"]))
    assert record is not None
    found = {(flag["key"], flag["what"]) for flag in json.loads(record.flags)}
    assert {("edad", "choice"), ("otra", "unknown"), ("numero", "not_text"), ("brecha", "required")} <= found


def test_a_post_of_10_mb_is_refused_before_it_is_read(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    node = make_node()
    publish(node, "confianza")
    body = b"edad=" + b"x" * (10 * 1024 * 1024)
    answer = httpx.post(node.url + PAGE, content=body, headers={"Accept": "text/html"})
    assert answer.status_code == 413
    assert "límite" in answer.text and stored(node) == 0


def test_a_post_from_another_page_is_refused(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    node = make_node()
    publish(node, "confianza")
    answer = httpx.post(node.url + PAGE, data={"_go": "next"}, headers={"Origin": "http://otra.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "other_origin")


@pytest.mark.parametrize(
    "path", ["/nada", "/f/nada", "/f/nada/1", "/r/nada", "/static/x/nada.js", "/f/nada/1/form.json"]
)
def test_an_address_that_leads_nowhere_says_so_to_people_and_programs(
    make_node: Callable[..., Node], path: str
) -> None:
    node = make_node()
    page = httpx.get(node.url + path, headers={"Accept": "text/html", "Accept-Language": "es"})
    assert page.status_code == 404 and "Volver al inicio" in page.text
    program = httpx.get(node.url + path)
    assert program.headers["content-type"] == "application/problem+json" and program.json()["status"] == 404


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["edad", "lugar/provincia", "brecha", "x"]) | st.text(), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
)
def test_the_check_of_a_record_raises_on_no_json(starter_xforms: dict[str, str], answers: object) -> None:
    form = read_xform(starter_xforms["servicios"])
    check(form, answers, (0, 0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(
        st.sampled_from(["_page", "_go", "_id", "_started", "_lang", "_language", "edad", "lugar/provincia"])
        | st.text(),
        st.text() | st.sampled_from(["next", "send", "back", "-1", "99999", "0"]),
        max_size=6,
    )
)
def test_no_post_of_a_form_makes_the_node_fail(form_node: Node, fields: dict[str, str]) -> None:
    clean = {k.encode("utf-8", "replace").decode(): v.encode("utf-8", "replace").decode() for k, v in fields.items()}
    assert httpx.post(form_node.url + PAGE, data=clean).status_code < 500


@pytest.fixture
def form_node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    node = make_node()
    publish(node, "confianza")
    return node


@pytest.mark.parametrize(
    ("question", "version", "says"),
    [
        ("| text | a | A | |", "..", "no puede ser «..»"),
        ("| text | a | A | |", "current", "no puede ser «current»"),
        ("| text | _page | A | |", "1", "«_page»"),
        ("| text | a | A | regex(., '^(a+)+$') |", "1", "puede tardar horas"),
    ],
)
def test_a_form_that_would_break_a_node_is_refused_at_publish(
    tmp_path: Path, question: str, version: str, says: str
) -> None:
    sheet = (
        "| survey |\n| | type | name | label | constraint |\n| {} \n"
        "| settings |\n| | form_id | version |\n| | f | {} |\n"
    )
    (tmp_path / "f.md").write_text(sheet.format(question, version))
    done = collector("form", "check", str(tmp_path / "f.md"))
    assert done.returncode == 1 and says in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({"Origin": "http://[::1"}, {"_go": "next"}),
        ({}, {"_go": "send", "_started": "9999-12-31T23:59:59-14:00"}),
        ({}, {"_go": "send", "_started": "0001-01-01T00:00:00+14:00"}),
    ],
)
def test_odd_headers_and_times_are_answered(form_node: Node, headers: dict[str, str], data: dict[str, str]) -> None:
    whole = {**dict(submission()["answers"]), **data}  # type: ignore[call-overload]
    assert httpx.post(form_node.url + PAGE, data=whole, headers=headers).status_code < 500
    assert httpx.post(f"{form_node.url}/equipo/pin", data={"pin": "1", "next": "http://["}).status_code < 500


def test_a_nodes_own_database_is_no_place_for_a_pull(make_node: Callable[..., Node], tmp_path: Path) -> None:
    node = make_node()
    done = collector("pull", node.url, "--token", "col_x", "--to", str(node.data_dir / "collector.db"))
    assert done.returncode == 1 and "es la base de datos de un equipo" in done.stderr


@pytest.mark.parametrize("words", [("status", "--data", "/dev/null/x"), ("status", "--data", __file__)])
def test_a_data_folder_that_cannot_be_used_is_a_sentence(words: tuple[str, ...]) -> None:
    done = collector(*words)
    assert done.returncode == 1 and "--data" in done.stderr and "Traceback" not in done.stderr


def test_serving_on_a_taken_port_is_a_sentence(make_node: Callable[..., Node], tmp_path: Path) -> None:
    done = collector("serve", "--port", str(make_node().port), "--data", str(tmp_path / "otro"))
    assert done.returncode == 1 and "está ocupado" in done.stderr and "Traceback" not in done.stderr
