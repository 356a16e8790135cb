"""Whether a contribution fits the step it was given in: no more points than there are, only options of the list.

Asked twice by the same rules: when it is made, so that a person can mend it, and when a room is put together, since a
contribution may come from a device that had another guide.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from collector.rooms.contributions import Contribution
from collector.rooms.guide import STEP_TYPES, Guide, Step
from collector.rooms.refusals import Refusal, shown

OF_A_STEP = frozenset().union(*STEP_TYPES.values()) - {"minute", "photo"}  # the others go with any step


def fits(guide: Guide | None, contribution: Contribution) -> bool:
    """Say whether a contribution fits its step; without a guide nothing can be said against it."""
    try:
        check_fits(guide, contribution)
    except Refusal:
        return False
    return True


def check_fits(guide: Guide | None, contribution: Contribution) -> None:
    """Raise Refusal where a contribution does not fit the step it names."""
    if guide is None or contribution.what not in OF_A_STEP or not contribution.step:
        return
    step = guide.step(contribution.step)
    if step is None:
        known = ", ".join(each.name for each in guide.steps)
        raise Refusal("unknown_step", value=shown(contribution.step), known=known)
    _check_step(step, contribution.what, contribution.payload)


def fits_step(step: Step, what: str, payload: Mapping[str, Any]) -> bool:
    """Say whether a payload of kind `what` fits a step."""
    try:
        _check_step(step, what, payload)
    except Refusal:
        return False
    return True


def _check_step(step: Step, what: str, payload: Mapping[str, Any]) -> None:
    if what not in STEP_TYPES[step.type]:
        raise Refusal("wrong_step", step=step.name, type=step.type, what=what)
    _check_payload(step, what, payload)


def _check_payload(step: Step, what: str, payload: Mapping[str, Any]) -> None:
    if what == "allocation":
        _check_allocation(step, payload)
    elif what == "rank":
        _check_options(step, payload["order"])
    elif what == "measure":
        _check_options(step, [payload["item"]])
        _check_scale(step, str(payload["item"]), payload["value"])
    elif what == "score" and "criteria" in payload:
        _check_score(step, payload["criteria"])


def _check_allocation(step: Step, payload: Mapping[str, Any]) -> None:
    points = payload["points"]
    _check_options(step, points)
    given, most = sum(points.values()), step.points * int(payload.get("people", 1))
    if given > most:
        raise Refusal("over_budget", value=given, most=most, over=given - most)


def _check_options(step: Step, names: Iterable[str], code: str = "unknown_option") -> None:
    for name in names:
        if name not in step.option_names:
            raise Refusal(code, value=shown(name), step=step.name, known=", ".join(step.option_names))


def _check_scale(step: Step, key: str, value: int) -> None:
    least, most = step.scale
    if not least <= value <= most:
        raise Refusal("off_the_scale", key=key, value=value, step=step.name, least=least, most=most)


def _check_score(step: Step, criteria: Mapping[str, int]) -> None:
    _check_options(step, criteria, "unknown_criterion")
    for name in step.option_names:
        if name not in criteria:
            raise Refusal("criterion_missing", value=shown(name), step=step.name)
        _check_scale(step, name, criteria[name])
