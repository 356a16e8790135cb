"""A second tablet takes a session along: by its ordinary sync, or in a small file with no network at all."""

import gzip
import json
import random
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from collector.clock import now_ms
from collector.db import reading, writing
from collector.demo_room import open_demo_room
from collector.links import room_code
from collector.queries import nodes
from collector.queries.fleet import nodes_with_room
from collector.queries.records import ingest
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.boards.timeline import timeline
from collector.rooms.guide import Guide, segments_as_json, steps_as_json
from collector.routes import sync_rooms
from sync.push import SyncState
from sync.room_lines import NOTES, PREPARED, CarriedRoom, NotARoom, lines_of, read_lines
from sync.rooms import DAY_MS, DAYS, carried_now, keep_room, known_names, names_for
from sync.statements import made, make_tombstone
from tests.rooms.sample import SEGMENTS, STEPS
from tests.sync.conftest import Node
from tests.sync.sender import OldUpstream

MakeNode = Callable[..., Node]
HOST = Writer("tablet-of-the-host")


def open_room(node: Node, **facts: Any) -> str:
    """Open a room with a guide, three seats and the consent of the group; return its id."""
    rooms = RoomStore(node.engine)
    made_guide = Guide("todo", "1", {"es": "Todo"}, STEPS, SEGMENTS)
    guide = {"steps": steps_as_json(made_guide), "segments": segments_as_json(SEGMENTS)}
    room = rooms.open({"title": "Confianza en el barrio", "district": "0911", "guide": "todo", **guide, **facts}, HOST)
    for count, seat in enumerate(("P1", "P2", "P3"), 1):
        say(node, room, "seat", {}, count, seat=seat)
    say(node, room, "consent", {"purposes": {"participate": True}, "group": True}, 4)
    return room


def say(node: Node, room: str, what: str, payload: dict[str, Any], count: int = 1, **more: Any) -> dict[str, Any]:
    body = make_contribution(room, what, payload, more.pop("writer", HOST), count, **more)
    RoomStore(node.engine).add(body)
    return body


def note(node: Node, room: str, text: str, writer: Writer, count: int) -> None:
    """Write a note in a millisecond of its own: two writers of one stand in the order of their ids."""
    before = now_ms()
    while now_ms() == before:
        time.sleep(0.001)
    say(node, room, "note", {"text": text, "form": "paraphrase"}, count, writer=writer, seat="P1", step=STEPS[0].name)


def told(node: Node, room: str) -> list[str]:
    """Return the texts of the timeline of a room, in its order."""
    found = RoomStore(node.engine).get(room)
    assert found is not None
    return [row.item.text for row in timeline(found)]


def whats(node: Node) -> list[str]:
    return sorted(json.loads(body)["what"] for (body,) in node.rows("SELECT body FROM record WHERE body IS NOT NULL"))


def in_step(*found: Node) -> None:
    for node in found:
        assert node.sync().error == ""


@pytest.fixture
def chain(make_node: MakeNode) -> tuple[Node, Node, Node, Node]:
    """Central, a hub, and two tablets at the hub."""
    central, hub, one, two = (make_node(name) for name in ("central", "municipio", "Tableta 1", "Tableta 2"))
    hub.enrol_at(central)
    one.enrol_at(hub)
    two.enrol_at(hub)
    return central, hub, one, two


# --- by sync


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)], ids=str)
def test_two_note_takers_on_two_offline_tablets_merge_without_loss_into_one_timeline(
    chain: tuple[Node, Node, Node, Node], order: tuple[int, ...]
) -> None:
    central, hub, one, two = chain
    room = open_room(one)
    in_step(one, two)
    assert RoomStore(two.engine).ids() == [room]  # from here on nobody has a network
    writers = [(one, Writer(new_token())), (two, Writer(new_token()))]
    chance = random.Random(11)
    for count in range(1, 21):
        tablet, writer = chance.choice(writers)
        note(tablet, room, f"nota {count}", writer, count)
    in_step(*((one, two)[at] for at in order), hub, one, two)
    expected = [f"nota {count}" for count in range(1, 21)]
    assert told(central, room) == told(hub, room) == expected
    assert sorted(told(one, room) + told(two, room)) == sorted(expected)
    at_hub, at_central = RoomStore(hub.engine).get(room), RoomStore(central.engine).get(room)
    assert at_hub == at_central


