"""What one record says of consent, as the lab's page of the record shows it."""

from collections.abc import Mapping
from typing import Any

from collector.forms.consented import given_in, purposes_of
from collector.forms.model import Form

# how it was given: what a record calls its mode, in words
MODES = {"web": "Con un toque, en la página", "paper": "En papel"}


def consent_scope(form: Form | None, answers: Mapping[str, object], language: str) -> dict[str, Any]:
    """Return what the page shows: consent (None where the form asks for none), the purposes ticked, words of modes."""
    given = given_in(form, answers) if form else None
    labels = purposes_of(form, language) if form and given else {}
    purposes = [labels.get(name, name) for name in given.purposes] if given else []
    return {"consent": given, "purposes": purposes, "modes": MODES}
