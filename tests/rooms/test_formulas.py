"""The formulas, against values worked out by hand or published with them."""

from fractions import Fraction
from itertools import permutations

import pytest

from collector.rooms.formulas import (
    agree_probability,
    change_between,
    controversy,
    effective_number,
    group_aware_consensus,
    judge_centred,
    mean_with_interval,
    share_of,
    t_quantile,
)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(9, 10, 0.596, 0.982), (3, 12, 0.089, 0.532), (48, 120, 0.317, 0.489)]
)
def test_a_share_has_its_wilson_interval(count: int, n: int, low: float, high: float) -> None:
    share = share_of(count, n, n)
    assert (round(share.low, 3), round(share.high, 3)) == (low, high)


def test_points_of_few_people_have_the_interval_of_people_and_not_of_points() -> None:
    """40 % of 480 points of 48 people: (0.4 + 0.0400) / 1.0800 = 0.4074, give or take 0.1336."""
    share = share_of(192, 480, 48)
    assert (round(share.low, 3), round(share.high, 3)) == (0.274, 0.541)


def test_nobody_asked_leaves_the_share_open() -> None:
    assert (share_of(0, 0, 0).low, share_of(0, 0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize(("agrees", "seen", "wanted"), [(0, 0, 1 / 2), (9, 10, 10 / 12), (2, 2, 3 / 4)])
def test_the_agree_probability_starts_at_a_half(agrees: int, seen: int, wanted: float) -> None:
    assert agree_probability(agrees, seen) == pytest.approx(wanted, abs=1e-15)


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [([(9, 10), (9, 10)], "0.694"), ([(10, 10), (1, 10)], "0.153"), ([(2, 2), (2, 2)], "0.562")],
)
def test_consensus_asks_every_group(groups: list[tuple[int, int]], wanted: str) -> None:
    """(10/12)^2 = 0.6944; 11/12 x 2/12 = 0.1528; (3/4)^2 = 0.5625, which to three digits is 0.562 (half to even)."""
    assert f"{group_aware_consensus(groups):.3f}" == wanted


@pytest.mark.parametrize(("agrees", "disagrees", "wanted"), [(5, 5, 1.0), (9, 1, 0.2), (7, 0, 0.0), (0, 0, None)])
def test_controversy_is_one_for_an_even_split(agrees: int, disagrees: int, wanted: float | None) -> None:
    assert controversy(agrees, disagrees) == wanted


@pytest.mark.parametrize(
    ("counts", "wanted"), [([5, 5], 2.0), ([7], 1.0), ([9, 1], 1.384), ([4, 4, 4, 0], 3.0), ([], 0)]
)
def test_breadth_counts_sectors_by_their_weight(counts: list[int], wanted: float) -> None:
    """9 and 1: -(0.9 ln 0.9 + 0.1 ln 0.1) = 0.09482 + 0.23026 = 0.32508, and e^0.32508 = 1.38415."""
    assert effective_number(counts) == pytest.approx(wanted, abs=5e-4)


def test_the_order_of_counts_changes_no_digit() -> None:
    assert len({effective_number(order) for order in permutations([1, 3, 7, 11, 2])}) == 1


@pytest.mark.parametrize(
    ("degrees", "t"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (19, 2.093), (30, 2.042), (120, 1.980)],
)
def test_student_s_t_is_that_of_the_printed_tables(degrees: int, t: float) -> None:
    assert round(t_quantile(degrees), 3) == t


def test_other_levels_of_student_s_t_are_those_of_the_tables_too() -> None:
    assert [round(t_quantile(degrees, 0.99), 3) for degrees in (1, 5, 20)] == [63.657, 4.032, 2.845]


def test_a_mean_has_student_s_interval() -> None:
    """1, 2, 3: mean 2, deviation 1, so 2 give or take 4.30265 / sqrt(3) = 2.48414."""
    mean = mean_with_interval([1, 2, 3])
    assert mean.low is not None and mean.high is not None
    assert (mean.n, mean.mean, round(mean.low, 5), round(mean.high, 5)) == (3, 2.0, -0.48414, 4.48414)


def test_one_value_has_no_interval() -> None:
    assert mean_with_interval([4]).low is None and mean_with_interval([]).n == 0


def test_a_change_of_two_groups_has_newcombe_s_interval() -> None:
    """His example: 56 of 70 and 48 of 80 differ by 0.2, from 0.0524 to 0.3339."""
    change = change_between(share_of(48, 80, 80), share_of(56, 70, 70))
    assert (round(change.change, 4), round(change.low, 4), round(change.high, 4)) == (0.2, 0.0524, 0.3339)


def test_a_harsh_and_a_kind_judge_come_out_alike() -> None:
    """Ana gives 2 and 4 (mean 3), Beto 6 and 8 (mean 7), all 5: Ana's become 4 and 6, and so do Beto's."""
    scores = {
        ("ana", "x"): Fraction(2),
        ("ana", "y"): Fraction(4),
        ("beto", "x"): Fraction(6),
        ("beto", "y"): Fraction(8),
    }
    assert judge_centred(scores) == {("ana", "x"): 4, ("ana", "y"): 6, ("beto", "x"): 4, ("beto", "y"): 6}
    assert judge_centred({}) == {}
