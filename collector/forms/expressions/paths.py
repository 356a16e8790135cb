"""Following a path through the rows of a record: row hops, repeats gone through, and the slot at the end."""

from collector.forms.expressions import syntax
from collector.forms.expressions.refusals import OUTSIDE, out_of_form, unknown_path
from collector.forms.expressions.scope import Ir, Resolvers, Scope, Walk
from collector.forms.expressions.shape import Shape


def rows(tree: syntax.Path, scope: Scope, to: Resolvers, nodeset: bool) -> Ir:
    """Resolve a path among the rows of the record. nodeset: a node-set even where it is one value."""
    found = walk(tree, scope, to)
    leaf = leaf_of(found, scope.shape)
    if isinstance(leaf, int) and not found.operations and not nodeset:
        return ["v", scope.up_to(found.anchor), leaf]
    return ["r", scope.up_to(found.anchor), found.operations, leaf]


def leaf_of(found: Walk, shape: Shape) -> int | list[int] | None:
    """Return what a walk reads at its end: a slot, the slots of a group, or None for the whole row."""
    slot = shape.slots.get(found.path)
    if slot and slot.kind == "value":
        return slot.index
    if found.path == found.row or slot is None:
        return None
    if slot.kind == "repeat":
        found.operations.append([slot.index, []])
        return None
    return [inner.index for inner in shape.inside(found.path, found.row)]


def walk(tree: syntax.Path, scope: Scope, to: Resolvers, bind_last: bool = False) -> Walk:
    """Follow the steps of a path; an absolute one stays in the rows around the expression as far as they are shared.

    bind_last: the last step may be such a row too (position(/data/rep)); otherwise it means all rows of the repeat.
    """
    shape = scope.shape
    absolute = tree.start == "/"
    start = shape.root if absolute else scope.row
    found = Walk(start, start, "" if absolute else scope.path, [])
    if not absolute and not shape.has(scope.path):
        raise unknown_path(scope.path or ".", tree.position, shape)
    shared = set(shape.chain(scope.row)) if absolute else set()
    for index, step in enumerate(tree.steps):
        is_last = index == len(tree.steps) - 1 and not bind_last
        if step.name == "..":
            climb(found, step, shape)
        elif step.name != ".":
            descend(found, step, scope, to, shared if not is_last else set())
        if step.name in (".", "..") and step.predicates:
            found.operations.append([-1, to.predicates(step, scope, found)])
    return found


def climb(found: Walk, step: syntax.Step, shape: Shape) -> None:
    """Go to the parent node, out of the row where that is around it."""
    if not found.path and not shape.has(OUTSIDE):
        raise out_of_form(step.position)
    if found.path == found.row != shape.root:
        found.row = shape.parent_row(found.row)
        if found.operations:
            found.operations.append([0, []])
        else:
            found.anchor = found.row
    found.path = found.path.rpartition("/")[0] if found.path else OUTSIDE


def descend(found: Walk, step: syntax.Step, scope: Scope, to: Resolvers, shared: set[str]) -> None:
    """Go to the child node that `step` names."""
    shape = scope.shape
    found.path = f"{found.path}/{step.name}"
    if not shape.has(found.path):
        raise unknown_path(found.path, step.position, shape)
    if not shape.is_repeat(found.path):
        if step.predicates:
            found.operations.append([-1, to.predicates(step, scope, found)])
        return
    found.row = found.path
    if found.path in shared and not found.operations and not step.predicates:
        found.anchor = found.path
    else:
        found.operations.append([shape.slots[found.path].index, to.predicates(step, scope, found)])
