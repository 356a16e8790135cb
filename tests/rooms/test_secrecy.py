"""Votes are secret: nothing that a room or a board holds ties one to a ballot, a seat, a device or a moment."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from collector.rooms.boards.dots import dot_board
from collector.rooms.boards.paired import paired_board
from collector.rooms.boards.ranking import ranking_board
from collector.rooms.boards.signify import signify_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.boards.veil import Veil, open_groups
from collector.rooms.contributions import Contribution
from collector.rooms.payloads import SECRET
from collector.rooms.room import Room, room_of
from collector.rooms.secret import CountedVote
from tests.rooms.making import Making, segment_of, step_of
from tests.rooms.sample import every_board, link_code_of, sample_room


def texts_in(value: object) -> Iterator[str]:
    """Give every text inside dataclasses, objects and lists, keys too."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from texts_in(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(key)
            yield from texts_in(inner)
    elif isinstance(value, tuple | list | frozenset | set):
        for inner in value:
            yield from texts_in(inner)


def everything_of(seed: int) -> tuple[list[Contribution], Room, list[object]]:
    contributions = sample_room(seed)
    room = room_of(contributions)
    return contributions, room, every_board(room)


@pytest.mark.parametrize("seed", range(5))
def test_no_room_and_no_board_holds_a_ballot_nor_the_id_of_a_vote(seed: int) -> None:
    contributions, room, boards = everything_of(seed)
    votes = [each for each in contributions if each.what in SECRET]
    tied = {each.ballot for each in votes} | {each.id for each in votes}
    tied -= {each.ref for each in contributions if each.what == "undo"}
    assert len(tied) > 50
    assert not tied & set(texts_in(room))
    assert not tied & set(texts_in(boards))


def test_a_counted_vote_has_no_place_for_a_seat_a_ballot_a_device_or_a_time() -> None:
    assert {field.name for field in fields(CountedVote)} == {"what", "step", "ref", "payload", "segments", "people"}


@pytest.mark.parametrize("seed", range(5))
def test_no_vote_names_a_seat_and_no_link_code_reaches_a_board(seed: int) -> None:
    contributions, room, boards = everything_of(seed)
    assert not set(room.seats) & set(texts_in(room.secret))
    codes = {str(each.payload["code"]) for each in contributions if each.what == "measure"}
    assert codes and not codes & set(texts_in(boards))


def test_votes_stand_in_an_order_that_does_not_tell_when_they_came() -> None:
    making = Making()
    start = making.guided(step_of("dots", "d", "a", "b"))
    one = making.vote("allocation", "one", {"points": {"a": 1}}, step="d", at=60)
    two = making.vote("allocation", "two", {"points": {"b": 1}}, step="d", at=600)
    swapped = Making()
    swapped.guided(step_of("dots", "d", "a", "b"))
    first = swapped.vote("allocation", "one", {"points": {"b": 1}}, step="d", at=60)
    second = swapped.vote("allocation", "two", {"points": {"a": 1}}, step="d", at=600)
    assert room_of([*start, one, two]).secret == room_of([*start, first, second]).secret


def voted(people: int, *, is_revealed: bool = True) -> Room:
    """Return a room in which so many people answered every secret kind."""
    making = Making()
    made = making.guided(
        step_of("statements", "s"),
        step_of("dots", "d", "a", "b"),
        step_of("rank", "r", "a", "b"),
        step_of("triad", "t", "a", "b", "c"),
        step_of("dyad", "y", "a", "b"),
        step_of("measure", "m", "a"),
    )
    statement = making.make("statement", {"text": "x"}, step="s")
    made.append(statement)
    for number in range(people):
        code = link_code_of(random.Random(number))
        given: list[tuple[str, str, dict[str, Any]]] = [
            ("allocation", "d", {"points": {"a": 10}}),
            ("rank", "r", {"order": ["a", "b"]}),
            ("triad", "t", {"a": 100, "b": 0, "c": 0}),
            ("dyad", "y", {"value": 10}),
            *(("measure", "m", {"code": code, "item": "a", "value": turn, "round": turn}) for turn in (0, 1)),
        ]
        made += [making.vote(what, f"v{number}", payload, step=step) for what, step, payload in given]
        made.append(making.vote("vote", f"v{number}", {"choice": "agree"}, step="s", ref=statement.id))
    made += [making.reveal(step) for step in "sdrtym" if is_revealed]
    return room_of(made)


