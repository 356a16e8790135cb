"""What forms cost a node: checking a submission when it arrives, and publishing a long workbook."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic, process_time
from typing import TypeVar

from bench.report import Bar, Row
from bench.surveys import NOW, long_workbook, thirty_answers, thirty_xform
from collector.forms.check import check
from collector.forms.model import Form
from collector.forms.xform import read_xform
from collector.publish.publishing import check_file

Sample = TypeVar("Sample")
ROUNDS = 25  # the best one counts: a neighbour's load only ever slows down
SAMPLES = 200
BOOK_ROWS = 600
PUBLISHINGS = 3
CHECKED = Bar(least=10_000)
PUBLISHED = Bar(most=3, unit=" s")


def thirty_row() -> Row:
    """Measure a whole check of a survey of 30 questions, from the bytes of its answers on."""
    form = read_xform(thirty_xform())
    bodies = [
        json.dumps({"answers": thirty_answers(form, seed)}, ensure_ascii=False).encode() for seed in range(SAMPLES)
    ]
    flagged = [body for body in bodies if check(form, json.loads(body)["answers"], NOW).flags]
    if flagged:
        raise ValueError(f"answers that should be right are flagged: {flagged[0]!r}")
    rate = _a_second(bodies, lambda body: check(form, json.loads(body)["answers"], NOW))
    return Row("check: submissions a core-second (with JSON decoding)", f"{rate:,.0f}", rate, CHECKED)


def check_row(name: str, samples: Iterable[tuple[Form, Mapping[str, str]]]) -> Row:
    """Measure how many submissions one core checks in a second, already decoded."""
    rate = _a_second(list(samples), lambda one: check(one[0], one[1], NOW))
    return Row(f"check of {name}: submissions a core-second (noisy)", f"{rate:,.0f}")


def _a_second(some: Sequence[Sample], act: Callable[[Sample], object]) -> float:
    """Return how many a second of this process's CPU, in the best round."""
    best = 0.0
    for _ in range(ROUNDS):
        began = process_time()
        for one in some:
            act(one)
        best = max(best, len(some) / (process_time() - began))
    return best


def publish_row() -> Row:
    """Measure a workbook of 600 rows on its way through the publishing worker, a process of its own."""
    content = long_workbook(BOOK_ROWS)
    best, processor = min(_publish(content) for _ in range(PUBLISHINGS))
    figure = f"{best:.1f} s, {processor:.1f} s of CPU"
    return Row(f"publish a form of {BOOK_ROWS} rows: seconds", figure, best, PUBLISHED)


def _publish(content: bytes) -> tuple[float, float]:
    """Return the seconds on the wall, and those of the worker's CPU."""
    began, before = monotonic(), os.times()
    checked = check_file("larga.xlsx", content)
    if checked.form is None:
        raise ValueError(f"the workbook was refused: {checked.report}")
    after = os.times()
    worked = after.children_user + after.children_system - before.children_user - before.children_system
    return monotonic() - began, worked
