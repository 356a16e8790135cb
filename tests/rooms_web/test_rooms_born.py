"""A session that a browser ran by itself, without a node: it arrives whole, from whoever has the PIN, and once."""

from typing import Any

import httpx
import pytest

from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.guide import Guide, steps_as_json
from sync.records import uuid7
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.kept_phone import NDJSON, lines_of, post

STEPS = (step_of("statements", "frases"), step_of("question", "pregunta"))


@pytest.fixture
def born() -> list[dict[str, Any]]:
    """What a browser wrote that ran a session: one statement, and three people who passed the tablet on."""
    session, writer, counts = uuid7(), Writer(new_token()), iter(range(100))
    steps = steps_as_json(Guide("prueba", "1", {}, STEPS))

    def said(what: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
        return make_contribution(session, what, payload, writer, next(counts), **more)

    told = [
        said("session", {"title": "Sin nodo", "steps": steps}) | {"id": session},
        said("consent", {"purposes": {"participate": True}}),
        said("step", {"state": "open"}, step="frases"),
        said("statement", {"text": "Falta agua."}, step="frases"),
    ]
    votes = [
        make_contribution(
            session, "vote", {"choice": "agree"}, Writer(new_token(), "pass"), 1, step="frases", ref=told[-1]["id"]
        )
        for _ in range(3)
    ]
    return [*told, said("close", {"summary": "Todo dicho"}), *votes]


def test_a_session_born_in_a_browser_arrives_whole_and_once(
    node: Node, host: httpx.Client, born: list[dict[str, Any]]
) -> None:
    session = born[0]["session"]
    refused = post(node, "/sala/envios", *born)
    assert (refused.status_code, refused.json()["code"]) == (401, "login_needed")
    assert node.app.state.rooms.get(session) is None
    for outcome in ("stored", "duplicate"):
        answer = host.post("/sala/envios", content=lines_of(*born), headers=NDJSON)
        assert set(answer.json()["results"].values()) == {outcome} and len(answer.json()["results"]) == 8
    found = node.app.state.rooms.get(session)
    assert (found.facts.title, found.is_closed, found.voters("vote", "frases")) == ("Sin nodo", True, 3)
    assert "Sin nodo" in host.get(f"/sala/{session}").text


def test_the_parts_of_a_session_may_come_in_any_order_of_requests(
    node: Node, host: httpx.Client, born: list[dict[str, Any]]
) -> None:
    for body in reversed(born):
        assert host.post("/sala/envios", content=lines_of(body), headers=NDJSON).status_code == 200
    assert node.app.state.rooms.get(born[0]["session"]).voters("vote", "frases") == 3


def test_what_no_node_can_read_is_put_apart_and_the_rest_counts(
    node: Node, host: httpx.Client, born: list[dict[str, Any]]
) -> None:
    tied = born[-1] | {"seat": "P1"}
    answer = host.post("/sala/envios", content=lines_of(*born[:-1], tied), headers=NDJSON).json()
    assert answer["why"] == {tied["id"]: "room_refused"}
    assert node.app.state.rooms.get(born[0]["session"]).voters("vote", "frases") == 2


def test_a_post_of_another_site_brings_nothing_in(host: httpx.Client, born: list[dict[str, Any]]) -> None:
    elsewhere = NDJSON | {"Origin": "http://otro.example"}
    assert host.post("/sala/envios", content=lines_of(*born), headers=elsewhere).status_code == 403
    as_form = host.post("/sala/envios", content=lines_of(*born), headers={"Content-Type": "text/plain"})
    assert as_form.status_code == 415
