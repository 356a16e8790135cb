"""Bundles: a closed file carries what waits to central, and a receipt comes back; the line may be quicker."""

import hashlib
import io
import json
import random

from sqlalchemy import text

from collector.clock import now_ms
from collector.db import writing
from collector.queries import nodes
from collector.queries.records import ingest
from sync import keys
from sync.batches import inflate, read_batch
from sync.bundle_receipts import Cleared, take_receipt
from sync.carried import take_file
from sync.statements import make_tombstone
from tests.sync.bundles.conftest import Trip, bodies, capture_with_file, everything, parts_of, receipt_of, refusal

# --- the way there and back


def test_a_bundle_brings_every_record_to_central_byte_for_byte(trip: Trip) -> None:
    trip.tablet.capture(1203)
    written = trip.export()
    assert (written.records, written.upto, written.left_records) == (1203, 1203, 0)
    taken = trip.bring()
    assert (taken.stored, taken.duplicate, taken.quarantined) == (1203, 0, 0)
    assert (taken.node, taken.name, taken.is_known) == (trip.tablet.id, "tableta", True)
    assert bodies(trip.central) == bodies(trip.tablet)
    [(node, epoch, n)] = {
        (hop["node"], hop["epoch"], hop["n"] > 0)
        for (via,) in trip.central.rows("SELECT via FROM record")
        for hop in json.loads(via)
    }
    assert (node, epoch, n) == (trip.tablet.id, trip.tablet.fact("epoch"), True)


def test_after_the_receipt_the_tablet_says_received_at_central(trip: Trip) -> None:
    trip.tablet.capture(30)
    trip.export()
    taken = trip.bring()
    assert trip.tablet.status().counts.saved == 30  # nobody told it yet
    cleared = take_file(trip.tablet.engine, io.BytesIO(receipt_of(taken)), now_ms())
    assert isinstance(cleared, Cleared)
    assert (cleared.is_central, cleared.records, cleared.missing) == (True, 30, 0)
    counts = trip.tablet.status().counts
    assert (counts.saved, counts.sent, counts.central) == (0, 0, 30)
    [(cleared_ms,)] = trip.tablet.rows("SELECT cleared_ms FROM bundle_sent")
    assert cleared_ms is not None
    assert refusal(trip.export) == "bundle_nothing"
    trip.tablet.capture(2)
    assert (trip.export().after, trip.export(everything=True).records) == (30, 32)


def test_a_receipt_covers_what_the_bundle_held_and_nothing_that_came_later(trip: Trip) -> None:
    trip.tablet.capture(5)
    trip.export()
    trip.tablet.capture(4)
    take_receipt(trip.tablet.engine, receipt_of(trip.bring()), now_ms())
    assert trip.tablet.status().counts.central == 5


def test_a_receipt_still_holds_when_the_log_has_begun_a_new_epoch(trip: Trip) -> None:
    trip.tablet.capture(5)
    trip.export()
    with writing(trip.tablet.engine) as session:
        nodes.start_epoch(session)
    trip.tablet.capture(1)
    assert take_receipt(trip.tablet.engine, receipt_of(trip.bring()), now_ms()).is_central
    assert trip.tablet.status().counts.central == 5
    assert trip.tablet.sync().error == ""
    assert bodies(trip.central) == bodies(trip.tablet)


def test_the_file_opens_with_any_tool_of_the_age_format(trip: Trip) -> None:
    trip.tablet.capture(600)
    content = b"\xff\xd8" + random.Random(1).randbytes(500_000)
    capture_with_file(trip.tablet, content)
    trip.export()
    assert trip.file.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")
    opened = trip.opened()
    manifest = json.loads(opened.partition(b"\n")[0])
    assert (manifest["collector-bundle"], manifest["from"], manifest["records"]) == (1, trip.tablet.id, 601)
    found = list(parts_of(opened))
    assert [part["kind"] for part, _, _ in found] == ["batch", "batch", "blob"]
    assert found[-1][2] == len(opened)
    for part, begin, end in found:
        assert hashlib.sha256(opened[begin:end]).hexdigest() == part["sha256"]
    assert opened[found[2][1] :] == content
    batch = read_batch(inflate(opened[found[0][1] : found[0][2]]))
    assert (batch.header.sender, batch.header.after, batch.header.upto) == (trip.tablet.id, 0, 500)
    assert keys.is_signed(manifest["public_key"], "bundle", batch.first_line, found[0][0]["signature"])
    assert not keys.is_signed(manifest["public_key"], trip.central.id, batch.first_line, found[0][0]["signature"])


