"""Who is up to date: the day an answer belongs to, how late a municipality is, and the board of form × municipality.

Pure: the caller gives what came and the present day. Days are numbers since 1970-01-01 in the zone of this node.

The limits are those of HDX's data freshness (due, overdue, delinquent by the expected frequency):

    every   7 days    7   14   21        every  90 days    90  120  150
    every  14 days   14   21   28        every 180 days   180  210  240
    every  30 days   30   44   60        every 365 days   365  425  455
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.lab.plan import Plan

DAY_MS = 86_400_000
LIMITS = {7: (7, 14, 21), 14: (14, 21, 28), 30: (30, 44, 60), 90: (90, 120, 150), 180: (180, 210, 240)}
LIMITS |= {365: (365, 425, 455)}
# a device's own clock is believed this far around the moment at which the answer came here
MOST_LATE_DAYS, MOST_AHEAD_DAYS = 180, 1
RECENT_DAYS = 90
LEAST_GRACE = 7
FRESH, DUE, OVERDUE, DELINQUENT = "fresh", "due", "overdue", "delinquent"
LATE = (DELINQUENT, OVERDUE, DUE)  # the worst first
# why a cell says nothing of lateness
NOT_ASSIGNED, CLOSED, WAITING, NO_FREQUENCY, PROTECTED = (
    "not_assigned",
    "closed",
    "waiting",
    "no_frequency",
    "protected",
)


@dataclass(frozen=True)
class Limits:
    """Days without an answer from which on a municipality is due, overdue and delinquent."""

    due: int
    overdue: int
    delinquent: int

    @property
    def grace(self) -> int:
        """Return the days after the end of a period in which what comes still counts as on time.

        At least a week: where there is no signal a tablet is taken to one once a week.
        """
        return max(LEAST_GRACE, self.overdue - self.due)


def limits_of(frequency_days: int) -> Limits:
    """Return the limits of a frequency in days. Raises ValueError below 1.

    Frequencies that HDX's table does not name: due after the frequency itself; what is added for overdue and
    delinquent lies between that of the two neighbours in the table, in proportion. Below 7 days it is the frequency
    once and twice, above 365 as for 365.
    """
    if frequency_days < 1:
        raise ValueError(f"a frequency of {frequency_days} days: give 1 or more")
    if frequency_days in LIMITS:
        return Limits(*LIMITS[frequency_days])
    if frequency_days < min(LIMITS):
        return Limits(frequency_days, 2 * frequency_days, 3 * frequency_days)
    if frequency_days > max(LIMITS):
        return Limits(frequency_days, frequency_days + 60, frequency_days + 90)
    return _between(frequency_days)


def _between(frequency_days: int) -> Limits:
    low = max(days for days in LIMITS if days < frequency_days)
    high = min(days for days in LIMITS if days > frequency_days)

    def added(place: int) -> int:
        below, above = LIMITS[low][place] - low, LIMITS[high][place] - high
        return below + (above - below) * (frequency_days - low) // (high - low)

    return Limits(frequency_days, frequency_days + added(1), frequency_days + added(2))


def status_of(days_since: int, limits: Limits) -> str:
    """Return fresh, due, overdue or delinquent; on the day of a limit it holds already."""
    if days_since >= limits.delinquent:
        return DELINQUENT
    if days_since >= limits.overdue:
        return OVERDUE
    return DUE if days_since >= limits.due else FRESH


# --- the day people answered


def answered_ms(device_ms: int, received_ms: int, skew_ms: int) -> int:
    """Return when people answered, as far as clocks can be believed, in epoch ms.

    device_ms: what the device says, 0 for nothing; skew_ms: how far the clocks on its way are behind. The device's own
    word counts when it lies between 180 days before and a day after it came here; else its word put right by the skew;
    else the moment it came. So a tablet that thinks it is 2019 is neither years late nor years ahead.
    """
    for moment in (device_ms, device_ms + skew_ms):
        if device_ms and -MOST_LATE_DAYS * DAY_MS <= moment - received_ms <= MOST_AHEAD_DAYS * DAY_MS:
            return min(moment, received_ms)
    return received_ms


def day_of(moment_ms: int, offset_minutes: int) -> int:
    """Return the day of a moment where clocks are so many minutes ahead of UTC."""
    return (moment_ms + offset_minutes * 60_000) // DAY_MS


# --- the board


@dataclass(frozen=True)
class Seen:
    """What came of one form from one municipality. last_day: the latest day somebody answered, None for never."""

    last_day: int | None = None
    count: int = 0
    recent: int = 0


NOTHING = Seen()


@dataclass(frozen=True)
class FormLine:
    """A column of the board. since_day: when the form was published here; nodes: places of the nodes it is given to."""

    form_id: str
    title: str
    plan: Plan
    since_day: int
    nodes: frozenset[str] = frozenset()

    @property
    def limits(self) -> Limits | None:
        """Return its limits, None when no frequency is planned."""
        return limits_of(self.plan.frequency_days) if self.plan.frequency_days > 0 else None

    @property
    def is_planned(self) -> bool:
        """Tell whether somebody planned whom it goes to, how often, or how many answers are wanted."""
        return self.plan.is_assigned or self.plan.frequency_days > 0 or bool(self.plan.expected)

    def expects(self, municipality: str, seen: Seen) -> bool:
        """Tell whether answers are expected from a municipality.

        Of a form that goes to some: from those, and from where the nodes that it goes to work. Of one for everybody:
        from those that the plan expects a number of, and from those that have answered it before.
        """
        if self.plan.is_assigned:
            return (bool(self.plan.municipalities) and self.plan.is_for(municipality)) or municipality in self.nodes
        return municipality in self.plan.expected or seen.count > 0


@dataclass(frozen=True)
class Cell:
    """One form in one municipality. state: fresh, due, overdue, delinquent, or why there is none of them.

    days: since the last answer; where none came, since the form was published (has_none). recent: of the last 90 days.
    """

    form_id: str
    state: str
    days: int | None = None
    count: int = 0
    recent: int = 0
    last_day: int | None = None
    has_none: bool = False

    @property
    def is_late(self) -> bool:
        """Tell whether something should have come."""
        return self.state in LATE


def cell_of(form: FormLine, municipality: str, seen: Seen, today: int) -> Cell:
    """Return what the board says of a form in a municipality today."""
    known = Cell(form.form_id, FRESH, _days(seen, today), seen.count, seen.recent, seen.last_day)
    limits = form.limits
    if form.plan.is_closed:
        return replace(known, state=CLOSED)
    if not form.expects(municipality, seen):
        return replace(known, state=NOT_ASSIGNED)
    if limits is None:
        return replace(known, state=NO_FREQUENCY)
    if known.days is not None:
        return replace(known, state=status_of(known.days, limits))
    return _never_sent(known, max(0, today - form.since_day), limits)


def _days(seen: Seen, today: int) -> int | None:
    # a clock may run a day ahead: nothing came "in -1 days"
    return None if seen.last_day is None else max(0, today - seen.last_day)


def _never_sent(known: Cell, waited: int, limits: Limits) -> Cell:
    state = status_of(waited, limits)
    return replace(known, state=WAITING if state == FRESH else state, days=waited, has_none=True)


@dataclass(frozen=True)
class Row:
    """A municipality. nodes: how many work there; code "" stands for answers that say no municipality."""

    code: str
    name: str
    province: str
    cells: tuple[Cell, ...]
    nodes: int = 0

    @property
    def worst(self) -> str:
        """Return the worst state of its cells, fresh when nothing is late."""
        states = {cell.state for cell in self.cells}
        return next((state for state in LATE if state in states), FRESH)


@dataclass(frozen=True)
class Board:
    """Form × municipality on one day."""

    today: int
    forms: tuple[FormLine, ...]
    rows: tuple[Row, ...]

    def late(self, state: str) -> list[tuple[Row, list[Cell]]]:
        """Return the municipalities with cells of a state, and these cells; the longest silence first."""
        found = [(row, [cell for cell in row.cells if cell.state == state]) for row in self.rows if row.code]
        kept = [(row, cells) for row, cells in found if cells]
        return sorted(kept, key=lambda pair: -max(cell.days or 0 for cell in pair[1]))

    def counts(self) -> dict[str, int]:
        """Return state -> how many municipalities are at worst so."""
        told = [row.worst for row in self.rows if row.code]
        return {state: told.count(state) for state in (*LATE, FRESH)}


# form -> the fewest answers that a cell of it may speak of; one that is not named shows everything
Groups = Mapping[str, int]
NO_GROUPS: Groups = {}


@dataclass(frozen=True)
class Named:
    """What a board calls a municipality."""

    code: str
    name: str
    province: str = ""


@dataclass(frozen=True)
class Coverage:
    """What came: (form, municipality) -> Seen; nodes: municipality -> how many nodes work there."""

    seen: Mapping[tuple[str, str], Seen] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)

    def of(self, form_id: str, municipality: str) -> Seen:
        """Return what came of a form from a municipality."""
        return self.seen.get((form_id, municipality), NOTHING)


def board_of(
    forms: Sequence[FormLine], coverage: Coverage, names: Iterable[Named], today: int, groups: Groups = NO_GROUPS
) -> Board:
    """Return the board. names: every municipality there is, in the order wanted.

    Shown are those where something came, is expected, or a node works. A form with `groups` has its cells of fewer
    answers protected: there is no total from which they could be worked out.
    """
    rows = [_row(forms, coverage, named, today, groups) for named in (*names, Named("", ""))]
    return Board(today, tuple(forms), tuple(row for row in rows if _is_shown(row)))


def _row(forms: Sequence[FormLine], coverage: Coverage, named: Named, today: int, groups: Groups) -> Row:
    cells = [cell_of(form, named.code, coverage.of(form.form_id, named.code), today) for form in forms]
    if not named.code:  # nobody is late who cannot be named
        cells = [replace(cell, state=NO_FREQUENCY) if cell.is_late or cell.state == FRESH else cell for cell in cells]
    kept = tuple(_protected(cell, groups.get(cell.form_id, 0)) for cell in cells)
    return Row(named.code, named.name, named.province, kept, coverage.nodes.get(named.code, 0))


def _protected(cell: Cell, k: int) -> Cell:
    """Return the cell as it may be shown: of fewer than k answers nothing but that there are too few."""
    return Cell(cell.form_id, PROTECTED) if 0 < cell.count < k else replace(cell, recent=0) if k else cell


def _is_shown(row: Row) -> bool:
    return bool(row.nodes and row.code) or any(
        cell.count or cell.state in (PROTECTED, *LATE, WAITING) for cell in row.cells
    )
