"""What must hold for every expression, pattern and form: reading back, the same answer in both languages."""

import json
import re
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from collector.forms.expressions import Env, ExpressionError, build, compile_text, parse, regex_problems
from collector.forms.expressions.automaton import automaton
from collector.forms.expressions.catalogue import FUNCTIONS
from collector.forms.expressions.pattern_tree import pattern_tree
from collector.forms.expressions.patterns import canonical_pattern, python_pattern
from collector.forms.expressions.syntax import Ast, Call, Negation, Number, Operation, Path, Step, Text
from collector.forms.expressions.tokens import BINDING
from collector.forms.expressions.values import number_text
from tests.conformance import cast, place_of, run_js, without_parents
from tests.forms.expression_form import DISTRICTS, NOW, SHAPE, household
from tests.forms.test_expressions_agree import APART, FORMATS, NODESETS, PATHS, PATTERNS, TEXTS, quoted

CHECKS = list(HealthCheck)

# --- printing

NAMES = st.from_regex(r"[^\W\d](?:[\w.\-]|[\u0300-\u0303])*", fullmatch=True).filter(
    lambda name: name not in ("current", "instance", "child", "self", "parent")
)
LITERALS = st.one_of(
    st.builds(Number, st.floats(0, 1e300, allow_nan=False), st.just(0)),
    st.builds(Text, st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"])), st.just(0)),
)


def trees(inner: st.SearchStrategy[Ast]) -> st.SearchStrategy[Ast]:
    """Make a tree around others."""
    step = st.builds(
        Step, st.one_of(NAMES, st.sampled_from([".", ".."])), st.lists(inner, max_size=2).map(tuple), st.just(0)
    )
    steps = st.lists(step, min_size=1, max_size=3).map(tuple)
    operator = st.sampled_from(sorted(BINDING))
    return st.one_of(
        st.builds(Path, st.sampled_from(["/", ".", "current"]), steps, st.just(0)),
        st.builds(Path, st.just("instance"), steps, st.just(0), st.sampled_from(["a", "a b"])),
        st.builds(Call, NAMES, st.lists(inner, max_size=3).map(tuple), st.just(0)),
        st.builds(Operation, operator, st.tuples(inner, inner), st.just(0)),
        st.builds(Negation, inner, st.just(0)),
    )


TREES = st.recursive(LITERALS, trees, max_leaves=12)


def printed(tree: Ast) -> str:
    """Write a tree as an expression, every operation in parentheses."""
    match tree:
        case Number(value):
            return number_text(value)
        case Text(value):
            return f"'{value}'"
        case Path():
            return printed_path(tree)
        case Call(name, arguments):
            return f"{name}({', '.join(map(printed, arguments))})"
        case Operation(operator, operands):
            return f"({f' {operator} '.join(map(printed, operands))})"
        case Negation(operand):
            return f"-({printed(operand)})"


def printed_path(path: Path) -> str:
    """Write a path."""
    steps = "/".join(step.name + "".join(f"[{printed(each)}]" for each in step.predicates) for step in path.steps)
    start = {"/": "/", ".": "", "current": "current()/", "instance": f"instance('{path.instance}')/"}
    return start[path.start] + steps


def without_positions(tree: Any) -> Any:
    """Return a tree as nested tuples that say what stands there, not where."""
    if isinstance(tree, tuple):
        return tuple(map(without_positions, tree))
    if not is_dataclass(tree):
        return tree
    parts = (without_positions(getattr(tree, each.name)) for each in fields(tree) if each.name != "position")
    return (type(tree).__name__, *parts)


@settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
@given(TREES)
def test_an_expression_that_is_read_printed_and_read_again_is_the_same(tree: Ast) -> None:
    first = parse(printed(tree))
    assert without_positions(parse(printed(first))) == without_positions(first)


@settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from("/.[](),'\"=<>!+-* |$@:1a").map(str)).map("".join)))
def test_whatever_is_written_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert error.en and error.es


# --- Python and JavaScript

