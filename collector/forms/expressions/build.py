"""IR -> closures. One call of build() a form; then each evaluation is plain calls, about 3 µs for a typical condition.

Every closure takes the environment, the row it stands in and, inside a predicate, the focus (position, size, item).
"""

from collections.abc import Callable, Sequence
from typing import Any

from collector.forms.expressions.environment import Env, Evaluate, Focus, Row
from collector.forms.expressions.functions import FUNCTIONS
from collector.forms.expressions.matching import searcher
from collector.forms.expressions.operators import (
    ARITHMETIC,
    ORDERS,
    all_of,
    among,
    any_of,
    arithmetic,
    branch,
    comparison,
    equal,
    equality,
)
from collector.forms.expressions.rare import RARE_FUNCTIONS
from collector.forms.expressions.rows import accepts, climb, distinct, holds_any, index_by, row_text
from collector.forms.expressions.scope import Ir
from collector.forms.expressions.shortcuts import joined, plain_text, shortcut, slot_as_number
from collector.forms.expressions.values import (
    NAN,
    Item,
    Node,
    Value,
    stored_text,
    to_boolean,
    to_number,
    to_text,
)

Nodes = Callable[[Env, Row, Focus | None], list[Any]]
ALL_FUNCTIONS = FUNCTIONS | RARE_FUNCTIONS


def build(ir: Ir) -> Callable[[Env], Value]:
    """Return a function that evaluates `ir` for env.row."""
    evaluate = closure(ir)
    return lambda env: evaluate(env, env.row, None)


def build_nodes(ir: Ir) -> Callable[[Env], list[Any]]:
    """Return a function that lists the nodes of `ir`: rows (of a repeat), items (of a list) or texts."""
    listing = node_list(ir)
    return lambda env: listing(env, env.row, None)


def closure(ir: Ir) -> Evaluate:
    """Turn one IR into a closure."""
    return shortcut(ir) or BUILDERS[ir[0]](ir)


def number(ir: Ir) -> Evaluate:
    """["n", number]."""
    literal = float(ir[1])
    return lambda env, row, focus: literal


def text(ir: Ir) -> Evaluate:
    """["s", text]."""
    literal: str = ir[1]
    return lambda env, row, focus: literal


def slot_value(ir: Ir) -> Evaluate:
    """["v", up, slot]; a value that is not relevant (None) reads as ""."""
    _, up, slot = ir

    def here(env: Env, row: Row, focus: Focus | None) -> Value:
        return row[slot] or ""

    def above(env: Env, row: Row, focus: Focus | None) -> Value:
        return row[0][slot] or ""

    def far(env: Env, row: Row, focus: Focus | None) -> Value:
        return climb(row, up)[slot] or ""

    return here if up == 0 else above if up == 1 else far


def negation(ir: Ir) -> Evaluate:
    """["neg", a]."""
    operand = closure(ir[1])
    return lambda env, row, focus: -to_number(operand(env, row, focus), env.now[1])


def stored_truth(ir: Ir) -> Evaluate:
    """["t", a]."""
    operand = closure(ir[1])
    return lambda env, row, focus: to_boolean(operand(env, row, focus))


def current(ir: Ir) -> Evaluate:
    """["c", a]: back to the expression's own row."""
    inner = closure(ir[1])
    return lambda env, row, focus: inner(env, env.row, None)


def row_position(ir: Ir) -> Evaluate:
    """["p", up, slot]; rows are found by identity, since equal rows are no rarity."""
    _, up, slot = ir

    def position(env: Env, row: Row, focus: Focus | None) -> Value:
        wanted = climb(row, up)
        return next((float(place) for place, each in enumerate(wanted[0][slot], 1) if each is wanted), NAN)

    return position


def operation(ir: Ir) -> Evaluate:
    """["b", op, a, b, …]."""
    name = ir[1]
    if name in ARITHMETIC:
        return arithmetic(ARITHMETIC[name], [slot_as_number(operand) or closure(operand) for operand in ir[2:]])
    operands = [closure(operand) for operand in ir[2:]]
    if name in ("and", "or"):
        return all_of(operands) if name == "and" else any_of(operands)
    if name in ("=", "!="):
        return equality(*operands, negated=name == "!=")
    return comparison(ORDERS[name], *operands)


# -- functions


def function(ir: Ir) -> Evaluate:
    """["f", name, argument…]."""
    name = ir[1]
    if name in OWN_FUNCTIONS:
        return OWN_FUNCTIONS[name](ir)
    call = ALL_FUNCTIONS[name]
    arguments = [closure(argument) for argument in ir[2:]]
    if not arguments:
        return lambda env, row, focus: call(env)
    if len(arguments) == 1:
        only = arguments[0]
        return lambda env, row, focus: call(env, only(env, row, focus))
    if len(arguments) == 2:
        one, two = arguments
        return lambda env, row, focus: call(env, one(env, row, focus), two(env, row, focus))
    return lambda env, row, focus: call(env, *[argument(env, row, focus) for argument in arguments])


