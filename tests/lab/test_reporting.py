"""Reporting rates by municipality and period, as DHIS2 counts them; quotas and what is missing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.form_plan import Plan, Quota
from collector.lab.freshness import Coverage, FormLine, Seen
from collector.lab.late import report_rows
from collector.lab.quotas import places_of, quotas_of
from collector.lab.reporting import Period, ended_periods, number_of, period_with, reports_of, summed

TODAY = number_of(date(2026, 11, 22))


def day(text: str) -> int:
    return number_of(date.fromisoformat(text))


@pytest.mark.parametrize(
    ("frequency", "name"),
    [
        (7, "2026-11-16/2026-11-22"),
        (30, "2026-11-01/2026-11-30"),
        (90, "2026-10-01/2026-12-31"),
        (180, "2026-07-01/2026-12-31"),
        (365, "2026-01-01/2026-12-31"),
    ],
)
def test_periods_are_those_of_the_calendar(frequency: int, name: str) -> None:
    assert period_with(TODAY, frequency).name == name


@given(st.integers(0, 40_000), st.integers(1, 400))
def test_every_day_lies_in_one_period_and_periods_leave_no_gap(moment: int, frequency: int) -> None:
    period = period_with(moment, frequency)
    assert period.first <= moment <= period.last
    assert period_with(period.last, frequency) == period
    assert period_with(period.last + 1, frequency).first == period.last + 1


def test_only_periods_that_ended_since_the_form_was_published_count() -> None:
    found = ended_periods(30, day("2026-08-15"), TODAY)
    assert [period.name for period in found] == ["2026-09-01/2026-09-30", "2026-10-01/2026-10-31"]
    assert len(ended_periods(7, day("2020-01-01"), TODAY)) == 6


def form(**plan: object) -> FormLine:
    given_plan = Plan(frequency_days=30, **({"municipalities": ("0413", "0911")} | plan))  # type: ignore[arg-type]
    return FormLine("agua", "Agua", given_plan, day("2026-09-01"))


def test_reports_are_expected_came_and_came_on_time() -> None:
    days = {("agua", "0413"): {day("2026-09-10"): 2, day("2026-10-31"): 1}, ("agua", "0911"): {day("2026-10-02"): 4}}
    # the one of 31 October came 20 days later: the grace of 30 days is 14
    lags = {("agua", "0413"): {day("2026-10-31") << 8 | 20: 1}}
    reports = reports_of(form(), ["0413", "0911", "0501"], Coverage(), days, lags, TODAY)
    found = summed(reports)
    assert [(found[code].expected, found[code].actual, found[code].on_time) for code in ("0413", "0911", "")] == [
        (2, 2, 1), (2, 1, 1), (4, 3, 2),
    ]  # fmt: skip
    assert (found[""].rate, found[""].rate_on_time) == (75, 50)
    rows = list(report_rows(reports))
    assert rows[0][4:8] == ("EXPECTED_REPORTS", "ACTUAL_REPORTS", "REPORTING_RATE", "REPORTING_RATE_ON_TIME")
    assert rows[2][:8] == ("0413", "agua", "2026-10-01", "2026-10-31", "1", "1", "100", "0")


def test_what_came_within_the_grace_is_on_time() -> None:
    days = {("agua", "0413"): {day("2026-10-31"): 1}}
    for took, in_time in ((14, 1), (15, 0)):
        lags = {("agua", "0413"): {day("2026-10-31") << 8 | took: 1}}
        october = reports_of(form(), ["0413"], Coverage(), days, lags, TODAY)[-1]
        assert october.in_time == in_time


def test_a_plan_that_expects_a_number_wants_that_many_for_a_report() -> None:
    days = {("agua", "0413"): {day("2026-10-05"): 9}, ("agua", "0911"): {day("2026-10-05"): 10}}
    line = form(expected={"0413": 10, "0911": 10})
    october = [
        one
        for one in reports_of(line, ["0413", "0911"], Coverage(), days, {}, TODAY)
        if one.period.first == day("2026-10-01")
    ]
    assert [one.reports.actual for one in october] == [0, 1]


def test_nothing_is_expected_of_a_closed_form_nor_without_a_frequency() -> None:
    assert reports_of(form(closed_ms=5), ["0413"], Coverage(), {}, {}, TODAY) == []
    line = FormLine("agua", "Agua", Plan(), 0)
    assert reports_of(line, ["0413"], Coverage({("agua", "0413"): Seen(1, 1, 1)}), {}, {}, TODAY) == []
    assert summed([])[""].rate is None


# --- quotas


def test_quotas_say_what_is_missing_the_most_first() -> None:
    plan = Plan(quotas=(Quota("sexo", "mujer", 10), Quota("sexo", "hombre", 5), Quota("temas", "agua", 4)))
    counts = {"sexo": {"mujer": 3, "hombre": 8}, "temas": {"agua luz": 2, "luz": 9, "agua": 1}}
    found = [(one.value, one.so_far, one.missing, one.share) for one in quotas_of(plan, counts)]
    assert found == [("mujer", 3, 7, 0.3), ("agua", 3, 1, 0.75), ("hombre", 8, 0, 1.0)]


def test_expected_answers_of_a_municipality_count_in_the_present_period() -> None:
    plan = Plan(frequency_days=30, expected={"0413": 6, "0911": 2})
    days = {"0413": {day("2026-10-31"): 9, day("2026-11-01"): 2}, "0911": {day("2026-11-22"): 5}}
    period, found = places_of(plan, days, TODAY)
    assert period == Period(day("2026-11-01"), day("2026-11-30"))
    assert [(one.value, one.so_far, one.missing) for one in found] == [("0413", 2, 4), ("0911", 5, 0)]
    assert places_of(Plan(expected={"0413": 6}), days, TODAY)[1][0].so_far == 11
