"""The fleet board: what each node below asks of people, the gravest first, and who is late. Pure; words: fleet_words.

What is said of a node that sends to a hub is as old as the hub's own report: it is late by that clock, not by ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from collector.queries.fleet import MOST_UNCONFIRMED, FleetRow
from sync.limits import DISK_RESERVE_BYTES, SKEW_MS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LATE_MS, LOST_MS = DAY_MS, 7 * DAY_MS
GRAVE_SKEW_MS = DAY_MS
LITTLE_BYTES = 2 * DISK_RESERVE_BYTES
Value = str | int


@dataclass(frozen=True)
class Trouble:
    """One thing to know or to do. code: a key of fleet_words.TROUBLES; is_grave: a person must do something."""

    code: str
    is_grave: bool = False
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A node on the board. freshness: fresh | late | lost | never; above: the name of the node it sends to."""

    row: FleetRow
    freshness: str
    silent_ms: int
    above: str
    has_below: bool
    troubles: tuple[Trouble, ...]

    @property
    def needs_person(self) -> bool:
        """Tell whether somebody must do something."""
        return any(trouble.is_grave for trouble in self.troubles)

    @property
    def is_late(self) -> bool:
        """Tell whether it should have been heard of since."""
        return self.freshness in ("late", "lost") and not self.row.is_revoked


@dataclass(frozen=True)
class Board:
    """The whole fleet, each node followed by those below it. waiting: what all of them said they had not sent yet."""

    lines: list[Line]
    waiting: int
    fresh: int
    need_person: int

    def late(self) -> list[Line]:
        """Return who is late, the longest silent first."""
        return sorted((line for line in self.lines if line.is_late), key=lambda line: -line.silent_ms)

    def line(self, node_id: str) -> Line | None:
        """Return the node's line, the one of the highest level when several know it."""
        found = [line for line in self.lines if line.row.id == node_id]
        return min(found, key=lambda line: line.row.level) if found else None

    def below(self, node_id: str) -> list[Line]:
        """Return the nodes that send to this one."""
        return [line for line in self.lines if line.row.above == node_id]


def make_board(rows: Sequence[FleetRow], now_ms: int, own_name: str, own_version: str) -> Board:
    """Return the board of these nodes, given in the order of `list_fleet`."""
    names = {row.id: row.name for row in rows}
    above = {row.above for row in rows}
    told_ms = {row.id: row.report_ms for row in rows}
    lines = []
    for row in rows:
        known_ms = now_ms if row.level == 1 else told_ms.get(row.above, now_ms)
        name_above = names.get(row.above, "") if row.above else own_name
        lines.append(_line(row, known_ms, name_above, row.id in above, own_version))
    return Board(
        lines,
        waiting=sum(row.waiting or 0 for row in rows),
        fresh=sum(line.freshness == "fresh" and not line.row.is_revoked for line in lines),
        need_person=sum(line.needs_person for line in lines),
    )


def _line(row: FleetRow, known_ms: int, above: str, has_below: bool, own_version: str) -> Line:
    silent_ms = max(0, known_ms - row.last_contact_ms) if row.last_contact_ms is not None else 0
    freshness = _freshness(row.last_contact_ms, silent_ms)
    troubles = [*_of_trust(row), *_of_silence(row, freshness, silent_ms), *_of_machine(row), *_of_content(row)]
    if row.version and row.version != own_version:
        troubles.append(Trouble("version", values={"version": row.version, "own": own_version}))
    troubles.sort(key=lambda trouble: not trouble.is_grave)
    return Line(row, freshness, silent_ms, above, has_below, tuple(troubles))


def _freshness(last_contact_ms: int | None, silent_ms: int) -> str:
    if last_contact_ms is None:
        return "never"
    if silent_ms < LATE_MS:
        return "fresh"
    return "late" if silent_ms < LOST_MS else "lost"


def _of_trust(row: FleetRow) -> Iterator[Trouble]:
    if row.alarm:
        yield Trouble("history_changed" if row.alarm == "history_changed" else "alarm", True, {"alarm": row.alarm})
    if row.is_revoked:
        yield Trouble("revoked_waiting" if row.waiting else "revoked", bool(row.waiting), {"n": row.waiting or 0})
    if not row.has_key:
        yield Trouble("no_key")


def _of_silence(row: FleetRow, freshness: str, silent_ms: int) -> Iterator[Trouble]:
    if row.is_revoked or freshness == "fresh":
        return
    if freshness == "never":
        yield Trouble("never")
    else:
        yield Trouble(freshness, freshness == "lost", {"silent_ms": silent_ms})


def _of_machine(row: FleetRow) -> Iterator[Trouble]:
    if abs(row.skew_ms) > SKEW_MS:
        code = "clock_behind" if row.skew_ms > 0 else "clock_ahead"
        yield Trouble(code, abs(row.skew_ms) > GRAVE_SKEW_MS, {"silent_ms": abs(row.skew_ms)})
    if row.free_bytes is not None and row.free_bytes < LITTLE_BYTES:
        is_full = row.free_bytes < DISK_RESERVE_BYTES
        yield Trouble("disk_full" if is_full else "disk_little", is_full, {"bytes": row.free_bytes})


def _of_content(row: FleetRow) -> Iterator[Trouble]:
    if row.waiting:
        yield Trouble("waiting", values={"n": row.waiting})
    if row.missing_files:
        yield Trouble("missing_files", values={"n": row.missing_files})
    if row.lacking_forms:
        forms = ", ".join(f"{form} ({version})" for form, version in row.lacking_forms)
        yield Trouble("lacking_forms", values={"forms": forms})
    if row.quarantine:
        yield Trouble("quarantine", values={"n": row.quarantine})
    if row.unconfirmed:
        code = "unconfirmed_many" if len(row.unconfirmed) >= MOST_UNCONFIRMED else "unconfirmed"
        yield Trouble(code, values={"n": len(row.unconfirmed)})
