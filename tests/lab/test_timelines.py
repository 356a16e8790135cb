"""Questions for a date are drawn over time: by day, week, month, quarter or years, the same on both databases."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyxform.xls2xform import convert
from sqlalchemy import Engine

from collector.db import reading, writing
from collector.lab.charts import CHART_LETTERS, counted_columns, named_columns
from collector.lab.summaries import QuestionCount, chars_needed, question_count
from collector.lab.tables import Column, tables_of
from collector.lab.timelines import TimeLine, time_line
from collector.queries.lab import answer_counts
from collector.queries.records import Arrival, ingest
from sync.records import canonical_bytes, read_record
from tests.forms.sheet_findings import form_of
from tests.lab.conftest import MOMENT_MS, Lab

DATES = """
| survey |
| | type | name | label |
| | date | dia | ¿Qué día vino el camión? |
| | dateTime | corte | ¿Cuándo se fue la luz? |
| | time | hora | ¿A qué hora llega el agua? |
| | begin_repeat | visita | Visita |
| | date | fecha | ¿Cuándo fue? |
| | end_repeat | | |
| settings |
| | form_id | version | form_title |
| | fechas | 1 | Fechas |
"""


def drawn(first: str, days: int, step: int = 1) -> TimeLine:
    start = date.fromisoformat(first)
    found = time_line({start + timedelta(at): 1 for at in range(0, days, step)})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("first", "days", "unit", "columns", "label"),
    [
        ("2026-11-01", 2, "day", 2, "2026-11-01"),
        ("2026-11-01", 24, "day", 24, "2026-11-01"),
        ("2026-11-02", 28, "day", 28, "2026-11-02"),  # four weeks would say too little
        ("2026-11-02", 42, "week", 6, "2026-11-02 – 2026-11-08"),
        ("2026-01-01", 160, "week", 24, "2025-12-29 – 2026-01-04"),
        ("2026-01-01", 365, "month", 12, "2026-01"),
        ("2024-01-01", 1096, "quarter", 12, "2024-01 – 2024-03"),
        ("2010-01-01", 6000, "year", 17, "2010"),
        ("1930-05-01", 28500, "year", 16, "1930–1934"),
        ("0001-01-01", 3652058, "year", 20, "0–499"),
    ],
)
def test_dates_are_drawn_in_six_to_twenty_four_columns(
    first: str, days: int, unit: str, columns: int, label: str
) -> None:
    found = drawn(first, days, max(1, days // 1000))
    assert (found.unit, len(found.periods), found.periods[0].label) == (unit, columns, label)


@given(st.dictionaries(st.dates(), st.integers(1, 50), min_size=2, max_size=40))
def test_no_date_is_lost_and_the_columns_are_few(days: dict[date, int]) -> None:
    found = time_line(days)
    assert found is not None
    assert sum(period.count for period in found.periods) == sum(days.values())
    assert 2 <= len(found.periods) <= 41 and max(period.height for period in found.periods) == 1


def test_one_date_alone_is_no_line() -> None:
    assert time_line({}) is None and time_line({date(2026, 11, 1): 9}) is None


def test_the_ends_of_the_calendar_are_drawn_too() -> None:
    assert time_line({date.min: 1, date.min + timedelta(40): 1}) is not None
    assert time_line({date.max: 1, date.max - timedelta(40): 1}) is not None


@given(st.lists(st.text("0123456789", min_size=1, max_size=9), min_size=1, max_size=45))
def test_names_below_a_chart_never_meet_on_a_phone(names: list[str]) -> None:
    named = [place for place, is_named in enumerate(named_columns(names)) if is_named]
    room = CHART_LETTERS / len(names)
    assert named[0] == 0
    assert all((later - place) * room > max(map(len, names)) for place, later in pairwise(named))


def test_numbers_above_a_chart_stand_where_they_fit_else_on_the_highest() -> None:
    assert counted_columns([3, 0, 5]) == [True, False, True]
    assert counted_columns([1000, 20000, 5, 20000, 1, 1, 1]) == [False, True, False, False, False, False, False]


def test_a_day_that_no_calendar_has_is_left_out_and_said() -> None:
    form = form_of(("type", "name", "label"), ("date", "dia", "¿Qué día?"))
    found = question_count(tables_of([form]).columns[0], {"2026-02-31": 2, "2026-02-01": 3, "ayer": 1}, "")
    assert (found.n, found.unread, found.span) == (3, 3, ("2026-02-01", "2026-02-01"))


# --- in the store, and on the page


def answered(lab: Lab) -> list[dict[str, object]]:
    return [
        lab.record("fechas", {
            "dia": f"2026-11-{1 + number:02d}",
            "corte": f"2026-{1 + number % 9:02d}-15T{number:02d}:15:00.000-05:00",
            "hora": f"{5 + number % 3:02d}:30:00.000-05:00",
            "visita": [{"fecha": f"{2000 + number}-06-01"}, {"fecha": "2026-06-01"}],
        })
        for number in range(20)
    ]  # fmt: skip


def dates_xform() -> str:
    return str(convert(DATES, validate=False, file_type=".md").xform)


def test_both_databases_draw_the_same_line(engine: Engine, open_lab: Lab) -> None:
    open_lab.publish(dates_xform())
    form = open_lab.node.app.state.forms.get("fechas", "1")
    read = [read_record(canonical_bytes(content).decode()) for content in answered(open_lab)]
    with writing(engine) as session:
        ingest(session, [Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version) for r in read], MOMENT_MS)

    def counted(column: Column) -> QuestionCount:
        with reading(engine) as session:
            counts = answer_counts(session, "fechas", {column.key: chars_needed(column)}, column.steps)
        return question_count(column, counts[column.key], "")

    whole = tables_of([form])
    by_name = {column.name: counted(column) for table in whole.walk() for column in table.columns}
    assert shape(by_name["dia"]) == ("day", 20, 20)
    assert shape(by_name["corte"]) == ("month", 9, 20)
    assert shape(by_name["visita/fecha"]) == ("year", 14, 40)
    assert [share.count for share in by_name["hora"].shares] == [7, 7, 6]


def shape(question: QuestionCount) -> tuple[str, int, int]:
    line = question.time_line
    assert line is not None
    return line.unit, len(line.periods), sum(period.count for period in line.periods)


def test_the_page_draws_dates_with_their_table_and_link(open_lab: Lab) -> None:
    open_lab.publish(dates_xform())
    open_lab.put(*answered(open_lab))
    page = open_lab.browser.get("/lab/forms/fechas").text
    [card] = re.findall(r'<section class="card" id="q-dia">.*?</section>', page, re.DOTALL)
    assert "Por día" in card and card.count('<rect class="b2"') == 20
    assert '<th scope="row">2026-11-20</th>' in card and 'href="?#q-dia"' in card
    [inside] = re.findall(r'<section class="card" id="q-visita-fecha">.*?</section>', page, re.DOTALL)
    assert "Cada 2 años" in inside and "n = 40 filas" in inside
    english = open_lab.browser.get("/lab/forms/fechas", headers={"Accept-Language": "en"}).text
    assert "By day" in english and "By month" in english and "By 2 years" in english
