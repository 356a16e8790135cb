"""The outbox of a citizen's browser, and its question how far its records came."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.clock import parse_iso
from tests.sync.conftest import Node

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def post(node: Node, body: bytes | str, **headers: str) -> httpx.Response:
    kinds = {"Content-Type": "application/x-ndjson", **{name.replace("_", "-"): it for name, it in headers.items()}}
    return node.http.post(node.url + "/sync/v1/outbox", content=body, headers=kinds)


def ask(node: Node, ids: list[Any]) -> httpx.Response:
    return node.http.post(node.url + "/sync/v1/receipts/ask", content=json.dumps({"ids": ids}))


def id_of(body: str) -> str:
    return str(json.loads(body)["id"])


def test_every_record_is_answered_under_its_own_id(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central", check=lambda content: json.dumps([content["lang"]]))
    good, other = make_body(), make_body(id="no-uuid")
    answer = post(central, f"{good}\n{other}\n")
    assert answer.json() == {
        "node": central.id,
        "central": True,
        "results": {id_of(good): "stored", "no-uuid": "quarantined"},
    }
    assert (answer.headers["x-collector"], answer.headers["cache-control"]) == ("1", "no-store")
    assert central.rows("SELECT body, flags, via, origin FROM record") == [(good, '["es"]', "[]", "")]
    assert set(post(central, f"{good}\n{other}").json()["results"].values()) == {"duplicate"}
    assert central.app.state.kicks == 1


def test_gzip_is_taken_and_other_things_are_not(make_node: MakeNode, make_body: MakeBody) -> None:
    hub = make_node("municipio")
    hub.enrol_at(make_node("central"))
    body = make_body()
    answer = post(hub, gzip.compress(body.encode()), Content_Encoding="gzip")
    assert (answer.status_code, answer.json()["central"]) == (200, False)
    before = hub.everything()
    for wrong, headers, status, code in (
        (body[:-3], {}, 400, "bad_line"),
        ("", {}, 400, "bad_line"),
        ("\n" + make_body(), {}, 400, "bad_line"),
        (make_body() + "\n[]", {}, 400, "bad_line"),
        (b"\xff{}", {}, 400, "bad_line"),
        (gzip.compress(body.encode())[:-5], {"Content_Encoding": "gzip"}, 400, "bad_gzip"),
        (gzip.compress(b" " * 50_000_000), {"Content_Encoding": "gzip"}, 413, "too_large"),
        ("x" * 1_100_000, {}, 413, "too_large"),
        ("\n".join(make_body() for _ in range(51)), {}, 413, "too_many_records"),
        (body, {"Content_Type": "text/plain"}, 415, "unsupported_type"),
        (body, {"Content_Encoding": "br"}, 415, "unsupported_type"),
    ):
        answer = post(hub, wrong, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert hub.everything() == before


@pytest.mark.parametrize("depth", [40, 3_000, 100_000])
def test_json_nested_without_measure_is_set_aside_and_crashes_nothing(
    depth: int, make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    deep = '{"id":"a","b":' + "[" * depth + "]" * depth + "}"
    good = make_body()
    results = post(central, f"{deep}\n{good}").json()["results"]
    assert sorted(results.values()) == ["quarantined", "stored"]
    assert results[id_of(good)] == "stored"


def test_a_lone_surrogate_in_an_id_can_be_answered(make_node: MakeNode) -> None:
    central = make_node("central")
    answer = post(central, '{"id":"\\ud800"}')
    assert list(answer.json()["results"].values()) == ["quarantined"]


def test_six_hundred_records_a_minute_are_enough_for_one_address(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    for _ in range(12):
        assert post(central, "\n".join(make_body() for _ in range(50))).status_code == 200
    answer = post(central, make_body())
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert 0 < answer.json()["seconds"] <= 61
    assert len(central.ids()) == 600


def test_a_phone_learns_how_far_its_records_came(make_node: MakeNode, make_body: MakeBody) -> None:
    central, hub = make_node("central"), make_node("municipio")
    hub.enrol_at(central)
    body = make_body()
    post(hub, body)
    record_id = id_of(body)
    never = "0197a5d0-0000-7000-8000-000000000000"
    assert ask(hub, [record_id, never]).json() == {"central": {}, "held": [record_id], "erased": []}
    hub.sync()
    for node in (hub, central):
        found = ask(node, [record_id, never]).json()
        assert found["held"] == [record_id]
        assert list(found["central"]) == [record_id]
        assert parse_iso(found["central"][record_id]) is not None


@pytest.mark.parametrize(
    ("ids", "status"), [("x", 400), ([1], 400), (["a b"], 400), (["\ud800"], 400), (["a"] * 201, 413), ([], 200)]
)
def test_a_question_without_ids_is_refused(ids: Any, status: int, make_node: MakeNode) -> None:
    assert ask(make_node(), ids).status_code == status


@pytest.mark.parametrize("kind", ["edit", "annotation", "tombstone"])
def test_a_browser_cannot_speak_of_a_record_whose_id_it_knows(
    make_node: MakeNode, make_body: MakeBody, kind: str
) -> None:
    central = make_node("central")
    hub = make_node("municipio")
    hub.enrol_at(central)
    body = make_body()
    about = {"edit": "replaces", "annotation": "about", "tombstone": "erases"}[kind]
    decision = {"decision": {"action": "set_aside", "sha256": "0" * 64}}
    word = make_body(kind=kind, **{about: id_of(body)}, **decision)
    assert set(post(hub, f"{body}\n{word}\n").json()["results"].values()) == {"stored", "quarantined"}
    hub.sync()
    for node in (hub, central):
        assert node.rows("SELECT id, state, body FROM record") == [(id_of(body), "usable", body)]
        assert node.rows("SELECT id, why, body FROM quarantine") == [(id_of(word), "not_allowed", word)]
