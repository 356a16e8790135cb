"""What static/js/rows.js needs of a form beside what every page's JSON holds: rows, jobs, actions, texts by node."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from collector.forms.fitting import range_ends
from collector.forms.model import IR, Action, Form, Group, Question, Repeat, Seed, Text, text_in
from collector.forms.program import Job, program_of
from collector.forms.state import texts_by_id

KINDS = ("calculate", "relevant", "filter", "count")  # a job is node * 4 + kind; rows.js counts them so too
ENGINE = "rows.js"


SIMPLE_TYPES = frozenset({"text", "integer", "decimal", "date", "note", "select_one", "select_multiple", "calculate"})
RICH_APPEARANCES = frozenset({"year", "month-year", "quick", "quickcompact"})
SIDE_BY_SIDE = frozenset({"likert", "horizontal", "horizontal-compact", "list-nolabel", "list", "label"})
MANY_NODES = 100
NUMBER = "#"  # the column of a list with twins that numbers its items
LARGE_LIST = 200  # above this a list is searched, and only what is found stands in the page


@lru_cache(maxsize=256)
def is_rich(form: Form) -> bool:
    """Tell whether state.js cannot fill this form in, or not fast: it looks at everything after each answer."""
    if len(form.nodes) > MANY_NODES:
        return True
    acts = any(action.events != ("finish",) for action in form.actions)
    return bool(form.repeats or acts or form.outputs or any(_is_rich_question(form, q) for q in form.questions))


def _is_rich_question(form: Form, question: Question) -> bool:
    choices = form.lists.get(question.list_name, ())
    return (
        question.type not in SIMPLE_TYPES
        or question.rows is not None
        or (question.logic.calculate is not None and question.type != "calculate")
        or bool(RICH_APPEARANCES & set(question.appearance))
        or bool(question.media or any(choice.media for choice in choices))
        or (question.logic.readonly not in (None, ["f", "true"], ["f", "false"]))
        or is_shuffled(question)
        or has_twins(form, question)
        or (question.type == "select_one" and any(" " in choice.name for choice in choices))
        or len(choices) > LARGE_LIST
    )


def is_shuffled(question: Question) -> bool:
    """Tell whether the choices come in another order each time."""
    return question.choice_filter is not None and question.choice_filter[:2] == ["f", "randomize"]


@lru_cache(maxsize=256)
def has_sheet(form: Form) -> bool:
    """Tell whether the page needs css/rich.css: also what state.js fills in may stand side by side or be guided."""
    return is_rich(form) or any(q.guidance or SIDE_BY_SIDE & set(q.appearance) for q in form.questions)


def has_twins(form: Form, question: Question) -> bool:
    """Tell whether several choices of the list have one name: codes that start anew in each district.

    Their names do not say which of them the filter offers: the page tells them apart by their number in the list.
    """
    return question.choice_filter is not None and question.list_name in _lists_with_twins(form)


@lru_cache(maxsize=256)
def _lists_with_twins(form: Form) -> frozenset[str]:
    return frozenset(name for name, items in form.lists.items() if len({choice.name for choice in items}) < len(items))


def of_items(ir: IR, column: str | None) -> IR:
    """Return a choice filter that gives another column of the items it offers; None: the items themselves."""
    match ir[0]:
        case "i":
            return [*ir[:3], column, *ir[4:]]
        case "c":
            return ["c", of_items(ir[1], column)]
        case _:  # randomize()
            return [*ir[:2], of_items(ir[2], column), *ir[3:]]


def computes(question: Question, form: Form) -> bool:
    """Tell whether the question holds what is calculated, whatever people write: they see it and do not write there.

    One that reads itself, as once() does, only begins with what is calculated; and nobody is kept from answering what
    must be answered.
    """
    reads_itself = ("calculate", question.path) in program_of(form).own.get(question.path, ())
    logic = question.logic
    return logic.calculate is not None and question.type != "calculate" and logic.required is None and not reads_itself


def rows_json(form: Form, index: Mapping[str, int]) -> dict[str, Any]:
    """Return what the JSON of a whole form holds more; `index` numbers the nodes."""
    program = program_of(form)
    own = {index[path]: [_job(job, index) for job in jobs] for path, jobs in program.own.items() if path in index}
    wide = {index[path]: [_job(job, index) for job in jobs] for path, jobs in program.wide.items() if path in index}
    return {
        "engine": ENGINE,
        "own": own,
        "wide": wide,
        "drawn": sorted(index[path] for path in program.drawn),
        "seed": _seed(form.seed, index),
        "actions": [_action(action, form, index) for action in form.actions if action.kind == "setvalue"],
        "places": _places(form, index),
        "outputs": [[index.get(level, -1), ir] for level, ir in form.outputs],
        "choices": {name: [choice.name for choice in items] for name, items in form.lists.items()},
        "labels": {name: [dict(choice.label) for choice in items] for name, items in form.lists.items()},
        "names": {text_id: dict(text) for text_id, text in texts_by_id(form).items()} if form.texts else {},
    }


def row_node(form: Form, node: Question | Group | Repeat, index: Mapping[str, int]) -> dict[str, Any]:
    """Return what a node holds more in the JSON of a whole form."""
    found: dict[str, Any] = {
        "P": node.path,
        "p": index.get(node.row),
        "g": [index[path] for path in program_of(form).local[node.path]],
        "L": whole_text(node.label, form),
    }
    if isinstance(node, Group):
        return found | {"e": node.readonly}
    if isinstance(node, Repeat):
        facts = {"k": node.key, "s": node.slot, "R": 1, "r": node.relevant, "n": node.count, "e": node.readonly}
        is_open = node.count is None and not node.is_fixed
        return found | facts | {"z": _seed(node.template, index), "a": is_open}
    source = [node.rows.nodes, node.rows.value, node.rows.label] if node.rows is not None else None
    part = 4 if "year" in node.appearance else 7 if "month-year" in node.appearance else 0
    is_quick = bool({"quick", "quickcompact"} & set(node.appearance)) and node.type == "select_one"
    twins = of_items(node.choice_filter, NUMBER) if node.choice_filter is not None and has_twins(form, node) else None
    rich = {"y": part or "", "u": range_ends(node), "h": int(is_quick) or "", "F": twins}
    rich["C"] = int(computes(node, form)) or ""
    return found | {"e": node.logic.readonly, "w": source, "b": node.bind} | rich


def whole_text(text: Text, form: Form) -> dict[str, str]:
    """Return a text in every language, so that a missing translation falls back as on the node."""
    return {name: text_in(text, name, form) for name in form.languages or ("",)} if text else {}


def _job(job: Job, index: Mapping[str, int]) -> int:
    return index[job[1]] * len(KINDS) + KINDS.index(job[0])


def _seed(seed: Seed, index: Mapping[str, int]) -> dict[str, Any]:
    values = {index[path]: text for path, text in seed.values.items() if path in index}
    rows = {index[path]: [_seed(inner, index) for inner in rows] for path, rows in seed.rows.items() if path in index}
    return {key: found for key, found in (("v", values), ("r", rows)) if found}


def _places(form: Form, index: Mapping[str, int]) -> list[list[int]]:
    """Return what the device's place is put into: node, and the node whose answer sets it off (-1: the opening)."""
    found = (action for action in form.actions if action.kind == "setgeopoint" and action.path in index)
    return [[index[action.path], index.get(action.trigger, -1)] for action in found]


def _action(action: Action, form: Form, index: Mapping[str, int]) -> dict[str, Any]:
    level = (
        action.at if any(repeat.path == action.at for repeat in form.repeats) else program_of(form).level_of(action.at)
    )
    return {
        "e": action.events,
        "a": index.get(level, -1),
        "w": action.rows,
        "i": index[action.path],
        "v": action.value,
        "t": index.get(action.trigger, -1),
    }
