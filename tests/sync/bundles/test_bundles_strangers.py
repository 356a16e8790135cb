"""Whose a bundle and a receipt are: who may open the file, who is believed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector.clock import now_ms
from collector.db import writing
from collector.queries import nodes, store
from sync.bundle_receipts import take_receipt
from tests.sync.bundles.conftest import PASSPHRASE, Trip, bodies, capture_with_file, everything, receipt_of, refusal
from tests.sync.conftest import Node

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


@pytest.mark.one_database
def test_a_node_does_not_take_its_own_bundle(trip: Trip) -> None:
    trip.tablet.capture(1)
    trip.export(passphrase=PASSPHRASE)
    assert refusal(lambda: trip.bring(trip.tablet, PASSPHRASE)) == "bundle_own"


# --- passphrases and keys


@pytest.mark.one_database
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
