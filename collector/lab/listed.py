"""Places chosen from the list beside geopoints (forms/listed.py), as further columns of the rows they belong to.

punto, answered by list  ->  punto-place_code 0810 · punto-place_name San Miguelito · punto-place_text Barrio X
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

PARTS = ("place_code", "place_name", "place_text")
_STEP = re.compile(r"(.+?)\[([1-9][0-9]{0,8})\]/")


def place_columns(key: str) -> list[str]:
    """Return the names of the columns that a question's places fill: "grupo-punto-place_code", …"""
    return [f"{key.replace('/', '-')}-{part}" for part in PARTS]


def questions_in(content: Mapping[str, Any]) -> set[str]:
    """Return the questions that a record keeps places for, as `Column.name` says them: "persona/punto"."""
    places = content.get("places")
    return {_STEP.sub(r"\1/", str(key)) for key in places} if isinstance(places, Mapping) else set()


def with_place_columns(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a record with its places as further answers of their rows; names: code -> name.

    What was answered itself is never written over. The record given stays as it is.
    """
    given, places = content.get("answers"), content.get("places")
    if not isinstance(given, dict) or not isinstance(places, Mapping):
        return dict(content)
    answers = dict(given)
    for key, place in places.items():
        if isinstance(place, Mapping):
            _put(answers, str(key), _cells(place, names))
    return {**content, "answers": answers}


def _cells(place: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    code, words = (text if isinstance(text, str) else "" for text in (place.get("code"), place.get("place")))
    return [code, names.get(code, ""), words]


def _put(answers: dict[str, Any], key: str, cells: Iterable[str]) -> None:
    """Put the cells into the row that the key leads to, if it is there; rows on the way are copied."""
    row: Any = answers
    for match in _STEP.finditer(key):
        rows, number = row.get(match[1]), int(match[2]) - 1
        if not isinstance(rows, list) or number >= len(rows) or not isinstance(rows[number], dict):
            return
        row[match[1]] = rows = [*rows]
        row = rows[number] = dict(rows[number])
    for name, text in zip(place_columns(_STEP.sub("", key)), cells, strict=True):
        row.setdefault(name, text)
