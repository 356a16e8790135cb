"""Tables of themes that may leave together, and again later: nobody gets a small cell out of all of them.

Theme x municipality and theme x segment count the same records, so they share the total of each theme: what one table
hides, another could give back. Hence:

    a theme     of fewer than k people is hidden whole; of any other the total is told, the same in all tables
    a division  of a theme over the columns of one table hides small cells, and others with them, so that the total
                gives none back. Where that cannot be done the theme is not divided in that table
    no totals   of columns: they would tie the themes together

So each row of each table is a problem of its own, once the totals are known, and they are: the tables together tell no
more than each by itself. Tables handed out before count as known too. A theme changes in all tables at once, and only
by k or more; what a division hid once it hides for good. Source: privacy requirements P18 and P19.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collector.rooms.sense.codebook import Codebook, is_under
from collector.rooms.sense.matrices import Matrix
from collector.rooms.sense.suppression import Bounds, Policy, Published, all_bounds

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Division:
    """The records of a theme over the columns of a table. counts: None is hidden, a column that is not there is 0.

    is_shown: False where it was handed out before and is no more: whoever has it can still compare.
    """

    records: int
    counts: Mapping[str, int | None]
    is_shown: bool = True

    @property
    def hidden(self) -> frozenset[str]:
        """Return the columns whose count is hidden."""
        return frozenset(column for column, count in self.counts.items() if count is None)

    def sum_of(self, columns: frozenset[str]) -> int:
        """Return what anybody can add up of some columns, of which all that are hidden or none must be."""
        inside = sum(self.counts.get(column) or 0 for column in columns)
        if not columns & self.hidden:
            return inside
        return self.records - sum(count or 0 for column, count in self.counts.items() if column not in columns)


@dataclass(frozen=True)
class ThemeRow:
    """A theme: how many records and people speak of it, and its divisions by table."""

    path: str
    records: int
    people: int
    divisions: Mapping[str, Division] = field(default_factory=dict)
    is_shown: bool = True


@dataclass(frozen=True)
class Release:
    """What is handed out. themes: paths in the order of the tree, also of those of which nothing may be told.

    rows: those that are told, and those handed out before and no more, kept to compare with; tables: name -> its
    columns, in order.
    """

    themes: tuple[str, ...]
    rows: tuple[ThemeRow, ...]
    tables: Mapping[str, tuple[str, ...]]
    policy: Policy

    def shown(self) -> tuple[ThemeRow, ...]:
        """Return the themes that are handed out."""
        return tuple(row for row in self.rows if row.is_shown)

    def published(self, table: str) -> Published:
        """Return a table to be drawn. All of a theme of too few people is hidden, of one that is not divided every
        cell but the total, of the columns every total.
        """
        columns = self._columns(table)
        told = {row.path: row for row in self.shown()}
        nothing = (None,) * (len(columns) + 1)
        lines = [_line(told[path], table, columns) if path in told else nothing for path in self.themes]
        return Published(self.themes, columns, (*lines, nothing), self.policy)

    def divided(self, table: str) -> Published:
        """Return the divided themes of a table with all that can be added up in it, as `audit_release` looks at it."""
        columns = self._columns(table)
        rows = [row for row in self.shown() if _is_divided(row, table)]
        lines = [_line(row, table, columns) for row in rows]
        places = range(len(columns))
        sums = [None if any(line[place] is None for line in lines) else _sum(lines, place) for place in places]
        total = _sum(lines, len(columns))
        return Published(tuple(row.path for row in rows), columns, (*lines, (*sums, total)), self.policy)

    def _columns(self, table: str) -> tuple[str, ...]:
        """Return the columns in which something is or is hidden."""
        used = {
            column for row in self.shown() if _is_divided(row, table) for column in row.divisions[table].counts
        }  # fmt: skip
        return tuple(column for column in self.tables[table] if column in used)


def _is_divided(row: ThemeRow, table: str) -> bool:
    return table in row.divisions and row.divisions[table].is_shown


def _line(row: ThemeRow, table: str, columns: Sequence[str]) -> tuple[int | None, ...]:
    if not _is_divided(row, table):
        return *(None for _ in columns), row.records
    return *(row.divisions[table].counts.get(column, 0) for column in columns), row.records


def _sum(lines: Iterable[Sequence[int | None]], place: int) -> int:
    return sum(line[place] or 0 for line in lines)


# --- making one


def release(
    matrices: Mapping[str, Matrix], book: Codebook, policy: Policy | None = None, earlier: Release | None = None
) -> Release:
    """Return what may be handed out of matrices over the same records and themes, after what was before.

    matrices: table name -> matrix; all of the same pieces, each piece in one column of each. Raises ValueError where
    the totals of a theme differ between them, and for a policy that hides zeros: empty columns are shown as 0.
    """
    policy = policy or Policy()
    if policy.hides_zeros:
        raise ValueError("a release shows 0 where nobody spoke of a theme; give a policy without hides_zeros")
    known = [replace(row, path=book.now(row.path)) for row in earlier.rows] if earlier else []
    fresh = dict.fromkeys(code.path for matrix in matrices.values() for code in matrix.themes)
    rows = [row for path in fresh if (row := _row(path, matrices, known, policy)) is not None]
    taken = {row.path for row in rows}
    past = [replace(row, is_shown=False) for row in known if row.path not in taken]
    tables = {name: _all_columns(name, matrix.columns, known) for name, matrix in matrices.items()}
    return Release(tuple(fresh), (*rows, *past), tables, policy)


def _all_columns(table: str, columns: Sequence[str], known: Iterable[ThemeRow]) -> tuple[str, ...]:
    """Return the columns of now, then those that only a row handed out before still has."""
    before = {column for row in known if table in row.divisions for column in row.divisions[table].counts}
    return (*columns, *sorted(before - set(columns)))


def _row(path: str, matrices: Mapping[str, Matrix], known: Sequence[ThemeRow], policy: Policy) -> ThemeRow | None:
    """Return the row of a theme as it is now, else as it was handed out before, else None."""
    related = [row for row in known if is_under(row.path, path) or is_under(path, row.path)]
    same = next((row for row in related if row.path == path), None)
    records, people = _totals(path, matrices)
    if policy.is_small(people):
        return None
    if not all(_moved_enough(row, records, people, policy.k) for row in related):
        return same if same is not None and same.is_shown else None
    divisions = {name: _division(path, name, matrix, related, policy) for name, matrix in matrices.items()}
    kept = {name: replace(old, is_shown=False) for name, old in same.divisions.items()} if same else {}
    return ThemeRow(path, records, people, kept | {name: each for name, each in divisions.items() if each})


def _totals(path: str, matrices: Mapping[str, Matrix]) -> tuple[int, int]:
    found = {_totals_in(matrix, path) for matrix in matrices.values()}
    if len(found) != 1:
        raise ValueError(f"the tables count {path!r} as {sorted(found)}: they are not of the same records")
    return found.pop()


def _totals_in(matrix: Matrix, path: str) -> tuple[int, int]:
    """Return the records and the people behind a theme."""
    row = matrix.row(path)
    people = matrix.table.people
    return sum(matrix.table.cells[row]), people[row][-1] if people else sum(matrix.table.cells[row])


def _moved_enough(row: ThemeRow, records: int, people: int, k: int) -> bool:
    if records == row.records:
        return True
    return abs(records - row.records) >= k and abs(people - row.people) >= k


def _division(path: str, table: str, matrix: Matrix, related: Iterable[ThemeRow], policy: Policy) -> Division | None:
    """Return the theme over the columns of one table, None where it is not to be divided."""
    row = matrix.row(path)
    counts = {column: count for column, count in zip(matrix.columns, matrix.table.cells[row], strict=True) if count}
    people = matrix.table.people
    behind = dict(zip(matrix.columns, people[row] if people else matrix.table.cells[row], strict=False))
    before = [each.divisions[table] for each in related if table in each.divisions]
    hidden = hide_row(counts, behind, policy, frozenset[str]().union(*(each.hidden for each in before)))
    if hidden is None:
        return None
    made = Division(sum(counts.values()), {key: None if key in hidden else count for key, count in counts.items()})
    return made if all(_tell_no_few(old, made, policy.k) for old in before) else None


def hide_row(
    counts: Counts, people: Counts, policy: Policy, always: frozenset[str] = frozenset()
) -> frozenset[str] | None:
    """Return the columns to hide in a row whose total is known; None where no choice keeps the small ones.

    counts: above 0; always: columns that must be hidden. Of m hidden cells that sum to s, anybody knows that each lies
    from 1 to s - m + 1: so s - m must be as wide as the rule itself, which knows 1 to k - 1.
    """
    hidden = {column for column, count in counts.items() if policy.is_small(min(count, people[column]))} | always
    if not hidden <= counts.keys():
        return None
    while hidden and not _is_wide(hidden, counts, policy):
        others = sorted((count, column) for column, count in counts.items() if column not in hidden)
        if not others:
            return None
        enough = (column for _, column in others if _is_wide({*hidden, column}, counts, policy))
        hidden.add(next(enough, others[-1][1]))
    return frozenset(hidden)


def _is_wide(hidden: set[str], counts: Counts, policy: Policy) -> bool:
    total = sum(counts[column] for column in hidden)
    return len(hidden) > 1 and total - len(hidden) >= policy.width


def _tell_no_few(old: Division, new: Division, k: int) -> bool:
    """Tell whether what two divisions of a theme show differs nowhere by one to k - 1 records.

    What is hidden now was hidden then or stands in one block with it, and all hidden cells are one block.
    """
    blocks = [new.hidden, *(frozenset({each}) for each in {*old.counts, *new.counts} - new.hidden)]
    moved = (abs(new.sum_of(block) - old.sum_of(block)) for block in blocks if block)
    return all(change == 0 or change >= k for change in moved)


# --- proving


def audit_release(found: Release) -> Iterator[tuple[str, Bounds]]:
    """Give (table, bounds) of the hidden cells that can be known closer than the policy allows; none proves it.

    From what is handed out alone, with the flows of suppression.py; totals of columns are taken into account where
    they can be added up. Raises ValueError where a total differs between the tables.
    """
    for table in found.tables:
        published = found.divided(table)
        rows, columns = published.shape.rows, published.shape.columns
        for bounds in all_bounds(published) if rows else ():
            inside = bounds.place[0] < rows and bounds.place[1] < columns
            if inside and bounds.is_narrower(found.policy.width):
                yield table, bounds


# --- kept until the next one


def release_as_json(found: Release) -> dict[str, object]:
    """Return what is kept of a release: what was shown and no hidden count; the people behind each theme besides."""
    rows = [
        {
            "path": row.path, "records": row.records, "people": row.people, "shown": row.is_shown,
            "tables": {
                name: {"records": each.records, "shown": each.is_shown, "counts": dict(each.counts)}
                for name, each in row.divisions.items()
            },
        }
        for row in found.rows
    ]  # fmt: skip
    return {
        "k": found.policy.k,
        "themes": list(found.themes),
        "tables": {name: list(each) for name, each in found.tables.items()},
        "rows": rows,
    }


def release_from_json(kept: Mapping[str, Any]) -> Release:
    """Return the release that was kept. Raises KeyError for what `release_as_json` did not write."""
    rows = tuple(
        ThemeRow(
            row["path"], row["records"], row["people"],
            {
                name: Division(each["records"], each["counts"], each["shown"])
                for name, each in row["tables"].items()
            },
            row["shown"],
        )
        for row in kept["rows"]
    )  # fmt: skip
    return Release(
        tuple(kept["themes"]), rows, {name: tuple(each) for name, each in kept["tables"].items()}, Policy(kept["k"])
    )
