"""No small cell of a protected table can be computed back, and the audit that says so is right."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.rooms.sense.suppression import (
    Bounds,
    CountTable,
    Policy,
    Published,
    all_bounds,
    audit,
    hide_small_only,
    protect,
    recoverable,
)
from tests.rooms_sense.simplex import bounds_by_simplex


def table_of(*rows: tuple[int, ...]) -> CountTable:
    names = tuple(f"c{number}" for number in range(len(rows[0]) if rows else 0))
    return CountTable(tuple(f"r{number}" for number in range(len(rows))), names, rows)


def random_table(chance: random.Random, most: int = 12) -> CountTable:
    rows, columns = chance.randint(1, most), chance.randint(1, most)
    share, top = chance.choice([0.1, 0.3, 0.6, 0.95]), chance.choice([3, 8, 30, 200])
    lines = [
        tuple(chance.randint(1, top) if chance.random() < share else 0 for _ in range(columns)) for _ in range(rows)
    ]
    return table_of(*lines)


def test_of_2000_random_tables_no_hidden_cell_is_recoverable_and_the_naive_rule_fails() -> None:
    chance = random.Random(20_261_122)
    naive_failures = 0
    for _ in range(2000):
        table = random_table(chance)
        policy = Policy(k=chance.choice([2, 3, 5, 10]), hides_zeros=chance.random() < 0.2)
        published = protect(table, policy)
        assert audit(published) == [], (table.cells, policy)
        assert set(hide_small_only(table, policy).hidden()) <= set(published.hidden())
        naive_failures += bool(recoverable(hide_small_only(table, policy)))
    assert naive_failures > 500


def test_the_largest_table_that_is_promised_is_protected_too() -> None:
    chance = random.Random(7)
    cells = [tuple(chance.choice([0, 0, 1, 2, 4, 9, 40]) for _ in range(20)) for _ in range(15)]
    assert audit(protect(table_of(*cells))) == []


def test_a_single_hidden_cell_comes_back_from_its_row() -> None:
    """10 + ? + 20 = 33 gives 3; the audit names the place and the count."""
    naive = hide_small_only(table_of((10, 3, 20), (10, 30, 20)))
    assert recoverable(naive) == [Bounds((0, 1), 3, 3)]
    assert all_bounds(naive) == [Bounds((0, 1), 3, 3)]


def test_a_hidden_square_moves_round_only_as_far_as_its_smallest_cells() -> None:
    """[[2, 9], [9, 2]] hidden: the first 2 can be 1 (2 - 1) up to 10 (both 9 down to 1), the 9 from 1 to 10."""
    published = Published(
        ("a", "b", "c"),
        ("x", "y", "z"),
        ((None, None, 50, 61), (None, None, 50, 61), (50, 50, 50, 150), (61, 61, 150, 272)),
        Policy(5),
    )
    assert all_bounds(published) == [Bounds(place, 1, 10) for place in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert audit(published) == []


def test_bounds_narrower_than_the_rule_itself_are_found() -> None:
    """Two hidden cells that sum to 3 are 1 or 2 each: less than the four counts from 1 to 4 that the rule leaves."""
    published = Published(("a", "b"), ("x", "y"), ((None, None, 3), (None, None, 40), (21, 22, 43)), Policy(5))
    assert [(bounds.low, bounds.high) for bounds in audit(published)[:2]] == [(1, 2), (1, 2)]
    assert recoverable(published) == []


def test_sums_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="contradict"):
        audit(Published(("a",), ("x", "y"), ((None, 8, 5), (None, 8, 5)), Policy(5)))


def test_everything_small_hides_its_totals_too() -> None:
    published = protect(table_of((1, 0), (0, 0)))
    assert published.counts == ((None, 0, None), (0, 0, 0), (None, 0, None))
    assert {(bounds.low, bounds.high) for bounds in all_bounds(published)} == {(1, None)}


def test_zeros_of_a_sensitive_table_are_small() -> None:
    published = protect(table_of((0, 30), (40, 50)), Policy(5, hides_zeros=True))
    assert published.at((0, 0)) is None and audit(published) == []


def test_large_tables_without_small_cells_stay_whole() -> None:
    table = table_of((5, 9), (12, 0))
    assert protect(table).counts == table.with_totals()


def test_a_cell_of_few_people_is_small_however_many_records_they_left() -> None:
    table = CountTable(("a", "b"), ("x", "y"), ((9, 20), (20, 20)), ((2, 18, 20), (19, 18, 37), (20, 30, 45)))
    published = protect(table)
    assert published.at((0, 0)) is None and audit(published) == []


def test_a_table_of_nothing_is_shown() -> None:
    assert protect(CountTable((), (), ())).counts == ((0,),)
    assert audit(protect(CountTable((), ("x",), ()))) == []


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_that_hides_less_than_nothing_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="5 is usual"):
        Policy(k)


def test_rows_of_another_length_and_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="counts differ"):
        CountTable(("a",), ("x", "y"), ((1,),))
    with pytest.raises(ValueError, match="below 0"):
        table_of((1, -1))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from([2, 3, 5]), st.booleans(), st.booleans())
def test_the_bounds_are_those_of_a_linear_program(
    data: st.DataObject, k: int, hides_zeros: bool, is_naive: bool
) -> None:
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    line = st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 9]), min_size=columns, max_size=columns)
    table = table_of(*[tuple(data.draw(line)) for _ in range(rows)])
    published = (hide_small_only if is_naive else protect)(table, Policy(k, hides_zeros))
    assert {bounds.place: (bounds.low, bounds.high) for bounds in all_bounds(published)} == bounds_by_simplex(published)


def test_the_linear_program_by_hand() -> None:
    """10 + ? + 20 = 33 leaves 3; two hidden cells of a row that sum to 5 lie between 1 and 4."""
    assert bounds_by_simplex(hide_small_only(table_of((10, 3, 20), (10, 30, 20)))) == {(0, 1): (3, 3)}
    published = Published(("a", "b"), ("x", "y"), ((None, None, 5), (None, None, 40), (22, 23, 45)), Policy(5))
    assert bounds_by_simplex(published)[0, 0] == (1, 4)


def test_the_same_table_is_always_hidden_in_the_same_way() -> None:
    table = random_table(random.Random(3))
    assert protect(table) == protect(table)


def test_no_cell_is_hidden_that_could_be_shown() -> None:
    chance = random.Random(11)
    tried = 0
    for _ in range(60):
        table = random_table(chance, 8)
        published = protect(table)
        small = set(hide_small_only(table).hidden())
        for row, column in set(published.hidden()) - small:
            lines = [list(line) for line in published.counts]
            lines[row][column] = table.with_totals()[row][column]
            shown = replace(published, counts=tuple(map(tuple, lines)))
            assert audit(shown) != []
            tried += 1
    assert tried > 50
