"""How long a pattern may take, and searching in bounded time whatever the pattern: a stranger writes the text.

Python's re goes back and tries again, and has no time limit. Its work is at most the number of ways to lay the pattern
over the text, which grows with the text as c·n^d, or as 2^n where something that repeats repeats again. Where that
could be too much, an automaton answers instead (automaton.py).
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache

from collector.forms.expressions.automaton import Automaton, TooLargeError, automaton
from collector.forms.expressions.pattern_tree import Atom, Choice, Look, Mark, Repeat, Sequence, Tree, pattern_tree
from collector.forms.expressions.patterns import MAX_VALUE_LENGTH, python_pattern
from collector.forms.expressions.twofold import is_twofold

MAX_WAYS = 300_000.0
ALWAYS_QUICK = 8  # characters on which even 2^n is nothing
Growth = tuple[float, float]  # c and d of c·n^d


def growth(tree: Tree) -> Growth:
    """Return how the ways to match grow with the text; c is infinite where they double with each character."""
    match tree:
        case Atom() | Mark():
            return 1.0, 0
        case Look(inner):
            return growth(inner)
        case Sequence(parts):
            grown = [growth(part) for part in parts]
            return math.prod(c for c, _ in grown), sum(d for _, d in grown)
        case Choice(branches):
            grown = [growth(branch) for branch in branches]
            return sum(c for c, _ in grown), max(d for _, d in grown)
        case Repeat(part, least, most):
            return repeated(growth(part), least, most)


def repeated(part: Growth, least: int, most: int | None) -> Growth:
    """Return how the ways to match a part `least` to `most` times grow."""
    c, d = part
    if part == (1.0, 0):
        return (1.0, 1) if most is None else (1.0 + most - least, 0)
    if most is None or most * math.log(c) > math.log(MAX_WAYS):
        return math.inf if most is None else MAX_WAYS * 2, d
    return c**most * (1 + most - least), d * most


def starts_once(tree: Tree) -> bool:
    """Tell whether a pattern can only begin at the start of the text."""
    match tree:
        case Mark(text):
            return text == "^"
        case Sequence(parts):
            return bool(parts) and starts_once(parts[0])
        case Choice(branches):
            return all(starts_once(branch) for branch in branches)
    return False


def quick_length(pattern: str) -> int:
    """Return how long a text may be for re to be quick on it for sure."""
    tree = pattern_tree(pattern)
    c, d = growth(tree)
    d += not starts_once(tree)
    if c > MAX_WAYS:
        return ALWAYS_QUICK
    return MAX_VALUE_LENGTH if d == 0 else max(ALWAYS_QUICK, int((MAX_WAYS / c) ** (1 / d)))


@lru_cache(maxsize=256)
def known_automaton(pattern: str) -> Automaton | None:
    """Make the automaton of a pattern once; None for one that is too large."""
    try:
        return automaton(pattern_tree(pattern))
    except TooLargeError:
        return None


def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text holds what a canonical pattern describes.

    A text of more than MAX_VALUE_LENGTH characters never does. Time is bounded for every pattern and text.
    """
    search = re.compile(python_pattern(pattern), re.ASCII).search
    quick = quick_length(pattern)

    def found(text: str) -> bool:
        length = len(text)
        if length <= quick and length <= MAX_VALUE_LENGTH:
            return search(text) is not None
        if length > MAX_VALUE_LENGTH:
            return False
        careful = known_automaton(pattern)
        return careful is not None and careful.found_in(text)

    return found


def may_run_long(pattern: str) -> bool:
    """Tell whether a pattern can keep a telephone busy for ages, or is too large to be searched for in bounded time.

    True where some text can be matched in twice as many ways with each further character, as for (a+)+ or (a|a)*, and
    for very many ways of another kind. A node is safe from them all: see searcher().
    """
    if quick_length(pattern) >= MAX_VALUE_LENGTH:
        return False
    made = known_automaton(pattern)
    if made is None or is_twofold(made):
        return True
    # as many copies as (a?){30} has behave like a loop
    tree = pattern_tree(pattern)
    return MAX_WAYS < growth(tree)[0] < math.inf and is_twofold(automaton(looped(tree)))


def looped(tree: Tree) -> Tree:
    """Make a loop of every part that may stand several times."""
    match tree:
        case Repeat(part, least, most):
            return Repeat(looped(part), min(least, 1), 1 if most == 1 else None)
        case Sequence(parts):
            return Sequence(tuple(map(looped, parts)))
        case Choice(branches):
            return Choice(tuple(map(looped, branches)))
    return tree
