"""A form made ready to be filled in: closures, and what must be looked at again when something changes.

A job is one thing that is kept up to date: (kind, path), kind one of
    calculate   the value of a question            relevant   whether a node, or each row of a repeat, takes part
    filter      a choice that is still offered     count      the rows of a repeat with jr:count
`own` says which jobs of the same row read a path, `wide` which jobs of any row do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from collector.forms.behind_texts import behind_texts
from collector.forms.expressions import Shape, Slot, build, build_nodes, functions_used, is_volatile, reads
from collector.forms.expressions.analyse import CLOCK_AND_CHANCE, parts
from collector.forms.model import IR, Action, Form, Group, Question, Repeat
from collector.forms.twins import has_twins, of_items

Closure = Any
Job = tuple[str, str]
CHANCE = frozenset({"random", "uuid"})


@dataclass(frozen=True)
class Level:
    """What stands in one kind of row: the record itself or a repeat's; jobs: all there is to do for such a row."""

    path: str
    size: int
    questions: tuple[Question, ...]
    repeats: tuple[Repeat, ...]
    nodes: tuple[str, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Program:
    """A form with its closures, made once a version and shared by every filling.

    local: the groups around a node inside its row; inside: the nodes that a group rules directly in its row;
    calculations: jobs in the order of calculation; settlings: the others in document order; both with their row;
    across: jobs that read what stands in the rows of a repeat; drawn: calculates by chance, made once;
    tainted: calculates that only the device could compute; numbers: node -> place in form.nodes.
    computed: questions that hold what is calculated, whatever people write; twins: the items that a filter offers where
    several choices have one name.
    """

    form: Form
    shape: Shape
    relevant: Mapping[str, Closure]
    required: Mapping[str, Closure]
    readonly: Mapping[str, Closure]
    constraint: Mapping[str, Closure]
    calculate: Mapping[str, Closure]
    choice_filter: Mapping[str, Closure]
    count: Mapping[str, Closure]
    source: Mapping[str, Closure]
    outputs: tuple[Closure, ...]
    targets: tuple[Closure, ...]
    values: tuple[Closure | None, ...]
    instances: Mapping[str, list[dict[str, str]]]
    questions: Mapping[str, Question]
    groups: Mapping[str, Group]
    repeats: Mapping[str, Repeat]
    names: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, Level]
    local: Mapping[str, tuple[str, ...]]
    inside: Mapping[str, tuple[str, ...]]
    own: Mapping[str, tuple[Job, ...]]
    wide: Mapping[str, tuple[Job, ...]]
    across: Mapping[str, tuple[Job, ...]]
    calculations: tuple[tuple[Job, str], ...]
    settlings: tuple[tuple[Job, str], ...]
    jobs: frozenset[Job]
    triggers: Mapping[str, tuple[int, ...]]
    drawn: frozenset[str]
    tainted: frozenset[str]
    computed: frozenset[str]
    twins: Mapping[str, Closure]
    numbers: Mapping[str, int]

    def level_of(self, path: str) -> str:
        """Return the row that a node stands in."""
        return row_of(path, self.shape)


@lru_cache(maxsize=256)
def program_of(form: Form) -> Program:
    """Return the closures of `form`; kept for the next filling."""
    shape = shape_of(form)
    questions = {question.path: question for question in form.questions}
    groups = {group.path: group for group in form.groups}
    repeats = {repeat.path: repeat for repeat in form.repeats}
    nodes: dict[str, Group | Repeat] = {**groups, **repeats}
    logic = {path: question.logic for path, question in questions.items()}
    relevant = {path: node.relevant for path, node in nodes.items()} | {p: each.relevant for p, each in logic.items()}
    readonly = {path: node.readonly for path, node in nodes.items()} | {p: each.readonly for p, each in logic.items()}
    around = {path: node.groups for path, node in nodes.items()} | {p: q.groups for p, q in questions.items()}
    local = {path: local_groups(path, found, shape) for path, found in around.items()}
    own, wide = dependents(form, shape)
    rows = {path: row_of(path, shape) for path in form.nodes}
    calculations = tuple((("calculate", path), rows[path]) for path in form.order)
    settlings = tuple((job, rows[job[1]]) for job in settling_jobs(form, local, rows))
    jobs = [*calculations, *settlings]
    return Program(
        form=form,
        shape=shape,
        relevant=closures(relevant),
        required=closures({path: each.required for path, each in logic.items()}),
        readonly=closures(readonly),
        constraint=closures({path: each.constraint for path, each in logic.items()}),
        calculate=closures({path: each.calculate for path, each in logic.items()}),
        choice_filter=closures({path: question.choice_filter for path, question in questions.items()}),
        count=closures({path: repeat.count for path, repeat in repeats.items()}),
        source={path: build_nodes(q.rows.nodes) for path, q in questions.items() if q.rows is not None},
        outputs=tuple(build(ir) for _, ir in form.outputs),
        targets=tuple(build_nodes(action.rows) for action in form.actions),
        values=tuple(build(action.value) if action.value is not None else None for action in form.actions),
        instances={name: [dict(choice.columns) for choice in items] for name, items in form.lists.items()},
        questions=questions,
        groups=groups,
        repeats=repeats,
        names={name: tuple(choice.name for choice in items) for name, items in form.lists.items()},
        levels={path: level(path, form, shape, jobs) for path in (form.root, *repeats)},
        local=local,
        inside={path: tuple(each for each, found in local.items() if path in found) for path in groups},
        own=own,
        wide=wide,
        across={path: across_rows(path, form, wide) for path in repeats},
        calculations=calculations,
        settlings=settlings,
        jobs=frozenset(job for job, _ in jobs),
        triggers=triggers_of(form.actions),
        drawn=frozenset(path for path, each in logic.items() if each.calculate and is_drawn(each.calculate)),
        tainted=tainted_paths(form, shape),
        computed=frozenset(question.path for question in form.questions if is_computed(question, own)),
        twins=twin_filters(form),
        numbers={path: number for number, path in enumerate(form.nodes)},
    )


