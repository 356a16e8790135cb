"""One seed: two tablets (and perhaps a clone) -> hub -> central, a phone at the first tablet, and what goes wrong.

events, most of them with faults  ->  a quiet time without any  ->  the judge reads what central has
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
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
from tests.simulation.ledger import CENTRAL, Broken, Ledger, key_of, named
from tests.simulation.machine import Machine
from tests.simulation.network import Message, Network
from tests.simulation.phone import Phone
from tests.simulation.rig import Rig

EVENTS = 40
QUIET_ROUNDS = 40
STRICT_QUIET = 6  # in one seed of so many nobody rests while the others move
YEAR_MS = 365 * 86_400_000
SENDERS = ("tablet1", "tablet2", "tablet3", "hub")
# steps of a round that carry no record, erasure or receipt: they have their turns in one seed of so many
SIDE_WORK, SIDE_WORK_IN = ("send_report", "send_blobs"), 4
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

    def __post_init__(self) -> None:
        for name, machine in self.machines.items():
            machine.checkpoint_pages = self.chance.choice((8, 40, 1000))
            machine.insert_disk(Disk(name, Random(f"{self.seed} {name}")), self.clocks, self.rig.images.get(name, {}))
        self.network = Network(self.machines, self.clocks, Random(f"line {self.seed}"), self.note)
        self.clients = {name: self.network.client(name) for name in SENDERS}
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
        for work in SIDE_WORK:
            if self.chance.randrange(SIDE_WORK_IN):
                self.without.enter_context(patch.object(push, work, lambda *_given: None))
        if focus:
            pauses_ms, happenings = (100, 2_000), ([getattr(self, name) for name in focus], [1] * len(focus))
        for _ in range(events):
            self.clocks.pass_ms(self.chance.choice(pauses_ms))
            self.chance.choices(*happenings)[0]()
            self.settle()
        self.be_quiet()
        self.ledger.check_end(self.machines[CENTRAL].contents(), self.phone)
        for machine in self.there():
            check_integrity(machine)
        self.ledger.check_erased(self.there(), self.machines[CENTRAL].contents())
        self.note(f"end: {self.summary()}")

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
        }
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

    # --- what people do

    def capture(self) -> None:
        machine = self.chance.choice(self.there("tablet1", "tablet2", "tablet3", "hub"))
        bodies = [self._body(machine.name) for _ in range(self.chance.choice((1, 1, 2, 4)))]
        self.note(f"{machine.name} captures {', '.join(named(key_of(body)) for body in bodies)}")
        self._trouble(machine)
        self._keep(machine, [arrival_of(read_record(body)) for body in bodies])

    def _keep(self, machine: Machine, arrivals: list[Arrival]) -> None:
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
        known = self._submissions()
        if not known:
            return
        machine, record_id = self.chance.choice(self.there()), self.chance.choice(known)
        with self.clocks.of(machine.name):
            tombstone = make_tombstone(record_id, "lab", "la persona lo pidió")
        self.note(f"{record_id[-6:]} is erased at {machine.name}")
        self._trouble(machine)
        self.ledger.erased.add(record_id)
        self.ledger.tombstones[(tombstone.id, tombstone.sha256)] = record_id
        self._keep(machine, [tombstone])

    def _body(self, maker: str) -> str:
        """Make a record; sometimes with an id that another one has, sometimes one that cannot be used."""
        known = self._submissions()
        with self.clocks.of(maker):
            moment = iso(now_ms())
            record_id = self.chance.choice(known) if known and self.chance.randrange(12) == 0 else uuid7()
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
        return self._spoilt(content) if self.chance.randrange(15) == 0 else canonical_bytes(content).decode()

    def _submissions(self) -> list[str]:
        return sorted({key[0] for key in self.ledger.born} - {key[0] for key in self.ledger.tombstones})

    def _spoilt(self, content: dict[str, Any]) -> str:
        """Write a record as a faulty page might: in other bytes than the canonical ones, or without a key."""
        if self.chance.randrange(2):
            return json.dumps(content, ensure_ascii=False)
        del content["salt"]
        return canonical_bytes(content).decode()

    def phone_writes(self) -> None:
        body = self._body("phone")
        if key_of(body)[0] not in self.phone.kept:
            self.note(f"phone saves {named(key_of(body))}")
            self.phone.kept[key_of(body)[0]] = body
            self.ledger.on_phone(body)

    def phone_sends(self) -> None:
        self.note("phone sends")
        self._trouble(self.machines[self.phone.node])
        self._phone(self.phone.outbox_request(), self.phone.read_answer)

    def phone_asks(self) -> None:
        self.note("phone asks")
        self._phone(self.phone.receipts_request(), self.phone.read_receipts)

    def _phone(self, message: Message | None, read: Callable[..., dict[str, str]]) -> None:
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
        self._trouble(self.chance.choice([machine, self._upstream_of(machine)]))
        self._sync(machine)

    def _upstream_of(self, machine: Machine) -> Machine:
        return self.machines[CENTRAL if machine.name == "hub" else "hub"]

    def _sync(self, machine: Machine) -> None:
        try:
            result = machine.sync(self.clients[machine.name])
        except PowerCut:
            self.note(f"  power cut at {machine.name}")
        except (DatabaseError, apsw_dbapi.Error) as error:  # the loop's thread notes it and tries again later
            self.note(f"  {machine.name}: {error}".splitlines()[0])
            machine.state.is_warm = False
        else:
            self.note(f"  sent {result.sent}, {result.receipts} receipts, {result.error or 'no trouble'}")

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
        self._trouble(self.machines[message.target])
        self.network.deliver(message)

    def restart(self) -> None:
        machine = self.chance.choice(self.there())
        self.note(f"{machine.name} is stopped and started")
        self._trouble(machine)
        try:
            machine.stop()
        except PowerCut:
            self.note("  power cut while it stops")
        machine.boot()

    # --- what goes wrong

    def _trouble(self, machine: Machine) -> None:
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
        before = machine.contents().keys
        machine.put_back(image, is_noticed)
        self.note(f"{name} is put back to an old copy{'' if is_noticed else ', unnoticed'}")
        self.ledger.note_put_back(name, before, machine.contents())

    def clone(self) -> None:
        machine = self.machines["tablet3"]
        if machine.is_there:
            return
        original = self.chance.choice(self.there("tablet1", "tablet2"))
        is_noticed = self.chance.randrange(2) == 0
        self.note(f"{original.name} is cloned{'' if is_noticed else ', unnoticed'}")
        machine.put_back(original.disk.image(), is_noticed)

    def jump_clock(self) -> None:
        name = self.chance.choice([*self.machines, "phone"])
        offset = self.chance.choice((-YEAR_MS, 10 * YEAR_MS, 0, -7_200_000))
        self.note(f"the clock of {name} is now {offset} ms off")
        self.clocks.offsets_ms[name] = offset

    # --- the quiet time

    def be_quiet(self) -> None:
        """Let everything that can move move, without faults, until nothing does.

        In some seeds everybody goes on until a whole round changes nothing; in the others a machine whose round went
        well rests until something changes at it or above it.
        """
        self.note("quiet")
        self.network.fault_rate = 0
        for message in self.network.delayed:
            if self.chance.randrange(2):
                self.network.deliver(message)
        is_patient = self.chance.randrange(STRICT_QUIET) == 0
        before: list[Any] = []
        for _ in range(QUIET_ROUNDS):
            self._quiet_round(is_patient)
            now: list[Any] = [machine.standing() for machine in self.there()] + [sorted(self.phone.kept)]
            if now == before:
                return
            before = now
        raise Broken(f"I8: after {QUIET_ROUNDS} quiet rounds things still move")

    def _quiet_round(self, with_all: bool) -> None:
        self.clocks.pass_ms(61_000)
        self._phone(self.phone.outbox_request(), self.phone.read_answer)
        for machine in self.there(*SENDERS):
            machine.wipe()  # the loop does that in each round
            if with_all or self.rests.get(machine.name) != self._stand(machine):
                self._sync(machine)
                self.rests[machine.name] = self._stand(machine) if machine.state.is_warm else []
        self.machines[CENTRAL].wipe()
        self._phone(self.phone.receipts_request(), self.phone.read_receipts)
        self.settle()

    def _stand(self, machine: Machine) -> list[Any]:
        return [machine.standing(), self._upstream_of(machine).standing()]


def check_integrity(machine: Machine) -> None:
    found = machine.rows("PRAGMA integrity_check")
    if found != [("ok",)]:
        raise Broken(f"I4: {machine.name}: {found}")


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
