"""Rooms kept at hand: always what the log says, read once for all who ask, and not at all while nothing is new."""

import hashlib
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Engine, event

from collector.clock import now_ms
from collector.db import open_engine, prepare_store, writing
from collector.links import room_code
from collector.queries import store
from collector.queries.records import ingest
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.contributions import Contribution
from collector.rooms.growing import GrowingRoom
from collector.rooms.guide import Guide, steps_as_json
from collector.rooms.room import Room
from sync.records import canonical_bytes
from sync.statements import make_decision
from tests.rooms.making import START_MS, Making, made_id, step_of
from tests.store.conftest import MakeStore

Body = dict[str, Any]
GUIDE = Guide("prueba", "1", {"es": "Prueba"}, (step_of("statements", "s"), step_of("dots", "d", "a", "b")))
HOST = Writer("tablet-of-the-host")


def opened(rooms: RoomStore) -> str:
    """Open a room with both steps open and two sentences, and return its id."""
    room = rooms.open({"title": "Sala", "steps": steps_as_json(GUIDE)}, HOST)
    rooms.add_all([
        make_contribution(room, "step", {"state": "open"}, HOST, 1, step="s"),
        make_contribution(room, "step", {"state": "open"}, HOST, 2, step="d"),
        *(make_contribution(room, "statement", {"text": text}, HOST, 3, step="s") for text in "ab"),
    ])  # fmt: skip
    return room


def vote(room: str, ref: str, count: int = 1, ballot: str = "") -> Body:
    return make_contribution(room, "vote", {"choice": "agree"}, Writer(ballot or new_token()), count, step="s", ref=ref)


def room_in(rooms: RoomStore, room: str) -> Room:
    found = rooms.get(room)
    assert found is not None
    return found


def anything(chance: random.Random, room: Room, count: int) -> Body:
    """Return something that somebody says in a room."""
    ref = chance.choice([item.id for item in (*room.items, *room.undone)])
    seat = f"P{chance.randint(1, 4)}"
    ballot = Writer(f"ballot-number-{chance.randint(1, 4)}")
    points = {"points": {"a": chance.randint(1, 10)}}
    made: dict[str, Callable[[], Body]] = {
        "statement": lambda: make_contribution(
            room.session, "statement", {"text": f"Digo {count}"}, HOST, count, step="s", seat=seat
        ),
        "vote": lambda: vote(room.session, ref, count, ballot.by),
        "allocation": lambda: make_contribution(room.session, "allocation", points, ballot, count, step="d"),
        "undo": lambda: make_contribution(room.session, "undo", {}, HOST, count, ref=ref),
        "moderate": lambda: make_contribution(room.session, "moderate", {"state": "hidden"}, HOST, count, ref=ref),
        "seat": lambda: make_contribution(room.session, "seat", {"segments": {"x": seat}}, HOST, count, seat=seat),
        "session": lambda: make_contribution(room.session, "session", {"title": f"Sala {count}"}, HOST, count),
    }
    return chance.choice(list(made.values()))()


@pytest.mark.parametrize("seed", range(3))
def test_a_room_kept_at_hand_is_the_one_that_a_new_start_reads(make_store: MakeStore, seed: int) -> None:
    """Two processes over one store: each keeps the room, each sees what the other takes."""
    chance, engine = random.Random(seed), make_store()
    here, there = RoomStore(engine), RoomStore(engine)
    room = opened(here)
    for count in range(10, 50):
        wanted = room_in(RoomStore(engine), room)
        assert room_in(here, room) == room_in(there, room) == wanted
        assert here.mark(room) == there.mark(room) == RoomStore(engine).mark(room)
        chance.choice((here, there)).add(anything(chance, wanted, count))
        if count % 13 == 0:
            here.erase_seat(room, f"P{chance.randint(1, 4)}")
    assert room_in(here, room) == room_in(there, room) == room_in(RoomStore(engine), room)


def test_what_is_contested_leaves_the_room_and_comes_back_with_what_was_decided(make_store: MakeStore) -> None:
    engine = make_store()
    rooms = RoomStore(engine)
    room = opened(rooms)
    first = make_contribution(room, "note", {"text": "a"}, HOST, 9)
    second = first | {"payload": {"text": "b"}}

    def notes() -> list[str]:
        return [item.text for item in room_in(rooms, room).of("note")]

    rooms.add(first)
    assert notes() == ["a"]
    rooms.add(second)
    assert notes() == []
    sha256 = hashlib.sha256(canonical_bytes(second)).hexdigest()
    with writing(engine) as session:
        ingest(session, [make_decision(str(first["id"]), "use", sha256, "lab@example.org")], now_ms())
    assert notes() == ["b"]
    assert {str(each.payload.get("text")) for each in rooms.said(room) if each.what == "note"} == {"b"}


def test_what_turns_out_to_speak_of_another_room_leaves_this_one(make_store: MakeStore) -> None:
    engine = make_store()
    rooms = RoomStore(engine)
    one, other = opened(rooms), opened(rooms)
    here = make_contribution(one, "note", {"text": "a"}, HOST, 9)
    there = here | {"session": other}
    rooms.add(here)
    rooms.add(there)
    assert room_in(rooms, one).of("note") == room_in(rooms, other).of("note") == ()
    for chosen, wanted in ((here, (1, 0)), (there, (0, 1))):
        sha256 = hashlib.sha256(canonical_bytes(chosen)).hexdigest()
        with writing(engine) as session:
            ingest(session, [make_decision(str(here["id"]), "use", sha256, "lab@example.org")], now_ms())
        assert tuple(len(room_in(rooms, room).of("note")) for room in (one, other)) == wanted


