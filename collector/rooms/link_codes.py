"""Link codes: on a printed card, typed before and after, they pair two answers of one person and say nothing of who.

Five random letters and a sixth that proves them, shown as `7K2M9-4`. Not a receipt code: it erases nothing.
"""

import secrets

from collector.receipt_codes import ALPHABET, SIMILAR, check_sign
from collector.rooms.refusals import Refusal, shown

LETTERS = 5


def make_link_code() -> str:
    """Return a new code as the card shows it; none whose proof is a sign and no letter: those are hard to type."""
    while True:
        letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
        if check_sign(letters) in ALPHABET:
            return f"{letters}-{check_sign(letters)}"


def read_link_code(typed: str) -> str:
    """Return the six letters of what a person typed: any case, with or without hyphen and blanks, O as 0, I and L as 1.

    Raises Refusal code_mistyped; any one wrong letter and any swap of two neighbours is noticed.
    """
    code = "".join(typed.split()).replace("-", "").upper().translate(SIMILAR)
    if not is_link_code(code):
        raise Refusal("code_mistyped", value=shown(typed))
    return code


def is_link_code(code: str) -> bool:
    """Tell six letters of which the last proves the others."""
    letters, sign = code[:LETTERS], code[LETTERS:]
    return len(code) == LETTERS + 1 and set(letters) <= set(ALPHABET) and sign == check_sign(letters)


def link_code(_key: str, value: object) -> None:
    """A rule of payloads: a link code as contributions carry it, six letters that prove themselves."""
    if not isinstance(value, str) or not is_link_code(value):
        raise Refusal("code_mistyped", value=shown(value))
