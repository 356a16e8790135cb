"""What is known of a form while it is read: head, shape, problems; and what every part asks of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree.ElementTree import Element

from collector.forms.expressions import (
    Env,
    ExpressionError,
    Shape,
    build,
    instances_used,
    may_run_long,
    parse,
    patterns_used,
    resolve,
    to_text,
)
from collector.forms.model import IR, OUTPUT, Action, Choice, Group, Question, Repeat, Seed, Text
from collector.forms.report import FormProblem
from collector.forms.xform.elements import JR, Output, Words, child, words_of
from collector.forms.xform.instance import Instance
from collector.forms.xform.list_paths import ListTrees, list_of, plain
from collector.forms.xform.lists import Item

LOGIC = {
    "relevant": "relevant",
    "required": "required",
    "readonly": "readonly",
    "constraint": "constraint",
    "calculate": "calculation",
    "count": "repeat_count",
    "value": "default",
}
ITEXT = re.compile(r"\s*jr:itext\((.*)\)\s*", re.DOTALL)


@dataclass
class Draft:
    """A form on its way; `problems` grows and decides at the end.

    itext: id -> language -> words of a text; forms: id -> form
    ("image", "guidance") -> language -> text. used: lists that something reads; missing: list -> file not given.
    """

    sha256: str
    problems: list[FormProblem] = field(default_factory=list)
    root: Element = field(default_factory=lambda: Element("data"))
    title: str = ""
    languages: tuple[str, ...] = ()
    itext: dict[str, dict[str, Words]] = field(default_factory=dict)
    forms: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    binds: dict[str, dict[str, str]] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)
    trees: ListTrees = field(default_factory=ListTrees)
    used: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    external: list[str] = field(default_factory=list)
    shape: Shape = field(default_factory=lambda: Shape("", {}))
    instance: Instance = field(default_factory=lambda: Instance(frozenset(), {}))
    seed: Seed = field(default_factory=Seed)
    lists: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    outputs: list[IR] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    repeats: dict[str, Repeat] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    pages: list[list[str]] = field(default_factory=list)
    nodes: dict[str, None] = field(default_factory=dict)

    # --- problems and expressions

    def refuse(self, path: str, prop: str, message: str, hint: str, text: str = "") -> None:
        """Note a problem."""
        self.problems.append(FormProblem(path, prop, message, hint, "error", text))

    def compile(
        self, path: str, name: str, text: str | None, *, nodeset: bool = False, outside: bool = False
    ) -> IR | None:
        """Return the IR of an expression of the node `path`; None where there is none or where it is refused."""
        if not text or not text.strip():
            return None
        try:
            ir = self._resolved(text.strip(), path, nodeset=nodeset, outside=outside)
            self._refuse_endless(ir, path, name, text.strip())
            return ir
        except ExpressionError as error:
            caret = error.caret()
            self.problems.append(
                FormProblem(
                    path, LOGIC.get(name, name), f"{error.es}\n{caret}", error.hint_es, "error", text.strip(),
                    f"{error.en}\n{caret}", error.hint,
                )
            )  # fmt: skip
            return None

    def _refuse_endless(self, ir: IR, path: str, name: str, text: str) -> None:
        """One answer against such a pattern would keep a node busy for hours: Python's matcher has no time limit."""
        for pattern in patterns_used(ir):
            if may_run_long(str(pattern)):
                self.refuse(path, LOGIC.get(name, name), f"La expresión regular «{pattern}» puede tardar horas.",
                            "Quite la repetición dentro de la repetición: (a+)+ se escribe a+.", text)  # fmt: skip

    def _resolved(self, text: str, path: str, *, nodeset: bool, outside: bool) -> IR:
        """Return the IR of an expression; lists that it reads and that there were not yet are made."""
        try:
            tree = plain(parse(text), self.trees)
            self._add_lists()
            ir = resolve(tree, self.shape, path, nodeset=nodeset, outside=outside)
        except ExpressionError as error:
            error.text = text
            raise
        self.used |= instances_used(ir)
        return ir

    def _add_lists(self) -> None:
        """Take up the lists that were made of parts of others; what comes from a file stays marked as such."""
        for name in self.trees.made.keys() - self.items.keys():
            self.items[name] = self.trees.items(name)
            self.shape = replace(self.shape, instances={**self.shape.instances, name: ()})
            if name.partition("/")[0] in self.external:
                self.external.append(name)

    def list_named(self, nodeset: str) -> str:
        """Return the list that an itemset offers, "" where it offers rows or cannot be read."""
        try:
            found = list_of(parse(nodeset), self.trees, self.items)
        except ExpressionError:
            return ""
        self._add_lists()
        self.used |= {found}
        return found

    # --- paths

    def absolute(self, ref: str, base: str) -> str:
        """Return a ref of the body as an absolute path; `base` is what it stands in."""
        path: list[str] = [] if ref.startswith("/") else base.split("/")[1:]
        for step in re.sub(r"\[[^]]*\]", "", ref).split("/"):
            if step == "..":
                path = path[:-1]
            elif step.strip() not in ("", ".", "current()"):
                path.append(step.strip())
        return "/" + "/".join(path)

    def row_of(self, path: str) -> str:
        """Return the repeat that a node stands in, "" for none."""
        slot = self.shape.slots.get(path)
        return slot.row if slot is not None and slot.row != self.shape.root else ""

    def key_of(self, path: str) -> str:
        """Return the key of an answer: its path below the enclosing repeat or the root."""
        return path[len(self.row_of(path) or self.shape.root) + 1 :]

    def ancestors(self, path: str) -> tuple[str, ...]:
        """Return the groups and repeats around a node that the form knows, outermost first."""
        steps = path.split("/")
        around = ("/".join(steps[:length]) for length in range(3, len(steps)))
        return tuple(each for each in around if each in self.groups or each in self.repeats)

    # --- texts

    def text(self, words: Mapping[str, Words], path: str) -> Text:
        """Return a text with its outputs compiled for the node `path`."""
        texts = {language: self._filled(parts, path) for language, parts in words.items()}
        return {language: text for language, text in texts.items() if text}

    def _filled(self, words: Words, path: str) -> str:
        return "".join(part if isinstance(part, str) else self._output(part, path) for part in words)

    def _output(self, output: Output, path: str) -> str:
        ir = self.compile(path, "label", output.expression)
        if ir is None:
            return ""
        self.outputs.append([self.shape.row_of(path), ir])
        return f"{OUTPUT}{len(self.outputs) - 1}{OUTPUT}"

    def label(self, element: Element, path: str, name: str = "label") -> Text:
        """Return the label or hint of a control."""
        found = child(element, name)
        if found is None:
            return {}
        ref = found.get("ref")
        if ref:
            return self.text(self.itext.get(self.text_id(ref, path), {}), path)
        return self.text({"": words_of(found)}, path)

    def media(self, element: Element, path: str, name: str = "label") -> dict[str, Text]:
        """Return the other forms of a label or hint: "image", "audio", "guidance"."""
        found = child(element, name)
        ref = found.get("ref") if found is not None else None
        return dict(self.forms.get(self.text_id(ref, path), {})) if ref else {}

    def message(self, path: str, name: str) -> Text:
        """Return the constraint or required message of a node."""
        said = self.binds.get(path, {}).get(f"{JR}{name}")
        if not said:
            return {}
        if not ITEXT.fullmatch(said):
            return {"": said}
        return self.text(self.itext.get(self.text_id(said, path), {}), path)

    def text_id(self, ref: str, path: str) -> str:
        """Return the id in jr:itext('id'); a reckoned one may only use constants."""
        match = ITEXT.fullmatch(ref)
        inner = (match.group(1) if match else ref).strip()
        if re.fullmatch(r"'[^']*'|\"[^\"]*\"", inner):
            return inner[1:-1].strip()
        ir = self.compile(path, "label", inner)
        return to_text(build(ir)(Env([None] * 999))) if ir is not None else ""

    def logic(self, path: str, *names: str) -> dict[str, Any]:
        """Compile the expressions of a bind."""
        bind = self.binds.get(path, {})
        return {name: self.compile(path, name, bind.get(name)) for name in names}