def test_a_ballot_finds_what_it_said_and_nothing_of_others(make_store: MakeStore) -> None:
    rooms = RoomStore(make_store())
    room = opened(rooms)
    refs = [item.id for item in room_in(rooms, room).of("statement")]
    mine = [vote(room, ref, count, "ballot-of-mine") for count, ref in enumerate(refs, start=1)]
    rooms.add_all([*mine, vote(room, refs[0])])
    assert [each.id for each in rooms.of_ballot(room, "ballot-of-mine")] == [body["id"] for body in mine]
    assert rooms.of_ballot(room, "ballot-of-m") == rooms.of_ballot(made_id(1, START_MS), "ballot-of-mine") == ()


def test_a_code_finds_a_room_as_soon_as_it_is_here_and_no_longer_than_it_is(make_store: MakeStore) -> None:
    engine = make_store()
    here, there = RoomStore(engine), RoomStore(engine)
    assert here.with_code("BCDFG") is None
    room = opened(there)
    code = room_code(room)
    assert here.with_code(f" {code[:2].lower()}-{code[2:]} ") == room
    assert here.get(made_id(1, START_MS)) is None
    assert here.mark(made_id(1, START_MS)) == ""


# --- what it costs


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A store whose statements can be listened to."""
    made = open_engine(f"sqlite:///{tmp_path}/collector.db")
    prepare_store(made)
    with writing(made) as session:
        store.first_facts(session, "nodo")
    made.dispose()  # connections from here on are listened to
    yield made
    made.dispose()


def heard(engine: Engine, reading_seconds: float = 0) -> list[str]:
    """Return a list that gets every statement of the store from now on. reading_seconds: how slow its disk is."""
    statements: list[str] = []

    def hear(statement: str) -> None:
        statements.append(statement)
        if "body" in statement:
            time.sleep(reading_seconds)

    def listen(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(hear)

    engine.dispose()
    event.listen(engine, "connect", listen)
    return statements


def test_while_nothing_is_new_no_record_is_looked_at(engine: Engine) -> None:
    rooms = RoomStore(engine)
    room = opened(rooms)
    rooms.add(vote(room, room_in(rooms, room).items[0].id, 1, "ballot-of-mine"))
    before, code = room_in(rooms, room), room_code(room)
    assert rooms.with_code(code) == room
    statements = heard(engine)
    for _ in range(3):
        assert rooms.with_code(code) == room
        assert rooms.get(room) is before
        assert rooms.mark(room) and rooms.of_ballot(room, "ballot-of-mine")
    asked = [statement for statement in statements if not statement.startswith("PRAGMA")]
    assert set(asked) == {"SELECT next_n FROM log WHERE slot = 1"}
    assert len(asked) == 3 * 4


def test_the_mark_of_a_room_that_is_not_kept_reads_none_of_it(engine: Engine) -> None:
    room = opened(RoomStore(engine))
    kept, rooms = RoomStore(engine), RoomStore(engine)
    assert room_in(kept, room)
    statements = heard(engine)
    assert rooms.mark(room) == kept.mark(room) != ""
    assert not [statement for statement in statements if "body" in statement]


def test_what_is_new_elsewhere_in_the_store_leaves_the_room_as_it_is(engine: Engine) -> None:
    rooms = RoomStore(engine)
    room = opened(rooms)
    before = room_in(rooms, room)
    opened(rooms)
    statements = heard(engine)
    assert room_in(rooms, room) is before
    assert not [statement for statement in statements if "body" in statement]


def test_forty_phones_that_ask_at_once_wait_for_one_reading(engine: Engine) -> None:
    rooms = RoomStore(engine)
    room = opened(rooms)
    first = room_in(rooms, room)
    rooms.add(vote(room, first.items[0].id))
    statements = heard(engine, reading_seconds=0.05)
    together, found = threading.Barrier(40), []

    def ask() -> None:
        together.wait()
        found.append(rooms.get(room))

    phones = [threading.Thread(target=ask) for _ in range(40)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert len(found) == 40
    assert {id(each) for each in found} == {id(rooms.get(room))} != {id(first)}
    assert sum("body" in statement for statement in statements) == 1


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called by some work: a cost that no other program of the machine changes."""
    calls = 0

    def count(_frame: FrameType, what: str, _about: object) -> None:
        nonlocal calls
        calls += what in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_one_more_vote_costs_the_same_in_a_large_room() -> None:
    def cost(ballots: int) -> int:
        making = Making()
        start = making.guided(*GUIDE.steps)
        sentences = [making.make("statement", {"text": f"Digo {n}"}, step="s") for n in range(10)]

        def voted(ballot: str) -> list[Contribution]:
            return [making.vote("vote", ballot, {"choice": "agree"}, step="s", ref=each.id) for each in sentences]

        votes = [each for ballot in range(ballots) for each in voted(str(ballot))]
        *before, last = voted("mine")
        room = GrowingRoom([*start, *sentences, *votes, *before])

        def grow() -> None:
            room.add(last)
            room.room()

        return calls_of(grow)

    small, large = cost(10), cost(100)
    assert large <= small + 20
