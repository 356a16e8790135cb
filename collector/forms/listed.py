"""A place chosen from the list where a geopoint has none: kept beside the answers, never as coordinates.

    {"answers": {"nombre": "Ana"}, "places": {"persona[2]/punto": {"code": "0810", "place": "Barrio X"}}}

While filling, a row holds it as text by the question's path (FillingRow.listed): the code of the list, then, after a
blank, what the person wrote. The geopoint itself stays empty, so expressions see nothing of it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import cleaned
from collector.forms.flags import Flag
from collector.forms.model import Form, Question
from collector.forms.state import Filling

MAX_PLACE = 200  # characters of what a person writes
ROW_NUMBER = re.compile(r"\[[0-9]{1,9}\]")


def listed_text(code: str, place: str) -> str:
    """Return what a row holds; "" without a code, since a name alone may be anywhere."""
    words = " ".join(cleaned(place).split())[:MAX_PLACE].rstrip()
    return f"{code} {words}".rstrip() if code else ""


def listed_parts(text: str) -> tuple[str, str]:
    """Return the code and what the person wrote."""
    code, _, place = text.partition(" ")
    return code, place


# --- a filling


def places_of(filling: Filling) -> dict[str, dict[str, str]]:
    """Return what a record keeps: key of the question, rows numbered as in its answers -> code and place."""
    return dict(_places_in(filling, filling.root, ""))


def _places_in(filling: Filling, row: FillingRow, prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    level = filling.program.levels[row.path]
    for question in level.questions:
        code, place = listed_parts(row.listed.get(question.path, ""))
        if code and row.relevant[question.path]:
            yield prefix + question.key, {"code": code} | ({"place": place} if place else {})
    for repeat in level.repeats:
        for number, inner in enumerate(row.shown(repeat), 1):
            yield from _places_in(filling, inner, f"{prefix}{repeat.key}[{number}]/")


def put_places(filling: Filling, places: object) -> None:
    """Put back what a record kept, after its answers; what is not of its shape is left out."""
    _put_in(filling, filling.root, "", places if isinstance(places, Mapping) else {})


def _put_in(filling: Filling, row: FillingRow, prefix: str, places: Mapping[str, Any]) -> None:
    level = filling.program.levels[row.path]
    for question in level.questions:
        code, place = _entry(places.get(prefix + question.key))
        if code and question.type == "geopoint":
            row.listed[question.path] = listed_text(code, place)
    for repeat in level.repeats:
        for number, inner in enumerate(row.rows[repeat.path], 1):
            _put_in(filling, inner, f"{prefix}{repeat.key}[{number}]/", places)


def _entry(entry: object) -> tuple[str, str]:
    """Return the code and the place of one entry of a record, "" for what is no text."""
    given: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
    code, place = given.get("code"), given.get("place")
    return (code if isinstance(code, str) else ""), (place if isinstance(place, str) else "")


# --- a record


def labels_of(places: object, names: Mapping[str, str]) -> dict[str, str]:
    """Return key -> the place as people read it, "Santa Fe (Darién) · Barrio X"; an unknown code as it is."""
    given: Mapping[str, Any] = places if isinstance(places, Mapping) else {}
    found = {key: _entry(entry) for key, entry in given.items()}
    return {key: " · ".join(filter(None, (names.get(code, code), place))) for key, (code, place) in found.items()}


def with_places(form: Form, flags: Sequence[Flag], places: object, codes: Collection[str]) -> list[Flag]:
    """Return the flags of a record with what its places say: a point that is missing may be there by list.

    codes: those of the list. place_listed: no point, the place was chosen; place_unknown: no such place or question.
    """
    if places is None:
        return list(flags)
    given: Mapping[str, Any] = places if isinstance(places, Mapping) else {"": places}
    asked = _places_asked(form)
    entries = {str(key): _entry(entry) for key, entry in given.items() if ROW_NUMBER.sub("", str(key)) in asked}
    known = {key: listed_text(*entry) for key, entry in entries.items() if entry[0] in codes}
    found = [
        Flag(flag.key, "place_listed", known[flag.key]) if flag.what == "required" and flag.key in known else flag
        for flag in flags
    ]
    return found + [Flag(str(key), "place_unknown") for key in given if str(key) not in known]


def _places_asked(form: Form) -> set[str]:
    """Return the keys of the geopoints, those of the repeats around them in front: "persona/punto"."""
    repeats = {repeat.path: repeat for repeat in form.repeats}

    def name_of(question: Question) -> str:
        name, around = question.key, question.row
        while around in repeats:
            name, around = f"{repeats[around].key}/{name}", repeats[around].row
        return name

    return {name_of(question) for question in form.questions if question.type == "geopoint"}
