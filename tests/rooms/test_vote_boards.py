"""Boards of votes against results worked out by hand."""

from typing import Any

import pytest

from collector.rooms.boards.dots import DotBoard, dot_board
from collector.rooms.boards.ranking import ranking_board
from collector.rooms.boards.signify import signify_board, triad_zone
from collector.rooms.boards.statements import StatementRow, statement_board
from collector.rooms.contributions import Contribution
from collector.rooms.guide import Step
from collector.rooms.room import room_of
from tests.rooms.making import Making, segment_of, step_of

GENERATION = segment_of("generacion", "joven", "mayor")


def statement_row(votes: dict[str, tuple[int, int, int]]) -> StatementRow:
    """Return the row of a statement on which each group gave (agrees, disagrees, passes)."""
    making = Making()
    made = making.guided(step_of("statements", "s"), segments=[GENERATION])
    statement = making.make("statement", {"text": "El municipio escucha."}, step="s")
    made += [statement, making.reveal("s")]
    for group, counts in votes.items():
        for choice, people in zip(("agree", "disagree", "pass"), counts, strict=True):
            for number in range(people):
                segments = {"generacion": group} if group else {}
                voter = f"{group}{choice}{number}"
                made.append(
                    making.vote("vote", voter, {"choice": choice}, step="s", ref=statement.id, segments=segments)
                )
    return statement_board(room_of(made), "s").rows[0]


def test_a_statement_that_both_generations_share_has_a_high_consensus() -> None:
    """9 of 10 and 9 of 10: (10/12)^2 = 0.694; agree 18 of 20, so 19/22 = 0.864; 2 x 2 / 20 = 0.2."""
    row = statement_row({"joven": (9, 1, 0), "mayor": (9, 1, 0)})
    assert row.tally is not None
    assert (row.tally.agrees, row.tally.disagrees, row.tally.passes, row.tally.seen) == (18, 2, 0, 20)
    assert (round(row.tally.agree_probability, 3), row.tally.controversy) == (0.864, 0.2)
    assert (round(row.tally.agree.low, 3), round(row.tally.agree.high, 3)) == (0.699, 0.972)
    (cut,) = row.by_segment
    assert cut.consensus is not None and round(cut.consensus, 3) == 0.694


def test_a_statement_that_parts_the_generations_has_a_low_one() -> None:
    """10 of 10 and 1 of 10: 11/12 x 2/12 = 0.153; 11 against 9 is a controversy of 18/20."""
    row = statement_row({"joven": (10, 0, 0), "mayor": (1, 9, 0)})
    assert row.tally is not None and row.tally.controversy == 0.9
    assert row.by_segment[0].consensus is not None and round(row.by_segment[0].consensus, 3) == 0.153
    assert [(group.value, group.tally.agrees) for group in row.by_segment[0].groups] == [("joven", 10), ("mayor", 1)]


def test_passes_are_seen_but_neither_agree_nor_disagree() -> None:
    """3 agree, 1 disagrees, 2 pass: (3 + 1) / (6 + 2) = 0.5; 2 x 1 / 4 = 0.5; share 3 of 6."""
    row = statement_row({"": (3, 1, 2)})
    assert row.tally is not None
    assert (row.tally.agree_probability, row.tally.controversy, row.tally.agree.share) == (0.5, 0.5, 0.5)
    assert row.by_segment == ()


def test_small_groups_count_together_in_the_consensus() -> None:
    """joven 6 of 6 alone; mayor 2 of 3 and undeclared 0 of 3 are 2 of 6: 7/8 x 3/8 = 0.328125."""
    row = statement_row({"joven": (6, 0, 0), "mayor": (2, 1, 0), "": (0, 3, 0)})
    (cut,) = row.by_segment
    assert ([group.value for group in cut.groups], cut.hidden) == (["joven"], ("mayor", ""))
    assert cut.rest is not None and (cut.rest.agrees, cut.rest.seen) == (2, 6)
    assert cut.consensus == 0.328125


def test_no_consensus_of_groups_is_told_where_none_may_be_shown() -> None:
    row = statement_row({"joven": (4, 0, 0), "mayor": (4, 0, 0)})
    assert [(cut.groups, cut.rest, cut.consensus) for cut in row.by_segment] == [((), None, None)]