def test_every_node_comes_to_one_timeline_when_the_notes_are_carried_across_in_a_file(make_node: MakeNode) -> None:
    one, two = make_node("una"), make_node("dos")
    room = open_room(one)
    carry(one, two, room)
    for count in range(1, 11):
        note((one, two)[count % 2], room, f"nota {count}", Writer(f"tablet-of-{count % 2}"), count)
    carry(two, one, room, NOTES)
    carry(one, two, room, NOTES)
    assert told(one, room) == told(two, room) == [f"nota {count}" for count in range(1, 11)]
    assert RoomStore(one.engine).get(room) == RoomStore(two.engine).get(room)


def test_a_room_prepared_at_central_reaches_a_tablet_through_its_hub_with_what_is_needed_and_nothing_said(
    chain: tuple[Node, Node, Node, Node],
) -> None:
    central, hub, one, _ = chain
    room = open_room(central)
    say(central, room, "step", {"state": "open"}, 5, step=STEPS[0].name)
    said = say(central, room, "note", {"text": "Falta agua"}, 6, seat="P1", step=STEPS[0].name)
    say(central, room, "moderate", {"state": "hidden"}, 7, ref=said["id"])
    say(central, room, "expectation", {"actor": "Junta", "text": 'Dice "what":"seat" y no es un puesto'}, 8)
    in_step(hub, one)
    there, here = RoomStore(central.engine).get(room), RoomStore(one.engine).get(room)
    assert here is not None and there is not None
    assert (here.facts, here.guide, here.seats, here.consents, here.runs) == (
        there.facts, there.guide, there.seats, there.consents, there.runs,
    )  # fmt: skip
    assert here.items == () and whats(one) == sorted(["session", "seat", "seat", "seat", "consent", "step"])
    assert RoomStore(one.engine).with_code(room_code(room)) == room


def test_the_bytes_come_down_verbatim_and_go_up_as_known(chain: tuple[Node, Node, Node, Node]) -> None:
    _, hub, one, two = chain
    open_room(one)
    in_step(one, two)
    of_records = "SELECT id, body FROM record ORDER BY id"
    assert one.rows(of_records) == two.rows(of_records) == hub.rows(of_records)
    before = hub.everything()[0]
    result = two.sync()
    assert (result.error, result.sent, result.quarantined, hub.everything()[0]) == ("", 5, 0, before)
    assert two.sync().sent == 0
    assert two.rows("SELECT DISTINCT origin FROM record") == [(one.id,)]


def test_what_changes_in_an_open_room_comes_down_too_and_an_undone_step_stays_undone(
    chain: tuple[Node, Node, Node, Node],
) -> None:
    _, _, one, two = chain
    room, step = open_room(one), STEPS[0].name
    in_step(one, two)
    opened = say(one, room, "step", {"state": "open"}, 5, step=step)
    in_step(one, two)
    assert _state(two, room, step) == "open"
    undo = say(one, room, "undo", {}, 6, ref=opened["id"])
    in_step(one, two)
    assert _state(two, room, step) == "hidden"
    say(one, room, "undo", {}, 7, ref=undo["id"])
    in_step(one, two)
    assert _state(two, room, step) == "open"


def _state(node: Node, room: str, step: str) -> str:
    found = RoomStore(node.engine).get(room)
    assert found is not None
    return found.run(step).state


def test_nothing_is_asked_for_while_nothing_is_new_and_one_room_when_one_is(
    chain: tuple[Node, Node, Node, Node],
) -> None:
    _, hub, one, two = chain
    rooms = [open_room(hub), open_room(hub)]
    state = SyncState()
    first = two.sync(state)
    assert (first.rooms, first.has_more) == (2, True)  # the loop comes back at once to send what came
    assert set(state.rooms) == set(rooms) and not two.sync(state).has_more
    asked: list[str] = []
    two.http.event_hooks["request"].append(lambda request: asked.append(request.url.path))
    assert two.sync(state).rooms == 0
    assert not [path for path in asked if "/rooms" in path]
    say(hub, rooms[0], "presentes", {"count": 12}, 9)
    assert two.sync(state).rooms == 1
    assert [path for path in asked if "/rooms" in path] == ["/sync/v1/rooms", f"/sync/v1/rooms/{rooms[0]}"]
    asked.clear()
    assert two.sync(SyncState()).rooms == 0  # the program began anew: what is here is known by its hash
    assert [path for path in asked if "/rooms" in path] == ["/sync/v1/rooms"]
    assert one.sync().rooms == 2


def test_closed_rooms_demonstrations_and_old_ones_stay_where_they_are(chain: tuple[Node, Node, Node, Node]) -> None:
    _, hub, _, two = chain
    closed, old, open_one = open_room(hub), open_room(hub), open_room(hub)
    open_demo_room(RoomStore(hub.engine), date(2026, 11, 22))
    end = say(hub, closed, "close", {"summary": "Acta de lo que dijeron", "read_back": True}, 9)
    age(hub, old, DAYS * DAY_MS + 60_000)
    in_step(two)
    assert RoomStore(two.engine).ids() == [open_one]
    say(hub, closed, "undo", {}, 10, ref=end["id"])  # opened again
    in_step(two)
    assert set(RoomStore(two.engine).ids()) == {open_one, closed} and "close" not in whats(two)


