"""The page of a form with more answers than one page counts: first without its numbers, then with them."""

from time import monotonic, sleep

import pytest

from collector.queries.lab import EVERY
from collector.routes import lab_counts
from tests.lab.conftest import Lab

WAITS = "Se están contando las respuestas"
OLD = "Se contaron hace"
PAGE = "/lab/forms/barrio"


@pytest.fixture
def large(open_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Give a node that takes three answers for many."""
    monkeypatch.setattr(lab_counts, "AT_ONCE", 2)
    open_lab.put(*(open_lab.answer(gusta=choice, idea=f"idea {choice}") for choice in ("si", "si", "no")))
    return open_lab


def wait_for_numbers(lab: Lab, query: str = "") -> None:
    """Ask as the page asks, until it is told to load again."""
    until = monotonic() + 20
    while monotonic() < until:
        answer = lab.browser.get(f"{PAGE}/contado{query}")
        if answer.status_code == 200:
            assert answer.headers["hx-refresh"] == "true"
            return
        assert answer.status_code == 204
        sleep(0.05)
    pytest.fail("the numbers never came")


def test_a_form_with_few_answers_shows_its_numbers_at_once(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer(gusta="si"))
    shown = open_lab.browser.get(PAGE).text
    assert WAITS not in shown
    assert OLD not in shown
    assert "¿Le gusta su barrio?" in shown.split('id="records"')[0]


def test_a_form_with_many_answers_shows_its_records_first_and_no_number_that_nobody_counted(large: Lab) -> None:
    shown = large.browser.get(PAGE).text
    before, _, records = shown.partition('id="records"')
    assert WAITS in before
    assert f'hx-get="{PAGE}/contado?' in before
    assert "1 de 2" not in before
    assert "idea no" in records


def test_the_numbers_stand_on_the_page_once_they_are_counted(large: Lab) -> None:
    large.browser.get(PAGE)
    wait_for_numbers(large)
    before = large.browser.get(PAGE).text.partition('id="records"')[0]
    assert WAITS not in before
    assert "¿Le gusta su barrio?" in before
    assert "1 de 2" in before


def test_numbers_from_before_an_arrival_say_their_age_until_they_are_counted_again(large: Lab) -> None:
    large.browser.get(PAGE)
    wait_for_numbers(large)
    large.put(large.answer(gusta="no", idea="recién llegada"))
    shown = large.browser.get(PAGE).text
    assert OLD in shown
    assert "recién llegada" in shown.split('id="records"')[1]
    until = monotonic() + 20
    while OLD in large.browser.get(PAGE).text:
        assert monotonic() < until, "the new answer was never counted"
        sleep(0.1)


def test_each_choice_of_filters_is_counted_for_itself(large: Lab) -> None:
    large.browser.get(PAGE)
    wait_for_numbers(large)
    query = "?pregunta=gusta&valor=no"
    assert WAITS in large.browser.get(PAGE + query).text
    wait_for_numbers(large, query)
    assert WAITS not in large.browser.get(PAGE + query).text


def test_who_may_not_see_the_form_is_not_told_whether_it_is_counted(lab: Lab) -> None:
    assert lab.browser.get(f"{PAGE}/contado").status_code == 303


def test_the_page_waits_in_english_too(large: Lab) -> None:
    large.browser.headers["Accept-Language"] = "en"
    assert "The answers are being counted." in large.browser.get(PAGE + "?lang=en").text


def test_counting_again_rests_twenty_times_as_long_as_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, name = lab_counts.Counting(), ("barrio", EVERY)
    moment = 1000.0
    monkeypatch.setattr(lab_counts, "monotonic", lambda: moment)
    counting.note_end(name, 3.0)
    moment = 1059.0
    assert not counting.wants(name, is_known=True)
    moment = 1060.0
    assert counting.wants(name, is_known=True)
    assert counting.wants(name, is_known=False)
