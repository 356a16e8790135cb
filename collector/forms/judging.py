"""What is wrong with one answer of a record, as closures made once a form: `Filling.trouble` without its look-ups."""

from collections.abc import Callable
from typing import Any, NamedTuple

from collector.forms.expressions import to_boolean
from collector.forms.expressions.build import closure
from collector.forms.expressions.environment import Evaluate
from collector.forms.fitting import MANY, MAX_TEXT, chosen, shape_of
from collector.forms.model import IR, Question
from collector.forms.program import Program
from collector.forms.recorded import Record

Judge = Callable[[Record, str, str], str]
Knows = Callable[[Record, str], bool]


class Judged(NamedTuple):
    """How a question is judged. names: answers with which nothing is wrong; judge: tells of others what is."""

    key: str
    names: frozenset[str]
    judge: Judge


def judged(question: Question, program: Program) -> Judged:
    """Return how records are judged at a question."""
    if question.type == "calculate":
        is_ours = question.logic.calculate is not None and question.path not in program.tainted
        return Judged(question.key, frozenset(), is_computed if is_ours else nothing_wrong)
    if question.type == "note":
        return Judged(question.key, frozenset(), is_blank)
    return Judged(question.key, names_right(question, program), judge_of(question, program))


def is_computed(_record: Record, value: str, said: str) -> str:
    """Judge what is computed again."""
    return "" if said == value else "recomputed"


def nothing_wrong(_record: Record, _value: str, _said: str) -> str:
    """Judge a calculate that stays as it is recorded."""
    return ""


def is_blank(_record: Record, value: str, said: str) -> str:
    """Judge what is not there any more: a choice that was dropped, or nothing but blanks."""
    return "choice" if said and not value else ""


def closure_of(ir: IR | None) -> Evaluate | None:
    """Build an expression, if there is one."""
    return closure(ir) if ir is not None else None


def names_right(question: Question, program: Program) -> frozenset[str]:
    """Return the choices that are right whatever else is said; an empty name is no answer."""
    is_always = question.type == "select_one" and question.choice_filter is None and question.logic.constraint is None
    names = program.names.get(question.list_name, ()) if is_always else ()
    return frozenset(name for name in names if name and len(name) <= MAX_TEXT)


def judge_of(question: Question, program: Program) -> Judge:
    """Return what tells the trouble with an answer, as it is kept and as it was said; "" when there is none."""
    required, constraint = closure_of(question.logic.required), closure_of(question.logic.constraint)
    shape, knows = shape_of(question), choices_known(question, program)

    def judge(record: Record, value: str, said: str) -> str:
        if not value:
            if said:
                return "choice"
            return "required" if required is not None and to_boolean(required(record.env, record.row, None)) else ""
        if len(value) > MAX_TEXT or (shape is not None and not shape(value)):
            return "type"
        if knows is not None and not knows(record, value):
            return "choice"
        if constraint is None:
            return ""
        held = constraint(record.env, record.row, None)
        return "" if held is True or to_boolean(held) else "constraint"

    return judge


def choices_known(question: Question, program: Program) -> Knows | None:
    """Return what tells whether all choices of an answer are offered; None where nothing is chosen."""
    if not question.list_name:
        return None
    if question.choice_filter is not None:
        return choices_offered(question)
    names = frozenset(program.names.get(question.list_name, ()))
    if question.type in MANY:
        return lambda _record, text: names.issuperset(text.split())
    return lambda _record, text: text in names


def choices_offered(question: Question) -> Knows:
    """Return the same where a filter says what is offered.

    In a record at rest the filter has left only what is offered, unless the answer is calculated.
    """
    offers: Callable[..., Any] = closure(question.choice_filter or [])
    is_left_alone = question.logic.calculate is None

    def knows(record: Record, text: str) -> bool:
        if record.is_at_rest and is_left_alone:
            return True
        offered = offers(record.env, record.row, None)
        return all(name in offered for name in chosen(question, text))

    return knows
