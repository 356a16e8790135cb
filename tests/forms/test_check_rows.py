"""A node checks records with rows: it prunes, recomputes, notes, and never fails."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.forms.check import Checked, check
from tests.forms.household import NOW, household


def checked(answers: object) -> Checked:
    """Check a record of the household."""
    return check(household(), answers, NOW)


def flags(answers: object) -> set[tuple[str, str]]:
    """Return where something was noticed, and what."""
    return {(flag.key, flag.what) for flag in checked(answers).flags}


def member(**answers: Any) -> dict[str, Any]:
    """Return a row as the page would send it."""
    return {"nombre": "Ana", "fila": "1", "gasto": "0", **answers}


def test_what_the_page_sends_is_clean() -> None:
    row = member(edad="31", visitas="1", visita=[{"costo": "2.5"}], gasto="2.5")
    answers = {"casa": "Sol", "persona": [row], "cuantas": "1", "mayores": "1", "total": "2.5", "sello": "Sol!"}
    answers["meta/instanceName"] = "Sol"
    assert flags(answers) == set()
    assert checked(answers).answers == answers


def test_what_is_not_relevant_in_a_row_is_pruned() -> None:
    found = checked({"casa": "Sol", "persona": [member(edad="3", visitas="1")]})
    assert ("persona[1]/visitas", "not_relevant") in {(flag.key, flag.what) for flag in found.flags}
    assert "visitas" not in found.answers["persona"][0]


def test_what_a_row_calculates_is_recomputed() -> None:
    found = checked({"casa": "Sol", "persona": [member(), member(fila="7")]})
    assert ("persona[2]/fila", "recomputed") in {(flag.key, flag.what) for flag in found.flags}
    assert [row["fila"] for row in found.answers["persona"]] == ["1", "2"]


def test_rows_are_trusted_and_their_number_is_checked() -> None:
    row = member(edad="31", visitas="1", visita=[{"costo": "1"}, {"costo": "2"}], gasto="3")
    found = checked({"casa": "Sol", "persona": [row]})
    assert ("persona[1]/visita", "rows") in {(flag.key, flag.what) for flag in found.flags}
    assert len(found.answers["persona"][0]["visita"]) == 2


def test_wrong_answers_are_noted_where_they_stand() -> None:
    answers = {"persona": [member(edad="130"), member(edad="x"), "fila"], "jefe": "Nadie", "cosas": 5, "raro": "1"}
    assert {
        ("casa", "required"),
        ("persona[1]/edad", "constraint"),
        ("persona[2]/edad", "type"),
        ("persona[3]", "not_text"),
        ("jefe", "choice"),
        ("cosas", "not_text"),
        ("raro", "unknown"),
    } <= flags(answers)


def test_nothing_is_put_into_a_record_that_people_left_out() -> None:
    assert "nota" not in checked({"casa": "Sol", "persona": [{}]}).answers["persona"][0]


KEYS = st.sampled_from(
    ["casa", "persona", "nombre", "edad", "visitas", "visita", "costo", "jefe", "cosas", "lugar/punto"]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["9", "31"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.text(max_size=3)), inner)),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_no_json_makes_the_check_fail(answers: object) -> None:
    first = checked(answers)
    assert first.answers == checked(first.answers).answers
