"""One seed: two tablets (and perhaps a clone) -> hub -> central, a phone at the first tablet, and what goes wrong.

events, most of them with faults  ->  a quiet time without any  ->  the judge reads what central has
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy.exc import DatabaseError

from collector.clock import iso, now_ms
from collector.queries.records import Arrival
from sync import push
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from sync.statements import arrival_of, make_tombstone
from tests.simulation import apsw_dbapi
from tests.simulation.by_seed import Clocks, decided_by
from tests.simulation.crash_vfs import TEARINGS, Disk, PowerCut, Trouble
from tests.simulation.fleet import Fleet
from tests.simulation.ledger import CENTRAL, Ledger, check_integrity, key_of, named
from tests.simulation.machine import Machine
from tests.simulation.network import Message, Network
from tests.simulation.phone import Phone
from tests.simulation.photos import Photos
from tests.simulation.quiet import be_quiet
from tests.simulation.rig import Rig
from tests.simulation.rooms import Rooms

EVENTS = 40
YEAR_MS = 365 * 86_400_000
SENDERS = ("tablet1", "tablet2", "tablet3", "hub")
SIDE_WORK_IN = 4  # files, and reports, have their turns in one seed of so many
WORDS = ["agua", "luz", "calle", "escuela", "basura", "camino", "puente", "parque", "salud", "bus", "ruido", "lluvia"]


class SeedFailed(AssertionError):
    """A seed broke an invariant; says which, with the whole log of events."""


@dataclass
class World:
    """The state of one seed."""

    seed: int | str
    rig: Rig
    clocks: Clocks
    chance: Random
    log: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    copies: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    rests: dict[str, list[Any]] = field(default_factory=dict)
    without: ExitStack = field(default_factory=ExitStack)
    has_files: bool = False

    def __post_init__(self) -> None:
        for name, machine in self.machines.items():
            machine.checkpoint_pages = self.chance.choice((8, 40, 1000))
            machine.insert_disk(Disk(name, Random(f"{self.seed} {name}")), self.clocks, self.rig.images.get(name, {}))
        self.network = Network(self.machines, self.clocks, Random(f"line {self.seed}"), self.note)
        self.clients = {name: self.network.client(name) for name in SENDERS}
        self.fleet, self.photos, self.rooms = Fleet(self), Photos(self), Rooms(self)
        self.network.watch = self.fleet.watch
        self.phone = Phone("tablet1")

    @property
    def machines(self) -> dict[str, Machine]:
        return self.rig.machines

    def note(self, line: str) -> None:
        self.log.append(line)

    def there(self, *names: str) -> list[Machine]:
        return [self.machines[name] for name in names or self.machines if self.machines[name].is_there]

    # --- the seed

    def run(self, events: int, focus: Sequence[str]) -> None:
        self.network.fault_rate = self.chance.choice((0, 10, 25, 40))
        pauses_ms = self.chance.choice(((100, 2_000), (100, 5_000, 61_000, 3_600_000)))
        happenings = self._weighted()
        self._leave_out(focus)
        if focus:
            pauses_ms, happenings = (100, 2_000), ([attrgetter(name)(self) for name in focus], [1] * len(focus))
        for _ in range(events):
            self.clocks.pass_ms(self.chance.choice(pauses_ms))
            self.chance.choices(*happenings)[0]()
            self.settle()
        be_quiet(self)
        self.ledger.check_end(self.machines[CENTRAL].contents(), self.phone)
        self.photos.check_end()
        self.rooms.check_end()
        for machine in self.there():
            check_integrity(machine)
        self.ledger.check_erased(self.there(), self.machines[CENTRAL].contents())
        self.note(f"end: {self.summary()}")

    def _leave_out(self, focus: Sequence[str]) -> None:
        """Leave out, in most seeds, steps of a round that carry nothing then."""
        self.has_files = not self.chance.randrange(SIDE_WORK_IN) or any("photos" in name for name in focus)
        if not self.has_files:
            self.without.enter_context(patch.object(push, "send_blobs", lambda *_given: None))
        if self.chance.randrange(SIDE_WORK_IN):
            self.without.enter_context(patch.object(push, "send_report", lambda *_given: None))

    def _weighted(self) -> tuple[list[Callable[[], None]], list[int]]:
        """Return what may happen and how often; in each seed some of it never, and some of it much."""
        people: dict[Callable[[], None], int] = {self.capture: 16, self.sync: 30}
        others: dict[Callable[[], None], int] = {
            self.phone_writes: 6,
            self.phone_sends: 8,
            self.phone_asks: 6,
            self.repeat_message: 6,
            self.deliver_late: 6,
            self.lose_power_idle: 3,
            self.restart: 3,
            self.copy: 5,
            self.put_back: 3,
            self.clone: 2,
            self.jump_clock: 2,
            self.erase: 2,
            self.fleet.revoke: 2,
            self.fleet.let_in: 2,
            self.fleet.release: 2,
            self.rooms.speak: 4,
        }
        if self.has_files:
            others |= {self.photos.capture: 8, self.photos.phone_takes: 4, self.photos.phone_uploads: 6}
        weighted = people | {what: weight * self.chance.choice((0, 1, 1, 3)) for what, weight in others.items()}
        return list(weighted), list(weighted.values())

    def summary(self) -> str:
        """Return a digest of what central holds, for the log of events."""
        held = sorted(self.machines[CENTRAL].contents().bodies)
        return f"{len(held)} records {hashlib.sha256(repr(held).encode()).hexdigest()[:16]}"

    def settle(self) -> None:
        """Give power back where it went, and let the judge look at every store."""
        self.network.in_one_go = 0
        for machine in self.there():
            machine.disk.disarm()
            if machine.disk.is_cut:
                tearing = self.chance.choice(TEARINGS)
                self.note(f"  {machine.name} starts again, {tearing} of what was not synced survived")
                machine.recover(tearing)
                check_integrity(machine)
            self.ledger.check_store(machine)
        self.ledger.check_receipts(self.there(), self.machines[CENTRAL].contents())
        self.fleet.check()
        self.photos.check()

    # --- what people do

    def capture(self) -> None:
        machine = self.chance.choice(self.there("tablet1", "tablet2", "tablet3", "hub"))
        bodies = [self.make_body(machine.name) for _ in range(self.chance.choice((1, 1, 2, 4)))]
        self.note(f"{machine.name} captures {', '.join(named(key_of(body)) for body in bodies)}")
        self.trouble(machine)
        self.keep(machine, [arrival_of(read_record(body)) for body in bodies])

    def keep(self, machine: Machine, arrivals: list[Arrival]) -> None:
        keys = {(arrival.id, arrival.sha256): arrival.body for arrival in arrivals}
        self.ledger.born |= keys
        try:
            machine.keep(arrivals)
        except PowerCut:
            self.note("  power cut: the person was told nothing")
        except DatabaseError as error:
            self.note(f"  not saved: {error.orig}")
        else:
            self.ledger.told |= set(keys)

    def erase(self) -> None:
        """Somebody asks at some machine that a record be erased: there, elsewhere, or not yet made known to it."""
        known = self.ledger.submissions() + [key[0] for key in sorted(self.ledger.rooms)]
        if not known:
            return
        machine, record_id = self.chance.choice(self.there()), self.chance.choice(known)
        with self.clocks.of(machine.name):
            tombstone = make_tombstone(record_id, "lab", "la persona lo pidió")
        self.note(f"{record_id[-6:]} is erased at {machine.name}")
        self.trouble(machine)
        self.ledger.erased.add(record_id)
        self.ledger.tombstones[(tombstone.id, tombstone.sha256)] = record_id
        self.keep(machine, [tombstone])

    def make_body(self, maker: str, **more: Any) -> str:
        """Make a record; sometimes with an id that another one has, sometimes one that cannot be used.

        more: further keys; such a record is never one of those two.
        """
        known = self.ledger.submissions()
        with self.clocks.of(maker):
            moment = iso(now_ms())
            is_new = bool(more) or not known or self.chance.randrange(12) > 0
            record_id = uuid7() if is_new else self.chance.choice(known)
        content: dict[str, Any] = {
            "id": record_id,
            "kind": "submission",
            "form": "servicios",
            "version": self.chance.choice(("2026.1", "2026.2")),
            "form_sha": "0" * 16,
            "started": moment,
            "finished": moment,
            "lang": "es",
            "salt": new_salt(),
            "answers": {"que": " ".join(self.chance.choices(WORDS, k=self.chance.choice((2, 6, 60)))), "edad": "34"},
        }
        if not more and self.chance.randrange(15) == 0:
            return self._spoilt(content)
        return canonical_bytes(content | more).decode()

    def _spoilt(self, content: dict[str, Any]) -> str:
        """Write a record as a faulty page might: in other bytes than the canonical ones, or without a key."""
        if self.chance.randrange(2):
            return json.dumps(content, ensure_ascii=False)
        del content["salt"]
        return canonical_bytes(content).decode()

    def phone_writes(self) -> None:
        body = self.make_body("phone")
        if key_of(body)[0] not in self.phone.kept:
            self.note(f"phone saves {named(key_of(body))}")
            self.phone.kept[key_of(body)[0]] = body
            self.ledger.on_phone(body)

    def phone_sends(self) -> None:
        self.note("phone sends")
        self.trouble(self.machines[self.phone.node])
        self.ask_for_phone(self.phone.outbox_request(), self.phone.read_answer)

    def phone_asks(self) -> None:
        self.note("phone asks")
        self.ask_for_phone(self.phone.receipts_request(), self.phone.read_receipts)

    def ask_for_phone(self, message: Message | None, read: Callable[..., dict[str, str]]) -> None:
        if message is None:
            return
        try:
            freed = read(self.network.carry(message))
        except httpx.TransportError:
            return
        if freed:
            self.note(f"  phone frees {', '.join(named(key_of(body)) for body in freed.values())}")
        self.ledger.check_freed(freed, self.machines[CENTRAL].contents())

    # --- what programs do

    def sync(self) -> None:
        machine = self.chance.choice(self.there(*SENDERS))
        self.note(f"{machine.name} syncs")
        self.trouble(self.chance.choice([machine, self.upstream_of(machine)]))
        self.do_round(machine)

    def upstream_of(self, machine: Machine) -> Machine:
        return self.machines[CENTRAL if machine.name == "hub" else "hub"]

    def do_round(self, machine: Machine) -> str:
        """Do a round, and return the code of its trouble or ""."""
        try:
            result = machine.sync(self.clients[machine.name])
        except PowerCut:
            self.note(f"  power cut at {machine.name}")
        except (DatabaseError, apsw_dbapi.Error) as error:  # the loop's thread notes it and tries again later
            self.note(f"  {machine.name}: {error}".splitlines()[0])
            machine.state.is_warm = False
        else:
            self.note(f"  sent {result.sent}, {result.receipts} receipts, {result.error or 'no trouble'}")
            return result.error
        return "stopped"

    def repeat_message(self) -> None:
        """A request that was answered long ago arrives once more."""
        if self.network.recorded:
            self._bring(self.chance.choice(self.network.recorded[-40:]), "again")

    def deliver_late(self) -> None:
        """A request arrives whose sender has given up waiting."""
        if self.network.delayed:
            self._bring(self.network.delayed.pop(self.chance.randrange(len(self.network.delayed))), "late")

    def _bring(self, message: Message, how: str) -> None:
        self.note(f"{how}: {message}")
        self.trouble(self.machines[message.target])
        self.network.deliver(message)

    def restart(self) -> None:
        machine = self.chance.choice(self.there())
        self.note(f"{machine.name} is stopped and started")
        self.trouble(machine)
        try:
            machine.stop()
        except PowerCut:
            self.note("  power cut while it stops")
        machine.boot()

    # --- what goes wrong

    def trouble(self, machine: Machine) -> None:
        """Now and then let the power go, or the disk fail, at some change of what follows."""
        roll = self.chance.randrange(100)
        if roll >= 30:
            return
        trouble: Trouble = "cut" if roll < 22 else "full" if roll < 26 else "eio"
        budget = self.chance.randrange(40 if trouble == "cut" else 8)
        self.note(f"  ({machine.name}: {trouble} after {budget} changes)")
        machine.disk.arm(trouble, budget)

    def lose_power_idle(self) -> None:
        machine = self.chance.choice(self.there())
        self.note(f"{machine.name} loses power at rest")
        machine.disk.is_cut = True

    def copy(self) -> None:
        machine = self.chance.choice(self.there("tablet1", "tablet2", "hub"))
        self.note(f"somebody copies {machine.name}")
        self.copies.append((machine.name, machine.disk.image()))

    def put_back(self) -> None:
        if not self.copies:
            return
        name, image = self.chance.choice(self.copies)
        is_noticed = self.chance.randrange(2) == 0
        machine = self.machines[name]
        before = machine.contents()
        machine.put_back(image, is_noticed)
        self.note(f"{name} is put back to an old copy{'' if is_noticed else ', unnoticed'}")
        self.ledger.note_put_back(name, before, machine.contents())

    def clone(self) -> None:
        machine = self.machines["tablet3"]
        if machine.is_there:
            return
        originals = [each for each in self.there("tablet1", "tablet2") if each.name not in self.fleet.touched]
        if not originals:
            return
        original = self.chance.choice(originals)
        self.fleet.cloned.add(original.name)
        is_noticed = self.chance.randrange(2) == 0
        self.note(f"{original.name} is cloned{'' if is_noticed else ', unnoticed'}")
        machine.put_back(original.disk.image(), is_noticed)

    def jump_clock(self) -> None:
        name = self.chance.choice([*self.machines, "phone"])
        offset = self.chance.choice((-YEAR_MS, 10 * YEAR_MS, 0, -7_200_000))
        self.note(f"the clock of {name} is now {offset} ms off")
        self.clocks.offsets_ms[name] = offset


def run_seed(rig: Rig, seed: int | str, events: int = EVENTS, focus: Sequence[str] = ()) -> str:
    """Play one seed and return the hash of its log. focus: what alone happens (methods). Raises SeedFailed."""
    with decided_by(seed) as clocks:
        world = World(seed, rig, clocks, Random(f"world {seed}"))
        try:
            with world.without:
                world.run(events, focus)
        except (Exception, PowerCut) as error:
            log = "\n".join(world.log)
            raise SeedFailed(f"seed {seed}: {type(error).__name__} {error}\n{log}") from error
        finally:
            rig.rest()
    return hashlib.sha256("\n".join(world.log).encode()).hexdigest()
