"""A guide: the steps of a session in order, with their texts in each language. Pure data, JSON both ways.

The steps travel inside the contribution "session", so every node draws the same boards with no further file. Whoever
writes a guide as a sheet: `guide_sheet` reads it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.rooms.refusals import Refusal, shown

Text = Mapping[str, str]
Setting = int | str

# type of a step -> the kinds it takes; notes, photos, minutes, reactions and codings go with every step
STEP_TYPES: Mapping[str, frozenset[str]] = {
    "prompt": frozenset(),
    "question": frozenset({"statement"}),
    "affinity": frozenset({"statement", "placement"}),
    "statements": frozenset({"statement", "vote"}),
    "dots": frozenset({"allocation"}),
    "energy": frozenset({"allocation", "expectation", "resource", "commitment", "objection"}),
    "rank": frozenset({"rank"}),
    "triad": frozenset({"triad"}),
    "dyad": frozenset({"dyad"}),
    "iceberg": frozenset({"iceberg", "link", "placement"}),
    "score": frozenset({"score"}),
    "measure": frozenset({"measure"}),
    "commitments": frozenset({"expectation", "resource", "commitment"}),
    "agreements": frozenset({"agreement"}),
    "selection": frozenset({"selection"}),
    "photo": frozenset({"photo"}),
    "minutes": frozenset({"minute"}),
}
# how many choices the list of a type must have; a type that is not here has no list
LIST_SIZES: Mapping[str, tuple[int, int]] = {
    "dots": (2, 60),
    "energy": (2, 60),
    "rank": (2, 60),
    "triad": (3, 3),
    "dyad": (2, 2),
    "score": (1, 20),
    "measure": (1, 60),
}
# parameter -> (smallest, largest, what holds where the guide says nothing)
WHOLE_SETTINGS: Mapping[str, tuple[int, int, int]] = {
    "points": (1, 1000, 10),
    "minutes": (1, 600, 0),
    "least": (-1000, 1000, 0),
    "most": (-1000, 1000, 5),
    "min_judges": (1, 50, 3),
}
WORD_SETTINGS: Mapping[str, tuple[str, ...]] = {"moderation": ("after", "before")}
STEP_SETTING = "of"  # the step whose statements are judged or grouped here


@dataclass(frozen=True)
class Option:
    """A choice of a step's list: an option to give points to, a pole, a criterion (weight in per cent), an item."""

    name: str
    label: Text
    weight: int = 0


@dataclass(frozen=True)
class Step:
    """A step of a guide. settings: what its row says in `parameters`; see the properties for what holds otherwise."""

    type: str
    name: str
    label: Text
    hint: Text = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def _whole(self, name: str) -> int:
        return int(self.settings.get(name, WHOLE_SETTINGS[name][2]))

    @property
    def points(self) -> int:
        """Return the points each person gives."""
        return self._whole("points")

    @property
    def minutes(self) -> int:
        """Return the minutes the timer starts with, 0 for no timer."""
        return self._whole("minutes")

    @property
    def scale(self) -> tuple[int, int]:
        """Return the ends of the scale that scores or measures use."""
        return self._whole("least"), self._whole("most")

    @property
    def min_judges(self) -> int:
        """Return how many judges an idea needs to be complete."""
        return self._whole("min_judges")

    @property
    def is_moderated_before(self) -> bool:
        """Say whether a statement waits for the facilitator before others see it."""
        return self.settings.get("moderation") == "before"

    @property
    def source(self) -> str:
        """Return the step whose statements this one works on: its own where the guide names no other."""
        return str(self.settings.get(STEP_SETTING, self.name))

    @property
    def option_names(self) -> tuple[str, ...]:
        """Return the names of the list, in order."""
        return tuple(option.name for option in self.options)


@dataclass(frozen=True)
class Segment:
    """What people may say of themselves, as a group: generation, sector, origin. values: name -> text, in order."""

    name: str
    label: Text
    values: Mapping[str, Text]


@dataclass(frozen=True)
class Guide:
    """A guide. name and version go with the session; segments are those a session begins with."""

    name: str
    version: str
    title: Text
    steps: tuple[Step, ...]
    segments: tuple[Segment, ...] = ()

    def step(self, name: str) -> Step | None:
        """Return the step called `name`, None where there is none."""
        return next((step for step in self.steps if step.name == name), None)


def text_in(text: Text, language: str) -> str:
    """Return `text` in `language`, else in Spanish, else in whatever there is, "" for nothing."""
    return text.get(language) or text.get("es") or next(iter(text.values()), "")


def text_of(value: object) -> Text:
    """Return what a payload says of a text people read: one text is Spanish."""
    if isinstance(value, Mapping):
        return {str(language): str(said) for language, said in value.items()}
    return {"es": str(value)}


def steps_as_json(guide: Guide) -> list[dict[str, Any]]:
    """Return the steps as the contribution "session" carries them."""
    return [_step_as_json(step) for step in guide.steps]


def _step_as_json(step: Step) -> dict[str, Any]:
    made: dict[str, Any] = {"type": step.type, "name": step.name, "label": dict(step.label)}
    if step.hint:
        made["hint"] = dict(step.hint)
    if step.options:
        made["options"] = [_option_as_json(option) for option in step.options]
    if step.settings:
        made["settings"] = dict(step.settings)
    return made


