"""The expressions that forms are full of, each as one closure: `${a} = 'si'`, `. >= 0`, `selected(${a}, 'x')`.

What they give is what the closures of build.py and operators.py give (a test compares them); they only ask less often.
"""

from collections.abc import Callable
from typing import Any

from collector.forms.expressions.environment import Env, Evaluate, Focus, Row
from collector.forms.expressions.functions import FUNCTIONS, normalize
from collector.forms.expressions.operators import ORDERS, equal, pair
from collector.forms.expressions.scope import Ir
from collector.forms.expressions.values import DAY_MS, Value, day_count, to_number

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def shortcut(ir: Ir) -> Evaluate | None:
    """Return a closure for an IR of a well-known shape, None for any other."""
    match ir:
        case ["f", "true" | "false" as name]:
            return constant(name == "true")
        case ["f", "selected", ["v", 0, int(slot)], ["s", str(name)]] if normalize(name):
            return slot_selects(slot, normalize(name))
        case ["f", "count-selected", ["v", 0, int(slot)]]:
            return slot_count(slot)
        case ["b", "and", ["b", ">=", ["v", 0, int(slot)], ["n", low]], ["b", "<=", ["v", 0, int(other)], ["n", high]]]:
            return slot_between(slot, float(low), float(high)) if slot == other else None
        case ["b", str(sign), ["v", 0, int(slot)], ["f", "today"]] if sign in ORDERS:
            return slot_today(ORDERS[sign], slot)
        case ["b", str(sign), ["v", 0, int(slot)], ["s" | "n", _] as literal] if sign in TURNED:
            return slot_against(sign, slot, literal)
        case ["b", str(sign), ["s" | "n", _] as literal, ["v", 0, int(slot)]] if sign in TURNED:
            return slot_against(TURNED[sign], slot, literal)
        case ["b", str(sign), ["v", 0, int(slot)], ["v", 0, int(other)]] if sign in ORDERS:
            return slots_order(ORDERS[sign], slot, other)
        case ["f", "number", ["v", 0, int(slot)]]:
            return slot_cast(slot, FUNCTIONS["number"])
    return None


def constant(value: Value) -> Evaluate:
    """Give always the same."""
    return lambda env, row, focus: value


def slot_against(sign: str, slot: int, literal: Ir) -> Evaluate | None:
    """Compare an answer with a literal."""
    if literal[0] == "n":
        number = float(literal[1])
        return slot_order(ORDERS[sign], slot, number) if sign in ORDERS else slot_number(slot, number, sign == "=")
    return None if sign in ORDERS else slot_text(slot, literal[1], sign == "=")


def slot_text(slot: int, text: str, wanted: bool) -> Evaluate:
    """Compare with a text for = (wanted) or !=. What is not relevant, None, reads as ""."""
    if not text:
        return lambda env, row, focus: (not row[slot]) is wanted
    return lambda env, row, focus: (row[slot] == text) is wanted


def slot_number(slot: int, number: float, wanted: bool) -> Evaluate:
    """Compare with a number for = or !=."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot] or ""
        return equal(text, number, env.now[1]) is wanted

    return compare


def slot_order(order: Callable[[float, float], bool], slot: int, number: float) -> Evaluate:
    """Compare with a number by size; an empty answer is neither more nor less."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot]
        if not text:
            return False
        if text.isdecimal() and text.isascii():
            return order(float(text), number)
        return order(*pair(text, number, env.now[1]))

    return compare


def slot_between(slot: int, low: float, high: float) -> Evaluate:
    """Compare with two numbers, both ends included."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot]
        if not text:
            return False
        if text.isdecimal() and text.isascii():
            return low <= float(text) <= high
        number, _ = pair(text, low, env.now[1])
        return low <= number <= high

    return compare


def slot_today(order: Callable[[float, float], bool], slot: int) -> Evaluate:
    """Compare with today(): two days, where a plain date is said."""
    general: Callable[..., Value] = FUNCTIONS["today"]

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot] or ""
        days = day_count(text) if len(text) == 10 and text[4] == text[7] == "-" else None
        if days is None:
            return order(*pair(text, general(env), env.now[1]))
        milliseconds, offset = env.now
        return order(days, float((milliseconds + offset * 60_000) // DAY_MS))

    return compare


def slots_order(order: Callable[[float, float], bool], slot: int, other: int) -> Evaluate:
    """Compare two answers by size."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        a: str = row[slot] or ""
        b: str = row[other] or ""
        if a.isdecimal() and b.isdecimal() and a.isascii() and b.isascii():
            return order(float(a), float(b))
        return order(*pair(a, b, env.now[1]))

    return compare


def slot_as_number(ir: Ir) -> Evaluate | None:
    """Read an answer as arithmetic reads it; None for an IR that is something else."""
    return slot_cast(ir[2], lambda env, text: to_number(text, env.now[1])) if ir[:2] == ["v", 0] else None


def slot_cast(slot: int, cast: Callable[[Env, str], Value]) -> Evaluate:
    """Read an answer as a number; `cast` does it where it is more than digits."""

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot] or ""
        return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else cast(env, text)

    return compute


def slot_selects(slot: int, name: str) -> Evaluate:
    """selected(): where all is printable, blanks part the names and nothing else does."""
    general: Callable[..., Value] = FUNCTIONS["selected"]

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot] or ""
        return name in text.split() if text.isprintable() else general(env, text, name)

    return compute


def slot_count(slot: int) -> Evaluate:
    """count-selected()."""
    general: Callable[..., Value] = FUNCTIONS["count-selected"]

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        text: str = row[slot] or ""
        return float(len(text.split())) if text.isprintable() else general(env, text)

    return compute


def plain_text(ir: Ir) -> Ir:
    """Turn a node-set that is one question of the own row into that question: as text, both are the same."""
    return ["v", 0, ir[3]] if ir[0] == "r" and ir[1:3] == [0, []] and isinstance(ir[3], int) else ir


def joined(arguments: list[Evaluate]) -> Evaluate:
    """concat(): most often of texts alone."""
    general: Callable[..., Value] = FUNCTIONS["concat"]

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        values: list[Any] = [argument(env, row, focus) for argument in arguments]
        try:
            return "".join(values)
        except TypeError:
            return general(env, *values)

    return compute
