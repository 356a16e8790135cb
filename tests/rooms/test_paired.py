"""Before and after by link codes, against changes worked out by hand."""

import random
from collections.abc import Sequence

import pytest

from collector.rooms.boards.paired import PairedRow, paired_board
from collector.rooms.contributions import Contribution
from collector.rooms.link_codes import is_link_code, make_link_code, read_link_code
from collector.rooms.refusals import Refusal
from collector.rooms.room import room_of
from tests.rooms.making import START_MS, Making, made_id, segment_of, step_of
from tests.rooms.sample import link_code_of

GENERATION = segment_of("generacion", "joven", "adulta", "mayor")
CODES = [link_code_of(random.Random(seed)) for seed in range(60)]


class Pilot:
    """A pilot of one item, from 0 to 10."""

    def __init__(self, session: int = 0) -> None:
        self.making = Making(session=made_id(900 + session, START_MS))
        self.made: list[Contribution] = self.making.guided(
            step_of("measure", "m", "confianza", most=10), segments=[GENERATION]
        )

    def say(self, person: int, turn: int, value: int, generation: str = "") -> None:
        payload = {"code": CODES[person], "item": "confianza", "value": value, "round": turn}
        segments = {"generacion": generation} if generation else {}
        self.made.append(self.making.vote("measure", f"{turn}-{person}", payload, step="m", segments=segments))

    def pair(self, people: Sequence[int], before: int, after: int, generation: str = "") -> None:
        for person in people:
            self.say(person, 0, before, generation)
            self.say(person, 1, after, generation)

    def done(self) -> list[Contribution]:
        return [*self.made, self.making.reveal("m")]


def row_of(*pilots: Pilot) -> PairedRow:
    (row,) = paired_board([room_of(pilot.done()) for pilot in pilots], "m", "generacion").rows
    return row


def test_twenty_pairs_and_seven_alone_give_the_change_worked_out_by_hand() -> None:
    """Changes: 8 people +2, 6 people +1, 4 people 0, 2 people -1: sum 20, mean 1.0 of 20 pairs.

    Squares about 1: 8 x 1 + 6 x 0 + 4 x 1 + 2 x 4 = 20; variance 20/19 = 1.05263; t(19) = 2.09302;
    half = 2.09302 x sqrt(1.05263 / 20) = 0.48017, so from 0.520 to 1.480. Before all 4, so after 5.0 in the mean.
    Four more gave only the first answer, three only the second.
    """
    pilot = Pilot()
    pilot.pair(range(8), 4, 6)
    pilot.pair(range(8, 14), 4, 5)
    pilot.pair(range(14, 18), 4, 4)
    pilot.pair(range(18, 20), 4, 3)
    for person in range(20, 24):
        pilot.say(person, 0, 10)
    for person in range(24, 27):
        pilot.say(person, 1, 0)
    row = row_of(pilot)
    change = row.change
    assert change is not None and change.change.low is not None and change.change.high is not None
    assert (row.n_before, row.n_after, row.n_paired, row.unpaired) == (24, 23, 20, 7)
    assert (change.mean_before, change.mean_after, change.change.mean) == (4.0, 5.0, 1.0)
    assert (round(change.change.low, 3), round(change.change.high, 3)) == (0.52, 1.48)
    assert (change.rose, change.same, change.fell) == (14, 4, 2)


def test_a_generation_with_fewer_than_five_pairs_is_not_shown_nor_the_one_that_gives_it_away() -> None:
    pilot = Pilot()
    pilot.pair(range(7), 3, 5, "joven")
    pilot.pair(range(7, 12), 3, 3, "adulta")
    pilot.pair(range(12, 14), 9, 1, "mayor")
    row = row_of(pilot)
    assert [(group.value, group.change.n_paired, group.change.change.mean) for group in row.groups] == [
        ("joven", 7, 2.0)
    ]
    assert row.hidden == ("adulta", "mayor")


def test_pairs_are_found_across_the_rooms_of_two_rounds() -> None:
    first, second = Pilot(1), Pilot(2)
    for person in range(6):
        first.say(person, 0, 2, "joven")
        second.say(person, 1, 2 + person, "")
    row, swapped = row_of(first, second), row_of(second, first)
    assert row == swapped
    assert row.change is not None and (row.n_paired, row.change.change.mean) == (6, 2.5)
    assert [group.value for group in row.groups] == ["joven"]


def test_fewer_than_five_pairs_show_counts_and_no_change() -> None:
    pilot = Pilot()
    pilot.pair(range(4), 1, 2)
    pilot.say(4, 0, 3)
    row = row_of(pilot)
    assert (row.n_paired, row.unpaired, row.change) == (4, 1, None)


def test_a_code_typed_again_counts_with_its_newest_answer() -> None:
    pilot = Pilot()
    pilot.pair(range(5), 1, 2)
    late = {"code": CODES[0], "item": "confianza", "value": 7, "round": 1}
    pilot.made.append(pilot.making.vote("measure", "other-phone", late, step="m", at=3600))
    row = row_of(pilot)
    assert row.change is not None and (row.n_paired, row.change.change.mean) == (5, 2.0)


def test_a_code_with_two_values_in_two_rooms_is_contested_and_left_out() -> None:
    first, second = Pilot(1), Pilot(2)
    first.pair(range(6), 1, 2)
    second.say(0, 1, 9)
    row = row_of(first, second)
    assert (row.n_paired, row.contested, row.unpaired) == (5, 1, 0)
    assert row.change is not None and row.change.change.mean == 1.0


def test_a_wrong_letter_and_a_swap_in_a_link_code_are_noticed_without_a_network() -> None:
    code = read_link_code(make_link_code())
    for place in range(len(code)):
        for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            wrong = code[:place] + letter + code[place + 1 :]
            assert is_link_code(wrong) == (wrong == code)
    for place in range(len(code) - 2):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert is_link_code(swapped) == (swapped == code)


def test_a_link_code_is_read_as_people_write_it() -> None:
    assert read_link_code(" eqxx7-r ") == "EQXX7R"
    assert all(is_link_code(read_link_code(make_link_code())) for _ in range(200))
    with pytest.raises(Refusal, match="not right"):
        read_link_code("EQXX8-R")
