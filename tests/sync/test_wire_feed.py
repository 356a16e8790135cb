"""The feed: erasures and decisions reach every node below, once, and those above know who has applied them."""

import gzip
import json
from collections.abc import Callable

import httpx
import pytest

from collector.clock import now_ms
from collector.db import reading, writing
from collector.queries import nodes
from collector.queries.confirmations import Confirmations, latest
from collector.queries.erasures import Erasure
from collector.queries.fleet import list_fleet
from collector.queries.records import Arrival, ingest
from sync import limits
from sync.push import SyncState
from sync.statements import make_decision, make_tombstone
from tests.sync.conftest import Node, chain
from tests.sync.sender import OldUpstream, Sender

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def say(node: Node, *arrivals: Arrival) -> None:
    with writing(node.engine) as session:
        ingest(session, arrivals, now_ms())


def erased(node: Node) -> list[str]:
    return [row[0] for row in node.rows("SELECT id FROM record WHERE state = 'erased' AND body IS NULL ORDER BY id")]


def unconfirmed(node: Node) -> dict[str, int]:
    with reading(node.engine) as session:
        return {row.name: len(row.unconfirmed) for row in list_fleet(session)}


def test_an_erasure_at_central_reaches_the_tablet_through_the_hub(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    ids = tablet.capture(3, answers={"nota": "lo que nadie debe leer"})
    for node in (tablet, hub):
        node.sync()
    say(central, make_tombstone(ids[0], "lab", "pedido de la persona"))
    assert (hub.sync().fed, tablet.sync().fed) == (1, 1)
    assert erased(central) == erased(hub) == erased(tablet) == [ids[0]]
    assert (hub.sync().error, tablet.sync().error) == ("", "")  # what came down goes up again, and is known there
    assert (hub.sync().fed, tablet.sync().fed) == (0, 0)
    assert central.rows("SELECT count(*) FROM record") == [(4,)]
    assert central.rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_an_erasure_at_one_tablet_reaches_another_that_holds_the_record_too(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    other = make_node("otra tableta")
    other.enrol_at(hub)
    [record_id] = tablet.capture(1)
    other.capture_bodies([row[0] for row in tablet.rows("SELECT body FROM record")])
    for node in (tablet, other, hub):
        node.sync()
    say(tablet, make_tombstone(record_id, "person", ""))
    for node in (tablet, hub, other):
        node.sync()
    for node in (tablet, hub, other, central):
        assert erased(node) == [record_id], node.name


def test_a_decision_of_the_lab_reaches_the_nodes_below(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    [record_id] = tablet.capture(1)
    [(sha256,)] = tablet.rows("SELECT sha256 FROM record")
    for node in (tablet, hub):
        node.sync()
    say(central, make_decision(record_id, "use", bytes(sha256).hex(), "lab", form="otra", version="2"))
    for node in (hub, tablet):
        node.sync()
    for node in (central, hub, tablet):
        assert node.rows("SELECT form, version FROM record WHERE kind = 'submission'") == [("otra", "2")]


def test_those_above_know_who_has_not_erased_yet(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    [record_id] = tablet.capture(1)
    states = {node.name: SyncState() for node in (tablet, hub)}
    for node in (tablet, hub):
        node.sync(states[node.name])
    say(central, make_tombstone(record_id, "lab", ""))
    assert unconfirmed(central) == {"municipio": 1}
    hub.sync(states["municipio"])
    assert unconfirmed(hub) == {"tableta": 1}
    hub.sync(states["municipio"])
    hub.sync(states["municipio"])
    assert unconfirmed(central) == {"municipio": 0, "tableta": 1}
    for node in (tablet, tablet, tablet, hub):
        node.sync(states[node.name])
    assert unconfirmed(hub) == {"tableta": 0}
    assert unconfirmed(central) == {"municipio": 0, "tableta": 0}


def test_an_erasure_that_was_released_reaches_those_who_have_read_past_its_place(make_node: MakeNode) -> None:
    tablet, hub, _central = chain(make_node)
    ids = tablet.capture(2)
    for node in (tablet, hub):
        node.sync()
    late = make_tombstone(ids[0], "lab", "")
    say(hub, Arrival(late.id, late.sha256, late.body, why="revoked_node"))
    say(hub, make_tombstone(ids[1], "lab", ""))
    tablet.sync()
    tablet.sync()
    assert unconfirmed(hub) == {"tableta": 0}
    say(hub, make_decision(late.id, "use", late.sha256.hex(), "lab"))
    assert erased(hub) == sorted(ids)
    assert unconfirmed(hub) == {"tableta": 1}, "what it has read past is not what it has applied"
    assert [[waits.name for waits in who.waiting] for it, who in fates(hub) if it.id == late.id] == [["tableta"]]
    tablet.sync()
    tablet.sync()
    assert erased(tablet) == sorted(ids)
    assert unconfirmed(hub) == {"tableta": 0}
    assert [who.waiting for _, who in fates(hub)] == [[], []]


def fates(node: Node) -> list[tuple[Erasure, Confirmations]]:
    with reading(node.engine) as session:
        return latest(session, 10)


def test_a_node_cannot_confirm_what_is_not_there_yet(make_node: MakeNode) -> None:
    central = make_node("central")
    sender = Sender(central)
    ids = central.capture(2)
    say(central, make_tombstone(ids[0], "lab", ""))
    epoch = central.fact("epoch")
    for n in (10**9, 1):
        assert sender.ask("GET", f"/feed?after={n}&epoch={epoch}").status_code == 200
        sender.ask("POST", "/report", {"feed": ["otra", n]})
        assert unconfirmed(central) == {"tableta": 0 if n > 9 else 1}
    sender.ask("POST", "/report", {"feed": [epoch, 10**9]})
    assert unconfirmed(central) == {"tableta": 0}
    say(central, make_tombstone(ids[1], "lab", ""))
    assert unconfirmed(central) == {"tableta": 1}


def read_feed(answer: httpx.Response) -> tuple[dict[str, object], list[dict[str, object]]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    first, *rest = answer.text.splitlines()
    return json.loads(first), [json.loads(line) for line in rest]


def test_the_feed_is_read_page_by_page_and_holds_nothing_else(make_node: MakeNode) -> None:
    central = make_node("central")
    sender = Sender(central)
    ids = central.capture(5)
    for record_id in ids[:3]:
        say(central, make_tombstone(record_id, "lab", ""))
    head, lines = read_feed(sender.ask("GET", "/feed?limit=2"))
    assert [line["rec"]["erases"] for line in lines] == ids[:2]  # type: ignore[index]
    assert {line["origin"] for line in lines} == {central.id}
    assert (head["epoch"], head["next"], head["more"]) == (central.fact("epoch"), lines[-1]["n"], True)
    head, lines = read_feed(sender.ask("GET", f"/feed?after={head['next']}"))
    assert ([line["rec"]["erases"] for line in lines], head["more"]) == (ids[2:3], False)  # type: ignore[index]
    assert sender.hello()["feed"] == head["next"]
    assert read_feed(sender.ask("GET", f"/feed?after={head['next']}"))[1] == []


def test_the_feed_of_another_life_is_gone(make_node: MakeNode) -> None:
    sender = Sender(make_node("central"))
    answer = sender.ask("GET", "/feed?after=3&epoch=otra")
    assert (answer.status_code, answer.json()["code"]) == (410, "epoch_changed")


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=501", "after=x"])
def test_a_question_to_the_feed_that_makes_no_sense_is_no_error_of_ours(query: str, make_node: MakeNode) -> None:
    assert Sender(make_node("central")).ask("GET", f"/feed?{query}").status_code in (400, 422)


def test_a_long_feed_comes_in_pages_that_fit(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FEED_BYTES", 1500)
    tablet, hub, _ = chain(make_node)
    ids = hub.capture(30)
    say(hub, *(make_tombstone(record_id, "lab", "") for record_id in ids))
    assert tablet.sync().fed == 30
    assert tablet.rows("SELECT count(*) FROM record WHERE kind = 'tombstone'") == [(30,)]


def test_an_upstream_put_back_is_read_from_the_start(make_node: MakeNode) -> None:
    tablet, hub, _ = chain(make_node)
    ids = hub.capture(2)
    say(hub, make_tombstone(ids[0], "lab", ""))
    assert tablet.sync().fed == 1
    with writing(hub.engine) as session:
        nodes.start_epoch(session)
    say(hub, make_tombstone(ids[1], "lab", ""))
    assert tablet.sync().fed == 2  # one of them is known
    assert tablet.rows("SELECT count(*) FROM record WHERE kind = 'tombstone'") == [(2,)]


class Damaging(httpx.HTTPTransport):
    """Changes the feed on its way down."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self.change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not request.url.path.endswith("/feed"):
            return response
        headers = {"Content-Type": "application/x-ndjson", "X-Collector": "1"}
        lines = gzip.decompress(b"".join(response.iter_raw()))
        return httpx.Response(200, content=self.change(lines), headers=headers)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-40],
        lambda lines: b"",
        lambda lines: b"<html>\n",
        lambda lines: lines.replace(b'"origin"', b'"or"'),
        lambda lines: lines.partition(b"\n")[2],
        lambda lines: lines.replace(b'"epoch":"', b'"epoch":"x'),
    ],
)
def test_a_damaged_feed_changes_nothing_and_is_read_again(
    change: Callable[[bytes], bytes], make_node: MakeNode
) -> None:
    tablet, hub, _ = chain(make_node)
    [record_id] = tablet.capture(1)
    tablet.sync()
    say(hub, make_tombstone(record_id, "lab", ""))
    tablet.http.close()
    tablet.http = httpx.Client(transport=Damaging(change))
    assert tablet.sync().error == "upstream_strange"
    assert erased(tablet) == []
    tablet.http.close()
    tablet.http = httpx.Client()
    assert (tablet.sync().error, erased(tablet)) == ("", [record_id])


def test_an_upstream_of_an_earlier_release_is_asked_for_no_feed(make_node: MakeNode) -> None:
    tablet, hub, _ = chain(make_node)
    say(hub, make_tombstone(hub.capture(1)[0], "lab", ""))
    tablet.http.close()
    tablet.http = httpx.Client(transport=(old := OldUpstream()))
    tablet.capture(1)
    assert tablet.sync().error == ""
    assert not {"feed", "report", "key"} & set(old.paths)
