"""The survey page of one form: what the template draws, and the JSON that the page's scripts read.

One walk over the form numbers its nodes and lists its texts, so that the page and the JSON speak of the same ones.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from collector.fill_rows import needs_rows, row_node, rows_json
from collector.forms.expressions import columns_used, functions_used, instances_used, labels_used, scripts_needed
from collector.forms.model import IR, Choice, Form, Group, Question, Repeat, Text, language_code, text_in
from collector.forms.program import program_of
from collector.forms.state import Filling, choice_text, language_of, texts_by_id

LONG_LIST = 12  # above this a list is a <select>: light, and phones know how to show it
APART = ("ns", "nr")  # «No sé», «Prefiero no decir»: drawn apart, stored like any choice
SCALE = tuple(str(number) for number in range(11))

# sentences that the scripts write; keys are those of state.js problems and of fill.js
UI = {
    "step": "Pregunta {n} de {total}",
    "required": "Falta una respuesta. Responda esta pregunta para seguir.",
    "type": "Esta respuesta no tiene la forma que se espera. Revísela.",
    "choice": "Elija una de las opciones de la lista.",
    "constraint": "Esta respuesta no es válida. Revísela.",
}
TYPE_HELP = {
    "integer": "Escriba un número entero, por ejemplo 3.",
    "decimal": "Escriba un número, por ejemplo 2.5.",
    "date": "Escriba una fecha que exista, por ejemplo 2026-11-20.",
    "text": "El texto es demasiado largo. Escríbalo más corto.",
}


@dataclass
class Words:
    """Gives texts in the page's language, and lists those that have translations in the order they stand in the page.

    `data-t` marks each of them; the scripts find the translation by its place in the page. A page holds the same texts
    in the same order whatever is answered, so that every drawing of a form fits its JSON.
    """

    form: Form
    language: str
    english: Mapping[str, str]
    marked: list[Text] = field(default_factory=list)

    def ui(self, sentence: str) -> Text:
        """Return one of our own sentences in every language of the form; Spanish where we have no other."""
        languages = self.form.languages or ("",)
        code = {name: language_code(name) for name in languages}
        return {name: self.english.get(sentence, sentence) if code[name] == "en" else sentence for name in languages}

    def plain(self, text: Text) -> str:
        """Return the text in the page's language."""
        return text_in(text, self.language, self.form)

    def attribute(self, text: Text) -> Markup:
        """Return ` data-t` for a text that has translations, else nothing."""
        return Markup(" data-t") if self._mark(text) else Markup("")

    def __call__(self, text: Text | str) -> Markup:
        """Return the text as markup, wrapped for translation where it has several languages."""
        both = self.ui(text) if isinstance(text, str) else text
        words = escape(self.plain(both)).replace("\n", Markup("<br>"))
        return Markup("<span data-t>{}</span>").format(words) if self._mark(both) else words

    def _mark(self, text: Text) -> bool:
        differs = len({text_in(text, name, self.form) for name in self.form.languages}) > 1
        if differs:
            self.marked.append(text)
        return differs

    def by_language(self) -> dict[str, list[str]]:
        """Return language -> texts in page order, for the JSON; the page itself holds its own language."""
        return {
            name: [text_in(text, name, self.form) for text in self.marked]
            for name in self.form.languages
            if name != self.language
        }


@dataclass(frozen=True)
class Item:
    """A question or a group heading as the template draws it."""

    index: int
    node: Question | Group
    control: str  # group note text area integer decimal date list box scale many
    shown: bool
    value: str = ""
    trouble: str = ""
    choices: tuple[Choice, ...] = ()
    apart: tuple[Choice, ...] = ()
    offered: frozenset[str] = frozenset()


def control_of(question: Question, form: Form) -> str:
    """Return the name of the control that asks `question`."""
    if question.type == "text":
        return "area" if "multiline" in question.appearance else "text"
    if question.type == "select_multiple":
        return "many"
    if question.type != "select_one":
        return question.type
    names = [choice.name for choice in form.lists[question.list_name]]
    if set(SCALE) <= set(names):
        return "scale"
    return "box" if len(names) > LONG_LIST or "minimal" in question.appearance else "list"


def page_items(filling: Filling, words: Words, page: int, troubles: Mapping[str, str]) -> list[Item]:
    """Return what page number `page` shows, group headings included, in form order."""
    form = filling.form
    wanted = set(form.pages[page])
    groups = {path for question in form.questions if question.path in wanted for path in question.groups}
    nodes: dict[str, Question | Group] = {group.path: group for group in form.groups if group.path in groups}
    nodes |= {question.path: question for question in form.questions if question.path in wanted}
    index = {path: number for number, path in enumerate(form.nodes)}
    return [
        _item(filling, words, nodes[path], index[path], troubles.get(path, "")) for path in form.nodes if path in nodes
    ]


def _item(filling: Filling, words: Words, node: Question | Group, index: int, trouble: str) -> Item:
    shown = filling.relevant[node.path]
    if isinstance(node, Group):
        return Item(index, node, "group", shown)
    choices = filling.form.lists.get(node.list_name, ())
    control = control_of(node, filling.form)
    apart = tuple(c for c in choices if c.name in APART and control in ("list", "scale"))
    return Item(
        index=index,
        node=node,
        control=control,
        shown=shown,
        value=filling.raw[node.path],
        trouble=trouble,
        choices=tuple(c for c in choices if c not in apart),
        apart=apart,
        # nothing fits yet (the province is not chosen): without scripts people may pick at once, the node checks
        offered=frozenset(filling.choices(node.path) or (choice.name for choice in choices)),
    )


