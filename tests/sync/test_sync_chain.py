"""Tablet -> hub -> central: conflicts, unusable records, receipts, forms, and stores put back to old copies."""

import itertools
import json
import shutil
from collections.abc import Callable

import pytest

from collector.db import writing
from collector.queries import nodes, receipts
from sync.push import SyncState
from sync.records import canonical_bytes
from tests.sync.conftest import Node, chain, record_content

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def states(node: Node) -> tuple[int, int, int]:
    counts = node.status().counts
    return counts.saved, counts.sent, counts.central


def test_receipts_reach_the_tablet_through_the_hub(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture(3)
    tablet.sync()
    assert (states(tablet), states(hub)) == ((0, 3, 0), (3, 0, 0))
    tablet.sync()
    assert states(tablet) == (0, 3, 0)  # the hub's own word is no receipt
    hub.sync()
    assert states(hub) == (0, 0, 3)
    assert tablet.sync().receipts == 3
    assert states(tablet) == (0, 0, 3)
    tablet.capture(2)
    for node in (tablet, hub, tablet):
        node.sync()
    assert (states(tablet), states(hub), states(central)) == ((0, 0, 5), (0, 0, 5), (0, 0, 5))


def test_a_warm_tablet_learns_its_receipts_while_idle(make_node: MakeNode) -> None:
    tablet, hub, _ = chain(make_node)
    state = SyncState()
    tablet.capture(1)
    tablet.sync(state)
    hub.sync()
    tablet.sync(state)
    assert states(tablet) == (0, 0, 1)


def test_more_receipts_than_a_page_are_all_relayed(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.limits.MAX_RECEIPTS", 8)  # pages end amid equal times
    monkeypatch.setattr(receipts, "RECEIPT_PAGE", 5)
    tablet, hub, _ = chain(make_node)
    tablet.capture(47)
    hub.capture(9)  # of which the tablet knows nothing
    for node in (tablet, hub, tablet):
        node.sync()
    assert states(tablet) == (0, 0, 47)
    assert len(tablet.rows("SELECT id FROM receipt")) == 47


def test_a_clock_set_back_does_not_hide_receipts(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    tablet, hub, _ = chain(make_node)
    tablet.capture(1)
    for node in (tablet, hub, tablet):
        node.sync()
    monkeypatch.setattr("tests.sync.conftest.now_ms", lambda: 1_000_000_000_000)
    tablet.capture(1)
    for node in (tablet, hub, tablet):
        node.sync()
    assert states(tablet) == (0, 0, 2)


def two_variants(make_body: MakeBody) -> tuple[str, str]:
    first = record_content()
    other = {**first, "answers": {"agua": "nunca"}}
    return canonical_bytes(first).decode(), canonical_bytes(other).decode()


def test_same_id_with_other_bytes_is_kept_twice_all_the_way_up(make_node: MakeNode, make_body: MakeBody) -> None:
    tablet, hub, central = chain(make_node)
    second_tablet = make_node("tableta 2")
    second_tablet.enrol_at(hub)
    first, other = two_variants(make_body)
    tablet.capture_bodies([first])
    second_tablet.capture_bodies([other])
    assert tablet.sync().quarantined == 0
    assert second_tablet.sync().quarantined == 1
    hub.sync()
    for node in (hub, central):
        assert node.rows("SELECT body, state FROM record") == [(first, "contested")]
        assert node.rows("SELECT body, why FROM quarantine") == [(other, "conflict")]
    tablet.sync()
    second_tablet.sync()
    assert states(tablet) == states(second_tablet) == (0, 0, 1)
    assert central.status().counts.quarantined == 1


def test_every_order_of_arrival_keeps_the_same_set(make_node: MakeNode, make_body: MakeBody) -> None:
    first, other = two_variants(make_body)
    good = make_body()
    held = set()
    for order in itertools.permutations([first, other, good]):
        node = make_node()
        node.capture_bodies(list(order))
        rows = node.rows("SELECT body FROM record UNION ALL SELECT body FROM quarantine")
        usable = node.rows("SELECT body FROM record WHERE state = 'usable'")
        held.add((frozenset(rows), frozenset(usable)))
    assert held == {(frozenset([(first,), (other,), (good,)]), frozenset([(good,)]))}


def test_unusable_records_travel_up_and_get_their_receipt(make_node: MakeNode, make_body: MakeBody) -> None:
    tablet, hub, central = chain(make_node)
    bodies = ['{"id":"x"}', json.dumps(json.loads(make_body())), '{"a":' + "[" * 9000 + "]" * 9000 + "}"]
    tablet.capture_bodies([*bodies, make_body()])
    for node in (tablet, hub, tablet):
        node.sync()
    for node in (hub, central):
        assert {row[0] for row in node.rows("SELECT body FROM quarantine")} == set(bodies)
    assert states(tablet) == (0, 0, 4)
    assert tablet.status().counts.quarantined == 3


def test_hops_are_written_by_each_receiver(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    hub.capture(1)
    tablet.capture(1)
    tablet.sync()
    hub.sync()
    hops = {tuple(hop["node"] for hop in json.loads(via)) for (via,) in central.rows("SELECT via FROM record")}
    assert hops == {(hub.id,), (tablet.id, hub.id)}
    origins = set(central.rows("SELECT origin, origin_epoch, origin_n FROM record"))
    assert origins == {(hub.id, hub.fact("epoch"), 1), (tablet.id, tablet.fact("epoch"), 1)}


def test_three_nodes_that_push_round_in_a_circle_lose_nothing_and_say_loop(make_node: MakeNode) -> None:
    one, two, three = make_node("uno"), make_node("dos"), make_node("tres")
    one.enrol_at(two)
    two.enrol_at(three)
    three.enrol_at(one)
    ids = one.capture(2)
    assert (one.sync().error, two.sync().error) == ("", "")
    result = three.sync()
    assert (result.error, "loop" in result.reason) == ("upstream_refused", True)
    assert one.ids() == two.ids() == three.ids() == sorted(ids)


# --- old copies and restored stores


def copy_store(node: Node, target: str) -> None:
    node.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(node.file, node.file.with_name(target))


def put_back(node: Node, source: str) -> None:
    """Replace the store by an old copy, as a restored backup does; the address stays."""
    node.engine.dispose()
    for suffix in ("-wal", "-shm"):
        node.file.with_name(node.file.name + suffix).unlink(missing_ok=True)
    shutil.copy(node.file.with_name(source), node.file)


def test_central_put_back_to_an_old_copy_gets_everything_again(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture(2)
    for node in (tablet, hub):
        node.sync()
    copy_store(central, "old.db")
    tablet.capture(3)
    for node in (tablet, hub, tablet):
        node.sync()
    assert (states(tablet), len(central.ids())) == ((0, 0, 5), 5)
    put_back(central, "old.db")
    assert len(central.ids()) == 2
    hub.sync()
    assert central.ids() == tablet.ids()
    assert states(hub) == (0, 0, 5)
    tablet.sync()
    assert states(tablet) == (0, 0, 5)


def test_what_central_lost_is_not_called_received_any_more(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    copy_store(central, "old.db")
    tablet.capture(2)
    for node in (tablet, hub, tablet):
        node.sync()
    assert states(tablet) == (0, 0, 2)
    put_back(central, "old.db")
    state = SyncState(records=1, most_records=1)

    def refuse_batches() -> bool:
        return True  # the hub learns where central stands, and cannot send yet

    from sync.push import sync_once

    sync_once(hub.engine, hub.http, 1, hub.install, state, refuse_batches)
    assert states(hub) == (2, 0, 0)
    tablet.sync()
    assert states(tablet) == (0, 2, 0)


def test_a_tablet_put_back_to_an_old_copy_begins_a_new_epoch_and_loses_nothing(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    tablet.capture(4)
    tablet.sync()
    copy_store(tablet, "old.db")
    tablet.capture(6)
    tablet.sync()
    epoch = tablet.fact("epoch")
    put_back(tablet, "old.db")
    new = tablet.capture(9)  # numbers 5 to 13, of which central has heard 5 to 10 from the other life
    assert tablet.sync().error == ""
    assert tablet.sync().error == ""
    assert set(new) <= set(central.ids())
    assert len(central.ids()) == 10 + 9
    assert tablet.fact("epoch") != epoch
    assert states(tablet) == (0, 0, 13)


def test_two_clones_of_one_tablet_both_arrive_whole(make_node: MakeNode) -> None:
    central, tablet, clone = make_node("central"), make_node("tableta"), make_node("clon")
    tablet.enrol_at(central)
    tablet.capture(3)
    tablet.sync()
    copy_store(tablet, "copy.db")
    clone.engine.dispose()
    shutil.copy(tablet.file.with_name("copy.db"), clone.file)
    warm = {node.name: SyncState() for node in (tablet, clone)}
    made = set(tablet.ids())
    for _ in range(3):
        for node in (tablet, clone):
            made |= set(node.capture(2))
            assert node.sync(warm[node.name]).error == ""
    for node in (tablet, clone):
        node.sync(warm[node.name])
        assert states(node) == (0, 0, 9)
    assert set(central.ids()) == made
    assert len(made) == 15


def test_a_new_upstream_gets_everything_from_the_start(make_node: MakeNode) -> None:
    first, second, tablet = make_node("central"), make_node("otra central"), make_node("tableta")
    tablet.enrol_at(first)
    tablet.capture(3)
    tablet.sync()
    tablet.enrol_at(second)
    assert states(tablet) == (3, 0, 0)
    tablet.sync()
    assert second.ids() == first.ids()
    assert states(tablet) == (0, 0, 3)
    tablet.enrol_at(first)
    assert tablet.sync().sent == 0  # it still knows how far it had read
    assert states(tablet) == (0, 0, 3)


# --- forms


def test_forms_come_down_once_oldest_first(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    xforms = [central.publish("servicios", "2026.1", 1), central.publish("a b ñ", "1/2 ?", 2)]
    state = SyncState()
    assert tablet.sync(state).forms == 2
    assert tablet.installed == [(xforms[0], "servicios.xlsx"), (xforms[1], "a b ñ.xlsx")]
    assert (tablet.sync(state).forms, tablet.sync().forms) == (0, 0)
    xforms.append(central.publish("servicios", "2026.2", 3))
    assert tablet.sync(state).forms == 1
    assert tablet.installed[2:] == [(xforms[2], "servicios.xlsx")]


def test_a_form_that_cannot_be_installed_holds_up_nothing(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    bad = central.publish("mala", "1", 1)
    central.publish("no/cabe", "1", 2)
    good = central.publish("buena", "1", 3)
    tablet.refused = {bad}
    ids = tablet.capture(1)
    result = tablet.sync(SyncState())
    assert (result.forms, result.error, central.ids()) == (1, "", ids)
    assert [xform for xform, _ in tablet.installed] == [good]
    tablet.refused = set()
    assert (tablet.sync().forms, tablet.installed[-1][0]) == (1, bad)  # asked for again by the next process


def test_a_form_that_is_not_the_one_announced_is_not_installed(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    central.publish("servicios", "1", 1, sha256="0" * 64)
    assert tablet.sync().error == "upstream_strange"
    assert tablet.installed == []


def test_the_list_of_forms_answers_304_to_who_has_it(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    central.publish("servicios", "1", 1)
    with writing(tablet.engine) as session:
        upstream = nodes.get_upstream(session)
        assert upstream is not None
        headers = {"Authorization": f"Bearer {upstream.token}"}
    first = tablet.http.get(central.url + "/sync/v1/forms", headers=headers)
    [entry] = first.json()
    assert set(entry) == {"form_id", "version", "sha256", "title"}
    again = tablet.http.get(central.url + "/sync/v1/forms", headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    missing = tablet.http.get(central.url + "/sync/v1/forms/servicios/9", headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "form_not_found")
    assert tablet.http.get(central.url + "/sync/v1/forms").status_code == 401
