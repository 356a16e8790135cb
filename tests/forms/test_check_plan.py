"""Forms without repeats are checked by their plan: the same comes out as from filling them in, only sooner."""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.surveys import NOW, thirty_answers, thirty_xform
from collector.forms.check import check, check_by_filling
from collector.forms.fitting import MAX_TEXT
from collector.forms.model import Form
from collector.forms.plan import plan_of
from collector.forms.xform import read_xform
from tests.forms.household import household

# path below the root -> bind type; c1 to c3 are calculated, g and g/h are groups
NODES = {
    "a": "string",
    "n": "int",
    "d": "date",
    "s": "string",
    "t": "string",
    "u": "string",
    "g/x": "string",
    "g/m": "decimal",
    "g/h/z": "int",
    "g/h/y": "string",
    "c1": "string",
    "g/c2": "int",
    "c3": "string",
}
CALCULATED = ("c1", "g/c2", "c3")
LISTS = {"s": ("si", "no"), "t": ("si", "no", "ns"), "u": ("uno", "dos", "si"), "g/h/y": ("1", "2")}
CONTROLS = {"s": "select1", "t": "select", "u": "select1", "g/h/y": "select1"}
CONDITIONS = (
    "{0} = 'si'",
    "{0} != ''",
    "{0} = 2",
    "{0} > 1 and {1} != 'no'",
    "{0} >= 0 and {0} <= 2",
    "{0} <= today()",
    "selected({0}, 'si') or {1} = 'uno'",
    "not(selected({0}, 'no'))",
    "count-selected({0}) = 1",
    "string-length({0}) < 3",
    "{0} < {1}",
    "regex({0}, '^[a-z]+$')",
    "{0}",
    "jr:choice-name({0}, '/data/u') = 'SI'",
)
VALUES = (
    "{0} + {1}",
    "concat({0}, '-', {1})",
    "if({0} = 'si', {1}, 2)",
    "coalesce({0}, {1})",
    "once({0})",
    "{0}",
    "round({0} div 3, 1)",
    "count-selected({0})",
    "jr:choice-name({0}, '/data/t')",
    "jr:itext('/data/a:label')",
    "string(today())",
    "number({0}) * 2",
)


def others(path: str) -> st.SearchStrategy[str]:
    """Draw a node that this one may read: any but itself and what stands in it."""
    return st.sampled_from([f"/data/{each}" for each in NODES if not f"{each}/".startswith(f"{path}/")])


