"""What is printed of a form: numbered questions, boxes to tick, lines to write on, and who skips what.

Pure. Numbers and the keys of options are the same on the sheet and on the page where it is entered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from collector.forms.model import IR, OUTPUT_MARK, Choice, Form, Group, Question, Repeat, Text, text_in
from collector.forms.plain_words import plain_words
from collector.paper.conditions import Reader

Say = Callable[..., str]
SILENT = ("note", "calculate")
FILES = ("image", "audio", "video", "file")
APART = ("ns", "nr")
MOST_PRINTED = 30  # a longer list, and one that another answer narrows, is written out by hand
ROWS_PRINTED = 3
BLANK = "________"
LINES = {"text": 1, "area": 4}
BOXES = {"date": ("DD", "MM", "AAAA"), "time": ("HH", "MM"), "datetime": ("DD", "MM", "AAAA", "HH", "MM")}


@dataclass(frozen=True)
class Option:
    """A box to tick. key: what is typed for it; leads: "pase a la pregunta 7", "" where one just goes on."""

    name: str
    key: str
    label: str
    leads: str = ""


@dataclass(frozen=True)
class Block:
    """One thing on the sheet. kind: heading, note, one, many, scale, rank, lines, boxes, agree, files, rows, row.

    only_if: the condition in words; lines: how many to write on; parts: names of the boxes of a date; blocks: what is
    asked in each row; rows: how many are printed; level: how many repeats are around it.
    """

    kind: str
    number: int = 0
    label: str = ""
    hint: str = ""
    only_if: str = ""
    is_required: bool = False
    options: tuple[Option, ...] = ()
    lines: int = 0
    parts: tuple[str, ...] = ()
    blocks: tuple["Block", ...] = ()
    rows: int = 0
    level: int = 0


@dataclass
class _Printer:
    form: Form
    language: str
    say: Say
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes: list[Question | Group | Repeat] = [*self.form.groups, *self.form.repeats, *self.form.questions]
        self.nodes = {node.path: node for node in nodes}
        self.numbers = numbers_of(self.form)
        self.asked = [self.form.question(path) for path in self.numbers]
        self.reader = Reader(self.form, self.numbers, lambda choice: self.text(choice.label) or choice.name, self.say)

    def text(self, text: Text) -> str:
        """Return a text in the language of the sheet; where it shows an answer stands a line."""
        return OUTPUT_MARK.sub(BLANK, plain_words(text_in(text, self.language, self.form)))

    def inside(self, row: str) -> Iterator[Block]:
        """Give the blocks of the record ("") or of a row of the repeat `row`, in form order."""
        for path in self.form.nodes:
            node = self.nodes.get(path)
            if node is None or node.row != row:
                continue
            if isinstance(node, Repeat):
                yield self._repeat(node)
            elif isinstance(node, Group):
                if node.label or node.relevant is not None:
                    yield Block("heading", label=self.text(node.label), only_if=self._only_if(node.relevant, node.row))
            elif is_asked(node) and "label" not in node.appearance:  # that only heads the columns of a grid
                yield self._question(node)

    def _repeat(self, repeat: Repeat) -> Block:
        return Block(
            "rows",
            label=self.text(repeat.label),
            only_if=self._only_if(repeat.relevant, repeat.row),
            blocks=tuple(self.inside(repeat.path)),
            rows=ROWS_PRINTED,
        )

    def _only_if(self, relevant: IR | None, row: str) -> str:
        """Return "Solo si …" for a condition that can be said; what is computed has no words: the facilitator knows."""
        if relevant is None:
            return ""
        words = self.reader.words(relevant, row)
        return self.say("Solo si {condition}.", condition=words) if words else self.say("Solo si corresponde.")

    def _question(self, question: Question) -> Block:
        kind = kind_of(question, self.form)
        block = Block(
            kind,
            number=self.numbers.get(question.path, 0),
            label=self.text(question.label),
            hint=self.text(question.hint),
            only_if=self._only_if(question.logic.relevant, question.row),
            is_required=question.logic.required is not None,
        )
        if kind in ("one", "many", "scale", "rank"):
            return replace(block, options=self._options(question))
        lines = LINES["area" if "multiline" in question.appearance else "text"]
        return replace(block, lines=lines, parts=BOXES.get(question.type, ()))

    def _options(self, question: Question) -> tuple[Option, ...]:
        choices = self.form.lists[question.list_name]
        keys = option_keys(choices)
        after = self._after(question) if question.type == "select_one" else []
        return tuple(
            Option(
                choice.name,
                keys[choice.name],
                self.text(choice.label) or choice.name,
                self._leads(question, choice, after),
            )
            for choice in choices
        )

    def _after(self, question: Question) -> list[Question]:
        """Return the numbered questions that follow in the same row."""
        place = self.asked.index(question)
        return [each for each in self.asked[place + 1 :] if each.row == question.row]

    def _leads(self, question: Question, choice: Choice, after: Sequence[Question]) -> str:
        """Return where one goes on after this answer, where it leaves out what comes next."""
        left = next((n for n, each in enumerate(after) if not self._leaves_out(each, question, choice)), len(after))
        if not left:
            return ""
        if left == len(after):
            return self.say("termine aquí")
        return self.say("pase a la pregunta {n}", n=self.numbers[after[left].path])

    def _leaves_out(self, asked: Question, question: Question, choice: Choice) -> bool:
        around = [self.nodes[path] for path in asked.groups]
        conditions = [asked.logic.relevant, *(node.relevant for node in around if isinstance(node, Group | Repeat))]
        return any(self.reader.leaves_out(ir, question, choice.name) for ir in conditions)


def blocks_of(form: Form, language: str, say: Say) -> list[Block]:
    """Return what a sheet of the form shows, in order. language: by its name in the form; say: our own words."""
    return list(_Printer(form, language, say).inside(""))


def laid_out(blocks: Sequence[Block], level: int = 0) -> Iterator[Block]:
    """Give the blocks one under another as they are printed: the rows of a repeat as often as they have room."""
    for block in blocks:
        yield replace(block, level=level)
        for number in range(1, block.rows + 1):
            yield Block("row", number=number, label=block.label, level=level)
            yield from laid_out(block.blocks, level + 1)


def is_asked(question: Question) -> bool:
    """Tell whether people see a question; those in rows are on no page of their own."""
    return question.type != "calculate" and (question.page >= 0 or question.row != "")


def numbers_of(form: Form) -> dict[str, int]:
    """Return path -> number of every question that is answered on paper, in form order."""
    by_path = {question.path: question for question in form.questions}
    asked = (by_path[path] for path in form.nodes if path in by_path)
    counted = (q.path for q in asked if is_asked(q) and q.type != "note" and "label" not in q.appearance)
    return {path: number for number, path in enumerate(counted, 1)}


def option_keys(choices: Sequence[Choice]) -> dict[str, str]:
    """Return name -> what is typed for it: a number's own digits on a scale, else its place; letters for what is apart.

    So «7» on a scale of 0 to 10 is 7, not the seventh.
    """
    plain = [choice.name for choice in choices if choice.name not in APART]
    if all(_is_plain_number(name) for name in plain):
        keys = {name: name for name in plain}
    else:
        keys = {name: str(place) for place, name in enumerate(plain, 1)}
    apart = (choice.name for choice in choices if choice.name in APART)
    return keys | {name: letter for letter, name in zip("ab", apart, strict=False)}


def kind_of(question: Question, form: Form) -> str:
    """Return how a question is drawn on paper."""
    if question.type in SILENT:
        return "note"
    if question.type in FILES:
        return "files"
    if question.type in ("acknowledge",):
        return "agree"
    if question.type in ("select_one", "select_multiple", "rank"):
        return _kind_of_choice(question, form)
    return "boxes" if question.type in BOXES else "lines"


def _kind_of_choice(question: Question, form: Form) -> str:
    choices = form.lists.get(question.list_name, ())
    if is_written(question, form):
        return "lines"
    if question.type == "rank":
        return "rank"
    if question.type == "select_multiple":
        return "many"
    return "scale" if _is_scale([choice for choice in choices if choice.name not in APART]) else "one"


def _is_scale(choices: Sequence[Choice]) -> bool:
    """Tell whether choices are the steps of a scale: numbers that stand for themselves, words at the ends at most."""
    if len(choices) < 5 or not all(_is_plain_number(choice.name) for choice in choices):
        return False
    inner = choices[1:-1]
    return all(text.strip() == choice.name for choice in inner for text in choice.label.values())


def _is_plain_number(name: str) -> bool:
    return name.isdecimal() and name.isascii() and str(int(name)) == name


def is_written(question: Question, form: Form) -> bool:
    """Tell whether a choice is written out on paper: the list is too long, or depends on another answer."""
    choices = form.lists.get(question.list_name, ())
    return not choices or len(choices) > MOST_PRINTED or question.choice_filter is not None or question.rows is not None
