"""A linear program solved with fractions: the general way to the bounds that the flows of a table give at once.

Two phases and Bland's rule, so that it ends; slow and exact. It knows nothing of networks nor of whole numbers.
"""

from fractions import Fraction

from collector.rooms.sense.suppression import Published

Row = list[Fraction]


def least(rows: list[list[int]], right: list[int], costs: list[int]) -> Fraction | None:
    """Return the least costs . y with rows y = right and y >= 0; None where there is no least. Raises ValueError."""
    count = len(costs)
    tableau: list[Row] = []
    for place, (row, value) in enumerate(zip(rows, right, strict=True)):
        sign = -1 if value < 0 else 1
        helpers = [Fraction(int(other == place)) for other in range(len(rows))]
        tableau.append([Fraction(sign * each) for each in row] + helpers + [Fraction(sign * value)])
    basis = [count + place for place in range(len(rows))]
    if _solve(tableau, basis, [Fraction(0)] * count + [Fraction(1)] * len(rows), count + len(rows)) != 0:
        raise ValueError("nothing fits")
    _drive_out(tableau, basis, count)
    return _solve(tableau, basis, [Fraction(cost) for cost in costs] + [Fraction(0)] * len(rows), count)


def _solve(tableau: list[Row], basis: list[int], costs: Row, columns: int) -> Fraction | None:
    while True:
        reduced = [
            costs[column] - sum(costs[basis[place]] * row[column] for place, row in enumerate(tableau))
            for column in range(columns)
        ]
        entering = next((column for column in range(columns) if reduced[column] < 0), None)
        if entering is None:
            return sum((costs[basis[place]] * row[-1] for place, row in enumerate(tableau)), Fraction(0))
        ratios = [
            (row[-1] / row[entering], basis[place], place) for place, row in enumerate(tableau) if row[entering] > 0
        ]
        if not ratios:
            return None
        _pivot(tableau, basis, min(ratios)[2], entering)


def _pivot(tableau: list[Row], basis: list[int], place: int, column: int) -> None:
    factor = tableau[place][column]
    tableau[place] = [value / factor for value in tableau[place]]
    for other, row in enumerate(tableau):
        if other != place and row[column]:
            tableau[other] = [value - row[column] * top for value, top in zip(row, tableau[place], strict=True)]
    basis[place] = column


def _drive_out(tableau: list[Row], basis: list[int], count: int) -> None:
    """Take helpers out of the basis; a row in which nothing else stands says nothing new."""
    for place in reversed(range(len(tableau))):
        if basis[place] >= count:
            column = next((column for column in range(count) if tableau[place][column]), None)
            if column is None:
                del tableau[place], basis[place]
            else:
                _pivot(tableau, basis, place, column)


def bounds_by_simplex(published: Published) -> dict[tuple[int, int], tuple[Fraction, Fraction | None]]:
    """Return the least and the greatest count of each hidden place, None for no greatest."""
    hidden, floor = list(published.hidden()), published.policy.floor
    shape = published.shape
    rows, right = [], []
    for sums in _sums(shape.rows, shape.columns):
        rows.append([sums.get(place, 0) for place in hidden])
        right.append(-sum(sign * (published.at(place) or 0) for place, sign in sums.items() if place not in hidden))
        right[-1] -= sum(floor * sums.get(place, 0) for place in hidden)
    found = {}
    for number, place in enumerate(hidden):
        costs = [int(number == other) for other in range(len(hidden))]
        low, high = least(rows, right, costs), least(rows, right, [-cost for cost in costs])
        assert low is not None
        found[place] = (low + floor, None if high is None else floor - high)
    return found


def _sums(rows: int, columns: int) -> list[dict[tuple[int, int], int]]:
    """Return each sum of a table as place -> sign: the parts less their total make 0."""
    across = [{(row, column): 1 for column in range(columns)} | {(row, columns): -1} for row in range(rows + 1)]
    down = [{(row, column): 1 for row in range(rows)} | {(rows, column): -1} for column in range(columns + 1)]
    return across + down
