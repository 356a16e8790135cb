"""The rooms of one node: read from the log, kept at hand, grown by what is new. Also where a contribution is made.

A room is opened by a contribution of kind "session" whose id is the room's. What is said in it is stored by the same
`ingest` as everything else.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso_here, now_ms
from collector.db import asking, reading, writing
from collector.links import room_code, tidy_code
from collector.queries import contributions as queries
from collector.queries.contributions import Change, Mark
from collector.queries.erasures import wipe_traces
from collector.queries.records import Outcome, ingest
from collector.rooms.contributions import SECRET, Contribution, ids_of_seat, parse_contribution, parse_contributions
from collector.rooms.growing import GrowingRoom
from collector.rooms.room import Room
from sync.records import new_salt, uuid7
from sync.statements import made, make_tombstone

MINUTE_MS = 60_000
KEPT_ROOMS = 16
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Writer:
    """Who writes: a device or a tab. by: its random id; mode: its own phone, a tablet that is passed on, or paper."""

    by: str
    mode: str = "phone"


@dataclass(frozen=True)
class Kept:
    """A room as it was read last. head: where the log ended then; ids: of all that count, also what nobody could read.

    While the log ends there nothing is new in any room, and one number says so.
    """

    head: int
    mark: Mark
    ids: frozenset[str]
    growing: GrowingRoom
    room: Room


@dataclass(frozen=True)
class Codes:
    """The rooms by their codes, of two with one code the newer, as they were when the log ended at `head`."""

    head: int
    rooms: Mapping[str, str]


def new_token() -> str:
    """Return a random id of a writer, or a ballot: 96 bits that nothing else knows."""
    return secrets.token_hex(12)


def make_contribution(
    room: str, what: str, payload: Mapping[str, Any], writer: Writer, count: int, **more: Any
) -> dict[str, Any]:
    """Return the body of a contribution that is made now on this node, checked. Raises Refusal.

    count: the writer's own, growing. more: seat, step, ref, and of a secret kind segments; what is empty is left out.
    A secret kind is written by its ballot, and tells no more of its moment than the minute.
    """
    now = now_ms()
    at_ms = now - now % MINUTE_MS if what in SECRET else now
    body: dict[str, Any] = {
        "id": uuid7(at_ms), "kind": "contribution", "session": room, "what": what, "finished": iso_here(at_ms),
        "salt": new_salt(), "by": writer.by, "count": count, "mode": writer.mode, "payload": dict(payload),
    }  # fmt: skip
    body |= {"ballot": writer.by} if what in SECRET else {}
    body |= {key: value for key, value in more.items() if value}
    parse_contribution(body)
    return body


class RoomStore:
    """Rooms of one node. Nothing is read again while the log is as it was, and then only what is new."""

    def __init__(self, engine: Engine, kick: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._kick = kick  # called after something new is stored: it is sent on at once
        self._rooms: OrderedDict[str, Kept] = OrderedDict()
        self._codes = Codes(-1, {})
        self._reading = Lock()

    def open(self, payload: Mapping[str, Any], writer: Writer) -> str:
        """Open a room and return its id. Raises Refusal for facts that cannot be."""
        room = uuid7()
        self.add(make_contribution(room, "session", payload, writer, 0) | {"id": room})
        return room

    def add(self, body: Mapping[str, Any]) -> Outcome:
        """Store a contribution and say what became of it. Raises Refusal, or ValueError for what is not canonical."""
        (outcome,) = self.add_all([body])
        return outcome

    def add_all(self, bodies: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Store up to 500 contributions at once, as `add` does: all of them, or none."""
        for body in bodies:
            parse_contribution(body)
        with writing(self._engine) as session:
            outcomes = ingest(session, [made(dict(body)) for body in bodies], now_ms())
        if set(outcomes) - {"duplicate"}:
            self._kick()
        return outcomes

    def get(self, room: str) -> Room | None:
        """Return a room, or None when its first record is not here."""
        found = self._kept(room)
        return found.room if found else None

    def said(self, room: str) -> tuple[Contribution, ...]:
        """Return all that was said in a room, in no order; nothing of a room that is not here."""
        with self._reading:
            found = self._read(room)
            return tuple(found.growing.said.values()) if found else ()

    def of_ballot(self, room: str, ballot: str) -> tuple[Contribution, ...]:
        """Return what a ballot said in a room. Only the phone that holds it asks: nobody else knows its letters."""
        with self._reading:
            found = self._read(room)
            return found.growing.of_ballot(ballot) if found else ()

    def erase_seat(self, room: str, seat: str) -> int:
        """Erase all that names a seat, here and everywhere it went; return how many contributions that is.

        Votes name no seat, so nobody can find them: they stay, and belong to nobody.
        """
        ids = sorted(ids_of_seat(self.said(room), seat))
        with writing(self._engine) as session:
            for first in range(0, len(ids), MOST_AT_ONCE):
                words = [make_tombstone(each, "person", "") for each in ids[first : first + MOST_AT_ONCE]]
                ingest(session, words, now_ms())
        wipe_traces(self._engine)
        self._kick()
        return len(ids)

    def mark(self, room: str) -> str:
        """Return what changes with the room: the tag of its pages. "" for a room that is not here."""
        found = self._kept(room) if room in self._rooms else None
        mark = found.mark if found else self._asked_mark(room)
        return f"{mark.count}-{mark.changed_n}" if mark.count else ""

    def _asked_mark(self, room: str) -> Mark:
        """Of more rooms than are kept, those that are only asked for their mark are not read."""
        with reading(self._engine) as session:
            return queries.mark_of(session, room)

    def ids(self) -> list[str]:
        """Return the rooms of this node, the newest first."""
        with reading(self._engine) as session:
            return queries.room_ids(session)

    def with_code(self, typed: str) -> str | None:
        """Return the room that a typed code means; of two the newer one, None when none has it."""
        head = self._head()
        if self._codes.head != head:
            self._codes = Codes(head, {room_code(room): room for room in reversed(self.ids())})
        return self._codes.rooms.get(tidy_code(typed))

    def _head(self) -> int:
        """Return where the log ends. Asked before what is read by it: what comes in between is read the next time."""
        with asking(self._engine) as connection:
            return queries.log_head(connection)

    def _kept(self, room: str) -> Kept | None:
        known = self._rooms.get(room)
        if known is not None and known.head == self._head():
            return known
        with self._reading:  # forty phones that ask at once wait for one reading
            return self._read(room)

    def _read(self, room: str) -> Kept | None:
        """Return a room as the log has it now. Who calls holds `_reading`."""
        head, known = self._head(), self._rooms.get(room)
        if known is not None and known.head == head:
            return known
        with reading(self._engine) as session:
            mark = queries.mark_of(session, room)
            if known is not None and known.mark == mark:
                fresh: Kept | None = replace(known, head=head)
            else:
                changes = queries.changes_of(session, room, known.mark.changed_n) if known else []
                # while it grows nobody finds it: should growing fail, it is read whole the next time
                self._rooms.pop(room, None)
                fresh = _grown(known, head, mark, changes) if known else None
                fresh = fresh or _whole(room, head, mark, queries.changes_of(session, room, 0))
        if fresh is not None:
            self._keep(room, fresh)
        return fresh

    def _keep(self, room: str, kept: Kept) -> None:
        self._rooms[room] = kept
        self._rooms.move_to_end(room)
        while len(self._rooms) > KEPT_ROOMS:
            self._rooms.popitem(last=False)


def _grown(known: Kept, head: int, mark: Mark, changes: Sequence[Change]) -> Kept | None:
    """Return a room with what is new in it, None where something was exchanged or taken out."""
    ids = known.ids | {record_id for record_id, _ in changes}
    if len(ids) != len(known.ids) + len(changes) or len(ids) != mark.count:
        return None
    for each in _parsed(changes):
        known.growing.add(each)
    return Kept(head, mark, ids, known.growing, known.growing.room())


def _whole(room: str, head: int, mark: Mark, changes: Sequence[Change]) -> Kept | None:
    """Return a room read from its beginning, None when its first record is not here."""
    growing = GrowingRoom(_parsed(changes))
    if room not in growing.said:
        return None
    ids = frozenset(record_id for record_id, body in changes if body is not None)
    return Kept(head, mark, ids, growing, growing.room())


def _parsed(changes: Sequence[Change]) -> list[Contribution]:
    return parse_contributions(json.loads(body) for _, body in changes if body is not None)[0]
