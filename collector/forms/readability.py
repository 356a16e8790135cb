"""How plainly a Spanish sentence reads: the Fernández-Huerta score, and the syllables it is made of.

206.84 - 60 x syllables per word - 1.02 x words per sentence: above 80 easy, 60 plain, below 30 for specialists.
Source: Fernández Huerta 1959, in the corrected reading (per word and per sentence) that today's tools use.
"""

import re

PLAIN = 60.0
MINIMUM_WORDS = 8  # below this one long word decides the score, and a word like "recolección" has no shorter form
WORD = re.compile(r"[^\W\d_]+")
SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)|\n")
SPANISH = frozenset({"", "español", "espanol", "spanish", "castellano", "default"})
COMMON = frozenset({"de", "la", "el", "los", "las", "que", "en", "su", "usted", "y", "una", "del", "por", "se", "qué"})
STRONG = "aeoáéóäëö"
HIATUS = "íú"


def syllables(word: str) -> int:
    """Count the syllables of a Spanish word: its vowel groups, parted where two strong vowels or í, ú meet."""
    word = re.sub(r"qu(?=[eéií])|gu(?=[eéií])", "g", word.lower())
    word = re.sub(r"y$", "i", word).replace("ü", "u")
    count, before = 0, ""
    for letter in word:
        if letter not in "iuíú" + STRONG:
            before = ""
            continue
        apart = not before or (letter in STRONG and before in STRONG) or letter in HIATUS or before in HIATUS
        count += apart
        before = letter
    return max(count, 1)


def fernandez_huerta(text: str) -> float | None:
    """Return the score of `text`, None where it has too few words to tell."""
    words = WORD.findall(text)
    if len(words) < MINIMUM_WORDS:
        return None
    sentences = sum(1 for part in SENTENCE_END.split(text) if WORD.search(part))
    return 206.84 - 60 * sum(map(syllables, words)) / len(words) - 1.02 * len(words) / max(sentences, 1)


def is_spanish(language: str, text: str) -> bool:
    """Say whether `text` is Spanish: by the language's code or name, and where it has none by its common words."""
    code = language.rpartition("(")[2].rstrip(") ").lower()
    if language.endswith(")"):
        return code == "es" or code.startswith("es-")
    words = [word.lower() for word in WORD.findall(text)]
    return language.lower() in SPANISH and sum(word in COMMON for word in words) >= 2
