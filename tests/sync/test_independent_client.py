"""Somebody else's client, written from the protocol's text, works with a real node; its records arrive."""

import ast
import hashlib
import random
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.app import create_app
from collector.db import reading, writing
from collector.queries import blobs, nodes
from collector.queries.records import ingest
from collector.settings import Settings
from sync.statements import make_tombstone
from tests.sync import independent_client
from tests.sync.conftest import Node
from tests.sync.independent_client import Entry, IndependentNode, Refused


class WholeNode(Node):
    """A node with all that a server has, not the sync routes alone."""

    def open(self) -> None:
        settings = Settings(data_dir=self.file.parent, database_url=self.database_url, name=self.name, sync_seconds=0)
        self.app = create_app(settings)
        self.engine = self.app.state.engine


def record(**given: Any) -> dict[str, Any]:
    """Return a record as section 2 describes it."""
    return {
        "id": str(uuid.uuid4()),
        "kind": "submission",
        "form": "servicios",
        "version": "2026.1",
        "form_sha": "5f0e6a1b2c3d4e5f",
        "started": "2026-11-20T10:39:12.004-05:00",
        "finished": "2026-11-20T10:42:00.123-05:00",
        "lang": "es",
        "salt": "Zm9vYmFyYmF6cXV4",
        "answers": {"agua": "a veces", "nota": 'dijo "rec": ñandú {}'},
        **given,
    }


@pytest.fixture
def central(tmp_path: Path, make_database_url: Callable[[Path], str]) -> Iterator[Node]:
    node = WholeNode(tmp_path, "central", lambda _content: "", make_database_url(tmp_path))
    yield node
    node.close()
    node.http.close()


@pytest.fixture
def stranger(central: Node) -> IndependentNode:
    one = IndependentNode(central.url)
    one.enrol(central.code())
    return one


def test_it_uses_nothing_of_this_project() -> None:
    tree = ast.parse(Path(independent_client.__file__).read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}


def test_its_records_arrive_byte_for_byte_and_count_as_received(central: Node, stranger: IndependentNode) -> None:
    ids = [stranger.add(record()) for _ in range(45)]
    stranger.push()
    assert sorted(ids) == central.ids() and stranger.at_central == set(ids)
    held = dict(central.rows("SELECT id, body FROM record"))
    assert all(held[entry.record_id].encode() == entry.body for entry in stranger.log)
    assert central.ids("quarantine") == []
    stranger.at_central.clear()
    stranger.pull_receipts()
    assert stranger.at_central == set(ids)


def test_a_second_time_everything_is_known_and_hello_says_nothing_new(central: Node, stranger: IndependentNode) -> None:
    stranger.add(record())
    stranger.push()
    assert stranger.send(0, 1)["outcomes"]["duplicate"] == [1]
    told = stranger.hello()
    assert stranger.hello() is told, "304 was expected"


def test_a_batch_beyond_the_cursor_is_sent_from_where_the_receiver_stands(
    central: Node, stranger: IndependentNode
) -> None:
    for _ in range(3):
        stranger.add(record())
    with pytest.raises(Refused, match="cursor_gap") as gap:
        stranger.send(2, 3)
    assert gap.value.problem["cursor"] == 0 and gap.value.problem["epoch"] == stranger.epoch
    stranger.push()
    assert len(central.ids()) == 3


def test_an_erased_entry_stays_in_the_chain_and_a_changed_one_begins_a_new_epoch(
    central: Node, stranger: IndependentNode
) -> None:
    for _ in range(4):
        stranger.add(record())
    stranger.send(0, 2)
    stranger.log[2] = replace(stranger.log[2], body=None)
    stranger.push()
    assert len(central.ids()) == 3
    before = stranger.epoch
    changed = record(id=stranger.log[0].record_id, salt="another salt")
    stranger.log[0] = Entry(changed["id"], hashlib.sha256(independent_client.canonical(changed)).hexdigest(), None)
    stranger.log[0] = replace(stranger.log[0], body=independent_client.canonical(changed))
    stranger.add(record())
    stranger.push()
    assert stranger.epoch != before and len(central.ids()) == 4
    assert central.rows("SELECT id, why FROM quarantine") == [(changed["id"], "conflict")]


