"""A form without repeats made ready to check records, several times as quick as filling it in.

A record stands still: its answers are read once, then every job (program.py says what a job is) is done in one sweep,
calculations first, then relevance and filters in document order. What a job changes calls those that read it: later
ones in this sweep, earlier ones in the next, PASSES at most. That is what settling.py does; here questions and jobs are
numbers, each job is one closure, and what can never change (relevance without a condition around it) has no job.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from collector.forms.expressions import Env, functions_used, to_boolean
from collector.forms.expressions.build import closure
from collector.forms.fitting import chosen, is_plain
from collector.forms.judging import Judged, judged
from collector.forms.model import IR, Form, Question
from collector.forms.program import Job, Program, program_of
from collector.forms.recorded import Record, Texts
from collector.forms.settling import PASSES, kept

SAY_TEXTS = frozenset({"jr:choice-name", "jr:itext"})
CAST_BINDS = ("int", "date", "dateTime")


Work = Callable[[Record], None]


@dataclass(frozen=True)
class Plan:
    """A form ready to check records. row, raw, shown: what a Record starts from.

    works: the jobs in their order; places: number, slot, question and whether its answers are only trimmed, by key.
    """

    form: Form
    instances: Mapping[str, list[dict[str, str]]]
    says_texts: bool
    row: list[Any]
    raw: list[str]
    shown: list[bool]
    works: tuple[Work, ...]
    places: Mapping[str, tuple[int, int, Question, bool]]
    judged: tuple[Judged, ...]
    notes: tuple[str, ...]

    def open(self, now: tuple[int, int], lang: str) -> Record:
        """Return a record without answers."""
        env = Env(self.row.copy(), now, lang, self.instances)
        if self.says_texts:
            texts = Texts(self.form, now, lang, env.row)
            env.choice_label, env.itext = texts.label_of_choice, texts.text_of
        return Record(env, self.raw.copy(), self.shown.copy(), len(self.works))

    def settle(self, record: Record) -> None:
        """Bring a record to rest: all jobs once, then PASSES - 1 sweeps at most over what is due again."""
        due, works = record.due, self.works
        for number, work in enumerate(works):
            due[number] = 0
            work(record)
        for _ in range(PASSES - 1):
            number = due.find(1)
            if number < 0:
                break
            while number >= 0:
                due[number] = 0
                works[number](record)
                number = due.find(1, number + 1)
        record.is_at_rest = due.find(1) < 0


@lru_cache(maxsize=256)
def plan_of(form: Form) -> Plan | None:
    """Return the plan of a form; None where it has repeats."""
    return None if form.repeats else _Builder(program_of(form)).plan()


class _Builder:
    """Numbers the nodes and jobs of a form, and makes the closures."""

    def __init__(self, program: Program) -> None:
        self.program, self.form = program, program.form
        self.number = {path: number for number, path in enumerate([*program.questions, *program.groups])}
        self.condition = {path: group.relevant for path, group in program.groups.items()}
        self.condition |= {path: question.logic.relevant for path, question in program.questions.items()}
        self.says_texts = any(functions_used(ir) & SAY_TEXTS for ir in self._expressions())
        jobs = [job for job, _ in (*program.calculations, *program.settlings) if self._is_done(job)]
        self.jobs = {job: number for number, job in enumerate(jobs)}

    def _may_go(self, path: str) -> bool:
        """Tell whether a node may be left out."""
        return any(self.condition[each] is not None for each in (path, *self.program.local[path]))

    def _is_done(self, job: Job) -> bool:
        """Tell whether a job can change anything in a record that was made elsewhere."""
        kind, path = job
        return path not in self.program.tainted if kind == "calculate" else kind == "filter" or self._may_go(path)

    def plan(self) -> Plan:
        """Put everything together."""
        program = self.program
        questions = list(program.questions.values())
        row: list[Any] = [None] * program.levels[self.form.root].size
        for question in questions:
            row[question.slot] = ""
        return Plan(
            form=self.form,
            instances=program.instances,
            says_texts=self.says_texts,
            row=row,
            raw=[""] * len(questions),
            shown=[True] * len(self.number),
            works=tuple(self._work(job) for job in self.jobs),
            places={q.key: (number, q.slot, q, is_plain(q)) for number, q in enumerate(questions)},
            judged=tuple(judged(question, program) for question in questions),
            notes=tuple(question.key for question in questions if question.type == "note"),
        )

    def _expressions(self) -> Iterator[IR]:
        for question in self.program.questions.values():
            logic = question.logic
            found = (logic.required, logic.constraint, logic.calculate, question.choice_filter)
            yield from (ir for ir in found if ir is not None)
        yield from (ir for ir in self.condition.values() if ir is not None)

    # --- jobs

    def _work(self, job: Job) -> Work:
        kind, path = job
        if kind == "relevant":
            return self._relevance(path)
        return self._calculation(path) if kind == "calculate" else self._filter(path)

    def _numbers(self, *jobs: Job) -> tuple[int, ...]:
        """Return the numbers of those jobs that are done."""
        return tuple(sorted({self.jobs[job] for job in jobs if job in self.jobs}))

    def _readers(self, path: str) -> tuple[int, ...]:
        return self._numbers(*self.program.own.get(path, ()), *self.program.wide.get(path, ()))

    def _calculation(self, path: str) -> Work:
        question = self.program.questions[path]
        evaluate = closure(question.logic.calculate or [])
        number, slot, bind, readers = self.number[path], question.slot, question.bind, self._readers(path)
        is_cast = bind in CAST_BINDS

        def work(record: Record) -> None:
            if not record.shown[number]:
                return
            env, row = record.env, record.row
            value = evaluate(env, row, None)
            text = value if not is_cast and isinstance(value, str) else kept(value, bind, env.now[1])
            if text != record.raw[number]:
                record.raw[number] = row[slot] = text
                call(record, readers)

        return work

    def _filter(self, path: str) -> Work:
        question = self.program.questions[path]
        offers: Callable[..., Any] = closure(question.choice_filter or [])
        number, slot, readers = self.number[path], question.slot, self._readers(path)

        def work(record: Record) -> None:
            text = record.raw[number]
            if not text or not record.shown[number]:
                return
            offered = offers(record.env, record.row, None)
            left = " ".join([name for name in chosen(question, text) if name in offered])
            if left != text:
                record.raw[number] = record.row[slot] = left
                call(record, readers)

        return work

    def _relevance(self, path: str) -> Work:
        number, rule = self.number[path], self._rule(path)
        holds = closure(self.condition[path] or ["f", "true"])
        around = tuple(self.number[group] for group in self.program.local[path] if self._may_go(group))

        def by_itself(record: Record) -> None:
            value = holds(record.env, record.row, None)
            now = value if isinstance(value, bool) else to_boolean(value)
            if now is not record.shown[number]:
                record.shown[number] = now
                rule(record, now)

        def with_groups(record: Record) -> None:
            shown = record.shown
            if all(shown[group] for group in around):
                by_itself(record)
            elif shown[number]:
                shown[number] = False
                rule(record, False)

        return with_groups if around else by_itself

    def _rule(self, path: str) -> Callable[[Record, bool], None]:
        """Return what is done when a node comes or goes."""
        question = self.program.questions.get(path)
        inside = self._numbers(*(("relevant", each) for each in self.program.inside.get(path, ())))
        if question is None:
            return lambda record, now: call(record, inside)
        number, slot = self.number[path], question.slot
        always = self._numbers(("calculate", path), *self.program.wide.get(path, ()))
        # an empty answer reads as one that is left out: what reads it alone need not look again, texts apart
        readers = self._numbers(("filter", path), *self.program.own.get(path, ()))
        always += readers if self.says_texts else ()

        def rule(record: Record, now: bool) -> None:
            text = record.raw[number]
            record.row[slot] = text if now else None
            if always:
                call(record, always)
            if text and readers:
                call(record, readers)

        return rule


def call(record: Record, works: tuple[int, ...]) -> None:
    """Note that these are due."""
    for number in works:
        record.due[number] = 1
