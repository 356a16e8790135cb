"""What municipalities and everybody may see of a form: counts by choice and municipality, small cells hidden. Pure.

One table a question: a row a choice and one for who gave no answer, so that every question has the same n in a
municipality; a column a municipality. Choices and municipalities of fewer than `k` people stand together as OTHERS. So
every total is told, and each table is a problem of its own: inside it small cells are hidden, and others with them, so
that no sum gives them back. Where that cannot be done the question is told for all municipalities together only.

What was handed out stays known. So new answers are told a municipality at a time, and only when what they change can
be told too: `advance` keeps the earlier answers of a municipality until then. Everything that is handed out, the public
totals too, is made of the same answers. Source: privacy requirements P18 and P19.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from collector.rooms.sense.suppression import (
    K_PARTNERS,
    K_PUBLIC,
    CountTable,
    NotDividedError,
    Policy,
    Published,
    all_bounds,
    protect,
)

OTHERS = "*"  # what stands together because each by itself is too small
NO_ANSWER = ""
LEAST_FIRST = 30  # answers in all, before anything is told: what is told early is in the way of what is told later
NO_PLACE = ""  # the municipality of who did not say it
FEWEST_ROWS = 2  # a question of which all choices stand together says nothing
MOST_CELLS = 3000  # of a table: hiding takes seconds beyond

# municipality -> choice (NO_ANSWER: gave none) -> people
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Told:
    """A question as it may be told. rows, columns: their parts, OTHERS being several choices or municipalities.

    counts: a row a choice with its total last, and the totals of the columns below; None is hidden. is_divided: False
    where only the totals may be told.
    """

    rows: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]
    counts: tuple[tuple[int | None, ...], ...]
    is_divided: bool

    @property
    def n(self) -> int:
        """Return how many people there are in all."""
        return self.counts[-1][-1] or 0

    def column_of(self, municipality: str) -> str | None:
        """Return the column that tells of a municipality by itself, None where it stands among others or nowhere."""
        return municipality if municipality in self.columns and self.is_divided else None

    def column(self, name: str) -> dict[str, int | None]:
        """Return row -> count of one column."""
        place = list(self.columns).index(name)
        return {row: self.counts[number][place] for number, row in enumerate(self.rows)}

    def column_total(self, name: str) -> int:
        """Return the people of a column."""
        return self.counts[-1][list(self.columns).index(name)] or 0

    def totals(self) -> dict[str, int]:
        """Return row -> people in all municipalities together."""
        return {row: self.counts[number][-1] or 0 for number, row in enumerate(self.rows)}


def tell(counts: Counts, k: int = K_PARTNERS) -> Told | None:
    """Return what may be told of a question, None where not even all together are `k` people.

    Where a small cell cannot be hidden, the smallest choice or municipality goes to OTHERS, until the rest can be told.
    """
    by_choice, by_place = _by_choice(counts), {place: sum(choices.values()) for place, choices in counts.items()}
    choices_together, places_together = set[str](), {NO_PLACE}
    while rows := _pooled(by_choice, k, choices_together):
        columns = _pooled(by_place, k, places_together)
        table = _table(counts, rows, columns)
        published = _divided(table, k)
        if published is not None:
            return Told(rows, columns, published.counts, is_divided=True)
        if len(columns) < 2:
            return Told(rows, columns, _totals_alone(table), is_divided=False)
        choice = _smallest(by_choice, rows) if len(rows) > FEWEST_ROWS else None
        place = _smallest(by_place, columns)
        if choice is not None and (place is None or by_choice[choice] <= by_place[place]):
            choices_together.add(choice)
        else:
            places_together.add(place or "")
    return None


def _smallest(sizes: Mapping[str, int], told: Collection[str]) -> str | None:
    """Return the smallest of those that stand alone, None when none does."""
    return min((name for name in told if name != OTHERS), key=lambda name: (sizes[name], name), default=None)


def _table(counts: Counts, rows: Mapping[str, tuple[str, ...]], columns: Mapping[str, tuple[str, ...]]) -> CountTable:
    cells = tuple(
        tuple(
            sum(counts[place].get(choice, 0) for place in places for choice in choices) for places in columns.values()
        )
        for choices in rows.values()
    )
    return CountTable(tuple(rows), tuple(columns), cells)


def _divided(table: CountTable, k: int) -> Published | None:
    """Return the table with what is small hidden inside it, None where that cannot be done, or only in too long."""
    if len(table.rows) * len(table.columns) > MOST_CELLS:
        return None
    try:
        return protect(table, Policy(k, keeps_totals=True))
    except NotDividedError:
        return None


def _by_choice(counts: Counts) -> dict[str, int]:
    found: Counter[str] = Counter()
    for choices in counts.values():
        found.update(choices)
    return dict(found)


def _pooled(sizes: Mapping[str, int], k: int, always: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return name -> what it stands for: by itself with `k` people or more, else among OTHERS; {} for fewer in all.

    always: names that never stand alone.
    """
    alone = {name: size for name, size in sizes.items() if size >= k and name not in always}
    others = {name: size for name, size in sizes.items() if size > 0 and name not in alone}
    while others and sum(others.values()) < k and alone:
        smallest = min(alone, key=lambda name: (alone[name], name))
        others[smallest] = alone.pop(smallest)
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in sizes if name in alone}
    if others:
        found[OTHERS] = tuple(sorted(others))
    return found if sum(sizes.values()) >= k else {}


