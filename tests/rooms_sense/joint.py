"""What somebody can work out who holds several tables of the same themes: one linear program over all of them."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from collector.rooms.sense.suppression import Published
from tests.rooms_sense.simplex import least

Variable = tuple[str, str, str]  # (table, or "" for what the tables share; row, or "" for totals; column, the same)
Equation = dict[Variable, int]
Bounds = dict[Variable, tuple[Fraction, Fraction | None]]


def joint_bounds(tables: Sequence[Published]) -> Bounds:
    """Return the least and the greatest of every hidden cell; the total of a row is one number for all tables.

    Tables of the same rows share their grand total too. None: no greatest.
    """
    equations = [each for number, table in enumerate(tables) for each in _equations(str(number), table)]
    known = {name: count for number, table in enumerate(tables) for name, count in _told(str(number), table)}
    hidden = list(dict.fromkeys(name for each in equations for name in each if name not in known))
    rows = [[each.get(name, 0) for name in hidden] for each in equations]
    told = [sum(sign * known.get(name, 0) for name, sign in each.items()) for each in equations]
    right = [-told[number] - sum(row) for number, row in enumerate(rows)]
    found: Bounds = {}
    for place, name in enumerate(hidden):
        if not (name[1] and name[2]):
            continue
        costs = [int(other == place) for other in range(len(hidden))]
        low, high = least(rows, right, costs), least(rows, right, [-cost for cost in costs])
        assert low is not None
        found[name] = (low + 1, None if high is None else 1 - high)  # a hidden count is 1 or more
    return found


def _equations(table: str, published: Published) -> Iterator[Equation]:
    name = _namer(table, published)
    for row in (*published.rows, ""):
        yield {name(row, column): 1 for column in published.columns} | {name(row, ""): -1}
    for column in (*published.columns, ""):
        yield {name(row, column): 1 for row in published.rows} | {name("", column): -1}


def _told(table: str, published: Published) -> Iterator[tuple[Variable, int]]:
    name = _namer(table, published)
    for row, counts in zip((*published.rows, ""), published.counts, strict=True):
        for column, count in zip((*published.columns, ""), counts, strict=True):
            if count is not None:
                yield name(row, column), count


def _namer(table: str, published: Published) -> Callable[[str, str], Variable]:
    """Return what names a count: that of a column its table, the total of a row nobody, the grand total its rows."""
    rows = " ".join(published.rows)
    return lambda row, column: (table if column else "" if row else rows, row, column)
