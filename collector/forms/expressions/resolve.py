"""Tree + shape -> IR: paths become row hops and slot numbers, and everything that cannot work is refused here.

The IR is arrays, the same for Python and the page:

    ["n", 5]  ["s", "text"]         literals
    ["v", up, slot]                 the value in the row `up` rows above this one
    ["r", up, [op…], leaf]          a node-set. op: [slot, predicates] goes down into a repeat; [slot, [], index] takes
                                    its row at `index`, an IR evaluated where the walk began; slot 0 goes up to the
                                    parent row; slot -1 stays and filters. leaf: a value's slot, null (the whole row)
                                    or [slots] (a group)
    ["i", id, predicates, column]   a secondary instance; column null gives the items; a fifth "pulldata" tells the
                                    origin. The first predicate may be ["x", column, key]: the items whose column
                                    equals the key, an IR that does not look at the item (so that an index can answer)
    ["k", column]                   a column of the item that a predicate looks at
    ["c", ir]                       current(): evaluated at the expression's own node, from inside a predicate
    ["b", op, a, b, …]  ["neg", a]  operators; or, and, + take any number of operands
    ["t", ir]                       truth of a stored value: "", 0 and "false" are false
    ["p", up, slot]                 position of the row `up` rows above among its siblings (slot: its repeat's)
    ["f", name, argument…]          a function. once has the node itself as its first argument; jr:choice-name has the
                                    question's absolute path as its second; regex has a canonical pattern

A predicate that gives a number is a position, anything else a truth.
"""

from dataclasses import replace

from collector.forms.expressions import refusals, syntax
from collector.forms.expressions.calls import call
from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.kinds import (
    COMPARISONS,
    by_value,
    constant_truth,
    crosses_repeat,
    gives_answers,
    indexed,
    is_boolean,
)
from collector.forms.expressions.paths import rows, walk
from collector.forms.expressions.scope import Ir, Resolvers, Scope, Walk
from collector.forms.expressions.shape import Shape

NUMBER_TYPES = ("int", "integer", "decimal")


def resolve(tree: syntax.Ast, shape: Shape, context: str, *, nodeset: bool = False, outside: bool = False) -> Ir:
    """Return the IR of `tree` for the node `context` (absolute path).

    nodeset: the result may be several nodes (choices from a repeat or a list). outside: `context` is a repeat and the
    expression is evaluated in the row around it (a repeat count), not in a row of it. Raises ExpressionError.
    """
    row = shape.row_of(context)
    scope = Scope(shape, context, shape.parent_row(row) if outside and shape.is_repeat(context) else row)
    return many(tree, scope) if nodeset else value(tree, scope)


def compile_text(text: str, shape: Shape, context: str, *, nodeset: bool = False, outside: bool = False) -> Ir:
    """Parse and resolve; the error carries the text, so that its caret() can point into it."""
    try:
        return resolve(syntax.parse(text), shape, context, nodeset=nodeset, outside=outside)
    except ExpressionError as error:
        error.text = text
        raise


def any_value(tree: syntax.Ast, scope: Scope, nodeset: bool = False) -> Ir:
    """Resolve any expression. nodeset: a path gives a node-set even where it is one node."""
    match tree:
        case syntax.Number():
            return ["n", int(tree.value) if tree.value.is_integer() else tree.value]
        case syntax.Text():
            return ["s", tree.value]
        case syntax.Path():
            return path(tree, scope, nodeset)
        case syntax.Call():
            return call(tree, scope, RESOLVERS)
        case syntax.Negation():
            return ["neg", value(tree.operand, scope)]
        case syntax.Operation():
            return operation(tree, scope)


def value(tree: syntax.Ast, scope: Scope) -> Ir:
    """Resolve an expression of which one value is needed."""
    ir = any_value(tree, scope)
    if crosses_repeat(ir):
        raise refusals.many_values(tree.position)
    return ir


def many(tree: syntax.Ast, scope: Scope) -> Ir:
    """Resolve an expression that may give many nodes; a path always gives a node-set."""
    return any_value(tree, scope, nodeset=True)


def condition(tree: syntax.Ast, scope: Scope) -> Ir:
    """Resolve an expression that is read as true or false; a question counts by the value it holds."""
    return by_value(any_value(tree, scope))


