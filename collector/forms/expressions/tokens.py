"""Text of an expression -> tokens. What XPath has and forms do not is refused by name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from collector.forms.expressions.errors import ExpressionError

# Every letter counts, combining marks too (Ngäbere, Hindi), which \w leaves out. Hyphen and dot are part of a name.
NAME = r"[^\W\d](?:[\w.\-]|[^\x00-\x7f\s‘’“”«»])*"
TOKEN = re.compile(
    rf"""(?P<space>[\s\u00a0\ufeff]+)
    |(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<name>{NAME}(?::(?!:){NAME})?)
    |(?P<sign>::|//|\.\.|<=|>=|!=|[.\/\[\](),=<>+\-*|@$])""",
    re.VERBOSE,
)
WORD_OPERATORS = ("and", "or", "div", "mod")
BINDING = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "div": 6,
    "mod": 6,
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; kind is a group name of TOKEN, "operator" or "end"."""

    kind: str
    text: str
    position: int


REFUSED_SIGNS = {
    "|": ("Unions (|) are not supported.", "No se admiten uniones (|)."),
    "//": (
        "The path // is not supported; write the whole path or ${name}.",
        "No se admite la ruta //; escriba la ruta completa o ${nombre}.",
    ),
    "@": ("Attributes (@) are not supported.", "No se admiten atributos (@)."),
    "$": (
        "Variables ($name) are not supported; a question is written ${name}.",
        "No se admiten variables ($nombre); una pregunta se escribe ${nombre}.",
    ),
    "*": ("Wildcards (*) are not supported.", "No se admiten comodines (*)."),
    "::": ("Axes (::) are not supported.", "No se admiten ejes (::)."),
}


def refuse_sign(token: Token) -> ExpressionError:
    """Make the error for a sign that XPath has and forms do not."""
    en, es = REFUSED_SIGNS[token.text]
    return ExpressionError(en, es, token.position)


def scan(text: str) -> Iterator[Token]:
    """Yield the tokens of `text` without spaces; raises on a character no expression has."""
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise unreadable(text, position)
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match.group(), position)
        position = match.end()
    yield Token("end", "", len(text))


def unreadable(text: str, position: int) -> ExpressionError:
    """Make the error for a character that starts no token."""
    character = text[position]
    if character in "'\"":
        return ExpressionError(
            f"This text has no closing {character}.", f"Este texto no tiene {character} al final.", position
        )
    hint = "Use straight quotes: ' or \"." if character in "‘’“”«»" else ""
    hint_es = "Use comillas rectas: ' o \"." if hint else ""
    return ExpressionError(
        f"The character {character} cannot stand here.",
        f"El carácter {character} no puede estar aquí.",
        position,
        hint=hint,
        hint_es=hint_es,
    )


def tokens(text: str) -> list[Token]:
    """List the tokens; a name or * after an operand is an operator (XPath 1.0, section 3.7)."""
    found: list[Token] = []
    for token in scan(text):
        after_operand = bool(found) and (
            found[-1].kind in ("number", "text", "name") or found[-1].text in (")", "]", ".", "..")
        )
        is_operator = after_operand and (token.text in WORD_OPERATORS or token.text == "*")
        if token.kind == "sign" and token.text in BINDING and token.text != "*":
            is_operator = True
        found.append(replace(token, kind="operator") if is_operator else token)
    return found
