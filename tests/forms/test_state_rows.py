"""Rows, counts, actions and texts while a form is filled in, on a node and on the page."""

import json
import subprocess
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.assets import asset_dir
from collector.fill.page_json import fill_json
from collector.fill.words import Words
from collector.forms.model import Form, form_from_json, form_to_json
from collector.forms.report import FormErrors
from collector.forms.state import MAX_ROWS, Filling
from collector.forms.xform import read_xform
from tests.forms.big_form import big_xform
from tests.forms.household import NOW, household, household_xml
from tests.scenarios import played

RULES = [
    ("a repeat starts with the row that the form holds", [("expect_count", ["/data/persona", 1])]),
    (
        "a row's calculates see their own row, and those outside see all rows",
        [
            ("add_repeat", "/data/persona"),
            ("set", ["/data/persona[1]/edad", "31"]),
            ("set", ["/data/persona[2]/edad", "4"]),
            ("expect_value", ["/data/persona[2]/fila", "2"]),
            ("expect_value", ["/data/mayores", "1"]),
            ("expect_value", ["/data/cuantas", "2"]),
        ],
    ),
    (
        "a count makes rows, and drops them when it shrinks or no longer takes part",
        [
            ("set", ["/data/persona[1]/edad", "31"]),
            ("set", ["/data/persona[1]/visitas", "3"]),
            ("expect_count", ["/data/persona[1]/visita", 3]),
            ("set", ["/data/persona[1]/visita[1]/costo", "2.50"]),
            ("set", ["/data/persona[1]/visitas", "1"]),
            ("expect_count", ["/data/persona[1]/visita", 1]),
            ("expect_value", ["/data/persona[1]/gasto", "2.5"]),
            ("expect_value", ["/data/total", "2.5"]),
        ],
    ),
    (
        "a row that goes lets later ones move up",
        [
            ("add_repeat", "/data/persona"),
            ("set", ["/data/persona[2]/nombre", "Eva"]),
            ("remove_repeat", "/data/persona[1]"),
            ("expect_value", ["/data/persona[1]/nombre", "Eva"]),
            ("expect_value", ["/data/persona[1]/fila", "1"]),
            ("expect_value", ["/data/cuantas", "1"]),
        ],
    ),
    (
        "a default by expression is set once in each row, when the row is made",
        [
            ("expect_value", ["/data/persona[1]/nota", "n1"]),
            ("add_repeat", "/data/persona"),
            ("expect_value", ["/data/persona[2]/nota", "n2"]),
            ("set", ["/data/persona[2]/nota", "otra"]),
            ("add_repeat", "/data/persona"),
            ("expect_value", ["/data/persona[2]/nota", "otra"]),
        ],
    ),
    (
        "a trigger sets its target when it changes, and leaves it alone else",
        [
            ("expect_value", ["/data/sello", ""]),
            ("set", ["/data/casa", "Lote 4"]),
            ("expect_value", ["/data/sello", "Lote 4!"]),
        ],
    ),
    (
        "rows are choices, and a choice whose row is gone is dropped",
        [
            ("set", ["/data/persona[1]/nombre", "Ana"]),
            ("add_repeat", "/data/persona"),
            ("set", ["/data/persona[2]/nombre", "Eva"]),
            ("expect_choices", ["/data/jefe", ["Ana", "Eva"], ["Ana", "Eva"]]),
            ("set", ["/data/jefe", "Eva"]),
            ("remove_repeat", "/data/persona[2]"),
            ("expect_value", ["/data/jefe", ""]),
        ],
    ),
    (
        "a text shows answers of its own row, in the language now, messages and choices too",
        [
            ("set", ["/data/casa", "Sol"]),
            ("set", ["/data/persona[1]/nombre", "Ana"]),
            ("expect_label", ["/data/persona[1]/edad", "¿Edad de Ana?"]),
            ("set", ["/data/persona[1]/edad", "130"]),
            ("expect_message", ["/data/persona[1]/edad", "Ana no puede tener tanto."]),
            ("expect_valid", ["/data/persona[1]", False]),
            ("expect_valid", ["/", False]),
            ("language", "English (en)"),
            ("expect_label", ["/data/persona[1]/edad", "Age of Ana?"]),
            ("expect_choices", ["/data/cosas", ["agua", "luz"], ["Water", "Light of Sol"]]),
        ],
    ),
    (
        "what is not relevant reads as empty and keeps what was said",
        [
            ("set", ["/data/persona[1]/edad", "31"]),
            ("set", ["/data/persona[1]/visitas", "2"]),
            ("set", ["/data/persona[1]/edad", "3"]),
            ("expect_value", ["/data/persona[1]/visitas", ""]),
            ("set", ["/data/persona[1]/edad", "31"]),
            ("expect_value", ["/data/persona[1]/visitas", "2"]),
        ],
    ),
    ("a question is required by its bind", [("expect_required", ["/data/casa", True])]),
]


