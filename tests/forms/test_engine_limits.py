"""Whatever an author or a stranger writes, the engine answers or refuses it in bounded time and says so."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from collector.forms.check import check
from collector.forms.expressions import Env, ExpressionError, build, compile_text, may_run_long, regex_problems, to_text
from collector.forms.expressions.matching import searcher
from collector.forms.expressions.patterns import MAX_VALUE_LENGTH, canonical_pattern
from collector.forms.state import MAX_ROWS
from tests.conformance import run_js, without_parents
from tests.forms.expression_form import NOW, SHAPE, household, slot
from tests.forms.household import household as household_form

T = TypeVar("T")
CALLERS = 300  # calls already open when the engine is asked, many more than a server has


def under(callers: int, do: Callable[[], T]) -> T:
    """Do something with many calls open already."""
    return do() if callers == 0 else under(callers - 1, do)


def nested(times: int, shape: str, inner: str = "1") -> str:
    """Put a text into a shape, again and again."""
    for _ in range(times):
        inner = shape.format(inner)
    return inner


def took(do: Callable[[], object]) -> float:
    """Return the processor seconds that something takes."""
    began = time.process_time()
    do()
    return time.process_time() - began


# --- expressions

SHAPES = ["({})", "if({}, 1, 2)", "not({})", "-({})", "({} = 1)", "concat({})", "coalesce('', {})", "(1 - {})"]


@pytest.mark.parametrize("shape", [*SHAPES, "/data/member[{}]/years", "sum(/data/member[years = {}]/years)"])
def test_five_hundred_levels_are_refused_and_not_a_crash(shape: str) -> None:
    with pytest.raises(ExpressionError, match="nested too deeply") as refused:
        compile_text(nested(500, shape), SHAPE, "/data/total")
    assert "demasiados niveles" in refused.value.es
    assert "calculate" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *(nested(38, shape) for shape in SHAPES),
        nested(78, "not({})"),
        nested(5, "sum(/data/member[years = {}]/years)"),
        "1" + "-1" * 4999,
        "1" + "+1" * 4999,
        "1" + " div 1" * 1600,
        "1" + " * 1 - 1" * 49,
        "-" * 4999 + "1",
        " or ".join(["/data/age = 1"] * 700),
        "/data/member" + "[1]" * 3000 + "/years",
        "/".join(["."] * 5000),
        "'" + "x" * 9_990 + "'",
        "concat(" + ", ".join(["/data/age"] * 900) + ")",
    ],
)
def test_what_is_taken_runs_on_both_engines_even_deep_in_other_calls(text: str) -> None:
    ir = under(CALLERS, lambda: compile_text(text, SHAPE, "/data/total"))
    evaluate = under(CALLERS, lambda: build(ir))
    value = to_text(under(CALLERS, lambda: evaluate(Env(household(), now=NOW))))
    task = {"id": 1, "ir": ir, "type": "string", "root": without_parents(household()), "place": []}
    (answer,) = run_js([json.dumps(task | {"now": NOW, "lang": "es", "lists": {}})])
    assert json.loads(answer) == {"id": 1, "value": value}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 9000,
        ")" * 9000,
        "[" * 9000,
        "'" * 9999,
        "." * 5000,
        "9" * 9000,
        "a" * 10_000,
        "a" + "\u0301" * 9000,
        "and " * 2500,
        "div " * 2501,
        "/data" + "/a" * 4900,
        "/".join([".."] * 3300),
        "1" + " = 1" * 2400,
        "concat(" + ", ".join(["1"] * 3000) + ")",
        "x" * 20_001,
        nested(6, "count(/data/member[{} > 1])", "/data/age"),
    ],
    ids=lambda text: f"{text[:12]}… {len(text)}",
)
def test_nonsense_of_any_length_is_refused_at_once(text: str) -> None:
    def refuse() -> None:
        with pytest.raises(ExpressionError) as refused:
            under(CALLERS, lambda: compile_text(text, SHAPE, "/data/total"))
        assert refused.value.es and refused.value.caret()

    assert took(refuse) < 1


NAMES = ["div", "mod", "and", "or", "div-and", "a.b", "a-b", "_x", "ñandú", "Nö\u0308bere", "नाम", "a\u0301-1", "名前"]


@pytest.mark.parametrize("name", NAMES)
def test_a_question_may_be_called_anything_xml_allows(name: str) -> None:
    shape = type(SHAPE)("/data", {f"/data/{name}": slot(f"/data/{name}", 1, "/data")})
    for text, value in [
        (f"/data/{name} + 1", "8"),
        (f"{name} * {name}", "49"),
        (f"{name} div {name}", "1"),
        (f"{name} mod {name}", "0"),
        (f"{name} and {name}", "true"),
        (f"-{name} - {name}", "-14"),
        (f"../{name}[. > 1]", "7"),
    ]:
        context = "/data" if not text.startswith(("/", "..")) else f"/data/{name}"
        assert to_text(build(compile_text(text, shape, context))(Env([None, "7"]))) == value, text


# --- patterns and long answers

ENDLESS = [
    "^(a+)+$",
    "(a*)*b",
    "^(a|a)*$",
    "^(a|aa)+$",
    r"^(\w+\s?)*$",
    "^(a?a?a?)*$",
    "(x+x+)+y",
    "(a?){30}a{30}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "((a{1,9}){1,9}){1,9}c",
    "(a{1,1000}){1,1000}b",
    r"^(.{1,500}\n)+$",
]
SLOW = [
    r"^.+@.+\..+$",
    "^a*a*a*a*a*b$",
    "^(.*)(.*)(.*)(.*)(.*)x$",
    "^([0-9]+,)*[0-9]+$",
    "^(?=.*[0-9])(?=.*[a-z]).{8,}$",
    "^[A-Za-z]+( [A-Za-z]+)*$",
    r"^(?:(?!.*x).)*$",
    "([A-Z][a-z]{1,20} ){1,4}",
]
NASTY = ["a" * 999 + "!", "x" * 1000, "@" * 1000, "aA1 " * 250, "1," * 499 + "x", "a" * 40 + "\n"]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_pattern_with_two_ways_round_a_loop_is_known(pattern: str) -> None:
    assert regex_problems(pattern) == []
    assert took(lambda: may_run_long(canonical_pattern(pattern))) < 1
    assert may_run_long(canonical_pattern(pattern))


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_with_one_way_round_each_loop_is_no_danger(pattern: str) -> None:
    assert not may_run_long(canonical_pattern(pattern))


@pytest.mark.parametrize("pattern", [*ENDLESS, *SLOW])
def test_no_pattern_keeps_a_node_busy_whatever_a_stranger_writes(pattern: str) -> None:
    find = searcher(canonical_pattern(pattern))
    for text in NASTY:
        assert took(lambda text=text: find(text)) < 5, text[:20]  # type: ignore[misc]


def test_a_pattern_nested_too_deeply_is_refused() -> None:
    assert "demasiados niveles" in regex_problems("(" * 500 + "a" + ")" * 500)[0]
    assert regex_problems("(" * 50 + "a" + ")" * 50) == []


@pytest.mark.parametrize("pattern", ["^*", r"\b+", "(?=a)*", "(?!a){2}x", "$?"])
def test_a_place_that_is_repeated_is_refused_since_browsers_do(pattern: str) -> None:
    assert regex_problems(pattern)


MEGABYTE = "á1 " * 340_000
ON_LONG_TEXTS = [
    "string-length(/data/consent)",
    "/data/consent = 'x'",
    "/data/consent > 3",
    "regex(/data/consent, '^a')",
    "selected(/data/consent, '1')",
    "count-selected(/data/consent)",
    "normalize-space(/data/consent)",
    "translate(/data/consent, 'á1', 'a')",
    "concat(/data/consent, /data/consent)",
    "substr(/data/consent, -3)",
    "substring-after(/data/consent, 'x')",
    "date(/data/consent)",
    "digest(/data/consent, 'SHA-256')",
    "area(/data/consent)",
    "base64-decode(/data/consent)",
    "round(/data/consent, 2)",
    "decimal-time(/data/consent)",
]


@pytest.mark.parametrize("text", ON_LONG_TEXTS)
def test_an_answer_of_a_megabyte_is_dealt_with_in_a_moment(text: str) -> None:
    root = household()
    root[2] = MEGABYTE
    evaluate = build(compile_text(text, SHAPE, "/data/total"))
    assert took(lambda: evaluate(Env(root, now=NOW))) < 3


def test_a_very_long_answer_never_matches_a_pattern() -> None:
    find = searcher("a")
    assert find("a" * MAX_VALUE_LENGTH)
    assert not find("a" * (MAX_VALUE_LENGTH + 1))


# --- many rows


def test_of_ten_thousand_rows_the_first_thousand_are_checked_and_the_number_is_told() -> None:
    rows = [{"nombre": f"N{number}", "edad": "31", "visitas": "0"} for number in range(10_000)]
    began = time.process_time()
    checked = check(household_form(), {"casa": "Sol", "persona": rows}, NOW)
    assert time.process_time() - began < 10
    assert len(checked.answers["persona"]) == MAX_ROWS
    assert ("persona", "rows", "10000") in {(flag.key, flag.what, flag.text) for flag in checked.flags}
    assert checked.answers["mayores"] == str(MAX_ROWS)


def test_rows_inside_rows_without_end_are_ignored() -> None:
    inner: dict[str, object] = {}
    for _ in range(400):
        inner = {"persona": [inner], "visita": [inner]}
    assert check(household_form(), inner, NOW).answers["persona"]


def test_an_expression_over_a_thousand_rows_is_quick_in_every_row() -> None:
    root = household()
    template = root[5][0]
    root[5] = [[root, f"N{number}", str(number), template[3]] for number in range(1000)]
    evaluate = build(compile_text("count(../../member[years < current()/../years])", SHAPE, "/data/member/name"))
    env = Env(root, now=NOW)

    def every_row() -> None:
        for row in root[5][:50]:
            env.row = row
            evaluate(env)

    assert took(every_row) < 3