TEXT = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_characters="'\"", exclude_categories=["Cs"])))
NUMBER = st.floats(0, 1e30, allow_nan=False).map(number_text)
LEAF = st.one_of(TEXT.map(quoted), NUMBER, st.sampled_from(PATHS), st.sampled_from(["today()", "now()", "true()"]))
NAMED = sorted(set(FUNCTIONS) - APART)
SHAPES = [
    "({0} {operator} {1})",
    "-{0}",
    "regex({0}, '{pattern}')",
    "digest({0}, '{algorithm}', 'hex')",
    "join('|', randomize({nodes}, {0}))",
    "count(/data/member[{0}])",
    "count-non-empty(randomize({nodes}, {0}))",
    "({nodes} = {0})",
    "({0} < {nodes})",
    "indexed-repeat(/data/member/visit/cost, /data/member, {0}, /data/member/visit, {1})",
    "instance('districts')/root/item[{0} = province][{1}]/label",
]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Write an expression: a leaf, a call or one of the shapes, with others inside."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(LEAF)
    if draw(st.booleans()):
        return draw(calls(depth))
    return draw(st.sampled_from(SHAPES)).format(
        draw(expressions(depth - 1)),
        draw(expressions(depth - 1)),
        operator=draw(st.sampled_from([*BINDING])),
        pattern=draw(st.sampled_from(PATTERNS)),
        algorithm=draw(st.sampled_from(["MD5", "SHA-1", "sha256", "SHA-384", "SHA-512"])),
        nodes=draw(st.sampled_from(NODESETS)),
    )


@st.composite
def calls(draw: st.DrawFn, depth: int) -> str:
    """Write a call of a function with arguments of its kinds."""
    name = draw(st.sampled_from(NAMED))
    signature = FUNCTIONS[name]
    count = draw(st.integers(signature.least, min(signature.most, signature.least + 2)))
    given = [
        draw(st.sampled_from(NODESETS)) if signature.kind(at) == "n" else draw(expressions(depth - 1))
        for at in range(count)
    ]
    if name.startswith("format-date"):
        given[1] = quoted(draw(st.sampled_from(FORMATS)))
    return f"{name}({', '.join(given)})"


@settings(max_examples=15, deadline=None, suppress_health_check=CHECKS)
@given(st.lists(expressions(), min_size=1, max_size=150), st.sampled_from(["es", "en"]))
def test_python_and_javascript_agree_on_whatever_is_asked(texts: list[str], lang: str) -> None:
    root = household()
    row = root[5][0]
    env = Env(row, now=NOW, lang=lang, instances={"districts": DISTRICTS})
    made = []
    for text in texts:
        try:
            made.append((text, compile_text(text, SHAPE, "/data/member/name")))
        except ExpressionError:
            continue
    assume(made)
    record = {"root": without_parents(root), "place": place_of(row, root)}
    common = record | {"now": NOW, "lang": lang, "lists": {"districts": DISTRICTS}}
    kinds = ["string", "number", "boolean", "stored date", "stored int"]
    tasks = [
        {"id": text, "ir": ir, "type": kind, **common} for (text, ir), kind in zip(made, kinds * 150, strict=False)
    ]
    answers = run_js([json.dumps(task) for task in tasks])
    mine = [
        {"id": text, "value": cast(build(ir)(env), kind, NOW[1])}
        for (text, ir), kind in zip(made, kinds * 150, strict=False)
    ]
    assert mine == [json.loads(answer, parse_int=float) for answer in answers]


# --- patterns

ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\s", r"\b", "^", "$", r"\.", "ñ", r"\B"])
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{2,}", "*?", "{0,1}"])


def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write a pattern around others."""
    kinds = st.sampled_from(["(", "(?:", "(?=", "(?!"])
    group = st.builds("{}{}){}".format, kinds, inner, COUNTS)
    return st.one_of(
        group,
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, ATOMS, COUNTS),
    )


PATTERN = st.recursive(ATOMS, grouped, max_leaves=8)
CASES = st.tuples(PATTERN, st.text("abcñ .\n", max_size=9))


@settings(max_examples=25, deadline=None, suppress_health_check=CHECKS)
@given(st.lists(CASES, min_size=1, max_size=120))
def test_re_the_automaton_and_the_page_find_the_same(cases: list[tuple[str, str]]) -> None:
    taken = [(canonical_pattern(pattern), text) for pattern, text in cases if not regex_problems(pattern)]
    assume(taken)
    page = {"root": [None], "place": [], "now": NOW, "lang": "es", "lists": {}, "type": "boolean"}
    tasks = [{"id": [p, text], "ir": ["f", "regex", ["s", text], ["s", p]], **page} for p, text in taken]
    answers = [json.loads(line) for line in run_js([json.dumps(task) for task in tasks])]
    found = [re.search(python_pattern(p), text, re.ASCII) is not None for p, text in taken]
    assert answers == [{"id": [p, text], "value": is_found} for (p, text), is_found in zip(taken, found, strict=True)]
    assert found == [automaton(pattern_tree(pattern)).found_in(text) for pattern, text in taken]
