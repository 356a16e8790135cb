"""Text of an expression -> tree. XPath 1.0 as OpenRosa forms use it; the rest is refused by name.

    text --tokens()--> [Token] --Parser--> Ast     Ast = Number | Text | Path | Call | Operation | Negation

Only the words that forms really use are here: no unions, axes, `//`, attributes, wildcards or variables. The long
spellings `self::node()`, `parent::node()` and `child::name` are taken as `.`, `..` and `name`.
"""

from dataclasses import dataclass, replace
from typing import Literal

from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.tokens import BINDING, REFUSED_SIGNS, Token, refuse_sign, tokens

MAX_LENGTH = 20_000
MAX_NESTING = 80
MAX_HEIGHT = 100  # of the tree: a - b * c - d grows with every change of operator, a predicate counts twice

MAX_BRACKETS = 5  # each predicate in a predicate multiplies the work by the rows of its repeat

# A chain of one of these goes from left to right and stays flat: long ones need no deep recursion.
FLAT = ("or", "and", "+", "-", "*", "div", "mod")


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: float
    position: int


@dataclass(frozen=True, slots=True)
class Text:
    """A literal text."""

    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path with its predicates; name is "." or ".." for self and parent."""

    name: str
    predicates: tuple["Ast", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Path:
    """A location path. start: "/" from the document, "." from the node, or the call it hangs on."""

    start: Literal["/", ".", "current", "instance"]
    steps: tuple[Step, ...]
    position: int
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    name: str
    arguments: tuple["Ast", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with two operands, or more for a chain of or, and, +."""

    operator: str
    operands: tuple["Ast", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: "Ast"
    position: int


Ast = Number | Text | Path | Call | Operation | Negation


class Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        """Start at the first token of `text`."""
        self.tokens = tokens(text)
        self.next = 0
        self.depth = 0
        self.brackets = 0

    @property
    def token(self) -> Token:
        """Return the token not yet taken."""
        return self.tokens[self.next]

    def take(self) -> Token:
        """Take the token and move on."""
        self.next += 1
        return self.tokens[self.next - 1]

    def take_if(self, *texts: str) -> Token | None:
        """Take the token if it is one of these signs."""
        return self.take() if self.token.kind in ("sign", "operator") and self.token.text in texts else None

    def expect(self, sign: str, opened: Token) -> None:
        """Take `sign` or say that what `opened` began is not closed."""
        if self.take_if(sign):
            return
        raise ExpressionError(
            f"A {sign} is missing for the {opened.text} at character {opened.position + 1}.",
            f"Falta un {sign} para el {opened.text} del carácter {opened.position + 1}.",
            self.token.position,
        )

    def unexpected(self) -> ExpressionError:
        """Make the error for a token that cannot stand where it is."""
        token = self.token
        if token.text in REFUSED_SIGNS:
            return refuse_sign(token)
        if token.kind == "end":
            return ExpressionError(
                "The expression stops too early.", "La expresión termina antes de tiempo.", token.position
            )
        return ExpressionError(f"{token.text} cannot stand here.", f"{token.text} no puede estar aquí.", token.position)

    def whole(self) -> Ast:
        """Parse all the tokens."""
        tree = self.operation(1)
        if self.token.kind != "end":
            raise self.unexpected()
        hold_height(tree)
        return tree

    def operation(self, binding: int) -> Ast:
        """Parse operands joined by operators that bind at least as tightly as `binding`."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise too_deep(self.token.position)
        left = self.signed()
        while self.token.kind == "operator" and BINDING[self.token.text] >= binding:
            operator = self.take()
            right = self.operation(BINDING[operator.text] + 1)
            left = join(operator, left, right)
        self.depth -= 1
        return left

    def signed(self) -> Ast:
        """Parse an operand with its minus signs."""
        minuses = []
        while sign := self.take_if("-"):
            minuses.append(sign.position)
        operand = self.operand()
        if not minuses:
            return operand
        once = Negation(operand, minuses[-1])
        return once if len(minuses) % 2 else Negation(once, minuses[0])

    def operand(self) -> Ast:
        """Parse a literal, a call, a path or a parenthesis."""
        token = self.token
        if token.kind == "number":
            return self.number()
        if token.kind == "text":
            return Text(self.take().text[1:-1], token.position)
        if opened := self.take_if("("):
            inner = self.operation(1)
            self.expect(")", opened)
            self.refuse_filter()
            return inner
        if token.kind == "name" and self.tokens[self.next + 1].text == "(":
            return self.call()
        if token.kind == "name" or token.text in (".", "..", "/"):
            return self.path()
        raise self.unexpected()

    def number(self) -> Number:
        """Parse a literal number; one that no double holds is a slip."""
        token = self.take()
        value = float(token.text)
        if value == float("inf"):
            raise ExpressionError("This number is too large.", "Este número es demasiado grande.", token.position)
        return Number(value, token.position)

    def refuse_filter(self) -> None:
        """Refuse `(…)[n]` and `(…)/x`."""
        if self.token.text in ("[", "/"):
            raise ExpressionError(
                f"A {self.token.text} after a parenthesis or a function is not supported.",
                f"No se admite un {self.token.text} después de un paréntesis o de una función.",
                self.token.position,
            )

    def arguments(self) -> tuple[Ast, ...]:
        """Parse `(a, b, …)`."""
        opened = self.take()
        found: list[Ast] = []
        if not self.take_if(")"):
            found.append(self.operation(1))
            while self.take_if(","):
                found.append(self.operation(1))
            self.expect(")", opened)
        return tuple(found)

    def call(self) -> Ast:
        """Parse a call; instance() and current() start a path."""
        name = self.take()
        arguments = self.arguments()
        if name.text == "current" and not arguments:
            return Path("current", self.rest(), name.position)
        if name.text == "instance":
            if len(arguments) != 1 or not isinstance(arguments[0], Text):
                raise ExpressionError(
                    "instance() needs the name of a list as a literal text.",
                    "instance() necesita el nombre de una lista como texto literal.",
                    name.position,
                )
            return Path("instance", self.rest(), name.position, arguments[0].value)
        self.refuse_filter()
        return Call(name.text, arguments, name.position)

    def rest(self) -> tuple[Step, ...]:
        """Parse `/step/step…` after a start."""
        steps = []
        while self.take_if("/"):
            steps.append(self.step())
        return tuple(steps)

    def path(self) -> Path:
        """Parse an absolute or relative location path."""
        position = self.token.position
        if self.take_if("/"):
            if not self.starts_step():
                return Path("/", (), position)
            return Path("/", (self.step(), *self.rest()), position)
        return Path(".", (self.step(), *self.rest()), position)

    def starts_step(self) -> bool:
        """Tell whether a step begins here."""
        return self.token.kind == "name" or self.token.text in (".", "..")

    def step(self) -> Step:
        """Parse one step with its predicates."""
        token = self.token
        if not self.starts_step():
            raise self.unexpected()
        self.take()
        name = self.axis(token) if self.token.text == "::" else token.text
        predicates = []
        while opened := self.take_if("["):
            self.brackets += 1
            if self.brackets > MAX_BRACKETS:
                raise too_deep(opened.position)
            predicates.append(self.operation(1))
            self.expect("]", opened)
            self.brackets -= 1
        return Step(name, tuple(predicates), token.position)

    def axis(self, axis: Token) -> str:
        """Read the long spelling of a step that has a short one."""
        sign = self.take()
        name = self.take()
        if axis.text == "child" and name.kind == "name" and self.token.text != "(":
            return name.text
        short = {"self": ".", "parent": ".."}.get(axis.text)
        if short and name.text == "node" and self.token.text == "(" and not self.arguments():
            return short
        raise refuse_sign(sign)


def join(operator: Token, left: Ast, right: Ast) -> Ast:
    """Make an operation, lengthening `left` where it is a chain of the same operator."""
    if operator.text in FLAT and isinstance(left, Operation) and left.operator == operator.text:
        return replace(left, operands=(*left.operands, right))
    return Operation(operator.text, (left, right), operator.position)


def too_deep(position: int) -> ExpressionError:
    """Refuse what would need too deep a recursion here or in the page."""
    return ExpressionError(
        "The expression is nested too deeply.",
        "La expresión tiene demasiados niveles.",
        position,
        hint="Put a part of it in a calculate question.",
        hint_es="Pase una parte a una pregunta calculate.",
    )


def hold_height(tree: Ast) -> None:
    """Refuse a tree too high to go through by recursion."""
    todo = [(tree, 1)]
    while todo:
        here, height = todo.pop()
        if height > MAX_HEIGHT:
            raise too_deep(here.position)
        match here:
            case Operation():
                todo.extend((each, height + 1) for each in here.operands)
            case Call():
                todo.extend((each, height + 1) for each in here.arguments)
            case Negation():
                todo.append((here.operand, height + 1))
            case Path():
                todo.extend((each, height + 2) for step in here.steps for each in step.predicates)


def parse(text: str) -> Ast:
    """Parse an expression. Raises ExpressionError with the place and a hint."""
    try:
        if len(text) > MAX_LENGTH:
            raise ExpressionError(
                f"The expression has more than {MAX_LENGTH} characters.",
                f"La expresión tiene más de {MAX_LENGTH} caracteres.",
                0,
            )
        return Parser(text).whole()
    except ExpressionError as error:
        error.text = text
        raise
