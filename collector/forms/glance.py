"""Answers in which nothing is wrong beyond doubt, told by one look at each: most records are such.

A glance says that all is right, or nothing at all: whatever it cannot vouch for goes by the form's plan (plan.py). It
is for forms in which no answer changes another: no calculation, no relevance, no filter of choices.
"""

from collections.abc import Callable, Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple

from collector.forms.fitting import MANY, MAX_TEXT, is_plain, shape_of, tidy
from collector.forms.judging import names_right
from collector.forms.model import Form, Question
from collector.forms.plan import plan_of
from collector.forms.program import Program, program_of

Sure = Callable[[str], object]
ONLY_TEXT = frozenset({str})
MOST_REMEMBERED = 256  # answers a question, and characters an answer: a record must not fill the memory
LONGEST_REMEMBERED = 64


class Place(NamedTuple):
    """Where an answer is right. right: answers that are; sure: tells it of others."""

    right: Set[str]
    sure: Sure


class Glance(NamedTuple):
    """A form as it is looked at. needed: keys that a record must answer, if it is to be told by a glance."""

    places: Mapping[str, Place]
    needed: frozenset[str]

    def is_all_right(self, given: Mapping[str, Any]) -> bool:
        """Tell whether all these answers count as they were said; False also where a glance cannot tell."""
        if not ONLY_TEXT.issuperset(map(type, given.values())):
            return False
        places = self.places
        try:
            for key, text in given.items():
                right, sure = places[key]
                if text not in right and not sure(text):
                    return False
        except KeyError:  # no such question, or one that is judged apart
            return False
        return not self.needed or self.needed <= given.keys()


@lru_cache(maxsize=256)
def glance_of(form: Form) -> Glance | None:
    """Return how a form is looked at; None where answers change each other."""
    plan = plan_of(form)
    if plan is None or plan.works:
        return None
    program = program_of(form)
    places = {question.key: place_of(question, program) for question in program.questions.values()}
    needed = frozenset(q.key for q in program.questions.values() if q.logic.required is not None)
    return Glance({key: place for key, place in places.items() if place is not None}, needed)


def place_of(question: Question, program: Program) -> Place | None:
    """Return where an answer to a question is right; None where no glance can tell."""
    is_judged_apart = question.logic.constraint is not None or question.choice_filter is not None
    if question.type in ("calculate", "note") or is_judged_apart:
        return None
    if question.type == "select_one":
        return Place({name for name in names_right(question, program) if tidy(question, name) == name}, never)
    sure = sure_of(question, program)
    return remembering(sure) if question.type in (*MANY, "integer") else Place(frozenset(), sure)


def never(_text: str) -> bool:
    """Vouch for nothing."""
    return False


def remembering(sure: Sure) -> Place:
    """Return a place that knows again what it vouched for: people choose the same few, and their ages are alike."""
    right: set[str] = set()

    def surely(text: str) -> bool:
        if not sure(text):
            return False
        if len(right) < MOST_REMEMBERED and len(text) <= LONGEST_REMEMBERED:
            right.add(text)
        return True

    return Place(right, surely)


def sure_of(question: Question, program: Program) -> Sure:
    """Return what vouches for an answer: kept as it was said, of the question's shape, of choices that there are."""
    shape, neat = shape_of(question), neatness_of(question)
    if question.list_name:
        names = frozenset(program.names.get(question.list_name, ()))
        split = str.split if question.type in MANY else _whole
        return lambda text: neat(text) and names.issuperset(split(text)) and (shape is None or shape(text))
    if shape is None:
        return neat
    # whatever has a shape is printable ASCII without a comma or blanks at its ends (a test holds it)
    return lambda text: len(text) <= MAX_TEXT and shape(text)


def _whole(text: str) -> list[str]:
    return [text]


def neatness_of(question: Question) -> Callable[[str], bool]:
    """Return what tells whether an answer is kept as it was said, and is no longer than it may be."""
    is_only_trimmed = is_plain(question)

    def neat(text: str) -> bool:
        if not 0 < len(text) <= MAX_TEXT:
            return False
        if is_only_trimmed and text.isascii() and text.isprintable():
            return text[0] != " " != text[-1]
        return tidy(question, text) == text

    return neat
