"""From the fields of a form on a phone to what is said: one function a kind, each gives payloads. Pure.

Fields that are empty and need not be filled are left out. Raises Refusal, whose keys are the names of the fields.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.rooms.guide import STEP_TYPES, Step
from collector.rooms.link_codes import read_link_code
from collector.rooms.refusals import Refusal, shown

Fields = Mapping[str, str]
POLES = ("a", "b", "c")  # the options of a triad in order
STONE = 10  # a triad is given in ten stones, each a tenth
STONES = 10


@dataclass(frozen=True)
class Said:
    """One thing that was said: its kind, what it holds, and of what it speaks."""

    what: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""


def tidy(text: str) -> str:
    """Return a typed text without blanks around it and without U+0000, which no record can hold."""
    return text.replace("\0", " ").replace("\r\n", "\n").strip()


def whole_in(fields: Fields, key: str, least: int, most: int) -> int:
    """Return a typed whole number. Raises Refusal not_whole."""
    typed = fields.get(key, "").strip()
    digits = typed.removeprefix("-")
    number = int(typed) if digits.isascii() and digits.isdecimal() and len(digits) < 9 else None
    if number is None or not least <= number <= most:
        raise Refusal("not_whole", key=key, value=shown(typed), least=least, most=most)
    return number


def said_in(step: Step, what: str, fields: Fields, round_number: int = 0) -> list[Said]:
    """Return what a form of kind `what` says. Raises Refusal for what cannot be, and for a kind no form gives."""
    if what not in READERS or what not in STEP_TYPES[step.type]:
        raise Refusal("wrong_step", step=step.name, type=step.type, what=what)
    if what == "measure":
        return _measures(step, fields, round_number)
    return [READERS[what](step, fields)]


def points_in(step: Step, fields: Fields) -> dict[str, int]:
    """Return the points of a draft, each option's; what is no number counts as none."""
    found = {}
    for name in step.option_names:
        typed = fields.get(f"points.{name}", "")
        found[name] = min(int(typed), 1000) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else 0
    return found


def budget_of(step: Step) -> int:
    """Return how many points, or stones of a triad, a person gives in a step."""
    return STONES if step.type == "triad" else step.points


def draft_after(step: Step, fields: Fields) -> dict[str, int]:
    """Return the points of a draft after the button that was pressed: one more or one less, within the budget."""
    points = points_in(step, fields)
    more, less = fields.get("_more", ""), fields.get("_less", "")
    if more in points and sum(points.values()) < budget_of(step):
        points[more] += 1
    if points.get(less):
        points[less] -= 1
    return points


