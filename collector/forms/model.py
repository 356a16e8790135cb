"""The typed form: what a published XForm says, ready to be asked, checked and exported. Pure data, JSON both ways.

Answers are text as ODK stores it ("5", "2.50", "1 3" for select_multiple, "2026-11-20"), under the question's `key`:
its path below the root without the root ("grupo/edad"). A repeat holds a list of rows under its own key; inside a row
keys are relative to the repeat: {"casa/persona": [{"nombre": "Ana", "visita": [{"fecha": "2026-11-20"}]}]}.

Texts are `{language: text}`; see `text_in`. A text that shows answers (<output>) holds OUTPUT, a number and OUTPUT
where the value goes: the number of its expression in Form.outputs. Plain texts stay plain strings.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Text = Mapping[str, str]
IR = list[Any]
OUTPUT = "\ufffc"  # the object replacement character: where something that is not text stands
OUTPUT_MARK = re.compile(f"{OUTPUT}([0-9]+){OUTPUT}")
FORM_SHAPE = 3  # goes up when a reader finds more in an XForm: a store reads older forms again then
BARE_CODE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
ACTION_EVENTS = ("odk-instance-first-load", "odk-instance-load", "odk-new-repeat", "xforms-value-changed", "finish")


@dataclass(frozen=True)
class Choice:
    """One choice of a list. `columns` are the further columns a choice_filter may read."""

    name: str
    label: Text
    columns: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Logic:
    """The expressions of one node as IR; None where the form says nothing. `required` may be an expression."""

    relevant: IR | None = None
    required: IR | None = None
    readonly: IR | None = None
    constraint: IR | None = None
    calculate: IR | None = None


@dataclass(frozen=True)
class RowSource:
    """Choices that are rows of a repeat: `nodes` lists the rows, the slots hold each row's value and label."""

    nodes: IR
    value: int
    label: int


@dataclass(frozen=True)
class Question:
    """A node that holds an answer, or shows a note.

    type: text, integer, decimal, date, time, datetime, note, select_one, select_multiple, rank, range, acknowledge,
    geopoint, geotrace, geoshape, barcode, image, audio, video, file, secret, calculate; bind: its XForms bind type;
    slot: its place in the row (engine); page: index into Form.pages, -1 when it is not shown (calculate);
    groups: paths of the enclosing groups and repeats, outermost first; row: path of the repeat it is asked in, "" for
    none; media: form ("image", "audio") -> file; parameters: a range's ends and step, a picture's max-pixels and so on;
    property: what the device is asked for by itself ("deviceid"); privacy: what the form says of its answers: none,
    quasi, direct, sensitive, free_text, or another word as it stands; "" where it says nothing (lab/identifiers.py).
    """

    path: str
    key: str
    name: str
    type: str
    bind: str
    slot: int
    page: int
    label: Text
    hint: Text
    appearance: tuple[str, ...] = ()
    list_name: str = ""
    choice_filter: IR | None = None
    logic: Logic = Logic()
    constraint_message: Text = field(default_factory=dict)
    required_message: Text = field(default_factory=dict)
    default: str = ""
    groups: tuple[str, ...] = ()
    row: str = ""
    rows: RowSource | None = None
    guidance: Text = field(default_factory=dict)
    media: Mapping[str, Text] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    property: str = ""
    privacy: str = ""


@dataclass(frozen=True)
class Group:
    """A group: its label heads its questions, its relevance rules them, its readonly closes them."""

    path: str
    label: Text
    relevant: IR | None
    appearance: tuple[str, ...]
    page: int
    groups: tuple[str, ...] = ()
    readonly: IR | None = None
    row: str = ""


