"""Files of answers travel in bundles too; a disk without space leaves no half bundle."""

import hashlib
import random
import resource
from pathlib import Path

import pyrage
import pytest

from collector.clock import now_ms
from collector.db import writing
from collector.queries import blobs, bundles
from sync.blobs import catch_up
from sync.bundle_receipts import take_receipt
from sync.bundles import Lock, _Source, _write_file
from tests.sync.bundles.conftest import Trip, add_file, capture_with_file, receipt_of, refusal

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