def coalesce(ir: Ir) -> Evaluate:
    """coalesce(a, b): the first unless nothing would be stored for it."""
    one, two = (closure(argument) for argument in ir[2:])

    def compute(env: Env, row: Row, focus: Focus | None) -> Value:
        value = one(env, row, focus)
        return value if stored_text(value) else two(env, row, focus)

    return compute


def once(ir: Ir) -> Evaluate:
    """once(a): what the node has, else a; NaN is nothing to keep."""
    return coalesce(["f", "coalesce", ["f", "coalesce", *ir[2:]], ["s", ""]])


def regex(ir: Ir) -> Evaluate:
    """regex(text, pattern): found anywhere in the text, in bounded time; a very long text never matches."""
    subject, found_in = closure(ir[2]), searcher(ir[3][1])
    return lambda env, row, focus: found_in(to_text(subject(env, row, focus)))


def count_non_empty(ir: Ir) -> Evaluate:
    """count-non-empty(nodes): texts that are not empty; rows and groups that hold any question at all."""
    listing, slots = node_list(ir[2]), group_slots(ir[2])
    return lambda env, row, focus: float(sum(holds_any(node, slots) for node in listing(env, row, focus)))


def choice_name(ir: Ir) -> Evaluate:
    """jr:choice-name(value, path): asked from whoever knows the choices."""
    value, path = closure(ir[2]), ir[3][1]
    return lambda env, row, focus: env.choice_label(path, to_text(value(env, row, focus)), row)


def place(ir: Ir) -> Evaluate:
    """position() inside a predicate; 1 outside."""
    return lambda env, row, focus: float(focus[0]) if focus else 1.0


def size(ir: Ir) -> Evaluate:
    """last() inside a predicate; 1 outside."""
    return lambda env, row, focus: float(focus[1]) if focus else 1.0


OWN_FUNCTIONS: dict[str, Callable[[Ir], Evaluate]] = {
    "concat": lambda ir: joined([closure(plain_text(argument)) for argument in ir[2:]]),
    "if": lambda ir: branch(*(closure(argument) for argument in ir[2:])),
    "coalesce": coalesce,
    "once": once,
    "regex": regex,
    "count-non-empty": count_non_empty,
    "jr:choice-name": choice_name,
    "position": place,
    "last": size,
}


# -- node-sets


def node_list(ir: Ir) -> Nodes:
    """Turn an IR that gives a node-set into a closure that lists rows, items or texts."""
    match ir[0]:
        case "r":
            return repeat_nodes(ir)
        case "i":
            return instance_nodes(ir)
        case "c":
            inner = node_list(ir[1])
            return lambda env, row, focus: inner(env, env.row, None)
        case _:
            return shuffled(ir)


def shuffled(ir: Ir) -> Nodes:
    """randomize(nodes, seed?)."""
    listing, seeds = node_list(ir[2]), [closure(argument) for argument in ir[3:]]
    shuffle: Callable[..., Any] = RARE_FUNCTIONS["randomize"]
    return lambda env, row, focus: list(
        shuffle(env, listing(env, row, focus), *[seed(env, row, focus) for seed in seeds])
    )


def nodeset(ir: Ir) -> Evaluate:
    """["r", …] or ["i", …] as a value: the texts of its nodes (items stay items)."""
    listing = node_list(ir)
    if ir[0] == "i":
        return lambda env, row, focus: listing(env, row, focus)
    slots = ir[3] if isinstance(ir[3], list) else None
    if isinstance(ir[3], int):
        return lambda env, row, focus: listing(env, row, focus)
    return lambda env, row, focus: [row_text(each, slots) for each in listing(env, row, focus)]


def group_slots(ir: Ir) -> list[int] | None:
    """Return the slots of a row that a node-set of groups means; None for other node-sets."""
    while ir[0] in ("c", "f"):
        ir = ir[1] if ir[0] == "c" else ir[2]
    return ir[3] if ir[0] == "r" and isinstance(ir[3], list) else None


def repeat_nodes(ir: Ir) -> Nodes:
    """["r", up, ops, leaf]."""
    _, up, operations, leaf = ir
    steps = [row_step(operation) for operation in operations]

    def walk(env: Env, row: Row, focus: Focus | None) -> list[Any]:
        rows = [climb(row, up)]
        for step in steps:
            rows = step(env, row, focus, rows)
        if not isinstance(leaf, int):
            return rows
        return [each[leaf] for each in rows if each[leaf] is not None]

    return walk


