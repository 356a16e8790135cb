"""How long a node keeps what it received of a form: the settings `retain_days_direct` and `retain_days_raw`. Pure.

    retain_days_direct   days until the answers marked `privacy = direct` are removed from a record
    retain_days_raw      days until all of a record is erased

They travel as attributes of the XForm's root, so that whoever holds the form knows them: docs/retention.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.forms.model import Form

DIRECT, RAW = "retain_days_direct", "retain_days_raw"
TERM_SETTINGS = (DIRECT, RAW)
DAYS = re.compile("[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Terms:
    """Days that a node keeps direct answers, and whole records; 0 for ever."""

    direct: int = 0
    raw: int = 0


def days_in(said: str) -> int:
    """Return the days that a setting says: 1 to 99999; 0 for what is no such number."""
    text = said.strip()
    return int(text) if DAYS.fullmatch(text) else 0


def terms_in(said: Mapping[str, str]) -> Terms:
    """Return the terms out of settings or attributes by name. What cannot be read, or cannot be, is no term."""
    return Terms() if wrong_terms(said) else Terms(days_in(said.get(DIRECT, "")), days_in(said.get(RAW, "")))


def terms_of(form: Form) -> Terms:
    """Return the terms that a published version says."""
    return terms_in(form.attributes.get(form.root, {}))


def wrong_terms(said: Mapping[str, str]) -> dict[str, str]:
    """Return setting -> code of what is wrong with it: term_bad (no whole days), term_late (direct after raw)."""
    given = {name: said[name] for name in TERM_SETTINGS if said.get(name, "").strip()}
    wrong = {name: "term_bad" for name, text in given.items() if not days_in(text)}
    if not wrong and len(given) == 2 and days_in(given[DIRECT]) > days_in(given[RAW]):
        wrong[DIRECT] = "term_late"
    return wrong


def shortest(terms: Iterable[Terms]) -> Terms:
    """Return the shortest of several terms: nobody keeps longer than what was told when somebody answered."""
    held = list(terms)
    return Terms(
        min((each.direct for each in held if each.direct), default=0),
        min((each.raw for each in held if each.raw), default=0),
    )