def _option_as_json(option: Option) -> dict[str, Any]:
    made: dict[str, Any] = {"name": option.name, "label": dict(option.label)}
    return {**made, "weight": option.weight} if option.weight else made


def guide_as_json(guide: Guide) -> dict[str, Any]:
    """Return a whole guide: its name, version, title, steps and segments."""
    return {
        "name": guide.name,
        "version": guide.version,
        "title": dict(guide.title),
        "steps": steps_as_json(guide),
        "segments": segments_as_json(guide.segments),
    }


def guide_from_json(told: Mapping[str, Any]) -> Guide:
    """Read what `guide_as_json` gives. Raises Refusal where a step asks for what no board can draw."""
    title, steps = text_of(told["title"]), steps_from_json(told["steps"])
    return Guide(str(told["name"]), str(told["version"]), title, steps, segments_from_json(told["segments"]))


def segments_as_json(segments: Sequence[Segment]) -> dict[str, Any]:
    """Return segments as the contribution "session" carries them. Canonical JSON sorts keys: their order is told."""
    return {
        each.name: {
            "label": dict(each.label),
            "values": {name: dict(text) for name, text in each.values.items()},
            "place": place,
            "order": list(each.values),
        }
        for place, each in enumerate(segments)
    }


def segments_from_json(value: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Read the segments of a session, whose shape `payloads.SEGMENT` has checked."""
    in_order = sorted(value.items(), key=lambda named: named[1].get("place", 0))
    return tuple(Segment(name, text_of(said["label"]), _values_in_order(said)) for name, said in in_order)


def _values_in_order(said: Mapping[str, Any]) -> dict[str, Text]:
    values: Mapping[str, Any] = said["values"]
    told = [key for key in said.get("order", ()) if key in values]
    return {key: text_of(values[key]) for key in dict.fromkeys([*told, *values])}


def steps_from_json(value: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Read the steps of a session. Raises Refusal, whose row is the place of the step, from 1."""
    steps = tuple(_step_from_json(said) for said in value)
    seen: dict[str, None] = {}
    for row, step in enumerate(steps, start=1):
        if step.name in seen:
            raise Refusal("guide_name_twice", row=row, value=shown(step.name))
        check_step(row, step, seen)
        seen[step.name] = None
    return steps


def _step_from_json(said: Mapping[str, Any]) -> Step:
    options = tuple(
        Option(str(each["name"]), text_of(each["label"]), int(each.get("weight", 0)))
        for each in said.get("options", ())
    )
    hint = text_of(said["hint"]) if "hint" in said else {}
    settings = dict(said.get("settings", {}))
    return Step(str(said["type"]), str(said["name"]), text_of(said["label"]), hint, options, settings)


def check_step(row: int, step: Step, earlier: Collection[str]) -> None:
    """Raise Refusal where a step asks for what no board can draw.

    row: where its author finds it; earlier: the names of the steps before it, which `of` may name.
    """
    if step.type not in STEP_TYPES:
        raise Refusal("guide_type_unknown", row=row, value=shown(step.type), known=", ".join(STEP_TYPES))
    _check_options(row, step)
    for name, value in step.settings.items():
        if name != STEP_SETTING:
            _check_setting(row, name, value)
        elif not isinstance(value, str) or value not in earlier:
            raise Refusal("guide_parameter", row=row, value=shown(f"of={value}"), known=", ".join(earlier))
    least, most = step.scale
    if least >= most:
        raise Refusal("guide_parameter", row=row, value=shown(f"least={least} most={most}"), known="least < most")


def _check_options(row: int, step: Step) -> None:
    fewest, most = LIST_SIZES.get(step.type, (0, 0))
    if not fewest <= len(step.options) <= most:
        wanted = str(most) if fewest == most else f"{fewest}–{most}"
        raise Refusal("guide_list_size", row=row, value=shown(step.name), count=len(step.options), wanted=wanted)
    names = step.option_names
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Refusal("guide_name_twice", row=row, value=shown(twice))
    if step.type == "score":
        _check_weights(row, step)


def _check_weights(row: int, step: Step) -> None:
    """Refuse weights that do not make 100: a ranking by them would say less or more than its rubric."""
    for option in step.options:
        if not 1 <= option.weight <= 100:
            raise Refusal("guide_weight_bad", row=row, value=shown(option.weight))
    total = sum(option.weight for option in step.options)
    if total != 100:
        raise Refusal("guide_weights", row=row, value=shown(step.name), total=total)


def _check_setting(row: int, name: str, value: object) -> None:
    if name in WORD_SETTINGS and value in WORD_SETTINGS[name]:
        return
    least, most, _ = WHOLE_SETTINGS.get(name, (1, 0, 0))
    if type(value) is not int or not least <= value <= most:
        known = ", ".join([*WHOLE_SETTINGS, *WORD_SETTINGS, STEP_SETTING])
        raise Refusal("guide_parameter", row=row, value=shown(f"{name}={value}"), known=known)
