"""Texts compared as two people may have written them."""

import re

from collector.fill import search_text

MARKS = re.compile(r"^\W+|\W+$")


def folded(text: str) -> str:
    """Return a text without accents, case, marks at its ends and double blanks: «¡Sin  Camión!» -> "sin camion"."""
    return search_text.folded(MARKS.sub("", text))
