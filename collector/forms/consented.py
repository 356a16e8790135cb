"""What a published form and a record hold of consent: the questions that `consent` writes, read back.

Pure. Known by their keys and by the hash of the notice, a constant of the form: a question that an author calls
"consent/accepted" by himself is his own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from collector.forms.flags import Flag
from collector.forms.model import Form, Question, text_in

GROUP = "consent"
ACCEPTED, PURPOSES, AT = "consent/accepted", "consent/purposes", "consent/at"
VERSION, SHA256 = "consent/notice_version", "consent/notice_sha256"
GUARDIAN, ASSENT = "consent/guardian", "consent/assent"
NO_CONSENT = "no_consent"


@lru_cache(maxsize=256)
def consent_page(form: Form) -> int | None:
    """Return the number of the page on which consent is given; None for a form without a notice of ours."""
    questions = {question.key: question for question in form.questions}
    accepted, notice = questions.get(ACCEPTED), questions.get(SHA256)
    is_ours = accepted is not None and accepted.type == "acknowledge" and notice is not None and _is_constant(notice)
    return accepted.page if is_ours and accepted is not None else None


def _is_constant(question: Question) -> bool:
    return question.logic.calculate is not None and question.logic.calculate[0] == "s"


def is_of_notice(form: Form, question: Question) -> bool:
    """Tell whether a question is the notice's own, not one of the author's."""
    return consent_page(form) is not None and question.key.startswith("consent/")


@lru_cache(maxsize=256)
def _needed(form: Form) -> frozenset[str]:
    """Return the keys without which there is no consent: what the person gives, and which notice the page showed."""
    page = consent_page(form)
    before = {question.key for question in form.questions if page is not None and 0 <= question.page < page}
    return frozenset({ACCEPTED, GUARDIAN, ASSENT, VERSION, SHA256} | before)


def lacks_consent(form: Form, flags: Iterable[Flag]) -> str:
    """Return the key of what is missing for consent in a record with these flags; "" where nothing is.

    Missing is the tick, what a minor needs besides, the age where it is asked, or the very notice of the form.
    """
    if consent_page(form) is None:
        return ""
    needed = _needed(form)
    # "not_relevant": more than is asked for, as a guardian's word for an adult
    return next((flag.key for flag in flags if flag.key in needed and flag.what != "not_relevant"), "")


@dataclass(frozen=True)
class Given:
    """What a record says of consent, for people to read."""

    version: str
    sha256: str
    at: str
    accepted: bool
    purposes: tuple[str, ...]
    guardian: str
    assented: bool


def given_in(form: Form, answers: Mapping[str, object]) -> Given | None:
    """Return what a record of this form says of consent; None where the form asks for none."""
    if consent_page(form) is None:
        return None

    def text(key: str) -> str:
        value = answers.get(key)
        return value if isinstance(value, str) else ""

    ticked = tuple(text(PURPOSES).split())
    return Given(
        text(VERSION), text(SHA256), text(AT), text(ACCEPTED) == "OK", ticked, text(GUARDIAN), text(ASSENT) == "OK"
    )


def purposes_of(form: Form, language: str) -> dict[str, str]:
    """Return name -> label of every purpose that the form asks about."""
    asked = next((question for question in form.questions if question.key == PURPOSES), None)
    choices = form.lists.get(asked.list_name, ()) if asked else ()
    return {choice.name: text_in(choice.label, language, form) or choice.name for choice in choices}
