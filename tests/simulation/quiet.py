"""The quiet time after the events: no faults any more, people do what is left to do, and everything comes to rest."""

from typing import TYPE_CHECKING, Any

from tests.simulation.fleet import NOT_LET_IN
from tests.simulation.ledger import CENTRAL, Broken
from tests.simulation.machine import Machine

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUNDS = 40
SENDERS = ("tablet1", "tablet2", "tablet3", "hub")
STRICT = 6  # in one seed of so many nobody rests while the others move


def be_quiet(world: "World") -> None:
    """Let everything that can move move, without faults, until nothing does. Raises Broken.

    In some seeds everybody goes on until a whole round changes nothing; in the others a machine whose round went
    well rests until something changes at it or above it. Who is not let in gets a new code, and the lab at central
    releases what revoked nodes have sent.
    """
    world.note("quiet")
    world.network.fault_rate = 0
    for message in world.network.delayed:
        if world.chance.randrange(2):
            world.network.deliver(message)
    is_patient = world.chance.randrange(STRICT) == 0
    before: list[Any] = []
    rests: dict[str, list[Any]] = {}
    for _ in range(ROUNDS):
        _go_round(world, rests, is_patient)
        now = [
            *(machine.standing() for machine in world.there()),
            sorted(world.phone.kept),
            sorted(world.photos.waiting),
        ]
        if now == before:
            return
        before = now
    raise Broken(f"I8: after {ROUNDS} quiet rounds things still move")


def _go_round(world: "World", rests: dict[str, list[Any]], with_all: bool) -> None:
    world.clocks.pass_ms(61_000)
    world.ask_for_phone(world.phone.outbox_request(), world.phone.read_answer)
    for machine in world.there(*SENDERS):
        machine.wipe()  # the loop does that in each round
        if with_all or rests.get(machine.name) != _stand(world, machine):
            _send_and_ask(world, machine)
            rests[machine.name] = _stand(world, machine) if machine.state.is_warm else []
    central = world.machines[CENTRAL]
    world.fleet.release_all(central)
    central.wipe()
    world.photos.phone_uploads()
    world.ask_for_phone(world.phone.receipts_request(), world.phone.read_receipts)
    world.settle()


def _send_and_ask(world: "World", machine: Machine) -> None:
    if world.do_round(machine) in NOT_LET_IN:
        world.fleet.admit(machine)
        world.do_round(machine)


def _stand(world: "World", machine: Machine) -> list[Any]:
    return [machine.standing(), world.upstream_of(machine).standing()]
