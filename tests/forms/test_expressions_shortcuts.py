"""The closures for expressions that forms are full of give what the general ones give, whatever is answered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.forms.expressions import Env, Value, build
from collector.forms.expressions.shortcuts import shortcut, slot_as_number
from tests.forms.expression_form import NOW

A, B = ["v", 0, 1], ["v", 0, 2]
SIGNS = ("=", "!=", "<", "<=", ">", ">=")
ORDERS = SIGNS[2:]
NAMES = ("si", "x", "2")
SHORT = [
    *(["b", sign, A, ["n", number]] for sign in SIGNS for number in (0, 2, 18.5)),
    *(["b", sign, ["n", 2], A] for sign in SIGNS),
    *(["b", sign, A, ["s", text]] for sign in ("=", "!=") for text in ("", "si", "2")),
    *(["b", sign, ["s", "si"], A] for sign in ("=", "!=")),
    *(["b", sign, A, B] for sign in ORDERS),
    *(["b", sign, A, ["f", "today"]] for sign in ORDERS),
    ["b", "and", ["b", ">=", A, ["n", 0]], ["b", "<=", A, ["n", 18]]],
    *(["f", "selected", A, ["s", name]] for name in (*NAMES, " si ", "si no")),
    ["f", "count-selected", A],
    ["f", "number", A],
    ["f", "true"],
    ["f", "false"],
]
# closures of build.py and operators.py that take the same short ways inside
SHORTENED = [
    ["f", "concat", A, ["s", "-"], B],
    ["f", "concat", ["r", 0, [], 1], ["n", 1.5]],
    *(["b", sign, A, B] for sign in ("+", "-", "*", "div", "mod")),
    ["b", "+", A, ["f", "today"]],
    ["f", "if", A, ["s", "1"], ["s", "2"]],
]
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "0", "2", "-2", "18", "18.5", "18.50", ".5", "5.", ".", "1e3", "٣", "２", "1 000", " 2", "2\t"]
    ),
    st.sampled_from(["si", "no si", " si ", "si\tno", "si\u00a0no", "x\x1fsi", "false", "NaN", "Infinity", "-"]),
    st.sampled_from(
        ["2024-05-06", "2024-05-07", "2024-02-30", "2024-05-06T07:30:00.000-05:00", " 2024-05-06", "2024-W01-1"]
    ),
    st.sampled_from(["２０２４-05-06", "2024-05-0٦", "    -5", "2024-", "2024-5-6", "+2", "1_0"]),
    st.text(max_size=12),
)


def lengthened(ir: Any) -> Any:
    """Say the same in a shape that nothing is short for."""
    if ir[:2] in (["v", 0], ["r", 0]):
        return ["c", ir]
    if ir[:2] in (["b", "and"], ["b", "or"]):
        return [*ir[:2], *map(lengthened, ir[2:]), ["c", ["f", "true" if ir[1] == "and" else "false"]]]
    return [lengthened(each) if isinstance(each, list) and each and isinstance(each[0], str) else each for each in ir]


def values(ir: Any, one: str | None, other: str | None) -> list[Value]:
    """Return what both ways give; NaN as a text, so that it equals itself."""
    env = Env([None, one, other], now=NOW)
    return [str(found) if found != found else found for found in (build(ir)(env), build(lengthened(ir))(env))]


@pytest.mark.parametrize("ir", SHORT, ids=str)
def test_it_is_known_by_its_shape(ir: Any) -> None:
    assert shortcut(ir) is not None
    assert shortcut(lengthened(ir)) is None or ir in (["f", "true"], ["f", "false"])


@pytest.mark.parametrize("ir", [*SHORT, *SHORTENED], ids=str)
@given(one=TEXTS, other=TEXTS)
def test_the_short_way_gives_what_the_long_way_gives(ir: Any, one: str | None, other: str | None) -> None:
    short, long = values(ir, one, other)
    assert (short, type(short)) == (long, type(long))


@pytest.mark.parametrize("sign", ["and", "or"])
@given(one=TEXTS, other=TEXTS)
def test_two_operands_give_what_three_give(sign: str, one: str | None, other: str | None) -> None:
    for operands in ([A, B], [["t", A], ["f", "number", B]], [["b", "=", A, B], ["t", B]]):
        short, long = values(["b", sign, *operands], one, other)
        assert short is long


def test_only_an_answer_of_the_own_row_is_short() -> None:
    assert slot_as_number(["v", 1, 1]) is None
    assert shortcut(["b", "=", ["v", 1, 1], ["s", "si"]]) is None
