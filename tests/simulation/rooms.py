"""A room with several devices: two tablets and the hub speak in one session.

I11  in the quiet afterwards the room at the hub is the room at central, word by word and as a whole
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector.clock import iso, now_ms
from collector.db import reading
from collector.queries import contributions
from collector.rooms.contributions import parse_contributions
from collector.rooms.room import Room, room_of
from sync.records import new_salt, uuid7
from sync.statements import made
from tests.simulation.ledger import CENTRAL, Broken
from tests.simulation.machine import Machine

if TYPE_CHECKING:
    from tests.simulation.world import World

MINUTE_MS = 60_000
SAID = ("note", "statement", "presentes", "undo", "vote")


@dataclass
class Rooms:
    """The rooms of one seed. said: room -> ids of what can be taken back; counts: how much each device has said."""

    world: "World"
    said: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def speak(self) -> None:
        """Somebody says something on a device, most often in the room that there is."""
        world = self.world
        machine = world.chance.choice(world.there("tablet1", "tablet2", "tablet3", "hub"))
        with world.clocks.of(machine.name):
            contents = [] if self.said and world.chance.randrange(12) else [self._opening(machine.name)]
            contents += [self._word(machine.name) for _ in range(world.chance.choice((1, 2, 4)))]
            arrivals = [made(content) for content in contents]
        world.note(f"{machine.name} says {len(arrivals)} things in a room: {arrivals[0].id[-6:]} …")
        world.trouble(machine)
        for arrival in arrivals:
            world.ledger.rooms[(arrival.id, arrival.sha256)] = arrival.about
        world.keep(machine, arrivals)

    def _opening(self, device: str) -> dict[str, Any]:
        room = uuid7()
        self.said[room] = []
        payload = {"title": "Foro del barrio", "place": "Casa comunal"}
        return self._envelope(room, device, "session") | {"id": room, "payload": payload}

    def _word(self, device: str) -> dict[str, Any]:
        room = self.world.chance.choice(sorted(self.said))
        what = self.world.chance.choice(SAID)
        said = self._envelope(room, device, what)
        known = self.said[room]
        if what in ("vote", "undo") and not known:
            return said | self._note()
        if what == "vote":
            ref = self.world.chance.choice(known)
            return said | self._secret() | {"step": "votar", "ref": ref, "payload": {"choice": "agree"}}
        if what == "undo":
            return said | {"ref": self.world.chance.choice(known), "payload": {}}
        if what == "presentes":
            return said | {"payload": {"count": self.world.chance.randrange(40)}}
        self.said[room].append(said["id"])
        return said | self._note() | ({"what": "statement", "step": "votar"} if what == "statement" else {})

    def _note(self) -> dict[str, Any]:
        return {"what": "note", "step": "oir", "payload": {"text": self.world.chance.choice(("agua", "luz", "calle"))}}

    def _secret(self) -> dict[str, Any]:
        """A vote tells neither its device nor its moment."""
        minute = now_ms() // MINUTE_MS * MINUTE_MS
        ballot = new_salt().replace("-", "a").replace("_", "b")
        return {"id": uuid7(minute), "finished": iso(minute), "by": ballot, "ballot": ballot, "count": 0}

    def _envelope(self, room: str, device: str, what: str) -> dict[str, Any]:
        self.counts[device] = self.counts.get(device, 0) + 1
        shared = {"kind": "contribution", "session": room, "what": what, "by": f"{device}-aparato"}
        return shared | {"id": uuid7(), "finished": iso(now_ms()), "salt": new_salt(), "count": self.counts[device]}

    # --- the judge

    def check_end(self) -> None:
        """Check that every room is the same at the hub and at central, but for what an old copy took from the hub."""
        ledger = self.world.ledger
        hub, central = self.world.machines["hub"], self.world.machines[CENTRAL]
        lost = {ledger.rooms[key] for key in ledger.rooms if "hub" in ledger.taken.get(key, ())}
        for room in sorted(self.said):
            here, there = self._read(hub, room), self._read(central, room)
            if room not in lost and here != there:
                raise Broken(f"I11: room {room[-6:]}: {len(here[0])} at the hub, {len(there[0])} at central")
            if not here[0] <= there[0]:
                raise Broken(f"I11: room {room[-6:]}: the hub holds what central lacks")

    def _read(self, machine: Machine, room: str) -> tuple[set[str], Room]:
        with reading(machine.engine) as session:
            bodies = contributions.bodies_of(session, room)
        good, refused = parse_contributions(map(json.loads, bodies))
        if refused:
            raise AssertionError(f"a contribution of the simulation is not one: {refused[0]}")
        return set(bodies), room_of(good)
