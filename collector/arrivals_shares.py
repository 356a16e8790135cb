"""What every record counts for, and the counts that come of it. Kept by collector.arrivals; nothing here reads a store.

    share of a record, 64 bits = group (form, node, municipality) · state · day people answered · days on its way

Counts are sums of shares, so a record that changes is taken away and added again, whatever changed in it.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.lab.freshness import LEAST_GRACE

STATES = ("usable", "contested", "replaced", "no_consent", "erased")
NUMBER_OF = {state: number for number, state in enumerate(STATES, 1)}  # 0 would be a share of nothing
USABLE = NUMBER_OF["usable"]
MOST_LAG = 255  # days on the way; more counts as so many
MOST_DAY = 0xFFFF
SPARE = 20_000  # numbers that the array grows by

GroupKey = tuple[str, str, str]  # form, node, municipality


def make_share(group: int, state: int, day: int = 0, lag: int = 0) -> int:
    """Return the share as a number. day: since 1970; lag: days until it came here."""
    return group << 27 | state << 24 | min(max(0, day), MOST_DAY) << 8 | min(max(0, lag), MOST_LAG)


@dataclass(slots=True)
class PlaceDays:
    """Usable answers of a form from one place. days: day -> count.

    lags: (day << 8 | days later) -> count, of those that took longer than any grace lasts: the others were on time.
    """

    days: dict[int, int] = field(default_factory=dict)
    lags: dict[int, int] = field(default_factory=dict)

    def add(self, when: int, times: int) -> None:
        """Count answers of a day, and how late they came, so many times more, or fewer."""
        _add(self.days, when >> 8, times)
        if when & 0xFF > LEAST_GRACE:
            _add(self.lags, when, times)


def _add(counts: dict[int, int], key: int, times: int) -> None:
    left = counts.get(key, 0) + times
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)


@dataclass(frozen=True, slots=True)
class Group:
    """Where the shares of a form, a node and a municipality are counted: in lists that other groups share."""

    key: GroupKey
    states: list[int]
    origin: list[int]
    place: PlaceDays

    def add(self, share: int, times: int) -> None:
        """Count a share so many times more, or fewer."""
        state = share >> 24 & 7
        self.states[state] += times
        self.origin[0] += times
        if state == USABLE:
            self.place.add(share & 0xFFFFFF, times)


@dataclass
class Shares:
    """The share of every record under its log number, and all counts.

    upto: form -> number of the last change that was read; keys: form -> the questions that its places were read from.
    places: by (form, node, municipality), the node left out where the municipality is known.
    """

    upto: dict[str, int] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    numbers: dict[GroupKey, int] = field(default_factory=dict)
    forms: dict[str, list[int]] = field(default_factory=dict)
    origins: dict[str, list[int]] = field(default_factory=dict)
    places: dict[GroupKey, PlaceDays] = field(default_factory=dict)
    last_of_form: dict[str, int] = field(default_factory=dict)
    last_of_origin: dict[str, int] = field(default_factory=dict)
    shares: "array[int]" = field(default_factory=lambda: array("Q"))
    _left: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))

    def group_number(self, key: GroupKey) -> int:
        """Return the number of a group, made when it is new."""
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.groups)
            form, origin, place = key
            states = self.forms.setdefault(form, [0] * (len(STATES) + 1))
            total = self.origins.setdefault(origin, [0])
            days = self.places.setdefault((form, "" if place else origin, place), PlaceDays())
            self.groups.append(Group(key, states, total, days))
        return found

    def put(self, n: int, share: int) -> int:
        """Let record `n` count for `share` (0: nothing) and return what it counted for."""
        if n >= len(self.shares):
            self.shares.frombytes(bytes(8 * (n + 1 - len(self.shares) + SPARE)))
        former = self.shares[n]
        if former == share:
            return former
        self.shares[n] = share
        if former:
            self.groups[former >> 27].add(former, -1)
            self._note_left(former, share)
        if share:
            self.groups[share >> 27].add(share, 1)
        return former

    def _note_left(self, former: int, share: int) -> None:
        """Note a form or a node that a record left: its latest arrival may be an earlier one now."""
        was = self.groups[former >> 27].key
        now = self.groups[share >> 27].key if share else None
        for place, left in enumerate(self._left):
            if now is None or now[place] != was[place]:
                left.add(was[place])

    def note_last(self, form: str, origin: str, received_ms: int) -> None:
        """Note when a record came."""
        if received_ms > self.last_of_form.get(form, -1):
            self.last_of_form[form] = received_ms
        if received_ms > self.last_of_origin.get(origin, -1):
            self.last_of_origin[origin] = received_ms

    def renew_last(self, ask: Callable[[str, Sequence[str]], dict[str, int]]) -> None:
        """Ask anew when the latest arrival of forms and nodes was that records left. ask: of a column, these names."""
        for column, names, last in (
            ("form", self._left[0], self.last_of_form),
            ("origin", self._left[1], self.last_of_origin),
        ):
            if names:
                found = ask(column, sorted(names))
                last.update({name: found.get(name, 0) for name in names})
                names.clear()

    # --- in a file

    def kept(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return what a file has to hold: a head for JSON; the shares, days and lags as bytes."""
        head = {
            "upto": self.upto,
            "keys": self.keys,
            "groups": [list(group.key) for group in self.groups],
            "forms": self.forms,
            "origins": self.origins,
            "last_of_form": self.last_of_form,
            "last_of_origin": self.last_of_origin,
        }
        places = list(self.places.values())
        days = _packed([place.days for place in places])
        return head, [self.shares.tobytes(), days, _packed([place.lags for place in places])]

    @classmethod
    def of(cls, head: dict[str, Any], parts: Sequence[bytes]) -> "Shares":
        """Return the counts that a file holds. Raises what a head of another shape raises."""
        made = cls(upto=head["upto"], keys=head["keys"])
        made.forms, made.origins = head["forms"], head["origins"]
        made.last_of_form, made.last_of_origin = head["last_of_form"], head["last_of_origin"]
        for form, origin, place in head["groups"]:
            made.group_number((form, origin, place))
        made.shares.frombytes(parts[0])
        places = list(made.places.values())
        _unpack(parts[1], [place.days for place in places])
        _unpack(parts[2], [place.lags for place in places])
        return made


def _packed(counts: Sequence[dict[int, int]]) -> bytes:
    """Return (number of the dictionary << 24 | key, count) after each other."""
    found = array("Q")
    for number, held in enumerate(counts):
        for key, count in held.items():
            found.append(number << 24 | key)
            found.append(count)
    return found.tobytes()


def _unpack(content: bytes, counts: Sequence[dict[int, int]]) -> None:
    found = array("Q")
    found.frombytes(content)
    each = iter(found)
    for key, count in zip(each, each, strict=True):
        counts[key >> 24][key & 0xFFFFFF] = count
