"""A tablet of the previous release: its store is brought up and sends all, its requests are still understood.

How the store itself is brought up, killed in the middle too, stands in tests/store/test_migrations.py.
"""

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from collector.clock import now_ms
from collector.db import reading, schema_of, writing
from collector.queries import blobs, nodes
from collector.tables import SCHEMA_VERSION
from collector.tables.nodes import EnrolCode
from sync.push import SyncState, enrol
from tests.faults.rig import Rig, Tablet

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "previous_release"
PHOTO = "4f6bcb1c47e4358db70938f6cd8e49f9f75d05a7936607995cfef07d792ff7ab"
# what that release takes from a hello; it stops when one is missing
READ_OF_HELLO = {"protocol", "node_id", "central", "limits", "cursors", "receipts", "forms_etag", "blobs"}


def make_store(folder: Path) -> Path:
    """Make the store as that release left it."""
    folder.mkdir()
    file = folder / "collector.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript((FIXTURES / "store.sql").read_text())
        database.execute("PRAGMA journal_mode=WAL")
    return file


def entries(file: Path) -> set[tuple[str, bytes, str]]:
    """Return id, hash and body of all that a store holds."""
    with closing(sqlite3.connect(file)) as database:
        statement = "SELECT id, sha256, body FROM record UNION ALL SELECT id, sha256, body FROM quarantine"
        return {(row[0], bytes(row[1]), str(row[2])) for row in database.execute(statement)}


def at_central(rig: Rig) -> set[tuple[str, bytes, str]]:
    return entries(rig.folder / "central" / "collector.db")


def photo_at_central(rig: Rig) -> bool:
    with reading(rig.central.app.state.engine) as session:
        held = blobs.held(session, [PHOTO])
    return PHOTO in held and held[PHOTO].is_whole


def test_its_store_is_brought_up_and_sends_all_it_has(rig: Rig) -> None:
    file = make_store(rig.folder / "vieja")
    before = entries(file)
    assert len(before) == 5
    tablet = Tablet(file.parent, "vieja", lambda _content: "", f"sqlite:///{file}")
    rig.tablets.append(tablet)
    assert schema_of(tablet.engine) == SCHEMA_VERSION and entries(file) == before
    with writing(rig.central.app.state.engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    enrol(tablet.engine, tablet.http, rig.proxy.url, code, "vieja")
    new = tablet.capture(2)
    state = SyncState()
    assert tablet.sync(state).error == "" and tablet.sync(state).error == ""
    assert at_central(rig) >= before and len(at_central(rig)) == 7
    assert {entry[0] for entry in at_central(rig)} >= set(new) and photo_at_central(rig)
    assert tablet.status().counts.central == 7


def test_its_requests_are_answered_as_it_expects(rig: Rig) -> None:
    requests = json.loads((FIXTURES / "requests.json").read_text())
    wish = json.loads(base64.b64decode(requests[0]["body"]))
    code = "".join(letter for letter in wish["code"] if letter.isalnum())
    with writing(rig.central.app.state.engine) as session:
        session.add(EnrolCode(code_sha256=nodes.hash_token(code), expires_ms=now_ms() + 60_000))
    answers = repeat(rig, requests)
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]
    assert answers[0].json()["node_id"] == wish["node_id"]
    hello, batch = answers[1].json(), answers[2].json()
    assert hello.keys() >= READ_OF_HELLO and hello["protocol"] == 1
    assert (batch["node"], batch["cursor"], batch["central"]) == (hello["node_id"], 5, True)
    assert batch["outcomes"]["duplicate"] == [] and len(batch["outcomes"]["quarantined"]) == 1
    assert at_central(rig) == entries(make_store(rig.folder / "vieja"))
    assert photo_at_central(rig)


def test_its_requests_repeated_change_nothing(rig: Rig) -> None:
    requests = json.loads((FIXTURES / "requests.json").read_text())
    wish = json.loads(base64.b64decode(requests[0]["body"]))
    code = "".join(letter for letter in wish["code"] if letter.isalnum())
    with writing(rig.central.app.state.engine) as session:
        session.add(EnrolCode(code_sha256=nodes.hash_token(code), expires_ms=now_ms() + 60_000))
    token = repeat(rig, requests)[0].json()["token"]
    before = at_central(rig)
    again = repeat(rig, requests[1:], token)
    assert len(again[1].json()["outcomes"]["duplicate"]) == 5 and at_central(rig) == before


def repeat(rig: Rig, requests: list[dict[str, Any]], token: str = "") -> list[httpx.Response]:
    """Send what that tablet sent, with the token of this central."""
    answers = []
    for request in requests:
        headers = request["headers"] | ({"Authorization": f"Bearer {token}"} if token else {})
        body = base64.b64decode(request["body"])
        answer = httpx.request(request["method"], rig.central.url + request["path"], headers=headers, content=body)
        token = token or answer.json()["token"]
        answers.append(answer)
    return answers
