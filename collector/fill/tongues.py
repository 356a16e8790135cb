"""In which language a text really stands: a form that is not translated whole falls back, and the page says so."""

from collections.abc import Mapping
from functools import lru_cache

from collector.forms.model import Form, Text, language_code

OURS = ("es", "en")  # what our own sentences speak


class OurWords(dict[str, str]):
    """One of our own sentences, by language of the form: Spanish where we have no other."""


def fallbacks(text: Text, form: Form) -> Mapping[str, str]:
    """Return code of the page -> code of the text, for the languages in which the two differ."""
    found: dict[str, str] = {}
    for name in form.languages:
        code = language_code(name)
        stands = _ours(code) if isinstance(text, OurWords) else language_code(_shown(text, name, form))
        if stands != code:
            found[code] = stands
    return found


def _shown(text: Text, language: str, form: Form) -> str:
    """Return the language that `text_in` takes the words from."""
    return next((name for name in (language, *form.languages, *text) if name and text.get(name)), language)


def _ours(code: str) -> str:
    return code if code.partition("-")[0] in OURS else OURS[0]


@lru_cache(maxsize=256)
def has_gaps(form: Form) -> bool:
    """Tell whether some text of the page shows in another language than the page when the language is changed."""
    if len(form.languages) < 2:
        return False
    if any(_ours(language_code(name)) != language_code(name) for name in form.languages):
        return True
    texts = [choice.label for items in form.lists.values() for choice in items]
    texts += [text for question in form.questions for text in (question.label, question.hint)]
    texts += [group.label for group in form.groups] + [repeat.label for repeat in form.repeats]
    return any(_is_partial(text, form) for text in texts)


def _is_partial(text: Text, form: Form) -> bool:
    held = sum(bool(text.get(name)) for name in form.languages)
    return 0 < held < len(form.languages)