def age(node: Node, room: str, by_ms: int) -> None:
    with writing(node.engine) as session:
        statement = text("UPDATE record SET received_ms = received_ms - :by_ms WHERE about = :room")
        session.connection().execute(statement, {"by_ms": by_ms, "room": room})


def test_what_was_erased_does_not_come_down_and_leaves_where_it_had_come(chain: tuple[Node, Node, Node, Node]) -> None:
    _, hub, one, two = chain
    room = open_room(one)
    in_step(one, two)
    assert RoomStore(one.engine).erase_seat(room, "P2") == 1
    in_step(one, two, two)
    found = RoomStore(two.engine).get(room)
    assert found is not None and list(found.seats) == ["P1", "P3"]
    (session,) = [each for each in two.ids() if each == room]
    with writing(hub.engine) as opened:
        ingest(opened, [make_tombstone(session, "lab@ejemplo.pa", "fue una prueba")], now_ms())
    in_step(two)
    assert RoomStore(two.engine).ids() == [] and RoomStore(hub.engine).ids() == []
    assert two.sync().rooms == 0


def test_a_revoked_tablet_gets_no_rooms_and_what_it_brings_is_not_offered(chain: tuple[Node, Node, Node, Node]) -> None:
    _, hub, one, two = chain
    with writing(hub.engine) as session:
        nodes.revoke_node(session, one.id, now_ms())
    at_hub, of_revoked = open_room(hub), open_room(one)
    assert one.sync().is_final
    assert RoomStore(one.engine).ids() == [of_revoked]
    in_step(two)
    assert RoomStore(two.engine).ids() == [at_hub]


def test_a_node_says_which_rooms_it_took_and_learns_what_the_node_is_called_where_they_were_opened(
    chain: tuple[Node, Node, Node, Node],
) -> None:
    central, hub, one, two = chain
    room = open_room(one)
    in_step(one, two, two, hub, hub)
    for above in (hub, central):
        with reading(above.engine) as session:
            assert "Tableta 2" in nodes_with_room(session, room)
    with reading(two.engine) as session:
        assert known_names(session)[one.id] == "Tableta 1"


