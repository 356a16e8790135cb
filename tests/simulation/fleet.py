"""What the lab does with machines: revoke one, let one in again, release what a revoked one has sent.

I9  what a revoked node sends stands apart everywhere until a person releases it; then it counts, and nothing is lost
"""

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from collector.clock import now_ms
from collector.db import writing
from collector.problems import ProblemError
from collector.queries import nodes
from sync.push import enrol
from sync.statements import make_decision
from tests.simulation import apsw_dbapi
from tests.simulation.crash_vfs import PowerCut
from tests.simulation.ledger import CENTRAL, Broken, named
from tests.simulation.machine import Contents, Key, Machine
from tests.simulation.network import Message

if TYPE_CHECKING:
    from tests.simulation.world import World

REVOKED = "revoked_node"
NOT_LET_IN = ("upstream_revoked", "upstream_unknown")


class Fleet:
    """Who may send where. A clone shares the token of its original, so neither of the two is ever let in anew."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.cloned: set[str] = set()
        self.touched: set[str] = set()
        self.watched: dict[str, Contents] = {}

    # --- what the lab does

    def revoke(self) -> None:
        machine = self._one()
        if machine is None:
            return
        upstream = self.world.upstream_of(machine)
        self.touched.add(machine.name)
        self.world.note(f"{machine.name} is revoked at {upstream.name}")
        self.world.trouble(upstream)
        node_id = machine.rows("SELECT value FROM meta WHERE key = 'node_id'")[0][0]
        try:
            with self.world.clocks.of(upstream.name), writing(upstream.engine) as session:
                nodes.revoke_node(session, node_id, now_ms())
        except (PowerCut, DatabaseError, apsw_dbapi.Error) as error:
            self.world.note(f"  not done: {type(error).__name__}")

    def let_in(self) -> None:
        machine = self._one()
        if machine is not None:
            self.world.trouble(self.world.chance.choice([machine, self.world.upstream_of(machine)]))
            self.admit(machine)

    def admit(self, machine: Machine) -> None:
        """Give a machine a new code, which somebody types there."""
        upstream = self.world.upstream_of(machine)
        self.check()  # of what came before
        self.touched.add(machine.name)
        self.world.note(f"{machine.name} gets a new code for {upstream.name}")
        try:
            with self.world.clocks.of(upstream.name), writing(upstream.engine) as session:
                code = nodes.make_enrol_code(session, now_ms())
            with self.world.clocks.of(machine.name):
                client = self.world.clients[machine.name]
                enrol(machine.engine, client, f"http://{upstream.name}", code, machine.name)
        except (PowerCut, DatabaseError, ProblemError, apsw_dbapi.Error) as error:
            self.world.note(f"  not let in: {type(error).__name__}")

    def release(self) -> None:
        """Somebody of the lab looks at what a revoked node has sent, and lets some of it count."""
        machine = self.world.chance.choice(self.world.there("hub", CENTRAL))
        waiting = sorted(self._waiting(machine))
        if waiting:
            self.world.trouble(machine)
            self._use(machine, self.world.chance.sample(waiting, min(3, len(waiting))))

    def release_all(self, machine: Machine) -> None:
        self.check()
        waiting = sorted(self._waiting(machine))
        if waiting:
            self._use(machine, waiting)

    def _use(self, machine: Machine, keys: list[Key]) -> None:
        self.world.note(f"{machine.name} releases {', '.join(map(named, keys))}")
        with self.world.clocks.of(machine.name):
            arrivals = [make_decision(record_id, "use", sha256.hex(), "lab") for record_id, sha256 in keys]
        for arrival, key in zip(arrivals, keys, strict=True):
            self.world.ledger.note_decision(arrival, key)
        self.world.keep(machine, arrivals)

    def _waiting(self, machine: Machine) -> list[Key]:
        held = machine.contents()
        return [
            key for key, why in held.apart.items() if why == REVOKED and held.bodies[key] and key not in held.closed
        ]

    def _one(self) -> Machine | None:
        names = [name for name in ("tablet1", "tablet2", "hub") if name not in self.cloned]
        return self.world.machines[self.world.chance.choice(names)]

    # --- the judge

    def watch(self, message: Message) -> None:
        """Note what a machine holds before a batch comes whose sender it has revoked."""
        self._check_watched(message.target)
        if not message.path.endswith("/batches"):
            return
        token = dict(message.headers).get(b"authorization", b"").removeprefix(b"Bearer ")
        machine = self.world.machines[message.target]
        known = machine.rows("SELECT token_sha256, revoked_ms FROM node")
        if (hashlib.sha256(token).hexdigest(), True) in {(row[0], row[1] is not None) for row in known}:
            self.watched.setdefault(message.target, machine.contents())

    def check(self) -> None:
        """Check that nothing of a revoked node counts before somebody released it."""
        ledger = self.world.ledger
        ledger.check_store(self.world.machines["hub"])  # which notes in what ways things came there
        for name in list(self.watched):
            self._check_watched(name)
        counting = self.world.machines[CENTRAL].contents().counting
        if unasked := counting & ledger.apart - ledger.counted - ledger.released:
            raise Broken(f"I9: {', '.join(map(named, sorted(unasked)))} counts at central, and nobody released it")

    def _check_watched(self, name: str) -> None:
        before = self.watched.pop(name, None)
        if before is None:
            return
        found = self.world.machines[name].contents().counting - before.keys - self.world.ledger.released
        if found:
            raise Broken(f"I9: {', '.join(map(named, sorted(found)))} of a revoked node counts at {name}")
