"""What a phone kept while its node was out of reach counts once and speaks for nobody else; late is told apart."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from collector.clock import iso, now_ms
from collector.room_store import make_contribution, new_token
from collector.rooms.payloads import FACILITATOR
from sync.records import uuid7
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import HOST, put
from tests.rooms_web.kept_phone import HOUR_MS, MINUTE_MS, Kept, apart, post, step_at
from tests.rooms_web.people_room import CARD, EVERY_TYPE, OPTIONS, PeopleRoom, Phone

STEPS = (
    step_of("statements", "frases"),
    step_of("dots", "puntos", *OPTIONS),
    step_of("commitments", "compromisos"),
    step_of("question", "pregunta"),
)
PHONE_BYTES = 32_000  # scripts and styles of a first visit, most of it htmx


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    return PeopleRoom(node, *STEPS)


@pytest.fixture
def every(node: Node) -> Iterator[PeopleRoom]:
    found = PeopleRoom(node, *EVERY_TYPE)
    found.open(*(step.name for step in EVERY_TYPE))
    yield found


# --- it arrives


def test_a_vote_that_was_kept_counts_once_however_often_it_is_sent(room: PeopleRoom) -> None:
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room, **{"seg.generacion": "joven"})
    vote = phone.secret("vote", {"choice": "agree"}, step="frases", ref=ref)
    first, again = phone.send(vote, by="ballot"), phone.send(vote, by="ballot")
    assert first.json()["results"] == {vote["id"]: "stored"} and first.json()["why"] == {}
    assert again.json()["results"] == {vote["id"]: "duplicate"}
    (counted,) = room.now.secret.of("vote", "frases")
    assert (counted.payload, counted.segments, counted.people) == ({"choice": "agree"}, {"generacion": "joven"}, 1)
    assert "Votó todas las frases." in html.unescape(phone.phone.see().text), "the page shows it as given"


def test_the_words_of_a_seat_stand_in_the_room_as_if_posted(room: PeopleRoom) -> None:
    room.step("frases")
    phone = Kept(room)
    said = phone.open("statement", {"text": "La basura se queda."}, step="frases")
    answer = phone.send(said)
    assert (answer.headers["x-collector"], answer.headers["cache-control"]) == ("1", "no-store")
    (item,) = room.now.of("statement", "frases")
    assert (item.id, item.seat, item.text) == (said["id"], "P1", "La basura se queda.")
    assert "La basura se queda." in phone.phone.see().text


def test_what_the_page_got_though_its_answer_was_lost_is_not_said_twice(room: PeopleRoom) -> None:
    room.step("frases")
    phone = Kept(room)
    phone.phone.give("frases", "statement", text="Falta luz.")
    said = phone.open("statement", {"text": "Falta luz."}, step="frases")
    assert phone.send(said).json()["results"] == {said["id"]: "duplicate"}
    assert [item.text for item in room.now.of("statement")] == ["Falta luz."]


def test_a_second_tap_is_not_said_twice_and_a_change_of_mind_is(every: PeopleRoom) -> None:
    phone = Kept(every)
    first, again = (phone.open("statement", {"text": "Falta luz."}, step="grupos") for _ in range(2))
    assert phone.send(first, again).json()["results"] == {first["id"]: "stored", again["id"]: "duplicate"}
    moves = [
        phone.open("placement", {"group": group}, step="grupos", ref=first["id"], at_ms=now_ms() + second * 1000)
        for second, group in enumerate(("luz", "agua", "luz"))
    ]
    assert set(phone.send(*moves).json()["results"].values()) == {"stored"}
    assert [item.said("group") for item in every.now.of("placement")] == ["luz", "agua", "luz"]


def test_of_points_given_again_and_again_the_last_count(every: PeopleRoom) -> None:
    phone = Kept(every)
    votes = [
        phone.secret("allocation", {"points": {"agua": points}}, count, step="puntos")
        for count, points in enumerate((4, 7, 4), start=1)
    ]
    phone.send(*votes, by="ballot")
    assert [vote.payload for vote in every.now.secret.of("allocation", "puntos")] == [{"points": {"agua": 4}}]
    assert every.now.voters("allocation", "puntos") == 1


def test_a_vote_that_reached_the_node_twice_by_both_ways_is_one_vote(room: PeopleRoom) -> None:
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room)
    phone.phone.give("frases", "vote", ref=ref, choice="agree")
    phone.send(phone.secret("vote", {"choice": "agree"}, step="frases", ref=ref), by="ballot")
    assert room.now.voters("vote", "frases") == 1 and len(room.now.secret.of("vote", "frases")) == 1
    changed = phone.secret("vote", {"choice": "disagree"}, count=2, step="frases", ref=ref)
    phone.send(changed, by="ballot")
    assert [vote.payload for vote in room.now.secret.of("vote", "frases")] == [{"choice": "disagree"}]


def test_the_next_vote_of_the_page_is_newer_than_those_that_were_kept(room: PeopleRoom) -> None:
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room)
    assert 'data-count="0"' in phone.phone.see().text
    phone.send(*(phone.secret("vote", {"choice": "agree"}, n, step="frases", ref=ref) for n in (1, 2)), by="ballot")
    assert 'data-count="2"' in phone.phone.see().text
    phone.phone.give("frases", "vote", ref=ref, choice="pass")
    assert [vote.payload for vote in room.now.secret.of("vote", "frases")] == [{"choice": "pass"}]


@pytest.fixture
def kicks(node: Node) -> Iterator[list[int]]:
    """Count how often the node is told to send on what it has."""
    state, found = node.app.state, list[int]()
    real, state.kick = state.kick, lambda: found.append(1)
    yield found
    state.kick = real


def test_what_is_new_is_sent_on_at_once(room: PeopleRoom, kicks: list[int]) -> None:
    room.step("frases")
    phone = Kept(room)
    assert len(kicks) == 3, "a step, and what a joining says: a seat and its consent"
    said = phone.open("statement", {"text": "Falta agua."}, step="frases")
    phone.send(said)
    phone.send(said)
    assert len(kicks) == 4, "what was here already wakes nobody"
    phone.phone.give("frases", "statement", text="Falta luz.")
    assert len(kicks) == 5


# --- nobody speaks for another


@pytest.mark.parametrize(
    "change",
    [
        {"seat": "P2"},
        {"by": "0123456789abcdef01234567"},
        {"mode": "pass"},
        {"step": "puntos"},
        {"step": "no-hay"},
        {"step": ""},
        {"what": "note"},
        {"session": "0197a5d0-0000-7000-8000-000000000000"},
        {"payload": {"text": ""}},
        {"payload": {"text": "x" * 281}},
    ],
    ids=str,
)
def test_a_seat_says_only_what_its_page_could_have_said(room: PeopleRoom, change: dict[str, Any]) -> None:
    room.open("frases", "puntos")
    phone, other = Kept(room), Kept(room)
    said = phone.open("statement", {"text": "Falta agua."}, step="frases") | change
    said = {key: value for key, value in said.items() if value != ""}
    answer = phone.send(said).json()
    assert (answer["results"], answer["why"]) == ({said["id"]: "quarantined"}, {said["id"]: "room_refused"})
    assert apart(room.node)[said["id"]] == "room_refused"
    assert not room.now.items and other.own["seat"]["seat"] == "P2"


@pytest.mark.parametrize("wrong", ["another ballot", "another segment", "over the points", "a seat's pass", "a tally"])
def test_a_ballot_votes_only_as_its_page_could_have(room: PeopleRoom, wrong: str) -> None:
    room.open("frases", "puntos")
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room, **{"seg.generacion": "joven"})
    points = 11 if wrong == "over the points" else 10
    vote = phone.secret("allocation", {"points": {"agua": points}}, step="puntos")
    if wrong == "another ballot":
        vote |= dict.fromkeys(("by", "ballot"), new_token())
    elif wrong == "another segment":
        vote |= {"segments": {"generacion": "mayor"}}
    elif wrong == "a tally":
        tally = {"tally": {"agree": 9, "disagree": 0, "pass": 0}}
        vote |= {"what": "vote", "step": "frases", "ref": ref, "mode": "paper", "payload": tally}
    answer = phone.send(vote, by="seat" if wrong == "a seat's pass" else "ballot").json()
    assert answer["why"] == {vote["id"]: "room_refused"} and not room.now.secret.votes
    right = phone.secret("allocation", {"points": {"agua": 10}}, step="puntos")
    assert phone.send(right, by="ballot").json()["results"] == {right["id"]: "stored"}


@pytest.mark.parametrize("what", sorted(FACILITATOR))
def test_a_phone_runs_no_room(room: PeopleRoom, what: str) -> None:
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    payload = {
        "session": {"title": "Otra"}, "seat": {}, "consent": {"purposes": {"quote": True}},
        "step": {"state": "revealed"}, "moderate": {"state": "hidden"}, "undo": {}, "close": {},
        "presentes": {"count": 90},
    }.get(what, {"text": "x"})  # fmt: skip
    phone = Kept(room)
    before = room.now
    said = phone.open("statement", {"text": "x"}, step="frases") | {"what": what, "payload": payload, "ref": ref}
    assert phone.send(said).json()["why"] == {said["id"]: "room_refused"}
    assert room.now == before


def test_a_pass_that_this_node_did_not_give_keeps_the_record_on_the_phone(room: PeopleRoom) -> None:
    room.step("frases")
    phone, elsewhere = Kept(room), Kept(PeopleRoom(room.node, *STEPS))
    said = phone.open("statement", {"text": "Falta agua."}, step="frases")
    cookie = phone.phone.client.cookies[f"puesto_{room.code}"]
    real = phone.own["seat"]["pass"]
    for wrong in ("", "x", cookie, elsewhere.own["seat"]["pass"], real[:-1], real.replace("P1", "P2")):
        answer = phone.send(said, Collector_Room_Pass=wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "room_pass"), wrong
    assert not room.told("statement") and said["id"] not in apart(room.node)
    assert post(room.node, "/s/ZZZZZ/envios", said).status_code == 404


def test_a_page_gives_seat_and_ballot_apart_and_no_pass_opens_a_page(room: PeopleRoom) -> None:
    room.step("frases")
    phone = Kept(room)
    seat, ballot = phone.own["seat"], phone.own["ballot"]
    assert set(seat) == {"seat", "by", "mode", "pass"} and set(ballot) == {"ballot", "mode", "segments", "pass"}
    assert ballot["ballot"] not in json.dumps(seat) and seat["by"] not in json.dumps(ballot)
    assert seat["seat"] not in (ballot["pass"].partition("~")[0]), "nothing of the one in the proof of the other"
    stranger = Phone(room.node, room.code)
    for cookie, value in ((f"puesto_{room.code}", seat["pass"]), (f"boleta_{room.code}", ballot["pass"])):
        stranger.client.cookies.set(cookie, value)
    assert stranger.see().url.path == f"/s/{room.code}", "the door, as for anybody"


def test_the_outbox_of_surveys_takes_nothing_for_a_room(room: PeopleRoom) -> None:
    room.step("frases")
    said = Kept(room).open("statement", {"text": "Falta agua."}, step="frases")
    answer = post(room.node, "/sync/v1/outbox", said)
    assert answer.json()["results"] == {said["id"]: "quarantined"} and apart(room.node)[said["id"]] == "not_allowed"
    assert not room.told("statement")


def test_a_room_takes_contributions_alone(room: PeopleRoom) -> None:
    room.step("frases")
    phone, record_id = Kept(room), uuid7()
    word = {"id": record_id, "kind": "tombstone", "erases": room.id, "finished": iso(now_ms()), "salt": "c2FsdA=="}
    assert phone.send(word).json()["why"] == {record_id: "not_allowed"}
    assert room.now.facts.title == "Jóvenes de Soná"


# --- in time, and late


def test_what_was_given_while_the_step_was_open_counts_after_it_was_locked(room: PeopleRoom) -> None:
    now = now_ms()
    step_at(room, "frases", "open", now - HOUR_MS)
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room)
    step_at(room, "frases", "locked", now - HOUR_MS // 2)
    at_ms = now - HOUR_MS * 3 // 4
    said = phone.open("statement", {"text": "Falta luz."}, step="frases", at_ms=at_ms)
    vote = phone.secret("vote", {"choice": "agree"}, step="frases", ref=ref, at_ms=at_ms)
    assert phone.send(said).json()["results"] == {said["id"]: "stored"}
    assert phone.send(vote, by="ballot").json()["results"] == {vote["id"]: "stored"}
    assert room.now.voters("vote", "frases") == 1


@pytest.mark.parametrize("after_minutes", [-90, 20], ids=["before the step was open", "after it was locked"])
def test_what_was_not_given_in_time_is_kept_apart_and_said_so(room: PeopleRoom, after_minutes: int) -> None:
    now = now_ms()
    step_at(room, "frases", "open", now - 2 * HOUR_MS)
    ref = room.statement("frases", "Falta agua.")
    phone = Kept(room)
    step_at(room, "frases", "locked", now - HOUR_MS)
    at_ms = now - (2 * HOUR_MS if after_minutes < 0 else HOUR_MS) + after_minutes * MINUTE_MS
    said = phone.open("statement", {"text": "Falta luz."}, step="frases", at_ms=at_ms)
    vote = phone.secret("vote", {"choice": "agree"}, step="frases", ref=ref, at_ms=at_ms)
    assert phone.send(said).json()["why"] == {said["id"]: "room_late"}
    assert phone.send(vote, by="ballot").json()["why"] == {vote["id"]: "room_late"}
    assert {apart(room.node)[each["id"]] for each in (said, vote)} == {"room_late"}
    assert not room.now.secret.votes and len(room.now.items) == 1


def test_a_wrong_clock_makes_nobody_late(room: PeopleRoom) -> None:
    now = now_ms()
    step_at(room, "frases", "open", now - 2 * HOUR_MS)
    phone = Kept(room)
    step_at(room, "frases", "locked", now - HOUR_MS)
    behind = 300 * 24 * HOUR_MS
    in_time, late = (
        phone.open("statement", {"text": text}, step="frases", at_ms=at_ms - behind)
        for text, at_ms in (("A tiempo", now - HOUR_MS * 3 // 2), ("Tarde", now - HOUR_MS // 2))
    )
    results = phone.send(in_time, late, Collector_Sent_At=iso(now_ms() - behind)).json()["results"]
    assert results == {in_time["id"]: "stored", late["id"]: "quarantined"}


def test_after_the_end_only_what_was_given_before_it_counts(room: PeopleRoom) -> None:
    now = now_ms()
    phone = Kept(room)
    step_at(room, "compromisos", "open", now - HOUR_MS)
    close = make_contribution(room.id, "close", {"summary": "Fin"}, HOST, next(room.counts))
    put(room.node, close | {"finished": iso(now - HOUR_MS // 2)})
    told = {"actor": "Junta", "text": "Limpiar el río"}
    before, after = (
        phone.open("commitment", told | {"sector": sector}, step="compromisos", at_ms=at_ms)
        for sector, at_ms in (("antes", now - HOUR_MS * 3 // 4), ("despues", now - HOUR_MS // 4))
    )
    answer = phone.send(before, after).json()
    assert answer["results"] == {before["id"]: "stored", after["id"]: "quarantined"}
    assert answer["why"] == {after["id"]: "room_late"}


def test_a_measure_of_a_card_that_was_kept_counts(every: PeopleRoom) -> None:
    phone = Kept(every)
    said = phone.secret("measure", {"code": CARD, "item": "escucha", "value": 7, "round": 0}, step="antes")
    assert phone.send(said, by="ballot").json()["results"] == {said["id"]: "stored"}
    assert [vote.payload["value"] for vote in every.now.secret.of("measure", "antes")] == [7]


# --- what it costs


def test_the_page_of_a_phone_stays_small(room: PeopleRoom) -> None:
    room.step("frases")
    for number in range(20):
        room.statement("frases", f"Frase {number} sobre el agua y la basura del barrio.")
    page = room.phone().see().text
    named = set(re.findall(r'(?:src|href)="(/static[^"]+)"', page))
    url = room.node.app.state.assets.url
    named |= {url(f"js/{name}.js") for name in ("outbox", "room-ahead", "room-records", "room-said", "room-send")}
    assert url("js/room-outbox.js") in named
    sent = {path: sent_bytes(room.node, path) for path in named}
    assert sum(sent.values()) <= PHONE_BYTES, sent


def sent_bytes(node: Node, path: str) -> int:
    """Return the bytes of a body as they go over the line."""
    with httpx.stream("GET", node.url + path, headers={"Accept-Encoding": "gzip"}) as answer:
        return sum(len(part) for part in answer.iter_raw())
