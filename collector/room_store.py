"""The rooms of one node: read from the log and kept at hand until they change. Also where a contribution is made.

A room is opened by a contribution of kind "session" whose id is the room's. What is said in it is stored by the same
`ingest` as everything else.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso_here, now_ms
from collector.db import reading, writing
from collector.links import room_code, tidy_code
from collector.queries import contributions as queries
from collector.queries.contributions import Mark
from collector.queries.erasures import wipe_traces
from collector.queries.records import Outcome, ingest
from collector.rooms.contributions import SECRET, Contribution, ids_of_seat, parse_contribution, parse_contributions
from collector.rooms.room import Room, room_of
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
    """A room as it was read last. said: its contributions by id, so that only what is new is read the next time."""

    mark: Mark
    said: Mapping[str, Contribution]
    room: Room


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
    """Rooms of one node. A room is read again only when its log changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rooms: OrderedDict[str, Kept] = OrderedDict()
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
            return ingest(session, [made(dict(body)) for body in bodies], now_ms())

    def get(self, room: str) -> Room | None:
        """Return a room, or None when its first record is not here."""
        with self._reading:  # forty phones that ask at once wait for one reading
            found = self._read(room)
        return found.room if found else None

    def erase_seat(self, room: str, seat: str) -> int:
        """Erase all that names a seat, here and everywhere it went; return how many contributions that is.

        Votes name no seat, so nobody can find them: they stay, and belong to nobody.
        """
        with self._reading:
            found = self._read(room)
        ids = sorted(ids_of_seat(found.said.values(), seat)) if found else []
        with writing(self._engine) as session:
            for first in range(0, len(ids), MOST_AT_ONCE):
                words = [make_tombstone(each, "person", "") for each in ids[first : first + MOST_AT_ONCE]]
                ingest(session, words, now_ms())
        wipe_traces(self._engine)
        return len(ids)

    def mark(self, room: str) -> str:
        """Return what changes with the room: the tag of its pages. "" for a room that is not here."""
        with reading(self._engine) as session:
            mark = queries.mark_of(session, room)
        return f"{mark.count}-{mark.changed_n}" if mark.count else ""

    def ids(self) -> list[str]:
        """Return the rooms of this node, the newest first."""
        with reading(self._engine) as session:
            return queries.room_ids(session)

    def with_code(self, typed: str) -> str | None:
        """Return the room that a typed code means; of two the newer one, None when none has it."""
        wanted = tidy_code(typed)
        return next((room for room in self.ids() if room_code(room) == wanted), None)

    def _read(self, room: str) -> Kept | None:
        with reading(self._engine) as session:
            mark = queries.mark_of(session, room)
            known = self._rooms.get(room)
            if known is not None and known.mark == mark:
                return known
            changes = queries.changes_of(session, room, known.mark.changed_n if known else 0)
        said = dict(known.said) if known else {}
        for record_id, body in changes:
            said.pop(record_id, None)
            if body is not None:
                said.update((each.id, each) for each in parse_contributions([json.loads(body)])[0])
        if room not in said:
            return None
        fresh = Kept(mark, said, room_of(said.values()))
        self._keep(room, fresh)
        return fresh

    def _keep(self, room: str, kept: Kept) -> None:
        self._rooms[room] = kept
        self._rooms.move_to_end(room)
        while len(self._rooms) > KEPT_ROOMS:
            self._rooms.popitem(last=False)
