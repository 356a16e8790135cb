"""Serials of paper sheets: `KKNST-7K2M-94QD-8`.

The form's short code, 40 random bits as 8 letters of Crockford's base32, and one letter that proves the others, as in a
receipt code. Nobody has to ask anybody for a number: two nodes do not make the same one, and what was printed in the
office is entered in the village.
"""

import secrets

from collector.links import CODE_LETTERS, form_code
from collector.problems import PROBLEMS, ProblemError
from collector.receipt_codes import ALPHABET, SIMILAR, check_sign

RANDOM_LETTERS = 8
LENGTH = CODE_LETTERS + RANDOM_LETTERS + 1


def make_serial(form_id: str) -> str:
    """Return a new serial, 14 letters."""
    while True:
        letters = form_code(form_id) + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LETTERS))
        sign = check_sign(letters)
        if sign in ALPHABET:  # a sheet is read by tired eyes: no *, ~, $, = on it
            return letters + sign


def shown_serial(serial: str) -> str:
    """Return a serial as people see it."""
    return "-".join((serial[:5], serial[5:9], serial[9:13], serial[13:]))


def read_serial(typed: str, form_id: str = "") -> str:
    """Return the 14 letters of what a person typed or a reader scanned: any case, with or without hyphens and blanks.

    form_id: then its letters may be left out, and nine are enough. Raises ProblemError serial_mistyped.
    """
    found = "".join(typed.split()).replace("-", "").upper().translate(SIMILAR)
    if form_id and len(found) == LENGTH - CODE_LETTERS:
        found = form_code(form_id) + found
    if not is_serial(found):
        raise ProblemError(PROBLEMS["serial_mistyped"], typed=typed.strip()[:40])
    return found


def is_serial(text: str) -> bool:
    """Tell whether these are the letters of a serial, by their check letter."""
    is_whole = len(text) == LENGTH and set(text) <= set(ALPHABET)
    return is_whole and check_sign(text[:-1]) == text[-1]


def code_in(serial: str) -> str:
    """Return the short code of the form in a serial."""
    return serial[:CODE_LETTERS]
