"""What static/js/rows.js needs of a form beside what every page's JSON holds: rows, jobs, actions, texts by node."""

from collections.abc import Mapping
from typing import Any

from collector.fill.rich import LARGE_LIST, is_shuffled
from collector.forms.fitting import range_ends
from collector.forms.model import Action, Form, Group, Question, Repeat, Seed, Text, text_in
from collector.forms.plain_words import plain_words
from collector.forms.program import Job, program_of
from collector.forms.state import texts_by_id
from collector.forms.twins import has_twins, of_items

KINDS = ("calculate", "relevant", "filter", "count")  # a job is node * 4 + kind; rows.js counts them so too
ENGINE = "rows.js"
NUMBER = "#"  # the column of a list with twins that numbers its items


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
        "shown": _shown_labels(form),
        "names": {text_id: dict(text) for text_id, text in texts_by_id(form).items()} if form.texts else {},
    }


def _shown_labels(form: Form) -> dict[str, list[Text]]:
    """Return list -> labels without marks, of the lists that the scripts draw and whose labels have any.

    `labels` keeps the marks: jr:choice-name() gives a label to expressions as it was written.
    """
    found: dict[str, list[Text]] = {}
    for name in sorted({question.list_name for question in form.questions if _is_drawn_by_scripts(form, question)}):
        said: list[Text] = [choice.label for choice in form.lists[name]]
        plain: list[Text] = [{key: plain_words(text) for key, text in label.items()} for label in said]
        if plain != said:
            found[name] = plain
    return found


def _is_drawn_by_scripts(form: Form, question: Question) -> bool:
    if not question.list_name or question.rows is not None:
        return False
    is_large = len(form.lists[question.list_name]) > LARGE_LIST
    return is_large or is_shuffled(question) or has_twins(form, question)


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
    rich["C"] = int(node.path in program_of(form).computed) or ""
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
