"""What the page's scripts read of a form, as JSON: logic as IR, names of choices, our sentences, translations."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from collector.fill.rich import is_rich
from collector.fill.rows import NUMBER, row_node, rows_json, whole_text
from collector.fill.tongues import has_gaps
from collector.fill.words import PLACE_UI, RICH_UI, SOUND_UI, TYPE_HELP, UI, Words, file_name
from collector.forms.expressions import columns_used, functions_used, instances_used, labels_used, scripts_needed
from collector.forms.model import IR, Choice, Form, Group, Question, Repeat, Text, language_code, text_in
from collector.forms.plain_words import plain_words
from collector.forms.program import program_of
from collector.forms.state import choice_text, language_of, texts_by_id
from collector.forms.twins import has_twins, list_read

DEVICE = "deviceid"
COMMON = ("functions.js",)
FACES = frozenset(str(number) for number in range(11))


@lru_cache(maxsize=256)
def page_nodes(form: Form) -> tuple[str, ...]:
    """Return the nodes that the page knows by number: all where rows.js runs, those with a say for state.js."""
    if is_rich(form):
        return form.nodes
    ends = end_times(form)
    silent = {q.path for q in form.questions if q.type == "calculate" and q.path not in ends and not q.default
              and q.logic.calculate is None and q.property != DEVICE}  # fmt: skip
    return tuple(path for path in form.nodes if path not in silent)


def end_times(form: Form) -> dict[str, IR]:
    """Return path -> value of what is set when the record is finished: state.js calculates it all the time."""
    return {action.path: action.value for action in form.actions if action.events == ("finish",) and action.value}


def fill_json(form: Form, words: Words, *, whole: bool = False, node_id: str = "") -> bytes:
    """Return what the page's scripts need of the form, as JSON. `words` has walked the whole page before.

    whole: with what rows.js needs, also for a form that state.js can fill in. node_id: what a form that asks for its
    device is told: phones of citizens have no name of their own.
    """
    whole = whole or is_rich(form)
    nodes = form.nodes if whole else page_nodes(form)
    index = {path: number for number, path in enumerate(nodes)}
    ends = {} if whole else end_times(form)
    plain = {q.list_name for q in form.questions if q.list_name and q.choice_filter is None}
    languages = form.languages or ("",)
    content = {
        "form": form.form_id,
        "version": form.version,
        "sha": form.sha256[:16],
        "codes": {name: language_code(name) for name in languages},
        "nodes": [_node(form, path, index, whole, ends.get(path)) | _device(form, path, node_id) for path in nodes],
        "order": [index[path] for path in (*form.order, *ends)],
        # columns only of lists that an expression reads; names of the others
        "lists": _lists(form),
        "choices": {name: [choice.name for choice in form.lists[name]] for name in sorted(plain)},
        "ui": {name: {key: words.ui(text)[name] for key, text in _spoken(form).items()} for name in languages},
        "texts": words.by_language(),
    }
    if whole:
        files = [{name: file_name(text_in(text, name, form)) for name in languages} for text in words.files]
        content |= rows_json(form, index) | {
            "langs": languages,
            "says": [_plain(text) for text in words.said],
            "files": files,
        }
    more = form_scripts(form)
    if more:
        content["more"] = more
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _spoken(form: Form) -> dict[str, str]:
    """Return the sentences of ours that this form can need: those its own messages do not cover."""
    if is_rich(form):
        types = {question.type for question in form.questions}
        return UI | RICH_UI | (SOUND_UI if "audio" in types else {}) | (PLACE_UI if "geopoint" in types else {})
    asked = [question for question in form.questions if question.page >= 0]
    needed = {
        "step": True,
        "required": any(q.logic.required and not q.required_message for q in asked),
        "type": any(q.type in TYPE_HELP for q in asked),
        "choice": True,
        "constraint": any(q.logic.constraint and not q.constraint_message for q in asked),
    }
    return {key: text for key, text in UI.items() if needed[key]}


@lru_cache(maxsize=256)
def form_scripts(form: Form) -> tuple[str, ...]:
    """Return the scripts of static/js that this form's expressions need besides engine.js."""
    needed = {scripts_needed(ir, type) for ir, type in _expressions(form)} | ({COMMON} if is_rich(form) else set())
    # what functions.js knows of the moment goes beyond now.js
    engine = max(needed, key=lambda scripts: (len(scripts), scripts == COMMON), default=())
    scales = {name for name, items in form.lists.items() if {choice.name for choice in items} >= FACES}
    has_faces = any(q.type == "select_one" and q.list_name in scales for q in form.questions)
    return (*engine, *(["scale.js"] if has_faces else []), *(["tongues.js"] if has_gaps(form) else []))