def closures(expressions: Mapping[str, IR | None]) -> dict[str, Closure]:
    """Build those that there are."""
    return {path: build(ir) for path, ir in expressions.items() if ir is not None}


def twin_filters(form: Form) -> dict[str, Closure]:
    """Build the filters of lists where several choices have one name, so that they give items."""
    filters = {question.path: question.choice_filter for question in form.questions if has_twins(form, question)}
    return {path: build_nodes(of_items(ir, None)) for path, ir in filters.items() if ir is not None}


def shape_of(form: Form) -> Shape:
    """Lay out the rows again: slots are counted in the order of the tree, a row at a time."""
    repeats = {repeat.path for repeat in form.repeats}
    holders = {path.rpartition("/")[0] for path in form.tree}
    slots = {form.root: Slot(form.root, 0, form.root, "group")}
    sizes: dict[str, int] = {}
    for path in form.tree:
        parent = path.rpartition("/")[0]
        row = parent if parent in repeats else slots[parent].row
        if path in repeats or path not in holders:
            sizes[row] = sizes.get(row, 0) + 1
            slots[path] = Slot(path, sizes[row], row, "repeat" if path in repeats else "value")
        else:
            slots[path] = Slot(path, 0, row, "group")
    if not form.tree:  # read before forms kept their tree: no repeats then
        slots |= {question.path: Slot(question.path, question.slot, form.root, "value") for question in form.questions}
    return Shape(form.root, slots)


def row_of(path: str, shape: Shape) -> str:
    """Return the row that a node stands in: for a repeat, the one around it."""
    slot = shape.slots.get(path)
    return slot.row if slot is not None else shape.root


def settling_jobs(form: Form, local: Mapping[str, tuple[str, ...]], rows: Mapping[str, str]) -> Iterator[Job]:
    """Give what may change besides values, in document order. What always takes part needs no job."""
    repeats = {repeat.path: repeat for repeat in form.repeats}
    given = {group.path: group.relevant for group in form.groups}
    given |= {question.path: question.logic.relevant for question in form.questions}
    filtered = {question.path for question in form.questions if question.choice_filter is not None}
    for path in form.nodes:
        if path in repeats and repeats[path].count is not None:
            yield "count", path
        if path in repeats or given[path] is not None or local[path] or rows[path] != form.root:
            yield "relevant", path
        if path in filtered:
            yield "filter", path


def level(path: str, form: Form, shape: Shape, jobs: list[tuple[Job, str]]) -> Level:
    """Gather what stands in the rows of `path`."""

    def is_here(each: str) -> bool:
        return row_of(each, shape) == path

    return Level(
        path=path,
        size=1 + max((slot.index for slot in shape.slots.values() if slot.row == path), default=0),
        questions=tuple(question for question in form.questions if is_here(question.path)),
        repeats=tuple(repeat for repeat in form.repeats if is_here(repeat.path)),
        nodes=tuple(each for each in form.nodes if is_here(each)),
        jobs=tuple(job for job, row in jobs if row == path),
    )


def local_groups(path: str, groups: tuple[str, ...], shape: Shape) -> tuple[str, ...]:
    """Return the groups around a node that stand in the same row."""
    row = row_of(path, shape)
    return tuple(group for group in groups if group.startswith(row + "/"))


# --- what reads what


