"""Ideas judged by a weighted rubric: the raw mean beside the judge-centred one, and who is still to be judged.

A judge with a conflict of interest says so and gives no score. The vote of the community is another board.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from collector.rooms.fitting import fits_step
from collector.rooms.formulas import Mean, judge_centred, mean_of, mean_with_interval
from collector.rooms.guide import Option, Step
from collector.rooms.room import Item, Room


@dataclass(frozen=True)
class CriterionMean:
    """What judges gave for a criterion, on the scale of the step."""

    criterion: Option
    mean: Mean


@dataclass(frozen=True)
class JudgedRow:
    """An idea. raw, centred: the weighted score on the scale of the step, None before any judge gave one.

    places count from 1, equal scores share one; coverage: judges who scored it of all judges; conflicts: judges who
    left it out; is_complete: it has the fewest judges that the guide asks for.
    """

    target: str
    text: str
    raw: Mean | None
    centred: float | None
    raw_place: int
    centred_place: int
    judges: int
    conflicts: int
    coverage: float
    is_complete: bool
    criteria: tuple[CriterionMean, ...]


@dataclass(frozen=True)
class JudgingBoard:
    """The ideas, best raw score first, those without one last. scale: its ends; judges: who scored at least one."""

    step: str
    scale: tuple[int, int]
    min_judges: int
    judges: int
    rows: tuple[JudgedRow, ...]


Sheet = Mapping[tuple[str, str], Item]  # (judge, target) -> what the judge said last
Scores = Mapping[tuple[str, str], Fraction]


@dataclass(frozen=True)
class _Scores:
    raw: Scores
    centred: Scores
    judges: int


def judging_board(room: Room, step_name: str) -> JudgingBoard:
    """Return the board of a score step. Raises KeyError for a step that the guide has not."""
    step = room.known_step(step_name)
    sheet = _sheet(room, step)
    raw = {key: weighted(step, item.payload["criteria"]) for key, item in sheet.items() if _has_score(item)}
    scores = _Scores(raw, judge_centred(raw), len({judge for judge, _ in raw}))
    texts = {item.id: item.text for item in room.of("statement", step.source)}
    targets = [*texts, *sorted({target for _, target in sheet} - texts.keys())]
    rows = [_row(step, sheet, scores, target, texts.get(target, target)) for target in targets]
    rows.sort(key=lambda row: row.raw_place)
    return JudgingBoard(step_name, step.scale, step.min_judges, scores.judges, tuple(rows))


def _row(step: Step, sheet: Sheet, scores: "_Scores", target: str, text: str) -> JudgedRow:
    mine = _of(scores.raw, target)
    centred = _of(scores.centred, target)
    return JudgedRow(
        target=target,
        text=text,
        raw=mean_with_interval(mine) if mine else None,
        centred=float(mean_of(centred)) if centred else None,
        raw_place=_place(scores.raw, target),
        centred_place=_place(scores.centred, target),
        judges=len(mine),
        conflicts=sum(other == target and not _has_score(item) for (_, other), item in sheet.items()),
        coverage=len(mine) / scores.judges if scores.judges else 0.0,
        is_complete=len(mine) >= step.min_judges,
        criteria=_criteria(step, sheet, target),
    )


def _sheet(room: Room, step: Step) -> dict[tuple[str, str], Item]:
    """Return what each judge said last of each target; a judge is a seat, or a device where no seat is given."""
    sheet: dict[tuple[str, str], Item] = {}
    for item in room.of("score", step.name):
        if fits_step(step, item.what, item.payload):
            judge = f"seat {item.seat}" if item.seat else f"device {item.by}"
            sheet[judge, item.said("target")] = item
    return sheet


def _has_score(item: Item) -> bool:
    return "criteria" in item.payload


def weighted(step: Step, criteria: Mapping[str, int]) -> Fraction:
    """Return the score of one judge on the scale of the step: criteria times their weights, over 100."""
    return sum((Fraction(criteria[option.name] * option.weight, 100) for option in step.options), Fraction(0))


def _of(scores: Scores, target: str) -> list[Fraction]:
    return [score for (_, other), score in scores.items() if other == target]


def _place(scores: Scores, target: str) -> int:
    """Return the place of a target, 1 for the best; those without a score come after all others."""
    means = {other: mean_of(_of(scores, other)) for _, other in scores}
    if target not in means:
        return len(means) + 1
    return 1 + sum(other > means[target] for other in means.values())


def _criteria(step: Step, sheet: Sheet, target: str) -> tuple[CriterionMean, ...]:
    said: Sequence[Item] = [item for (_, other), item in sheet.items() if other == target and _has_score(item)]
    if not said:
        return ()
    return tuple(
        CriterionMean(option, mean_with_interval([item.payload["criteria"][option.name] for item in said]))
        for option in step.options
    )
