"""How far coders agree: percent and Cohen's kappa for two, Krippendorff's alpha (nominal) for two or more.

All are exact fractions; None where the figure is not defined: nobody can agree better than chance when only one value
was ever used. Sources: Cohen 1960; Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction


def percent_agreement(pairs: Iterable[tuple[Hashable, Hashable]]) -> Fraction | None:
    """Return the share of pairs, 0 to 1, in which both say the same; None without pairs."""
    both = [one == other for one, other in pairs]
    return Fraction(sum(both), len(both)) if both else None


def cohen_kappa(pairs: Iterable[tuple[Hashable, Hashable]]) -> Fraction | None:
    """Return kappa of two coders, -1 to 1: (observed - by chance) / (1 - by chance), chance from what each uses."""
    found = list(pairs)
    observed = percent_agreement(found)
    if observed is None:
        return None
    first, second = Counter(one for one, _ in found), Counter(other for _, other in found)
    chance = Fraction(sum(first[value] * second[value] for value in first), len(found) ** 2)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> Fraction | None:
    """Return nominal alpha. units: of each thing coded, the values it got from those who coded it, in any order.

    Things that only one coder saw say nothing about agreement and are left out. alpha = 1 - observed / expected
    disagreement, both from the pairs within things and within all values.
    """
    counts = [Counter(values) for values in units if len(values) > 1]
    totals: Counter[Hashable] = Counter()
    observed = Fraction(0)
    for count in counts:
        size = count.total()
        totals.update(count)
        observed += Fraction(size * size - sum(times * times for times in count.values()), size - 1)
    n = totals.total()
    expected = Fraction(n * n - sum(times * times for times in totals.values()), n - 1) if n > 1 else Fraction(0)
    return None if expected == 0 else 1 - observed / expected


def meaning(alpha: Fraction | None) -> str:
    """Return how far an alpha lets anybody build on the codes: "high", "fair", "low", or "none" where it has no value.

    From 0.8 conclusions rest on the codes, from 0.667 tentative ones only. Source: Krippendorff, "Content Analysis".
    """
    if alpha is None:
        return "none"
    return "high" if alpha >= Fraction(4, 5) else "fair" if alpha >= Fraction(2, 3) else "low"
