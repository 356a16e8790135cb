"""Where an expression stands while it is resolved, and the resolvers that the parts of the job hand each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collector.forms.expressions.shape import Shape
from collector.forms.expressions.syntax import Ast, Step

Ir = list[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its node, the row it is evaluated in, and what is around a predicate.

    item_of: the list whose items a predicate looks at. bind: the scope around all predicates.
    """

    shape: Shape
    path: str
    row: str
    item_of: str = ""
    bind: "Scope | None" = None

    @property
    def home(self) -> "Scope":
        """Return the scope of the expression's own node."""
        return self.bind or self

    def up_to(self, row: str) -> int:
        """Count the rows between this one and `row`, which is around it."""
        return len(self.shape.chain(self.row)) - len(self.shape.chain(row))


@dataclass(slots=True)
class Walk:
    """A path on its way: the row it starts from, what it goes through, and where it is."""

    anchor: str
    row: str
    path: str
    operations: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Resolvers:
    """What paths and calls need from resolve.py, which needs them: resolving what stands inside brackets.

    value: one value. many: a node-set. condition: true or false. predicates: those of a step where a walk stands.
    """

    value: Callable[[Ast, Scope], Ir]
    many: Callable[[Ast, Scope], Ir]
    condition: Callable[[Ast, Scope], Ir]
    predicates: Callable[[Step, Scope, Walk], list[Ir]]
