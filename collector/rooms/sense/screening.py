"""Text that must not say who somebody is: what looks like an address, a telephone, an identity card or a seat is cut.

Patterns cannot find names. So what goes out to everybody (the WhatsApp text) carries no sentence of a person at all,
and passes what the facilitator wrote through here.
"""

import re
from collections.abc import Iterable

CUT = "…"
EMAIL = re.compile(r"\S+@\S+")
# seven digits or more with what people put between them; a day as 2026-11-22 stays
PHONE = re.compile(r"(?<![\w-])(?!\d{4}-\d{2}-\d{2}(?![\d-]))\+?\(?\d(?:[\s().\-/]*\d){6,}(?!\w)")
# Panama: 8-123-4567, PE-12-345, E-8-12345, N-19-1234, 1PI-2-345
IDENTITY_CARD = re.compile(
    r"(?<!\w)(?:\d{1,2}(?:AV|PI)?|PE|E|N)-\d{1,4}-\d{1,6}(?!\w)(?<!\d{4}-\d{2}-\d{2})", re.IGNORECASE
)
SAYS_A_NAME = re.compile(r"\b(?:me llamo|mi nombre es|my name is)\s+\S+(?:\s+[A-ZÁÉÍÓÚÑÜ]\S*)*", re.IGNORECASE)
PATTERNS = (EMAIL, IDENTITY_CARD, PHONE, SAYS_A_NAME)


def without_personal(text: str, seats: Iterable[str] = ()) -> str:
    """Return a text on one line, what may say who somebody is cut out. seats: codes of the session, cut as words."""
    found = " ".join(text.split())
    for pattern in PATTERNS:
        found = pattern.sub(CUT, found)
    for seat in sorted(seats, key=lambda seat: (-len(seat), seat)):
        found = re.sub(rf"(?<!\w){re.escape(seat)}(?!\w)", CUT, found)
    return found


def is_personal(text: str) -> bool:
    """Tell whether a text has what may say who somebody is, so that a person looks before it goes out."""
    return any(pattern.search(text) for pattern in PATTERNS)