def test_a_batch_signed_by_another_key_is_refused(central: Node, stranger: IndependentNode) -> None:
    stranger.add(record())
    right = stranger.key
    stranger.key = IndependentNode("").key
    with pytest.raises(Refused, match="bad_signature"):
        stranger.push()
    assert central.ids() == []
    stranger.key = right
    stranger.push()
    assert len(central.ids()) == 1


def test_a_node_that_enrolled_without_a_key_brings_it_later(central: Node) -> None:
    one = IndependentNode(central.url)
    one.enrol(central.code(), with_key=False)
    assert one.hello()["key"] is False
    one.bring_key()
    one.bring_key()
    assert "key" not in one.hello()
    one.key = IndependentNode("").key
    with pytest.raises(Refused, match="key_differs"):
        one.bring_key()


def test_the_feed_tells_of_erasures_page_by_page(central: Node, stranger: IndependentNode) -> None:
    ids = [stranger.add(record()) for _ in range(3)]
    stranger.push()
    with writing(central.engine) as session:
        ingest(session, [make_tombstone(record_id, "person", "la persona") for record_id in ids], 1_795_000_000_000)
    stranger.pull_feed()
    assert len(stranger.fed) == 3 and {origin for origin, _ in stranger.fed} == {central.id}
    assert all(any(record_id.encode() in body for _, body in stranger.fed) for record_id in ids)
    end = stranger.feed_at
    stranger.pull_feed()
    assert (len(stranger.fed), stranger.feed_at) == (3, end)


def test_a_file_goes_up_in_pieces_after_the_record_that_names_it(central: Node, stranger: IndependentNode) -> None:
    content = random.Random(4).randbytes(200_000)
    digest = hashlib.sha256(content).hexdigest()
    named = {"name": "foto.jpg", "sha256": digest, "bytes": len(content), "type": "image/jpeg"}
    stranger.add(record(blobs=[named]))
    assert stranger.post("/blobs/ask", {"sha256": [digest]}) == {"blobs": {}}
    stranger.push()
    assert stranger.unproved([digest]) == ([], [digest])
    assert stranger.upload(content) == {"sha256": digest, "have": 200_000, "bytes": 200_000, "central": True}
    with reading(central.engine) as session:
        assert blobs.read_part(session, digest, 0, 200_000) == content
    assert stranger.unproved([digest]) == ([], [])


def test_forms_come_down_and_are_what_the_list_says(central: Node, stranger: IndependentNode) -> None:
    central.publish("servicios", "2026.1", 5)
    central.publish("año nuevo", "1/2", 6)
    assert set(stranger.forms()) == {("servicios", "2026.1"), ("año nuevo", "1/2")}


def test_it_can_ask_where_a_record_is_and_whether_it_may_be_wiped(central: Node, stranger: IndependentNode) -> None:
    record_id = stranger.add(record())
    assert stranger.unproved([]) == ([record_id], [])
    assert stranger.trace(record_id) == {}
    stranger.push()
    [trace] = stranger.trace(record_id).values()
    assert [hop["node"] for hop in trace["hops"]] == [stranger.node_id, central.id]
    assert trace["central"] and trace["hops"][-1]["received"] == trace["central"]
    assert stranger.unproved([]) == ([], [])
    assert stranger.report().startswith("age1")


def test_a_revoked_node_may_still_hand_in_what_it_has(central: Node, stranger: IndependentNode) -> None:
    stranger.add(record())
    with writing(central.engine) as session:
        nodes.revoke_node(session, stranger.node_id, 5)
    assert stranger.hello()["revoked"] is True
    stranger.push()
    assert central.rows("SELECT why FROM quarantine") == [("revoked_node",)]
    with pytest.raises(Refused, match="revoked"):
        stranger.pull_receipts()


def test_another_protocol_is_told_to_upgrade(stranger: IndependentNode) -> None:
    with pytest.raises(Refused, match="426") as refusal:
        stranger.ask("GET", "/hello", Collector_Protocol="2")
    assert refusal.value.problem["known"] == 1
