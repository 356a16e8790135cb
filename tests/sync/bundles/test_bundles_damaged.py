"""A bundle that was cut, changed, forged or is none: refused whole, and nothing of it is kept."""

import json
import random
from collections.abc import Callable
from functools import partial

import pytest

from collector.db import writing
from collector.queries import store
from sync import bundle_format
from tests.sync.bundles.conftest import Trip, capture_with_file, everything, parts_of, refusal, refusal_of_file
from tests.sync.conftest import Node


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
