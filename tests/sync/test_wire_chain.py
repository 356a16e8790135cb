"""The chain over a log: what was sent cannot change unseen, and erased entries do not break it."""

import hashlib
import json
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text

from collector.clock import now_ms
from collector.db import writing
from collector.queries.records import ingest
from sync.batches import gone_line, log_line
from sync.chain import START, fold, head_at
from sync.push import SyncState
from sync.statements import make_tombstone
from tests.sync.conftest import Node
from tests.sync.sender import OldUpstream, Sender, head_of

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def change(node: Node, statement: str, **values: object) -> None:
    """Change a store behind the program's back."""
    with writing(node.engine) as session:
        session.connection().execute(text(statement), values)


def head_at_cursor(receiver: Node) -> bytes:
    [(head,)] = receiver.rows("SELECT head FROM cursor")
    return bytes(head)


def last_n(node: Node) -> int:
    [(n,)] = node.rows("SELECT max(n) FROM record")
    return int(n)


def sha256(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def pair(make_node: MakeNode) -> tuple[Node, Node]:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return central, tablet


def test_both_ends_of_a_line_have_the_same_head(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    state = SyncState()
    for count in (3, 45, 1):
        tablet.capture(count)
        assert tablet.sync(state).error == ""
    assert head_at_cursor(central) == head_at(tablet.engine, 49)
    bodies = [row[0] for row in tablet.rows("SELECT body FROM record ORDER BY n")]
    assert head_at(tablet.engine, 49) == head_of(bodies)
    assert (fold(START, []), len(START)) == (START, 32)


def test_the_chain_covers_quarantine_too(make_node: MakeNode, make_body: MakeBody) -> None:
    central, tablet = pair(make_node)
    tablet.capture_bodies([make_body(), '{"id":"x"}', make_body()])
    tablet.sync()
    assert head_at_cursor(central) == head_at(tablet.engine, 3)


def test_an_entry_that_changed_after_it_was_sent_is_noticed_and_both_contents_are_kept(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    tablet.capture(3)
    tablet.sync()
    epoch = tablet.fact("epoch")
    [(body,)] = tablet.rows("SELECT body FROM record WHERE n = 2")
    forged = body.replace("a veces", "nunca")
    change(tablet, "UPDATE record SET body = :body, sha256 = :sha WHERE n = 2", body=forged, sha=sha256(forged))
    change(tablet, "UPDATE upstream SET chain_head = NULL")  # as after a restart of everything
    tablet.capture(1)
    assert tablet.sync().error == ""
    assert tablet.fact("epoch") != epoch
    assert central.rows("SELECT body, why FROM quarantine") == [(forged, "conflict")]
    assert central.rows("SELECT state FROM record WHERE n = 2") == [("contested",)]
    assert len(central.ids()) == 4
    tablet.capture(1)
    assert (tablet.sync().sent, len(central.ids())) == (1, 5)  # the new epoch goes on as ever


def test_a_history_that_changed_keeps_nothing_of_the_batch(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    first, second, third = (make_body() for _ in range(3))
    assert sender.send(sender.lines([log_line(1, "[]", first)], 0, 1, head_of([first]))).status_code == 200
    before = central.everything()
    wrong = sender.lines([log_line(2, "[]", third)], 1, 2, head_of([second, third]))
    for _ in range(2):
        answer = sender.send(wrong)
        assert (answer.status_code, answer.json()["code"]) == (409, "history_changed")
        assert (answer.json()["epoch"], answer.json()["cursor"]) == ("e1", 1)
    assert central.everything() == before
    right = sender.lines([log_line(2, "[]", third)], 1, 2, head_of([first, third]))
    assert sender.send(right).json()["cursor"] == 2


@pytest.mark.parametrize(("after", "upto"), [(0, 2), (0, 4), (1, 3), (1, 4), (3, 4)])
def test_a_batch_that_begins_before_the_cursor_is_folded_from_the_cursor(
    after: int, upto: int, make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    sender = Sender(central)
    bodies = [make_body() for _ in range(4)]
    lines = [log_line(n, "[]", body) for n, body in enumerate(bodies, 1)]
    assert sender.send(sender.lines(lines[:3], 0, 3, head_of(bodies[:3]))).status_code == 200
    answer = sender.send(sender.lines(lines[after:upto], after, upto, head_of(bodies[:upto])))
    assert (answer.status_code, answer.json()["cursor"]) == (200, max(3, upto))
    assert head_at_cursor(central) == head_of(bodies[: max(3, upto)])


def test_a_gone_line_stands_for_an_erased_entry(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    first, erased, last = (make_body() for _ in range(3))
    lines = [log_line(1, "[]", first), gone_line(5, sha256(erased)), log_line(6, "[]", last)]
    answer = sender.send(sender.lines(lines, 0, 6, head_of([first, erased, last]))).json()
    assert (answer["cursor"], answer["outcomes"]) == (6, {"duplicate": [], "quarantined": []})
    assert {row[0] for row in central.rows("SELECT body FROM record")} == {first, last}
    alone = sender.send(sender.lines([gone_line(7, sha256(erased))], 6, 7, head_of([first, erased, last, erased])))
    assert alone.json()["cursor"] == 7


@pytest.mark.parametrize("line", ['{"n":1}', '{"n":1,"gone":"00"}', '{"n":1,"gone":7}', '{"gone":"' + "0" * 64 + '"}'])
def test_a_line_with_neither_record_nor_hash_is_damage(line: str, make_node: MakeNode) -> None:
    sender = Sender(make_node("central"))
    answer = sender.send(sender.lines([line], 0, 1, START))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_line")


def test_a_header_whose_chain_is_no_hash_is_damage(make_node: MakeNode, make_body: MakeBody) -> None:
    sender = Sender(make_node("central"))
    for wrong in ("00", 7, None, "G" * 64):
        assert sender.send(sender.batch([make_body()], chain=wrong)).json()["code"] == "bad_line"


def test_what_was_erased_before_it_was_sent_leaves_only_its_hash_on_the_line(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    state = SyncState()
    ids = tablet.capture(4, answers={"nota": "secreto de alguien"})
    with writing(tablet.engine) as session:
        ingest(session, [make_tombstone(ids[1], "person", "lo pidió"), make_tombstone(ids[3], "person", "")], now_ms())
    assert tablet.sync(state).error == ""
    assert head_at_cursor(central) == head_at(tablet.engine, last_n(tablet))
    assert set(central.rows("SELECT id FROM record WHERE kind = 'submission'")) == {(ids[0],), (ids[2],)}
    assert central.rows("SELECT count(*) FROM record WHERE kind = 'tombstone'") == [(2,)]
    tablet.capture(1)
    assert (tablet.sync(state).sent, head_at_cursor(central)) == (1, head_at(tablet.engine, last_n(tablet)))


def test_an_erasure_after_sending_does_not_break_the_chain(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    ids = tablet.capture(3)
    tablet.sync()
    with writing(tablet.engine) as session:
        ingest(session, [make_tombstone(ids[0], "lab", "")], now_ms())
    change(tablet, "UPDATE upstream SET chain_head = NULL")
    tablet.capture(1)
    assert tablet.sync().error == ""
    assert central.rows("SELECT alarm FROM node") == [("",)]
    assert central.rows(f"SELECT body FROM record WHERE id = '{ids[0]}'") == [(None,)]


# --- releases before the chain


def test_a_cursor_from_before_the_chain_takes_the_head_of_the_first_batch(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    tablet.capture(3)
    tablet.sync()
    change(central, "UPDATE cursor SET head = NULL")
    tablet.capture(2)
    assert tablet.sync().error == ""
    assert head_at_cursor(central) == head_at(tablet.engine, 5)


def test_a_sender_without_a_chain_is_read_and_one_that_begins_later_too(
    make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    sender = Sender(central)
    bodies = [make_body() for _ in range(4)]
    sender.send(sender.batch(bodies[:2]))
    assert central.rows("SELECT n, head FROM cursor") == [(2, None)]
    sender.send(sender.lines([log_line(3, "[]", bodies[2])], 2, 3, head_of(bodies[:3])))
    assert head_at_cursor(central) == head_of(bodies[:3])
    sender.send(sender.batch(bodies[3:], after=3))  # put back to the older release
    assert central.rows("SELECT n, head FROM cursor") == [(4, None)]


def test_an_upstream_of_an_earlier_release_gets_no_gone_lines(make_node: MakeNode) -> None:
    """Its hello has no feed: erased entries are holes for it, as they were for its own release."""
    central, tablet = pair(make_node)
    ids = tablet.capture(2)
    with writing(tablet.engine) as session:
        ingest(session, [make_tombstone(ids[0], "person", "")], now_ms())
    old = OldUpstream()
    tablet.http.close()
    tablet.http = httpx.Client(transport=old)
    assert tablet.sync().error == ""
    head, *lines = old.batches[0].splitlines()
    assert "chain" not in json.loads(head)
    assert [json.loads(line)["rec"]["kind"] for line in lines] == ["submission", "tombstone"]
    assert len(central.ids()) == 2
    assert not {"feed", "report", "key"} & set(old.paths)
