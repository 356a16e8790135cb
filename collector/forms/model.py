"""The typed form: what a published XForm says, ready to be asked, checked and exported. Pure data, JSON both ways.

Answers are text as ODK stores it ("5", "2.50", "1 3" for select_multiple, "2026-11-20"), under the question's `key`:
its path below the root without the root ("grupo/edad"). Texts are `{language: text}`; see `text_in`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Text = Mapping[str, str]
IR = list[Any]


@dataclass(frozen=True)
class Choice:
    """One choice of a list. `columns` are the further columns a choice_filter may read."""

    name: str
    label: Text
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Logic:
    """The expressions of one node as IR; None where the form says nothing. `required` may be an expression."""

    relevant: IR | None = None
    required: IR | None = None
    readonly: IR | None = None
    constraint: IR | None = None
    calculate: IR | None = None


@dataclass(frozen=True)
class Question:
    """A node that holds an answer, or shows a note.

    type: text, integer, decimal, date, note, select_one, select_multiple, calculate; bind: its XForms bind type;
    slot: its place in the row (engine); page: index into Form.pages, -1 when it is not shown (calculate);
    groups: paths of the enclosing groups, outermost first.
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


@dataclass(frozen=True)
class Group:
    """A group: its label heads its questions, its relevance rules them."""

    path: str
    label: Text
    relevant: IR | None
    appearance: tuple[str, ...]
    page: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A published form, whole.

    languages: names as the form writes them ("Español (es)"), the default first; () for a form with one, unnamed.
    pages: question paths a page, in order; order: paths of calculates so that each stands after what it reads;
    nodes: paths of groups and questions in document order, the order in which relevance is settled.
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

    def __hash__(self) -> int:
        """By content: sha256 names the XForm that everything here was read from."""
        return hash(self.sha256)

    def question(self, path: str) -> Question:
        """Return the question at `path`. Raises KeyError."""
        return self._by_path()[path]

    def by_key(self) -> dict[str, Question]:
        """Return answer key -> question."""
        return {question.key: question for question in self.questions}

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
    """Return the BCP 47 code in "Español (es)": "es"; "es" when the form names no language."""
    if language.endswith(")") and "(" in language:
        return language[language.rindex("(") + 1 : -1].strip() or "es"
    return {"español": "es", "spanish": "es", "english": "en", "inglés": "en"}.get(language.lower(), "es")


def form_to_json(form: Form) -> dict[str, Any]:
    """Return `form` as JSON-able data; `form_from_json` gives an equal Form back."""
    return asdict(form)


def form_from_json(data: dict[str, Any]) -> Form:
    """Rebuild the Form that `form_to_json` wrote."""
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
        }
    )


def _question(item: dict[str, Any]) -> Question:
    return Question(
        **{
            **item,
            "appearance": tuple(item["appearance"]),
            "groups": tuple(item["groups"]),
            "logic": Logic(**item["logic"]),
        }
    )


def _group(item: dict[str, Any]) -> Group:
    return Group(**{**item, "appearance": tuple(item["appearance"]), "groups": tuple(item["groups"])})