def test_the_list_has_an_etag_and_asks_for_a_token(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    room = open_room(central)
    token = tablet.rows("SELECT token FROM upstream")[0][0]
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    listed = tablet.http.get(f"{central.url}/sync/v1/rooms", headers=headers)
    (entry,) = listed.json()
    assert (entry["room"], entry["title"], entry["records"]) == (room, "Confianza en el barrio", 5)
    again = tablet.http.get(f"{central.url}/sync/v1/rooms", headers=headers | {"If-None-Match": listed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    hello = tablet.http.get(f"{central.url}/sync/v1/hello", headers=headers).json()
    assert listed.headers["etag"] == f'"{hello["rooms"]}"'
    one = tablet.http.get(f"{central.url}/sync/v1/rooms/{room}", headers=headers)
    assert (
        one.headers["content-encoding"] == "gzip" and json.loads(one.text.split("\n")[0])["sha256"] == entry["sha256"]
    )
    unknown = tablet.http.get(
        f"{central.url}/sync/v1/rooms/{room[:-1]}{'0' if room[-1] != '0' else '1'}", headers=headers
    )
    assert unknown.status_code == 404
    assert tablet.http.get(f"{central.url}/sync/v1/rooms").status_code == 401


def test_a_room_of_a_thousand_notes_is_offered_in_a_few_kilobytes(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    room = open_room(central)
    with writing(central.engine) as session:
        for start in range(0, 1000, 500):
            bodies = [
                make_contribution(room, "note", {"text": f"Nota {n}"}, HOST, n, step=STEPS[0].name)
                for n in range(start, start + 500)
            ]
            ingest(session, [made(body) for body in bodies], now_ms())
    with reading(central.engine) as session:
        found = carried_now(session, room)
    assert found is not None and len(found.said) == 5
    assert len(gzip.compress(lines_of(found, central.id))) < 6_000
    assert tablet.sync().rooms == 1 and len(tablet.ids()) == 5


def test_an_upstream_of_an_earlier_release_is_asked_for_no_rooms(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    room = open_room(central)
    tablet.http.close()
    tablet.http = httpx.Client(transport=(old := OldUpstream()), trust_env=False)
    assert tablet.sync().error == "" and "hello" in old.paths and "rooms" not in old.paths
    tablet.http.close()
    tablet.http = httpx.Client(trust_env=False)
    assert (tablet.sync().rooms, RoomStore(tablet.engine).ids()) == (1, [room])


def test_a_list_or_a_room_that_is_something_else_holds_nothing_up(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    room, good = open_room(central), open_room(central)
    sound = lines_of

    def mixed(found: CarriedRoom, me: str) -> bytes:
        lines = sound(found, me)
        return lines if found.room == good else lines.replace(b'"P1"', b'"P4"')

    monkeypatch.setattr(sync_rooms, "lines_of", mixed)
    tablet.capture(3)
    result = tablet.sync()
    assert (result.error, result.sent, result.rooms) == ("", 3, 1)
    assert RoomStore(tablet.engine).ids() == [good]
    monkeypatch.setattr(sync_rooms, "lines_of", sound)
    assert tablet.sync().rooms == 1 and set(RoomStore(tablet.engine).ids()) == {room, good}


# --- in a file


def carry(source: Node, target: Node, room: str, holds: str = PREPARED) -> int:
    with reading(source.engine) as session:
        found = carried_now(session, room, holds)
        assert found is not None
        content = lines_of(found.with_names(names_for(session, found)), source.id)
    with writing(target.engine) as session:
        return keep_room(session, read_lines(content, target.id), now_ms())


def test_a_room_goes_to_another_tablet_in_a_file_and_twice_is_as_good_as_once(make_node: MakeNode) -> None:
    one, two = make_node("Tableta 1"), make_node("Tableta 2")
    room = open_room(one)
    note(one, room, "No va en el archivo", HOST, 9)
    assert (carry(one, two, room), carry(one, two, room)) == (5, 0)
    assert told(two, room) == [] and len(two.ids()) == 5
    assert carry(two, one, room) == 0  # and back: what was born here stays its own
    assert one.rows("SELECT DISTINCT origin FROM record") == [("",)]


def test_votes_go_in_no_file(make_node: MakeNode) -> None:
    one, two = make_node("una"), make_node("dos")
    room = open_room(one)
    ballot = Writer(new_token())
    dots = next(step for step in STEPS if step.type == "dots")
    RoomStore(one.engine).add(
        make_contribution(room, "allocation", {"points": {dots.option_names[0]: 1}}, ballot, 1, step=dots.name)
    )
    note(one, room, "Esto sí", HOST, 9)
    carry(one, two, room, NOTES)
    assert "allocation" in whats(one) and "allocation" not in whats(two) and told(two, room) == ["Esto sí"]


def damaged(content: bytes, how: str) -> bytes:
    lines = content.splitlines(keepends=True)
    return {
        "a line is missing": b"".join(lines[:-1]),
        "a letter differs": content.replace(b'"P1"', b'"P9"'),
        "cut short": content[:-40],
        "another order": b"".join([lines[0], *lines[:0:-1]]),
        "an empty file": b"",
        "a page": b"<!doctype html><title>Wi-Fi</title>",
        "not text": bytes(range(256)) * 20,
        "a workbook": b"PK\x03\x04" + b"\0" * 200,
        "another json": b'{"batch":"x"}\n',
    }[how]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("a line is missing", "damaged"), ("a letter differs", "damaged"), ("cut short", "damaged"),
        ("an empty file", "strange"), ("a page", "strange"), ("not text", "strange"), ("a workbook", "strange"),
        ("another json", "strange"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_or_is_something_else_is_told_apart(
    how: str, reason: str, make_node: MakeNode
) -> None:
    one = make_node("una")
    content = content_of(one, open_room(one))
    with pytest.raises(NotARoom) as caught:
        read_lines(damaged(content, how), "otro")
    assert caught.value.reason == reason
    assert len(read_lines(damaged(content, "another order"), "otro").arrivals) == 5


def content_of(node: Node, room: str, holds: str = PREPARED) -> bytes:
    with reading(node.engine) as session:
        found = carried_now(session, room, holds)
    assert found is not None
    return lines_of(found, node.id)


def test_records_of_another_room_and_kinds_that_do_not_go_along_are_refused(make_node: MakeNode) -> None:
    one = make_node("una")
    room, other = open_room(one), open_room(one)
    note(one, room, "Dicho", HOST, 9)
    with_notes, of_other = content_of(one, room, NOTES), content_of(one, other)
    for content in (with_notes.replace(b'"notes"', b'"prepared"'), of_other.replace(other.encode(), room.encode(), 1)):
        with pytest.raises(NotARoom) as caught:
            read_lines(content, "otro")
        assert caught.value.reason == "strange"
