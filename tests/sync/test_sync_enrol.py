"""Enrolment by a one-time code, over real HTTP."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.clock import now_ms
from collector.problems import ProblemError
from collector.queries.nodes import CODE_ALPHABET, hash_token
from sync.push import enrol
from tests.sync.conftest import Node

MakeNode = Callable[..., Node]


def ask(node: Node, code: str, node_id: str = "a" * 32, **change: Any) -> httpx.Response:
    return node.http.post(f"{node.url}/sync/v1/enroll", json={"code": code, "name": "t", "node_id": node_id, **change})


def test_a_code_is_easy_to_read_aloud_and_kept_only_as_a_hash(make_node: MakeNode) -> None:
    central = make_node()
    code = central.code()
    assert re.fullmatch(rf"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", code)
    assert not set("01OIL") & set(CODE_ALPHABET)
    assert central.rows("SELECT code_sha256 FROM enrol_code") == [(hash_token(code.replace("-", "")),)]


def test_a_code_lets_one_node_in_once_however_it_is_typed(make_node: MakeNode) -> None:
    central = make_node()
    code = central.code()
    answer = ask(central, f" {code.lower().replace('-', ' ')} ")
    assert answer.status_code == 201
    found = answer.json()
    assert (found["node_id"], found["upstream_id"]) == ("a" * 32, central.id)
    assert found["token"] not in str(central.rows("SELECT * FROM node"))
    again = ask(central, code)
    assert (again.status_code, again.json()["code"]) == (403, "code_invalid")


def test_a_code_ends_after_fifteen_minutes(make_node: MakeNode) -> None:
    central = make_node()
    old, fresh = central.code(now_ms() - 15 * 60_000 - 1000), central.code(now_ms() - 14 * 60_000)
    assert ask(central, old).status_code == 403
    assert ask(central, fresh).status_code == 201


def test_five_wrong_codes_in_a_minute_close_the_door_even_to_a_right_one(make_node: MakeNode) -> None:
    central = make_node()
    code = central.code()
    assert [ask(central, "ABCD-2345").status_code for _ in range(5)] == [403] * 5
    answer = ask(central, code)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert answer.json()["seconds"] > 0


@pytest.mark.parametrize("change", [{"name": ""}, {"name": None}, {"node_id": "a b"}, {"code": 7}, {"name": "x\ny"}])
def test_an_enrolment_without_what_it_needs_is_refused_and_keeps_the_code(
    change: dict[str, Any], make_node: MakeNode
) -> None:
    central = make_node()
    code = central.code()
    assert ask(central, **{"code": code, **change}).status_code == 400
    assert ask(central, code).status_code == 201


def test_a_node_that_enrols_knows_its_upstream_and_starts_from_its_cursor(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta 3")
    assert enrol(tablet.engine, tablet.http, central.url + "/", central.code()) == central.id
    status = tablet.status()
    assert (status.upstream, status.is_central, status.name) == (central.url, False, "tableta 3")
    assert central.rows("SELECT id, name FROM node") == [(tablet.id, "tableta 3")]


def test_a_wrong_code_is_told_to_the_person_who_types_it(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    for code, problem in (("ABCD-2345", "code_invalid"),) * 5 + (("ABCD-2345", "too_many_tries"),):
        with pytest.raises(ProblemError) as caught:
            enrol(tablet.engine, tablet.http, central.url, code)
        assert caught.value.problem.code == problem
    assert tablet.status().is_central


def test_a_node_cannot_enrol_at_itself(make_node: MakeNode) -> None:
    node = make_node()
    with pytest.raises(ProblemError) as caught:
        enrol(node.engine, node.http, node.url, node.code())
    assert caught.value.problem.code == "loop"
    assert node.status().is_central


def test_a_node_cannot_enrol_at_one_that_pushes_to_it_and_the_code_stays_good(make_node: MakeNode) -> None:
    hub, tablet, other = make_node("municipio"), make_node("tableta"), make_node("otra")
    tablet.enrol_at(hub)
    code = tablet.code()
    with pytest.raises(ProblemError) as caught:
        enrol(hub.engine, hub.http, tablet.url, code)
    assert caught.value.problem.code == "loop"
    assert hub.status().is_central
    assert tablet.rows("SELECT id FROM node") == []
    assert enrol(other.engine, other.http, tablet.url, code) == tablet.id


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("10.42.0.1:8000", "bad_request"),
        ("http://127.0.0.1:9", "upstream_unreachable"),
        ("http://[", "upstream_unreachable"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_so(url: str, problem: str, make_node: MakeNode) -> None:
    tablet = make_node()
    with pytest.raises(ProblemError) as caught:
        enrol(tablet.engine, tablet.http, url, "ABCD-2345")
    assert caught.value.problem.code == problem
