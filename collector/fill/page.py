"""The survey page of one form: what the template draws for a filling.

The page holds the whole form, one page of it visible. A question of a repeat stands there once for each row, and once
in a <template> from which the scripts make new rows. Names of fields are keys with row numbers
("casa/persona[1]/nombre"); ids end in a tag: the number of the node and those of the rows ("7-1").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from collector.fill.page_json import page_nodes
from collector.fill.rich import LARGE_LIST, is_shuffled
from collector.fill.search_text import folded
from collector.fill.words import Words, sentence_for
from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import range_ends
from collector.forms.listed import listed_parts
from collector.forms.model import Choice, Form, Group, Question, Repeat
from collector.forms.state import Filling
from collector.forms.twins import has_twins

LONG_LIST = 12  # above this a list is a <select>: light, and phones know how to show it
MOST_FOUND = 50  # choices of a large list that are drawn at once
MOST_STEPS = 21  # a range of more is a field with a slider
APART = ("ns", "nr")  # «No sé», «Prefiero no decir»: drawn apart, stored like any choice
SCALE = tuple(str(number) for number in range(11))
STRIPS = frozenset({"likert", "horizontal", "horizontal-compact", "list-nolabel", "list"})
FILES = frozenset({"image", "audio", "video", "file"})
# what a phone's own control shows of a stored text: the rest is seconds, offsets, days
SHOWN_CHARACTERS = {"time": 5, "datetime": 16, "month": 7, "year": 4}


@dataclass(frozen=True)
class RowView:
    """One row of a repeat. tag and prefix end and begin ids and names; number counts from 1, 0 in the template."""

    number: int
    tag: str
    name: str
    row: FillingRow
    items: "tuple[Item, ...]"


@dataclass(frozen=True)
class Item:
    """A question, a repeat or a group heading as the template draws it. See control_of for the controls."""

    index: int
    tag: str
    name: str
    node: Question | Group | Repeat
    control: str
    shown: bool
    row: FillingRow
    value: str = ""
    trouble: str = ""
    closed: bool = False
    choices: tuple[Choice, ...] = ()
    apart: tuple[Choice, ...] = ()
    offered: frozenset[str] = frozenset()
    is_live: bool = False  # the choices are drawn by the scripts: rows, another order, more than fit
    search: str = ""
    rows: tuple[RowView, ...] = ()
    template: RowView | None = None
    ends: tuple[str, ...] = ()
    listed: tuple[str, str] = ("", "")  # the place chosen from the list: its code, what the person wrote

    @property
    def chosen(self) -> list[str]:
        """The chosen names that are offered, in the order of the answer: what is not seen cannot be taken back."""
        names = chosen_names(self.node, self.value) if isinstance(self.node, Question) else []
        return [name for name in names if name in self.offered]


def chosen_names(question: Question, text: str) -> list[str]:
    """Return the names in a stored answer; the name of a single choice may hold blanks."""
    return [text] if text and question.type == "select_one" else text.split()


def control_of(question: Question, form: Form) -> str:
    """Return the name of the control that asks `question`.

    text area numbers integer decimal date month year time datetime secret range steps place line files acknowledge
    list strip box scale many many-strip find find-many rank labels note
    """
    said = set(question.appearance)
    if question.type in ("select_one", "select_multiple"):
        return _select_control(question, form)
    if question.type == "text":
        return "area" if "multiline" in said else "numbers" if "numbers" in said else "text"
    if question.type == "date":
        return "year" if "year" in said else "month" if "month-year" in said else "date"
    if question.type == "range":
        return "steps" if 1 < len(range_steps(question)) <= MOST_STEPS else "range"
    plain = {"geopoint": "place", "geotrace": "line", "geoshape": "line", "barcode": "text"}
    return "files" if question.type in FILES else plain.get(question.type, question.type)


def _select_control(question: Question, form: Form) -> str:
    said = {word.partition("-")[0] if word.startswith("columns") else word for word in question.appearance}
    many = question.type == "select_multiple"
    names = [choice.name for choice in form.lists[question.list_name]]
    if "label" in said:
        return "labels"
    if len(names) > LARGE_LIST:
        return "find-many" if many else "find"
    if STRIPS & said:
        return "many-strip" if many else "strip"
    if many:
        return "many"
    if set(SCALE) <= set(names):
        return "scale"
    has_media = any(choice.media for choice in form.lists[question.list_name])  # a <select> shows none
    if is_live(question, form):
        return "list"  # drawn as large options whatever the appearance
    is_long = len(names) > LONG_LIST and not has_media and not said & {"quick", "columns", "compact"}
    return "box" if is_long or "minimal" in said else "list"


def range_steps(question: Question) -> list[str]:
    """Return the numbers of a range in order, [] where it has none or too many to draw."""
    ends = range_ends(question)
    try:
        step = abs(float(question.parameters.get("step") or 1))
    except ValueError:
        return []
    if not ends or not 0 < step <= ends[1] - ends[0] or (ends[1] - ends[0]) / step > MOST_STEPS:
        return []
    found = [ends[0] + number * step for number in range(int((ends[1] - ends[0]) / step + 1e-9) + 1)]
    texts = [f"{number:.6f}".rstrip("0").rstrip(".") for number in found]
    return texts[::-1] if float(question.parameters["start"]) > float(question.parameters["end"]) else texts


# --- rows, names, tags


def all_rows(filling: Filling) -> Iterator[tuple[FillingRow, str, str]]:
    """Give every row of the record with what begins its names ("casa/persona[1]/") and ends its ids ("-1")."""
    yield from _rows_of(filling, filling.root, "", "")


def _rows_of(filling: Filling, row: FillingRow, prefix: str, tag: str) -> Iterator[tuple[FillingRow, str, str]]:
    yield row, prefix, tag
    for repeat in filling.program.levels[row.path].repeats:
        for number, inner in enumerate(row.rows[repeat.path], 1):
            yield from _rows_of(filling, inner, f"{prefix}{repeat.key}[{number}]/", f"{tag}-{number}")


@dataclass
class Drawing:
    """One drawing of a form's page. troubles: tag -> sentence; searches: name of a field -> what is searched in it."""

    filling: Filling
    words: Words
    troubles: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.form = self.filling.form
        self.program = self.filling.program
        self.index = {path: number for number, path in enumerate(page_nodes(self.form))}
        self.nodes: dict[str, Question | Group | Repeat] = {
            **self.program.groups, **self.program.repeats, **self.program.questions,
        }  # fmt: skip

    def everything(self) -> Iterator[tuple[int, list[Item]]]:
        """Give each page with its items."""
        for page in range(len(self.form.pages)):
            yield page, self.page(page)

    def page(self, page: int) -> list[Item]:
        """Return what page number `page` shows, group headings included, in form order."""
        wanted = set(self.form.pages[page])
        wanted |= {group for path in wanted for group in self.nodes[path].groups if group in self.program.groups}
        return [self._item(self.nodes[path], self.filling.root, "", "") for path in self.index if path in wanted]

    def _row(self, repeat: Repeat, row: FillingRow, number: int, prefix: str, tag: str) -> RowView:
        tag, name = f"{tag}-{number}", f"{prefix}{repeat.key}[{number}]"
        return RowView(number, tag, name, row, tuple(
            self._item(node, row, name + "/", tag) for node in self._by_row.get(repeat.path, ())
        ))  # fmt: skip

    @cached_property
    def _by_row(self) -> dict[str, list[Question | Group | Repeat]]:
        """What is drawn in the rows of each repeat."""
        found: dict[str, list[Question | Group | Repeat]] = {}
        for path in self.index:
            node = self.nodes[path]
            if node.row and not (isinstance(node, Question) and node.type == "calculate"):
                found.setdefault(node.row, []).append(node)
        return found

    @cached_property
    def _blank_rows(self) -> dict[str, FillingRow]:
        """A new row of every repeat, of a record of its own: what the templates show."""
        blank = Filling(self.form, self.filling.now, self.filling.lang)
        found: dict[str, FillingRow] = {}
        for repeat in self.form.repeats:
            found[repeat.path] = blank.add_row(repeat.path, found.get(repeat.row, blank.root))
        return found

    def _item(self, node: Question | Group | Repeat, row: FillingRow, prefix: str, tag: str) -> Item:
        index = self.index[node.path]
        mine = f"{index}{tag}"
        # a template is never shown as it is: the scripts say what of a new row is relevant
        shown = row.relevant[node.path]
        if isinstance(node, Group):
            return Item(index, mine, "", node, "group", shown, row)
        if isinstance(node, Repeat):
            return self._repeat(node, row, prefix, tag)
        return Item(
            index=index,
            tag=mine,
            name=prefix + node.key,
            node=node,
            control=control_of(node, self.form),
            shown=shown,
            row=row,
            value=shown_text(node, row.raw[node.path], self.form),
            trouble=self.troubles.get(mine, ""),
            closed=self.filling.is_closed(node.path, row) and node.type != "note",
            listed=listed_parts(row.listed.get(node.path, "")),
            **self._choices(node, row, prefix + node.key),
        )

    def _repeat(self, repeat: Repeat, row: FillingRow, prefix: str, tag: str) -> Item:
        index = self.index[repeat.path]
        held = enumerate(row.rows[repeat.path], 1)
        return Item(
            index=index,
            tag=f"{index}{tag}",
            name=prefix + repeat.key,
            node=repeat,
            control="repeat",
            shown=row.relevant[repeat.path],
            row=row,
            closed=repeat.is_fixed or repeat.count is not None,
            rows=tuple(self._row(repeat, inner, number, prefix, tag) for number, inner in held),
            template=self._row(repeat, self._blank_rows[repeat.path], 0, prefix, tag),
        )

    def _choices(self, question: Question, row: FillingRow, name: str) -> dict[str, Any]:
        if question.type == "range":
            steps = tuple(Choice(text, {"": text}) for text in range_steps(question))
            ends = tuple(question.parameters.get(end, "") for end in ("start", "end", "step"))
            return {"choices": steps, "ends": ends, "offered": frozenset(step.name for step in steps)}
        if not question.list_name:
            return {}
        control = control_of(question, self.form)
        if control in ("find", "find-many"):
            return self._found(question, row, self.searches.get(name, ""))
        if is_live(question, self.form):
            return self._live(question, row)
        choices = self.form.lists[question.list_name]
        apart = tuple(c for c in choices if c.name in APART and control in ("list", "scale"))
        return {
            "choices": tuple(c for c in choices if c not in apart),
            "apart": apart,
            "offered": self._offered(question, row),
        }

    def _offered(self, question: Question, row: FillingRow) -> frozenset[str]:
        names = self.filling.choices(question.path, row)
        if not names and self._may_pick(question, row):
            names = tuple(choice.name for choice in self.form.lists[question.list_name])
        return frozenset(names)

    def _may_pick(self, question: Question, row: FillingRow) -> bool:
        """Tell whether nothing fits only because the province, on the same page, is not chosen yet.

        Without scripts people may then pick the town at once, and the node checks.
        """
        read = (self.nodes[path] for path, jobs in self.program.own.items() if ("filter", question.path) in jobs)
        asked = (node for node in read if isinstance(node, Question) and node.page == question.page)
        return any(not row.raw[node.path] for node in asked)

    def _live(self, question: Question, row: FillingRow) -> dict[str, Any]:
        if has_twins(self.form, question):
            return self._twins(question, row)
        labels = self._labels(question, row)
        names = self.filling.choices(question.path, row)
        choices = tuple(Choice(name, {"": labels.get(name, name)}) for name in dict.fromkeys(names))
        return {"choices": choices, "offered": frozenset(names), "is_live": True}

    def _labels(self, question: Question, row: FillingRow) -> dict[str, str]:
        """Return name -> label without marks; the labels of rows are answers and stay as they were typed."""
        if question.rows is not None:
            return self.filling.choice_labels(question.path, row)
        items = reversed(self.form.lists[question.list_name])  # of several with one name the first counts
        return {choice.name: self.words.plain(choice.label, row) or choice.name for choice in items}

    def _twins(self, question: Question, row: FillingRow) -> dict[str, Any]:
        """Return what the filter offers of a list where several choices have one name, each with its own label."""
        items = self.form.lists[question.list_name]
        offered = [items[place] for place in self.filling.offered_twins(question.path, row)]
        shown = offered or (items if self._may_pick(question, row) else ())
        choices = tuple(Choice(c.name, {"": self.words.plain(c.label, row) or c.name}) for c in shown)
        return {"choices": choices, "offered": frozenset(choice.name for choice in choices), "is_live": True}

    def _found(self, question: Question, row: FillingRow, search: str) -> dict[str, Any]:
        """Return the chosen and the first that fit what is searched: all of a large list would be too much."""
        live = self._live(question, row)
        chosen = set(chosen_names(question, row.raw[question.path]))
        wanted = folded(search)
        fitting = [c for c in live["choices"] if wanted and wanted in folded(c.label[""])][:MOST_FOUND]
        mine = [c for c in live["choices"] if c.name in chosen and c not in fitting]
        return live | {"choices": tuple(mine + fitting), "search": search}


