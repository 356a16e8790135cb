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
from collector.forms.expressions.catalogue import FUNCTIONS
from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.paths import rows, walk
from collector.forms.expressions.scope import Ir, Resolvers, Scope, Walk
from collector.forms.expressions.shape import Shape

NUMBER_TYPES = ("int", "integer", "decimal")
BOOLEAN_OPERATORS = ("or", "and", "=", "!=", "<", "<=", ">", ">=")


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


def crosses_repeat(ir: Ir) -> bool:
    """Tell whether an IR goes through rows of a repeat without a predicate or index that could choose one."""
    if ir[0] == "c":
        return crosses_repeat(ir[1])
    if ir[0] != "r":
        return False
    descents = [at for at, op in enumerate(ir[2]) if op[0] > 0 and len(op) == 2]
    return any(not any(op[1] for op in ir[2][at:]) for at in descents)


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


def operation(tree: syntax.Operation, scope: Scope) -> Ir:
    """Resolve an operator with its operands."""
    if tree.operator in ("or", "and"):
        return ["b", tree.operator, *(condition(operand, scope) for operand in tree.operands)]
    operands = [value(operand, scope) for operand in tree.operands]
    if tree.operator in ("=", "!=") and any(is_boolean(ir) for ir in operands):
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


def item_column(tree: syntax.Path, scope: Scope) -> Ir:
    """Resolve `name` or `./name` inside the predicate of a list."""
    steps = [step for step in tree.steps if step.name != "."]
    if not steps or any(step.name == ".." or step.predicates for step in steps):
        raise refusals.not_a_column(tree.position)
    column = "/".join(step.name for step in steps)
    refusals.check_columns(scope.item_of, [column], scope.shape, tree.position)
    return ["k", column]


RESOLVERS = Resolvers(value, many, condition, predicates)
