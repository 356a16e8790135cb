"""Bundles: a closed file carries what waits; whatever befalls it on the way, nothing is lost, doubled or half kept."""

import hashlib
import io
import json
import random
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyrage
import pytest
from sqlalchemy import text

from collector.clock import now_ms
from collector.db import writing
from collector.problems import ProblemError
from collector.queries import blobs, bundles, nodes, store
from collector.queries.records import ingest
from sync import bundle_format, keys
from sync.batches import inflate, read_batch
from sync.blobs import catch_up
from sync.bundle_import import Imported, import_bundle
from sync.bundle_receipts import Cleared, take_receipt, write_receipt
from sync.bundles import Lock, Written, _Source, _write_file, export_bundle, lock_for
from sync.carried import take_file
from sync.statements import make_tombstone
from tests.sync.conftest import Node

PASSPHRASE = "tres palabras cualquiera"
TABLES = ("record", "quarantine", "cursor", "log", "blob", "blob_chunk", "receipt", "node")


@dataclass
class Trip:
    """A tablet enrolled at central, with a folder for what is carried."""

    central: Node
    tablet: Node
    file: Path

    def export(self, node: Node | None = None, **given: Any) -> Written:
        sender = node or self.tablet
        lock = lock_for(sender.engine, given.pop("recipient", ""), given.pop("passphrase", ""))
        return export_bundle(sender.engine, self.file, lock, now_ms(), **given)

    def bring(self, node: Node | None = None, passphrase: str = "") -> Imported:
        with self.file.open("rb") as file:
            return import_bundle((node or self.central).engine, file, now_ms(), passphrase=passphrase)

    def opened(self) -> bytes:
        """Return the content, as any tool that knows age gives it."""
        identity = pyrage.x25519.Identity.from_str(self.central.fact("age_identity"))
        return bytes(pyrage.decrypt(self.file.read_bytes(), [identity]))

    def close_again(self, content: bytes) -> None:
        recipient = pyrage.x25519.Recipient.from_str(self.tablet.fact("central_key"))
        self.file.write_bytes(pyrage.encrypt(content, [recipient]))


@pytest.fixture
def trip(make_node: Callable[..., Node], tmp_path: Path) -> Trip:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return Trip(central, tablet, tmp_path / "viaje.cbundle")


