"""Lines that are cut after every byte, reset, slow, late, or belong to a portal: nothing lost, nothing doubled."""

import json
import secrets
import time

import pytest

from sync.push import SyncState
from tests.faults.cuts import DOWN, RECORDS, UP, cut_answers, cut_requests, sweep
from tests.faults.proxy import Fault
from tests.faults.rig import Rig, Tablet

PAGE = b"<html><title>Wi-Fi</title><form>Acepte las condiciones</form></html>"


def answer(status: str, media_type: str = "text/html", body: bytes = PAGE, *fields: str) -> bytes:
    """Return an answer as it is on the line."""
    length = (f"Content-Length: {len(body)}",) if not status.startswith("204") else ()
    head = (f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *length, "Connection: close", *fields)
    return "\r\n".join((*head, "", "")).encode() + (body if length else b"")


PORTALS = {
    "200 HTML": answer("200 OK"),
    "200 HTML with our header": answer("200 OK", "text/html", PAGE, "X-Collector: 1"),
    "200 JSON": answer("200 OK", "application/json", b'{"login":true}'),
    "302": answer("302 Found", "text/html", b"", "Location: http://portal.lan/login"),
    "204": answer("204 No Content"),
    "403 page": answer("403 Forbidden"),
    "511": answer("511 Network Authentication Required"),
    "503 page": answer("503 Service Unavailable"),
    "no HTTP at all": b"\x00\x16\x03 go away\r\n\r\n",
}


def synced(rig: Rig) -> tuple[Tablet, SyncState]:
    """Return a tablet that has sent all it had and would now send batches without asking."""
    tablet, state = rig.tablet(), SyncState()
    tablet.capture(1)
    assert tablet.sync(state).error == ""
    return tablet, state


def test_a_request_cut_after_any_byte_is_kept_whole_or_not_at_all(rig: Rig) -> None:
    assert cut_requests(rig).cuts > 600


def test_an_answer_cut_after_any_byte_leaves_the_batch_stored_once(rig: Rig) -> None:
    found = cut_answers(rig)
    assert found.cuts > 300 and found.stored == found.cuts


def test_an_exchange_of_three_batches_cut_anywhere_sends_at_most_one_of_them_twice(rig: Rig) -> None:
    assert sweep(rig, UP, every=307, batches=3).cuts >= 7
    assert sweep(rig, DOWN, every=307, batches=3, resets=True).stored >= 3


def test_a_line_reset_in_the_middle_is_no_different_from_one_cut(rig: Rig) -> None:
    assert sweep(rig, UP, every=197, resets=True).cuts >= 3


@pytest.mark.parametrize("says", PORTALS.values(), ids=PORTALS)
def test_what_a_portal_answers_marks_nothing_as_sent(rig: Rig, says: bytes) -> None:
    tablet, warm = synced(rig)
    ids = tablet.capture(3)
    for state in (warm, SyncState()):  # the batch itself is answered, then the hello
        rig.proxy.use(Fault(says=says))
        result = tablet.sync(state)
        assert result.error in ("upstream_strange", "upstream_busy", "upstream_unreachable") and not result.sent
        counts = tablet.status().counts
        assert (counts.central, counts.saved) == (1, 3)
        assert len(rig.at_central()) == 1
    rig.proxy.use(Fault())
    assert tablet.sync(warm).error == "" and set(ids) < set(rig.at_central())
    assert tablet.status().counts.central == 4


@pytest.mark.parametrize("wrong", ["batch", "node", "epoch", "cursor"])
def test_an_answer_that_does_not_echo_what_was_sent_marks_nothing(rig: Rig, wrong: str) -> None:
    tablet, state = synced(rig)
    told = {"batch": "x", "node": tablet.fact("node_id"), "epoch": tablet.fact("epoch"), "cursor": 99, "central": True}
    told[wrong] = "otro"
    body = json.dumps(told | {"outcomes": {}}).encode()
    tablet.capture(3)
    rig.proxy.use(Fault(says=answer("200 OK", "application/json", body, "X-Collector: 1")))
    assert tablet.sync(state).error == "upstream_strange"
    assert (tablet.status().counts.central, tablet.status().counts.saved) == (1, 3)


def test_a_line_of_2_kilobytes_a_second_brings_everything(rig: Rig) -> None:
    tablet, state = synced(rig)
    ids = [tablet.capture(1, answers={"nota": secrets.token_hex(100)})[0] for _ in range(15)]
    started = time.monotonic()
    rig.proxy.use(Fault(bytes_per_second=2_000, delay_seconds=0.02))
    assert tablet.sync(state).error == ""
    assert set(ids) < set(rig.at_central()) and tablet.status().counts.central == 16
    assert time.monotonic() - started > rig.proxy.up / 2_000 > 1, "the line was not slow"


def test_a_slow_line_cut_again_and_again_gets_on_a_batch_at_a_time(rig: Rig) -> None:
    tablet, state = synced(rig)
    ids = tablet.capture(8 * RECORDS)
    for _ in range(8):  # each call gets through with one batch, and loses the next one in its middle
        state.records = state.most_records = RECORDS
        before = len(rig.at_central())
        rig.proxy.use(Fault(up_bytes=1_500))
        tablet.sync(state)
        assert len(rig.at_central()) > before
        if len(rig.at_central()) == len(ids) + 1:
            break
    rig.proxy.use(Fault())
    assert tablet.sync(state).error == "" and sorted(rig.at_central()) == sorted(tablet.ids())
