"""Resolving function calls: count and kinds of the arguments, and the functions that need more than that."""

import math
from collections.abc import Callable
from dataclasses import replace

from collector.forms.expressions import refusals, syntax
from collector.forms.expressions.catalogue import FUNCTIONS, Signature
from collector.forms.expressions.digest import ALGORITHMS, ENCODINGS
from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.kinds import constant_truth, is_boolean, is_nodeset
from collector.forms.expressions.literals import iso_moment, short_date
from collector.forms.expressions.paths import walk
from collector.forms.expressions.patterns import canonical_pattern, regex_problems
from collector.forms.expressions.scope import Ir, Resolvers, Scope
from collector.forms.expressions.values import read_number


def call(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve a function call."""
    signature = FUNCTIONS.get(tree.name)
    if signature is None:
        raise refusals.unknown_function(tree.name, tree.position)
    count = len(tree.arguments)
    if not signature.least <= count <= signature.most:
        raise refusals.wrong_count(tree.name, count, signature, tree.position)
    special = SPECIAL.get(tree.name)
    return special(tree, scope, to) if special else ["f", tree.name, *arguments(tree, scope, signature, to)]


def arguments(tree: syntax.Call, scope: Scope, signature: Signature, to: Resolvers) -> list[Ir]:
    """Resolve the arguments as the function reads them."""
    return [argument(tree.name, each, scope, signature.kind(at), to) for at, each in enumerate(tree.arguments)]


def argument(name: str, tree: syntax.Ast, scope: Scope, kind: str, to: Resolvers) -> Ir:
    """Resolve one argument of the kind the catalogue names."""
    match kind:
        case "b":
            return to.condition(tree, scope)
        case "m":
            return to.many(tree, scope)
        case "n":
            ir = to.many(tree, scope)
            if not is_nodeset(ir):
                raise refusals.not_a_nodeset(name, tree.position)
            return ir
        case _:
            return to.value(tree, scope)


def own_value(position: int, scope: Scope, to: Resolvers) -> Ir:
    """Resolve `.`, the node itself."""
    return to.value(syntax.Path(".", (syntax.Step(".", (), position),), position), scope)


def default_to_own_value(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve string(), number(), string-length() and normalize-space(), which read `.` when nothing is given."""
    given = arguments(tree, scope, FUNCTIONS[tree.name], to)
    return ["f", tree.name, *(given or [own_value(tree.position, scope, to)])]


def once(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve once(x): the value the node already has, else x."""
    own = own_value(tree.position, scope.home, to)
    return ["f", "once", ["c", own] if scope.bind else own, to.value(tree.arguments[0], scope)]


def position(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve position() in a predicate, or position(row) to the row number; a group stands alone, so 1."""
    if not tree.arguments:
        return ["f", "position"]
    place = tree.arguments[0]
    if not isinstance(place, syntax.Path) or place.start == "instance":
        raise refusals.not_a_path("position", tree.position, "position(..)")
    if place.start == "current" and scope.bind:
        return ["c", position(tree, scope.bind, to)]
    found = walk(place, scope, to, bind_last=True)
    if found.operations or (scope.item_of and place.start != "/"):
        raise refusals.not_a_row_around(place.position)
    if not scope.shape.is_repeat(found.path) or found.path != found.row:
        return ["n", 1]
    return ["p", scope.up_to(found.row), scope.shape.slots[found.path].index]


def regex(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve regex(text, 'pattern'); the pattern is a literal, so that it can be checked now."""
    pattern = tree.arguments[1]
    if not isinstance(pattern, syntax.Text):
        raise refusals.not_a_literal("regex", "its pattern", "su expresión regular", pattern.position)
    problems = regex_problems(pattern.value)
    if problems:
        es, _, en = problems[0].partition(" / ")
        raise ExpressionError(en, es, pattern.position)
    return ["f", "regex", to.value(tree.arguments[0], scope), ["s", canonical_pattern(pattern.value)]]


def choose(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve if() and coalesce(); where a constant decides, the other branch can never run and is not looked at."""
    first = argument(tree.name, tree.arguments[0], scope, "b" if tree.name == "if" else "v", to)
    known = constant_truth(first)
    dead = {"if": {True: 2, False: 1}, "coalesce": {True: 1}}[tree.name].get(known) if known is not None else None
    others = enumerate(tree.arguments[1:], 1)
    return ["f", tree.name, first, *(["s", ""] if at == dead else to.value(each, scope) for at, each in others)]


def moment(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve date(x), date-time(x), decimal-date-time(x) and format-date(x, …).

    date('a text') that is no date could only ever give nothing, and a truth is no date: both are slips. date-time()
    takes them and gives nothing, as elsewhere.
    """
    given, *more = tree.arguments
    if isinstance(given, syntax.Text) and given.value:
        iso = iso_moment(given.value) or (short_date(given.value) if tree.name in ("date", "date-time") else None)
        counts_days = not math.isnan(read_number(given.value))
        is_slip = tree.name == "decimal-date-time" or (tree.name == "date" and not counts_days)
        if iso is None and is_slip:
            raise refusals.not_a_date(given.value, given.position)
        given = replace(given, value=iso or given.value)
    ir = to.value(given, scope)
    if is_boolean(ir):
        if tree.name != "date-time":
            raise refusals.truth_is_no_date(given.position)
        ir = ["s", ""]
    return ["f", tree.name, ir, *(to.value(each, scope) for each in more)]


def geofence(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve geofence(point, shape); a literal shape that holds no ground is a slip."""
    shape = tree.arguments[1]
    if isinstance(shape, syntax.Text) and not shape.value.strip():
        raise refusals.no_shape(shape.position)
    return ["f", tree.name, *arguments(tree, scope, FUNCTIONS[tree.name], to)]


def local_name(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve local-name(path) to the name itself: paths are known now."""
    place = tree.arguments[0] if tree.arguments else syntax.Path(".", (), tree.position)
    if not isinstance(place, syntax.Path) or place.start == "instance" or (scope.item_of and place.start == "."):
        raise refusals.not_a_path("local-name", tree.position, "local-name(..)")
    path = walk(place, scope.home if place.start == "current" else scope, to).path
    return ["s", path.rpartition("/")[2].rpartition(":")[2]]


def digest(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve digest(text, algorithm, encoding?); literal names are checked now."""
    for given, known in zip(tree.arguments[1:], (ALGORITHMS, ENCODINGS), strict=False):
        if isinstance(given, syntax.Text) and given.value.lower().replace("-", "") not in known:
            raise refusals.not_one_of("digest", given.value, known, given.position)
    return ["f", tree.name, *arguments(tree, scope, FUNCTIONS[tree.name], to)]


def pulldata(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve pulldata('file', 'column', 'key column', key) to a look-up in the instance of that file."""
    names = [each.value for each in tree.arguments[:3] if isinstance(each, syntax.Text)]
    if len(names) < 3:
        raise refusals.not_a_literal("pulldata", "the file and two columns", "el archivo y dos columnas", tree.position)
    file, column, key = names
    file = file.removesuffix(".csv")
    refusals.check_columns(file, [column, key], scope.shape, tree.position)
    wanted = ["f", "string", to.value(tree.arguments[3], scope)]
    return ["i", file, [["x", key, wanted]], column, "pulldata"]


def choice_name(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve jr:choice-name(value, 'path'): the path is a text, so it is read here."""
    quoted = tree.arguments[1]
    if not isinstance(quoted, syntax.Text):
        raise refusals.choice_name_unquoted(quoted.position)
    place = syntax.parse(quoted.value.strip())
    if not isinstance(place, syntax.Path) or place.start == "instance":
        raise refusals.unknown_path(quoted.value.strip(), quoted.position, scope.shape)
    steps = tuple(replace(step, position=quoted.position) for step in place.steps)
    found = walk(replace(place, steps=steps, position=quoted.position), scope.home, to)
    return ["f", tree.name, to.value(tree.arguments[0], scope), ["s", found.path]]


def indexed_repeat(tree: syntax.Call, scope: Scope, to: Resolvers) -> Ir:
    """Resolve indexed-repeat(question, repeat, number, …): up to three repeats, outermost first."""
    question = static_path(tree.arguments[0], scope, to)
    if len(tree.arguments) % 2 == 0:
        raise refusals.index_missing(static_path(tree.arguments[-1], scope, to), tree.position)
    pairs = zip(tree.arguments[1::2], tree.arguments[2::2], strict=True)
    indexes = {static_path(place, scope, to): to.value(index, scope) for place, index in pairs}
    chain = scope.shape.chain(scope.shape.row_of(question))
    for repeat in indexes:
        if repeat not in chain:
            raise refusals.not_a_repeat_around(repeat, question, tree.position)
    return indexed_rows(tree, scope, question, indexes)


def indexed_rows(tree: syntax.Call, scope: Scope, question: str, indexes: dict[str, Ir]) -> Ir:
    """Walk from the innermost shared row down to `question`, taking the rows that `indexes` names."""
    shape = scope.shape
    around = shape.chain(scope.row)
    anchor, operations = shape.root, []
    for repeat in reversed(shape.chain(shape.row_of(question))):
        if repeat in indexes:
            operations.append([shape.slots[repeat].index, [], indexes[repeat]])
        elif repeat in around and not operations:
            anchor = repeat
        else:
            raise refusals.index_missing(repeat, tree.position)
    slot = shape.slots.get(question)
    return ["r", scope.up_to(anchor), operations, slot.index if slot and slot.kind == "value" else None]


def static_path(tree: syntax.Ast, scope: Scope, to: Resolvers) -> str:
    """Return the absolute path that `tree` names."""
    if not isinstance(tree, syntax.Path) or tree.start == "instance":
        example = "indexed-repeat(${question}, ${repeat}, 1)"
        raise refusals.not_a_path("indexed-repeat", tree.position, example)
    return walk(tree, scope.home if tree.start == "current" else scope, to).path


SPECIAL: dict[str, Callable[[syntax.Call, Scope, Resolvers], Ir]] = {
    "string": default_to_own_value,
    "number": default_to_own_value,
    "string-length": default_to_own_value,
    "normalize-space": default_to_own_value,
    "once": once,
    "position": position,
    "regex": regex,
    "if": choose,
    "coalesce": choose,
    "date": moment,
    "date-time": moment,
    "decimal-date-time": moment,
    "format-date": moment,
    "format-date-time": moment,
    "geofence": geofence,
    "local-name": local_name,
    "digest": digest,
    "pulldata": pulldata,
    "jr:choice-name": choice_name,
    "indexed-repeat": indexed_repeat,
}
