"""The operators: closures over the closures of their operands. The casts follow XPath 1.0, section 3.4 and 3.5."""

import math
import operator
from collections.abc import Callable, Sequence

from collector.forms.expressions.environment import Env, Evaluate, Focus, Row
from collector.forms.expressions.values import DAY_MINUTES, NAN, Moment, Value, reading, to_number, to_text, truth


def all_of(operands: Sequence[Evaluate]) -> Evaluate:
    """Evaluate until one is false."""
    if len(operands) == 2:
        return both(*operands)

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        for operand in operands:
            value = operand(env, row, focus)
            if value is False or not truth(value):
                return False
        return True

    return compute


def any_of(operands: Sequence[Evaluate]) -> Evaluate:
    """Evaluate until one is true."""
    if len(operands) == 2:
        return either(*operands)

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        for operand in operands:
            value = operand(env, row, focus)
            if value is True or truth(value):
                return True
        return False

    return compute


def both(left: Evaluate, right: Evaluate) -> Evaluate:
    """Evaluate the second only where the first is true."""

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        value = left(env, row, focus)
        if value is False or not (value is True or truth(value)):
            return False
        value = right(env, row, focus)
        return value if isinstance(value, bool) else truth(value)

    return compute


def either(left: Evaluate, right: Evaluate) -> Evaluate:
    """Evaluate the second only where the first is false."""

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        value = left(env, row, focus)
        if value is True or (value is not False and truth(value)):
            return True
        value = right(env, row, focus)
        return value if isinstance(value, bool) else truth(value)

    return compute


def branch(condition: Evaluate, yes: Evaluate, no: Evaluate) -> Evaluate:
    """if(condition, a, b): only the branch that counts is evaluated."""

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        held = condition(env, row, focus)
        return (yes if held is True or (held is not False and truth(held)) else no)(env, row, focus)

    return compute


def equality(left: Evaluate, right: Evaluate, *, negated: bool) -> Evaluate:
    """Compare for = or !=; texts as texts, else as booleans or numbers. Of a node-set any node will do."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        a, b = left(env, row, focus), right(env, row, focus)
        if isinstance(a, str) and isinstance(b, str):
            return (a == b) is not negated
        if not (isinstance(a, list) or isinstance(b, list)):
            return equal(a, b, env.now[1]) is not negated
        return among(a, b, lambda x, y: equal(x, y, env.now[1]) is not negated)

    return compare


def among(a: Value, b: Value, holds: Callable[[Value, Value], bool]) -> bool:
    """Tell whether `holds` for the two values, or for any nodes of theirs."""
    if isinstance(a, list) and not isinstance(b, bool):
        return any(among(to_text([node]), b, holds) for node in a)
    if isinstance(b, list) and not isinstance(a, bool):
        return any(among(a, to_text([node]), holds) for node in b)
    return holds(a, b)


def equal(a: Value, b: Value, offset: int) -> bool:
    """Tell whether two single values are equal (XPath 1.0, section 3.4)."""
    if isinstance(a, bool) or isinstance(b, bool):
        return truth(a) is truth(b)
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    x, y = pair(a, b, offset)
    # 6.1 - 7.8 = -1.7, as people and JavaRosa count.
    return x == y or abs(x - y) < 1e-12


def pair(a: Value, b: Value, offset: int) -> tuple[float, float]:
    """Read two values as numbers; a date meets a date-time on the date-time's wall clock."""
    x = a if isinstance(a, float) else reading(a, offset)
    y = b if isinstance(b, float) else reading(b, offset)
    if isinstance(x, float) and isinstance(y, float):
        return x, y
    if isinstance(x, Moment) and isinstance(y, Moment) and (x.offset is None) != (y.offset is None):
        return x.days + (x.offset or 0) / DAY_MINUTES, y.days + (y.offset or 0) / DAY_MINUTES
    return x.days if isinstance(x, Moment) else x, y.days if isinstance(y, Moment) else y


def comparison(order: Callable[[float, float], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    """Compare by size, always as numbers."""

    def compare(env: Env, row: Row, focus: Focus | None) -> Value:
        a, b = left(env, row, focus), right(env, row, focus)
        if isinstance(a, float) and isinstance(b, float):
            return order(a, b)
        if isinstance(a, list) or isinstance(b, list):
            return among(a, b, lambda x, y: order(*pair(x, y, env.now[1])))
        return order(*pair(a, b, env.now[1]))

    return compare


def arithmetic(combine: Callable[[float, float], float], operands: Sequence[Evaluate]) -> Evaluate:
    """Combine numbers from left to right."""
    head, *rest = operands
    if len(rest) == 1:
        return calculation(combine, head, rest[0])

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        offset = env.now[1]
        total = to_number(head(env, row, focus), offset)
        for operand in rest:
            total = combine(total, to_number(operand(env, row, focus), offset))
        return total

    return compute


def calculation(combine: Callable[[float, float], float], left: Evaluate, right: Evaluate) -> Evaluate:
    """Combine two numbers."""

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        a, b = left(env, row, focus), right(env, row, focus)
        if isinstance(a, float) and isinstance(b, float):
            return combine(a, b)
        return combine(to_number(a, env.now[1]), to_number(b, env.now[1]))

    return compute


def divide(a: float, b: float) -> float:
    """Divide as IEEE 754 does."""
    if b != 0:
        return a / b
    return NAN if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)


def remainder(a: float, b: float) -> float:
    """Return the remainder with the sign of `a`."""
    return math.fmod(a, b) if b != 0 and not math.isinf(a) else NAN


ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": divide,
    "mod": remainder,
}
