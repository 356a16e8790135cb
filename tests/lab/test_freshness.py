"""Who is up to date, under a simulated clock: each day on which a silent municipality changes its state."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.form_plan import Plan
from collector.lab.freshness import (
    DAY_MS,
    LIMITS,
    Cell,
    Coverage,
    FormLine,
    Named,
    Seen,
    answered_ms,
    board_of,
    cell_of,
    day_of,
    limits_of,
    status_of,
)
from collector.lab.late import board_rows, late_text
from collector.lab.reporting import number_of
from collector.pages import load_english, translator

START = number_of(date(2026, 3, 1))
NOON_MS = START * DAY_MS + DAY_MS // 2
SPANISH, ENGLISH = translator({}, "es"), translator(load_english(), "en")
TOLE, SONA = Named("0413", "Tolé", "Chiriquí"), Named("0911", "Soná", "Veraguas")


def form(frequency_days: int = 7, since_day: int = START, **plan: object) -> FormLine:
    given_plan = Plan(frequency_days=frequency_days, **({"municipalities": (TOLE.code, SONA.code)} | plan))  # type: ignore[arg-type]
    return FormLine("agua", "Agua y basura", given_plan, since_day)


def cell(line: FormLine, today: int, seen: Seen | None = None, code: str = TOLE.code) -> Cell:
    return cell_of(line, code, seen or Seen(START, 9, 9), today)


# --- the table


@pytest.mark.parametrize("frequency", sorted(LIMITS))
def test_a_silent_municipality_changes_its_state_on_each_day_of_the_table(frequency: int) -> None:
    due, overdue, delinquent = LIMITS[frequency]
    expected = {0: "fresh", due - 1: "fresh", due: "due", overdue - 1: "due", overdue: "overdue"}
    expected |= {delinquent - 1: "overdue", delinquent: "delinquent", delinquent + 400: "delinquent"}
    assert {days: cell(form(frequency), START + days).state for days in expected} == expected


@pytest.mark.parametrize(
    ("frequency", "limits"),
    [
        (1, (1, 2, 3)),
        (3, (3, 6, 9)),
        (10, (10, 17, 24)),
        (60, (60, 82, 105)),
        (120, (120, 150, 180)),
        (730, (730, 790, 820)),
    ],
)
def test_a_frequency_that_the_table_does_not_name_lies_between_its_neighbours(
    frequency: int, limits: tuple[int, int, int]
) -> None:
    found = limits_of(frequency)
    assert (found.due, found.overdue, found.delinquent) == limits


@given(st.integers(1, 3660), st.integers(0, 5000), st.integers(0, 400))
def test_waiting_longer_never_makes_a_municipality_fresher(frequency: int, days: int, more: int) -> None:
    order = ("fresh", "due", "overdue", "delinquent")
    limits = limits_of(frequency)
    assert limits.due < limits.overdue < limits.delinquent
    assert order.index(status_of(days + more, limits)) >= order.index(status_of(days, limits))


def test_no_frequency_below_a_day() -> None:
    with pytest.raises(ValueError, match="0 days"):
        limits_of(0)


# --- clocks


@pytest.mark.parametrize(
    ("device", "skew", "answered"),
    [
        (NOON_MS, 0, NOON_MS),
        (NOON_MS - 170 * DAY_MS, 0, NOON_MS - 170 * DAY_MS),  # a tablet that was long without signal
        (NOON_MS + DAY_MS // 2, 0, NOON_MS),  # a clock some hours ahead: nobody answered after it came
        (NOON_MS - 7 * 365 * DAY_MS, 0, NOON_MS),  # it thinks that it is 2019
        (NOON_MS - 365 * DAY_MS, 0, NOON_MS),
        (NOON_MS + 365 * DAY_MS, 0, NOON_MS),
        (NOON_MS - 365 * DAY_MS, 364 * DAY_MS, NOON_MS - DAY_MS),  # its node says how far its clocks are behind
        (0, 0, NOON_MS),
    ],
)
def test_a_device_with_a_wrong_year_neither_ages_nor_freshens_its_municipality(
    device: int, skew: int, answered: int
) -> None:
    assert answered_ms(device, NOON_MS, skew) == answered


def test_a_day_begins_at_midnight_in_panama() -> None:
    midnight = START * DAY_MS + 5 * 3_600_000
    assert [day_of(midnight - 1, -300), day_of(midnight, -300)] == [START - 1, START]


# --- why a cell is empty


def test_a_form_that_nobody_sent_yet_waits_and_then_is_late_from_the_day_it_was_published() -> None:
    nothing = Seen()
    found = [cell(form(), START + days, nothing) for days in (0, 6, 7, 14, 21)]
    assert [one.state for one in found] == ["waiting", "waiting", "due", "overdue", "delinquent"]
    assert found[-1].has_none
    assert found[-1].days == 21


@pytest.mark.parametrize(
    ("line", "seen", "why"),
    [
        (form(municipalities=(SONA.code,)), Seen(START, 4, 4), "not_assigned"),
        (form(municipalities=()), Seen(), "not_assigned"),
        (form(municipalities=(), expected={TOLE.code: 5}), Seen(), "delinquent"),
        (form(municipalities=("04",)), Seen(), "delinquent"),  # the whole province
        (form(closed_ms=1), Seen(START, 4, 4), "closed"),
        (form(0), Seen(START, 4, 4), "no_frequency"),
    ],
)
def test_an_empty_cell_says_why(line: FormLine, seen: Seen, why: str) -> None:
    assert cell(line, START + 90, seen).state == why


def test_a_form_for_some_nodes_is_expected_from_where_they_work() -> None:
    line = FormLine("agua", "Agua", Plan(frequency_days=7, nodes=("n1",)), START, frozenset({TOLE.code}))
    assert [cell(line, START + 7, Seen(), code).state for code in (TOLE.code, SONA.code)] == ["due", "not_assigned"]


def test_what_is_shared_protects_cells_of_few_answers_and_says_so() -> None:
    coverage = Coverage({("agua", TOLE.code): Seen(START, 4, 4), ("agua", SONA.code): Seen(START, 5, 5)})
    board = board_of([form()], coverage, [TOLE, SONA], START + 30, {"agua": 5})
    tole, sona = (row.cells[0] for row in board.rows)
    assert tole == Cell("agua", "protected")
    assert (sona.state, sona.count) == ("delinquent", 5)
    assert "Tolé" not in late_text(board, "Central", SPANISH)
    rows = {row[0]: row for row in board_rows(board)}
    assert rows[TOLE.code][6:11] == ("protected", "", "", "", "")


def test_answers_without_a_municipality_are_counted_and_nobody_is_late_for_them() -> None:
    board = board_of([form()], Coverage({("agua", ""): Seen(START, 3, 3)}), [TOLE], START + 90)
    nameless = board.rows[-1]
    assert (nameless.code, nameless.cells[0].count, nameless.cells[0].is_late) == ("", 3, False)


# --- the text


def test_a_municipality_that_goes_silent_stands_in_the_text_from_the_right_day_on() -> None:
    coverage = Coverage({("agua", TOLE.code): Seen(START, 9, 9), ("agua", SONA.code): Seen(START + 40, 9, 9)})

    def told(days: int) -> str:
        return late_text(board_of([form(14)], coverage, [TOLE, SONA], START + days), "Central", SPANISH)

    assert "Todos los municipios están al día" in told(13)
    assert "Toca:\n- Tolé: Agua y basura (14 días)" in told(14)
    assert "Atrasado:\n- Tolé: Agua y basura (21 días)" in told(21)
    assert "Muy atrasado:\n- Tolé: Agua y basura (28 días)" in told(28)
    assert "Soná" not in told(53)
    assert told(54).index("Tolé") < told(54).index("Soná")


def test_the_text_speaks_english_and_names_no_node_and_no_person() -> None:
    board = board_of([form()], Coverage({("agua", TOLE.code): Seen(START, 9, 9)}), [TOLE], START + 30)
    text = late_text(board, "Central", ENGLISH)
    assert text.startswith("Central: who is up to date, 31 March 2026")
    assert "Delinquent:\n- Tolé: Agua y basura (30 days)" in text


def test_a_long_list_is_cut_and_says_how_many_more() -> None:
    names = [Named(f"{n:04d}", f"Lugar {n}") for n in range(20)]
    coverage = Coverage({("agua", named.code): Seen(START, 9, 9) for named in names})
    board = board_of([form(municipalities=())], coverage, names, START + 30)
    text = late_text(board, "Central", SPANISH)
    assert "- y 8 municipios más" in text
    assert len(text) < 1000


def test_the_message_thanks_only_those_of_whom_something_was_expected() -> None:
    coverage = Coverage({("agua", TOLE.code): Seen(START, 9, 9)})
    never = late_text(board_of([form(0)], coverage, [TOLE], START), "Central", SPANISH)
    soon = late_text(board_of([form(14)], Coverage({}), [TOLE], START), "Central", SPANISH)
    few = late_text(board_of([form(14)], coverage, [TOLE], START, {"agua": 10}), "Central", SPANISH)
    assert "dice cada cuánto" in never and "Todavía no toca" in soon and "señalar a nadie" in few
    assert "están al día" not in never + soon + few
    english = load_english()
    said = {text.split("\n\n")[1].strip() for text in (never, soon, few)}
    assert said <= english.keys()
