"""Where is my answer, and may this device be wiped: asked of central itself, through every node on the way."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.clock import now_ms, parse_iso
from collector.db import writing
from collector.problems import ProblemError
from collector.queries import blobs, nodes
from collector.queries.records import ingest
from sync import limits
from sync.proof import Proof, prove
from sync.records import canonical_bytes
from sync.statements import make_tombstone
from tests.sync.conftest import Node, chain, record_content
from tests.sync.sender import SENDER, Sender

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]
Serve = Callable[[Any], str]
NEVER = "0197a5d0-0000-7000-8000-000000000000"


def trace(node: Node, *ids: str, **more: Any) -> dict[str, dict[str, Any]]:
    answer = node.http.post(node.url + "/sync/v1/trace", json={"ids": list(ids), **more})
    assert answer.status_code == 200
    found: dict[str, dict[str, Any]] = answer.json()["traces"]
    return found


def hops(found: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(hop["node"], bool(hop["received"])) for hop in found["hops"]]


# --- where is my answer


def test_an_answer_is_followed_from_the_tablet_to_central(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    [record_id] = tablet.capture(1)
    assert hops(trace(tablet, record_id)[record_id]) == [(tablet.id, True)]
    tablet.sync()
    assert hops(trace(tablet, record_id)[record_id]) == [(tablet.id, True), (hub.id, True)]
    hub.sync()
    for node in (tablet, hub, central):
        found = trace(node, record_id, NEVER)
        assert list(found) == [record_id]
        way = found[record_id]
        assert [hop["node"] for hop in way["hops"]] == [tablet.id, hub.id, central.id], node.name
        assert way["hops"][-1]["name"] == "central"
        assert way["asked"] and parse_iso(way["central"]) is not None
    times = [parse_iso(hop["received"]) for hop in trace(tablet, record_id)[record_id]["hops"]]
    assert times == sorted(times, key=lambda at: at or (0, 0))


def test_without_a_signal_the_way_is_told_as_far_as_it_is_known(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    [record_id] = tablet.capture(1)
    for node in (tablet, hub, tablet):
        node.sync()
    central.close()
    way = trace(tablet, record_id)[record_id]  # the hub answers, central does not
    assert [hop["node"] for hop in way["hops"]] == [tablet.id, hub.id, central.id]
    assert way["hops"][-1]["received"] == "" and way["central"] != ""
    hub.close()
    started = time.monotonic()
    way = trace(tablet, record_id)[record_id]
    assert time.monotonic() - started < 10
    assert (hops(way), way["asked"]) == ([(tablet.id, True), (hub.id, False)], False)
    assert way["central"] != ""  # its receipt had come


def test_a_node_that_does_not_answer_is_waited_for_three_seconds_at_most(make_node: MakeNode, serve: Serve) -> None:
    tablet, _hub, _ = chain(make_node)
    [record_id] = tablet.capture(1)

    async def asleep(_scope: Any, _receive: Any, _send: Any) -> None:
        import anyio

        await anyio.sleep(5)

    with writing(tablet.engine) as session:
        nodes.change_upstream(session, url=serve(asleep))
    started = time.monotonic()
    assert hops(trace(tablet, record_id)[record_id]) == [(tablet.id, True)]
    assert time.monotonic() - started < 10
    started = time.monotonic()
    trace(tablet, record_id, wait_ms=300)
    assert time.monotonic() - started < 3


def test_a_node_asks_for_what_only_those_above_know(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    [record_id] = central.capture(1)
    way = trace(tablet, record_id)[record_id]
    assert hops(way) == [(central.id, True)]
    assert trace(hub, NEVER) == {}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 200),
        ({"ids": "x"}, 400),
        ({"ids": [1]}, 400),
        ({"ids": ["a"] * 21}, 413),
        ({"ids": [], "wait_ms": "x"}, 200),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(content: Any, status: int, make_node: MakeNode) -> None:
    node = make_node()
    assert node.http.post(node.url + "/sync/v1/trace", json=content).status_code == status


# --- proof


def with_file(node: Node, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    named = {"bytes": len(content), "name": "foto.jpg", "sha256": sha256, "type": "image/jpeg"}
    node.capture_bodies([canonical_bytes(record_content(blobs=[named])).decode()])
    with writing(node.engine) as session:
        blobs.add_blob(session, content, "image/jpeg")
    return sha256


def test_a_device_whose_records_and_files_central_holds_may_be_wiped(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture(3)
    tablet.capture_bodies(['{"id":"x"}'])
    sha256 = with_file(tablet, b"una foto" * 1000)
    for node in (tablet, hub):
        node.sync()
    proof = prove(tablet.engine, tablet.http)
    assert proof == Proof(entries=5, files=1)
    assert central.rows(f"SELECT have FROM blob WHERE sha256 = '{sha256}'") == [(8000,)]


def test_what_central_lacks_is_listed_even_if_a_receipt_says_otherwise(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    ids = tablet.capture(3)
    sha256 = with_file(tablet, b"otra foto" * 1000)
    for node in (tablet, hub, tablet):
        node.sync()
    new = tablet.capture(1)
    with writing(central.engine) as session:
        for statement in (
            f"DELETE FROM record WHERE id = '{ids[0]}'",
            f"UPDATE record SET sha256 = x'00' WHERE id = '{ids[1]}'"
            if session.get_bind().dialect.name == "sqlite"
            else f"UPDATE record SET sha256 = '\\x00' WHERE id = '{ids[1]}'",
            f"DELETE FROM blob WHERE sha256 = '{sha256}'",
        ):
            session.connection().exec_driver_sql(statement)
    proof = prove(tablet.engine, tablet.http)
    assert {record_id for record_id, _ in proof.missing} == {ids[0], ids[1], *new}
    assert proof.files_missing == [sha256]


def test_what_is_erased_needs_no_proof(make_node: MakeNode) -> None:
    tablet, hub, _ = chain(make_node)
    ids = tablet.capture(2)
    with writing(tablet.engine) as session:
        ingest(session, [make_tombstone(ids[0], "person", "")], now_ms())
    for node in (tablet, hub):
        node.sync()
    assert prove(tablet.engine, tablet.http) == Proof(entries=2)


def test_a_hub_that_cannot_ask_central_proves_nothing(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture(1)
    for node in (tablet, hub):
        node.sync()
    central.close()
    with pytest.raises(ProblemError) as caught:
        prove(tablet.engine, tablet.http)
    assert caught.value.problem.code == "upstream_busy"  # the hub says 502: it has no signal itself
    hub.close()
    with pytest.raises(ProblemError) as caught:
        prove(tablet.engine, tablet.http)
    assert caught.value.problem.code == "upstream_unreachable"
    with pytest.raises(ProblemError) as caught:
        prove(central.engine, tablet.http)
    assert caught.value.problem.code == "no_upstream"


class Lying(httpx.HTTPTransport):
    """Answers a proof as something that is not central might."""

    def __init__(self, content: Any) -> None:
        super().__init__()
        self.content = content

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.content, headers={"X-Collector": "1"})


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"central": False, "missing": [], "files_missing": []},
        {"central": True, "missing": [["x", "00"]], "files_missing": []},
        {"central": True, "missing": [7], "files_missing": []},
        {"central": True, "missing": []},
    ],
)
def test_an_answer_that_is_not_centrals_proves_nothing(content: Any, make_node: MakeNode) -> None:
    tablet, _, _ = chain(make_node)
    tablet.capture(1)
    with httpx.Client(transport=Lying(content)) as http, pytest.raises(ProblemError) as caught:
        prove(tablet.engine, http)
    assert caught.value.problem.code == "upstream_strange"


def test_more_entries_than_a_page_are_all_proved(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.proof.MAX_PROVED", 4)
    tablet, hub, _ = chain(make_node)
    tablet.capture(11)
    for node in (tablet, hub):
        node.sync()
    assert prove(tablet.engine, tablet.http) == Proof(entries=11)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 200),
        ({"entries": [["a"]]}, 400),
        ({"entries": [["a", "00"]]}, 400),
        ({"entries": [["a b", "0" * 64]]}, 400),
        ({"files": ["x"]}, 400),
        ({"files": 7}, 400),
        ({"files": ["0" * 64] * (limits.MAX_PROVED + 1)}, 413),
        ({"entries": [["a", "0" * 64]]}, 200),
    ],
)
def test_a_proof_of_what_is_no_list_of_hashes_is_refused(content: Any, status: int, make_node: MakeNode) -> None:
    sender = Sender(make_node("central"), SENDER)
    answer = sender.ask("POST", "/proof", content)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"central": True, "missing": content.get("entries", []), "files_missing": []}
