"""Votes counted by hand: from the fields of a tally to what is said. Pure.

A pile is the papers counted together: of everybody, or of one group. Each pile is one ballot, so that whoever counts it
again and types it again corrects it, and does not count it twice.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from collector.rooms.given import Fields, Said, whole_in
from collector.rooms.guide import Step
from collector.rooms.mine import Mine
from collector.rooms.payloads import CHOICES, MOST_PEOPLE, MOST_POINTS
from collector.rooms.refusals import Refusal
from collector.rooms.room import Item

COUNTED = frozenset({"statements", "dots", "energy"})  # types whose papers are counted; others are typed one by one


def tallies_in(items: Iterable[Item], fields: Fields) -> list[Said]:
    """Return a tally for each statement in whose row something was typed; what is empty there is 0. Raises Refusal."""
    said = []
    for item in items:
        keys = {choice: f"{choice}.{item.id}" for choice in CHOICES}
        if any(fields.get(key, "").strip() for key in keys.values()):
            tally = {choice: count_in(fields, key, MOST_PEOPLE) for choice, key in keys.items()}
            said.append(Said("vote", {"tally": tally}, item.id))
    if not said:
        raise Refusal("missing", what="vote", key="tally")
    return said


def pile_in(step: Step, fields: Fields) -> Said:
    """Return the points of a pile of papers, and of how many people they are. Raises Refusal."""
    people = whole_in(fields, "people", 1, MOST_PEOPLE)
    points = {
        name: count_in(fields, f"points.{name}", MOST_POINTS * MOST_PEOPLE)
        for name in step.option_names
    }  # fmt: skip
    if not sum(points.values()):
        raise Refusal("missing", what="allocation", key="points")
    return Said("allocation", {"points": {name: count for name, count in points.items() if count}, "people": people})


def count_in(fields: Fields, key: str, most: int) -> int:
    """Return a typed count, 0 for an empty field. Raises Refusal not_whole."""
    return whole_in(fields, key, 0, most) if fields.get(key, "").strip() else 0


def typed_before(step: Step, items: Iterable[Item], pile: Mine) -> dict[str, Any]:
    """Return the fields of a pile as they were typed last, to be corrected."""
    fields: dict[str, Any] = {}
    for item in items:
        tally = (pile.of("vote", step.name, item.id) or {}).get("tally", {})
        fields |= {f"{choice}.{item.id}": count for choice, count in tally.items()}
    given: Mapping[str, Any] = pile.of("allocation", step.name) or {}
    fields |= {f"points.{name}": count for name, count in given.get("points", {}).items()}
    return fields | ({"people": given["people"]} if given else {})
