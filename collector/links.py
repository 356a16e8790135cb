"""What stands on a poster: the short code of a form, QR codes, the text that joins a Wi-Fi, how long it takes. Pure.

A code is five consonants: no vowels, so no words; no digits, no I, L, O and U, so nothing that looks like another
letter. It comes from the form's id alone: a poster printed in the office opens the form on every node. Two forms of one
node can share a code (one pair in three million); `/e/` then asks which of the two is meant.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from math import ceil

import segno
from markupsafe import Markup

from collector.forms.model import Form
from collector.receipt_codes import ALPHABET

LETTERS = "BCDFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = 5
FORM_DOMAIN, ROOM_DOMAIN = "collector-form-code/1\n", "collector-room-code/1\n"
# what people may write instead, read from a poster in bad light
SIMILAR = str.maketrans({"5": "S", "2": "Z", "8": "B", "6": "G"})
WIFI_MARKS = '\\;,:"'
MOST_NAME, MOST_SECRET = 32, 63  # bytes of a network's name, letters of its password
SECONDS = {"text": 30, "select_multiple": 15, "rank": 30, "geopoint": 20, "image": 30, "audio": 40, "video": 40}
SECONDS_OF_OTHERS = 12
SECONDS_TO_BEGIN = 40
ROWS_EXPECTED = 2  # of a repeat

TICKET_LETTERS = 12
TICKET = re.compile(r"[0-9A-HJKMNP-TV-Z]{12}")


def form_code(form_id: str) -> str:
    """Return the short code of a form, the same on every node."""
    return _letters(f"{FORM_DOMAIN}{form_id}")


def room_code(room: str) -> str:
    """Return the short code by which people join a room, the same on every node that holds it."""
    return _letters(f"{ROOM_DOMAIN}{room}")


def _letters(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:12], "big")
    letters = []
    for _ in range(CODE_LETTERS):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    return "".join(letters)


def tidy_code(typed: str) -> str:
    """Return the letters of a typed code: any case, with blanks or hyphens; a digit is the letter it is like."""
    return "".join(sign for sign in typed.upper().translate(SIMILAR) if sign.isalnum())


def forms_with(code: str, form_ids: Iterable[str]) -> list[str]:
    """Return the forms that a typed code means: none, one, or very rarely several."""
    wanted = tidy_code(code)
    return [form_id for form_id in form_ids if form_code(form_id) == wanted]


def make_ticket() -> str:
    """Return what makes a link one person's: 60 random bits as 12 letters of Crockford's base32."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TICKET_LETTERS))


def is_ticket(text: str) -> bool:
    """Tell whether a text is what `make_ticket` gives."""
    return TICKET.fullmatch(text) is not None


def qr_svg(text: str) -> Markup:
    """Return a QR of `text` as a drawing that fills its box, with the four modules of quiet zone."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None)
    return Markup(svg)  # noqa: S704 - segno draws it, the text is in no part of it


def wifi_text(name: str, password: str) -> str:
    """Return what a phone's camera joins a Wi-Fi by; a network without password is open."""
    secret = f"T:WPA;S:{_escaped(name)};P:{_escaped(password)};" if password else f"T:nopass;S:{_escaped(name)};"
    return f"WIFI:{secret};"


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in WIFI_MARKS else sign for sign in text)


def minutes_to_answer(form: Form) -> int:
    """Return about how many minutes a person needs: an estimate by the kinds of the questions, at least two."""
    seconds = SECONDS_TO_BEGIN
    for question in form.questions:
        if question.type in ("note", "calculate") or (question.page < 0 and not question.row):
            continue
        each = SECONDS.get(question.type, SECONDS_OF_OTHERS)
        # half of what only some are asked
        share = 0.5 if question.logic.relevant is not None else 1
        seconds += round(each * share) * (ROWS_EXPECTED if question.row else 1)
    return max(2, ceil(seconds / 60))
