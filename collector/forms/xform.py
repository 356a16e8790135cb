"""XForm XML -> Form. Reads what pyxform, ODK Build and hands write; refuses by path what this release cannot ask.

head: title, itext, instances, binds          body: groups, inputs, selects
      \\__________ one Draft ___________________________/ -> Form
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.expressions import ExpressionError, Shape, Slot, compile_text, reads
from collector.forms.model import IR, Choice, Form, Group, Logic, Question, Text
from collector.forms.report import FormErrors, FormProblem

JR = "{http://openrosa.org/javarosa}"
LOGIC = {
    "relevant": "relevant",
    "required": "required",
    "readonly": "readonly",
    "constraint": "constraint",
    "calculate": "calculation",
}
INPUTS = {"string": "text", "int": "integer", "integer": "integer", "decimal": "decimal", "date": "date"}
# what a form asks the device for, as expressions over our own clock; others stay empty
PRELOADS = {("timestamp", "start"): "once(now())", ("timestamp", "end"): "now()", ("date", "today"): "today()"}
REFUSED_CONTROLS = ("repeat", "upload", "trigger", "range", "rank", "secret", "setvalue", "setgeopoint", "recordaudio")
Texts = dict[str, dict[str, str]]


def local(element: Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *names: str) -> Iterator[Element]:
    """Give the children with one of these local names."""
    return (child for child in element if isinstance(child.tag, str) and local(child) in names)


def child(element: Element, name: str) -> Element | None:
    """Return the first child with this local name."""
    return next(children(element, name), None)


def read_xform(xml: str) -> Form:
    """Return the typed form. Raises FormErrors with every problem found, each with the path it belongs to."""
    try:
        document = SafeXml.fromstring(xml)
    except (SafeXml.ParseError, DefusedXmlException, ValueError) as error:
        raise FormErrors([FormProblem("", "settings", f"El XForm no se puede leer: {error}", "")]) from error
    draft = _Draft(document, hashlib.sha256(xml.encode()).hexdigest())
    form = draft.build()
    if draft.problems:
        raise FormErrors(draft.problems)
    return form


@dataclass
class _Control:
    """A question of the body on its way into the form."""

    element: Element
    path: str
    groups: tuple[str, ...]


@dataclass
class _Draft:
    """What is known of a form while it is read; `problems` grows and decides at the end."""

    document: Element
    sha256: str
    problems: list[FormProblem] = field(default_factory=list)
    controls: list[_Control] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    pages: list[list[str]] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)

    def build(self) -> Form:
        """Read every part in order and put the form together."""
        self._read_head()
        self._read_shape()
        if self.body is not None:
            self._walk(self.body, (), False)
        page_of = {path: number for number, page in enumerate(filter(None, self.pages)) for path in page}
        questions = [self._question(control, page_of[control.path]) for control in self.controls]
        shown = {question.path for question in questions}
        questions += [question for question in self._computed(shown) if question]
        if not any(question.page >= 0 and question.type != "note" for question in questions):
            self._refuse(
                "", "settings", "El formulario no tiene preguntas.", "Agregue al menos una pregunta en survey."
            )
        return Form(
            form_id=self.root.get("id") or local(self.root),
            version=self.root.get("version") or self.sha256[:10],
            sha256=self.sha256,
            title=self.title,
            root=self.shape.root,
            languages=self.languages,
            questions=tuple(questions),
            groups=tuple(self.groups),
            lists=self.lists,
            pages=tuple(tuple(page) for page in self.pages if page),
            order=self._order(questions),
            nodes=tuple(dict.fromkeys([*self.nodes, *(question.path for question in questions)])),
        )

    # --- head

    def _read_head(self) -> None:
        head = child(self.document, "head")
        self.body = child(self.document, "body")
        model = child(head, "model") if head is not None else None
        if head is None or model is None:
            raise FormErrors([FormProblem("", "settings", "No es un XForm: le falta head o model.", "")])
        title = child(head, "title")
        self.title = (title.text or "").strip() if title is not None else ""
        self._read_itext(model)
        self._read_instances(model)
        for action in children(model, "setvalue", "setgeopoint", "recordaudio"):
            self._refuse(action.get("ref", ""), "default", f"La acción «{local(action)}» todavía no se admite.", "")
        self.binds = {bind.get("nodeset", ""): bind for bind in children(model, "bind")}
        self.title = self.title or self.root.get("id", "")
        for name in ("id", "version"):
            if "/" in self.root.get(name, ""):
                self._refuse("", "settings", f"El {name} del formulario lleva «/»: {self.root.get(name)}.",
                             "Use letras, números, guion y punto: es parte de la dirección.")  # fmt: skip

    def _read_itext(self, model: Element) -> None:
        self.itext: Texts = {}
        names: list[str] = []
        itext = child(model, "itext")
        for translation in children(itext, "translation") if itext is not None else ():
            lang = translation.get("lang", "")
            names.insert(0 if translation.get("default") else len(names), lang)
            for text in children(translation, "text"):
                value = next((v for v in children(text, "value") if v.get("form") is None), None)
                words = self._words(value, text.get("id", "")) if value is not None else ""
                if words and words != "-":  # pyxform writes "-" where a translation is missing
                    self.itext.setdefault(text.get("id", ""), {})[lang] = words
        self.languages = tuple(names)

    def _words(self, element: Element, text_id: str) -> str:
        if child(element, "output") is not None:
            path, _, part = text_id.partition(":")
            prop = {"hint": "hint", "jr:constraintMsg": "constraint_message"}.get(part, "label")
            self._refuse(
                path if path.startswith("/") else "",
                prop,
                "El texto usa ${…} y eso todavía no se puede mostrar.",
                "Escriba la pregunta sin ${…}.",
                "".join(element.itertext()),
            )
        return " ".join("".join(element.itertext()).split(" ")).strip()

    def _read_instances(self, model: Element) -> None:
        instances = list(children(model, "instance"))
        first = next((e for e in instances[0] if isinstance(e.tag, str)), None) if instances else None
        if first is None:
            raise FormErrors([FormProblem("", "settings", "El XForm no tiene instancia primaria.", "")])
        self.root = first
        self.lists: dict[str, tuple[Choice, ...]] = {}
        for instance in instances[1:]:
            name = instance.get("id", "")
            if instance.get("src"):
                self._refuse("", "choice_filter", f"La lista «{name}» viene de un archivo aparte.",
                             "Todavía no: ponga las opciones en la hoja choices.")  # fmt: skip
            items = [item for root in instance for item in children(root, "item")]
            self.lists[name] = tuple(self._choice(item) for item in items)

    def _choice(self, item: Element) -> Choice:
        columns = {local(cell): (cell.text or "").strip() for cell in item}
        label = self._itext(columns["itextId"]) if "itextId" in columns else {"": columns.get("label", "")}
        return Choice(columns.get("name", ""), label, columns)

    def _itext(self, text_id: str) -> Text:
        return self.itext.get(text_id, {})

    # --- shape: every node of the primary instance has a slot in the row

    def _read_shape(self) -> None:
        root = "/" + local(self.root)
        slots: dict[str, Slot] = {root: Slot(root, 0, root, "group", "string")}
        self.defaults: dict[str, str] = {}
        index = 0
        for path, element in _nodes(self.root, root):
            if len(element):
                slots[path] = Slot(path, 0, root, "group", "string")
                continue
            bind = self.binds.get(path)
            kind = (bind.get("type") if bind is not None else None) or "string"
            index += 1
            slots[path] = Slot(path, index, root, "value", kind.rpartition(":")[2])
            self.defaults[path] = (element.text or "").strip()
        columns = {
            name: tuple(dict.fromkeys(column for choice in items for column in choice.columns))
            for name, items in self.lists.items()
        }
        self.shape = Shape(root, slots, columns)

    # --- body

    def _walk(self, element: Element, groups: tuple[str, ...], same_page: bool) -> None:
        for item in element:
            name = local(item) if isinstance(item.tag, str) else ""
            if name == "group":
                self._walk_group(item, groups, same_page)
            elif name in ("input", "select1", "select"):
                self._place(item, groups, same_page)
            elif name in REFUSED_CONTROLS:
                self._refuse(self._ref(item), "type", f"El tipo «{name}» todavía no se puede preguntar.",
                             "Quítelo o cámbielo por un tipo de la lista en docs/publishing.md.")  # fmt: skip

    def _walk_group(self, item: Element, groups: tuple[str, ...], same_page: bool) -> None:
        path = self._ref(item)
        appearance = tuple((item.get("appearance") or "").split())
        opens_page = "field-list" in appearance and not same_page
        if opens_page:
            self.pages.append([])
        if path:
            bind = self.binds.get(path)
            relevant = self._compile(path, "relevant", bind.get("relevant")) if bind is not None else None
            page = len(self.pages) - 1 if opens_page or same_page else -1
            self.groups.append(Group(path, self._label(item, path), relevant, appearance, page, groups))
            self.nodes.append(path)
        self._walk(item, (*groups, path) if path else groups, same_page or opens_page)

    def _place(self, item: Element, groups: tuple[str, ...], same_page: bool) -> None:
        path = self._ref(item)
        if path not in self.shape.slots:
            self._refuse(path, "type", f"La pregunta {path} no está en la instancia del formulario.", "")
            return
        if not same_page:
            self.pages.append([])
        self.pages[-1].append(path)
        self.controls.append(_Control(item, path, groups))
        self.nodes.append(path)

    def _ref(self, item: Element) -> str:
        ref = item.get("ref") or item.get("nodeset") or ""
        return ref if ref.startswith("/") or not ref else f"{self.shape.root}/{ref}"

    def _label(self, element: Element, path: str, name: str = "label") -> Text:
        found = child(element, name)
        if found is None:
            return {}
        ref = found.get("ref") or ""
        if ref.startswith("jr:itext("):
            return self._itext(ref[len("jr:itext(") : -1].strip("'\" "))
        words = self._words(found, f"{path}:{name}")
        return {"": words} if words else {}

    def _message(self, bind: Element | None, name: str) -> Text:
        said = bind.get(f"{JR}{name}") if bind is not None else None
        if not said:
            return {}
        return self._itext(said[len("jr:itext(") : -1].strip("'\" ")) if said.startswith("jr:itext(") else {"": said}

    # --- questions

    def _question(self, control: _Control, page: int) -> Question:
        path, item = control.path, control.element
        bind = self.binds.get(path)
        slot = self.shape.slots[path]
        list_name, choice_filter = self._itemset(control) if local(item) != "input" else ("", None)
        return Question(
            path=path,
            key=path[len(self.shape.root) + 1 :],
            name=path.rpartition("/")[2],
            type=self._type(control, bind, slot.type),
            bind=slot.type,
            slot=slot.index,
            page=page,
            label=self._label(item, path),
            hint=self._label(item, path, "hint"),
            appearance=tuple((item.get("appearance") or "").split()),
            list_name=list_name,
            choice_filter=choice_filter,
            logic=self._logic(path, bind),
            constraint_message=self._message(bind, "constraintMsg"),
            required_message=self._message(bind, "requiredMsg"),
            default=self.defaults.get(path, ""),
            groups=control.groups,
        )

    def _type(self, control: _Control, bind: Element | None, kind: str) -> str:
        name = local(control.element)
        if name != "input":
            return {"select1": "select_one", "select": "select_multiple"}[name]
        readonly = bind is not None and (bind.get("readonly") or "").strip() == "true()"
        if readonly and kind == "string" and bind is not None and not bind.get("calculate"):
            return "note"
        if kind not in INPUTS:
            self._refuse(control.path, "type", f"El tipo «{kind}» todavía no se puede preguntar.",
                         "Use text, integer, decimal, date, select_one o select_multiple.")  # fmt: skip
        return INPUTS.get(kind, "text")

    def _itemset(self, control: _Control) -> tuple[str, IR | None]:
        itemset = child(control.element, "itemset")
        if itemset is None:
            return self._inline_choices(control), None
        nodeset = (itemset.get("nodeset") or "").strip()
        list_name = nodeset.partition("instance('")[2].partition("'")[0]
        if list_name not in self.lists:
            self._refuse(control.path, "choice_filter", f"No se entiende de dónde salen las opciones: {nodeset}", "")
            return "", None
        if "[" not in nodeset:
            return list_name, None
        value = child(itemset, "value")
        leaf = value.get("ref") if value is not None else "name"
        return list_name, self._compile(control.path, "choice_filter", f"{nodeset}/{leaf}")

    def _inline_choices(self, control: _Control) -> str:
        choices = []
        for item in children(control.element, "item"):
            value = child(item, "value")
            name = (value.text or "").strip() if value is not None else ""
            choices.append(Choice(name, self._label(item, control.path), {"name": name}))
        self.lists[control.path] = tuple(choices)
        return control.path

    def _computed(self, shown: set[str]) -> Iterator[Question | None]:
        """Give the calculates and what the device tells by itself, for nodes without a control."""
        for path, bind in self.binds.items():
            slot = self.shape.slots.get(path)
            if path in shown or slot is None or slot.kind != "value" or "/meta/" in path:
                continue
            preload = PRELOADS.get((bind.get(f"{JR}preload") or "", bind.get(f"{JR}preloadParams") or ""))
            text = bind.get("calculate") or preload
            logic = self._logic(path, bind)
            if preload and not bind.get("calculate"):
                logic = Logic(relevant=logic.relevant, calculate=self._compile(path, "calculate", text))
            groups = tuple(g.path for g in self.groups if path.startswith(g.path + "/"))
            key = path[len(self.shape.root) + 1 :]
            yield Question(path, key, key.rpartition("/")[2], "calculate", slot.type, slot.index, -1, {}, {},
                           logic=logic, default=self.defaults.get(path, ""), groups=groups)  # fmt: skip

    def _logic(self, path: str, bind: Element | None) -> Logic:
        if bind is None:
            return Logic()
        return Logic(**{name: self._compile(path, name, bind.get(name)) for name in LOGIC})

    def _compile(self, path: str, name: str, text: str | None) -> IR | None:
        if not text or not text.strip():
            return None
        try:
            return compile_text(text.strip(), self.shape, path)
        except ExpressionError as error:
            caret = error.caret()
            self.problems.append(
                FormProblem(
                    path, LOGIC.get(name, name), f"{error.es}\n{caret}", error.hint_es, "error", text.strip(),
                    f"{error.en}\n{caret}", error.hint,
                )
            )  # fmt: skip
            return None

    def _order(self, questions: list[Question]) -> tuple[str, ...]:
        """Return calculates so that each stands after those it reads; a cycle is refused by naming its fields."""
        calculates = {q.path: q.logic.calculate for q in questions if q.logic.calculate is not None}
        needs = {
            path: [other for other in reads(ir, self.shape, path) if other in calculates and other != path]
            for path, ir in calculates.items()
        }
        done: dict[str, None] = {}
        while len(done) < len(calculates):
            ready = [path for path in calculates if path not in done and all(n in done for n in needs[path])]
            if not ready:
                stuck = [path for path in calculates if path not in done]
                names = ", ".join(path.rpartition("/")[2] for path in stuck)
                self._refuse(stuck[0], "calculation", f"Estos cálculos dependen unos de otros en círculo: {names}.",
                             "Quite una de las referencias.")  # fmt: skip
                break
            done |= dict.fromkeys(ready)
        return tuple(done)

    def _refuse(self, path: str, prop: str, message: str, hint: str, text: str = "") -> None:
        self.problems.append(FormProblem(path, prop, message, hint, "error", text))


def _nodes(element: Element, path: str) -> Iterator[tuple[str, Element]]:
    for item in element:
        if isinstance(item.tag, str):
            prefix = "orx:" if "openrosa.org/xforms" in item.tag else ""
            here = f"{path}/{prefix}{local(item)}"
            yield here, item
            yield from _nodes(item, here)