def _totals_alone(table: CountTable) -> tuple[tuple[int | None, ...], ...]:
    *lines, sums = table.with_totals()
    return (*((*(None for _ in line[:-1]), line[-1]) for line in lines), sums)


# --- and again later


def advance(earlier: Counts | None, now: Counts, k: int = K_PARTNERS, k_public: int = K_PUBLIC) -> Counts:
    """Return the counts that may be told after those that were: new ones wherever what they change may be told too.

    earlier: what is told now, None before the first time. A municipality whose change would tell of few people keeps
    what it had.
    """
    if earlier is None:
        return now if sum(_by_choice(now).values()) >= LEAST_FIRST else {}
    if not earlier:
        return advance(None, now, k, k_public)
    wanted = {place: now.get(place, {}) for place in {*earlier, *now}}
    while True:
        tight = _tight(tell(earlier, k), tell(wanted, k), earlier, wanted, k, k_public)
        back = {place for place in tight if wanted[place] != earlier.get(place, {})}
        if not tight:
            return {place: choices for place, choices in wanted.items() if choices}
        if not back:
            return earlier
        wanted.update({place: earlier.get(place, {}) for place in back})


def _tight(before: Told | None, after: Told | None, earlier: Counts, wanted: Counts, k: int, k_public: int) -> set[str]:
    """Return the municipalities whose change would tell of few people, to who compares two releases."""
    changed = {place for place in {*earlier, *wanted} if earlier.get(place, {}) != wanted.get(place, {})}
    if not changed:
        return set()
    if before is None or after is None:
        return changed
    rows = _joined(before.rows.values(), after.rows.values())
    columns = _joined(before.columns.values(), after.columns.values())
    apart = _differences(before, after, rows, columns)
    found = set(_small_changes(apart, columns, k, k_public, changed))
    return found or set(_computable(apart, rows, columns, earlier, wanted, k, changed))


# a row or column of the difference: all choices, or municipalities, that stand together in either release
_Parts = tuple[frozenset[str], ...]
_Grid = tuple[tuple[int | None, ...], ...]


def _joined(*groups: Iterable[Iterable[str]]) -> _Parts:
    """Return the finest parts of which the groups of both releases are made up."""
    parts: list[set[str]] = []
    for group in (set(each) for one in groups for each in one):
        touching = [part for part in parts if part & group]
        parts = [part for part in parts if not part & group] + [group.union(*touching)]
    return tuple(sorted((frozenset(part) for part in parts), key=sorted))


def _differences(before: Told, after: Told, rows: _Parts, columns: _Parts) -> _Grid:
    """Return what changed in each part, totals last; None where one of the two hides it."""
    old, new = (list(_sums(told, rows, columns)) for told in (before, after))
    return tuple(
        tuple(None if a is None or b is None else b - a for a, b in zip(*lines, strict=True))
        for lines in zip(old, new, strict=True)
    )


def _sums(told: Told, rows: _Parts, columns: _Parts) -> Iterator[tuple[int | None, ...]]:
    tall, wide = [*_places(told.rows, rows), [len(told.rows)]], [*_places(told.columns, columns), [len(told.columns)]]
    for lines in tall:
        yield tuple(_sum(told.counts[line][place] for line in lines for place in places) for places in wide)


def _places(parts: Mapping[str, tuple[str, ...]], joined: _Parts) -> list[list[int]]:
    return [[number for number, names in enumerate(parts.values()) if set(names) <= part] for part in joined]


def _sum(counts: Iterable[int | None]) -> int | None:
    found = list(counts)
    return None if None in found else sum(count or 0 for count in found)


def _small_changes(apart: _Grid, columns: _Parts, k: int, k_public: int, changed: set[str]) -> Iterator[str]:
    """Give the municipalities behind a told change of fewer than `k` people, or of `k_public` in a total of choices."""
    for line in apart:
        for place, change in enumerate(line[:-1]):
            if change and abs(change) < k:
                yield from columns[place] & changed
        if line[-1] and abs(line[-1]) < k_public:
            yield from changed


def _computable(
    apart: _Grid, rows: _Parts, columns: _Parts, earlier: Counts, wanted: Counts, k: int, changed: set[str]
) -> Iterator[str]:
    """Give the municipalities of hidden changes that the told ones give back, where they are of fewer than `k`."""
    if any(_true_change(row, column, earlier, wanted) < 0 for row in rows for column in columns):
        yield from changed  # answers went: what is known of differences no longer holds
        return
    names = tuple(str(place) for place in range(len(rows))), tuple(str(place) for place in range(len(columns)))
    published = Published(*names, apart, Policy(k, hides_zeros=True))
    for bounds in all_bounds(published):
        row, column = bounds.place
        if bounds.low == bounds.high and 0 < bounds.low < k and row < len(rows) and column < len(columns):
            yield from columns[column] & changed


def _true_change(row: frozenset[str], column: frozenset[str], earlier: Counts, wanted: Counts) -> int:
    return sum(
        wanted.get(place, {}).get(choice, 0) - earlier.get(place, {}).get(choice, 0)
        for place in column
        for choice in row
    )


# --- for everybody


def public_totals(told: Told, k: int = K_PUBLIC) -> dict[str, int]:
    """Return choice -> people in all, of `k` or more; the rest together as OTHERS. {} where fewer are there in all."""
    totals = told.totals()
    pooled = _pooled(totals, k, always=(OTHERS,))
    return {name: sum(totals[part] for part in parts) for name, parts in pooled.items()}
