"""Tables of counts that may be shown: small cells hidden, and others with them, so that no sum gives them back.

Primary: a cell that speaks of fewer than `k` people is hidden, totals too. Complementary: each hidden cell is closed
into a ring of hidden cells on which counts can be moved round without changing anything published. `audit` then
proves, from what is published alone, how much could be known of each hidden cell.
Rules: privacy requirements P18 (k = 5 for partners, 10 in public; zeros of sensitive tables count as small).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collector.rooms.sense.flows import Place, Residual, Shape, cheapest_way

K_PARTNERS = 5
K_PUBLIC = 10
ENDLESS = 1 << 60  # far above any count; half of it is still more than any sum of counts
TOTAL_PRICE = 3  # a total is worth several cells to whoever reads the table
MOST_TRIMMED = 2000  # cells; of larger tables a few more than needed stay hidden
CELL_PRICE = 10  # hiding one cell of 30 beats hiding three of 8


@dataclass(frozen=True)
class Policy:
    """k: the fewest people that a shown cell may speak of; hides_zeros: 0 is as telling as 1 in a sensitive table.

    keeps_totals: totals are known from elsewhere, so hiding them would hide nothing. Raises ValueError for k < 1.
    """

    k: int = K_PARTNERS
    hides_zeros: bool = False
    keeps_totals: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}: give 1 (hide nothing) or more, 5 is usual")

    @property
    def floor(self) -> int:
        """Return the least that a hidden cell can hold; whoever reads the table knows it too."""
        return 0 if self.hides_zeros else 1

    @property
    def width(self) -> int:
        """Return how far apart the bounds of a hidden cell must stay: as far as those of the rule itself, 1 to k - 1.

        So the sums tell nobody more than "hidden" does.
        """
        return max(1, self.k - 1 - self.floor)

    def is_small(self, people: int) -> bool:
        """Tell whether a cell that speaks of so many people is to be hidden."""
        return self.floor <= people < self.k


class NotDividedError(ValueError):
    """A table whose totals are known cannot hide a small cell: only its totals may be told."""


@dataclass(frozen=True)
class CountTable:
    """Counts as they are: for the custodian's eyes. people: how many people stand behind each cell, where fewer.

    `people` has the shape of the counts with a row and a column of totals added: who stands behind two cells counts
    once in their total. Raises ValueError for negative counts and rows of unequal length.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    people: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.rows) or any(len(row) != len(self.columns) for row in self.cells):
            raise ValueError(f"{len(self.rows)} rows of {len(self.columns)} columns are named, the counts differ")
        if any(count < 0 for row in self.cells for count in row):
            raise ValueError("a count is below 0")

    @property
    def shape(self) -> Shape:
        """Return the number of rows and columns."""
        return Shape(len(self.rows), len(self.columns))

    def with_totals(self) -> tuple[tuple[int, ...], ...]:
        """Return the counts with the sum of each row at its end and the sums of the columns below."""
        rows = [(*row, sum(row)) for row in self.cells]
        sums = tuple(sum(row[place] for row in rows) for place in range(len(self.columns) + 1))
        return (*rows, sums)


