"""The formulas of the boards, in whole numbers and fractions as long as possible: no order of adding changes a digit.

Each gives shares from 0 to 1. Worked examples stand in docs/rooms.md and in tests/rooms/test_formulas.py.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Share:
    """A share with what it is of: `count` of `total`, from `n` people, and its 95 % interval, all from 0 to 1.

    For points count and total are points; the interval goes by people, since the points of one person go together.
    """

    count: int
    total: int
    n: int
    share: float
    low: float
    high: float

    def overlaps(self, other: "Share") -> bool:
        """Say whether the two intervals touch: then nobody can say which share is larger."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Mean:
    """A mean of `n` values with its 95 % interval, None where one value (or none) leaves it open."""

    n: int
    mean: float
    low: float | None
    high: float | None


def share_of(count: int, total: int, n: int) -> Share:
    """Return `count` of `total` with the Wilson interval of `n` people: 9 of 10 people -> 0.596 to 0.982.

    (0, 1) where nobody answered. Source: E. B. Wilson 1927; it stays inside 0 and 1 and holds for small n.
    """
    share = count / total if total else 0.0
    if n == 0 or total == 0:
        return Share(count, total, n, share, 0.0, 1.0)
    square = Z_95 * Z_95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return Share(count, total, n, share, max(0.0, middle - half), min(1.0, middle + half))


def agree_probability(agrees: int, seen: int) -> float:
    """Return (agrees + 1) / (seen + 2), where seen counts passes too: near 1/2 while few have answered.

    Source: the consensus of Pol.is, published with its algorithms.
    """
    return float(_agree_probability(agrees, seen))


def _agree_probability(agrees: int, seen: int) -> Fraction:
    return Fraction(agrees + 1, seen + 2)


def group_aware_consensus(groups: Iterable[tuple[int, int]]) -> float:
    """Return the product of the agree probabilities of (agrees, seen) of each group: high where every group agrees.

    (9, 10) and (9, 10) -> 0.694; (10, 10) and (1, 10) -> 0.153; (2, 2) and (2, 2) -> 0.5625. 1 without groups.
    Source: Pol.is, with declared segments in place of computed clusters, which small rooms cannot bear.
    """
    product = Fraction(1)
    for agrees, seen in groups:
        product *= _agree_probability(agrees, seen)
    return float(product)


def controversy(agrees: int, disagrees: int) -> float | None:
    """Return 2 min(agrees, disagrees) / (agrees + disagrees): 1 for an even split, 0 for one voice, None for none.

    Source: the controversy of Talk to the City.
    """
    total = agrees + disagrees
    return float(Fraction(2 * min(agrees, disagrees), total)) if total else None


@dataclass(frozen=True)
class Change:
    """A share less another one, with its 95 % interval; n_before, n_after: the people behind each."""

    change: float
    low: float
    high: float
    n_before: int
    n_after: int


def change_between(before: Share, after: Share) -> Change:
    """Return after less before, with the interval of two unpaired groups: 48/80 -> 56/70 gives 0.052 to 0.334.

    Source: R. G. Newcombe 1998, method 10, which joins the two Wilson intervals.
    """
    change = after.share - before.share
    down = math.hypot(after.share - after.low, before.high - before.share)
    up = math.hypot(after.high - after.share, before.share - before.low)
    return Change(change, change - down, change + up, before.n, after.n)


def effective_number(counts: Iterable[int]) -> float:
    """Return exp(Shannon entropy) of counts: how many equal sectors they are worth. 5, 5 -> 2; 9, 1 -> 1.384.

    0 of none. Source: Hill number of order 1 (Hill 1973).
    """
    held = [count for count in counts if count > 0]
    total = sum(held)
    if not total:
        return 0.0
    return math.exp(-math.fsum(count / total * math.log(count / total) for count in held))


def mean_of(values: Sequence[int | Fraction]) -> Fraction:
    """Return the mean of one or more values, exactly."""
    return sum(map(Fraction, values), Fraction(0)) / len(values)


def mean_with_interval(values: Sequence[int | Fraction]) -> Mean:
    """Return the mean with its 95 % interval by Student's t: 1, 2, 3 -> 2 from -0.484 to 4.484."""
    n = len(values)
    if n < 2:
        return Mean(n, float(mean_of(values)) if n else 0.0, None, None)
    mean = mean_of(values)
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (n - 1)
    half = t_quantile(n - 1) * math.sqrt(variance / n)
    return Mean(n, float(mean), float(mean) - half, float(mean) + half)


@cache
def t_quantile(degrees: int, inside: float = 0.95) -> float:
    """Return t with `inside` of Student's distribution between -t and t: 1 -> 12.706, 10 -> 2.228, 19 -> 2.093.

    By halving on the exact distribution, which for whole degrees is a finite sum: no table, no library.
    """
    low, high = 0.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_inside(middle, degrees) < inside else (low, middle)
    return high


def t_inside(t: float, degrees: int) -> float:
    """Return the part of Student's distribution between -t and t. Source: Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees % 2 == 1
    term, total = (cosine, 0.0) if is_odd else (1.0, 0.0)
    for step in range(1 if is_odd else 0, degrees - 1, 2):
        total += term
        term *= cosine * cosine * (step + 1) / (step + 2)
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total


def judge_centred(scores: Mapping[tuple[str, str], Fraction]) -> dict[tuple[str, str], Fraction]:
    """Return each score less its judge's mean plus the mean of all: as if all were equally harsh.

    scores: (judge, target) -> score. Fair only where judges saw much the same targets; so it stands beside the raw one.
    """
    if not scores:
        return {}
    by_judge: dict[str, list[Fraction]] = {}
    for (judge, _), score in scores.items():
        by_judge.setdefault(judge, []).append(score)
    means = {judge: mean_of(mine) for judge, mine in by_judge.items()}
    overall = mean_of(list(scores.values()))
    return {(judge, target): score - means[judge] + overall for (judge, target), score in scores.items()}