def is_live(question: Question, form: Form) -> bool:
    """Tell whether the scripts draw the choices: rows, another order each time, several of one name."""
    return question.rows is not None or is_shuffled(question) or has_twins(form, question)


def has_files(form: Form) -> bool:
    """Tell whether any question is answered with a file."""
    return any(question.type in FILES for question in form.questions)


def shown_text(question: Question, text: str, form: Form) -> str:
    """Return what a control shows of a stored text."""
    return text[: SHOWN_CHARACTERS.get(control_of(question, form), len(text))]


def shown_pages(filling: Filling) -> list[int]:
    """Return the numbers of pages with something to ask or to say now."""
    return [page for page in range(len(filling.form.pages)) if _is_shown(filling, page)]


def _is_shown(filling: Filling, page: int) -> bool:
    for path in filling.form.pages[page]:
        repeat = filling.program.repeats.get(path)
        if filling.relevant[path] and (repeat is None or filling.root.rows[path] or is_open(repeat)):
            return True
    return False


def is_open(repeat: Repeat) -> bool:
    return repeat.count is None and not repeat.is_fixed


def _asked(filling: Filling, page: int) -> Iterator[tuple[Question, FillingRow, str]]:
    """Give each question of the page with its row and its tag, rows of repeats included."""
    paths = filling.form.pages[page] if page < len(filling.form.pages) else ()
    inside = tuple(path + "/" for path in paths)
    index = {path: number for number, path in enumerate(page_nodes(filling.form))}
    for row, _, tag in all_rows(filling):
        for question in filling.program.levels[row.path].questions:
            is_here = question.path in paths or (row is not filling.root and question.path.startswith(inside))
            if is_here and question.path in index:
                yield question, row, f"{index[question.path]}{tag}"


def page_troubles(filling: Filling, page: int, words: Words) -> dict[str, str]:
    """Return tag -> sentence for each answer of the page that is not right."""
    found: dict[str, str] = {}
    for question, row, tag in _asked(filling, page):
        trouble = filling.trouble(question.path, row)
        if trouble:
            said = {"required": question.required_message, "constraint": question.constraint_message}
            found[tag] = words.plain(sentence_for(question.type, trouble, said.get(trouble, {})), row)
    return found


def shown_tags(filling: Filling, page: int) -> set[str]:
    """Return the tags of the questions that the page shows now."""
    asked = _asked(filling, page)
    return {tag for question, row, tag in asked if row.relevant[question.path] and question.type != "calculate"}