def _texts(fields: Fields, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """Return typed texts. Raises Refusal not_a_text for one that is missing; the rules of payloads look at the rest."""
    found = {key: tidy(fields.get(key, "")) for key in (*required, *optional)}
    for key in required:
        if not found[key]:
            raise Refusal("not_a_text", key=key, value=shown(""))
    return {key: text for key, text in found.items() if text}


def _chosen(fields: Fields, key: str) -> str:
    """Return what was chosen of a list. Raises Refusal not_one_of for nothing."""
    if not fields.get(key):
        raise Refusal("not_one_of", key=key, value=shown(""), known="–")
    return fields[key]


def _vote(_step: Step, fields: Fields) -> Said:
    return Said("vote", {"choice": _chosen(fields, "choice")}, _chosen(fields, "ref"))


def _statement(_step: Step, fields: Fields) -> Said:
    return Said("statement", _texts(fields, ("text",)))


def _allocation(step: Step, fields: Fields) -> Said:
    points = points_in(step, fields)
    if not sum(points.values()):
        raise Refusal("missing", what="allocation", key="points")
    return Said("allocation", {"points": {name: count for name, count in points.items() if count}})


def _rank(step: Step, fields: Fields) -> Said:
    """Return the order of what was ranked: places may be left empty at the end, and none is named twice."""
    order = [fields[f"place.{place}"] for place in range(1, len(step.options) + 1) if fields.get(f"place.{place}")]
    if not order:
        raise Refusal("missing", what="rank", key="order")
    return Said("rank", {"order": order})


def _triad(step: Step, fields: Fields) -> Said:
    if fields.get("na"):
        return Said("triad", {"na": True})
    stones = points_in(step, fields)
    parts = {pole: stones[name] * STONE for pole, name in zip(POLES, step.option_names, strict=True)}
    return Said("triad", parts)


def _dyad(_step: Step, fields: Fields) -> Said:
    if fields.get("value") == "na":
        return Said("dyad", {"na": True})
    _chosen(fields, "value")
    return Said("dyad", {"value": whole_in(fields, "value", 0, 100)})


def _iceberg(_step: Step, fields: Fields) -> Said:
    return Said("iceberg", _texts(fields, ("text",)) | {"level": _chosen(fields, "level")})


def _link(_step: Step, fields: Fields) -> Said:
    payload = {"to": _chosen(fields, "to"), "relation": _chosen(fields, "relation")}
    return Said("link", payload, _chosen(fields, "ref"))


def _placement(_step: Step, fields: Fields) -> Said:
    return Said(
        "placement", {"group": tidy(fields.get("new", "")) or tidy(fields.get("group", ""))}, _chosen(fields, "ref")
    )


def _score(step: Step, fields: Fields) -> Said:
    target = _chosen(fields, "target")
    if fields.get("conflict"):
        return Said("score", {"target": target, "conflict": True})
    least, most = step.scale
    for name in step.option_names:
        if not fields.get(f"criteria.{name}"):
            raise Refusal("criterion_missing", value=shown(name), step=step.name)
    criteria = {name: whole_in(fields, f"criteria.{name}", least, most) for name in step.option_names}
    return Said("score", {"target": target, "criteria": criteria} | _texts(fields, (), ("reason",)))


def _measures(step: Step, fields: Fields, round_number: int) -> list[Said]:
    """Return one measure for each item that was answered; an item may be left out."""
    code = read_link_code(fields.get("code", ""))
    least, most = step.scale
    given = [name for name in step.option_names if fields.get(f"item.{name}")]
    if not given:
        raise Refusal("missing", what="measure", key="item")
    values = {name: whole_in(fields, f"item.{name}", least, most) for name in given}
    return [
        Said("measure", {"code": code, "item": name, "value": values[name], "round": round_number}) for name in given
    ]


def _expectation(_step: Step, fields: Fields) -> Said:
    return Said("expectation", _texts(fields, ("actor", "text"), ("sector",)))


def _resource(_step: Step, fields: Fields) -> Said:
    texts = _texts(fields, ("actor", "text"), ("sector", "position"))
    return Said("resource", texts | {"kind": _chosen(fields, "kind")})


def _commitment(_step: Step, fields: Fields) -> Said:
    return Said("commitment", _texts(fields, ("actor", "text"), ("sector", "position", "by_when")))


def _objection(_step: Step, fields: Fields) -> Said:
    return Said("objection", {"position": _chosen(fields, "position")} | _texts(fields, ("reason",)))


def _agreement(_step: Step, fields: Fields) -> Said:
    return Said("agreement", _texts(fields, ("what", "who"), ("with_what", "by_when", "review")))


def _selection(_step: Step, fields: Fields) -> Said:
    return Said("selection", _texts(fields, ("reason", "level")), _chosen(fields, "ref"))


READERS: Mapping[str, Callable[[Step, Fields], Said]] = {
    "vote": _vote,
    "statement": _statement,
    "allocation": _allocation,
    "rank": _rank,
    "triad": _triad,
    "dyad": _dyad,
    "iceberg": _iceberg,
    "link": _link,
    "placement": _placement,
    "score": _score,
    "measure": lambda step, fields: _measures(step, fields, 0)[0],
    "expectation": _expectation,
    "resource": _resource,
    "commitment": _commitment,
    "objection": _objection,
    "agreement": _agreement,
    "selection": _selection,
}


def check_known(said: Said, known: Collection[str]) -> None:
    """Raise Refusal where something speaks of what is not there: `known` are the ids that a person could choose."""
    named = [said.ref, str(said.payload.get("to", "")), str(said.payload.get("target", ""))]
    for name in named:
        if name and name not in known:
            raise Refusal("not_an_id", key="ref", value=shown(name))