def test_nothing_that_people_said_can_be_read_in_the_file(trip: Trip) -> None:
    trip.tablet.capture(3, answers={"agua": "palabra-secreta"})
    trip.export()
    assert b"palabra-secreta" not in trip.file.read_bytes() and trip.tablet.id.encode() not in trip.file.read_bytes()
    assert sorted(path.name for path in trip.file.parent.glob(".*")) == []  # nothing half written either


# --- twice, and together with the line


def test_a_bundle_brought_twice_is_stored_once(trip: Trip) -> None:
    trip.tablet.capture(7)
    trip.export()
    trip.bring()
    before = trip.central.ids()
    again = trip.bring()
    assert (again.stored, again.duplicate) == (0, 7)
    assert trip.central.ids() == before
    assert take_receipt(trip.tablet.engine, receipt_of(again), now_ms()).is_central


def test_what_came_by_bundle_is_not_sent_again_by_the_line(trip: Trip) -> None:
    trip.tablet.capture(9)
    trip.export()
    trip.bring()
    epoch = trip.tablet.fact("epoch")
    trip.tablet.capture(1)
    result = trip.tablet.sync()
    assert (result.error, result.sent, result.duplicates) == ("", 1, 0)
    assert trip.tablet.fact("epoch") == epoch  # it does not take itself for a clone
    assert trip.tablet.status().counts.central == 10
    assert len(trip.central.ids()) == 10 and len(trip.central.rows("SELECT * FROM cursor")) == 1


def test_a_bundle_that_comes_after_the_line_changes_nothing(trip: Trip) -> None:
    trip.tablet.capture(9)
    trip.export()
    assert trip.tablet.sync().sent == 9
    before = everything(trip.central)
    taken = trip.bring()
    assert (taken.stored, taken.duplicate) == (0, 9)
    assert everything(trip.central) == before
    trip.tablet.capture(1)
    assert (trip.tablet.sync().error, len(trip.central.ids())) == ("", 10)


def test_a_bundle_that_begins_after_what_central_has_is_kept_all_the_same(trip: Trip) -> None:
    trip.tablet.capture(4)
    trip.export()
    take_receipt(trip.tablet.engine, receipt_of(trip.bring()), now_ms())
    with writing(trip.central.engine) as session:  # central is put back to before that bundle
        for table in ("record", "cursor"):
            session.connection().execute(text(f"DELETE FROM {table}"))
    trip.tablet.capture(3)
    assert trip.export().after == 4
    assert trip.bring().stored == 3
    assert trip.central.rows("SELECT n FROM cursor") == []
    assert trip.central.rows("SELECT alarm FROM node") == [("",)]
    result = trip.tablet.sync()
    assert (result.error, result.sent, result.duplicates) == ("", 7, 3)
    assert bodies(trip.central) == bodies(trip.tablet)


def test_a_history_that_changed_is_kept_and_raises_the_alarm(trip: Trip) -> None:
    trip.tablet.capture(2)
    trip.tablet.sync()
    with writing(trip.central.engine) as session:
        session.connection().execute(text("UPDATE cursor SET head = :head"), {"head": b"\1" * 32})
    trip.tablet.capture(3)
    trip.export()
    assert trip.bring().stored == 3
    assert trip.central.rows("SELECT n FROM cursor") == [(2,)]
    assert trip.central.rows("SELECT alarm FROM node") == [("history_changed",)]
    assert trip.tablet.sync().error == ""
    assert bodies(trip.central) == bodies(trip.tablet)


def test_an_erased_record_travels_as_its_hash_alone_and_the_chain_goes_on(trip: Trip) -> None:
    first, *_ = trip.tablet.capture(5, answers={"agua": "me arrepiento"})
    with writing(trip.tablet.engine) as session:
        ingest(session, [make_tombstone(first, "person", "la persona lo pidió")], now_ms())
    trip.export()
    assert first.encode() not in b"".join(
        inflate(trip.opened()[begin:end]).split(b"\n")[1] for _, begin, end in parts_of(trip.opened())
    )
    taken = trip.bring()
    assert taken.gone == 1 and first not in trip.central.ids()
    trip.tablet.capture(1)
    result = trip.tablet.sync()
    assert (result.error, result.sent) == ("", 1)
    assert trip.central.rows("SELECT alarm FROM node") == [("",)]
