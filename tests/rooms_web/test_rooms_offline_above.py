"""What phones kept, further up: what came late stays apart at central too, and the lab sees no vote of it."""

import hashlib
import html
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector import people
from collector.clock import now_ms
from collector.db import writing
from sync.records import canonical_bytes
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import PIN
from tests.rooms_web.kept_phone import HOUR_MS, Kept, apart, step_at
from tests.rooms_web.people_room import PeopleRoom

MakeNode = Callable[..., Node]


@pytest.fixture
def central(make_node: MakeNode) -> Node:
    return make_node("central")


@pytest.fixture
def room(make_node: MakeNode, central: Node) -> PeopleRoom:
    """A room on a tablet below central."""
    tablet = make_node("tableta", upstream=central)
    with writing(tablet.app.state.engine) as session:
        people.set_pin(session, PIN)
    return PeopleRoom(tablet, step_of("statements", "frases"))


def late_ones(room: PeopleRoom) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a statement and a vote that came after their step was locked, an hour ago."""
    now = now_ms()
    step_at(room, "frases", "open", now - 2 * HOUR_MS)
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room, **{"seg.generacion": "joven"})
    step_at(room, "frases", "locked", now - HOUR_MS)
    said = phone.open("statement", {"text": "Falta luz."}, step="frases")
    vote = phone.secret("vote", {"choice": "disagree"}, step="frases", ref=ref)
    assert phone.send(said).json()["why"] == {said["id"]: "room_late"}
    assert phone.send(vote, by="ballot").json()["why"] == {vote["id"]: "room_late"}
    return said, vote


def decide(lab: httpx.Client, body: dict[str, Any], action: str = "use") -> None:
    """Decide on an entry as a person of the lab does."""
    sha256 = hashlib.sha256(canonical_bytes(body)).hexdigest()
    answer = lab.post(f"/lab/cuarentena/{body['id']}", data={"pick": f"{body['id']} {sha256}", "action": action})
    assert answer.status_code == 200, answer.text


def test_what_came_late_stays_apart_at_central_until_the_lab_uses_it(
    room: PeopleRoom, central: Node, lab_login: Callable[[Node], httpx.Client]
) -> None:
    said, vote = late_ones(room)
    room.node.app.state.sync_now()
    assert apart(central) == {said["id"]: "room_late", vote["id"]: "room_late"}
    assert [item.text for item in central.app.state.rooms.get(room.id).items] == ["Falta agua."]
    decide(lab_login(central), said)
    assert [item.text for item in central.app.state.rooms.get(room.id).items] == ["Falta agua.", "Falta luz."]


def test_a_vote_that_the_lab_uses_counts(room: PeopleRoom, lab_login: Callable[[Node], httpx.Client]) -> None:
    _, vote = late_ones(room)
    decide(lab_login(room.node), vote)
    assert [each.payload for each in room.now.secret.of("vote", "frases")] == [{"choice": "disagree"}]


def test_the_lab_reads_late_words_and_no_late_vote(room: PeopleRoom, lab_login: Callable[[Node], httpx.Client]) -> None:
    said, vote = late_ones(room)
    lab = lab_login(room.node)
    listed = html.unescape(lab.get("/lab/cuarentena").text)
    assert listed.count("Llegó tarde a la sala") >= 2
    words = html.unescape(lab.get(f"/lab/cuarentena/{said['id']}").text)
    assert "Falta luz." in words and "cuando el paso ya estaba cerrado" in words and "lo dicho en una sala" in words
    shown = html.unescape(lab.get(f"/lab/cuarentena/{vote['id']}").text)
    for secret in (vote["ballot"], "disagree", "joven"):
        assert secret not in shown and secret not in listed
