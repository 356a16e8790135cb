"""The provinces, comarcas and districts of Panama as starter/territory.csv lists them, read once."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Place:
    """A province, comarca or district. code: two digits, four for a district; label: told from any of the same name."""

    code: str
    label: str


@dataclass(frozen=True)
class Province:
    """A province or comarca with its districts by name; Guna Yala and Naso Tjër Di have none."""

    place: Place
    districts: tuple[Place, ...]


@cache
def provinces() -> tuple[Province, ...]:
    """Return all of them by name, accents left aside."""
    labels = place_labels()
    in_order = [Place(row["code"], labels[row["code"]]) for row in sorted(_rows(), key=_sorted_by)]
    return tuple(
        Province(each, tuple(place for place in in_order if place.code[:-2] == each.code))
        for each in in_order
        if len(each.code) == 2
    )


@cache
def place_labels() -> Mapping[str, str]:
    """Return code -> name, with the province where two places share one: "Santa Fe (Darién)"."""
    names = place_names()
    times = Counter(names.values())

    def label(row: Mapping[str, str]) -> str:
        is_shared = row["parent"] and times[row["name"]] > 1
        return f"{row['name']} ({names[row['parent']]})" if is_shared else row["name"]

    return {row["code"]: label(row) for row in _rows()}


@cache
def place_names() -> Mapping[str, str]:
    """Return code -> name alone: two places may share one."""
    return {row["code"]: row["name"] for row in _rows()}


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = files("collector.starter").joinpath("territory.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _sorted_by(row: Mapping[str, str]) -> str:
    letters = unicodedata.normalize("NFD", row["name"].casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
