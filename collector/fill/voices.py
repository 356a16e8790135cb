"""Voices: what facilitators recorded of a form's texts, and where in the form those texts stand.

A text is known by its place ("q" and the path of a question, "c", list and name of a choice) and by a hash of its
words: a recording speaks in every version where the same words still stand there, and in no other.
"""

import hashlib
from dataclasses import dataclass

from collector.forms.model import Form, Text, language_code, text_in
from collector.forms.plain_words import plain_words

# languages of Panama's peoples that few forms are written in, as their speakers call them
TONGUES = {
    "gym": "Ngäbere", "cuk": "Dulegaya (guna)", "emp": "Emberá", "cto": "Emberá catío", "noa": "Wounaan meu",
    "bzd": "Bribri", "tfr": "Naso", "sab": "Buglere",
}  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """One recording. code: BCP 47; name: as people call the language; sha256: of its bytes, lower-case hex."""

    code: str
    name: str
    sha256: str
    size_bytes: int = 0


def text_key(label: Text, form: Form) -> str:
    """Return what tells these words from others: 16 hex digits of the hash of the text in the form's first language."""
    words = plain_words(text_in(label, (form.languages or ("",))[0], form))
    return hashlib.sha256(words.encode(errors="replace")).hexdigest()[:16]


def tongue_name(code: str, form: Form) -> str:
    """Return what people call the language: the form's own word, else ours, else the code."""
    own = {language_code(name): name.partition(" (")[0] for name in form.languages}
    return own.get(code) or TONGUES.get(code) or {"es": "Español", "en": "English"}.get(code, code)


def tongues_of(form: Form) -> dict[str, str]:
    """Return code -> name of the languages that can be recorded: Panama's peoples' first, then the form's own."""
    codes = dict.fromkeys((*TONGUES, *(language_code(name) for name in form.languages or ("",))))
    return {code: tongue_name(code, form) for code in codes}


def speaks(form: Form) -> bool:
    """Tell whether the form itself came with sounds."""
    choices = (choice for items in form.lists.values() for choice in items)
    return any("audio" in q.media for q in form.questions) or any("audio" in choice.media for choice in choices)
