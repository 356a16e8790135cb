"""Agreement of coders equals what is worked out by hand, and what its authors printed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rooms.sense.agreement import cohen_kappa, krippendorff_alpha, percent_agreement


def pairs(both_yes: int, first_yes: int, second_yes: int, both_no: int) -> list[tuple[bool, bool]]:
    return (
        [(True, True)] * both_yes
        + [(True, False)] * first_yes
        + [(False, True)] * second_yes
        + ([(False, False)] * both_no)
    )


def test_kappa_by_hand() -> None:
    """20 both yes, 5 and 10 split, 15 both no: observed 35/50; chance .5 x .6 + .5 x .4 = .5; (.7 - .5) / .5 = .4."""
    found = pairs(20, 5, 10, 15)
    assert percent_agreement(found) == Fraction(7, 10)
    assert cohen_kappa(found) == Fraction(2, 5)


def test_kappa_below_chance_by_hand() -> None:
    """1 both yes, 3 and 3 split, 1 both no of 8: observed 1/4; chance .5 x .5 + .5 x .5 = 1/2; (1/4 - 1/2) / (1/2)."""
    assert cohen_kappa(pairs(1, 3, 3, 1)) == Fraction(-1, 2)


@pytest.mark.parametrize("found", [[], pairs(9, 0, 0, 0)])
def test_no_kappa_where_chance_explains_everything(found: list[tuple[bool, bool]]) -> None:
    assert cohen_kappa(found) is None


def test_alpha_of_two_coders_by_hand() -> None:
    """Ten things, 0 0 in five, 1 1 in one, split in four: 14 zeros and 6 ones among 20 values.

    Observed: 4 splits x 2 pairs / 1 = 8. Expected: (400 - 196 - 36) / 19 = 168 / 19. 1 - 8 x 19 / 168 = 2 / 21 = .095.
    Krippendorff 2011 prints .095 for these.
    """
    first, second = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    assert krippendorff_alpha(list(zip(first, second, strict=True))) == Fraction(2, 21)


def test_alpha_of_four_coders_with_gaps_is_what_krippendorff_printed() -> None:
    """His four observers and twelve units, 0 for no value: nominal alpha .743."""
    table = (
        (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
        (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
    )
    units = [[value for value in column if value] for column in zip(*table, strict=True)]
    alpha = krippendorff_alpha(units)
    assert alpha is not None
    assert f"{float(alpha):.3f}" == "0.743"


def test_alpha_of_three_coders_by_hand() -> None:
    """aab, bbb, and one thing seen by one coder alone: observed (9 - 5) / 2 = 2; values a a b b b b.

    Expected (36 - 4 - 16) / 5 = 16 / 5; alpha 1 - 10 / 16 = 3 / 8.
    """
    assert krippendorff_alpha([["a", "a", "b"], ["b", "b", "b"], ["a"]]) == Fraction(3, 8)


def test_no_alpha_where_only_one_value_was_used() -> None:
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None
    assert krippendorff_alpha([]) is None


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=8))
def test_alpha_does_not_depend_on_any_order(units: list[list[str]]) -> None:
    turned = [list(reversed(values)) for values in reversed(units)]
    assert krippendorff_alpha(units) == krippendorff_alpha(turned)
