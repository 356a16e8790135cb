"""What an IR reads and calls: for the order of calculation, what a node may recompute and what the page must load."""

from collections.abc import Iterator, Set
from typing import Any, Literal

from collector.forms.expressions.catalogue import RARE_NAMES
from collector.forms.expressions.scope import Ir
from collector.forms.expressions.shape import Shape

CLOCK_AND_CHANCE = ("today", "now", "random", "uuid")
CAST_TYPES = ("int", "date", "dateTime")  # bind types that keep something else than the text of a truth or number
# What an expression gives in the core of the page's engine; "mixed" is one of the others, known only when it runs.
CoreKind = Literal["text", "truth", "number", "texts", "mixed"]


def reads(ir: Ir, shape: Shape, context: str, *, outside: bool = False) -> frozenset[str]:
    """Return the absolute paths that `ir`, resolved for `context`, reads; the repeats it goes through too.

    A node read inside once() counts, the node itself included. `outside` as in resolve().
    """
    row = shape.row_of(context)
    home = shape.parent_row(row) if outside and shape.is_repeat(context) else row
    names = {(slot.row, slot.index): path for path, slot in shape.slots.items() if slot.kind != "group"}
    return frozenset(_paths(ir, shape, names, home, home))


def _paths(ir: Ir, shape: Shape, names: dict[tuple[str, int], str], row: str, home: str) -> Iterator[str]:
    """Yield the paths `ir` reads in the row `row`."""
    match ir[0]:
        case "v":
            yield names[_climbed(shape, row, ir[1]), ir[2]]
        case "p":
            yield _climbed(shape, row, ir[1])
        case "r":
            yield from _walked(ir, shape, names, row, home)
        case "c":
            yield from _paths(ir[1], shape, names, home, home)
        case "f" if ir[1] == "jr:choice-name":
            yield ir[3][1]
            yield from _paths(ir[2], shape, names, row, home)
        case _:
            for part in parts(ir):
                yield from _paths(part, shape, names, row, home)


def _walked(ir: Ir, shape: Shape, names: dict[tuple[str, int], str], row: str, home: str) -> Iterator[str]:
    """Yield the paths a node-set reads: its repeats, its predicates and its end."""
    _, up, operations, leaf = ir
    at = _climbed(shape, row, up)
    for operation in operations:
        if operation[0] == 0:
            at = shape.parent_row(at)
        elif operation[0] > 0:
            at = names[at, operation[0]]
            yield at
        for predicate in operation[1]:
            yield from _paths(predicate, shape, names, at, home)
        for index in operation[2:]:
            yield from _paths(index, shape, names, row, home)
    for slot in leaf if isinstance(leaf, list) else [leaf]:
        if slot is not None:
            yield names[at, slot]


def _climbed(shape: Shape, row: str, up: int) -> str:
    """Return the row path `up` rows above."""
    for _ in range(up):
        row = shape.parent_row(row)
    return row


def parts(ir: Ir) -> list[Ir]:
    """List the IRs directly inside one."""
    if ir[0] == "r":
        return [inner for operation in ir[2] for inner in [*operation[1], *operation[2:]]]
    if ir[0] == "i":
        return list(ir[2])
    if ir[0] == "x":
        return [ir[2]]
    return [part for part in ir[1:] if isinstance(part, list)]


def every(ir: Ir) -> Iterator[Ir]:
    """Yield an IR and all those inside it."""
    yield ir
    for part in parts(ir):
        yield from every(part)


def is_volatile(ir: Ir, external: Set[str] = frozenset()) -> bool:
    """Tell whether a node cannot recompute `ir` from the record alone.

    True for the clock, chance, pulldata() and the lists in `external` (ids of instances that come as attachments).
    False for once(…): the record holds what it gave.
    """
    if ir[0] == "i" and (ir[1] in external or ir[4:] == ["pulldata"]):
        return True
    if ir[0] == "f":
        if ir[1] == "once":
            return False
        if ir[1] in CLOCK_AND_CHANCE or (ir[1] == "randomize" and len(ir) < 4):
            return True
    return any(is_volatile(part, external) for part in parts(ir))


