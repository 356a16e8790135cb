"""Power goes, or the disk fails, at every single change that keeping records makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from sqlalchemy.exc import DatabaseError

from collector.clock import iso
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from sync.statements import arrival_of
from tests.simulation.by_seed import decided_by
from tests.simulation.crash_vfs import TEARINGS, Disk, PowerCut, Tearing, Trouble
from tests.simulation.ledger import key_of
from tests.simulation.machine import Machine
from tests.simulation.mutants import gaps_accepted
from tests.simulation.network import Network, Reply
from tests.simulation.phone import Phone
from tests.simulation.rig import Rig

MOST_CHANGES = 400


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig()


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with decided_by("power cut"):
        yield


def make_bodies(count: int) -> list[str]:
    moment = iso(1_795_000_000_000)
    shared = {"kind": "submission", "form": "servicios", "version": "2026.1", "form_sha": "0" * 16, "lang": "es"}
    contents = [
        {
            **shared,
            "id": uuid7(),
            "salt": new_salt(),
            "started": moment,
            "finished": moment,
            "answers": {"a": "b" * 900},
        }
        for _ in range(count)
    ]
    return [canonical_bytes(content).decode() for content in contents]


def start_all(rig: Rig, tearing: Tearing = "nothing", checkpoint_pages: int = 1000) -> None:
    """Give every machine a fresh disk with an enrolled store."""
    for name, machine in rig.machines.items():
        machine.checkpoint_pages = checkpoint_pages
        machine.insert_disk(Disk(name, Random(f"{name} {tearing}")), machine.clocks, rig.images.get(name, {}))


def keep(machine: Machine, bodies: list[str]) -> None:
    machine.keep([arrival_of(read_record(body)) for body in bodies])


def assert_whole(machine: Machine, before: set[str], batch: list[str]) -> None:
    """Assert that all of `before` is there, and of the batch all or nothing."""
    assert machine.rows("PRAGMA integrity_check") == [("ok",)]
    held = set(machine.contents().bodies.values())
    assert before <= held
    assert held - before in (set(), set(batch))


@pytest.mark.parametrize("tearing", TEARINGS)
@pytest.mark.parametrize("checkpoint_pages", [1000, 4])
def test_a_power_cut_at_any_change_of_a_capture_leaves_all_or_nothing_of_it(
    rig: Rig, tearing: Tearing, checkpoint_pages: int
) -> None:
    machine = rig.machines["tablet1"]
    for budget in range(MOST_CHANGES):
        start_all(rig, tearing, checkpoint_pages)
        first, second = make_bodies(3), make_bodies(4)
        keep(machine, first)
        machine.disk.arm("cut", budget)
        try:
            keep(machine, second)
        except PowerCut:
            machine.recover(tearing)
            assert_whole(machine, set(first), second)
        else:
            machine.disk.is_cut = True  # the person was told; then the power goes
            machine.recover(tearing)
            assert_whole(machine, {*first, *second}, [])
            break
    else:
        pytest.fail(f"a capture makes more than {MOST_CHANGES} changes")
    assert budget > 5


@pytest.mark.parametrize("tearing", TEARINGS)
def test_a_power_cut_at_any_change_of_a_batch_leaves_all_or_nothing_and_the_next_try_brings_it(
    rig: Rig, tearing: Tearing
) -> None:
    tablet, hub = rig.machines["tablet1"], rig.machines["hub"]
    for budget in range(MOST_CHANGES):
        start_all(rig, tearing)
        network = Network(rig.machines, tablet.clocks, Random(1), lambda _line: None)
        bodies = make_bodies(5)
        keep(tablet, bodies)
        hub.disk.arm("cut", budget)
        tablet.sync(network.client("tablet1"))
        was_cut = hub.disk.is_cut
        if was_cut:
            hub.recover(tearing)
        assert_whole(hub, set(), bodies)
        tablet.sync(network.client("tablet1"))
        assert_whole(hub, set(bodies), [])
        if not was_cut:
            break
    else:
        pytest.fail(f"a batch makes more than {MOST_CHANGES} changes")
    assert budget > 20


def lost_by_a_hub_put_back(rig: Rig) -> set[str]:
    """Put a hub back under a tablet that goes on without a hello; return what the hub lacks in the end."""
    start_all(rig)
    tablet, hub = rig.machines["tablet1"], rig.machines["hub"]
    client = Network(rig.machines, tablet.clocks, Random(1), lambda _line: None).client("tablet1")
    bodies = make_bodies(4)
    keep(tablet, bodies[:2])
    image = hub.disk.image()
    tablet.sync(client)
    hub.put_back(image, is_noticed=False)
    keep(tablet, bodies[2:])
    for _ in range(3):
        tablet.sync(client)
        tablet.clocks.pass_ms(61_000)
    return set(bodies) - set(hub.contents().bodies.values())


def test_a_hub_that_was_put_back_gets_again_what_it_lost() -> None:
    assert lost_by_a_hub_put_back(Rig()) == set()


def test_without_the_check_of_after_a_hub_that_was_put_back_keeps_a_gap() -> None:
    with contextmanager(gaps_accepted)():
        assert lost_by_a_hub_put_back(Rig())


@pytest.mark.parametrize("trouble", ["full", "eio"])
def test_a_disk_that_fails_at_any_change_never_says_saved_and_works_again_afterwards(
    rig: Rig, trouble: Trouble
) -> None:
    machine = rig.machines["tablet1"]
    failed = 0
    for budget in range(30):
        start_all(rig)
        first, second = make_bodies(2), make_bodies(3)
        keep(machine, first)
        machine.disk.arm(trouble, budget)
        try:
            keep(machine, second)
            told = {*first, *second}
        except DatabaseError:
            failed += 1
            told = set(first)
        machine.disk.disarm()
        assert_whole(machine, told, second)
        third = make_bodies(1)
        keep(machine, third)
        assert told | set(third) <= set(machine.contents().bodies.values())
    assert failed


@pytest.mark.parametrize(("trouble", "code"), [("full", "disk_full"), ("eio", None)])
def test_a_hub_with_a_failing_disk_answers_that_it_keeps_nothing(rig: Rig, trouble: Trouble, code: str | None) -> None:
    start_all(rig)
    tablet, hub = rig.machines["tablet1"], rig.machines["hub"]
    answers: list[Reply] = []
    network = Network(rig.machines, tablet.clocks, Random(1), lambda _line: None)
    phone = Phone("hub")
    body = make_bodies(1)[0]
    phone.kept[key_of(body)[0]] = body
    hub.disk.arm(trouble, 0)
    message = phone.outbox_request()
    assert message is not None
    answers.append(network.carry(message))
    assert answers[0].status in (503, 507)
    assert code is None or code.encode() in answers[0].body
    phone.read_answer(answers[0])
    assert not phone.sent
    hub.disk.disarm()
    phone.read_answer(network.carry(message))
    assert phone.sent == set(phone.kept)
