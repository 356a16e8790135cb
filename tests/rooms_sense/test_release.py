"""Several tables over the same records, and tables handed out one after the other, give no small cell back together."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from collector.rooms.outputs.theme_tables import QUESTION, SEGMENT, room_tables
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook, CodeChange, codebook_of
from collector.rooms.sense.coding import Coded, Coding, coded
from collector.rooms.sense.matrices import Matrix, theme_by_place, theme_by_segment
from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.release import (
    Division,
    Release,
    ThemeRow,
    audit_release,
    hide_row,
    release,
    release_as_json,
    release_from_json,
)
from collector.rooms.sense.suppression import Policy, Published, audit
from tests.rooms_sense.joint import joint_bounds

THEMES = ("confianza/vecinos", "desigualdades/agua", "gobernanza/reclamos")
BOOK = codebook_of([CodeChange(path) for path in THEMES])
PLACES, AGES = ("0802", "0810", "0911"), ("joven", "mayor")
TABLES = ("place", "edad")
Said = tuple[Piece, str]


def said(number: int, place: str, age: str, theme: str) -> Said:
    """Return an answer of a person of its own, and its theme."""
    key = f"r{number:05d}"
    return Piece(key, key, "answer", "…", "", number, place=place, segments={"edad": age}), theme


def matrices_of(answers: Sequence[Said], book: Codebook = BOOK) -> dict[str, Matrix]:
    pieces = [piece for piece, _ in answers]
    found = coded([Coding(piece.target, theme, "Ana") for piece, theme in answers], book)
    return {
        "place": theme_by_place(pieces, found, book),
        "edad": theme_by_segment(pieces, found, book, "edad"),
    }  # fmt: skip


def random_answers(chance: random.Random, most: int = 40, first: int = 0, themes: Sequence[str] = THEMES) -> list[Said]:
    weights = [chance.choice([1, 1, 6, 20]) for _ in PLACES]
    return [
        said(first + number, chance.choices(PLACES, weights)[0], chance.choices(AGES, [1, 5])[0], chance.choice(themes))
        for number in range(chance.randint(8, most))
    ]


def divided_as(theme: str, places: Sequence[int], ages: Sequence[int]) -> list[Said]:
    """Return answers on a theme, as many of each place and of each age as told."""
    where = [place for place, count in zip(PLACES, places, strict=True) for _ in range(count)]
    who = [age for age, count in zip(AGES, ages, strict=True) for _ in range(count)]
    return [
        replace_number(said(number, place, age, theme), theme)
        for number, (place, age) in enumerate(zip(where, who, strict=True))
    ]


def replace_number(answer: Said, theme: str) -> Said:
    """Give an answer an id that no answer on another theme has."""
    key = f"{answer[0].target}-{theme}"
    return replace(answer[0], target=key, record=key), theme


def small_cells(matrices: Mapping[str, Matrix], k: int) -> set[tuple[str, str, str]]:
    """Return the cells of fewer than k people, as joint_bounds names them."""
    return {
        (str(number), code.path, column)
        for number, name in enumerate(TABLES)
        for row, code in enumerate(matrices[name].themes)
        for place, column in enumerate(matrices[name].columns)
        if 1 <= matrices[name].table.cells[row][place] < k
    }


def totals_told(table: Published) -> list[bool]:
    return [counts[-1] is not None for counts in table.counts]


def test_of_random_pairs_of_tables_a_solver_gets_small_cells_back_only_where_each_was_protected_by_itself() -> None:
    """The solver is slow: it looks only where one table tells the total of a theme that the other hides."""
    chance = random.Random(611)
    policy, given_back, hidden = Policy(5), 0, 0
    for _ in range(60):
        matrices = matrices_of(random_answers(chance, 18, themes=THEMES[:2]))
        apart = [matrices[name].shown(policy) for name in TABLES]
        together = release(matrices, BOOK, policy)
        assert not any(map(audit, apart))  # each by itself is safe
        assert not list(audit_release(together))
        if given_back < 3 and totals_told(apart[0]) != totals_told(apart[1]):
            bounds = joint_bounds(apart)
            given_back += any(bounds[cell][0] == bounds[cell][1] for cell in small_cells(matrices, 5) & bounds.keys())
            joined = joint_bounds([together.divided(name) for name in TABLES])
            assert all(high is None or high - low >= policy.width for low, high in joined.values())
            hidden += len(joined)
    assert given_back == 3 and hidden > 3


def test_a_pair_by_hand_each_safe_alone_gives_a_cell_back_together() -> None:
    """By place 0, ?, 5 with its total hidden too; by age ?, ? with the total 7: so the one of 0810 is 2."""
    shares = {THEMES[1]: ((0, 2, 5), (3, 4)), THEMES[2]: ((1, 3, 1), (1, 4)), THEMES[0]: ((1, 2, 4), (2, 5))}
    answers = [each for theme, (places, ages) in shares.items() for each in divided_as(theme, places, ages)]
    matrices = matrices_of(answers)
    apart = [matrices[name].shown() for name in TABLES]
    assert apart[0].counts[0] == (0, None, 5, None) and apart[1].counts[0] == (None, None, 7)
    assert not any(map(audit, apart))
    assert joint_bounds(apart)["0", THEMES[1], "0810"] == (Fraction(2), Fraction(2))
    together = release(matrices, BOOK)
    assert told(together)[THEMES[1]].divisions["place"].counts == {"0810": None, "0911": None}
    assert together.published("place").counts[0] == (0, None, None, 7)


# --- one row


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"a": 9, "b": 12}, ""),
        ({"a": 2, "b": 9, "c": 30}, "ab"),  # the smallest partner that is wide enough
        ({"a": 2, "b": 2, "c": 2}, "abc"),  # 6 - 3 is as wide as 1 to 4
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, None),  # five people of five places: each would be known
        ({"a": 4, "b": 1, "c": 40}, "ab"),
    ],
)
def test_a_division_hides_small_cells_with_the_cheapest_that_keep_them(
    counts: dict[str, int], hidden: str | None
) -> None:
    assert hide_row(counts, counts, Policy(5)) == (None if hidden is None else frozenset(hidden))


def test_many_records_of_few_people_are_small_in_a_division_too() -> None:
    assert hide_row({"a": 30, "b": 8}, {"a": 2, "b": 8}, Policy(5)) == frozenset("ab")


def test_of_a_theme_of_few_people_nothing_is_told() -> None:
    found = release(matrices_of([said(n, "0810", "joven", THEMES[0]) for n in range(4)]), BOOK)
    assert {row.path: row.records for row in found.shown()} == {THEMES[1]: 0, THEMES[2]: 0}
    assert found.published("place").counts == ((0,), (0,), (None,), (None,))


def test_tables_of_different_records_are_refused() -> None:
    answers = [said(n, "0810", "joven", THEMES[0]) for n in range(9)]
    one, other = matrices_of(answers), matrices_of(answers[1:])
    with pytest.raises(ValueError, match="not of the same records"):
        release({"place": one["place"], "edad": other["edad"]}, BOOK)


def test_zeros_are_never_hidden_so_a_policy_that_asks_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="hides_zeros"):
        release({}, BOOK, Policy(5, hides_zeros=True))


# --- handed out again


def told(found: Release) -> dict[str, ThemeRow]:
    return {row.path: row for row in found.shown()}


def grown(answers: list[Said], *more: Said) -> list[Said]:
    return [*answers, *more]


def test_a_theme_changes_only_when_k_people_came() -> None:
    answers = [said(n, "0810", "joven", THEMES[0]) for n in range(9)]
    first = release(matrices_of(answers), BOOK)
    few = grown(answers, *(said(100 + n, "0810", "joven", THEMES[0]) for n in range(4)))
    second = release(matrices_of(few), BOOK, earlier=first)
    assert second.shown() == first.shown()
    enough = grown(few, said(200, "0810", "joven", THEMES[0]))
    third = release(matrices_of(enough), BOOK, earlier=second)
    assert told(third)[THEMES[0]].records == 14


def test_a_cell_in_which_few_came_is_not_divided_again() -> None:
    """Ten more, of whom one is of 0802: the total may be told, the one may not."""
    answers = [said(n, "0810" if n % 2 else "0802", "joven", THEMES[0]) for n in range(20)]
    first = release(matrices_of(answers), BOOK)
    assert told(first)[THEMES[0]].divisions["place"].counts == {"0802": 10, "0810": 10}
    more = [said(100 + n, "0810", "joven", THEMES[0]) for n in range(9)] + [said(200, "0802", "joven", THEMES[0])]
    second = release(matrices_of(grown(answers, *more)), BOOK, earlier=first)
    row = told(second)[THEMES[0]]
    assert row.records == 30 and not row.divisions["place"].is_shown and row.divisions["edad"].is_shown
    assert second.published("place").counts[2] == (30,)  # no column is left to divide it over


def test_what_was_hidden_stays_hidden() -> None:
    """First 2 and 9 are hidden among 2, 9, 30; later 6 would be the cheaper partner, and 11 - 9 would give the 2."""
    start = [said(n, place, "joven", THEMES[0]) for n, place in enumerate(["0802"] * 2 + ["0810"] * 9 + ["0911"] * 30)]
    first = release(matrices_of(start), BOOK)
    more = [said(100 + n, "0810", "joven", THEMES[0]) for n in range(40)]
    second = release(matrices_of([*start, *more]), BOOK, earlier=first)
    assert told(second)[THEMES[0]].divisions["place"].hidden == {"0802", "0810"}


def test_a_merge_does_not_tell_of_the_few_it_brought() -> None:
    """Nine spoke of one theme and three of another: together 12 would give the three back."""
    answers = [said(n, "0810", "joven", THEMES[0]) for n in range(9)]
    answers += [said(10 + n, "0810", "joven", THEMES[1]) for n in range(3)]
    first = release(matrices_of(answers), BOOK)
    merged = codebook_of([CodeChange(path) for path in THEMES] + [CodeChange(THEMES[0], becomes=THEMES[1])])
    second = release(matrices_of(answers, merged), merged, earlier=first)
    assert told(second)[THEMES[1]].records == 9


def test_a_theme_below_one_that_was_handed_out_waits_for_k() -> None:
    """Nine on gobernanza; then seven of them are put under a theme below it: 9 - 7 would tell of two."""
    top = codebook_of([CodeChange("gobernanza")])
    answers = [said(n, "0810", "joven", "gobernanza") for n in range(9)]
    first = release(matrices_of(answers, top), top)
    below = codebook_of([CodeChange("gobernanza/agua")])
    moved = [(piece, "gobernanza/agua" if n < 7 else "gobernanza") for n, (piece, _) in enumerate(answers)]
    assert release(matrices_of(moved, below), below, earlier=first).shown() == ()


def test_tables_handed_out_one_after_the_other_differ_by_k_or_by_nothing_and_pass_the_audit() -> None:
    chance = random.Random(1919)
    changed = 0
    for _ in range(40):
        answers: list[Said] = []
        found: list[Release] = []
        for turn in range(4):
            answers += random_answers(chance, 30, 1000 * turn)
            found.append(release(matrices_of(answers), BOOK, earlier=found[-1] if found else None))
            assert not list(audit_release(found[-1]))
        for before, after in pairwise(found):
            for old, new in _same_themes(before, after):
                changed += old != new
                assert old.records == new.records or new.records - old.records >= 5
                for table in ("place", "edad"):
                    if table in old.divisions and table in new.divisions:
                        _check_difference(old.divisions[table], new.divisions[table])
    assert changed > 60


def _same_themes(before: Release, after: Release) -> list[tuple[ThemeRow, ThemeRow]]:
    later = {row.path: row for row in after.shown()}
    return [(row, later[row.path]) for row in before.shown() if row.path in later]


def _check_difference(old: Division, new: Division) -> None:
    if not new.is_shown:
        return
    assert old.hidden <= new.hidden
    for column, count in new.counts.items():
        was = old.counts.get(column, 0)
        if count is not None and was is not None:
            assert count == was or abs(count - was) >= 5


def test_the_tables_of_one_set_of_records_are_always_the_same() -> None:
    answers = random_answers(random.Random(3))
    turned = answers[:]
    random.Random(4).shuffle(turned)
    assert release(matrices_of(turned), BOOK) == release(matrices_of(answers), BOOK)


def test_what_is_kept_of_a_release_gives_it_back_and_holds_no_hidden_count() -> None:
    answers = [
        said(n, place, "joven", THEMES[0]) for n, place in enumerate(["0802"] * 2 + ["0810"] * 9 + ["0911"] * 30)
    ]
    found = release(matrices_of(answers), BOOK)
    kept = json.loads(json.dumps(release_as_json(found)))
    assert release_from_json(kept) == found
    divided = next(row for row in kept["rows"] if row["records"] == 41)["tables"]["place"]
    assert divided["counts"] == {"0802": None, "0810": None, "0911": 30}


def test_the_tables_of_one_room_are_made_together(room: Room, book: Codebook, found: Coded) -> None:
    tables = room_tables(room, book, found)
    assert set(tables.tables) == {QUESTION, f"{SEGMENT}generacion"} and not list(audit_release(tables))
    totals = [[counts[-1] for counts in tables.published(name).counts] for name in tables.tables]
    assert totals[0] == totals[1] and max(filter(None, totals[0])) >= 9