def everything(node: Node) -> list[list[tuple[Any, ...]]]:
    return [sorted(node.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES]


def refusal(take: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        take()
    assert caught.value.sentence("es") and caught.value.sentence("en")
    return caught.value.problem.code


def refusal_of_file(node: Node, content: bytes) -> str:
    return refusal(lambda: take_file(node.engine, io.BytesIO(content), now_ms()))


def bodies(node: Node) -> dict[str, str]:
    return dict(node.rows("SELECT id, body FROM record"))  # type: ignore[arg-type]


def receipt_of(taken: Imported) -> bytes:
    assert taken.receipt is not None
    return write_receipt(taken.receipt)


def capture_with_file(node: Node, content: bytes, keep: bool = True) -> str:
    """Store a record that names a file, and the file unless it is still on its way; return the file's hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    entry = {"name": f"foto-{sha256[:6]}.jpg", "sha256": sha256, "bytes": len(content), "type": "image/jpeg"}
    node.capture(blobs=[entry])
    if keep:
        add_file(node, content)
    return sha256


def add_file(node: Node, content: bytes) -> None:
    catch_up(node.engine)
    sha256 = hashlib.sha256(content).hexdigest()
    with writing(node.engine) as session:
        for at in range(0, len(content), 200_000):
            blobs.add_part(session, sha256, at, len(content), content[at : at + 200_000])


def parts_of(content: bytes) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Give (part, where it begins, where it ends) of an opened bundle."""
    first, _, _ = content.partition(b"\n")
    at = len(first) + 1
    for part in json.loads(first)["parts"]:
        yield part, at, at + part["bytes"]
        at += part["bytes"]


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


# --- damaged on the way


def test_a_file_cut_anywhere_is_refused_and_nothing_is_kept(trip: Trip) -> None:
    trip.tablet.capture(40)
    capture_with_file(trip.tablet, random.Random(2).randbytes(150_000))
    trip.export()
    whole = trip.file.read_bytes()
    before = everything(trip.central)
    head = len(whole) - len(trip.opened()) - 16 * -(-len(trip.opened()) // 65536)  # of age, with its nonce
    boundaries = [head + end + 16 * (end // 65536) for _, _, end in parts_of(trip.opened())][:-1]
    chance = random.Random(3)
    cuts = {
        0,
        1,
        21,
        22,
        head - 1,
        head,
        len(whole) - 1,
        *boundaries,
        *(chance.randrange(len(whole)) for _ in range(60)),
    }
    for cut in sorted(cuts):
        code = refusal_of_file(trip.central, whole[:cut])
        assert code in (("bundle_damaged",) if cut > 21 else ("bundle_unknown",)), cut
    assert everything(trip.central) == before
    assert trip.bring().stored == 41


def test_a_file_with_one_wrong_bit_is_refused_and_nothing_is_kept(trip: Trip) -> None:
    trip.tablet.capture(60)
    trip.export()
    whole = trip.file.read_bytes()
    before = everything(trip.central)
    codes = set()
    for at in range(0, len(whole), 64):
        wrong = bytearray(whole)
        wrong[at] ^= 1 << at // 64 % 8
        codes.add(refusal_of_file(trip.central, bytes(wrong)))
    assert codes <= {"bundle_unknown", "bundle_damaged", "bundle_other_key"} and "bundle_damaged" in codes
    assert everything(trip.central) == before


def test_content_that_is_not_what_its_manifest_says_is_refused_whole(trip: Trip) -> None:
    trip.tablet.capture(700)
    capture_with_file(trip.tablet, random.Random(4).randbytes(300_000))
    trip.export()
    content = trip.opened()
    before = everything(trip.central)
    ends = [end for _, _, end in parts_of(content)]
    begins = [begin for _, begin, _ in parts_of(content)]
    cut = [content[:end] for end in [0, 5, *begins, *(end - 1 for end in ends), ends[0] + 100]]
    flipped = [content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :] for at in begins + [end - 1 for end in ends]]
    for wrong in [*cut, *flipped, content + b"x", content.replace(b'"collector-bundle"', b'"otra-cosa"', 1)]:
        trip.close_again(wrong)
        assert refusal(trip.bring) in ("bundle_damaged", "bundle_unknown")
    trip.close_again(content.replace(b'"collector-bundle":1', b'"collector-bundle":2', 1))
    assert refusal(trip.bring) == "bundle_newer"
    assert everything(trip.central) == before


@pytest.mark.parametrize("key", ["id", "from", "epoch", "after", "upto", "records", "public_key", "secret", "parts"])
def test_a_manifest_without_what_it_must_say_is_refused(key: str) -> None:
    part = {"kind": "blob", "bytes": 1, "sha256": "0" * 64}
    said = {
        "collector-bundle": 1, "id": "a", "from": "b", "name": "", "epoch": "c", "after": 0, "upto": 1, "records": 1,
        "made": "", "public_key": "A" * 43, "secret": "s", "parts": [part], "later": {"is": "ignored"},
    }  # fmt: skip
    assert bundle_format.read_manifest(json.dumps(said).encode()).id == "a"
    for wrong in ({k: v for k, v in said.items() if k != key}, said | {key: None}, said | {key: ["x"]}):
        line = json.dumps(wrong).encode()
        assert refusal(partial(bundle_format.read_manifest, line)) == "bundle_damaged"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hola",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        b"[1, 2]",
        b"{" * 5000,
        b"{}",
        b'{"id": 4',
        b"\xff\xfe{",
        b"\n\n",
    ],
)
def test_another_kind_of_file_gets_a_sentence(make_node: Callable[..., Node], content: bytes) -> None:
    node = make_node()
    before = everything(node)
    assert refusal_of_file(node, content) == "bundle_unknown"
    assert everything(node) == before


def test_a_bundle_signed_by_another_key_is_refused_whole(trip: Trip) -> None:
    trip.tablet.capture(600)
    trip.export()
    content = trip.opened()
    [first, second] = [part["signature"] for part, _, _ in parts_of(content)]
    before = everything(trip.central)
    trip.close_again(content.replace(second.encode(), first.encode(), 1))
    assert refusal(trip.bring) == "bundle_unsigned"
    with writing(trip.tablet.engine) as session:  # another key, with which it never enrolled
        store.set_fact(session, "signing_key", "11" * 32)
    trip.export()
    assert refusal(trip.bring) == "bundle_unsigned"
    assert everything(trip.central) == before


# --- whose it is


def test_a_bundle_for_central_does_not_open_at_a_hub(trip: Trip, make_node: Callable[..., Node]) -> None:
    hub = make_node("municipio")
    hub.enrol_at(trip.central)
    trip.tablet.capture(3)
    trip.export()
    before = everything(hub)
    assert refusal(lambda: trip.bring(hub)) == "bundle_for_central"
    assert everything(hub) == before


def test_another_central_says_that_the_key_is_not_its_own(trip: Trip, make_node: Callable[..., Node]) -> None:
    trip.tablet.capture(3)
    trip.export()
    assert refusal(lambda: trip.bring(make_node("otra"))) == "bundle_other_key"


def test_a_hub_takes_a_bundle_and_passes_it_on_but_is_not_central(trip: Trip, make_node: Callable[..., Node]) -> None:
    hub = make_node("municipio")
    hub.enrol_at(trip.central)
    trip.tablet.capture(6)
    trip.export(passphrase=PASSPHRASE)
    taken = trip.bring(hub, PASSPHRASE)
    assert (taken.stored, taken.is_known) == (6, False)
    cleared = take_receipt(trip.tablet.engine, receipt_of(taken), now_ms())
    assert (cleared.is_central, cleared.records, cleared.node) == (False, 6, hub.id)
    assert trip.tablet.status().counts.central == 0
    assert hub.sync().sent == 6
    assert trip.tablet.sync().duplicates == 6
    assert bodies(trip.central) == bodies(trip.tablet)
    assert trip.tablet.status().counts.central == 6


def test_a_computer_that_stands_alone_does_not_pass_for_central(trip: Trip, make_node: Callable[..., Node]) -> None:
    alone = make_node("portátil")
    trip.tablet.capture(6)
    trip.export(passphrase=PASSPHRASE)
    taken = trip.bring(alone, PASSPHRASE)
    assert taken.receipt is not None and taken.receipt["central"] is True
    assert not take_receipt(trip.tablet.engine, receipt_of(taken), now_ms()).is_central
    assert trip.tablet.status().counts.central == 0


def test_a_node_that_is_not_enrolled_here_is_taken_and_its_way_is_kept(
    trip: Trip, make_node: Callable[..., Node]
) -> None:
    stranger = make_node("forastera")
    ids = stranger.capture(2)
    trip.export(stranger, recipient=trip.tablet.fact("central_key"))
    taken = trip.bring()
    assert (taken.stored, taken.is_known, taken.name) == (2, False, "forastera")
    assert set(trip.central.rows("SELECT origin FROM record")) == {(stranger.id,)}
    assert trip.central.ids() == sorted(ids)


def test_what_a_revoked_node_sends_is_kept_apart(trip: Trip) -> None:
    trip.tablet.capture(4)
    trip.export()
    with writing(trip.central.engine) as session:
        nodes.revoke_node(session, trip.tablet.id, now_ms())
    taken = trip.bring()
    assert (taken.stored, taken.quarantined, taken.is_revoked) == (0, 4, True)
    assert trip.central.rows("SELECT DISTINCT why FROM quarantine") == [("revoked_node",)]
    assert trip.central.ids() == []


def test_a_node_does_not_take_its_own_bundle(trip: Trip) -> None:
    trip.tablet.capture(1)
    trip.export(passphrase=PASSPHRASE)
    assert refusal(lambda: trip.bring(trip.tablet, PASSPHRASE)) == "bundle_own"


# --- passphrases and keys


def test_a_passphrase_opens_the_file_and_another_one_does_not(trip: Trip) -> None:
    trip.tablet.capture(2)
    assert refusal(lambda: trip.export(passphrase="corta")) == "bundle_short_passphrase"
    trip.export(passphrase=PASSPHRASE)
    before = everything(trip.central)
    assert refusal(trip.bring) == "bundle_needs_passphrase"
    assert refusal(lambda: trip.bring(passphrase="otras tres palabras")) == "bundle_wrong_passphrase"
    whole = trip.file.read_bytes()
    trip.file.write_bytes(whole[:-3])
    assert refusal(lambda: trip.bring(passphrase=PASSPHRASE)) == "bundle_damaged"
    assert everything(trip.central) == before
    trip.file.write_bytes(whole)
    assert trip.bring(passphrase=PASSPHRASE).stored == 2


def test_a_node_that_does_not_know_central_or_has_none_asks_for_a_passphrase(trip: Trip) -> None:
    trip.tablet.capture(1)
    with writing(trip.tablet.engine) as session:
        store.set_fact(session, "central_key", "")
    assert refusal(trip.export) == "bundle_no_key"
    assert refusal(lambda: trip.export(recipient="age1nada")) == "bundle_bad_key"
    assert refusal(lambda: trip.export(trip.central)) == "bundle_at_central"


# --- receipts


@pytest.mark.parametrize(
    "change", [{"central": True, "upto": 99}, {"counts": {"stored": 4}}, {"mac": "0" * 64}, {"mac": 5}, {"files": []}]
)
def test_a_receipt_that_somebody_wrote_changes_nothing(trip: Trip, change: dict[str, Any]) -> None:
    capture_with_file(trip.tablet, b"foto" * 2000)
    trip.export()
    receipt = json.loads(receipt_of(trip.bring()))
    before = everything(trip.tablet)
    assert refusal(lambda: take_receipt(trip.tablet.engine, json.dumps(receipt | change).encode(), now_ms())) == (
        "receipt_forged"
    )
    assert refusal(lambda: take_receipt(trip.central.engine, json.dumps(receipt).encode(), now_ms())) == (
        "receipt_unknown"
    )
    assert everything(trip.tablet) == before
    assert take_receipt(trip.tablet.engine, json.dumps(receipt, indent=4).encode(), now_ms()).is_central


# --- files of answers


def test_files_of_answers_travel_along_and_the_receipt_says_so(trip: Trip) -> None:
    photo, late = random.Random(5).randbytes(700_000), b"todavia en el telefono"
    sha256 = capture_with_file(trip.tablet, photo)
    missing = capture_with_file(trip.tablet, late, keep=False)
    assert trip.export().files == 1
    taken = trip.bring()
    assert (taken.files, taken.missing) == ([sha256], [missing])
    with writing(trip.central.engine) as session:
        assert blobs.read_part(session, sha256, 0, len(photo)) == photo
    cleared = take_receipt(trip.tablet.engine, receipt_of(taken), now_ms())
    assert (cleared.files, cleared.missing) == (1, 1)
    with writing(trip.tablet.engine) as session:
        assert bundles.list_files(session, 99, everything=False) == []
        assert [size for _, size in bundles.list_files(session, 99, everything=True)] == [700_000]
    add_file(trip.tablet, late)  # it comes later, and goes by the next bundle although its record is there
    assert (trip.export().records, trip.export().files) == (0, 1)
    assert trip.bring().files == [missing]


def test_half_a_file_that_came_by_the_line_is_completed_by_the_bundle(trip: Trip) -> None:
    photo = random.Random(6).randbytes(600_000)
    sha256 = capture_with_file(trip.tablet, photo)
    trip.export()
    trip.central.capture_bodies([body for (body,) in trip.tablet.rows("SELECT body FROM record")])
    catch_up(trip.central.engine)
    with writing(trip.central.engine) as session:
        blobs.add_part(session, sha256, 0, len(photo), photo[:300_001])
    assert trip.bring().files == [sha256]
    assert trip.bring().files == [sha256]
    with writing(trip.central.engine) as session:
        assert blobs.read_part(session, sha256, 0, len(photo)) == photo


def test_files_that_do_not_fit_stay_for_the_next_one(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.bundles.MAX_BUNDLE_BYTES", 100_000)
    small, large = random.Random(7).randbytes(50_000), random.Random(8).randbytes(90_000)
    capture_with_file(trip.tablet, large)
    capture_with_file(trip.tablet, small)
    written = trip.export()
    assert (written.records, written.files, written.left_files) == (2, 1, 1)
    assert trip.bring().missing == [hashlib.sha256(large).hexdigest()]


# --- the disk


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "lleno.cbundle"
    lock = Lock(str(pyrage.x25519.Identity.generate().to_public()))
    content = random.Random(9).randbytes(400_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        code = refusal(lambda: _write_file(path, lock, _Source(iter([content]))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == "bundle_no_space"
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_could_not_be_written_is_not_listed_as_sent(trip: Trip) -> None:
    trip.tablet.capture(1)
    trip.file = trip.file.parent / "no-existe" / "viaje.cbundle"
    with pytest.raises(FileNotFoundError):
        trip.export()
    assert trip.tablet.rows("SELECT id FROM bundle_sent") == []
    assert trip.tablet.sync().sent == 1
