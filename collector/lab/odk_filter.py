"""`$filter` of OData as ODK Central takes it: which submissions are asked for, by facts about them. Pure.

    or := and {"or" and}          compared := "(" or ")" | value ("eq" | "ne" | "lt" | "le" | "gt" | "ge") value
    and := not {"and" not}        value := fact | part "(" value ")" | "now()" | 'text' | number | time | null
    not := "not" or | compared

`not` holds for all that comes after it, up to the parenthesis that closes: so Central reads it. As in SQL an order of
nothing is unknown, and so is its contrary; `eq` and `ne` take nothing for a value. What OData knows besides (sums,
functions of text) is read too, to be told apart from what is no filter.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

FACTS = (
    "__id", "__system/submissionDate", "__system/updatedAt", "__system/submitterId", "__system/reviewState",
    "__system/deletedAt",
)  # fmt: skip
ROOT = "$root/Submissions/"
PARTS = ("year", "month", "day", "hour", "minute", "second")
OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")
SUMS = ("add", "sub", "mul", "div", "mod")
TRUTHS = ("contains", "startswith", "endswith", "geo.intersects", "isof")
# how many values each function of OData 4.0 takes
CALLS: Mapping[str, tuple[int, ...]] = (
    dict.fromkeys((*PARTS, "fractionalseconds", "totalseconds", "totaloffsetminutes", "date", "time"), (1,))
    | dict.fromkeys(("length", "tolower", "toupper", "trim", "round", "floor", "ceiling", "geo.length"), (1,))
    | dict.fromkeys(("contains", "startswith", "endswith", "indexof", "concat", "substringof"), (2,))
    | dict.fromkeys(("geo.distance", "geo.intersects"), (2,))
    | dict.fromkeys(("now", "mindatetime", "maxdatetime"), (0,))
    | {"substring": (2, 3), "isof": (1, 2)}
)
MOST_LETTERS = 4000
MOST_DEPTH = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<word>[$@A-Za-z_][\w/$.]*)|(?P<mark>[(),-]))"
)
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
Value = str | int | Decimal | datetime | bool | None
Facts = Mapping[str, Value]
Node = Callable[[Facts], Value]


@dataclass(frozen=True)
class FilterError(Exception):
    """A filter that cannot be used.

    kind: "unparseable", "field" (no such fact), "expression" (not supported) or "type" (a text where a number belongs).
    """

    kind: Literal["unparseable", "field", "expression", "type"]
    text: str
    at: int = 0


@dataclass(frozen=True)
class Filter:
    """A filter ready to be asked. names: the facts that it reads."""

    node: Node
    names: frozenset[str]

    def takes(self, facts: Facts) -> bool:
        """Tell whether a submission with these facts is asked for; one that was removed only by naming that."""
        if facts.get("__system/deletedAt") is not None and "__system/deletedAt" not in self.names:
            return False
        return self.node(facts) is True


_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_SAMPLE: Facts = {
    "__id": "uuid:", "__system/submissionDate": _MOMENT, "__system/updatedAt": _MOMENT, "__system/submitterId": 1,
    "__system/reviewState": "approved", "__system/deletedAt": _MOMENT,
}  # fmt: skip
EVERYTHING = Filter(lambda facts: True, frozenset())


def read_filter(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Filter:
    """Return the filter that `text` says. Raises FilterError, for a blank one too: so clients of ODK know it."""
    if len(text) > MOST_LETTERS:
        raise FilterError("unparseable", f"{len(text)} characters", MOST_LETTERS)
    reader = _Reader(_tokens(text), now)
    node = reader.either(0)
    reader.end()
    node(_SAMPLE)  # what cannot be compared is told now, and not in the middle of a file
    return Filter(node, frozenset(reader.names))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise FilterError("unparseable", text[at : at + 20], at)
        found.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        at = match.end()
    return found


class _Reader:
    """Reads tokens into what answers for a submission.

    What is no filter at all is told first, wherever it stands; else the first thing in it that cannot be asked.
    """

    def __init__(self, tokens: Sequence[_Token], now: Callable[[], datetime]) -> None:
        self._tokens, self._at, self._now = tokens, 0, now
        self._refused: FilterError | None = None
        self._mistyped: FilterError | None = None
        self._is_value = False  # whether what was read last is a value by itself, which answers nothing
        self.names: set[str] = set()

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "", -1)

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _takes(self, *words: str) -> bool:
        is_there = self._peek().text in words and self._peek().kind in ("word", "mark")
        self._at += is_there
        return is_there

    def _need(self, mark: str) -> None:
        if not self._takes(mark):
            raise FilterError("unparseable", self._peek().text, self._peek().at)

    def _refuse(self, kind: Literal["field", "expression"], token: _Token) -> Node:
        self._refused = self._refused or FilterError(kind, token.text, token.at)
        return _constant(None)

    def end(self) -> None:
        """Refuse what stands after the end, or cannot be asked."""
        if self._peek().kind != "end":
            raise FilterError("unparseable", self._peek().text, self._peek().at)
        problem = self._refused or self._mistyped
        if problem:
            raise problem

    def either(self, depth: int) -> Node:
        """Read alternatives."""
        if depth > MOST_DEPTH:
            raise FilterError("unparseable", "(", self._peek().at)
        node = self._both(depth)
        while self._takes("or"):
            node = _either(node, self._both(depth))
            self._is_value = False
        return node

    def _both(self, depth: int) -> Node:
        node = self._unless(depth)
        while self._takes("and"):
            node = _both(node, self._unless(depth))
            self._is_value = False
        return node

    def _unless(self, depth: int) -> Node:
        if not self._takes("not"):
            return self._compared(depth)
        node = _not(self.either(depth + 1))
        self._is_value = False
        return node

    def _compared(self, depth: int) -> Node:
        token, before = self._peek(), self._refused
        left = self._left(depth)
        if not self._is_value:
            return left
        if self._takes(*OPERATORS, "has"):
            self._is_value = False
            return self._against(left, token, depth)
        self._refused = before  # "edad" alone: whatever it names, nothing is asked of it
        return self._refuse("expression", token)

    def _left(self, depth: int) -> Node:
        token = self._peek()
        if self._takes("("):
            node = self.either(depth + 1)
            self._need(")")
            return node
        self._is_value = not (token.text in TRUTHS and self._is_call())
        return self._value(depth)

    def _against(self, left: Node, before: _Token, depth: int) -> Node:
        """Read what a value is compared with; before: what the value begins with."""
        operator, after = self._tokens[self._at - 1], self._peek()
        right = self._value(depth)
        if operator.text == "has":
            return self._refuse("expression", operator)
        self._look_at_types(before, right)
        self._look_at_types(after, left)
        return _compared(operator.text, left, right, operator.at)

    def _look_at_types(self, literal: _Token, other: Node) -> None:
        """Note a text that stands where only a number can."""
        is_number = isinstance(value := other(_SAMPLE), int | Decimal) and not isinstance(value, bool)
        if literal.kind == "text" and is_number and not _INTEGER.fullmatch(literal.text[1:-1]):
            self._mistyped = self._mistyped or FilterError("type", literal.text, literal.at)

    def _value(self, depth: int) -> Node:
        """Read what can be compared: sums and what is in parentheses too, to say that they are not understood."""
        node, token = self._operand(depth), self._peek()
        while self._takes(*SUMS):
            self._operand(depth)
            node = self._refuse("expression", token)
        return node

    def _operand(self, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise FilterError("unparseable", "(", self._peek().at)
        before, token = self._refused, self._next()
        if token.kind == "mark" and token.text in ("(", "-"):
            self._value(depth + 1)
            if token.text == "(":
                self._need(")")
            self._refused = before
            return self._refuse("expression", token)
        if token.kind == "word":
            return self._call(token, depth) if self._peek().text == "(" else self._named(token)
        return _constant(_literal(token))

    def _named(self, token: _Token) -> Node:
        if token.text in ("null", "true", "false"):
            return _constant({"null": None, "true": True, "false": False}[token.text])
        if token.text.startswith("@"):
            return self._refuse("expression", token)
        name = token.text.removeprefix(ROOT)
        if name not in FACTS:
            return self._refuse("field", token)
        self.names.add(name)
        return lambda facts: facts.get(name)

    def _is_call(self) -> bool:
        return [token.text for token in self._tokens[self._at + 1 : self._at + 2]] == ["("]

    def _call(self, token: _Token, depth: int) -> Node:
        before, arguments = self._refused, self._arguments(depth)
        if len(arguments) not in CALLS.get(token.text, ()):
            raise FilterError("unparseable", token.text, token.at)
        if token.text == "now":
            return _constant(self._now())
        if token.text in PARTS:
            return _part(token.text, arguments[0])
        self._refused = before
        return self._refuse("expression", token)

    def _arguments(self, depth: int) -> list[Node]:
        self._need("(")
        found: list[Node] = []
        if self._takes(")"):
            return found
        found.append(self._value(depth + 1))
        while self._takes(","):
            found.append(self._value(depth + 1))
        self._need(")")
        return found


def _literal(token: _Token) -> Value:
    if token.kind == "text":
        return token.text[1:-1].replace("''", "'")
    if token.kind == "number":
        return Decimal(token.text) if "." in token.text else int(token.text)
    if token.kind == "time":
        return _moment(token.text, token.at)
    raise FilterError("unparseable", token.text, token.at)


def _moment(text: str, at: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FilterError("unparseable", text, at) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _constant(value: Value) -> Node:
    return lambda facts: value


def _part(name: str, argument: Node) -> Node:
    def part(facts: Facts) -> Value:
        moment = argument(facts)
        if not isinstance(moment, datetime):
            return None
        whole: int = getattr(moment.astimezone(UTC), name)
        return whole if name != "second" else whole + Decimal(moment.microsecond) / 1_000_000

    return part


def _either(one: Node, other: Node) -> Node:
    def either(facts: Facts) -> Value:
        found = (one(facts), other(facts))
        return True if True in found else None if None in found else False

    return either


def _both(one: Node, other: Node) -> Node:
    def both(facts: Facts) -> Value:
        found = (one(facts), other(facts))
        return False if False in found else None if None in found else True

    return both


def _not(node: Node) -> Node:
    def contrary(facts: Facts) -> Value:
        found = node(facts)
        return None if found is None else found is not True

    return contrary


def _compared(operator: str, left: Node, right: Node, at: int) -> Node:
    def compared(facts: Facts) -> Value:
        one, other = _alike(left(facts), right(facts), at)
        if operator in ("eq", "ne"):
            return (one == other) is (operator == "eq")
        if one is None or other is None:
            return None
        return _is_so(operator, one, other, at)

    return compared


def _is_so(operator: str, one: Value, other: Value, at: int) -> bool:
    try:
        less, same = one < other, one == other  # type: ignore[operator]
    except TypeError as error:
        raise FilterError("unparseable", f"{one} {operator} {other}", at) from error
    return {"lt": less, "le": less or same, "gt": not less and not same, "ge": not less}[operator]


def _alike(one: Value, other: Value, at: int) -> tuple[Value, Value]:
    """Read a text as what stands on the other side: clients write times and numbers in quotes too."""
    if isinstance(one, str) and not isinstance(other, str):
        return _as(other, one, at), other
    if isinstance(other, str) and not isinstance(one, str):
        return one, _as(one, other, at)
    return one, other


def _as(like: Value, text: str, at: int) -> Value:
    if isinstance(like, datetime):
        return _moment(text, at)
    if isinstance(like, int | Decimal) and not isinstance(like, bool):
        return int(text) if _INTEGER.fullmatch(text) else text
    return text