def jobs_of(form: Form) -> Iterator[tuple[Job, IR, bool]]:
    """Give every job with its expression; and whether that is read in the row around (a repeat count)."""
    nodes: list[Group | Repeat] = [*form.groups, *form.repeats]
    for node in nodes:
        if node.relevant is not None:
            yield ("relevant", node.path), node.relevant, False
    for repeat in form.repeats:
        if repeat.count is not None:
            yield ("count", repeat.path), repeat.count, True
    for question in form.questions:
        found = {
            "relevant": question.logic.relevant,
            "calculate": question.logic.calculate,
            "filter": question.choice_filter,
        }
        yield from (((kind, question.path), ir, False) for kind, ir in found.items() if ir is not None)


def dependents(form: Form, shape: Shape) -> tuple[dict[str, tuple[Job, ...]], dict[str, tuple[Job, ...]]]:
    """Return path -> jobs that read it in the own row, and path -> jobs that read it anywhere."""
    own: dict[str, list[Job]] = {}
    wide: dict[str, list[Job]] = {}
    names = {(slot.row, slot.index): path for path, slot in shape.slots.items() if slot.kind != "group"}
    questions = {question.path: question for question in form.questions}
    for job, ir, outside in jobs_of(form):
        row = shape.row_of(job[1])
        home = shape.parent_row(row) if outside else row
        here, anywhere = set[str](), set[str]()
        gather(ir, shape, job[1], outside, here, anywhere, {index: path for (at, index), path in names.items()
                                                            if at == home})  # fmt: skip
        for context, read in behind_texts(ir, form, questions):
            anywhere |= reads(read, shape, context)
        for path in sorted(anywhere):
            wide.setdefault(path, []).append(job)
        for path in sorted(here - anywhere):
            own.setdefault(path, []).append(job)
    return {path: tuple(jobs) for path, jobs in own.items()}, {path: tuple(jobs) for path, jobs in wide.items()}


def across_rows(path: str, form: Form, wide: Mapping[str, tuple[Job, ...]]) -> tuple[Job, ...]:
    """Return the jobs that read, from anywhere, what is asked in the rows of a repeat."""
    inside = (question.path for question in form.questions if question.path.startswith(path + "/"))
    return tuple(dict.fromkeys(job for each in inside for job in wide.get(each, ())))


def gather(
    ir: IR, shape: Shape, path: str, outside: bool, own: set[str], wide: set[str], names: Mapping[int, str]
) -> None:
    """Collect what an IR reads in its own row, and what in others."""
    if ir[0] == "v" and ir[1] == 0:
        own.add(names[ir[2]])
    elif ir[0] in ("v", "r", "p"):
        wide |= reads(ir, shape, path, outside=outside)
    else:
        if ir[:2] == ["f", "jr:choice-name"]:
            wide.add(ir[3][1])
        for part in parts(ir):
            gather(part, shape, path, outside, own, wide, names)


def is_drawn(ir: IR) -> bool:
    """Tell whether a calculate is made by chance: it is drawn once and kept."""
    return bool(functions_used(ir) & CHANCE)


def tainted_paths(form: Form, shape: Shape) -> frozenset[str]:
    """Return the calculates that a node cannot compute again: by clock, chance or attachment, also at second hand.

    Second hand is another calculate, or a text that shows such a value.
    """
    found: set[str] = set()
    external = frozenset(form.external)
    questions = {question.path: question for question in form.questions}
    calculates = [(path, questions[path].logic.calculate) for path in form.order if path in questions]
    parts_of = {path: [(path, ir), *behind_texts(ir, form, questions)] for path, ir in calculates if ir is not None}
    size = -1
    while len(found) > size:  # a text may show what is calculated later
        size = len(found)
        for path, read in parts_of.items():
            if any(is_tainted(ir, external) or reads(ir, shape, context) & found for context, ir in read):
                found.add(path)
    return frozenset(found)


def is_tainted(ir: IR, external: frozenset[str]) -> bool:
    """Tell whether an expression itself asks for what only the device knew."""
    return is_volatile(ir, external) or bool(functions_used(ir) & frozenset(CLOCK_AND_CHANCE))


def is_computed(question: Question, own: Mapping[str, tuple[Job, ...]]) -> bool:
    """Tell whether people see what is calculated and cannot write there.

    One that reads itself, as once() does, only begins with what is calculated.
    """
    reads_itself = ("calculate", question.path) in own.get(question.path, ())
    return question.type != "calculate" and question.logic.calculate is not None and not reads_itself


def triggers_of(actions: tuple[Action, ...]) -> dict[str, tuple[int, ...]]:
    """Return path -> numbers of the actions that its change sets off."""
    found: dict[str, list[int]] = {}
    for number, action in enumerate(actions):
        if action.trigger and "xforms-value-changed" in action.events:
            found.setdefault(action.trigger, []).append(number)
    return {path: tuple(numbers) for path, numbers in found.items()}
