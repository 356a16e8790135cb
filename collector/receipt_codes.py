"""Receipt codes: by one a person finds, and can erase, what they answered. No name and no account.

60 random bits as 12 letters of Crockford's base32 (no I, L, O, U) and one that proves the others: `7K2M-94QD-X8TB-4`.
The record holds only what the code hashes to (`claim`); `static/js/code.js` makes the same.
"""

import hashlib
import secrets

from collector.problems import PROBLEMS, ProblemError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SIGNS = ALPHABET + "*~$=U"  # of the check: the rest of a division by 37, the next prime above 32
LETTERS = 12
SIMILAR = str.maketrans("OIL", "011")
DOMAIN = "collector-receipt/1\n"
ROUNDS = 1024  # who has a store cannot try all 2^60 codes; a key would do better, but phones make codes without a node


def make_code() -> str:
    """Return a new code as people see it."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return shown(letters + check_sign(letters))


def shown(code: str) -> str:
    """Return 13 letters as people see them: XXXX-XXXX-XXXX-C."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def read_code(typed: str) -> str:
    """Return the 13 letters of what a person typed: any case, with or without hyphens and blanks.

    O is read as 0, I and L as 1. Raises ProblemError receipt_code_mistyped.
    """
    code = "".join(typed.split()).replace("-", "").upper().translate(SIMILAR)
    letters, sign = code[:LETTERS], code[LETTERS:]
    is_whole = len(code) == LETTERS + 1 and set(letters) <= set(ALPHABET)
    if not is_whole or sign != check_sign(letters):
        raise ProblemError(PROBLEMS["receipt_code_mistyped"], typed=typed.strip()[:30])
    return code


def claim_of(code: str) -> str:
    """Return what a record says of its code: it finds the record, and the record does not tell the code."""
    claim = f"{DOMAIN}{read_code(code)}".encode()
    for _ in range(ROUNDS):
        claim = hashlib.sha256(claim).digest()
    return claim.hex()[:32]


def check_sign(letters: str) -> str:
    """Return the sign that proves the letters: any one wrong letter and any swap of two neighbours changes it."""
    number = 0
    for letter in letters:
        number = number * 32 + ALPHABET.index(letter)
    return SIGNS[number % 37]