def scenario(steps: list[tuple[str, Any]], xform: str = "") -> dict[str, Any]:
    """Write down a scenario on the household."""
    listed = [{key: given} for key, given in steps]
    return {"id": "s", "xform": xform or household_xml(), "tz": "America/Panama", "steps": listed}


@pytest.mark.parametrize("engine", ["python", "js"])
@pytest.mark.parametrize(("rule", "steps"), RULES, ids=[rule for rule, _ in RULES])
def test_the_rule_holds(engine: str, rule: str, steps: list[tuple[str, Any]]) -> None:
    assert list(played([scenario(steps)], engine)) == [{"id": "s", "ok": True}], rule


@pytest.mark.parametrize("engine", ["python", "js"])
@pytest.mark.parametrize(
    "wrong",
    [
        ("expect_count", ["/data/persona", 2]),
        ("expect_value", ["/data/cuantas", "7"]),
        ("expect_choices", ["/data/cosas", ["luz", "agua"]]),
        ("expect_label", ["/data/casa", "Otra"]),
        ("expect_relevant", ["/data/jefe", False]),
        ("expect_required", ["/data/casa", False]),
        ("expect_readonly", ["/data/casa", True]),
        ("expect_valid", ["/", True]),
        ("expect_message", ["/data/casa", "otro"]),
        ("expect_submission_xml", "<data id='hogar'/>"),
        ("expect_value", ["/data/nadie", ""]),
        ("expect_value", ["/data/persona[9]/nombre", ""]),
        ("jump", ["/data/casa"]),
    ],
)
def test_a_wrong_expectation_is_seen(engine: str, wrong: tuple[str, Any]) -> None:
    ((answer),) = played([scenario([wrong])], engine)
    assert (answer["ok"], answer["step"]) == (False, 0)


@pytest.mark.parametrize("said", [True, False])
def test_a_form_that_is_refused_says_so(said: bool) -> None:
    broken = household_xml().replace("count( /data/persona )", "count( /data/personas )")
    ((answer),) = played([scenario([("expect_publish_error", said)], broken)], "python")
    assert ("ok" in answer, "refused" in answer) == (said, not said)


# --- the two engines agree

NAMES = st.sampled_from(["nombre", "edad", "visitas", "nota"])
ROWS = st.integers(1, 3)
TEXTS = st.sampled_from(["", "0", "1", "2", "3", "18", "200", "Ana", "Eva", "2.5", "agua", "agua luz", "8.9 -79.5 0 0"])
TOP = st.sampled_from(["casa", "jefe", "cosas", "mejor", "lugar/punto", "sello"])
MOVES = st.one_of(
    st.tuples(st.just("set"), st.tuples(TOP.map("/data/{}".format), TEXTS).map(list)),
    st.tuples(st.just("set"), st.tuples(st.builds("/data/persona[{}]/{}".format, ROWS, NAMES), TEXTS).map(list)),
    st.tuples(
        st.just("set"), st.tuples(st.builds("/data/persona[{}]/visita[{}]/costo".format, ROWS, ROWS), TEXTS).map(list)
    ),
    st.tuples(st.just("add_repeat"), st.just("/data/persona")),
    st.tuples(st.just("add_repeat"), st.builds("/data/persona[{}]/visita".format, ROWS)),
    st.tuples(st.just("remove_repeat"), st.builds("/data/persona[{}]".format, ROWS)),
    st.tuples(st.just("language"), st.sampled_from(["English (en)", "Español (es)"])),
)
LOOKS = [
    ("expect_submission_xml", "<data/>"),
    ("expect_choices", ["/data/mejor", []]),
    ("expect_label", ["/data/persona[1]/edad", ""]),
    ("expect_message", ["/data/persona[1]/edad", ""]),
    ("expect_valid", ["/", True]),
]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(MOVES, max_size=14), min_size=12, max_size=12))
def test_both_engines_see_the_same_whatever_people_do(many: list[list[tuple[str, Any]]]) -> None:
    """After the moves one look that must fail: at the same step, with the same thing seen."""
    scenarios = []
    for number, moves in enumerate(many):
        for look_number, look in enumerate(LOOKS):
            found = scenario([*moves, look])
            scenarios.append(found | {"id": f"{number}.{look_number}"})
    python, js = ({each["id"]: each for each in played(scenarios, engine)} for engine in ("python", "js"))
    for found in (python, js):
        for each in found.values():
            each.pop("got", None) if str(each.get("got")).startswith(("no row", "no such row")) else None
    assert python == js


RUN_BOTH = """
    for (const name of ["functions.js", "functions-rare.js"]) await import(FOLDER + name);
    const [flat, rows] = await Promise.all(["state.js", "rows.js"].map((name) => import(FOLDER + name)));
    const [data, given] = JSON.parse(INPUT);
    for (const each of given) {
      const [one, two] = [flat, rows].map(({ open }) => open(data, [1764559800000, -300], "es"));
      const asked = (node) => node.t && node.t !== "calculate" && node.k in each;
      data.nodes.forEach((node, i) => { if (asked(node)) one.raw[i] = each[node.k]; });
      one.settle();
      two.fill(each);
      const problems = [one, two].map((state) => data.nodes.map((_, i) => state.problem(i)));
      console.log(JSON.stringify([one.answers(), two.answers(), ...problems]));
    }
"""


