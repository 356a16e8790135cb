"""What an edit changed and what happened to a record, told from its records alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.lab.reviewing import (
    Difference,
    Event,
    Told,
    differences,
    history,
    is_answered,
    last_comment,
    odk_state,
    state_said,
)
from tests.lab.visitas import visitas

NO_PLACES: Mapping[str, str] = {}


def changed(old: object, new: object, versions: tuple[str, str] = ("1", "1"), **more: Any) -> list[Difference]:
    forms = visitas(versions[0]), visitas(versions[1])
    return differences({"answers": old, **more}, {"answers": new}, forms, "es", NO_PLACES)


# --- what an edit changed


def test_only_what_differs_is_told_with_labels_and_words() -> None:
    old = {"jefa": "Ana", "listo": "OK", "orden": "agua luz"}
    new = {"jefa": "Ana", "listo": "OK", "orden": "luz agua"}
    [one] = changed(old, new)
    assert (one.key, one.label) == ("orden", "Ordene")
    assert one.old != one.new and "Luz" in one.new


def test_an_answer_that_is_gone_or_new_is_empty_on_the_other_side() -> None:
    found = {each.key: (each.old, each.new) for each in changed({"jefa": "Ana"}, {"listo": "OK"})}
    assert found["jefa"] == ("Ana", "")
    assert found["listo"][0] == "" and found["listo"][1]


def test_answers_inside_rows_are_compared_row_by_row() -> None:
    key = next(repeat.key for repeat in visitas().repeats if not repeat.row)
    inner = next(
        question.key for question in visitas().questions if question.row.endswith(key) and question.type == "text"
    )
    found = changed({key: [{inner: "Ana"}, {inner: "José"}]}, {key: [{inner: "Ana"}, {inner: "Josefa"}]})
    assert [(each.key, each.old, each.new) for each in found] == [(f"{key}[2]/{inner}", "José", "Josefa")]
    removed = changed({key: [{inner: "Ana"}, {inner: "José"}]}, {key: [{inner: "Ana"}]})
    assert [(each.old, each.new) for each in removed] == [("José", "")]


def test_what_only_another_version_or_nobody_asks_is_told_by_its_key() -> None:
    found = {each.key: each for each in changed({"listo": "OK", "rara": "x"}, {"otra": "sí"}, ("1", "2"))}
    assert set(found) == {"listo", "otra", "rara"}
    assert (found["rara"].label, found["otra"].label) == ("rara", "¿Algo más?")


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5)))
def test_whatever_a_record_holds_it_differs_in_nothing_from_itself(answers: dict[str, Any]) -> None:
    assert changed(answers, answers) == []


def test_a_place_chosen_from_the_list_is_an_answer_too() -> None:
    key = next(question.key for question in visitas().questions if question.type == "geopoint")
    old = {"answers": {}, "places": {key: {"code": "0503", "place": "Barrio Sur"}}}
    new = {"answers": {}, "places": {key: {"code": "0810", "place": ""}}}
    places = {"0503": "Santa Fe (Darién)", "0810": "San Miguelito"}
    [one] = differences(old, new, (visitas(), visitas()), "es", places)
    assert (one.old, one.new) == ("Santa Fe (Darién) · Barrio Sur", "San Miguelito")


# --- the history


def told(number: int, kind: str, about: str = "", **content: Any) -> Told:
    return Told(f"r{number}", kind, about, "visitas", "1", number, {"kind": kind} | content)


FIRST = told(1, "submission", answers={"jefa": "Ana"})
ASKED = told(2, "annotation", "r1", by="ana@ejemplo.pa", review={"state": "has_issues"}, comment="¿Ana?")
ANSWER = told(3, "annotation", "r1", by="pin", comment="Es Berta")
EDIT = told(4, "edit", "r1", answers={"jefa": "Berta"})
WHY = told(5, "annotation", "r4", by="pin", comment="La corregí", replaces="r1")
GOOD = told(6, "annotation", "r4", by="ana@ejemplo.pa", review={"state": "approved"}, comment="")
STORY = [FIRST, ASKED, ANSWER, EDIT, WHY, GOOD]


def story(*records: Told) -> list[Event]:
    return history(records, lambda form, version: visitas(version), "es", NO_PLACES)


@given(st.permutations(STORY))
def test_a_history_is_told_in_order_of_time_whatever_the_order_of_its_records(records: list[Told]) -> None:
    found = story(*records)
    assert [(event.what, event.by, event.state, event.comment) for event in found] == [
        ("collected", "", "", ""),
        ("reviewed", "ana@ejemplo.pa", "has_issues", "¿Ana?"),
        ("commented", "pin", "", "Es Berta"),
        ("edited", "pin", "", "La corregí"),
        ("reviewed", "ana@ejemplo.pa", "approved", ""),
    ]
    assert [(each.old, each.new) for each in found[3].changed] == [("Ana", "Berta")]


def test_an_edit_without_a_reason_is_the_persons_own_when_it_has_their_code() -> None:
    own = told(4, "edit", "r1", answers={}, claim="0123456789abcdef" * 2)
    assert [event.by for event in story(FIRST, own)] == ["", "person"]
    assert [event.by for event in story(FIRST, EDIT)] == ["", ""]


def test_what_was_erased_is_no_event() -> None:
    gone = Told("r9", "annotation", "r1", "", "", 9, {})
    assert [event.what for event in story(FIRST, gone)] == ["collected"]


def test_an_edit_of_a_record_that_is_not_here_changes_nothing_that_can_be_told() -> None:
    [event] = story(EDIT)
    assert (event.what, event.changed, event.count) == ("edited", (), 0)


def test_a_question_is_answered_when_somebody_spoke_after_the_last_review() -> None:
    again = told(7, "annotation", "r1", review={"state": "has_issues"}, comment="¿Y la otra?")
    assert not is_answered([ASKED])
    assert is_answered([ANSWER, ASKED])
    assert not is_answered([again, ANSWER, ASKED])
    assert not is_answered([ANSWER])
    assert (last_comment([ASKED, again, ANSWER]), last_comment([GOOD]), last_comment([])) == ("¿Y la otra?", "", "")


@pytest.mark.parametrize("review", [None, "approved", {"state": "perfecto"}, {"state": ["approved"]}, {}, 7])
def test_what_is_no_review_says_no_state(review: Any) -> None:
    assert state_said({"review": review}) == ""


def test_odk_knows_the_states_by_its_own_names() -> None:
    assert [odk_state(review, "submission") for review in ("", "has_issues", "approved", "rejected")] == [
        None, "hasIssues", "approved", "rejected",
    ]  # fmt: skip
    assert (odk_state("", "edit"), odk_state("approved", "edit")) == ("edited", "approved")
