"""Where a session took place: words for people, and the code of its district, by which sessions are put together.

A session keeps both: "Casa comunal" and 0911. One of an earlier release has words alone; they stand for a district
where they are the exact name of one place and of no other.
"""

from collections.abc import Mapping
from functools import cache

from collector.rooms.room import Facts
from collector.territory import place_labels, place_names


def district_named(words: str) -> str:
    """Return the code of the place with exactly this name, "" where none or more than one has it.

    "Soná" is 0911. "Santa Fe" could be two districts and "Colón" a province; "Santa Fe (Veraguas)" is 0909.
    """
    return _codes_by_name().get(words.strip(), "")


def place_key(facts: Facts) -> str:
    """Return what sessions of one place share: the code of the district, the words where there is none."""
    if facts.district:
        return facts.district
    return facts.place if facts.place in place_labels() else district_named(facts.place) or facts.place


def place_name(facts: Facts) -> str:
    """Return the place as people read it: the words, and the district where they do not say it already.

    "Casa comunal · Soná"; of a name that two places have, with its province: "Santa Fe (Darién)".
    """
    labels = place_labels()
    words = labels.get(facts.place, facts.place)
    label = labels.get(place_key(facts), "")
    if not label or label in words:
        return words
    is_bare = not words or words == place_names().get(place_key(facts))
    return label if is_bare else f"{words} · {label}"


def place_told(words: str, district: str) -> dict[str, str]:
    """Return the facts of a place that somebody chose from the list, said in words, or both.

    A name that is one district's alone stands for its code. A code that nobody knows is left out.
    """
    labels = place_labels()
    code = next((each for each in (district, words) if each in labels), "")
    said = labels.get(words, words)
    told = {"place": said or labels.get(code, ""), "district": code or district_named(said)}
    return {key: value for key, value in told.items() if value}


@cache
def _codes_by_name() -> Mapping[str, str]:
    """Return name or label -> code, of those that mean one place alone."""
    meant: dict[str, set[str]] = {}
    for names in (place_names(), place_labels()):
        for code, name in names.items():
            meant.setdefault(name, set()).add(code)
    return {name: next(iter(codes)) for name, codes in meant.items() if len(codes) == 1}
