"""Paths into secondary instances that are no plain lists, put as paths into lists that are.

Expressions see a list as /root/item/column. Forms hold four other shapes:

    /data/age               one item whose path is a step short, as in a last record
    /root/cat and /root/dog items of several names: those of one name are a list
    /root/item              items that are texts: the text is the column TEXT
    /root/item/child        several children in an item: all of them are a list, that has the columns of their item
                            too, as ../column

Lists are made when an expression asks for them, so that a page holds no more than its form needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from collector.forms.expressions import Ast
from collector.forms.expressions.syntax import Call, Negation, Operation, Path, Step
from collector.forms.xform.elements import children, elements, local
from collector.forms.xform.lists import TEXT, Item, columns_of

CONDITIONS = ("or", "and", "=", "!=", "<", "<=", ">", ">=")
TESTS = ("not", "selected", "contains", "starts-with", "ends-with", "regex", "boolean", "true", "false")
PLACES = ("position", "last")
Members = list[tuple[Element, Item]]


@dataclass
class ListTrees:
    """The secondary instances of a form as they were read. roots: those in XML, by id; flat: those that are one item.

    made: lists that expressions asked for, with what is known of the items around.
    """

    roots: dict[str, Element] = field(default_factory=dict)
    flat: set[str] = field(default_factory=set)
    made: dict[str, Members] = field(default_factory=dict)

    def members(self, name: str) -> Members:
        """Return the items of a list as elements, with the columns of what is around them."""
        if name not in self.made:
            return [(element, {}) for element in elements(self.roots.get(name))]
        return self.made[name]

    def of_one_name(self, name: str, item: str) -> str:
        """Return the list of the items with this name: the list itself where there are no others."""
        members = self.members(name)
        found = [each for each in members if local(each[0]) == item]
        if not found or len(found) == len(members):
            return name
        return self._made(f"{name}/{item}", found)

    def of_children(self, name: str, child: str) -> str:
        """Return the list of the children with this name in all items."""
        found = [
            (inner, {f"../{column}": text for column, text in {**around, **columns_of(element)}.items()})
            for element, around in self.members(name)
            for inner in children(element, child)
        ]
        return self._made(f"{name}/{child}", found)

    def _made(self, name: str, members: Members) -> str:
        self.made.setdefault(name, members)
        return name

    def items(self, name: str) -> list[Item]:
        """Return the items of a list that was made."""
        return [{**around, **columns_of(element)} for element, around in self.made[name]]


def plain(tree: Ast, trees: ListTrees) -> Ast:
    """Return an expression with all its paths into secondary instances put as paths into plain lists."""
    match tree:
        case Path():
            return _plain_path(tree, trees)
        case Call():
            return replace(tree, arguments=tuple(plain(each, trees) for each in tree.arguments))
        case Operation():
            return replace(tree, operands=tuple(plain(each, trees) for each in tree.operands))
        case Negation():
            return replace(tree, operand=plain(tree.operand, trees))
        case _:
            return tree


def _plain_path(tree: Path, trees: ListTrees) -> Path:
    steps = tuple(
        replace(step, predicates=tuple(plain(each, trees) for each in step.predicates)) for step in tree.steps
    )
    if tree.start != "instance":
        return replace(tree, steps=steps)
    if tree.instance in trees.flat:
        return replace(tree, steps=(Step("root", (), tree.position), *steps))
    return _in_list(replace(tree, steps=steps), trees)


def _in_list(tree: Path, trees: ListTrees) -> Path:
    """Put a path whose list is read from XML as a path into a plain list."""
    if len(tree.steps) < 2 or not trees.members(tree.instance):
        return tree
    root, item, *rest = tree.steps
    name = trees.of_one_name(tree.instance, item.name)
    if rest and _is_many(rest[0], trees.members(name)) and all(_is_condition(each) for each in item.predicates):
        outer = tuple(_renamed(each, lambda column: f"../{column}") for each in item.predicates)
        step = replace(rest[0], predicates=(*outer, *rest[0].predicates))
        inner = trees.of_children(name, step.name)
        return _in_list(replace(tree, instance=inner, steps=(root, step, *rest[1:])), trees)
    if not rest and all(not elements(element) for element, _ in trees.members(name)):
        filters = tuple(_renamed(each, lambda column: column) for each in item.predicates)
        rest, item = [Step(TEXT, (), item.position)], replace(item, predicates=filters)
    return replace(tree, instance=name, steps=(root, item, *rest))


def _is_many(step: Step, members: Members) -> bool:
    """Tell whether a step below an item goes to children of which there are several, or that are filtered."""
    counts = [len(list(children(element, step.name))) for element, _ in members]
    return any(count > 1 for count in counts) or (bool(step.predicates) and any(counts))


def _is_condition(tree: Ast) -> bool:
    """Tell whether a predicate looks at its item alone, not at the place of the item among others."""
    match tree:
        case Operation():
            return tree.operator in CONDITIONS and not _asks_place(tree)
        case Call():
            return tree.name in TESTS and not _asks_place(tree)
        case _:
            return isinstance(tree, Path)


def _asks_place(tree: Ast) -> bool:
    match tree:
        case Call():
            return (tree.name in PLACES and not tree.arguments) or any(_asks_place(each) for each in tree.arguments)
        case Operation():
            return any(_asks_place(each) for each in tree.operands)
        case Negation():
            return _asks_place(tree.operand)
        case _:
            return False


def _renamed(tree: Ast, rename: Callable[[str], str]) -> Ast:
    """Return a predicate with the columns that it reads renamed; the item itself is the column TEXT."""
    match tree:
        case Path(start="."):
            steps = [step for step in tree.steps if step.name != "."]
            if any(step.name == ".." or step.predicates for step in steps):
                return tree
            column = rename("/".join(step.name for step in steps) or TEXT)
            return replace(tree, steps=(Step(column, (), tree.position),))
        case Call():
            return replace(tree, arguments=tuple(_renamed(each, rename) for each in tree.arguments))
        case Operation():
            return replace(tree, operands=tuple(_renamed(each, rename) for each in tree.operands))
        case Negation():
            return replace(tree, operand=_renamed(tree.operand, rename))
        case _:
            return tree


def list_of(tree: Ast, trees: ListTrees, known: Mapping[str, object]) -> str:
    """Return the list that an itemset offers, in its order or shuffled; "" where it offers something else."""
    while isinstance(tree, Call) and tree.name == "randomize" and tree.arguments:
        tree = tree.arguments[0]
    found = plain(tree, trees)
    if not isinstance(found, Path) or found.start != "instance":
        return ""
    return found.instance if found.instance in known or found.instance in trees.made else ""
