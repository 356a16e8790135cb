"""Intervals, counts by choice, days and quartiles."""

from datetime import date, timedelta, timezone

import pytest

from collector.forms.model import Choice, Form, Question
from collector.lab.charts import MOST_BARS, day_columns, days_of, quartiles, ranked, wilson
from collector.lab.results import minutes_of, moment_in
from collector.lab.summaries import QuestionCount, chars_needed, question_count
from collector.lab.tables import Column, tables_of

PANAMA = timezone(timedelta(hours=-5))


def make_form(version: str, *questions: tuple[str, str, tuple[str, ...]]) -> Form:
    """Return a form from (key, type, choice names)."""
    made = tuple(
        Question(
            f"/data/{key}", key, key.rpartition("/")[2], kind, "string", slot, 0, {"": key.upper()}, {}, list_name=key
        )
        for slot, (key, kind, _) in enumerate(questions)
    )
    lists = {key: tuple(Choice(name, {"": name.title()}) for name in names) for key, _, names in questions}
    return Form("f", version, "", "F", "data", (), made, (), lists, (), (), ())


def column(kind: str, *names: str) -> Column:
    return tables_of([make_form("1", ("q", kind, names))]).columns[0]


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        (9, 10, 0.596, 0.982),
        (3, 12, 0.089, 0.532),
        (48, 120, 0.317, 0.489),
        (0, 0, 0, 1),
        (0, 10, 0, 0.278),
        (10, 10, 0.722, 1),
    ],
)
def test_the_interval_of_a_share_is_wilsons(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count, n) == pytest.approx((low, high), abs=0.0005)


def test_no_answer_is_counted_apart_and_stays_out_of_the_percentages() -> None:
    counted = question_count(column("select_one", "si", "no", "ns", "nr"), {"si": 9, "no": 1, "ns": 4, "nr": 2}, "")
    assert counted.n == 10
    assert [(share.label, share.count, share.share) for share in counted.shares] == [("Si", 9, 0.9), ("No", 1, 0.1)]
    assert counted.apart == [("Ns", 4), ("Nr", 2)]


def test_people_who_choose_several_count_once_in_n_and_once_a_choice() -> None:
    counted = question_count(column("select_multiple", "a", "b", "ns"), {"a b": 3, "a": 1, "ns": 5, "b ns": 1}, "")
    assert counted.n == 5
    assert [(share.name, share.count) for share in counted.shares] == [("a", 4), ("b", 4)]
    assert counted.apart == [("Ns", 6)]


def test_a_value_that_is_no_choice_is_shown_not_dropped() -> None:
    counted = question_count(column("select_one", "si"), {"si": 1, "quizas": 2}, "")
    assert [(share.label, share.count) for share in counted.shares] == [("Si", 1), ("quizas", 2)]


def test_a_question_nobody_answered_has_choices_and_no_division_by_zero() -> None:
    counted = question_count(column("select_one", "si", "no"), {}, "")
    assert counted.n == 0 and [share.share for share in counted.shares] == [0, 0]


def test_long_lists_leave_out_what_nobody_chose() -> None:
    names = tuple(f"c{number:02d}" for number in range(30))
    counted = question_count(column("select_one", *names), {"c07": 2}, "")
    assert [share.name for share in counted.shares] == ["c07"]


def test_a_list_of_names_without_end_draws_only_those_most_taken() -> None:
    values = {f"nombre{number:04d}": 1 + number % 7 for number in range(5000)}
    shares = question_count(column("select_one"), values, "").shares
    assert len(shares) == MOST_BARS and {share.count for share in shares} == {7}


def test_a_choice_said_twice_by_one_person_counts_once() -> None:
    assert question_count(column("select_multiple", "a"), {"a a": 1}, "").shares[0].count == 1


# --- other types


def bars(counted: QuestionCount) -> list[tuple[str, int]]:
    return [(share.label, share.count) for share in counted.shares]


def test_a_ranking_is_the_mean_place_of_each_choice() -> None:
    counted = question_count(column("rank", "a", "b", "c"), {"b a": 3, "a b": 1}, "")
    assert counted.n == 4
    assert [(place.label, place.mean, place.count) for place in counted.places] == [
        ("B", "1.2", 4),
        ("A", "1.8", 4),
        ("C", "–", 0),
    ]
    assert counted.places[0].length > counted.places[1].length > counted.places[2].length == 0


def test_numbers_are_a_spread_and_few_of_them_are_drawn_step_by_step() -> None:
    counted = question_count(column("range"), {"0": 1, "5": 2, "10": 1, "muchos": 3, "1_0": 1, "nan": 1}, "")
    assert (counted.n, counted.unread, bars(counted)) == (4, 5, [("0", 1), ("5", 2), ("10", 1)])
    assert counted.spread is not None
    assert (counted.spread.least, counted.spread.median, counted.spread.most, counted.spread.mean) == (
        "0",
        "5",
        "10",
        "5",
    )


def test_many_different_numbers_are_a_spread_alone() -> None:
    counted = question_count(column("decimal"), {f"{number}.25": 1 for number in range(100)}, "")
    assert not counted.shares and counted.spread is not None and counted.spread.median == "49.75"