def read_from(templates: tuple[str, ...], paths: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw an expression that reads two nodes."""
    return st.builds(lambda template, one, two: template.format(one, two), st.sampled_from(templates), paths, paths)


def logic(path: str) -> st.SearchStrategy[dict[str, str]]:
    """Draw the logic of a question."""
    found = {
        "relevant": read_from(CONDITIONS, others(path)),
        "constraint": st.one_of(read_from(CONDITIONS, others(path)), read_from(CONDITIONS, st.just("."))),
        "required": st.one_of(st.just("true()"), read_from(CONDITIONS, others(path))),
    }
    return st.fixed_dictionaries({}, optional=found)


ANSWERED = st.sampled_from([f"/data/{path}" for path in NODES if path not in CALCULATED])
BINDS = st.fixed_dictionaries({path: logic(path) for path in NODES})
GROUPS = st.fixed_dictionaries({}, optional={path: read_from(CONDITIONS, others(path)) for path in ("g", "g/h")})
# the last one reads the others
CALCULATES = st.tuples(
    *[read_from(VALUES, ANSWERED)] * 2, read_from(VALUES, st.sampled_from(["/data/c1", "/data/g/c2"]))
)
FILTERS = st.fixed_dictionaries({}, optional={path: st.sampled_from([".", "/data/s", "/data/c1"]) for path in LISTS})


def xform(
    binds: Mapping[str, Mapping[str, str]], groups: Mapping[str, str], calculates: tuple[str, ...], filters: Any
) -> str:
    """Write a form with this logic; a filter compares the end of a choice's name with an answer."""
    lines = [f'<bind nodeset="/data/{path}" relevant={quoteattr(said)}/>' for path, said in groups.items()]
    for path, type_ in NODES.items():
        found = dict(binds[path])
        if path in CALCULATED:
            found = {"calculate": calculates[CALCULATED.index(path)]} | {
                key: said for key, said in found.items() if key == "relevant"
            }
        written = " ".join(f"{key}={quoteattr(said)}" for key, said in found.items())
        lines.append(f'<bind nodeset="/data/{path}" type="{type_}" {written}/>')
    body, inner, innermost = (
        "".join(control(path, filters) for path in paths)
        for paths in (("a", "n", "d", "s", "t", "u"), ("g/x", "g/m"), ("g/h/z", "g/h/y"))
    )
    return (
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
        'xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>t</h:title><model><instance>'
        '<data id="t" version="1"><a/><n/><d/><s/><t/><u/><g><x/><m/><h><z/><y/></h><c2/></g><c1/><c3/></data>'
        f"</instance>{''.join(instance(path) for path in LISTS)}{''.join(lines)}</model></h:head><h:body>{body}"
        f'<group ref="/data/g"><label>g</label>{inner}'
        f'<group ref="/data/g/h"><label>h</label>{innermost}</group></group>'
        "</h:body></h:html>"
    )


def instance(path: str) -> str:
    """Write a list of choices."""
    items = "".join(
        f"<item><name>{name}</name><label>{name.upper()}</label><of>{of}</of></item>"
        for name, of in zip(LISTS[path], ("si", "no", "1"), strict=False)
    )
    return f'<instance id="{path.replace("/", "-")}"><root>{items}</root></instance>'


def control(path: str, filters: Mapping[str, str]) -> str:
    """Write what asks for a node; the label of `a` shows an answer."""
    shown = '<output value="/data/n"/>' if path == "a" else ""
    label = f"<label>{path} {shown}</label>"
    if path not in LISTS:
        return f'<input ref="/data/{path}">{label}</input>'
    where = f"[of = {filters[path]}]" if filters.get(path, ".") != "." else ""
    nodes = f"instance('{path.replace('/', '-')}')/root/item{where}"
    items = f'<itemset nodeset="{nodes}"><value ref="name"/><label ref="label"/></itemset>'
    return f'<{CONTROLS[path]} ref="/data/{path}">{label}{items}</{CONTROLS[path]}>'


TEXTS = st.one_of(
    st.sampled_from(["", " ", "si", "no", "ns", "uno", "si no", "si  no", " si ", "á\n", "x\0", "NaN", "9" * 20]),
    st.sampled_from(["1", "2", "-1", "2.5", "2,5", "1e3", "2025-11-30", "2025-13-01"]),
)
ANSWERS = st.dictionaries(
    st.sampled_from([*NODES, "otro"]), st.one_of(TEXTS, TEXTS, TEXTS, st.none(), st.just(7), st.just([])), max_size=14
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(BINDS, GROUPS, CALCULATES, FILTERS, st.lists(ANSWERS, min_size=4, max_size=4))
def test_the_plan_gives_what_filling_in_gives(binds, groups, calculates, filters, many):  # type: ignore[no-untyped-def]
    form = read_xform(xform(binds, groups, calculates, filters))
    assert plan_of(form) is not None
    for answers in many:
        assert check(form, answers, NOW) == check_by_filling(form, answers, NOW)


EMPTY: dict[str, dict[str, str]] = {path: {} for path in NODES}


def test_conditions_that_read_each_other_come_to_the_same_rest() -> None:
    circle = {"a": "/data/n != ''", "n": "/data/s = 'si'", "s": "/data/t != ''", "t": "/data/a = ''"}
    binds = EMPTY | {path: {"relevant": condition} for path, condition in circle.items()}
    form = read_xform(xform(binds, {}, ("1", "2", "3"), {}))
    for answers in (
        {"a": "x", "n": "1", "s": "si", "t": "no"},
        {"a": "x", "n": "1", "s": "no", "t": "no"},
        {"t": "ns"},
    ):
        assert check(form, answers, NOW) == check_by_filling(form, answers, NOW)


def test_what_never_comes_to_rest_ends_after_the_same_passes() -> None:
    binds = EMPTY | {"a": {"relevant": "/data/n = ''"}, "n": {"relevant": "/data/a != ''"}}
    form = read_xform(xform(binds, {}, ("1", "2", "3"), {}))
    answers = {"a": "x", "n": "1", "c1": "1", "g/c2": "2", "c3": "3"}
    found = check(form, answers, NOW)
    assert found == check_by_filling(form, answers, NOW)
    assert (found.flags, found.answers["a"]) == ((), "x")  # off and on again: the number of passes is even


def test_what_comes_back_late_is_computed_and_filtered_then() -> None:
    """`a` goes, so c1 empties, so c3 and `u` come back: by then what they read is gone."""
    binds = EMPTY | {
        "a": {"relevant": "/data/n = 5"},
        "c3": {"relevant": "/data/c1 = ''"},
        "u": {"relevant": "/data/c1 = ''"},
    }
    calculates = ("concat(/data/a, '')", "2", "concat(/data/a, '')")
    form = read_xform(xform(binds, {}, calculates, {"u": "/data/a"}))
    answers = {"a": "si", "n": "4", "u": "uno", "c1": "si", "g/c2": "2", "c3": "si"}
    found = check(form, answers, NOW)
    assert found == check_by_filling(form, answers, NOW)
    assert found.answers == {"n": "4", "g/c2": "2"}
    assert {(flag.key, flag.what) for flag in found.flags} == {
        ("a", "not_relevant"),
        ("u", "choice"),
        ("c1", "recomputed"),
        ("c3", "recomputed"),
    }


def test_a_text_of_more_than_20_000_characters_is_noted() -> None:
    form = read_xform(xform(EMPTY, {}, ("1", "2", "3"), {}))
    flags = check(form, {"a": "á" * MAX_TEXT, "g/x": "á" * (MAX_TEXT + 1)}, NOW).flags
    assert ("g/x", "type") in {(flag.key, flag.what) for flag in flags}
    assert "a" not in {flag.key for flag in flags}


def test_a_form_with_repeats_has_no_plan() -> None:
    assert plan_of(household()) is None


@pytest.fixture(scope="module")
def thirty() -> Form:
    """Return the survey of 30 questions that is measured."""
    return read_xform(thirty_xform())


def test_the_survey_that_is_measured_is_checked_without_a_flag(thirty: Form) -> None:
    for seed in range(40):
        answers = thirty_answers(thirty, seed)
        assert check(thirty, answers, NOW) == check_by_filling(thirty, answers, NOW)
        assert check(thirty, answers, NOW).flags == ()