def test_a_statement_added_late_stays_without_figures_until_five_answered() -> None:
    making = Making()
    made = making.guided(step_of("statements", "s"))
    early, late = (making.make("statement", {"text": text}, step="s") for text in ("a", "b"))
    made += [early, late, making.reveal("s")]
    for number in range(6):
        made.append(making.vote("vote", f"v{number}", {"choice": "agree"}, step="s", ref=early.id))
    for number in range(4):
        made.append(making.vote("vote", f"v{number}", {"choice": "agree"}, step="s", ref=late.id))
    board = statement_board(room_of(made), "s")
    assert (board.veil.voters, [row.tally is not None for row in board.rows]) == (6, [True, False])


def test_paper_votes_count_as_many_people_as_the_pile_holds() -> None:
    """5 phones agree; a pile says 3, 4, 1 and, corrected, 2, 4, 1: 7 agree, 4 disagree, 1 passes, 12 people."""
    making = Making()
    made = making.guided(step_of("statements", "s"))
    statement = making.make("statement", {"text": "a"}, step="s")
    made += [statement, making.reveal("s")]
    made += [making.vote("vote", f"v{n}", {"choice": "agree"}, step="s", ref=statement.id) for n in range(5)]
    for agrees in (3, 2):
        tally = {"agree": agrees, "disagree": 4, "pass": 1}
        made.append(making.vote("vote", "pile", {"tally": tally}, step="s", ref=statement.id, mode="paper"))
    board = statement_board(room_of(made), "s")
    tally_row = board.rows[0].tally
    assert tally_row is not None and (tally_row.agrees, tally_row.disagrees, tally_row.passes) == (7, 4, 1)
    assert board.veil.voters == 12


def test_who_always_says_the_same_is_counted_and_not_left_out() -> None:
    making = Making()
    made = making.guided(step_of("statements", "s"))
    statements = [making.make("statement", {"text": str(n)}, step="s") for n in range(5)]
    made += [*statements, making.reveal("s")]
    for voter in range(6):
        for number, each in enumerate(statements):
            choice = "agree" if voter == 0 or number % 2 else "disagree"
            made.append(making.vote("vote", f"v{voter}", {"choice": choice}, step="s", ref=each.id))
    board = statement_board(room_of(made), "s")
    assert board.straight_lines == 1
    assert board.rows[0].tally is not None and board.rows[0].tally.seen == 6


def dots(*points: dict[str, int], groups: str = "") -> DotBoard:
    making = Making()
    made = making.guided(step_of("dots", "d", "a", "b", "c"), segments=[segment_of("g", "x", "y")])
    for number, given in enumerate(points):
        segments = {"g": groups[number]} if groups else {}
        made.append(making.vote("allocation", f"v{number}", {"points": given}, step="d", segments=segments))
    return dot_board(room_of([*made, making.reveal("d")]), "d")


def test_points_become_shares_of_what_was_given_and_the_winner_stands_first() -> None:
    """Six give b 9 and a 1, four give b 8 and c 2: b 86 of 100, a 6, c 8.

    b of 10 people: (0.86 + 0.19207) / 1.38415 = 0.76008, give or take 0.20832.
    """
    board = dots(*[{"b": 9, "a": 1}] * 6, *[{"b": 8, "c": 2}] * 4)
    assert [(row.option.name, row.place, row.share.count, row.is_tied) for row in board.rows] == [
        ("b", 1, 86, False), ("c", 2, 8, False), ("a", 3, 6, False),
    ]  # fmt: skip
    assert (round(board.rows[0].share.low, 3), round(board.rows[0].share.high, 3)) == (0.552, 0.968)
    assert (board.given, board.total, board.rows[0].share.total, board.rows[0].share.n) == (100, 100, 100, 10)


def test_points_not_given_are_told_and_belong_to_nobody() -> None:
    board = dots(*[{"a": 3, "b": 1}] * 5)
    assert (board.given, board.total, board.rows[0].share.share) == (20, 50, 0.75)


def test_options_whose_intervals_meet_that_of_the_first_are_tied_with_it() -> None:
    """a 0.5, b 0.4, c 0.1 of 10 people: from 0.237 to 0.763, 0.168 to 0.687, 0.018 to 0.404; all reach a's."""
    board = dots(*[{"a": 5, "b": 4, "c": 1}] * 10)
    assert [(row.option.name, row.place, row.is_tied) for row in board.rows] == [
        ("a", 1, True), ("b", 2, True), ("c", 3, True),
    ]  # fmt: skip
    equal = dots(*[{"a": 5, "b": 5}] * 10)
    assert [(row.option.name, row.place) for row in equal.rows] == [("a", 1), ("b", 1), ("c", 3)]


