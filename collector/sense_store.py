"""Codes and codings as the log holds them outside of rooms, and the tables of themes that were handed out last."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Engine

from collector.db import reading, writing
from collector.queries import contributions as queries
from collector.queries import store
from collector.queries.contributions import Mark
from collector.rooms.contributions import Contribution, parse_contributions
from collector.rooms.room import Room, room_of
from collector.rooms.sense.release import Release, release_as_json, release_from_json
from collector.rooms.sense.suppression import K_PARTNERS, K_PUBLIC

LAST_RELEASE, SMALLEST_GROUP = "themes_release", "themes_k"
GROUPS = (K_PARTNERS, K_PUBLIC)


@dataclass(frozen=True)
class Kept:
    """A session as it was read last. said: its contributions by id, so that only what is new is read the next time."""

    mark: Mark
    said: Mapping[str, Contribution]
    room: Room


class SenseStore:
    """The sessions of one node that nobody opened (rooms/sense/sessions.py), each read again only when it changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[str, Kept] = {}
        self._reading = Lock()

    def get(self, session: str) -> Room:
        """Return what was said in a session, as a room without facts; empty where nobody said anything."""
        with self._reading, reading(self._engine) as database:
            mark = queries.mark_of(database, session)
            known = self._kept.get(session)
            if known is not None and known.mark == mark:
                return known.room
            changes = queries.changes_of(database, session, known.mark.changed_n if known else 0)
            said = dict(known.said) if known else {}
            for record_id, body in changes:
                said.pop(record_id, None)
                if body is not None:
                    said.update((each.id, each) for each in parse_contributions([json.loads(body)])[0])
            self._kept[session] = Kept(mark, said, room_of(said.values()))
            return self._kept[session].room


# --- what was handed out


def smallest_group(engine: Engine) -> int:
    """Return the fewest people that a shown cell may speak of: 5 for partners unless the lab chose otherwise."""
    with reading(engine) as session:
        chosen = store.fact(session, SMALLEST_GROUP)
    return int(chosen) if chosen else K_PARTNERS


def choose_smallest_group(engine: Engine, k: int) -> None:
    """Set it. Raises ValueError for another number than 5 or 10."""
    if k not in GROUPS:
        raise ValueError(f"k is {k}: give one of {GROUPS}")
    with writing(engine) as session:
        store.set_fact(session, SMALLEST_GROUP, str(k))


def last_release(engine: Engine) -> Release | None:
    """Return the tables that were handed out last, None before the first time."""
    with reading(engine) as session:
        kept = store.fact(session, LAST_RELEASE)
    return _read(kept)


def hand_out(engine: Engine, make: Callable[[Release | None], Release]) -> Release:
    """Return the tables that `make` makes after the last ones, and keep them as the last ones.

    Made outside of the transaction, since it may take a second; made again where somebody was faster.
    """
    while True:
        with reading(engine) as session:
            before = store.fact(session, LAST_RELEASE)
        made = make(_read(before))
        kept = json.dumps(release_as_json(made), ensure_ascii=False, separators=(",", ":"))
        if kept == before:
            return made
        with writing(engine) as session:
            if store.fact(session, LAST_RELEASE) == before:
                store.set_fact(session, LAST_RELEASE, kept)
                return made


def _read(kept: str) -> Release | None:
    return release_from_json(json.loads(kept)) if kept else None
