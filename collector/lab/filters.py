"""What of a form the lab looks at, as an address says it: place, time, segment, node, version, language, review. Pure.

`?lugar=0810&desde=2026-11-01&hasta=2026-11-30&pregunta=edad&valor=18_29&equipo=ID&version=2&idioma=es&revision=approved`
gives the same view to whoever opens it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from collector.lab.tables import SELECTS, Column

NAMES = ("lugar", "desde", "hasta", "pregunta", "valor", "equipo", "version", "idioma", "revision")
# state of a review -> in words, as the page says it
REVIEWS = {
    "received": "Sin revisar", "approved": "Aprobadas", "has_issues": "Con problemas", "rejected": "Rechazadas",
}  # fmt: skip
HERE = "aqui"  # the node itself: its records name none
MOST_LETTERS = 200
MOST_CHOICES = 60  # of a question that one can filter by
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE = re.compile(r"[0-9]{2}([0-9]{2})?")


@dataclass(frozen=True)
class Filters:
    """What an address asks for; "" says nothing. What cannot be meant is left out: an old link still opens."""

    place: str = ""
    since: str = ""
    until: str = ""
    question: str = ""
    value: str = ""
    node: str = ""
    version: str = ""
    language: str = ""
    review: str = ""

    @property
    def is_on(self) -> bool:
        """Tell whether anything is left out."""
        return self != Filters()

    def pairs(self) -> list[tuple[str, str]]:
        """Return (name, value) of what the address says."""
        values = (self.place, self.since, self.until, self.question, self.value, self.node, self.version, self.language,
                  self.review)  # fmt: skip
        return [(name, value) for name, value in zip(NAMES, values, strict=True) if value]

    def query(self, **others: str) -> str:
        """Return the address's query, with other names beside; "" when there is nothing to say."""
        return urlencode([*self.pairs(), *((name, value) for name, value in others.items() if value)])


def filters_from(query: Mapping[str, str], columns: Iterable[Column]) -> Filters:
    """Read an address. columns: the questions that one can filter by."""
    said = {name: plain_word(query.get(name, "")) for name in NAMES}
    question, value = said["pregunta"], said["valor"]
    column = next((each for each in columns if each.key == question), None)
    if column is None or value not in {choice.name for choice in column.choices}:
        question = value = ""
    return Filters(
        place=said["lugar"] if _PLACE.fullmatch(said["lugar"]) else "",
        since=_day(said["desde"]),
        until=_day(said["hasta"]),
        question=question,
        value=value,
        node=said["equipo"],
        version=said["version"],
        language=said["idioma"],
        review=said["revision"] if said["revision"] in REVIEWS else "",
    )


def plain_word(text: str) -> str:
    """Return what somebody put into an address, not too long and without NUL: no database takes that."""
    return text.replace("\0", "").strip()[:MOST_LETTERS]


def _day(text: str) -> str:
    """Return a day that the calendar has, else ""."""
    try:
        return text if _DAY.fullmatch(text) and date.fromisoformat(text) else ""
    except ValueError:
        return ""


def segments(columns: Sequence[Column], apart_from: Sequence[Column]) -> list[Column]:
    """Return the questions that divide people: with a short list of choices, asked once."""
    return [
        column
        for column in columns
        if column.question.type in SELECTS and column not in apart_from and 0 < len(column.choices) <= MOST_CHOICES
    ]
