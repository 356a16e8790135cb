"""Odd input to pages and commands, and what stays of an erased record where nothing is sent by itself."""

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from collector import people
from collector.cli.main import cli
from collector.db import reading, writing
from collector.problems import ProblemError
from collector.pull.client import pull
from collector.queries.records import ingest
from sync.address import whole_address
from sync.statements import made, make_tombstone
from tests.conftest import Node, submission

SECRET = "Una palabra que nadie mas dice: guarumo"
HTML = {"Accept": "text/html"}
Login = Callable[[Node], httpx.Client]


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("campo")
    publish(one, "confianza")
    return one


def keep(node: Node, *contents: dict[str, object]) -> None:
    with writing(node.app.state.engine) as session:
        ingest(session, [made(dict(content)) for content in contents], 1)


def on_disk(node: Node) -> bytes:
    return b"".join(path.read_bytes() for path in node.data_dir.iterdir() if path.is_file())


# --- what stays of an erased record


def test_erased_bytes_leave_the_disk_also_where_nothing_is_sent_by_itself(node: Node) -> None:
    content = submission(answers={"edad": SECRET})
    keep(node, content)
    with writing(node.app.state.engine) as session:
        ingest(session, [make_tombstone(str(content["id"]), "person", "")], 1)
    assert b"guarumo" in on_disk(node)
    node.app.state.kick()
    deadline = time.monotonic() + 10
    while b"guarumo" in on_disk(node):
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.05)


def test_the_thank_you_page_of_an_erased_record_leads_to_where_it_says_so(node: Node) -> None:
    content = submission()
    keep(node, content)
    address = f"{node.url}/r/{content['id']}"
    assert "Su respuesta llegó" in httpx.get(address, headers=HTML).text
    statement = make_tombstone(str(content["id"]), "person", "")
    with writing(node.app.state.engine) as session:
        ingest(session, [statement], 1)
    answer = httpx.get(address, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/respuesta/{content['id']}")
    assert httpx.get(f"{node.url}/r/{statement.id}", headers=HTML).status_code == 404


def test_a_pulled_file_is_told_to_zero_what_it_deletes(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    connect = sqlite3.connect

    def listening(*given: object, **named: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*given, **named)  # type: ignore[call-overload]
        connection.set_trace_callback(said.append)
        return connection

    with writing(node.app.state.engine) as session:
        token = people.make_token(session, "R")
    content = submission(answers={"edad": SECRET})
    keep(node, content)
    monkeypatch.setattr(sqlite3, "connect", listening)
    pull(node.url, token, tmp_path / "lab.db")
    assert any(re.match(r"PRAGMA secure_delete\s*=\s*ON", text, re.I) for text in said)
    assert b"guarumo" in (tmp_path / "lab.db").read_bytes()
    with writing(node.app.state.engine) as session:
        ingest(session, [make_tombstone(str(content["id"]), "person", "")], 1)
    pull(node.url, token, tmp_path / "lab.db")
    assert b"guarumo" not in (tmp_path / "lab.db").read_bytes()


# --- odd input


def test_a_reason_with_a_null_character_is_kept_without_it(node: Node, lab_login: Login) -> None:
    content, doubtful = submission(), submission()
    keep(node, content, doubtful)
    lab = lab_login(node)
    answer = lab.post(f"/lab/records/{content['id']}/borrar", data={"reason": "lo\0pidió\0"})
    assert answer.status_code == 200 and "lo pidió" in answer.text
    assert lab.post(f"/lab/records/{doubtful['id']}/borrar", data={"reason": "\0"}).status_code == 422


def test_a_decision_with_a_null_character_in_its_reason_is_taken(node: Node, lab_login: Login) -> None:
    content = submission()
    keep(node, content, content | {"lang": "en"})
    lab = lab_login(node)
    pick = re.search(r'name="pick" value="([^"]+)"', lab.get(f"/lab/cuarentena/{content['id']}").text)
    assert pick is not None
    fields = {"pick": pick[1], "action": "use", "reason": "dos\0veces", "form": ""}
    assert lab.post(f"/lab/cuarentena/{content['id']}", data=fields).status_code == 200
    assert "dos veces" in lab.get("/lab/cuarentena/resueltos").text


def test_a_receipt_form_with_too_many_fields_is_refused_in_words(node: Node, lab_login: Login) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = lab_login(node).post("/equipo/paquetes/recibo", content="a=1&" * 9, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_qr_is_only_made_of_a_form_that_is_here(node: Node) -> None:
    with writing(node.app.state.engine) as session:
        people.set_pin(session, "2468")
    with httpx.Client(base_url=node.url, headers={"Accept": "application/json"}) as browser:
        browser.post("/equipo/pin", data={"pin": "2468"})
        assert browser.get("/equipo/qr/confianza.svg").headers["content-type"].startswith("image/svg+xml")
        assert browser.get(f"/equipo/qr/{'2' * 5000}.svg").json()["code"] == "form_not_found"


@pytest.mark.parametrize("typed", ["", "http://", "http://[", "ftp://x", "http://x y", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_told_before_anybody_is_asked(typed: str) -> None:
    with pytest.raises(ProblemError) as caught:
        whole_address(typed)
    assert caught.value.problem.code == "address_needed"


def test_the_command_completes_an_address_as_the_page_does(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["enrol", "ftp://x", "ABCD-2345", "--data", str(tmp_path / "campo")])
    assert isinstance(done.exception, ProblemError) and done.exception.problem.code == "address_needed"
    assert not (tmp_path / "campo").exists()


# --- tokens


def test_a_token_is_withdrawn_by_its_name_and_an_unknown_name_is_told(node: Node) -> None:
    engine = node.app.state.engine
    with writing(engine) as session:
        token = people.make_token(session, "R")
    words = ["token", "drop", "R", "--data", str(node.data_dir)]
    assert "Retirados: 1." in CliRunner().invoke(cli, words).output
    with reading(engine) as session:
        assert people.check_token(session, token) is None
    again = CliRunner().invoke(cli, words).exception
    assert isinstance(again, ProblemError) and again.problem.code == "token_unknown"