def operation(tree: syntax.Operation, scope: Scope) -> Ir:
    """Resolve an operator with its operands."""
    if tree.operator in ("or", "and"):
        return ["b", tree.operator, *conditions(tree, scope)]
    if tree.operator in COMPARISONS:
        return comparison(tree, scope)
    return ["b", tree.operator, *(value(operand, scope) for operand in tree.operands)]


def conditions(tree: syntax.Operation, scope: Scope) -> list[Ir]:
    """Resolve the operands of and / or up to the first constant that decides: what follows it can never run."""
    found = []
    for operand in tree.operands:
        found.append(condition(operand, scope))
        if constant_truth(found[-1]) is (tree.operator == "or"):
            break
    return found


def comparison(tree: syntax.Operation, scope: Scope) -> Ir:
    """Resolve a comparison; with a question of all rows of a repeat it holds where it does for any of them."""
    operands = [any_value(operand, scope) for operand in tree.operands]
    with_truth = any(is_boolean(ir) for ir in operands)
    for operand, ir in zip(tree.operands, operands, strict=True):
        if crosses_repeat(ir) and (with_truth or not gives_answers(ir)):
            raise refusals.many_values(operand.position)
    if with_truth and tree.operator in ("=", "!="):
        operands = [by_value(ir) for ir in operands]
    return ["b", tree.operator, *operands]


def path(tree: syntax.Path, scope: Scope, nodeset: bool) -> Ir:
    """Resolve a path where it stands: in an item, at current(), or among the rows."""
    if tree.start == "instance":
        return instance(tree, scope)
    if tree.start == "current" and scope.bind:
        return ["c", path(replace(tree, start="."), scope.bind, nodeset)]
    if scope.item_of and tree.start == ".":
        return item_column(tree, scope)
    return rows(tree, scope, RESOLVERS, nodeset)


def predicates(step: syntax.Step, scope: Scope, found: Walk) -> list[Ir]:
    """Resolve the predicates of a step for its candidate nodes."""
    inner = Scope(scope.shape, found.path, found.row, bind=scope.home)
    return [predicate(tree, inner) for tree in step.predicates]


def predicate(tree: syntax.Ast, scope: Scope) -> Ir:
    """Resolve a predicate: a question of a number type is a position, as a literal number is; others are a truth."""
    ir = any_value(tree, scope)
    if ir[0] == "v" and isinstance(tree, syntax.Path) and number_typed(tree, scope):
        return ["f", "number", ir]
    return by_value(ir)


def number_typed(tree: syntax.Path, scope: Scope) -> bool:
    """Tell whether a path names a question with a number type."""
    slot = scope.shape.slots.get(walk(tree, scope, RESOLVERS).path)
    return slot is not None and slot.type in NUMBER_TYPES


def instance(tree: syntax.Path, scope: Scope) -> Ir:
    """Resolve instance('id')/root/item[…]/column."""
    if len(tree.steps) < 2 or any(step.name in (".", "..") for step in tree.steps):
        raise refusals.instance_path(tree.instance, tree.position)
    first, item, *columns = tree.steps
    filtered = [step for step in (first, *columns) if step.predicates]
    if filtered:
        raise refusals.misplaced_filter(filtered[0].position)
    column = "/".join(step.name for step in columns)
    refusals.check_columns(tree.instance, [column] if column else [], scope.shape, tree.position)
    inner = Scope(scope.shape, scope.path, scope.row, item_of=tree.instance, bind=scope.home)
    found = [by_value(any_value(each, inner)) for each in item.predicates]
    return ["i", tree.instance, [*(indexed(ir) for ir in found[:1]), *found[1:]], column or None]


def item_column(tree: syntax.Path, scope: Scope) -> Ir:
    """Resolve `name` or `./name` inside the predicate of a list."""
    steps = [step for step in tree.steps if step.name != "."]
    if not steps or any(step.name == ".." or step.predicates for step in steps):
        raise refusals.not_a_column(tree.position)
    column = "/".join(step.name for step in steps)
    refusals.check_columns(scope.item_of, [column], scope.shape, tree.position)
    return ["k", column]


RESOLVERS = Resolvers(value, many, condition, predicates)
