"""Expressions of forms: text -> parse -> resolve -> IR (JSON) -> build here, evaluate() in static/js/engine.js.

The IR is described in resolve.py, what is supported and what it means in docs/expressions.md. No I/O here.
"""

from collector.forms.expressions.analyse import (
    columns_used,
    functions_used,
    instances_used,
    is_volatile,
    labels_used,
    patterns_used,
    reads,
    scripts_needed,
)
from collector.forms.expressions.build import build, build_nodes
from collector.forms.expressions.catalogue import RARE_NAMES
from collector.forms.expressions.environment import Env, Row
from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.matching import may_run_long
from collector.forms.expressions.patterns import is_anchored, regex_problems
from collector.forms.expressions.resolve import compile_text, resolve
from collector.forms.expressions.scope import Ir
from collector.forms.expressions.shape import Shape, Slot
from collector.forms.expressions.syntax import Ast, parse
from collector.forms.expressions.values import Item, Moment, Value, stored_text, to_boolean, to_number, to_text

__all__ = [
    "RARE_NAMES",
    "Ast",
    "Env",
    "ExpressionError",
    "Ir",
    "Item",
    "Moment",
    "Row",
    "Shape",
    "Slot",
    "Value",
    "build",
    "build_nodes",
    "columns_used",
    "compile_text",
    "functions_used",
    "instances_used",
    "is_anchored",
    "is_volatile",
    "labels_used",
    "may_run_long",
    "parse",
    "patterns_used",
    "reads",
    "regex_problems",
    "resolve",
    "scripts_needed",
    "stored_text",
    "to_boolean",
    "to_number",
    "to_text",
]