def run_node(script: str) -> list[str]:
    """Return the lines that a script prints."""
    command = ["node", "--no-warnings", "--input-type=module", "--eval", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def page_json(form: Form) -> Any:
    """Return the JSON that rows.js reads."""
    return json.loads(fill_json(form, Words(form, (form.languages or ("",))[0], {}), whole=True))


@pytest.mark.parametrize("name", ["confianza", "servicios"])
def test_a_simple_form_is_the_same_in_both_engines_of_the_page(starter_xforms: dict[str, str], name: str) -> None:
    form = read_xform(starter_xforms[name])
    words = ["", "1", "0", "5", "si", "no", "ns", "18_29", "agua", "2026-11-20", "x"]
    given = [{q.key: words[(n * 7 + m * 3) % len(words)] for m, q in enumerate(form.questions)} for n in range(40)]
    folder = json.dumps(f"{asset_dir('static') / 'js'}/")
    script = RUN_BOTH.replace("FOLDER", folder).replace("INPUT", json.dumps(json.dumps([page_json(form), given])))
    seen = [json.loads(line) for line in run_node(script)]
    assert len(seen) == len(given)
    for (flat, rows, flat_problems, row_problems), answers in zip(seen, given, strict=True):
        filling = Filling(form, NOW)
        filling.fill(answers)
        assert flat == rows == filling.answers()
        assert flat_problems == row_problems


# --- speed, limits, reading

MEASURE = """
    for (const name of ["functions.js", "functions-rare.js"]) await import(FOLDER + name);
    const { open } = await import(FOLDER + "rows.js");
    const state = open(JSON.parse(INPUT), [0, 0], "es");
    const spent = [];
    for (let n = 0; n < 600; n++) {
      const began = performance.now();
      state.set(n % 300, String(n % 7));
      spent.push(performance.now() - began);
    }
    console.log(spent.sort((a, b) => a - b)[570]);
"""


def test_an_answer_to_a_form_of_300_questions_takes_less_than_8_ms() -> None:
    form = read_xform(big_xform("fila"))
    folder = json.dumps(f"{asset_dir('static') / 'js'}/")
    script = MEASURE.replace("FOLDER", folder).replace("INPUT", json.dumps(json.dumps(page_json(form))))
    assert float(run_node(script)[0]) < 8


def test_an_answer_evaluates_only_what_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    filling = Filling(read_xform(big_xform()), NOW)
    seen: list[object] = []
    evaluate = filling._evaluate
    monkeypatch.setattr(filling, "_evaluate", lambda closure, row: (seen.append(closure), evaluate(closure, row))[1])
    filling.set("/data/q3", "1")
    assert 0 < len(seen) <= 4
    seen.clear()
    filling.set("/data/q4", "1")
    assert len(seen) <= 2


def test_a_change_in_one_row_leaves_the_calculates_of_other_rows_alone() -> None:
    filling = Filling(household(), NOW)
    for _ in range(200):
        filling.add_row("/data/persona")
    rows = filling.rows_at("/data/persona")
    began = time.process_time()
    filling.set("/data/persona/edad", "40", rows[100])
    assert time.process_time() - began < 1
    assert (filling.raw["/data/mayores"], filling.raw["/data/cuantas"]) == ("1", "201")


def test_a_slip_in_a_count_does_not_fill_the_memory() -> None:
    filling = Filling(household(), NOW)
    (row,) = filling.rows_at("/data/persona")
    filling.set("/data/persona/edad", "40", row)
    filling.set("/data/persona/visitas", "999999999", row)
    assert len(row.rows["/data/persona/visita"]) == MAX_ROWS


def test_the_definition_is_json_both_ways() -> None:
    assert form_from_json(json.loads(json.dumps(form_to_json(household())))) == household()


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("count( /data/persona )", "/data/mayores + 1", None),
        ("count( /data/persona )", "/data/total + 1", None),
        ("position(..)", "../gasto", None),
        ("position(..)", "../fila + 1", ["fila"]),
        (" ../edad  &gt; 17", " ../visitas &gt; 17", ["visitas"]),
        (" /data/cosas  != ''", " /data/lugar/punto != ''", ["lugar"]),
    ],
)
def test_what_depends_on_itself_is_refused_by_name(before: str, after: str, names: list[str] | None) -> None:
    xform = household_xml().replace(f'"{before}"', f'"{after}"')
    if names is None:
        read_xform(xform)
        return
    with pytest.raises(FormErrors) as refused:
        read_xform(xform)
    assert all(name in str(refused.value) for name in names)


def test_calculates_in_a_circle_are_named() -> None:
    xform = household_xml().replace("sum( ../visita/costo )", "../fila * 2").replace("position(..)", "../gasto + 1")
    with pytest.raises(FormErrors, match=r"círculo: fila, gasto\."):
        read_xform(xform)
