"""The demonstration room: every board has something to show, and nobody takes it for real."""

import json
from collections.abc import Callable
from datetime import date

import pytest

from collector.db import reading
from collector.demo_room import STEPS, TITLE, open_demo_room
from collector.queries import contributions
from collector.rooms.boards.energy import energy_board
from collector.rooms.boards.iceberg import iceberg_board
from collector.rooms.boards.judging import judging_board
from collector.rooms.boards.signify import signify_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.contributions import parse_contribution
from collector.rooms.fitting import check_fits
from collector.rooms.room import Room
from collector.rooms.sense.pieces import pieces_of_rooms
from tests.conftest import Node

TODAY = date(2026, 11, 22)


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node("campo")


def demo_of(node: Node) -> Room:
    room = node.app.state.rooms.get(open_demo_room(node.app.state.rooms, TODAY))
    assert isinstance(room, Room)
    return room


def test_every_step_is_revealed_and_every_board_has_something_to_show(node: Node) -> None:
    room = demo_of(node)
    assert room.guide is not None and [step.name for step in room.guide.steps] == [name for _, name in STEPS]
    hidden = [step.name for step in room.guide.steps if room.run(step.name).state != "revealed"]
    assert hidden == ["cierre"]  # a note-taker writes there, there is no board
    sentences = statement_board(room, "frases")
    assert len(sentences.rows) == 5 and {row.tally.seen for row in sentences.rows} == {24}
    energy = energy_board(room, "energia", None)
    assert {row.preference.share.n for row in energy.rows} == {24} and sum(row.promised for row in energy.rows) == 3
    assert len(judging_board(room, "jurado").rows) == 3 and signify_board(room, "apoyo").veil.voters == 24
    assert iceberg_board(room, "iceberg")


def test_what_is_said_in_it_is_what_any_room_takes(node: Node) -> None:
    room = demo_of(node)
    with reading(node.app.state.engine) as session:
        bodies = contributions.bodies_of(session, room.session)
    for body in bodies:
        check_fits(room.guide, parse_contribution(json.loads(body)))


def test_it_is_opened_once_and_counts_nowhere(node: Node) -> None:
    room = demo_of(node)
    assert open_demo_room(node.app.state.rooms, TODAY) == room.session
    assert room.facts.demo and room.facts.title == TITLE and "Demostración" in TITLE
    assert list(pieces_of_rooms([room])) == []