def test_numbers_beyond_reason_are_counted_and_break_nothing() -> None:
    values = {"9" * 40: 1, "-1e99": 1, "1e999": 1, "0.0000001": 1, "3": 1}
    counted = question_count(column("decimal"), values, "")
    assert (counted.n, counted.unread) == (3, 2)
    assert counted.spread is not None and counted.spread.least == "-1e+99"


def test_hours_are_drawn_from_the_first_to_the_last() -> None:
    counted = question_count(column("time"), {"09:30:00.000-05:0": 2, "11:05": 1, "tarde": 1}, "")
    assert (counted.n, counted.unread) == (3, 1)
    assert bars(counted) == [("09:00–09:59", 2), ("10:00–10:59", 0), ("11:00–11:59", 1)]


@pytest.mark.parametrize(
    ("kind", "values", "span"),
    [
        ("date", {"2026-02-01": 1, "2025-12-31": 4, "ayer": 1}, ("2025-12-31", "2026-02-01")),
        ("datetime", {"2026-02-01T10:20": 1, "2026-02-01T09:00": 1}, ("2026-02-01 09:00", "2026-02-01 10:20")),
        ("date", {"ayer": 1}, None),
    ],
)
def test_dates_are_told_from_the_earliest_to_the_latest(kind: str, values: dict[str, int], span: object) -> None:
    assert question_count(column(kind), values, "").span == span


@pytest.mark.parametrize("kind", ["text", "image", "geotrace", "acknowledge", "secret", "inventado"])
def test_what_cannot_be_drawn_is_counted(kind: str) -> None:
    assert chars_needed(column(kind)) == 0
    assert question_count(column(kind), {"": 7}, "").n == 7


def test_of_a_place_the_newest_ones_are_shown_as_coordinates() -> None:
    assert question_count(column("geopoint"), {"": 2}, "", ["8.98 -79.52 20 5", "8.9 -79.5 0 0", "lejos"]).samples == [
        "8.98, -79.52 (± 5 m)",
        "8.9, -79.5",
        "lejos",
    ]


def test_places_stand_with_the_most_answers_first() -> None:
    places = ranked(column("select_one", "a", "b", "c"), {"a": 1, "b": 3}, "")
    assert [(place.label, place.count, place.length) for place in places] == [
        ("B", 3, 1.0),
        ("A", 1, pytest.approx(1 / 3)),
    ]


def test_hours_in_utc_fall_on_the_day_they_had_here() -> None:
    hours = [("2026-11-20T22", False, 2), ("2026-11-21T03", True, 5), ("2026-11-21T05", True, 1), ("mal", True, 1)]
    assert days_of(hours, PANAMA) == [("2026-11-20", 7), ("2026-11-21", 1), ("mal", 1)]


def test_days_without_answers_are_drawn_too() -> None:
    columns = day_columns([("2026-11-18", 2), ("2026-11-20", 4)], date(2026, 11, 20))
    assert [(one.day, one.count, one.height) for one in columns] == [
        ("2026-11-18", 2, 42.0), ("2026-11-19", 0, 0.0), ("2026-11-20", 4, 84.0),
    ]  # fmt: skip
    assert columns[-1].x + columns[-1].width <= 100


def test_a_clock_years_ahead_does_not_push_the_true_days_out() -> None:
    columns = day_columns([("2026-11-20", 4), ("2032-01-01", 1), ("mal", 1)], date(2026, 11, 20))
    assert [one.day for one in columns] == ["2026-11-20"]


def test_a_long_campaign_shows_its_last_62_days_with_few_names() -> None:
    counts = [((date(2026, 1, 1) + timedelta(days=number)).isoformat(), 1 + number % 3) for number in range(300)]
    columns = day_columns(counts, date(2026, 12, 31))
    assert len(columns) == 62 and columns[-1].day == counts[-1][0] and columns[-1].is_named
    assert sum(one.is_named for one in columns) <= 7


def test_the_minutes_are_a_median_and_leave_out_what_cannot_be() -> None:
    def pair(seconds: int) -> tuple[str, str]:
        return (
            "2026-11-20T10:00:00-05:00",
            f"2026-11-20T{15 + seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z",
        )

    minutes = minutes_of([pair(100), pair(200), pair(300), pair(8 * 3600), ("", "x"), (pair(60)[1], pair(0)[0])])
    assert minutes is not None
    assert (minutes.low, minutes.median, minutes.high) == ("2:30", "3:20", "4:10")
    assert minutes_of([]) is None


def test_quartiles_interpolate() -> None:
    assert quartiles([4, 1, 3, 2]) == (1.75, 2.5, 3.25)
    assert quartiles([7]) == (7, 7, 7)


def test_times_keep_their_own_offset_and_utc_moves_here() -> None:
    assert moment_in("2026-11-20T23:30:00.000-06:00", PANAMA) == "2026-11-20 23:30"
    assert moment_in("2026-11-21T03:30:00.000Z", PANAMA) == "2026-11-20 22:30"
    assert moment_in("ayer", PANAMA) == "ayer"
