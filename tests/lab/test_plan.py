"""The plan of a form: what is read of it, whom it goes to, what the page posts."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pyxform.xls2xform import convert
from sqlalchemy import text

from collector.db import open_engine, prepare_store, reading, writing
from collector.form_plan import Plan, Quota, plan_content, plan_from
from collector.forms.xform import read_xform
from collector.lab.planning import (
    Offered,
    expected_lines,
    public_questions,
    questions_in_rows,
    quota_questions,
    read_plan,
)
from collector.queries import nodes, plans, store
from collector.territory import place_labels

HOME = """
| survey   |                 |         |          |
|          | type            | name    | label    |
|          | select_one sexo | jefe    | Jefe     |
|          | begin_repeat    | persona | Personas |
|          | select_one sexo | sexo    | Su sexo  |
|          | end_repeat      |         |          |
| choices  |                 |         |          |
|          | list_name       | name    | label    |
|          | sexo            | m       | Mujer    |
|          | sexo            | h       | Hombre   |
"""
FULL = Plan(
    closed_ms=5, frequency_days=30, nodes=("a", "b"), municipalities=("0810",), quotas=(Quota("sexo", "m", 40),),
    expected={"0810": 50}, is_public=True, public=("gusta",),
)  # fmt: skip


def test_a_plan_is_read_as_it_was_written() -> None:
    content = json.loads(json.dumps(plan_content(FULL)))
    assert plan_from(content, FULL.closed_ms, FULL.frequency_days) == FULL
    assert plan_content(Plan()) == {}


@pytest.mark.parametrize(
    "content",
    [
        {"nodes": "a"},
        {"nodes": [1, None, ""]},
        {"quotas": [{"question": "x"}, 3]},
        {"quotas": [{"question": "x", "value": "y", "target": True}]},
        {"expected": {"08": "many"}},
        {"expected": [1]},
        {"public": []},
        {"from_above": 1},
    ],
)
def test_what_is_no_plan_counts_as_nothing(content: dict[str, object]) -> None:
    assert plan_from(content) == Plan()


@pytest.mark.parametrize(
    ("plan", "node", "place", "goes"),
    [
        (Plan(), "a", "", True),
        (Plan(nodes=("b",)), "a", "", False),
        (Plan(nodes=("a",)), "a", "", True),
        (Plan(municipalities=("0810",)), "a", "0810", True),
        (Plan(municipalities=("0810",)), "a", "0401", False),
        (Plan(municipalities=("08",)), "a", "0810", True),
        (Plan(municipalities=("0810",)), "a", "08", False),
        (Plan(municipalities=("0810",)), "a", "", False),
        (Plan(nodes=("b",), municipalities=("0810",)), "b", "", True),
    ],
)
def test_a_form_goes_to_whom_it_is_assigned_and_else_to_everybody(
    plan: Plan, node: str, place: str, goes: bool
) -> None:
    assert plan.goes_to(node, place) is goes


def test_the_upstream_decides_closing_and_assignment_and_leaves_the_rest() -> None:
    above = Plan(closed_ms=9, nodes=("z",), is_offered=False, is_from_above=True)
    decided = FULL.decided_by(above)
    assert (decided.closed_ms, decided.nodes, decided.municipalities) == (9, ("z",), ())
    assert (decided.frequency_days, decided.quotas, decided.public) == (30, FULL.quotas, ("gusta",))
    assert not decided.takes_answers


# --- kept in the store


def test_plans_are_kept_and_a_plan_that_says_the_same_is_no_change(
    make_database_url: Callable[..., str], tmp_path: Path
) -> None:
    engine = open_engine(make_database_url())
    prepare_store(engine)
    with writing(engine) as session:
        assert plans.put_plan(session, "f", FULL, 1)
    with writing(engine) as session:
        assert not plans.put_plan(session, "f", FULL, 2)
        assert plans.put_plan(session, "g", Plan(nodes=("x",)), 2)
    with reading(engine) as session:
        assert plans.get_plan(session, "f") == FULL
        assert plans.get_plan(session, "nobody") == Plan()
        assert set(plans.plans(session)) == {"f", "g"}
        assert plans.not_open(session) == {"f"}
    with writing(engine) as session:
        session.connection().execute(text("UPDATE form_plan SET plan = 'no JSON' WHERE form_id = 'g'"))
    with reading(engine) as session:
        assert plans.get_plan(session, "g") == Plan()
    engine.dispose()


def test_a_node_gets_what_is_for_it_for_its_place_or_for_one_below_it(
    make_database_url: Callable[..., str], tmp_path: Path
) -> None:
    engine = open_engine(make_database_url())
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "central")
        for name in ("hub", "solo"):
            nodes.enrol_node(session, nodes.make_enrol_code(session, 1), name, name, 2, "")
        report = {"below": [{"id": "tableta", "report": {"below": [{"id": "honda", "report": {}}]}}]}
        session.connection().execute(text("UPDATE node SET report = :it WHERE id = 'hub'"), {"it": json.dumps(report)})
        plans.put_plan(session, "todos", Plan(frequency_days=7), 1)
        plans.put_plan(session, "honda", Plan(nodes=("honda",)), 1)
        plans.put_plan(session, "lugar", Plan(municipalities=("04",)), 1)
        assert plans.held_back(session, "hub") == {"lugar"}
        assert plans.held_back(session, "solo") == {"honda", "lugar"}
        assert plans.place_node(session, "solo", "0401") and not plans.place_node(session, "nobody", "0401")
        session.flush()
        assert plans.held_back(session, "solo") == {"honda"}
        told = plans.told_plans(session, "hub")
    assert told["place"] == ""
    assert {plan["form_id"]: plan["offered"] for plan in told["plans"]} == {"honda": False, "lugar": False}
    engine.dispose()


# --- the page


@pytest.fixture(scope="module")
def offered(barrio_xforms: dict[str, str]) -> Offered:
    form = read_xform(barrio_xforms["1"])
    return Offered(frozenset({"n1", "n2"}), place_labels(), quota_questions(form, "es"), public_questions(form, "es"))


def test_quotas_are_offered_for_short_lists_and_public_questions_are_counted_ones(offered: Offered) -> None:
    assert [asked.key for asked in offered.quotas] == ["lugar/municipio", "gusta"]
    assert dict(offered.quotas[1].choices)["si"] == "Sí"
    assert [asked.key for asked in offered.public] == ["lugar/municipio", "edad", "pago", "temas", "gusta"]


def test_questions_inside_repeats_are_named_and_refused_as_quotas(offered: Offered) -> None:
    form = read_xform(str(convert(HOME, validate=False, file_type=".md").xform))
    inside = questions_in_rows(form, "es")
    assert [asked.key for asked in inside] == ["persona/sexo"]
    assert [asked.key for asked in quota_questions(form, "es")] == ["jefe"]
    one = inside[0]
    plan, troubles = read_plan(
        [(f"quota:{one.key}:{one.choices[0][0]}", "40")], Plan(), replace(offered, in_rows=inside)
    )
    assert [(trouble.field, trouble.said) for trouble in troubles] == [("in_rows", one.label)]
    assert plan.quotas == ()


def test_the_posted_plan_is_read(offered: Offered) -> None:
    pairs = [
        ("node", "n1"), ("node", "somebody"), ("place", "0810"), ("place", "9999"), ("frequency", " 30 "),
        ("expected", "san miguelito: 1 200\n\n0401: 5\nDavid: 0\n"), ("quota:gusta:si", "40"), ("quota:gusta:no", ""),
        ("quota:otra:si", "4"), ("public_on", "1"), ("public", "gusta"), ("public", "idea"),
    ]  # fmt: skip
    plan, troubles = read_plan(pairs, Plan(closed_ms=3), offered)
    assert not troubles
    assert plan == Plan(
        closed_ms=3, frequency_days=30, nodes=("n1",), municipalities=("0810",), quotas=(Quota("gusta", "si", 40),),
        expected={"0810": 1200, "0401": 5}, is_public=True, public=("gusta",),
    )  # fmt: skip
    assert expected_lines(plan.expected, offered.places) == "Alanje: 5\nSan Miguelito: 1200"


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        ("frequency", [("frequency", "cada mes")]),
        ("frequency", [("frequency", "99999")]),
        ("expected", [("expected", "San Miguelito")]),
        ("expected", [("expected", "San Miguelito: muchas")]),
        ("place", [("expected", "Macondo: 4")]),
        ("place", [("expected", "Santa Fe: 4")]),  # there are two
        ("quota", [("quota:gusta:si", "-4")]),
    ],
)
def test_what_cannot_be_read_is_told_and_stays_as_it_was(
    offered: Offered, field: str, pairs: list[tuple[str, str]]
) -> None:
    before = Plan(frequency_days=7, expected={"0401": 1}, quotas=(Quota("gusta", "si", 9),))
    rest = [("frequency", "7"), ("expected", "Alanje: 1"), ("quota:gusta:si", "9")]
    given = pairs + [(name, value) for name, value in rest if name not in dict(pairs)]
    plan, troubles = read_plan(given, before, offered)
    assert [trouble.field for trouble in troubles] == [field]
    assert plan == before


def test_what_the_upstream_decides_is_not_changed_here(offered: Offered) -> None:
    before = Plan(closed_ms=4, nodes=("far",), is_from_above=True)
    plan, _ = read_plan([("node", "n1"), ("place", "04"), ("frequency", "14")], before, offered)
    assert (plan.nodes, plan.municipalities, plan.closed_ms, plan.frequency_days) == (("far",), (), 4, 14)
