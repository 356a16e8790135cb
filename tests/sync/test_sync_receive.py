"""Batches over real HTTP: what is kept, what is refused, and that a refusal changes nothing."""

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from sync.batches import log_line
from tests.sync.conftest import Node
from tests.sync.sender import SENDER, Sender

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def test_hello_tells_limits_cursor_and_that_this_is_central(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    assert sender.hello()["cursors"] == {SENDER: {}}
    sender.send(sender.batch([make_body(), make_body()]))
    found = sender.hello()
    assert found["cursors"] == {SENDER: {"e1": 2}}
    assert (found["protocol"], found["node_id"], found["central"]) == (1, central.id, True)
    assert found["limits"] == {"records": 500, "bytes": 1024**2, "inflated": 8 * 1024**2}


def test_a_batch_sent_twice_is_stored_once(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    zipped = sender.batch([make_body() for _ in range(3)])
    first, again = sender.send(zipped).json(), sender.send(zipped).json()
    assert first["outcomes"] == {"duplicate": [], "quarantined": []}
    assert again["outcomes"] == {"duplicate": [1, 2, 3], "quarantined": []}
    assert (first["cursor"], again["cursor"], again["node"], again["epoch"]) == (3, 3, central.id, "e1")
    assert len(central.ids()) == 3
    assert central.app.state.kicks == 1  # duplicates are nothing new to send on


def test_the_record_keeps_its_bytes_its_origin_and_its_hops(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central", check=lambda content: json.dumps([content["form"]]))
    sender = Sender(central)
    body = make_body(answers={"nota": 'ñandú "rec":{} 🌱'})
    via = '[{"node":"t9","epoch":"x","n":7,"received":"2026-11-20T10:42:00.123Z"}]'
    assert sender.send(sender.batch([body], via=via)).status_code == 200
    [(stored, sha256, origin, epoch, n, flags, hops)] = central.rows(
        "SELECT body, sha256, origin, origin_epoch, origin_n, flags, via FROM record"
    )
    assert (stored, sha256) == (body, hashlib.sha256(body.encode()).digest())
    assert (origin, epoch, n, json.loads(flags)[0]) == ("t9", "x", 7, "servicios")
    assert [(hop["node"], hop["epoch"], hop["n"]) for hop in json.loads(hops)] == [("t9", "x", 7), (SENDER, "e1", 1)]


def test_a_check_that_fails_flags_the_record_and_refuses_nothing(make_node: MakeNode, make_body: MakeBody) -> None:
    def stumble(_content: dict[str, Any]) -> str:
        raise ZeroDivisionError

    central = make_node("central", check=stumble)
    sender = Sender(central)
    assert sender.send(sender.batch([make_body()])).status_code == 200
    [(flags,)] = central.rows("SELECT flags FROM record")
    assert json.loads(flags)[0]["what"] == "check_failed"


def damaged(name: str, sender: Sender, body: str) -> bytes:
    good = sender.batch([body, body.replace("veces", "meses")])
    plain = gzip.decompress(good)
    line = log_line(1, "[]", body).encode() + b"\n"
    head = {**json.loads(plain.partition(b"\n")[0]), "sha256": hashlib.sha256(line * 2).hexdigest()}
    twice = json.dumps(head).encode() + b"\n" + line * 2
    return {
        "gzip cut": good[:-9],
        "letter": gzip.compress(plain.replace(b"veces", b"vezes", 1)),
        "line": sender.batch([body, body[:-2]]),
        "no object": sender.batch([body, "[1]"]),
        "bomb": gzip.compress(plain + b" " * 60_000_000),
        "large": gzip.compress(os.urandom(1_100_000), 0),
        "long record": sender.batch([json.dumps({"id": "x" * 300_000})]),
        "count": sender.batch([body], count=2),
        "no records": sender.batch([]),
        "other node": sender.batch([body], 0, "[]", **{"from": "b" * 32}),
        "n above upto": sender.batch([body, body], upto=1),
        "n again": gzip.compress(twice),
        "n beyond a gap": sender.batch([body], after=3),
        "too many": sender.batch([body] * 501),
        "no header": gzip.compress(b"\n" + plain),
        "digest": sender.batch([body], sha256="0" * 64),
    }[name]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("gzip cut", 400, "bad_gzip"),
        ("letter", 400, "digest_mismatch"),
        ("digest", 400, "digest_mismatch"),
        ("line", 400, "bad_line"),
        ("no object", 400, "bad_line"),
        ("count", 400, "bad_line"),
        ("no records", 400, "bad_line"),
        ("other node", 400, "bad_line"),
        ("n above upto", 400, "bad_line"),
        ("no header", 400, "bad_line"),
        ("bomb", 413, "too_large"),
        ("large", 413, "too_large"),
        ("long record", 413, "too_large"),
        ("too many", 413, "too_many_records"),
        ("n again", 400, "bad_line"),
        ("n beyond a gap", 409, "cursor_gap"),
    ],
)
def test_a_damaged_batch_changes_nothing(
    name: str, status: int, code: str, make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    sender = Sender(central)
    sender.send(sender.batch([make_body()]))
    before = central.everything()
    answer = sender.send(damaged(name, sender, make_body()))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert central.everything() == before


def test_every_flipped_byte_of_a_batch_is_noticed(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    good = sender.batch([make_body()])
    before = central.everything()
    for at in range(10, len(good), 7):  # byte 4 to 9 of gzip say nothing about the content
        answer = sender.send(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        assert answer.status_code in (400, 413), at
    assert central.everything() == before


def test_a_gap_before_the_batch_is_answered_with_the_cursor(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    sender.send(sender.batch([make_body()]))
    answer = sender.send(sender.batch([make_body()], after=5))
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["cursor"], answer.json()["epoch"]) == ("cursor_gap", 1, "e1")
    assert len(central.ids()) == 1


def test_an_older_batch_with_other_content_is_kept_and_the_cursor_stays(
    make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    sender = Sender(central)
    sender.send(sender.batch([make_body() for _ in range(5)]))
    answer = sender.send(sender.batch([make_body()], after=1)).json()
    assert (answer["cursor"], answer["outcomes"]["duplicate"]) == (5, [])
    assert len(central.ids()) == 6


def test_a_batch_that_was_here_before_is_a_loop(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    hop = {"epoch": "x", "n": 7, "received": "2026-11-20T10:42:00.123Z"}
    own = sender.send(sender.batch([make_body()], via=json.dumps([{"node": central.id, **hop}])))
    long = sender.send(sender.batch([make_body()], via=json.dumps([{"node": f"n{i}", **hop} for i in range(8)])))
    for answer in (own, long):
        assert (answer.status_code, answer.json()["code"]) == (508, "loop")
    assert central.ids() == []


def test_unusable_records_are_kept_with_their_reason(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    good = make_body()
    blanks = json.dumps(json.loads(make_body()))
    deep = '{"id":' + "[" * 100_000 + "]" * 100_000 + "}"
    answer = sender.send(sender.batch([good, blanks, '{"id":"x"}', deep])).json()
    assert [(row["n"], row["why"]) for row in answer["outcomes"]["quarantined"]] == [
        (2, "not_canonical"), (3, "bad_record"), (4, "bad_record"),
    ]  # fmt: skip
    assert {row[0] for row in central.rows("SELECT body FROM quarantine")} == {blanks, '{"id":"x"}', deep}
    assert answer["cursor"] == 4


def test_the_answer_to_a_hundred_records_stays_small(make_node: MakeNode, make_body: MakeBody) -> None:
    sender = Sender(make_node("central"))
    zipped = sender.batch([make_body() for _ in range(100)])
    assert len(sender.send(zipped).content) <= 300


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer nada"}, 401, "unknown_node"),
        ({"Authorization": ""}, 401, "unknown_node"),
        ({"Content-Type": "application/json"}, 415, "unsupported_type"),
        ({"Content-Encoding": "br"}, 415, "unsupported_type"),
        ({"Content-Encoding": "identity"}, 400, "bad_line"),
    ],
)
def test_other_tokens_types_and_encodings_are_refused(
    headers: dict[str, str], status: int, code: str, make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    sender = Sender(central)
    answer = sender.send(sender.batch([make_body()]), **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert central.ids() == []


def test_two_lives_of_one_node_have_a_cursor_each(make_node: MakeNode, make_body: MakeBody) -> None:
    sender = Sender(make_node("central"))
    sender.send(sender.batch([make_body()] * 1))
    other_life = gzip.decompress(sender.batch([make_body(), make_body()])).replace(b'"e1"', b'"e2"', 1)
    assert sender.send(gzip.compress(other_life)).json()["cursor"] == 2
    assert sender.hello()["cursors"][SENDER] == {"e1": 1, "e2": 2}
