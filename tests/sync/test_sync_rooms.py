"""Rooms are records: stored once, read in any order, merged by sync, taken back by an erasure."""

import json
import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from collector.clock import now_ms
from collector.db import writing
from collector.demo_room import open_demo_room
from collector.links import room_code
from collector.queries.records import ingest
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.outputs.listing import files_of
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.refusals import Refusal
from sync.statements import made, make_tombstone
from tests.sync.conftest import Node

FACTS = {"title": "Confianza en el barrio", "place": "0810", "date": "2026-11-22", "round": 0}


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node("tableta")


def note(room: str, text: str, writer: Writer, count: int) -> dict[str, Any]:
    return make_contribution(room, "note", {"text": text, "form": "paraphrase"}, writer, count, seat="P1", step="s1")


def texts(rooms: RoomStore, room: str) -> list[str]:
    found = rooms.get(room)
    assert found is not None
    return [item.text for item in found.of("note")]


def count_rows(node: Node) -> int:
    return int(node.rows("SELECT count(*) FROM record")[0][0])


def test_a_room_is_opened_found_by_its_code_and_read_back(node: Node) -> None:
    rooms = RoomStore(node.engine)
    room = rooms.open(FACTS, Writer(new_token()))
    found = rooms.get(room)
    assert found is not None and found.facts.title == FACTS["title"] and found.facts.place == "0810"
    code = room_code(room)
    assert rooms.ids() == [room] and rooms.with_code(f"{code[:2].lower()}-{code[2:]}") == room
    assert rooms.with_code("ZZZZZ" if code != "ZZZZZ" else "YYYYY") is None
    assert rooms.get(room.replace(room[0], "f" if room[0] != "f" else "e", 1)) is None


def test_the_mark_changes_with_every_contribution_and_with_nothing_else(node: Node) -> None:
    rooms, writer = RoomStore(node.engine), Writer(new_token())
    first, other = rooms.open(FACTS, writer), rooms.open(FACTS | {"title": "Otra"}, writer)
    before = rooms.mark(first)
    body = note(first, "Falta luz", writer, 1)
    rooms.add(body)
    after = rooms.mark(first)
    assert before and after != before
    assert rooms.add(body) == "duplicate" and rooms.mark(first) == after
    rooms.add(note(other, "No es de aquí", writer, 2))
    assert rooms.mark(first) == after and texts(rooms, first) == ["Falta luz"]
    assert rooms.mark("0" * 36) == ""


def test_what_is_refused_is_not_stored(node: Node) -> None:
    rooms, writer = RoomStore(node.engine), Writer(new_token())
    room = rooms.open(FACTS, writer)
    with pytest.raises(Refusal):
        make_contribution(room, "triad", {"a": 50, "b": 20, "c": 20}, Writer(new_token()), 1, step="s1")
    with pytest.raises(Refusal):
        rooms.add(note(room, "Falta luz", writer, 1) | {"count": -1})
    with pytest.raises(Refusal):
        rooms.open({"title": "Sin fecha que exista", "date": "2026-02-31"}, writer)
    assert count_rows(node) == 1


def test_a_vote_on_the_disk_names_no_seat_and_no_moment_beyond_the_minute(node: Node) -> None:
    rooms = RoomStore(node.engine)
    room = rooms.open(FACTS, Writer(new_token()))
    said = make_contribution(room, "statement", {"text": "Aquí se puede confiar"}, Writer(new_token()), 1, step="s1")
    rooms.add(said)
    ballot = Writer(new_token())
    segments = {"generation": "joven"}
    vote = make_contribution(room, "vote", {"choice": "agree"}, ballot, 1, step="s1", ref=said["id"], segments=segments)
    rooms.add(vote)
    (kept,) = [
        json.loads(body) for (body,) in node.rows("SELECT body FROM record") if json.loads(body)["what"] == "vote"
    ]
    assert "seat" not in kept and kept["by"] == kept["ballot"] == ballot.by
    assert kept["finished"][17:23] == "00.000" and int(kept["id"].replace("-", "")[:12], 16) % 60_000 == 0
    with pytest.raises(Refusal):
        rooms.add(vote | {"seat": "P1"})


def test_an_erased_contribution_is_gone_from_the_room(node: Node) -> None:
    rooms, writer = RoomStore(node.engine), Writer(new_token())
    room = rooms.open(FACTS, writer)
    body = note(room, "No quiero que esto quede", writer, 1)
    rooms.add(body)
    rooms.add(note(room, "Esto sí", writer, 2))
    mark = rooms.mark(room)
    with writing(node.engine) as session:
        ingest(session, [make_tombstone(body["id"], "lab@ejemplo.pa", "lo pidió")], now_ms())
    assert texts(rooms, room) == ["Esto sí"] and rooms.mark(room) != mark
    with writing(node.engine) as session:  # a late tablet brings it again
        ingest(session, [made(body)], now_ms())
    assert texts(rooms, room) == ["Esto sí"]


def test_what_comes_before_its_room_waits_for_it(make_node: Callable[..., Node]) -> None:
    first, late = make_node("primera"), make_node("tarde")
    rooms, writer = RoomStore(first.engine), Writer(new_token())
    room = rooms.open(FACTS, writer)
    rooms.add(note(room, "Uno", writer, 1))
    bodies = [json.loads(body) for (body,) in first.rows("SELECT body FROM record ORDER BY n")]
    there = RoomStore(late.engine)
    for body in reversed(bodies):
        assert there.get(room) is None and there.ids() == []
        with writing(late.engine) as session:
            ingest(session, [made(body)], now_ms())
    assert texts(there, room) == ["Uno"] and there.ids() == [room]


def test_two_note_takers_on_two_tablets_merge_into_one_timeline_at_central(
    make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    central, one, two = make_node("central"), make_node("una"), make_node("dos")
    one.enrol_at(central)
    two.enrol_at(central)
    here, there = RoomStore(one.engine), RoomStore(two.engine)
    room = here.open(FACTS, Writer(new_token()))
    opening = json.loads(one.rows("SELECT body FROM record")[0][0])
    with writing(two.engine) as session:  # the second tablet took the room along
        ingest(session, [made(opening)], now_ms())
    chance = random.Random(7)
    writers = {"una": (here, Writer(new_token())), "dos": (there, Writer(new_token()))}
    begun = now_ms() - 60_000
    for count in range(1, 21):
        name = chance.choice(["una", "dos"])
        rooms, writer = writers[name]
        # of two notes of one millisecond nobody knows which was first
        monkeypatch.setattr("collector.room_store.now_ms", lambda moment=begun + count: moment)
        rooms.add(note(room, f"{count} de {name}", writer, count))
    for node in (two, one, two):
        assert node.sync().error == ""
    merged = RoomStore(central.engine)
    assert sorted(texts(merged, room)) == sorted(texts(here, room) + texts(there, room))
    assert [int(text.split()[0]) for text in texts(merged, room)] == list(range(1, 21))


def test_a_room_and_every_file_of_it_are_the_same_to_the_byte_at_central(make_node: Callable[..., Node]) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    here, there = RoomStore(tablet.engine), RoomStore(central.engine)
    room = open_demo_room(here, date(2026, 11, 22))
    assert tablet.sync().error == ""
    ours, theirs = here.get(room), there.get(room)
    assert ours is not None and ours == theirs
    files = {file.name: file.content() for file in files_of(ours, Tongue(), for_lab=True)}
    assert len(files) > 10
    assert files == {file.name: file.content() for file in files_of(theirs, Tongue(), for_lab=True)}
