"""Small forms made by chance, filled in by chance: after every move the page and a node must hold the same record."""

import json
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from collector.forms.check import check
from collector.forms.report import FormErrors
from collector.forms.xform import read_xform
from tests.scenarios import js_task, play_js, play_python

FORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Azar</h:title><model><instance><data id="azar">
 <texto/><entero/><fecha/><varios/><uno/><grupo><dentro/></grupo>
 <fila jr:template=""><nombre/><cuanto/><calculo/><celda jr:template=""><valor/><doble/></celda></fila>
 <fila><nombre/><cuanto/><calculo/><celda><valor/><doble/></celda></fila>
 <total/><resumen/></data></instance>
 <instance id="lista"><root><item><name>x</name><de>1</de></item><item><name>y</name><de>2</de></item>
 <item><name>z</name><de>2</de></item></root></instance>
 BINDS</model></h:head><h:body>
 <input ref="/data/texto"/><input ref="/data/entero"/><input ref="/data/fecha"/>
 <select ref="/data/varios"><itemset nodeset="instance('lista')/root/item"><value ref="name"/><label ref="name"/>
 </itemset></select>
 <select1 ref="/data/uno"><itemset nodeset="instance('lista')/root/item[FILTER]"><value ref="name"/>
 <label ref="name"/></itemset></select1>
 <group ref="/data/grupo"><input ref="/data/grupo/dentro"/></group>
 <group ref="/data/fila"><repeat nodeset="/data/fila"><input ref="/data/fila/nombre"/><input ref="/data/fila/cuanto"/>
 <group ref="/data/fila/celda"><repeat nodeset="/data/fila/celda"COUNT><input ref="/data/fila/celda/valor"/></repeat>
 </group></repeat></group></h:body></h:html>"""

TYPES = {
    "/data/texto": "string",
    "/data/entero": "int",
    "/data/fecha": "date",
    "/data/varios": "string",
    "/data/uno": "string",
    "/data/grupo": "",
    "/data/grupo/dentro": "decimal",
    "/data/fila": "",
    "/data/fila/nombre": "string",
    "/data/fila/cuanto": "int",
    "/data/fila/celda": "",
    "/data/fila/celda/valor": "decimal",
}
CALCULATES = ["/data/fila/celda/doble", "/data/fila/calculo", "/data/total", "/data/resumen"]
VALUES = ["''", "'x'", "0", "1", "2", "today()", "true()", "'2024-02-29'", "'x y'"]
TOP = ["/data/texto", "/data/entero", "/data/fecha", "/data/varios", "/data/uno", "/data/grupo/dentro"]
ROW = ["/data/fila/nombre", "/data/fila/cuanto", "position(..)", "sum(/data/fila/cuanto)"]
CELL = ["/data/fila/celda/valor", "position(../..)", "../../cuanto", "count(../../celda)"]
OUTSIDE = [
    "count(/data/fila)",
    "sum(/data/fila/cuanto[. != ''])",
    "join(' ', /data/fila/nombre)",
    "/data/fila[1]/nombre",
    "/data/fila[last()]/cuanto",
    "indexed-repeat(/data/fila/celda/valor, /data/fila, 1, /data/fila/celda, 1)",
    "count(/data/fila/celda[valor > 1])",
    "max(/data/fila/celda/valor)",
]
SHAPES = [
    "{0} = {1}",
    "{0} != {1}",
    "{0} > {1}",
    "{0} + {1}",
    "not({0})",
    "{0} and {1}",
    "{0} or {1}",
    "if({0}, {1}, {2})",
    "coalesce({0}, {1})",
    "concat({0}, '-', {1})",
    "selected({0}, {1})",
    "count-selected({0})",
    "round({0}, 1)",
    "string-length({0})",
    "once({0})",
    "format-date(string({0}), '%d/%n')",
    "/data/fila/nombre = {0}",
    "count(/data/fila[nombre = {0}])",
    "count(instance('lista')/root/item[de = {0}])",
]


@st.composite
def expressions(draw: st.DrawFn, names: list[str], depth: int = 2) -> str:
    """Write an expression over some questions."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from([*names, *names, *VALUES]))
    parts = [draw(expressions(names, depth - 1)) for _ in range(3)]
    return "(" + draw(st.sampled_from(SHAPES)).format(*parts) + ")"


def names_for(path: str) -> list[str]:
    """List what an expression at a node may read: never the node itself or what is in it."""
    inner = OUTSIDE if "/data/fila" not in path else CELL if "/celda/" in path else ROW if path != "/data/fila" else []
    return [name for name in [*TOP, *inner] if not name.startswith(path)]


