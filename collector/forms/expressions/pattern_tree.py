"""A canonical pattern (patterns.py) as a tree, so that it can be measured and run as an automaton.

Atom | Mark | Look | Sequence | Choice | Repeat
"""

from dataclasses import dataclass

from collector.forms.expressions.patterns import COUNT, pieces

MARKS = ("^", "$", "\\b", "\\B")


@dataclass(frozen=True, slots=True)
class Atom:
    """One character of a kind: a letter, an escape, a dot or a set, as the pattern writes it."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: ^, $, \\b or \\B."""

    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """A lookahead: what follows is (or is not) like this."""

    inner: "Tree"
    wanted: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    branches: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, `least` to `most` times (None: without end)."""

    part: "Tree"
    least: int
    most: int | None


Tree = Atom | Mark | Look | Sequence | Choice | Repeat


class Reader:
    """Recursive descent over the pieces of one canonical pattern."""

    def __init__(self, pattern: str) -> None:
        """Start at the first piece."""
        self.pieces = pieces(pattern)
        self.next = 0

    def piece(self) -> str:
        """Return the piece not yet taken, "" at the end."""
        return self.pieces[self.next][0] if self.next < len(self.pieces) else ""

    def take(self) -> str:
        """Take the piece and move on."""
        self.next += 1
        return self.pieces[self.next - 1][0]

    def choice(self) -> Tree:
        """Read branches up to a closing parenthesis or the end."""
        branches = [self.sequence()]
        while self.piece() == "|":
            self.take()
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self) -> Tree:
        """Read parts with their counts."""
        parts = []
        while self.piece() not in ("", "|", ")"):
            parts.append(self.counted(self.part()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def counted(self, part: Tree) -> Tree:
        """Read how often a part may stand; a ? that only makes it lazy says nothing about what matches."""
        sign = self.piece()
        known: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if sign in known:
            least, most = known[sign]
        elif COUNT.fullmatch(sign):
            low, comma, high = sign[1:-1].partition(",")
            least, most = int(low), int(high) if high else None if comma else int(low)
        else:
            return part
        self.take()
        if self.piece() == "?":
            self.take()
        return Repeat(part, least, most)

    def part(self) -> Tree:
        """Read a group, a set, a mark or a character."""
        piece = self.take()
        if piece == "(":
            return self.group()
        if piece in MARKS:
            return Mark(piece)
        if piece in ("[", "[^"):
            while self.pieces[self.next][0] != "]":
                piece += self.take()
            return Atom(piece + self.take())
        return Atom(piece)

    def group(self) -> Tree:
        """Read what stands in parentheses."""
        kind = ""
        if self.piece() == "?":
            self.take()
            kind = self.take()
        inner = self.choice()
        self.take()
        return Look(inner, kind == "=") if kind in ("=", "!") else inner


def pattern_tree(pattern: str) -> Tree:
    """Read a canonical pattern that regex_problems() finds nothing wrong with."""
    return Reader(pattern).choice()