def functions_used(ir: Ir) -> frozenset[str]:
    """Return the names of the functions that `ir` calls."""
    return frozenset(part[1] for part in every(ir) if part[0] == "f")


def scripts_needed(ir: Ir, type: str = "string") -> tuple[str, ...]:
    """Return the scripts of static/js that the page must load besides engine.js to evaluate `ir`, in this order.

    () only where the core alone gives the same answer as Python. type: bind type of the question that keeps the value.
    """
    called = functions_used(ir)
    if "digest" in called or any(part[:2] == ["f", "randomize"] and _hashes_seed(part) for part in every(ir)):
        return ("functions.js", "functions-rare.js", "digest.js")
    if called & RARE_NAMES:
        return ("functions.js", "functions-rare.js")
    kind = core_kind(ir)
    is_cast = type in CAST_TYPES and kind not in ("text", "texts")
    if kind is None or is_cast:
        return ("functions.js",)
    return ("now.js",) if "now" in called else ()


def _hashes_seed(ir: Ir) -> bool:
    """Tell whether the seed of a randomize() could be a text, which counts by its hash."""
    return len(ir) > 3 and ir[3][0] not in ("n", "neg", "p")


def core_kind(ir: Ir) -> CoreKind | None:
    """Return what static/js/engine.js alone makes of `ir`; None where it does not know how, or would err.

    It holds no dates and does not calculate: numbers are only passed on, and only texts and truths compared.
    With now.js it knows the text of the moment.
    """
    match ir:
        case ["s", _] | ["v", 0, _]:
            return "text"
        case ["n", value]:
            # JavaScript writes others with an exponent
            return "number" if value == 0 or 1e-6 <= value < 1e15 else None
        case ["c", inner]:
            return core_kind(inner)
        case ["i", _, predicates, str(), *_]:
            return "texts" if all(p[0] == "x" and core_kind(p[2]) == "text" for p in predicates) else None
        case ["b", "=" | "!=", a, b]:
            return "truth" if _is_comparable(core_kind(a), core_kind(b)) else None
        case ["f", "true" | "false"]:
            return "truth"
        case ["f", "now"]:
            return "mixed"  # now.js gives its text: it can be kept, but only as a date could it be compared
        case ["t", *operands] | ["b", "and" | "or", *operands] | ["f", "not" | "selected", *operands]:
            return "truth" if all(core_kind(operand) for operand in operands) else None
        case ["f", "if", condition, a, b] if core_kind(condition):
            return _either(core_kind(a), core_kind(b))
        case ["f", "coalesce" | "once", a, b]:
            return _either(core_kind(a), core_kind(b))
    return None


def _is_comparable(a: CoreKind | None, b: CoreKind | None) -> bool:
    """Tell whether the core compares two such values as Python does: as truths if one is a truth, else two texts."""
    return a is not None and b is not None and ("truth" in (a, b) or a == b == "text")


def _either(a: CoreKind | None, b: CoreKind | None) -> CoreKind | None:
    """Return the kind of a value that is one or the other."""
    return None if a is None or b is None else a if a == b else "mixed"


def columns_used(ir: Ir) -> frozenset[str]:
    """Return the columns of secondary instances that `ir` reads, whatever the instance."""
    read = (part[3] if part[0] == "i" else part[1] for part in every(ir) if part[0] in ("i", "x", "k"))
    return frozenset(column for column in read if column is not None)


def labels_used(ir: Ir) -> frozenset[str]:
    """Return the absolute paths of the questions whose choices jr:choice-name() names."""
    return frozenset(part[3][1] for part in every(ir) if part[:2] == ["f", "jr:choice-name"])


def instances_used(ir: Ir) -> frozenset[str]:
    """Return the ids of the secondary instances that `ir` looks into."""
    return frozenset(part[1] for part in every(ir) if part[0] == "i")


def patterns_used(ir: Ir) -> list[Any]:
    """List the (canonical) patterns of regex() calls."""
    return [part[3][1] for part in every(ir) if part[:2] == ["f", "regex"]]
