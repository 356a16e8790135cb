"""Findings in words: what is odd, and why. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collector.lab.quality import Finding
from collector.lab.tables import Column

Translate = Callable[..., str]

KIND_WORDS = {
    "duplicate": "Repetida",
    "near": "Casi repetida",
    "speeder": "Muy rápida",
    "straight": "Siempre lo mismo",
    "far": "Lejos",
    "outlier": "Número raro",
}


@dataclass(frozen=True)
class Said:
    """A finding as people read it. of: the record that it repeats, "" for none."""

    what: str
    word: str
    sentence: str
    of: str = ""


def say_finding(
    found: Finding, columns: Sequence[Column], language: str, places: Mapping[str, str], translate: Translate
) -> Said:
    """Return a finding in words. columns: of its form, for the words of questions; places: code -> name."""
    what = found["what"]
    label = next((column.label(language) for column in columns if column.key == found.get("question")), "")
    sentence = _sentence(found, label or found.get("question", ""), places, translate)
    return Said(what, translate(KIND_WORDS[what]), sentence, found.get("of", ""))


def _sentence(found: Finding, label: str, places: Mapping[str, str], translate: Translate) -> str:
    what = found["what"]
    if what == "duplicate":
        return translate("Tiene las mismas respuestas que otro registro.")
    if what == "near":
        return translate("Dice casi lo mismo que otro registro del mismo equipo, a {n} minutos.", n=found["minutes"])
    if what == "speeder":
        return translate(
            "Se contestó en {n} segundos; lo usual son {median}.", n=found["seconds"], median=found["median"]
        )
    if what == "straight":
        return translate(
            "La misma opción en {n} preguntas seguidas, desde «{label}».", n=found["questions"], label=label
        )
    if what == "far":
        place = places.get(found["place"], "") or translate("los demás")
        return translate("El punto está a unos {n} km de donde están los de {place}.", n=found["km"], place=place)
    return translate(
        "«{label}» está muy lejos de lo usual: la mitad dice entre {low} y {high}.",
        label=label,
        low=found["low"],
        high=found["high"],
    )
