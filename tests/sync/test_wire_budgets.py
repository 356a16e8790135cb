"""What a sender's line carries, counted on a real socket: headers, signature and chain included."""

from collections.abc import Callable

import httpx
import pytest

from bench.wire import Line, counted
from collector.db import writing
from collector.queries import nodes
from sync.push import SyncState
from tests.sync.answers_by_chance import bodies
from tests.sync.conftest import Node

MakeNode = Callable[..., Node]


@pytest.fixture
def pair(make_node: MakeNode) -> tuple[Node, Node]:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return central, tablet


def sync_counted(central: Node, tablet: Node, state: SyncState) -> Line:
    """Sync over one counted connection."""
    home = central.url
    tablet.http.close()
    with counted(int(home.rpartition(":")[2])) as line:
        move_to(tablet, line.url)
        tablet.http = httpx.Client(trust_env=False)
        assert tablet.sync(state).error == ""
        tablet.http.close()
    move_to(tablet, home)
    return line


def move_to(tablet: Node, url: str) -> None:
    with writing(tablet.engine) as session:
        nodes.change_upstream(session, url=url)


def warm(central: Node, tablet: Node) -> SyncState:
    state = SyncState(records=100)
    for _ in range(2):  # hello, forms and report; then nothing is new
        sync_counted(central, tablet, state)
    return state


def test_a_submission_costs_at_most_160_bytes_in_batches_of_a_hundred(pair: tuple[Node, Node]) -> None:
    state = warm(*pair)
    for seed in range(3):
        pair[1].capture_bodies(bodies(100, seed))
        state.records = 100
        line = sync_counted(*pair, state)
        assert line.up <= 160 * 100, line
        assert line.down <= 500, line
    assert len(pair[0].ids()) == 300


def test_a_lone_record_costs_at_most_two_thousand_bytes(pair: tuple[Node, Node]) -> None:
    state = warm(*pair)
    pair[1].capture_bodies(bodies(1, 9))
    assert sync_counted(*pair, state).up <= 2_000


def test_a_call_that_finds_nothing_new_costs_at_most_500_bytes_both_ways(pair: tuple[Node, Node]) -> None:
    state = warm(*pair)
    pair[1].capture_bodies(bodies(5, 3))
    for _ in range(2):
        sync_counted(*pair, state)
    line = sync_counted(*pair, state)
    assert line.up + line.down <= 500, line
