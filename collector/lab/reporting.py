"""Reporting rates as DHIS2 counts them, by form, municipality and period. Pure.

    EXPECTED_REPORTS         municipalities × periods in which the form's plan expects something
    ACTUAL_REPORTS           those of them in which it came
    REPORTING_RATE           ACTUAL_REPORTS / EXPECTED_REPORTS, in per cent
    REPORTING_RATE_ON_TIME   the same, of what was here before the period's grace had passed

A municipality reported in a period when as many answers were given in it as the plan expects of it, one where the plan
names no number. On time: as many had come here by the day on which the next stage of lateness begins (freshness.py: the
days between due and overdue, at least a week, after the period's end). A period counts once it has ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from collector.lab.freshness import Coverage, FormLine, limits_of

FIRST_DAY = date(1970, 1, 1).toordinal()
FIRST_MONDAY = 4  # 5 January 1970, as a day since 1970-01-01
MONTHS = {30: 1, 90: 3, 180: 6, 365: 12}
MOST_PERIODS = 6


def date_of(day: int) -> date:
    """Return the date of a day since 1970-01-01."""
    return date.fromordinal(FIRST_DAY + day)


def number_of(moment: date) -> int:
    """Return a date as days since 1970-01-01."""
    return moment.toordinal() - FIRST_DAY


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both in it."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """Return "2026-11-01/2026-11-30", as ISO 8601 writes an interval."""
        return f"{date_of(self.first).isoformat()}/{date_of(self.last).isoformat()}"


def period_with(day: int, frequency_days: int) -> Period:
    """Return the period in which a day lies.

    30, 90, 180 and 365 days are calendar months, quarters, halves and years; other frequencies count from Monday,
    5 January 1970: 7 days are ISO weeks, 14 two of them.
    """
    if frequency_days in MONTHS:
        return _calendar(date_of(day), MONTHS[frequency_days])
    first = day - (day - FIRST_MONDAY) % frequency_days
    return Period(first, first + frequency_days - 1)


def _calendar(day: date, months: int) -> Period:
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    year, month = first.year + (first.month + months - 1) // 12, (first.month + months - 1) % 12 + 1
    return Period(number_of(first), number_of(date(year, month, 1) - timedelta(days=1)))


def ended_periods(frequency_days: int, since_day: int, today: int, most: int = MOST_PERIODS) -> list[Period]:
    """Return the latest periods that have ended and began on or after the form's first day, oldest first."""
    found: list[Period] = []
    period = period_with(period_with(today, frequency_days).first - 1, frequency_days)
    while len(found) < most and period.first >= since_day:
        found.append(period)
        period = period_with(period.first - 1, frequency_days)
    return found[::-1]


@dataclass(frozen=True)
class Reports:
    """Reports of some municipalities over some periods."""

    expected: int = 0
    actual: int = 0
    on_time: int = 0

    def __add__(self, other: "Reports") -> "Reports":
        return Reports(self.expected + other.expected, self.actual + other.actual, self.on_time + other.on_time)

    @property
    def rate(self) -> int | None:
        """Return REPORTING_RATE in whole per cent, None where nothing was expected."""
        return _percent(self.actual, self.expected)

    @property
    def rate_on_time(self) -> int | None:
        """Return REPORTING_RATE_ON_TIME in whole per cent, None where nothing was expected."""
        return _percent(self.on_time, self.expected)


def _percent(part: int, whole: int) -> int | None:
    return (200 * part + whole) // (2 * whole) if whole else None


@dataclass(frozen=True)
class Report:
    """One municipality in one period of one form. count: answers given in it; needed: as many are one report."""

    form_id: str
    municipality: str
    period: Period
    count: int
    needed: int
    in_time: int

    @property
    def reports(self) -> Reports:
        """Return it as numbers that can be added."""
        return Reports(1, int(self.count >= self.needed), int(self.in_time >= self.needed))


def reports_of(
    form: FormLine,
    municipalities: Iterable[str],
    coverage: Coverage,
    days: Mapping[tuple[str, str], Mapping[int, int]],
    lags: Mapping[tuple[str, str], Mapping[int, int]],
    today: int,
) -> list[Report]:
    """Return what each municipality reported of a form in its latest periods; nothing where no frequency is planned.

    days, lags: (form, municipality) -> answers by day, and by (day << 8 | days they took to come here).
    """
    if form.plan.frequency_days < 1 or form.plan.is_closed:
        return []
    periods = ended_periods(form.plan.frequency_days, form.since_day, today)
    grace = limits_of(form.plan.frequency_days).grace
    found = []
    for municipality in municipalities:
        key = form.form_id, municipality
        if municipality and form.expects(municipality, coverage.of(*key)):
            found += _reports(key, periods, (days.get(key, {}), lags.get(key, {})), grace, form)
    return found


def _reports(
    key: tuple[str, str],
    periods: Sequence[Period],
    counted: tuple[Mapping[int, int], Mapping[int, int]],
    grace: int,
    form: FormLine,
) -> list[Report]:
    needed = form.plan.expected.get(key[1], 1)
    given = [0] * len(periods)
    late = [0] * len(periods)
    for day, count in counted[0].items():
        place = _place(periods, day)
        if place is not None:
            given[place] += count
    for when, count in counted[1].items():
        place = _place(periods, when >> 8)
        if place is not None and (when >> 8) + (when & 0xFF) > periods[place].last + grace:
            late[place] += count
    rows = zip(periods, given, late, strict=True)
    return [Report(*key, period, count, needed, count - too_late) for period, count, too_late in rows]


def _place(periods: Sequence[Period], day: int) -> int | None:
    if not periods or not periods[0].first <= day <= periods[-1].last:
        return None
    return next(place for place, period in enumerate(periods) if day <= period.last)


def summed(reports: Iterable[Report]) -> dict[str, Reports]:
    """Return municipality -> its reports over all forms and periods given, and "" -> those of all of them."""
    found: dict[str, Reports] = {"": Reports()}
    for report in reports:
        found[report.municipality] = found.get(report.municipality, Reports()) + report.reports
        found[""] += report.reports
    return found