def sentence_for(form: Form, question: Question, trouble: str, words: Words) -> str:
    """Return what to say beside a field: the form's own message, else ours."""
    said = {"required": question.required_message, "constraint": question.constraint_message}.get(trouble, {})
    ours = TYPE_HELP.get(question.type, UI["type"]) if trouble == "type" else UI[trouble]
    return words.plain(said) or words.plain(words.ui(ours))


def fill_json(form: Form, words: Words, *, whole: bool = False) -> bytes:
    """Return what the page's scripts need of the form, as JSON. `words` has walked the whole page before.

    whole: with what rows.js needs, also for a form that state.js can fill in.
    """
    whole = whole or needs_rows(form)
    index = {path: number for number, path in enumerate(form.nodes)}
    plain = {q.list_name for q in form.questions if q.list_name and q.choice_filter is None}
    languages = form.languages or ("",)
    content = {
        "form": form.form_id,
        "version": form.version,
        "sha": form.sha256[:16],
        "title": form.title,
        "langs": languages,
        "codes": {name: language_code(name) for name in languages},
        "nodes": [_node(form, path, index, whole) for path in form.nodes],
        "order": [index[path] for path in form.order],
        "pages": [[index[path] for path in page] for page in form.pages],
        # columns only of lists that an expression reads; names of the others
        "lists": _lists(form),
        "choices": {name: [choice.name for choice in form.lists[name]] for name in sorted(plain)},
        "ui": {name: {key: words.ui(text)[name] for key, text in _spoken(form).items()} for name in languages},
        "texts": words.by_language(),
    }
    if whole:
        content |= rows_json(form, index)
    more = form_scripts(form)
    if more:
        content["more"] = more
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _spoken(form: Form) -> dict[str, str]:
    """Return the sentences of ours that this form can need: those its own messages do not cover."""
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
    needed = max((scripts_needed(ir, type) for ir, type in _expressions(form)), key=len, default=())
    return needed or (("functions.js",) if needs_rows(form) else ())


def _expressions(form: Form) -> Iterator[tuple[IR, str]]:
    """Yield the expressions that the page evaluates, with the bind type that keeps their value."""
    found = [(group.relevant, "string") for group in form.groups]
    found += [(ir, "string") for repeat in form.repeats for ir in (repeat.relevant, repeat.readonly, repeat.count)]
    found += [(ir, "string") for action in form.actions for ir in (action.rows, action.value)]
    found += [(ir, "string") for _, ir in form.outputs]
    for question in form.questions:
        logic = question.logic
        conditions = (logic.relevant, logic.required, logic.constraint, question.choice_filter)
        found += [(ir, "string") for ir in conditions]
        found.append((logic.calculate, question.bind))
    yield from ((ir, type) for ir, type in found if ir is not None)


def _lists(form: Form) -> dict[str, dict[str, list[str | None]]]:
    """Return the lists that expressions look into, by column; and texts by language for those that ask for texts."""
    expressions = [ir for ir, _ in _expressions(form)]
    used = {name for ir in expressions for name in instances_used(ir)}
    columns = {column for ir in expressions for column in columns_used(ir)}
    found = {name: _columns(items, columns) for name, items in form.lists.items() if name in used}
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


def _node(form: Form, path: str, index: Mapping[str, int], whole: bool) -> dict[str, Any]:
    node = program_of(form).groups.get(path) or program_of(form).repeats.get(path) or form.question(path)
    facts = _group_node(node, index) if not isinstance(node, Question) else _question_node(node, index)
    return _lean(facts | (row_node(form, node, index) if whole else {}))


def _group_node(group: Group | Repeat, index: Mapping[str, int]) -> dict[str, Any]:
    return {"k": group.path, "s": 0, "g": [index[p] for p in group.groups], "r": group.relevant}


def _question_node(question: Question, index: Mapping[str, int]) -> dict[str, Any]:
    logic = question.logic
    messages = {
        "required": dict(question.required_message),
        "constraint": dict(question.constraint_message),
    }
    return {
        "k": question.key,
        "s": question.slot,
        "t": question.type,
        "b": question.bind if logic.calculate else "",
        "g": [index[p] for p in question.groups],
        "r": logic.relevant,
        "q": 1 if logic.required == ["f", "true"] else logic.required,
        "c": logic.constraint,
        "x": logic.calculate,
        "f": question.choice_filter,
        "l": question.list_name,
        "d": question.default,
        "m": {name: text for name, text in messages.items() if text},
    }


def _lean(node: dict[str, Any]) -> dict[str, Any]:
    keep = ("k", "s")
    return {key: value for key, value in node.items() if key in keep or value not in (None, "", {}, [])}


def shown_pages(filling: Filling) -> list[int]:
    """Return the numbers of pages with something to ask or to say now."""
    return [page for page in range(len(filling.form.pages)) if filling.page_is_shown(page)]


def page_troubles(filling: Filling, page: int, words: Words) -> dict[str, str]:
    """Return path -> sentence for each answer of the page that is not right."""
    found = ((path, filling.trouble(path)) for path in filling.form.pages[page])
    return {
        path: sentence_for(filling.form, filling.program.questions[path], trouble, words)
        for path, trouble in found
        if trouble
    }


def everything(filling: Filling, words: Words, troubles: Mapping[str, str]) -> Iterator[tuple[int, list[Item]]]:
    """Give each page with its items: the page holds the whole form, one part of it visible."""
    for page in range(len(filling.form.pages)):
        yield page, page_items(filling, words, page, troubles)
