"""What static/js/rows.js needs of a form beside what every page's JSON holds: rows, jobs, actions, texts by node."""

from collections.abc import Mapping
from typing import Any

from collector.forms.model import Action, Form, Group, Question, Repeat, Seed, Text, text_in
from collector.forms.program import Job, program_of
from collector.forms.state import texts_by_id

KINDS = ("calculate", "relevant", "filter", "count")  # a job is node * 4 + kind; rows.js counts them so too
ENGINE = "rows.js"


def needs_rows(form: Form) -> bool:
    """Tell whether state.js cannot fill this form in: it has rows, actions, or texts that show answers."""
    has_rows = any(question.rows is not None for question in form.questions)
    return bool(form.repeats or form.actions or form.outputs or has_rows)


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
        "L": _whole_text(node.label, form),
    }
    if isinstance(node, Group):
        return found | {"e": node.readonly}
    if isinstance(node, Repeat):
        facts = {"k": node.key, "s": node.slot, "R": 1, "r": node.relevant, "n": node.count, "e": node.readonly}
        return found | facts | {"z": _seed(node.template, index)}
    source = [node.rows.nodes, node.rows.value, node.rows.label] if node.rows is not None else None
    return found | {"e": node.logic.readonly, "w": source, "b": node.bind}


def _whole_text(text: Text, form: Form) -> dict[str, str]:
    """Return a text in every language, so that a missing translation falls back as on the node."""
    return {name: text_in(text, name, form) for name in form.languages or ("",)} if text else {}


def _job(job: Job, index: Mapping[str, int]) -> int:
    return index[job[1]] * len(KINDS) + KINDS.index(job[0])


def _seed(seed: Seed, index: Mapping[str, int]) -> dict[str, Any]:
    values = {index[path]: text for path, text in seed.values.items() if path in index}
    rows = {index[path]: [_seed(inner, index) for inner in rows] for path, rows in seed.rows.items() if path in index}
    return {key: found for key, found in (("v", values), ("r", rows)) if found}


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
