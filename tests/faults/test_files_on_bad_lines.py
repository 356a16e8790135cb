"""Files of answers over lines that break: what arrived stays, at most one piece goes twice, the whole is proved."""

import hashlib
import random
import threading

import httpx
import pytest

from collector.db import reading
from collector.queries import blobs
from sync import limits
from sync.push import SyncState
from tests.faults.proxy import Fault
from tests.faults.rig import Rig, Tablet
from tests.sync.test_sync_blobs import name_in_a_record, upload

PIECE = limits.MIN_BLOB_CHUNK_BYTES
OVERHEAD_BYTES = 6_000  # requests around the pieces of one exchange: hello, questions, headers, report


def photo(pieces: int) -> bytes:
    return random.Random(pieces).randbytes(pieces * PIECE - 1000)


def tablet_with(rig: Rig, content: bytes) -> Tablet:
    """Return a tablet that holds `content` and has sent the record that names it."""
    tablet = rig.tablet()
    name_in_a_record(tablet, content)
    upload(tablet, content)
    return tablet


def at_central(rig: Rig, content: bytes) -> bytes:
    """Return as much of the file as central has."""
    sha256 = hashlib.sha256(content).hexdigest()
    with reading(rig.central.app.state.engine) as session:
        held = blobs.held(session, [sha256]).get(sha256)
        return blobs.read_part(session, sha256, 0, held.have) if held and held.have else b""


def sending(pieces: int) -> SyncState:
    """Return a state that sends pieces of that many times 4 kB."""
    state = SyncState()
    state.blobs.piece = pieces * PIECE
    return state


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
def test_a_file_cut_at_every_4_kilobytes_goes_on_and_sends_at_most_one_piece_twice(rig: Rig, resets: bool) -> None:
    content = photo(10)
    tablet = tablet_with(rig, content)
    for cut in range(11):
        before = len(at_central(rig, content))
        rig.proxy.use(Fault(up_bytes=cut * PIECE + 1, resets=resets))
        tablet.sync(sending(1))
        have = at_central(rig, content)
        assert content.startswith(have) and len(have) >= before
        used = rig.proxy.up
        assert used <= len(have) - before + PIECE + OVERHEAD_BYTES, "more than a piece went for nothing"
    rig.proxy.use(Fault())
    assert tablet.sync(sending(1)).error == ""
    assert at_central(rig, content) == content


def test_a_cut_in_a_large_piece_costs_that_piece_and_not_the_file(rig: Rig) -> None:
    content = photo(40)
    tablet = tablet_with(rig, content)
    rig.proxy.use(Fault(up_bytes=100_000))
    assert tablet.sync(sending(8)).error == "upstream_unreachable"
    have = len(at_central(rig, content))
    assert 0 < have < 100_000 and have % PIECE == 0
    rig.proxy.use(Fault())
    assert tablet.sync(sending(8)).error == ""
    assert at_central(rig, content) == content
    assert rig.proxy.up <= len(content) - have + OVERHEAD_BYTES


def test_two_tablets_that_send_one_file_at_once_over_a_breaking_line_make_one_file(rig: Rig) -> None:
    content = photo(30)
    tablets = [tablet_with(rig, content) for _ in range(2)]

    def send(tablet: Tablet, pieces: int) -> None:
        for _ in range(3):
            tablet.sync(sending(pieces))

    threads = [threading.Thread(target=send, args=pair) for pair in zip(tablets, (1, 3), strict=True)]
    rig.proxy.use(Fault(up_bytes=40_000))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert rig.proxy.cuts == 1
    for tablet in tablets:
        assert tablet.sync(sending(2)).error == ""
    assert at_central(rig, content) == content


def test_a_wrong_piece_in_between_is_refused_and_the_right_file_arrives(rig: Rig) -> None:
    content = photo(6)
    tablet = tablet_with(rig, content)
    rig.proxy.use(Fault(up_bytes=3 * PIECE))
    tablet.sync(sending(1))
    have = at_central(rig, content)
    assert 0 < len(have) < len(content)
    wrong = httpx.patch(
        f"{rig.central.url}/sync/v1/blobs/{hashlib.sha256(content).hexdigest()}",
        content=bytes(PIECE),
        headers={
            "Upload-Offset": str(len(have)),
            "Upload-Length": str(len(content)),
            "Content-Digest": "sha-256=:" + "A" * 43 + "=:",
        },
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "chunk_digest")
    assert at_central(rig, content) == have
    rig.proxy.use(Fault())
    assert tablet.sync(sending(1)).error == "" and at_central(rig, content) == content