def row_step(operation: Ir) -> Callable[[Env, Row, Focus | None, list[Row]], list[Row]]:
    """Turn one op of a walk into a closure from rows to rows; `row` is where the walk began."""
    slot, filters = operation[0], [row_filter(predicate) for predicate in operation[1]]
    if len(operation) > 2:
        return indexed_step(slot, closure(operation[2]))

    def step(env: Env, row: Row, focus: Focus | None, rows: list[Row]) -> list[Row]:
        if slot == 0:
            return distinct([each[0] for each in rows])
        found: list[Row] = []
        for each in rows:
            candidates = [each] if slot < 0 else each[slot] or []
            for keep in filters:
                candidates = keep(env, candidates)
            found.extend(candidates)
        return found

    return step


def indexed_step(slot: int, index: Evaluate) -> Callable[[Env, Row, Focus | None, list[Row]], list[Row]]:
    """Take the row at an index (counted from 1) that is evaluated where the walk began."""

    def step(env: Env, row: Row, focus: Focus | None, rows: list[Row]) -> list[Row]:
        wanted = to_number(index(env, row, focus))
        found = [each[slot] or [] for each in rows]
        return [held[int(wanted) - 1] for held in found if 1 <= wanted < len(held) + 1]

    return step


def row_filter(predicate: Ir) -> Callable[[Env, list[Row]], list[Row]]:
    """Turn a predicate on rows into a closure."""
    holds = closure(predicate)

    def keep(env: Env, rows: list[Row]) -> list[Row]:
        size = len(rows)
        return [row for place, row in enumerate(rows, 1) if accepts(holds(env, row, (place, size, None)), place)]

    return keep


def instance_nodes(ir: Ir) -> Nodes:
    """["i", id, predicates, column]."""
    instance_id, predicates, column = ir[1], ir[2], ir[3]
    look_up = indexed_items(predicates[0]) if predicates else None
    filters = [item_filter(predicate) for predicate in predicates[1 if look_up else 0 :]]

    def walk(env: Env, row: Row, focus: Focus | None) -> list[Any]:
        items: Sequence[Item] = env.instances.get(instance_id, ())
        if look_up:
            items = look_up(env, row, focus, items)
        for keep in filters:
            items = keep(env, row, items)
        return list(items) if column is None else [item[column] for item in items if column in item]

    return walk


def item_filter(predicate: Ir) -> Callable[[Env, Row, Sequence[Item]], Sequence[Item]]:
    """Turn a predicate on items into a closure."""
    holds = closure(predicate)

    def keep(env: Env, row: Row, items: Sequence[Item]) -> Sequence[Item]:
        size = len(items)
        return [item for place, item in enumerate(items, 1) if accepts(holds(env, row, (place, size, item)), place)]

    return keep


def indexed_items(predicate: Ir) -> Callable[[Env, Row, Focus | None, Sequence[Item]], Sequence[Item]] | None:
    """Turn ["x", column, key], the usual choice filter, into a look-up; None for any other predicate.

    The index belongs to the list object last seen: 10,000 choices are read once a form, not once a question.
    """
    if predicate[0] != "x":
        return None
    column, key = predicate[1], closure(predicate[2])
    # One assignment of the pair: threads that share the form must never see one list with the index of another.
    kept: list[tuple[Sequence[Item] | None, dict[str, list[Item]]]] = [(None, {})]

    def look_up(env: Env, row: Row, focus: Focus | None, items: Sequence[Item]) -> Sequence[Item]:
        value = key(env, row, focus)
        if not isinstance(value, str):
            offset = env.now[1]
            return [item for item in items if among(item.get(column, ""), value, lambda a, b: equal(a, b, offset))]
        known, index = kept[0]
        if known is not items:
            index = index_by(items, column)
            kept[0] = items, index
        return index.get(value, ())

    return look_up


def item_column(ir: Ir) -> Evaluate:
    """["k", column]."""
    column = ir[1]
    return lambda env, row, focus: focus[2].get(column, "") if focus and focus[2] else ""


def any_function(ir: Ir) -> Evaluate:
    """Build a function; randomize() is a node-set."""
    return nodeset_function(ir) if ir[1] == "randomize" else function(ir)


def nodeset_function(ir: Ir) -> Evaluate:
    """randomize() as a value."""
    listing, slots = node_list(ir), group_slots(ir)

    def texts(env: Env, row: Row, focus: Focus | None) -> list[Node]:
        return [row_text(each, slots) if isinstance(each, list) else each for each in listing(env, row, focus)]

    return texts


BUILDERS: dict[str, Callable[[Ir], Evaluate]] = {
    "n": number,
    "s": text,
    "v": slot_value,
    "r": nodeset,
    "i": nodeset,
    "k": item_column,
    "c": current,
    "b": operation,
    "neg": negation,
    "t": stored_truth,
    "p": row_position,
    "f": any_function,
}
