"""A table of counts with its totals as a flow in a network, so that what can be computed back is known exactly.

    S --row total--> row i --cell--> column j --column total--> T --grand total--> S

Every sum of the table says that what flows into a point flows out of it again. Published cells are pipes whose flow is
fixed; hidden ones may carry any whole number from `floor` up. Such networks have whole-number optima (their matrix is
totally unimodular), so the least and the greatest flow of a hidden pipe are the exact bounds that anybody could reach.
Source: Ford and Fulkerson 1956 (augmenting paths); Hoffman 1960 (circulations with lower bounds).
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

# (row, column); row == number of rows stands for the column totals, column == number of columns for the row totals
Place = tuple[int, int]
Arc = tuple[int, int]


@dataclass(frozen=True)
class Shape:
    """How many rows and columns a table has, its totals not counted."""

    rows: int
    columns: int

    def places(self) -> Iterator[Place]:
        """Give every place of the table, totals too, row by row."""
        return ((row, column) for row in range(self.rows + 1) for column in range(self.columns + 1))

    def arc(self, place: Place) -> Arc:
        """Return (from, to) of the pipe of a place."""
        row, column = place
        start, end = self.rows + self.columns, self.rows + self.columns + 1
        if row == self.rows:
            return (end, start) if column == self.columns else (self.rows + column, end)
        return (start, row) if column == self.columns else (row, self.rows + column)

    @property
    def points(self) -> int:
        """Return how many points the network has."""
        return self.rows + self.columns + 2


class Residual:
    """How much more each hidden pipe can carry, forth and back."""

    def __init__(self, points: int) -> None:
        self._room: list[dict[int, int]] = [{} for _ in range(points)]

    def add(self, start: int, end: int, forth: int, back: int) -> None:
        """Add a pipe; no two pipes join the same two points in the same sense."""
        self._room[start][end] = self._room[start].get(end, 0) + forth
        self._room[end][start] = self._room[end].get(start, 0) + back

    def room(self, start: int, end: int) -> int:
        """Return how much more can go from one point to another."""
        return self._room[start].get(end, 0)

    def close(self, start: int, end: int) -> None:
        """Take the pipe between two points out."""
        self._room[start].pop(end, None)
        self._room[end].pop(start, None)

    def copy(self) -> "Residual":
        """Return one that can be changed without changing this."""
        other = Residual(0)
        other._room = [each.copy() for each in self._room]
        return other

    def without(self, start: int, end: int) -> "Residual":
        """Return a copy in which there is no pipe between two points."""
        other = self.copy()
        other.close(start, end)
        return other

    def push(self, source: int, target: int, at_most: int) -> int:
        """Send as much as possible from one point to another, `at_most` at the most; return how much went."""
        sent = 0
        while sent < at_most and (path := self._path(source, target)):
            amount = min(at_most - sent, *(self._room[one][two] for one, two in path))
            for one, two in path:
                self._room[one][two] -= amount
                self._room[two][one] = self._room[two].get(one, 0) + amount
            sent += amount
        return sent

    def _path(self, source: int, target: int) -> list[Arc]:
        """Return a shortest way with room, [] when there is none."""
        came_from = {source: source}
        waiting = deque([source])
        while waiting and target not in came_from:
            point = waiting.popleft()
            for after, room in self._room[point].items():
                if room > 0 and after not in came_from:
                    came_from[after] = point
                    waiting.append(after)
        return _way_back(came_from, source, target) if target in came_from else []


def _way_back(came_from: Mapping[int, int], source: int, target: int) -> list[Arc]:
    path: list[Arc] = []
    point = target
    while point != source:
        path.append((came_from[point], point))
        point = came_from[point]
    return path[::-1]


def cheapest_way(
    points: int, source: int, target: int, steps: Callable[[int], Iterator[tuple[int, int, Place]]]
) -> tuple[int, list[Place]] | None:
    """Return (cost, places passed) of the cheapest way; None without one. steps: point -> (next point, cost, place).

    Ties are broken by the number of places, then by their order, so that a table is always hidden in the same way.
    """
    best: dict[int, tuple[int, int, tuple[Place, ...]]] = {source: (0, 0, ())}
    waiting: list[tuple[int, int, tuple[Place, ...], int]] = [(0, 0, (), source)]
    done: set[int] = set()
    while waiting and len(done) < points:
        cost, length, passed, point = heapq.heappop(waiting)
        if point == target:
            return cost, list(passed)
        if point in done:
            continue
        done.add(point)
        for after, price, place in steps(point):
            offer = (cost + price, length + 1, (*passed, place))
            if after not in done and (after not in best or offer < best[after]):
                best[after] = offer
                heapq.heappush(waiting, (*offer, after))
    return None
