"""Bringing a form to rest after a change, as static/js/rows.js does: rows, values, relevance, actions.

Only what depends on a change is looked at again (program.py says what). Calculations, then relevance and row counts,
are settled in document-order passes, PASSES at most; then actions run, ROUNDS at most: the same numbers on both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.forms.expressions import Env, Row, Value, stored_text, to_boolean, to_number
from collector.forms.expressions.values import NAN, number_text, read_number
from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import chosen
from collector.forms.model import Form, Repeat, Seed
from collector.forms.program import Job, program_of

PASSES = 8
ROUNDS = 8
MAX_ROWS = 1000  # of one repeat: a slip of the finger in a count must not fill the memory


def kept(value: Value, bind: str, offset: int) -> str:
    """Return what a question of a bind type keeps of a value: an int drops the fraction of a text too."""
    if bind == "string" and isinstance(value, float):
        return number_text(value) if value == value else ""
    text = stored_text(value, bind, offset)
    number = read_number(text) if bind == "int" else NAN
    return stored_text(number, bind, offset) if number == number else text


@dataclass
class Settling:
    """What keeps a submission in order; see Filling."""

    form: Form
    now: tuple[int, int]
    lang: str = "es"
    recorded: bool = False
    language: str = ""
    verbatim: bool = False

    def __post_init__(self) -> None:
        self.program = program_of(self.form)
        self._levels: dict[str, list[FillingRow]] = {}
        self._dirty: dict[Job, set[FillingRow] | None] = {}
        self._fired: list[tuple[str, FillingRow]] = []
        self._born: list[FillingRow] = []
        self._is_open = False
        self.root = FillingRow(self.program.levels[self.form.root], None)
        self.env = Env(
            row=self.root,
            now=self.now,
            lang=self.lang,
            instances=self.program.instances,
            choice_label=self.label_of_choice,
            itext=self.text_of,
        )
        self._open()

    def _open(self) -> None:
        values = {question.path: question.default for question in self.form.questions}
        if self.recorded:  # fill() settles what it puts in
            self._is_open = True
            return
        self._sow(self.root, Seed(values, self.form.seed.rows))
        self.settle()
        if self.form.actions:
            self._fired.clear()
            self._run("odk-instance-first-load")
            self._run("odk-instance-load")
        self._is_open = True
        self.rest()

    @property
    def row(self) -> FillingRow:
        """Return the record itself as the engine reads it."""
        return self.root

    @property
    def raw(self) -> dict[str, str]:
        """Return what is kept outside repeats, by path."""
        return self.root.raw

    @property
    def relevant(self) -> dict[str, bool]:
        """Return the relevance of what stands outside repeats, by path."""
        return self.root.relevant

    # --- rows

    def rows_at(self, level: str) -> list[FillingRow]:
        """Return every row of a repeat in the record, or the record itself."""
        if level == self.form.root:
            return [self.root]
        if level not in self._levels:
            around = self.rows_at(self.program.level_of(level))
            self._levels[level] = [row for parent in around for row in parent.rows[level]]
        return self._levels[level]

    def _sow(self, row: FillingRow, seed: Seed) -> None:
        """Put in what a new row holds; the rows of a counted repeat wait for the count."""
        for path in row.raw:
            row.raw[path] = row[self.program.questions[path].slot] = seed.values.get(path, "")
        for path in row.rows:
            row.seeds[path] = seed.rows.get(path, ())
            if path not in self.program.count:
                for inner in row.seeds[path]:
                    self._append(row, path, inner)

    def _append(self, parent: FillingRow, path: str, seed: Seed | None) -> FillingRow:
        """Add a row at the end; None leaves it blank."""
        row = FillingRow(self.program.levels[path], parent)
        parent.rows[path].append(row)
        self._levels.clear()
        if seed is not None:
            self._sow(row, seed)
        for each in row.all_rows():
            self._mark_row(each)
        self._mark(("relevant", path))
        repeat = self.program.repeats[path]
        parent[repeat.slot].append(row)  # a new row takes part: no need to look at the others
        self._touch_rows(repeat, parent)
        return row

    def add_row(self, path: str, parent: FillingRow | None = None) -> FillingRow:
        """Add a row to a repeat as a person does."""
        row = self._append(parent or self.root, path, self.program.repeats[path].template)
        self._born.append(row)
        self.rest()
        return row

    def remove_row(self, path: str, index: int, parent: FillingRow | None = None) -> None:
        """Remove a row; later ones move up."""
        self._cut(parent or self.root, path, slice(index, index + 1))
        self.rest()

    def _cut(self, parent: FillingRow, path: str, cut: slice) -> None:
        del parent.rows[path][cut]
        self._levels.clear()
        self._show_rows(self.program.repeats[path], parent)

    # --- what has to be looked at again

    def _mark(self, job: Job, row: FillingRow | None = None) -> None:
        """Note a job, if there is one, for one row or for all."""
        if job not in self.program.jobs:
            return
        marked = self._dirty.get(job, set())
        if row is None or marked is None:
            self._dirty[job] = None
        else:
            self._dirty.setdefault(job, marked).add(row)  # type: ignore[union-attr]

    def _mark_row(self, row: FillingRow) -> None:
        """Note everything in a row, the rows inside it apart."""
        for job in self.program.levels[row.path].jobs:
            self._mark(job, None if job[0] == "relevant" and job[1] in row.rows else row)

    def _touch(self, path: str, row: FillingRow) -> None:
        """Note what reads a path that has changed in a row."""
        for job in self.program.own.get(path, ()):
            self._mark(job, row)
        for job in self.program.wide.get(path, ()):
            self._mark(job)

    def _due(self, job: Job, level: str) -> list[FillingRow]:
        """Return the rows for which a job has to be done, and take it off the list."""
        marked, rows = self._dirty.pop(job), self.rows_at(level)
        return rows if marked is None else [row for row in rows if row in marked]

    # --- coming to rest

    def settle(self) -> None:
        """Look at everything again: the clock has moved, or the language."""
        self._dirty = dict.fromkeys(self.program.jobs)  # None: for all rows
        self.rest()

    def rest(self) -> None:
        """Bring everything that depends on a change to rest."""
        for _ in range(ROUNDS):
            for _ in range(PASSES):
                if not self._dirty:
                    break
                self._pass()
            if not (self._is_open and self._react()):
                break

    def _pass(self) -> None:
        for job, level in self.program.calculations:
            if job in self._dirty:
                for row in self._due(job, level):
                    self._calculate(job[1], row)
        for job, level in self.program.settlings:
            if job in self._dirty:
                self._settle(job, level)

    def _settle(self, job: Job, level: str) -> None:
        kind, path = job
        repeat = self.program.repeats.get(path)
        if repeat is not None and kind == "relevant":
            self._settle_rows(repeat, level)
            return
        for row in self._due(job, level):
            if repeat is not None:
                self._count(repeat, row)
            elif kind == "relevant":
                self._settle_relevance(path, row)
            else:
                self._drop_unoffered(path, row)

    def _evaluate(self, closure: Any, row: FillingRow) -> Any:
        self.env.row = row
        return closure(self.env)

    def _truth(self, which: Mapping[str, Any], path: str, row: FillingRow, default: bool = True) -> bool:
        closure = which.get(path)
        if closure is None:
            return default
        value = self._evaluate(closure, row)
        return value if isinstance(value, bool) else to_boolean(value)

    def _keep(self, path: str, row: FillingRow, value: str) -> None:
        """Store a value; who reads it is noted, and so is the trigger that it may be."""
        if row.raw[path] == value:
            return
        row.raw[path] = value
        if path in self.program.triggers:
            self._fired.append((path, row))
        if row.relevant[path]:
            row[self.program.questions[path].slot] = value
            self._touch(path, row)

    def _calculate(self, path: str, row: FillingRow) -> None:
        program = self.program
        if not row.relevant[path] or self.verbatim or (self.recorded and path in program.tainted):
            return
        if path in program.drawn and path in row.drawn:
            return
        value = self._evaluate(program.calculate[path], row)
        row.drawn.add(path)
        self._keep(path, row, kept(value, program.questions[path].bind, self.env.now[1]))

    def _surrounded(self, path: str, row: FillingRow) -> bool:
        """Tell whether everything around a node of this row takes part."""
        groups = self.program.local[path]
        return row.is_on and (not groups or all(row.relevant[group] for group in groups))

    def _settle_relevance(self, path: str, row: FillingRow) -> None:
        now = self._surrounded(path, row) and self._truth(self.program.relevant, path, row)
        if now == row.relevant[path]:
            return
        row.relevant[path] = now
        for each in self.program.inside.get(path, ()):
            self._mark(("relevant", each), None if each in row.rows else row)
            self._mark(("count", each), row)
        question = self.program.questions.get(path)
        if question is not None:
            row[question.slot] = row.raw[path] if now else None
            self._touch(path, row)
            self._mark(("calculate", path), row)
            self._mark(("filter", path), row)

    def _settle_rows(self, repeat: Repeat, level: str) -> None:
        """Settle which rows of a repeat take part; while asked, each still has its place among all of them."""
        del self._dirty["relevant", repeat.path]
        for parent in self.rows_at(level):
            around = self._surrounded(repeat.path, parent)
            shown = parent[repeat.slot]
            parent[repeat.slot] = parent.rows[repeat.path]
            now = [around and self._truth(self.program.relevant, repeat.path, row) for row in parent.rows[repeat.path]]
            parent[repeat.slot] = shown
            parent.relevant[repeat.path] = around and (any(now) or not now)
            for row, is_on in zip(parent.rows[repeat.path], now, strict=True):
                if row.is_on != is_on:
                    row.is_on = is_on
                    self._mark_row(row)
            self._show_rows(repeat, parent)

    def _show_rows(self, repeat: Repeat, parent: FillingRow) -> None:
        shown = parent.shown(repeat)
        if shown != parent[repeat.slot]:
            parent[repeat.slot] = shown
            self._touch_rows(repeat, parent)

    def _touch_rows(self, repeat: Repeat, parent: FillingRow) -> None:
        """Rows came or went: whoever counts them or reads their values is noted."""
        self._touch(repeat.path, parent)
        for job in self.program.across.get(repeat.path, ()):
            self._mark(job)

    def wanted_rows(self, repeat: Repeat, parent: FillingRow) -> int | None:
        """Return how many rows a counted repeat should have; None where the count is blank or there is none."""
        if repeat.path not in self.program.count or not self._surrounded(repeat.path, parent):
            return None
        number = to_number(self._evaluate(self.program.count[repeat.path], parent), self.env.now[1])
        return None if number != number else int(max(0.0, min(number, MAX_ROWS)))

    def _count(self, repeat: Repeat, parent: FillingRow) -> None:
        wanted = None if self.recorded else self.wanted_rows(repeat, parent)
        rows = parent.rows[repeat.path]
        if wanted is None or wanted == len(rows):
            return
        if wanted < len(rows):
            self._cut(parent, repeat.path, slice(wanted, None))
        seeds = parent.seeds.get(repeat.path, ())
        while len(rows) < wanted:
            is_seed = len(rows) < len(seeds)
            row = self._append(parent, repeat.path, seeds[len(rows)] if is_seed else repeat.template)
            if not is_seed:
                self._born.append(row)

    def _drop_unoffered(self, path: str, row: FillingRow) -> None:
        """A filtered choice list may no longer offer what was chosen: then that choice goes."""
        if self.verbatim or not row.raw[path] or not row.relevant[path]:
            return
        offered, names = self.choices(path, row), chosen(self.program.questions[path], row.raw[path])
        self._keep(path, row, " ".join(name for name in names if name in offered))

    # --- actions

    def _react(self) -> bool:
        """Run what new rows and changed triggers set off; tell whether there was anything."""
        born, fired = self._born, self._fired
        self._born, self._fired = [], []
        if self.recorded or not self.form.actions:
            return False
        for row in born:
            self._run("odk-new-repeat", row)
        for path, row in fired:
            for number in self.program.triggers[path]:
                self._act(number, row)
        return bool(born or fired)

    def _run(self, event: str, born: FillingRow | None = None) -> None:
        """Run the actions of an event; those for a new row touch only that row."""
        for number, action in enumerate(self.form.actions):
            if event in action.events:
                for row in self.rows_at(self._row_of_action(action.at)):
                    if born is None or row.is_inside(born) or born.is_inside(row):
                        self._act(number, row, born)

    def _row_of_action(self, at: str) -> str:
        return at if at in self.program.repeats else self.program.level_of(at)

    def _act(self, number: int, row: FillingRow, born: FillingRow | None = None) -> None:
        action, closure = self.form.actions[number], self.program.values[number]
        question = self.program.questions.get(action.path)
        targets = self._evaluate(self.program.targets[number], row) if action.kind == "setvalue" else []
        for target in targets:
            if question is not None and (born is None or target.is_inside(born)):
                value = "" if closure is None else self._evaluate(closure, target)
                self._keep(action.path, target, kept(value, question.bind, self.env.now[1]))
        for _ in range(PASSES):
            if not self._dirty:
                break
            self._pass()

    def finish(self) -> None:
        """Do what is done when the record is finished: the end time, and everything that reads the clock."""
        self._run("finish")
        self.settle()

    # --- what expressions ask for

    def choices(self, path: str, row: FillingRow | None = None) -> tuple[str, ...]:
        """Return the names offered now."""
        closure = self.program.choice_filter.get(path)
        if closure is not None:
            return tuple(name for name in self._evaluate(closure, row or self.root) if name)
        return self.program.names.get(self.program.questions[path].list_name, ())

    def label_of_choice(self, path: str, value: str, row: Row) -> str:
        """Return what jr:choice-name() gives."""
        return value

    def text_of(self, text_id: str) -> str:
        """Return what jr:itext() gives."""
        return text_id
