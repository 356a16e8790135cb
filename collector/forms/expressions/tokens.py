"""Text of an expression -> tokens. What XPath has and forms do not is refused by name."""

import re
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
# `1 and1`: a name where only an operator can stand, with a number behind the word, is both.
GLUED_OPERATOR = re.compile(r"(and|or|div|mod)(?=[.\-]?[0-9])")
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


def next_token(text: str, position: int) -> Token:
    """Return the token at `position` or after the space there; raises on a character no expression has."""
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise unreadable(text, position)
        if match.lastgroup != "space":
            return Token(str(match.lastgroup), match.group(), position)
        position = match.end()
    return Token("end", "", len(text))


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
    position = 0
    while not found or found[-1].kind != "end":
        token = next_token(text, position)
        token = as_operator(token) if found and ends_operand(found[-1]) else plain(token)
        found.append(token)
        position = token.position + len(token.text)
    return found


def ends_operand(token: Token) -> bool:
    """Tell whether an operand may end with `token`."""
    return token.kind in ("number", "text", "name") or token.text in (")", "]", ".", "..")


def as_operator(token: Token) -> Token:
    """Read a token after an operand, where words and * are operators."""
    glued = GLUED_OPERATOR.match(token.text) if token.kind == "name" else None
    if glued:
        return Token("operator", glued[1], token.position)
    return replace(token, kind="operator") if token.text in (*WORD_OPERATORS, "*") else plain(token)


def plain(token: Token) -> Token:
    """Read a token anywhere: the signs that can only be operators are such."""
    is_operator = token.kind == "sign" and token.text in BINDING and token.text != "*"
    return replace(token, kind="operator") if is_operator else token
