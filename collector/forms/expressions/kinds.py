"""What an IR is, seen from outside: one value or many, a truth, a stored text, a constant, a look-up."""

from collector.forms.expressions.analyse import every
from collector.forms.expressions.build import build
from collector.forms.expressions.catalogue import FUNCTIONS
from collector.forms.expressions.environment import Env
from collector.forms.expressions.scope import Ir
from collector.forms.expressions.values import truth

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
BOOLEAN_OPERATORS = ("or", "and", *COMPARISONS)
CONSTANT_FUNCTIONS = ("true", "false", "not", "boolean", "number", "string", "if")


def crosses_repeat(ir: Ir) -> bool:
    """Tell whether an IR goes through rows of a repeat without a predicate or index that could choose one."""
    if ir[0] == "c":
        return crosses_repeat(ir[1])
    if ir[0] != "r":
        return False
    descents = [at for at, op in enumerate(ir[2]) if op[0] > 0 and len(op) == 2]
    return any(not any(op[1] for op in ir[2][at:]) for at in descents)


def gives_answers(ir: Ir) -> bool:
    """Tell whether a node-set in rows is one of answers, not of whole rows or groups."""
    return gives_answers(ir[1]) if ir[0] == "c" else isinstance(ir[3], int)


def by_value(ir: Ir) -> Ir:
    """Wrap a bare reference so that it counts by the value it holds."""
    return ["t", ir] if is_reference(ir) else ir


def is_reference(ir: Ir) -> bool:
    """Tell whether an IR reads one stored text."""
    return ir[0] in ("v", "k") or (ir[0] == "c" and is_reference(ir[1]))


def is_boolean(ir: Ir) -> bool:
    """Tell whether an IR always gives true or false."""
    if ir[0] == "f":
        return FUNCTIONS[ir[1]].result == "boolean"
    return ir[0] == "t" or (ir[0] == "b" and ir[1] in BOOLEAN_OPERATORS)


def is_nodeset(ir: Ir) -> bool:
    """Tell whether an IR gives a node-set."""
    return ir[0] in ("r", "i") or (ir[0] == "c" and is_nodeset(ir[1])) or ir[:2] == ["f", "randomize"]


def constant_truth(ir: Ir) -> bool | None:
    """Return the truth of an IR made of literals alone; None for any other."""
    is_constant = all(
        part[0] in ("n", "s", "b", "neg", "t") or (part[0] == "f" and part[1] in CONSTANT_FUNCTIONS)
        for part in every(ir)
    )
    return truth(build(ir)(Env([None]))) if is_constant else None


def indexed(ir: Ir) -> Ir:
    """Turn [column = key], the usual choice filter, into a look-up, unless the key too looks at the item."""
    if ir[:2] != ["b", "="]:
        return ir
    for column, key in ((ir[2], ir[3]), (ir[3], ir[2])):
        if column[0] == "k" and not looks_at_item(key):
            return ["x", column[1], key]
    return ir


def looks_at_item(ir: Ir) -> bool:
    """Tell whether an IR reads the item or its place, so that it differs from item to item."""
    if ir[0] == "k" or ir[:2] in (["f", "position"], ["f", "last"]):
        return True
    if ir[0] == "r":
        return any(looks_at_item(index) for operation in ir[2] for index in operation[2:])
    return ir[0] in ("b", "neg", "t", "f") and any(looks_at_item(part) for part in ir[1:] if isinstance(part, list))
