"""Nodes that erase by their terms, each by itself and on its own day, and that go on talking to each other."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from sqlmodel import select

from collector.app import create_app
from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.queries import nodes
from collector.queries.erasures import erased_ids
from collector.queries.records import ingest
from collector.retention import Removed, Retention
from collector.retention_clock import DAY_MS
from collector.settings import Settings
from collector.tables.log import Record
from sync.loop import SyncLoop
from sync.push import SyncState, sync_once
from sync.records import canonical_bytes
from sync.statements import made
from tests.store.test_retention import NAME, answered, publish
from tests.sync.conftest import Node, chain

MakeNode = Callable[..., Node]
DIRECT_DAYS, RAW_DAYS = 10, 40


def forms_of(node: Node) -> FormStore:
    return publish(node.engine, retain_days_direct=str(DIRECT_DAYS), retain_days_raw=str(RAW_DAYS))


def body_of() -> str:
    return canonical_bytes(answered()).decode()


def live(node: Node, forms: FormStore, first: int, last: int) -> list[Removed]:
    retention, began = Retention(node.engine, forms), now_ms()
    return [removed for day in range(first, last + 1) for removed in retention.run(began + day * DAY_MS)]


def contents(node: Node) -> list[tuple[object, ...]]:
    return node.rows("SELECT id, state, term, body FROM record ORDER BY id")


def spread(tablet: Node, hub: Node) -> None:
    """Let everything arrive, and the word of it come back."""
    for node in (tablet, hub, tablet):
        assert node.sync().error == ""


def test_all_nodes_of_a_chain_come_to_the_same_by_themselves(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture_bodies([body_of() for _ in range(3)])
    spread(tablet, hub)
    for node in (central, tablet, hub):
        forms = forms_of(node)
        assert live(node, forms, 1, DIRECT_DAYS) == [Removed("quejas", "direct", 3)]
        assert not any(NAME in str(row) for row in contents(node))
    assert contents(tablet) == contents(hub) == contents(central)
    spread(tablet, hub)
    tablet.capture()
    spread(tablet, hub)
    assert len(contents(central)) == 4
    assert [node.rows("SELECT id FROM quarantine") for node in (tablet, hub, central)] == [[], [], []]
    assert [node.rows("SELECT alarm FROM node WHERE alarm <> ''") for node in (hub, central)] == [[], []]


def test_a_tablet_that_nobody_confirmed_keeps_what_it_has_and_sends_it_whole(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture_bodies([body_of()])
    forms = forms_of(tablet)
    assert live(tablet, forms, 1, 2 * RAW_DAYS) == []
    spread(tablet, hub)
    assert NAME in str(contents(central))
    assert [it.stage for it in live(tablet, forms, 2 * RAW_DAYS, 2 * RAW_DAYS)] == ["raw"]
    assert NAME in str(contents(central))  # it came there only now


def test_what_is_sent_once_more_after_its_term_is_no_news_anywhere(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture_bodies([body_of(), body_of()])
    spread(tablet, hub)
    live(central, forms_of(central), 1, DIRECT_DAYS)
    before = contents(central)
    with writing(hub.engine) as session:  # whole on the hub, without its direct answers at central
        nodes.start_epoch(session)
    assert hub.sync().error == ""
    live(hub, forms_of(hub), 1, DIRECT_DAYS)
    with writing(hub.engine) as session:  # now it has to send lines of what is gone
        nodes.start_epoch(session)
    spread(tablet, hub)
    assert contents(central) == before
    assert central.rows("SELECT id FROM quarantine") == []


def test_a_browser_learns_that_a_term_erased_its_record(make_node: MakeNode) -> None:
    central = make_node("central")
    ids = central.capture_bodies([body_of()])
    live(central, forms_of(central), 1, RAW_DAYS)
    with reading(central.engine) as session:
        assert erased_ids(session, ids) == ids


def test_hello_tells_a_node_whether_its_clock_agrees(make_node: MakeNode) -> None:
    tablet, hub, _central = chain(make_node)
    tablet.sync()
    at_ms, ahead_ms = (int(part) for part in tablet.fact("terms_upstream").split())
    assert abs(at_ms - now_ms()) < 60_000 and abs(ahead_ms) < 60_000
    assert hub.fact("terms_upstream") == ""


def test_a_clock_that_was_set_asks_the_upstream_again(make_node: MakeNode) -> None:
    tablet, hub = make_node("tableta"), make_node("central")
    tablet.enrol_at(hub)
    state, today = SyncState(), now_ms()

    def told(at_ms: int) -> int:
        assert sync_once(tablet.engine, tablet.http, at_ms, tablet.install, state).error == ""
        return round(int(tablet.fact("terms_upstream").split()[1]) / DAY_MS)

    assert [told(today + days * DAY_MS) for days in (0, 0, 30, 30, -3, 0)] == [0, 0, 30, 30, -3, 0]


def test_the_loop_does_what_is_due_and_goes_on_when_that_fails(make_node: MakeNode) -> None:
    node, done = make_node(), Event()
    rounds: list[int] = []

    def chores() -> None:
        rounds.append(1)
        if len(rounds) < 3:
            raise OSError("the disk is full")
        done.set()

    loop = SyncLoop(node.engine, 0.05, lambda *_given, **_files: None, chores=chores)
    loop.start()
    try:
        assert done.wait(20)
    finally:
        assert loop.stop()


def test_a_node_runs_its_terms_by_itself_once_it_has_been_up_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(data_dir=tmp_path / "datos"))
    engine = app.state.engine
    publish(engine, retain_days_direct="1")
    with writing(engine) as session:
        ingest(session, [made(answered())], now_ms() - 2 * DAY_MS)
    chores = app.state.sync_loop._chores
    chores()
    with reading(engine) as session:
        assert NAME in (session.exec(select(Record.body)).one() or "")
    monkeypatch.setattr("collector.app.CHORES_AFTER_SECONDS", 0.0)
    chores()
    with reading(engine) as session:
        assert NAME not in (session.exec(select(Record.body)).one() or "")
    app.state.turn.end()
    engine.dispose()