def _expressions(form: Form) -> Iterator[tuple[IR, str]]:
    """Yield the expressions that the page evaluates, with the bind type that keeps their value."""
    found = [(ir, "string") for group in form.groups for ir in (group.relevant, group.readonly)]
    found += [(ir, "string") for repeat in form.repeats for ir in (repeat.relevant, repeat.readonly, repeat.count)]
    found += [(ir, "string") for action in form.actions for ir in (action.rows, action.value)]
    found += [(ir, "string") for _, ir in form.outputs]
    for question in form.questions:
        logic = question.logic
        conditions = (logic.relevant, logic.required, logic.constraint, logic.readonly, question.choice_filter)
        found += [(ir, "string") for ir in conditions]
        found.append((logic.calculate, question.bind))
    yield from ((ir, type) for ir, type in found if ir is not None)


def _lists(form: Form) -> dict[str, dict[str, list[str | None]]]:
    """Return the lists that expressions look into, by column; and texts by language for those that ask for texts."""
    expressions = [ir for ir, _ in _expressions(form)]
    used = {name for ir in expressions for name in instances_used(ir)}
    columns = {column for ir in expressions for column in columns_used(ir)}
    found = {name: _columns(items, columns) for name, items in form.lists.items() if name in used}
    for name in {list_read(q.choice_filter) for q in form.questions if q.choice_filter and has_twins(form, q)}:
        found[name][NUMBER] = [str(number) for number in range(len(form.lists[name]))]
    for path in sorted({path for ir in expressions for path in labels_used(ir)} & {q.path for q in form.questions}):
        found[path] = _labels(form, form.lists.get(form.question(path).list_name, ()))
    if any("jr:itext" in functions_used(ir) for ir in expressions):
        found["jr:itext"] = _texts(form)
    return found


def _columns(items: tuple[Choice, ...], wanted: set[str]) -> dict[str, list[str | None]]:
    """Return the wanted columns of a list: a third of the bytes of a list of objects. null: the item lacks it."""
    rest = dict.fromkeys(name for choice in items for name in choice.columns if name in wanted and name != "name")
    return {name: [choice.columns.get(name) for choice in items] for name in ("name", *rest)}


def _labels(form: Form, items: tuple[Choice, ...]) -> dict[str, list[str | None]]:
    """Return what jr:choice-name() finds: a column with the labels for each language, under its code."""
    names: list[str | None] = [choice.name for choice in items]
    return {"name": names} | {
        code: [choice_text(choice, language_of(form, code), form) for choice in items] for code in _codes(form)
    }


def _texts(form: Form) -> dict[str, list[str | None]]:
    """Return what jr:itext() finds, in the same way."""
    texts = texts_by_id(form)
    names: list[str | None] = list(texts)
    return {"name": names} | {
        code: [text_in(text, language_of(form, code), form) for text in texts.values()] for code in _codes(form)
    }


def _codes(form: Form) -> list[str]:
    return sorted({language_code(name) for name in form.languages or ("",)})


def _node(form: Form, path: str, index: Mapping[str, int], whole: bool, end: IR | None) -> dict[str, Any]:
    program = program_of(form)
    node = program.groups.get(path) or program.repeats.get(path) or program.questions[path]
    facts = _group_node(node, index) if not isinstance(node, Question) else _question_node(form, node, index, end)
    return _lean(facts | (row_node(form, node, index) if whole else {}))


def _device(form: Form, path: str, node_id: str) -> dict[str, str]:
    question = program_of(form).questions.get(path)
    return {"d": node_id} if node_id and question is not None and question.property == DEVICE else {}


def _group_node(group: Group | Repeat, index: Mapping[str, int]) -> dict[str, Any]:
    return {"k": group.path, "s": 0, "g": [index[p] for p in group.groups], "r": group.relevant}


def _question_node(form: Form, question: Question, index: Mapping[str, int], end: IR | None) -> dict[str, Any]:
    logic = question.logic
    calculate = logic.calculate or end
    said = {"required": question.required_message, "constraint": question.constraint_message}
    messages = {name: _plain(whole_text(text, form)) for name, text in said.items() if text}
    return {
        "k": question.key,
        "s": question.slot,
        "t": question.type,
        "b": question.bind if calculate else "",
        "g": [index[p] for p in question.groups],
        "r": logic.relevant,
        "q": 1 if logic.required == ["f", "true"] else logic.required,
        "c": logic.constraint,
        "x": calculate,
        "f": question.choice_filter,
        "l": question.list_name,
        "d": question.default,
        "e": int(_is_always_closed(form, question)) or "",
        "m": messages,
    }


def _is_always_closed(form: Form, question: Question) -> bool:
    """Tell whether people never write there; closed by an answer is for rows.js, whose forms say the whole rule."""
    groups = program_of(form).groups
    rules = [question.logic.readonly, *(groups[path].readonly for path in question.groups if path in groups)]
    return ["f", "true"] in rules


def _plain(text: Text) -> dict[str, str]:
    return {name: plain_words(said) for name, said in text.items()}


def _lean(node: dict[str, Any]) -> dict[str, Any]:
    keep = ("k", "s")
    return {key: value for key, value in node.items() if key in keep or value not in (None, "", {}, [])}
