"""Rooms that are taken along: what this node offers to those below, and keeping one that came (docs/protocol.md)."""

import time
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Engine
from sqlmodel import Session

from collector.db import reading
from collector.queries import contributions, nodes, store
from collector.queries.records import ingest, last_number
from sync.room_lines import ASKED, NOTES, PREPARED, CarriedRoom, ReadRoom, carried, hash_of

DAYS = 30
DAY_MS = 86_400_000
MOST_ROOMS = 50
MOST_AT_ONCE = 500
NAME_OF = "node_name:"  # facts of the store: what a node is called of whose rooms some are here
SHARE, AHEAD_SECONDS = 0.05, 1.0  # of the time that putting offers together may take, and how much of it at once


# --- what this node offers


@dataclass(frozen=True)
class Offer:
    """The rooms that go down. tag: "" when there are none, else what changes with any of them."""

    rooms: tuple[CarriedRoom, ...] = ()

    @property
    def tag(self) -> str:
        """Return the ETag of the list, without quotes."""
        return hash_of(bytes.fromhex(each.sha256) for each in self.rooms)[:16] if self.rooms else ""

    def of(self, room: str) -> CarriedRoom | None:
        """Return one room, None where it is not offered."""
        return next((each for each in self.rooms if each.room == room), None)


def offer_of(session: Session, now_ms: int) -> Offer:
    """Return the open rooms of the last 30 days, at most 50. Cost: 0.15 s for 50 with 20 seats and 200 notes each."""
    rooms = contributions.recent_rooms(session, now_ms - DAYS * DAY_MS, MOST_ROOMS)
    found = contributions.said_in(session, rooms, ASKED)
    return Offer(tuple(each for each in (carried(room, found[room]) for room in rooms) if each is not None))


class Offers:
    """An offer kept at hand until the log grows, and longer where a twentieth of the time goes into making it.

    Many nodes ask a busy central every minute; a room comes down some seconds later then.
    """

    def __init__(self) -> None:
        self._lock, self._known, self._at = Lock(), Offer(), (-1, -1)
        self._spent, self._asked = 0.0, time.monotonic()

    def now(self, engine: Engine, now_ms: int) -> Offer:
        """Return what is offered now."""
        with self._lock:
            started = time.monotonic()
            self._spent = max(0.0, self._spent - (started - self._asked) * SHARE)
            self._asked = started
            if self._spent < AHEAD_SECONDS:
                self._renew(engine, now_ms)
            self._spent += time.monotonic() - started
            return self._known

    def _renew(self, engine: Engine, now_ms: int) -> None:
        with reading(engine) as session:
            at = last_number(session), now_ms // DAY_MS
            if at != self._at:
                self._known, self._at = offer_of(session, now_ms), at


def names_for(session: Session, room: CarriedRoom) -> dict[str, str]:
    """Return node -> name, of the nodes where the records of a room were born, as far as they are known here."""
    known = known_names(session)
    origins = {each.origin or store.fact(session, "node_id") for each in room.said}
    return {origin: known[origin] for origin in sorted(origins) if known.get(origin)}


def known_names(session: Session) -> dict[str, str]:
    """Return node -> name: this one, those that send here, and those that a room's way told of."""
    told = {key.removeprefix(NAME_OF): name for key, name in store.facts(session, NAME_OF).items()}
    below = {node.id: node.name for node in nodes.list_nodes(session)}
    return told | below | {store.fact(session, "node_id"): store.fact(session, "name")}


def carried_now(session: Session, room: str, holds: str = PREPARED) -> CarriedRoom | None:
    """Return a room as it goes along now; None for one that does not. holds: "prepared" or "notes"."""
    found = contributions.said_in(session, [room], () if holds == NOTES else ASKED)
    return carried(room, found[room], holds)


# --- what this node takes


def keep_room(session: Session, read: ReadRoom, now_ms: int) -> int:
    """Store what a room brought and return how many of its records were new here."""
    outcomes = []
    for first in range(0, len(read.arrivals), MOST_AT_ONCE):
        outcomes += ingest(session, read.arrivals[first : first + MOST_AT_ONCE], now_ms)
    known = known_names(session)
    for node, name in read.names.items():
        if known.get(node) != name and node != store.fact(session, "node_id"):
            store.set_fact(session, f"{NAME_OF}{node}", name)
    return sum(outcome == "stored" for outcome in outcomes)