@dataclass(frozen=True)
class Seed:
    """What a row holds when it is made: texts by path, and the rows of the repeats inside it."""

    values: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple["Seed", ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Repeat:
    """A repeat. `count`, in the row around it, says how many rows it has; None leaves that to people.

    relevant and readonly are read in each of its rows; row: path of the repeat around it, "" for none.
    template: what a new row holds. is_fixed: people may not add or remove rows (noAddRemove).
    """

    path: str
    key: str
    slot: int
    label: Text
    template: Seed
    relevant: IR | None = None
    readonly: IR | None = None
    count: IR | None = None
    is_fixed: bool = False
    appearance: tuple[str, ...] = ()
    page: int = -1
    groups: tuple[str, ...] = ()
    row: str = ""


@dataclass(frozen=True)
class Action:
    """A setvalue: on `events`, the rows that `rows` finds keep `value` at `path`.

    at: path of the node whose row `rows` is read in; trigger: path of the question whose change sets it off, "" for
    none; value: read in the row of the target; None stores "". kind: setvalue, or setgeopoint, which is for the page.
    """

    events: tuple[str, ...]
    at: str
    rows: IR
    path: str
    value: IR | None
    trigger: str = ""
    kind: str = "setvalue"


@dataclass(frozen=True)
class Form:
    """A published form, whole.

    languages: names as the form writes them ("Español (es)"), the default first; () for a form with one, unnamed.
    pages: question paths a page, in order; order: paths of calculates so that each stands after what it reads;
    external: ids of lists that come as attachments; texts: what jr:itext() finds beyond labels and hints;
    attributes: path -> attributes that a submission repeats, the root's id and version among them.
    nodes: paths of groups, repeats and questions in document order, the order in which relevance is settled;
    order and nodes go through the rows of a repeat at each of its paths. seed: the rows that a new record starts with.
    outputs: expressions that texts show. tree: every path of the primary instance, in document order.
    """

    form_id: str
    version: str
    sha256: str
    title: str
    root: str
    languages: tuple[str, ...]
    questions: tuple[Question, ...]
    groups: tuple[Group, ...]
    lists: Mapping[str, tuple[Choice, ...]]
    pages: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]
    nodes: tuple[str, ...]
    repeats: tuple[Repeat, ...] = ()
    actions: tuple[Action, ...] = ()
    outputs: tuple[IR, ...] = ()
    seed: Seed = Seed()
    tree: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    texts: Mapping[str, Text] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __hash__(self) -> int:
        """By content: sha256 names the XForm that everything here was read from."""
        return hash(self.sha256)

    def question(self, path: str) -> Question:
        """Return the question at `path`. Raises KeyError."""
        return self._by_path()[path]

    def _by_path(self) -> dict[str, Question]:
        return {question.path: question for question in self.questions}

    def territory_question(self, districts: frozenset[str]) -> Question | None:
        """Return the first select_one whose choices are all district codes: where a submission comes from."""
        for question in self.questions:
            choices = self.lists.get(question.list_name, ())
            if question.type == "select_one" and choices and all(choice.name in districts for choice in choices):
                return question
        return None


def text_in(text: Text, language: str, form: Form) -> str:
    """Return `text` in `language`, else in the form's default, else in any: never blank where there is something."""
    for name in (language, *form.languages, *text):
        if text.get(name):
            return text[name]
    return ""


def language_code(language: str) -> str:
    """Return the BCP 47 code in "Español (es)": "es"; a bare code is itself; "es" when the form names no language."""
    if language.endswith(")") and "(" in language:
        return language[language.rindex("(") + 1 : -1].strip() or "es"
    if BARE_CODE.fullmatch(language):
        return language
    return {"español": "es", "spanish": "es", "english": "en", "inglés": "en"}.get(language.lower(), "es")


def form_to_json(form: Form) -> dict[str, Any]:
    """Return `form` as JSON-able data; `form_from_json` gives an equal Form back."""
    return {"shape": FORM_SHAPE, **asdict(form)}


def form_from_json(data: dict[str, Any]) -> Form:
    """Rebuild the Form that `form_to_json` wrote, also one of an older shape as far as it goes."""
    data = {key: value for key, value in data.items() if key != "shape"}
    return Form(
        **{
            **data,
            "languages": tuple(data["languages"]),
            "questions": tuple(_question(item) for item in data["questions"]),
            "groups": tuple(_group(item) for item in data["groups"]),
            "lists": {name: tuple(Choice(**choice) for choice in items) for name, items in data["lists"].items()},
            "pages": tuple(tuple(page) for page in data["pages"]),
            "order": tuple(data["order"]),
            "nodes": tuple(data["nodes"]),
            "repeats": tuple(_repeat(item) for item in data.get("repeats", ())),
            "actions": tuple(Action(**{**item, "events": tuple(item["events"])}) for item in data.get("actions", ())),
            "outputs": tuple(data.get("outputs", ())),
            "seed": _seed(data.get("seed", {})),
            "tree": tuple(data.get("tree", ())),
            "external": tuple(data.get("external", ())),
        }
    )


def _seed(item: dict[str, Any]) -> Seed:
    rows = {path: tuple(_seed(inner) for inner in inners) for path, inners in item.get("rows", {}).items()}
    return Seed(item.get("values", {}), rows)


def _repeat(item: dict[str, Any]) -> Repeat:
    return Repeat(
        **{
            **item,
            "template": _seed(item["template"]),
            "appearance": tuple(item["appearance"]),
            "groups": tuple(item["groups"]),
        }
    )


def _question(item: dict[str, Any]) -> Question:
    return Question(
        **{
            **item,
            "appearance": tuple(item["appearance"]),
            "groups": tuple(item["groups"]),
            "logic": Logic(**item["logic"]),
            "rows": RowSource(**item["rows"]) if item.get("rows") else None,
        }
    )


def _group(item: dict[str, Any]) -> Group:
    return Group(**{**item, "appearance": tuple(item["appearance"]), "groups": tuple(item["groups"])})