def test_groups_have_their_own_shares() -> None:
    board = dots(*[{"a": 10}] * 5, *[{"a": 2, "b": 8}] * 5, groups="xxxxxyyyyy")
    by_option = {row.option.name: row.by_segment[0].groups for row in board.rows}
    assert [(group.value, group.share.share, group.share.n) for group in by_option["a"]] == [
        ("x", 1.0, 5),
        ("y", 0.2, 5),
    ]


def test_a_board_of_a_step_that_is_not_there_says_so() -> None:
    with pytest.raises(KeyError, match="zz"):
        dot_board(room_of(Making().guided(step_of("prompt", "p"))), "zz")


def voted(step: Step, *payloads: dict[str, Any], what: str = "") -> list[Contribution]:
    making = Making()
    made = making.guided(step)
    for number, payload in enumerate(payloads):
        made.append(making.vote(what or step.type, f"v{number}", payload, step=step.name))
    return [*made, making.reveal(step.name)]


def test_a_triad_has_means_zones_and_those_for_whom_it_does_not_apply() -> None:
    """a: 100, 60, 45, 10, 40 -> 51; b: 0, 40, 45, 50, 30 -> 33; c: 0, 0, 10, 40, 30 -> 16."""
    parts = [(100, 0, 0), (60, 40, 0), (45, 45, 10), (10, 50, 40), (40, 30, 30)]
    payloads: list[dict[str, Any]] = [dict(zip("abc", each, strict=True)) for each in parts]
    board = signify_board(room_of(voted(step_of("triad", "t", "x", "y", "z"), *payloads, {"na": True})), "t")
    (row,) = board.rows
    assert [mean.mean for mean in row.means] == [51.0, 33.0, 16.0]
    assert (row.voters, row.not_applicable, row.means[0].n) == (6, 1, 5)
    assert row.zones == {"a": 2, "b": 0, "c": 0, "ab": 1, "bc": 1, "ca": 0, "middle": 1}


@pytest.mark.parametrize(
    ("parts", "zone"),
    [((60, 20, 20), "a"), ((20, 20, 60), "c"), ((50, 50, 0), "ab"), ((0, 50, 50), "bc"), ((50, 0, 50), "ca"),
     ((34, 33, 33), "middle"), ((59, 21, 20), "middle")],
)  # fmt: skip
def test_a_triad_s_point_falls_in_one_of_seven_zones(parts: tuple[int, int, int], zone: str) -> None:
    assert triad_zone(*parts) == zone


def test_a_dyad_has_its_mean_and_ten_bins() -> None:
    """0, 9, 10, 55, 100: mean 34.8; bins 0-9: 2, 10-19: 1, 50-59: 1, 90-100: 1."""
    values = (0, 9, 10, 55, 100)
    board = signify_board(room_of(voted(step_of("dyad", "y", "p", "q"), *({"value": each} for each in values))), "y")
    (row,) = board.rows
    assert row.means[0].mean == 34.8
    assert {key: count for key, count in row.zones.items() if count} == {"0": 2, "10": 1, "50": 1, "90": 1}


def test_few_answers_among_many_that_do_not_apply_stay_hidden() -> None:
    payloads: list[dict[str, Any]] = [{"value": 1}] * 4 + [{"na": True}] * 3
    board = signify_board(room_of(voted(step_of("dyad", "y", "p", "q"), *payloads)), "y")
    assert (board.rows[0].not_applicable, board.rows[0].means, board.rows[0].zones) == (3, (), {})


def test_a_ranking_has_mean_places_of_those_who_placed_an_option() -> None:
    """a: 1, 1, 2, 2, 1 -> 1.4; b: 2, 2, 1, 1 -> 1.5 of four; c: 3 of one."""
    orders = (["a", "b"], ["a", "b", "c"], ["b", "a"], ["b", "a"], ["a"])
    board = ranking_board(
        room_of(voted(step_of("rank", "r", "a", "b", "c"), *({"order": each} for each in orders))), "r"
    )
    found = [(row.option.name, row.place.mean, row.place.n, row.first.count) for row in board.rows if row.place]
    assert found == [("a", 1.4, 5, 3), ("b", 1.5, 4, 2), ("c", 3.0, 1, 0)]
