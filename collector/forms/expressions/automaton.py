"""Search a text for a pattern in time that grows with the text, no faster: for patterns on which re may run for years.

re goes back and tries again; this goes through the text once with all the places of the pattern where it could be.
It answers the same (a test compares the two), about 20 times slower on harmless patterns, so matching.py asks re first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.forms.expressions.pattern_tree import Atom, Choice, Look, Mark, Repeat, Sequence, Tree
from collector.forms.expressions.patterns import python_pattern

MAX_PLACES = 3000
MAX_REMEMBERED = 5000
UNKNOWN: frozenset[int] = frozenset({-1})
WORD = re.compile(r"\w", re.ASCII)
# What stands around a place of the text: whether it is the start, the end, the edge of a word.
Context = tuple[bool, bool, bool]


class TooLargeError(ValueError):
    """The pattern has more places than can be followed."""


@dataclass
class Automaton:
    """Places 0, 1, …: what each one takes, where one may go from it for nothing, and under which condition.

    steps: place -> (atom, next place). free: place -> [(mark or lookahead or None, next place)].
    """

    steps: dict[int, tuple[str, int]] = field(default_factory=dict)
    free: dict[int, list[tuple[Mark | Look | None, int]]] = field(default_factory=dict)
    size: int = 0
    start: int = 0
    end: int = 0
    inner: dict[Look, "Automaton"] = field(default_factory=dict)
    known: dict[tuple[frozenset[int], Context, str], frozenset[int] | None] = field(default_factory=dict)

    # -- making it

    def place(self) -> int:
        """Add a place."""
        self.size += 1
        if self.size > MAX_PLACES:
            raise TooLargeError
        return self.size - 1

    def link(self, here: int, there: int, condition: Mark | Look | None = None) -> None:
        """Let one go from a place to another without taking a character."""
        self.free.setdefault(here, []).append((condition, there))

    def add(self, tree: Tree, here: int) -> int:
        """Add what `tree` matches from the place `here`; return the place after it."""
        match tree:
            case Atom(text):
                self.steps[here] = (text, after := self.place())
                return self.fresh(after)
            case Mark() | Look():
                if isinstance(tree, Look):
                    self.inner[tree] = automaton(tree.inner)
                self.link(here, after := self.place(), tree)
                return after
            case Sequence(parts):
                for part in parts:
                    here = self.add(part, here)
                return here
            case Choice(branches):
                ends = [self.add(branch, self.fresh(here)) for branch in branches]
                after = self.place()
                for end in ends:
                    self.link(end, after)
                return after
            case Repeat():
                return self.add_repeat(tree, here)

    def fresh(self, here: int) -> int:
        """Return a new place that one reaches from `here` for nothing: a place takes one atom at most."""
        self.link(here, after := self.place())
        return after

    def add_repeat(self, tree: Repeat, here: int) -> int:
        """Add the copies that must stand, then those that may, or a loop."""
        for _ in range(tree.least):
            here = self.add(tree.part, self.fresh(here))
        if tree.most is None:
            here = self.fresh(here)
            self.link(self.add(tree.part, self.fresh(here)), here)
            return self.fresh(here)
        ways_out = [here]
        for _ in range(tree.most - tree.least):
            here = self.add(tree.part, self.fresh(here))
            ways_out.append(here)
        after = self.place()
        for way in ways_out:
            self.link(way, after)
        return after

    # -- running it

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern is anywhere in `text`."""
        here: frozenset[int] = frozenset()
        for at in range(len(text) + 1):
            after = self.after(here | {self.start}, text, at)
            if after is None:
                return True
            here = after
        return False

    def matches_at(self, text: str, at: int) -> bool:
        """Tell whether the pattern begins at a place of `text`."""
        here: frozenset[int] | None = frozenset({self.start})
        while here and at <= len(text):
            here = self.after(here, text, at)
            at += 1
        return here is None

    def after(self, here: frozenset[int], text: str, at: int) -> frozenset[int] | None:
        """Return where one may be after the character at `at`; None when the pattern has ended before it."""
        if self.inner:
            return self.moved(self.reached(here, text, at), text[at : at + 1])
        key = (here, context(text, at), text[at : at + 1])
        # one look only: another thread may empty what is known
        known = self.known.get(key, UNKNOWN)
        if known is UNKNOWN:
            known = self.moved(self.reached(here, text, at), key[2])
            if len(self.known) > MAX_REMEMBERED:
                self.known.clear()
            self.known[key] = known
        return known

    def moved(self, here: Iterable[int], character: str) -> frozenset[int] | None:
        """Take one character ("" at the end of the text) from all places."""
        if self.end in here:
            return None
        taking = [self.steps[place] for place in here if place in self.steps] if character else []
        accepted = {atom for atom in {atom for atom, _ in taking} if takes(atom, character)}
        return frozenset(after for atom, after in taking if atom in accepted)

    def reached(self, here: Iterable[int], text: str, at: int) -> set[int]:
        """Add all places that one may go to for nothing."""
        around = context(text, at)
        reached, todo = set(here), list(here)
        while todo:
            for condition, place in self.free.get(todo.pop(), ()):
                if place not in reached and self.holds(condition, around, text, at):
                    reached.add(place)
                    todo.append(place)
        return reached

    def holds(self, condition: Mark | Look | None, around: Context, text: str, at: int) -> bool:
        """Tell whether a mark or lookahead is fulfilled."""
        if isinstance(condition, Look):
            return self.inner[condition].matches_at(text, at) is condition.wanted
        if condition is None:
            return True
        return {"^": around[0], "$": around[1], "\\b": around[2], "\\B": not around[2]}[condition.text]


def context(text: str, at: int) -> Context:
    """Look at the characters before and after a place."""
    before, after = at > 0 and WORD.match(text[at - 1]), at < len(text) and WORD.match(text[at])
    return at == 0, at == len(text), bool(before) != bool(after)


def takes(atom: str, character: str) -> bool:
    """Tell whether a character is of the kind an atom names."""
    return re.fullmatch(python_pattern(atom), character, re.ASCII) is not None


def automaton(tree: Tree) -> Automaton:
    """Make the automaton of a pattern. Raises TooLargeError."""
    made = Automaton()
    made.start = made.place()
    made.end = made.add(tree, made.fresh(made.start))
    return made
