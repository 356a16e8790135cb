"""Cuts a line after every byte of a batch and of its answer, and looks after each cut what both ends believe.

    cut_requests, cut_answers   the bytes of one batch over a plain connection: every byte, in seconds
    sweep                       the same with the project's own sender, through several batches, which takes minutes

Usage: python -m tests.faults.cuts [--every 1] [--batches 3]
"""

import argparse
import time
from dataclasses import dataclass

from sync.push import SyncState
from tests.faults.proxy import Fault
from tests.faults.raw_sender import RawSender
from tests.faults.rig import Rig, Tablet, new_rig

RECORDS = 2  # a batch
REPEATS = 8  # of a batch whose answer never comes
HELLO_BYTES = 500  # what asking where one stands costs on the way up, and more
UP, DOWN = "up", "down"


@dataclass
class Found:
    """cuts: how many; stored: after how many of them central had the batch although its sender could not know it.

    most_bytes: that a cut line and the repair together took on the way up; clean_bytes: without a cut.
    """

    cuts: int = 0
    stored: int = 0
    most_bytes: int = 0
    clean_bytes: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts in {self.seconds:.1f} s, {self.stored} after the batch was stored; "
            f"at most {self.most_bytes} bytes up instead of {self.clean_bytes}"
        )


def fault_at(way: str, at: int, resets: bool = False) -> Fault:
    """Return the fault that cuts after `at` bytes of the request (UP) or of the answer (DOWN)."""
    return Fault(up_bytes=at, resets=resets) if way == UP else Fault(down_bytes=at, resets=resets)


# --- bytes of one batch


def cut_requests(rig: Rig, resets: bool = False) -> Found:
    """Cut one batch after each of its bytes: nothing of it is kept until all of it came, and then it is kept once."""
    sender, found, started = RawSender(rig.central), Found(), time.monotonic()
    packed, ids, _ = sender.pack(RECORDS)
    before = set(rig.at_central())
    while True:
        rig.proxy.use(fault_at(UP, found.cuts, resets))
        answer = sender.post(rig.proxy.port, packed)
        if not rig.proxy.cuts:
            break
        found.cuts += 1
        assert answer is None, "an answer to half a request"
        present = rig.at_central()
        # the cut behind the last byte comes after all of it has arrived
        assert sorted(present) in (sorted(before), sorted(before | set(ids))), found.cuts
        found.stored += len(present) > len(before)
    assert answer is not None and answer["cursor"] == RECORDS
    assert sorted(rig.at_central()) == sorted(before | set(ids))
    found.clean_bytes, found.seconds = rig.proxy.up, time.monotonic() - started
    return found


def cut_answers(rig: Rig, resets: bool = False) -> Found:
    """Cut the answer after each of its bytes: the batch is there after the first time, and there once after all.

    Its sender, who has heard nothing, sends it again and again; after `REPEATS` times it goes on with a new one.
    """
    sender, found, started = RawSender(rig.central), Found(), time.monotonic()
    expected = rig.at_central()
    while True:
        packed, ids, head = sender.pack(RECORDS)
        expected = sorted([*expected, *ids])
        for _ in range(REPEATS):
            rig.proxy.use(fault_at(DOWN, found.cuts, resets))
            answer = sender.post(rig.proxy.port, packed)
            assert sorted(rig.at_central()) == expected, found.cuts
            if answer is not None:
                assert answer["outcomes"]["duplicate"] in ([], [sender.sent + n for n in range(1, RECORDS + 1)])
                found.seconds = time.monotonic() - started
                return found
            found.cuts, found.stored = found.cuts + 1, found.stored + 1
        sender.confirm(RECORDS, head)


# --- the project's own sender


def sweep(rig: Rig, way: str, every: int = 1, resets: bool = False, batches: int = 1) -> Found:
    """Cut at each `every`th byte of an exchange of `batches`, until an exchange ends before its cut."""
    tablet, state, found = rig.tablet(), SyncState(records=RECORDS, most_records=RECORDS), Found()
    started = time.monotonic()
    tablet.capture(RECORDS * batches)
    assert tablet.sync(state).error == ""
    found.clean_bytes = _clean_bytes(rig, tablet, state, batches)
    at = 0
    while _cut_at(rig, tablet, state, fault_at(way, at, resets), batches, found):
        at += every
    found.seconds = time.monotonic() - started
    # what a cut costs: one batch again, and asking where one stands
    assert found.most_bytes <= found.clean_bytes + found.clean_bytes / batches + HELLO_BYTES, found
    return found


def _clean_bytes(rig: Rig, tablet: Tablet, state: SyncState, batches: int) -> int:
    tablet.capture(RECORDS * batches)
    state.most_records = RECORDS
    rig.proxy.use(Fault())
    assert tablet.sync(state).error == ""
    return rig.proxy.up


def _cut_at(rig: Rig, tablet: Tablet, state: SyncState, fault: Fault, batches: int, found: Found) -> bool:
    """Collect, send over a line that breaks, look, send again; False when it did not break."""
    before = set(rig.at_central())
    new = tablet.capture(RECORDS * batches)
    state.most_records = RECORDS  # a hello says how many more it takes
    rig.proxy.use(fault)
    broken = tablet.sync(state)
    was_cut, bytes_up = rig.proxy.cuts == 1, rig.proxy.up
    # a cut behind the last byte of an answer breaks nothing
    assert broken.error == "upstream_unreachable" or (not broken.error and broken.sent == len(new)), (fault, broken)
    present = rig.at_central()
    confirmed = len(before) + broken.sent
    assert len(present) == len(set(present)) >= confirmed, (fault, "doubled, or confirmed and not there")
    rig.proxy.use(Fault())
    healed = tablet.sync(state)
    assert healed.error == "" and sorted(rig.at_central()) == sorted(before | set(new)), fault
    assert tablet.status().counts.central == len(tablet.ids())
    found.cuts += was_cut
    found.stored += len(present) > confirmed
    found.most_bytes = max(found.most_bytes, bytes_up + rig.proxy.up)
    return was_cut


def main() -> None:
    """Run the whole sweep and say what was found."""
    parser = argparse.ArgumentParser(description="Cut a line after every byte.")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--batches", type=int, default=3)
    wanted = parser.parse_args()
    with new_rig() as rig:
        for resets, how in ((False, "closed"), (True, "reset")):
            print(f"requests, {how}: {cut_requests(rig, resets)}", flush=True)
            print(f"answers, {how}: {cut_answers(rig, resets)}", flush=True)
            for way in (UP, DOWN):
                found = sweep(rig, way, wanted.every, resets, wanted.batches)
                print(f"own sender, {way}, {how}: {found}", flush=True)


if __name__ == "__main__":
    main()
