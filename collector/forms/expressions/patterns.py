"""Regular expressions that mean the same to Python and to a browser.

A pattern is read once at publish: what only one of the two knows is refused, and the rest is written out in one
spelling that JavaScript takes with the `u` flag and that python_pattern() turns into Python.
"""

import re
from itertools import accumulate

SAFE_ESCAPES = "dDwWsSbBtnrfv"
SYNTAX = "^$\\.*+?()[]{}|/"
COUNT = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
GROUP_START = re.compile(r"\(\?(?!:|=|!)")
HEX = re.compile(r"x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}")
# Exactly what \s is in JavaScript, and what its dot leaves out.
JS_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
MAX_VALUE_LENGTH = 1000
MAX_NESTING = 50


def pieces(pattern: str) -> list[tuple[str, bool]]:
    """Split a pattern into characters, escapes, counts and brackets; the flag tells what stands inside [...]."""
    found: list[tuple[str, bool]] = []
    position, in_class = 0, False
    while position < len(pattern):
        piece = _piece(pattern, position, in_class)
        found.append((piece, in_class))
        if piece in ("[", "[^") and not in_class:
            in_class = True
        elif piece == "]" and in_class:
            in_class = False
        position += len(piece)
    return found


def _piece(pattern: str, position: int, in_class: bool) -> str:
    """Return the piece that starts at `position`."""
    character = pattern[position]
    if character == "\\":
        long = HEX.match(pattern, position + 1)
        return "\\" + (long.group() if long else pattern[position + 1 : position + 2])
    if in_class:
        return character
    if character == "[":
        return "[^" if pattern.startswith("[^", position) else "["
    count = COUNT.match(pattern, position)
    return count.group() if count else character


def regex_problems(pattern: str) -> list[str]:
    """List why a pattern cannot be used (in Spanish and English, one sentence each); empty means it can."""
    if nesting(pattern) > MAX_NESTING:
        return ["La expresión regular tiene demasiados niveles. / The pattern is nested too deeply."]
    problems = [text for piece, in_class in pieces(pattern) if (text := _escape_problem(piece, in_class))]
    if GROUP_START.search(re.sub(r"\\.", "", pattern, flags=re.DOTALL)):
        problems.append(
            "(?<…), (?P…), (?i) y similares no se admiten. / Lookbehind, named groups and flags are not supported."
        )
    if re.search(r"(?:[*+?]|\{[0-9,]+\})\+", re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "_", pattern, flags=re.DOTALL)):
        problems.append(
            "Los cuantificadores posesivos (++) no se admiten. / Possessive quantifiers (++) are not supported."
        )
    if re.search(r"\[\^?\]", re.sub(r"\\.", "_", pattern, flags=re.DOTALL)):
        problems.append("Un conjunto [] no puede estar vacío. / A set [] cannot be empty.")
    if _repeats_a_place(pattern):
        problems.append(
            "Una posición (^, $, \\b, (?=…)) no se repite. / A place (^, $, \\b, (?=…)) cannot be repeated."
        )
    return problems or _compile_problem(pattern)


def _repeats_a_place(pattern: str) -> bool:
    """Tell whether a mark or a lookahead has a count, which JavaScript refuses."""
    opened: list[bool] = []
    is_place = False
    found = [piece for piece, in_class in pieces(pattern) if not in_class]
    for at, piece in enumerate(found):
        if is_place and (piece in ("*", "+", "?") or COUNT.fullmatch(piece)):
            return True
        if piece == "(":
            opened.append(found[at + 1 : at + 2] == ["?"] and found[at + 2 : at + 3] in (["="], ["!"]))
        is_place = piece in ("^", "$", r"\b", r"\B") or (piece == ")" and bool(opened) and opened.pop())
    return False


def nesting(pattern: str) -> int:
    """Return how many parentheses are open at most."""
    signs = (piece for piece, in_class in pieces(pattern) if not in_class and piece in ("(", ")"))
    return max(accumulate(1 if sign == "(" else -1 for sign in signs), default=0)


def _escape_problem(piece: str, in_class: bool) -> str:
    """Say what is wrong with one escape."""
    if piece[0] != "\\" or HEX.fullmatch(piece[1:]):
        return ""
    letter = piece[1:]
    if not letter:
        return "La expresión regular termina en \\. / The pattern ends in \\."
    if letter.isascii() and letter.isalnum() and (letter not in SAFE_ESCAPES or (in_class and letter in "bB")):
        return f"{piece} no se admite en una expresión regular. / {piece} is not supported in a pattern."
    return ""


def _compile_problem(pattern: str) -> list[str]:
    """Ask Python whether the pattern is well formed."""
    try:
        re.compile(python_pattern(canonical_pattern(pattern)), re.ASCII)
    except (re.error, OverflowError) as error:
        return [f"La expresión regular no es válida: {error}. / The pattern is not valid: {error}."]
    return []


def canonical_pattern(pattern: str) -> str:
    """Write the pattern so that JavaScript takes it with the `u` flag: no needless escapes, no loose brackets."""
    return "".join(_canonical(piece, in_class) for piece, in_class in pieces(pattern))


def _canonical(piece: str, in_class: bool) -> str:
    """Write one piece for JavaScript."""
    if piece[0] == "\\" and len(piece) == 2 and not (piece[1].isascii() and piece[1].isalnum()):
        return _literal(piece[1], in_class)
    if in_class:
        return "\\" + piece if piece == "[" else piece
    return "\\" + piece if piece in ("{", "}", "]") else piece


def _literal(character: str, in_class: bool) -> str:
    """Write an escaped sign: escaped where it has a meaning, plain elsewhere."""
    return "\\" + character if character in SYNTAX or (in_class and character == "-") else character


def python_pattern(pattern: str) -> str:
    """Turn a canonical pattern into Python's spelling (to be compiled with re.ASCII)."""
    return "".join(_python(piece, in_class) for piece, in_class in pieces(pattern))


def _python(piece: str, in_class: bool) -> str:
    """Write one piece for Python."""
    if piece == "\\s":
        return JS_SPACE if in_class else f"[{JS_SPACE}]"
    if piece == "\\S":
        return f"[^{JS_SPACE}]"
    if in_class:
        # Python warns of sets inside sets: &&, ||, ~~, --
        return "\\" + piece if piece in "&|~" else piece
    # Python finds no \B in an empty text, JavaScript does
    return {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]", r"\B": r"(?!\b)"}.get(piece, piece)


def is_anchored(pattern: str) -> bool:
    """Tell whether the pattern asks for the whole text: it begins with ^ and ends with $."""
    found = [piece for piece, _ in pieces(pattern)]
    return bool(found) and found[0] == "^" and found[-1] == "$"
