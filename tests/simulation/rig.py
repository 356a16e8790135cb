"""The machines of one process, made once, and the images of their disks at the moment when all are enrolled."""

from dataclasses import dataclass, field
from functools import cache
from random import Random

from collector.db import prepare_store, writing
from collector.queries import nodes, store
from sync.push import enrol
from tests.simulation.by_seed import Clocks, decided_by
from tests.simulation.crash_vfs import Disk
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.short_way import close_store

NAMES = ("tablet1", "tablet2", "tablet3", "hub", "central")
UPSTREAMS = {"hub": "central", "tablet1": "hub", "tablet2": "hub"}  # tablet3 is there once somebody makes a clone


@dataclass
class Rig:
    """Machines that serve many seeds."""

    machines: dict[str, Machine] = field(default_factory=lambda: {name: Machine(name) for name in NAMES})

    @property
    def images(self) -> dict[str, dict[str, bytes]]:
        return enrolled_images()

    def rest(self) -> None:
        """Close what a seed has left open."""
        for machine in self.machines.values():
            machine.disk.is_cut = True
            close_store(machine.engine)


@cache
def enrolled_images() -> dict[str, dict[str, bytes]]:
    """Make four stores, enrol them in a chain by the project's own functions, and return their disks."""
    rig = Rig()
    with decided_by("enrolment") as clocks:
        for name, machine in rig.machines.items():
            machine.insert_disk(Disk(name, Random(name)), clocks, {})
        for name in ("central", *UPSTREAMS):
            _prepare(rig.machines[name])
        network = Network(rig.machines, clocks, Random("enrolment"), lambda _line: None)
        for name, upstream in UPSTREAMS.items():
            _enrol(rig.machines[name], rig.machines[upstream], network, clocks)
        for machine in rig.machines.values():
            machine.stop()
        images = {name: rig.machines[name].disk.image() for name in ("central", *UPSTREAMS)}
    return images


def _prepare(machine: Machine) -> None:
    with machine.clocks.of(machine.name):
        prepare_store(machine.engine)
        with writing(machine.engine) as session:
            store.first_facts(session, machine.name)


def _enrol(machine: Machine, upstream: Machine, network: Network, clocks: Clocks) -> None:
    with clocks.of(upstream.name), writing(upstream.engine) as session:
        code = nodes.make_enrol_code(session, clocks.now_ms())
    with clocks.of(machine.name):
        enrol(machine.engine, network.client(machine.name), f"http://{upstream.name}", code, machine.name)
