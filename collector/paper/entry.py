"""A filled sheet being entered: the whole form on one page, in the order of the sheet. No I/O."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from collector.fill.page import Drawing, Item, all_rows, control_of, is_open
from collector.fill.page_json import DEVICE, page_nodes
from collector.fill.posted import take_posted
from collector.fill.words import Words, sentence_for
from collector.forms.consented import GROUP
from collector.forms.filling_rows import FillingRow
from collector.forms.model import Choice, Form, Group, Question, Repeat, language_code
from collector.forms.state import MAX_ROWS, Filling
from collector.paper import dates
from collector.paper.sheet import FILES, is_asked, is_written, numbers_of, option_keys
from sync.records import uuid7

CHOICES = ("select_one", "select_multiple")
MAY_STAY = ("required", "constraint")  # what a sheet may really say: kept as it is, with a notice


@dataclass(frozen=True)
class Line:
    """One line of the page: what it shows, its number on the sheet, and name of a choice -> what is typed for it.

    control: keys (tick by what is typed), pick (choose from a list), or as fill/page.py names it.
    """

    item: Item
    number: int
    control: str
    keys: Mapping[str, str]
    lines: tuple[tuple[int, str, str, tuple["Line", ...]], ...] = ()  # of a repeat: number, name, tag, its lines


def begin(form: Form, language: str, now: tuple[int, int], node_id: str, was: str = "") -> Filling:
    """Return a filling as the page was drawn with it; `was`: what the page carries, "" for a new one."""
    filling = Filling(form, now, language_code(language), language=language)
    filling.settle()
    with suppress(ValueError, RecursionError):
        filling.restore(json.loads(was or "null") or filling.dump())
    for question in form.questions:
        if question.property == DEVICE and not question.row:
            filling.set(question.path, node_id)
    return filling


def take(filling: Filling, fields: Mapping[str, str]) -> None:
    """Take what the page posted; dates stand there as on the sheet."""
    typed = dict(fields)
    for row, prefix, _ in all_rows(filling):
        for question in filling.program.levels[row.path].questions:
            name, kind = prefix + question.key, control_of(question, filling.form)
            if name in typed and kind in dates.HELP:
                typed[name] = dates.stored(kind, typed[name])
    take_posted(filling, typed | {"_id": fields.get("_id") or "-"})


def change_rows(filling: Filling, go: str) -> str:
    """Add or remove the row that a button names ("add:casa/persona", "remove:persona[2]").

    Return the name of the new row, or of the repeat that lost one; "" for another button.
    """
    what, _, name = go.partition(":")
    if what not in ("add", "remove"):
        return ""
    for row, prefix, _ in list(all_rows(filling)):
        for repeat in filling.program.levels[row.path].repeats:
            changed = _change(filling, what, name, repeat, prefix + repeat.key, row) if is_open(repeat) else ""
            if changed:
                return changed
    return ""


def _change(filling: Filling, what: str, name: str, repeat: Repeat, here: str, row: Any) -> str:
    count = len(row.rows[repeat.path])
    if what == "add" and name == here and count < MAX_ROWS:
        filling.add_row(repeat.path, row)
        return f"{here}[{count + 1}]"
    numbers = [n for n in range(count) if name == f"{here}[{n + 1}]"]
    if what == "remove" and numbers:
        filling.remove_row(repeat.path, numbers[0], row)
        return here
    return ""


def page_lines(filling: Filling, words: Words, troubles: Mapping[str, str]) -> list[Line]:
    """Return the lines of the page, in form order."""
    drawing = Drawing(filling, words, troubles)
    numbers = numbers_of(filling.form)
    return [_line(item, filling.form, numbers) for _, items in drawing.everything() for item in items]


def _line(item: Item, form: Form, numbers: Mapping[str, int]) -> Line:
    node = item.node
    if isinstance(node, Repeat):
        rows = tuple(
            (row.number, row.name, row.tag, tuple(_line(each, form, numbers) for each in row.items))
            for row in item.rows
        )
        return Line(item, 0, "repeat", {}, rows)
    if not isinstance(node, Question):
        return Line(item, 0, "group", {})
    control = _control(node, item, form)
    keys = option_keys(form.lists[node.list_name]) if control == "keys" else {}
    return Line(item, numbers.get(node.path, 0), control, keys)


def _control(question: Question, item: Item, form: Form) -> str:
    """Return how a question is entered: by keys where the sheet has boxes, from a list where it is written out."""
    if question.type in FILES:
        return "files"
    if item.control == "labels":
        return "note"
    if question.type == "select_multiple" and is_written(question, form):
        return "pick-many"
    if question.type in CHOICES:
        return "pick" if is_written(question, form) else "keys"
    return {"steps": "range", "secret": "text", "numbers": "text"}.get(item.control, item.control)


def listed(line: Line, form: Form) -> tuple[Choice, ...]:
    """Return the choices of a list to choose from: all of them, those offered now are told apart in the page."""
    node = line.item.node
    if not isinstance(node, Question) or node.list_name not in form.lists:
        return line.item.choices
    is_drawn_live = line.item.is_live and line.item.control not in ("find", "find-many")
    return line.item.choices if is_drawn_live else form.lists[node.list_name]


def flat(lines: list[Line] | tuple[Line, ...]) -> Iterator[Line]:
    """Give every line with those of the rows inside it."""
    for line in lines:
        yield line
        for _, _, _, inside in line.lines:
            yield from flat(inside)


def live_state(filling: Filling) -> dict[str, Any]:
    """Return what the page's script has to know after an answer: tags that are shown, and what lists offer now."""
    shown, offered = [], {}
    for node, row, tag in _tagged(filling):
        if not row.relevant[node.path] or (isinstance(node, Question) and not is_asked(node)):
            continue
        shown.append(tag)
        if isinstance(node, Question) and node.choice_filter is not None:
            offered[tag] = sorted(filling.choices(node.path, row))
    return {"shown": shown, "offered": offered}


def _tagged(filling: Filling) -> Iterator[tuple[Question | Group | Repeat, FillingRow, str]]:
    """Give everything that the page can show, with its row and its tag; the record itself before its rows."""
    program = filling.program
    nodes: dict[str, Question | Group | Repeat] = {**program.groups, **program.repeats, **program.questions}
    index = {path: number for number, path in enumerate(page_nodes(filling.form))}
    for row, _, tag in all_rows(filling):
        for path in row.relevant:
            if path in index and path in nodes:
                yield nodes[path], row, f"{index[path]}{tag}"


def troubles_of(filling: Filling, words: Words) -> dict[str, str]:
    """Return tag -> sentence of everything that is not right; what no paper can hold is left out."""
    found: dict[str, str] = {}
    for node, row, tag in _tagged(filling):
        if isinstance(node, Question) and node.type not in FILES and (trouble := filling.trouble(node.path, row)):
            said = {"required": node.required_message, "constraint": node.constraint_message}
            found[tag] = words.plain(sentence_for(node.type, trouble, said.get(trouble, {})), row)
    return found


def must_change(filling: Filling) -> bool:
    """Tell whether something cannot be kept as it is: an answer of another type, no choice of the list, no consent."""
    consent = f"{filling.form.root}/{GROUP}/"
    found = filling.troubles_in(filling.form.root)
    return any(kind not in MAY_STAY or path.startswith(consent) for path, _, kind in found)


def as_id(text: str) -> str:
    """Return the id that the page carries, or a new one: a sheet posted twice stays one record."""
    lean = text.replace("-", "")
    return text if len(text) == 36 and len(lean) == 32 and set(lean) <= set("0123456789abcdef") else uuid7()
