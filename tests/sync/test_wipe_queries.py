"""What wiping and the fleet's pages ask of the store, on both databases."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx

from collector.clock import now_ms
from collector.db import reading, writing
from collector.fleet.status import whole_status
from collector.fleet.wiping import WipeReport, check_wipe
from collector.queries import fleet_nodes, nodes
from collector.queries.waiting import FileCounts
from tests.sync.conftest import Node
from tests.sync.test_sync_blobs import entry, name_in_a_record, photo, upload

MakeNode = Callable[..., Node]


def asked(node: Node) -> WipeReport:
    with httpx.Client(trust_env=False) as http:
        return check_wipe(node.engine, http)


def files(node: Node) -> FileCounts:
    with reading(node.engine) as session:
        return whole_status(session).files


def test_each_reason_is_told_from_the_store_and_vanishes_with_it(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    whole, partial = photo(5_000), photo(6_000, seed=2)
    record_id = name_in_a_record(tablet, whole, partial)
    upload(tablet, whole)
    first = asked(tablet)
    assert dict(first.reasons) == {"not_sent": 1, "file_missing": 1, "incomplete": 1}
    assert {it.file.name for it in first.listed_files} == {"foto-0.jpg", "foto-1.jpg"}
    assert {it.file.record_id for it in first.listed_files} == {record_id}
    assert files(tablet) == FileCounts(1, 0, 0, 1, 1)
    tablet.sync()
    assert dict(asked(tablet).reasons) == {"incomplete": 1}
    upload(tablet, partial)
    tablet.sync()
    last = asked(tablet)
    assert last.is_proven and (last.entries, last.files) == (1, 2)
    assert files(tablet) == FileCounts(0, 0, 2, 2, 0)
    assert files(central) == FileCounts(0, 0, 2, 2, 0)


def test_two_contents_of_one_id_are_told_apart_by_their_hash(
    make_node: MakeNode, make_content: Callable[..., dict[str, Any]], make_body: Callable[..., str]
) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    content = make_content()
    bodies = [make_body(**content), make_body(**{**content, "answers": {"agua": "nunca"}})]
    for body in bodies:
        tablet.capture_bodies([body])
    found = asked(tablet).listed
    assert [it.entry.is_apart for it in found] == [False, True]
    assert [it.entry.sha256 for it in found] == [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
    tablet.sync()
    assert asked(tablet).is_proven


def test_a_node_is_known_renamed_and_counted(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    tablet.capture(2, blobs=[entry(photo(5_000))])
    tablet.sync()
    with writing(tablet.engine) as session:
        nodes.start_epoch(session)
    tablet.sync()
    with writing(central.engine) as session:
        fleet_nodes.rename_node(session, tablet.id, "Tableta 3")
        nodes.revoke_node(session, tablet.id, now_ms())
    tablet.capture(3)
    tablet.sync()
    with reading(central.engine) as session:
        known = fleet_nodes.known_node(session, tablet.id)
    assert (known.name, known.lives, known.kept_apart) == ("Tableta 3", 2, 3)
    assert known.revoked_ms is not None
