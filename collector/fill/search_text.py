"""Text as people search it: without accents or capitals."""

import unicodedata


def folded(text: str) -> str:
    """Return `text` in small letters without accents, blanks joined: "Ngäbe-Buglé " is "ngabe-bugle"."""
    plain = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    return " ".join(plain.casefold().split())