@st.composite
def forms(draw: st.DrawFn) -> str:
    """Write a form with conditions and calculates."""
    binds = []
    for path, type in TYPES.items():
        logic = f" type={quoteattr(type)}" if type else ""
        for name in ("relevant", "constraint", "required", "readonly"):
            if draw(st.integers(0, 3 if name == "relevant" else 6)) == 0:
                logic += f" {name}={quoteattr(draw(expressions(names_for(path))))}"
        binds.append(f"<bind nodeset={quoteattr(path)}{logic}/>")
    for path in CALCULATES:
        text = draw(expressions(names_for(path)))
        kind = draw(st.sampled_from(["string", "int", "date"]))
        binds.append(f'<bind nodeset="{path}" calculate={quoteattr(text)} type="{kind}"/>')
    counted = draw(st.sampled_from(["", "", ' jr:count="../cuanto"', ' jr:count="/data/entero + 1"']))
    filtered = draw(st.sampled_from(["true()", "de = /data/entero", "name = /data/texto", "position() &lt; 3"]))
    return FORM.replace("BINDS", "".join(binds)).replace("FILTER", filtered).replace("COUNT", counted)


TEXTS = st.sampled_from(["", "0", "1", "2", "3", "2.5", "x", "x y", "z", "2024-02-29", "no"])
ROWS = st.integers(1, 2)
QUESTIONS = st.one_of(
    st.sampled_from(TOP),
    st.builds("/data/fila[{}]/{}".format, ROWS, st.sampled_from(["nombre", "cuanto"])),
    st.builds("/data/fila[{}]/celda[1]/valor".format, ROWS),
)
MOVES = st.one_of(
    st.tuples(st.just("set"), st.tuples(QUESTIONS, TEXTS).map(list)),
    st.tuples(st.just("set"), st.tuples(st.sampled_from(TOP), TEXTS).map(list)),
    st.tuples(st.just("add_repeat"), st.just("/data/fila")),
    st.tuples(st.just("add_repeat"), st.builds("/data/fila[{}]/celda".format, ROWS)),
    st.tuples(st.just("remove_repeat"), st.builds("/data/fila[{}]".format, ROWS)),
)
LOOKS: list[dict[str, Any]] = [
    {"expect_submission_xml": ""},
    {"expect_valid": ["/", True]},
    {"expect_choices": ["/data/uno", []]},
    *({"expect_relevant": [path, True]} for path in TOP),
    *({"expect_required": [path, True]} for path in TOP),
    *({"expect_readonly": [path, True]} for path in TOP),
    {"expect_count": ["/data/fila", 0]},
]


def scenario(number: int, xform: str, moves: list[tuple[str, Any]]) -> dict[str, Any]:
    """Write down the moves with a look at everything after each."""
    steps = [*LOOKS, *(step for key, given in moves for step in ({key: given}, *LOOKS))]
    return {"id": str(number), "xform": xform, "tz": "America/Panama", "now": "2024-03-01T02:00:00Z", "steps": steps}


def first_difference(scenario: dict[str, Any], one: list[Any], two: list[Any]) -> tuple[Any, ...] | None:
    """Return the first step at which the two saw different things; what cannot be done, each says in its own words."""
    assert len(one) == len(two)
    for number, (a, b) in enumerate(zip(one, two, strict=True)):
        if a != b and not ("error" in a and "error" in b):
            return number, scenario["steps"][number], a, b, scenario["xform"]
    return None


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(forms(), st.lists(MOVES, max_size=8)), min_size=1, max_size=10))
def test_page_and_node_hold_the_same_record_of_any_form(cases: list[tuple[str, list[tuple[str, Any]]]]) -> None:
    taken = []
    for number, (xform, moves) in enumerate(cases):
        try:
            taken.append((read_xform(xform), scenario(number, xform, moves)))
        except FormErrors:
            continue
    event(f"{len(taken)} of {len(cases)} forms taken")
    assume(taken)
    seen = play_js([js_task(form, each) for form, each in taken])
    for form, each in taken:
        assert first_difference(each, play_python(form, each), seen[each["id"]]) is None


KEYS = st.one_of(
    st.sampled_from([path.rpartition("/")[2] for path in [*TYPES, *CALCULATES]]),
    st.sampled_from(["grupo/dentro", "fila", "celda", "", "\ud800"]),
)
LEAVES = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("\ud83d"), st.just("\0")
)
JSON = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner)), max_leaves=20
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(forms(), st.lists(JSON, min_size=1, max_size=12))
def test_no_json_makes_the_check_of_any_form_fail(xform: str, records: list[Any]) -> None:
    try:
        form = read_xform(xform)
    except FormErrors:
        assume(False)
    for answers in records:
        checked = check(form, answers, (1_709_258_400_000, -300))
        assert set(checked.answers) <= {question.key for question in form.questions} | {"fila"}
        json.dumps(checked.answers).encode()