def results(room: Room) -> list[tuple[str, int, int]]:
    """Return (state, voters, results) of each secret board."""
    statements = statement_board(room, "s")
    dots, ranking, paired = dot_board(room, "d"), ranking_board(room, "r"), paired_board([room], "m")
    triad, dyad = signify_board(room, "t"), signify_board(room, "y")
    counted: list[tuple[Veil, int]] = [
        (statements.veil, sum(row.tally is not None for row in statements.rows)),
        (dots.veil, len(dots.rows)),
        (ranking.veil, len(ranking.rows)),
        (triad.veil, len(triad.rows)),
        (dyad.veil, len(dyad.rows)),
        (paired.veil, len(paired.rows)),
    ]
    return [(veil.state, veil.voters, rows) for veil, rows in counted]


def test_a_result_is_blind_until_its_step_is_revealed() -> None:
    assert results(voted(7, is_revealed=False)) == [("blind", 7, 0)] * 6


def test_a_result_of_fewer_than_five_people_stays_hidden_after_the_reveal() -> None:
    assert results(voted(4)) == [("few", 4, 0)] * 6


def test_five_people_see_their_result() -> None:
    assert [(state, voters, rows > 0) for state, voters, rows in results(voted(5))] == [("shown", 5, True)] * 6


def test_hiding_a_step_again_takes_its_result_away() -> None:
    making = Making()
    made = making.guided(step_of("dots", "d", "a", "b"))
    made += [making.vote("allocation", f"v{number}", {"points": {"a": 1}}, step="d") for number in range(5)]
    made.append(making.reveal("d"))
    assert dot_board(room_of(made), "d").rows
    made.append(making.make("step", {"state": "hidden"}, step="d"))
    assert not dot_board(room_of(made), "d").rows


def test_votes_that_do_not_count_make_no_crowd_to_hide_in() -> None:
    making = Making()
    made = making.guided(step_of("dots", "d", "a", "b"))
    made += [making.vote("allocation", f"v{number}", {"points": {"a": 1}}, step="d") for number in range(4)]
    made.append(making.vote("allocation", "fifth", {"points": {"a": 11}}, step="d"))
    board = dot_board(room_of([*made, making.reveal("d")]), "d")
    assert (board.veil.state, board.veil.voters) == ("few", 4)


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"a": 5, "b": 6}, {"a", "b"}),
        ({"a": 6, "b": 5, "c": 2}, {"a"}),
        ({"a": 6, "b": 2}, set()),
        ({"a": 9, "b": 3, "c": 2}, {"a"}),
        ({"a": 4, "b": 4}, set()),
        ({}, set()),
    ],
)
def test_a_lone_small_group_takes_another_one_with_it(sizes: dict[str, int], shown: set[str]) -> None:
    """Of 13 people, 6 + 5 + 2: the 2 would be 13 - 11, so the 5 go too, and 7 cannot be told apart."""
    assert open_groups(sizes) == shown


def test_what_is_shown_of_groups_never_leaves_one_to_four_people() -> None:
    for seed in range(2000):
        chance = random.Random(seed)
        sizes = {str(number): chance.randint(1, 12) for number in range(chance.randint(1, 6))}
        shown = open_groups(sizes)
        assert all(sizes[group] >= 5 for group in shown)
        hidden = sum(size for group, size in sizes.items() if group not in shown)
        assert hidden == 0 or hidden >= 5 or not shown


def test_a_group_too_small_to_show_is_named_as_hidden_and_nothing_else_of_it() -> None:
    making = Making()
    made = making.guided(step_of("dots", "d", "a", "b"), segments=[segment_of("g", "joven", "adulta", "mayor")])
    for group, people, option in (("joven", 6, "a"), ("adulta", 5, "b"), ("mayor", 2, "b")):
        made += [
            making.vote("allocation", f"{group}{n}", {"points": {option: 10}}, step="d", segments={"g": group})
            for n in range(people)
        ]
    board = dot_board(room_of([*made, making.reveal("d")]), "d")
    (cut,) = board.rows[0].by_segment
    assert [group.value for group in cut.groups] == ["joven"]
    assert cut.hidden == ("adulta", "mayor")