@dataclass(frozen=True)
class Published:
    """A table as it may be shown: None is hidden. counts: rows and columns with their totals last."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    policy: Policy

    @property
    def shape(self) -> Shape:
        """Return the number of rows and columns, totals not counted."""
        return Shape(len(self.rows), len(self.columns))

    def hidden(self) -> Iterator[Place]:
        """Give the places that are hidden."""
        return (place for place in self.shape.places() if self.at(place) is None)

    def at(self, place: Place) -> int | None:
        """Return what is published at a place."""
        return self.counts[place[0]][place[1]]


@dataclass(frozen=True)
class Bounds:
    """What anybody can work out of a hidden cell: between `low` and `high`; high None is without end."""

    place: Place
    low: int
    high: int | None

    def is_narrower(self, width: int) -> bool:
        """Tell whether the cell is known closer than allowed."""
        return self.high is not None and self.high - self.low < width


# --- hiding


def protect(table: CountTable, policy: Policy | None = None) -> Published:
    """Return the table with small cells hidden, and with them as few and small others as a greedy search finds.

    Cost: about 3 ms for 12 x 12, 50 ms for 15 x 20, a second for 81 municipalities x 12 themes. Raises
    NotDividedError where totals are kept and a small cell cannot be hidden among the others.
    """
    policy = policy or Policy()
    counts = table.with_totals()
    small = _primary(table, counts, policy)
    hidden = _Hidden(table.shape, counts, policy)
    hidden.add(small)
    for place in sorted(small):
        if not hidden.is_wide([place]):
            ring = hidden.ring(place)
            if ring is None:
                raise NotDividedError(f"no cells hide {table.rows[place[0]]} in {table.columns[place[1]]}")
            hidden.add(ring)
    if table.shape.rows * table.shape.columns <= MOST_TRIMMED:
        hidden.trim(small)
    return _published(table, counts, hidden.places, policy)


class _Hidden:
    """The places of one table that are hidden so far, and what could still move among them."""

    def __init__(self, shape: Shape, counts: Sequence[Sequence[int]], policy: Policy) -> None:
        self.places: set[Place] = set()
        self._shape, self._counts, self._policy = shape, counts, policy
        self._residual = Residual(shape.points)

    def add(self, places: Iterable[Place]) -> None:
        """Hide more places."""
        for row, column in set(places) - self.places:
            above_floor = self._counts[row][column] - self._policy.floor
            self._residual.add(*self._shape.arc((row, column)), ENDLESS, above_floor)
            self.places.add((row, column))

    def is_wide(self, places: Iterable[Place], residual: Residual | None = None) -> bool:
        """Tell whether each of `places` stays as wide open as it must."""
        found = (_bounds(residual or self._residual, self._shape, place, self._policy) for place in places)
        return not any(bounds.is_narrower(self._policy.width) for bounds in found)

    def trim(self, small: set[Place]) -> None:
        """Show again what need not be hidden, totals first: rings laid later make cells of earlier ones needless."""
        for place in sorted(self.places - small, key=lambda each: (-self._price(each), each)):
            residual = self._residual.without(*self._shape.arc(place))
            if self.is_wide(_nearest_first(self.places - {place}, place), residual):
                self.places.remove(place)
                self._residual = residual

    def ring(self, place: Place) -> set[Place] | None:
        """Return the cheapest places that, hidden, let the count at `place` be `width` more than it is.

        There always is such a ring: the totals of its row and column with the grand total, which all grow together.
        None only where totals are kept.
        """
        ways: dict[int, list[tuple[int, int, Place]]] = {point: [] for point in range(self._shape.points)}
        for other in self._shape.places():
            spare = self._counts[other[0]][other[1]] - self._policy.floor
            if other == place or spare < 0 or (self._policy.keeps_totals and self._is_total(other)):
                continue
            start, end = self._shape.arc(other)
            price = 0 if other in self.places else self._price(other)
            ways[start].append((end, price, other))
            if spare >= self._policy.width:
                ways[end].append((start, price, other))
        start, end = self._shape.arc(place)
        found = cheapest_way(self._shape.points, end, start, lambda point: iter(ways[point]))
        assert found is not None or self._policy.keeps_totals  # totals always close the ring
        return set(found[1]) if found else None

    def _is_total(self, place: Place) -> bool:
        return place[0] == self._shape.rows or place[1] == self._shape.columns

    def _price(self, place: Place) -> int:
        return (self._counts[place[0]][place[1]] + CELL_PRICE) * (TOTAL_PRICE if self._is_total(place) else 1)


def _nearest_first(places: Iterable[Place], place: Place) -> list[Place]:
    """Put those that share a row or column first: they suffer first, so a cell that is needed is found out soon."""
    return sorted(places, key=lambda each: (each[0] != place[0] and each[1] != place[1], each))


def hide_small_only(table: CountTable, policy: Policy | None = None) -> Published:
    """Return the table with nothing but the small cells hidden: what sums usually give back. For comparison only."""
    policy = policy or Policy()
    counts = table.with_totals()
    return _published(table, counts, _primary(table, counts, policy), policy)


def _published(table: CountTable, counts: Sequence[Sequence[int]], hidden: set[Place], policy: Policy) -> Published:
    shown = tuple(
        tuple(None if (row, column) in hidden else count for column, count in enumerate(line))
        for row, line in enumerate(counts)
    )
    return Published(table.rows, table.columns, shown, policy)


def _primary(table: CountTable, counts: Sequence[Sequence[int]], policy: Policy) -> set[Place]:
    """Return the places that are small by themselves: no more people stand behind a cell than it counts records."""
    people = table.people or counts
    smaller = ((place, min(people[place[0]][place[1]], counts[place[0]][place[1]])) for place in table.shape.places())
    return {place for place, count in smaller if policy.is_small(count)}


# --- proving


def audit(published: Published) -> list[Bounds]:
    """Return the hidden cells that can be known closer than the policy allows; [] proves that there are none.

    Exact, and from the published table alone. Raises ValueError when its sums contradict each other.
    """
    residual = _some_table(published)
    policy = published.policy
    found = (_bounds(residual, published.shape, place, policy) for place in published.hidden())
    return [bounds for bounds in found if bounds.is_narrower(policy.width)]


def recoverable(published: Published) -> list[Bounds]:
    """Return the hidden cells of which the published sums give the very count."""
    return [bounds for bounds in audit(published) if bounds.low == bounds.high]


def all_bounds(published: Published) -> list[Bounds]:
    """Return the exact bounds of every hidden cell, in the order of the table."""
    residual = _some_table(published)
    return [_bounds(residual, published.shape, place, published.policy, ENDLESS // 2) for place in published.hidden()]


def _bounds(residual: Residual, shape: Shape, place: Place, policy: Policy, enough: int = 0) -> Bounds:
    """Return the bounds of a place, looked for no farther than `enough` (else `width`) from one possible count.

    Where the way up is enough, nobody looks down: low is then that count, and the bounds are wider than told.
    """
    enough = enough or policy.width
    start, end = shape.arc(place)
    above_floor = residual.room(end, start)
    other = residual.without(start, end)
    more = other.copy().push(end, start, enough)
    less = other.push(start, end, min(above_floor, enough)) if more < enough or enough >= ENDLESS // 2 else 0
    count = policy.floor + above_floor
    return Bounds(place, count - less, None if more >= ENDLESS // 2 else count + more)


def _some_table(published: Published) -> Residual:
    """Return one table that the published numbers allow, as what its hidden cells could still change."""
    shape, floor = published.shape, published.policy.floor
    outside, beyond = shape.points, shape.points + 1
    residual = Residual(shape.points + 2)
    surplus = [0] * shape.points
    for place in shape.places():
        start, end = shape.arc(place)
        count = published.at(place)
        if count is None:
            residual.add(start, end, ENDLESS, 0)
        surplus[end] += floor if count is None else count
        surplus[start] -= floor if count is None else count
    for point, amount in enumerate(surplus):
        if amount > 0:
            residual.add(outside, point, amount, 0)
        elif amount < 0:
            residual.add(point, beyond, -amount, 0)
    wanted = sum(amount for amount in surplus if amount > 0)
    if residual.push(outside, beyond, wanted) < wanted:
        raise ValueError("the published sums contradict each other: no table has them")
    for point in range(shape.points):
        residual.close(outside, point)
        residual.close(point, beyond)
    return residual
