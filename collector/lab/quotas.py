"""How far a form is from what its plan wants: by the answer to a question, and by municipality in a period. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from collector.lab.plan import Plan, Quota
from collector.lab.reporting import Period, period_with


@dataclass(frozen=True)
class Wanted:
    """So many answers of a kind are wanted, and so many came. question: its key, "" for a municipality."""

    question: str
    value: str
    target: int
    so_far: int

    @property
    def missing(self) -> int:
        """Return how many are still to come."""
        return max(0, self.target - self.so_far)

    @property
    def share(self) -> float:
        """Return the part that came, 0 to 1."""
        return min(1.0, self.so_far / self.target) if self.target else 1.0


def quotas_of(plan: Plan, counts: Mapping[str, Mapping[str, int]]) -> list[Wanted]:
    """Return the plan's quotas, those that miss most first. counts: question -> answer -> how many gave it.

    An answer with several choices counts for each of them.
    """
    found = [
        Wanted(quota.question, quota.value, quota.target, _given(counts.get(quota.question, {}), quota.value))
        for quota in plan.quotas
    ]
    return sorted(found, key=lambda one: -one.missing)


def uncounted(plan: Plan, asked: Collection[str]) -> list[Quota]:
    """Return the quotas that nothing is counted for. asked: the keys of the questions that an answer gives once.

    Such a plan was written by another release, or before the question went into a repeat.
    """
    return [quota for quota in plan.quotas if quota.question not in asked]


def _given(values: Mapping[str, int], value: str) -> int:
    return sum(count for text, count in values.items() if value in text.split() or text == value)


def places_of(plan: Plan, days: Mapping[str, Mapping[int, int]], today: int) -> tuple[Period | None, list[Wanted]]:
    """Return the municipalities of which the plan expects a number, those that miss most first, and in which period.

    days: municipality -> day -> answers. Without a frequency everything counts that ever came: no period.
    """
    period = period_with(today, plan.frequency_days) if plan.frequency_days > 0 else None
    found = [
        Wanted("", code, target, _within(days.get(code, {}).items(), period)) for code, target in plan.expected.items()
    ]
    return period, sorted(found, key=lambda one: (-one.missing, one.value))


def _within(days: Iterable[tuple[int, int]], period: Period | None) -> int:
    return sum(count for day, count in days if period is None or period.first <= day <= period.last)
