"""Signatures: who has a key must sign; older nodes bring theirs later; the number of the protocol."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage import x25519

from collector.db import writing
from collector.tables.nodes import Node as Row
from sync import keys
from sync.push import SyncState
from tests.sync.conftest import Node
from tests.sync.sender import SENDER, Sender, key_text

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def test_a_node_with_a_key_signs_and_is_let_in(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central, key=Ed25519PrivateKey.generate())
    assert sender.send_signed(sender.batch([make_body()])).status_code == 200
    assert keys.is_public_key(sender.enrolled["upstream_public_key"])
    assert x25519.Recipient.from_str(sender.enrolled["central_key"])


def forged(name: str, sender: Sender, body: bytes) -> dict[str, str]:
    stranger = Sender(sender.receiver, "b" * 32, Ed25519PrivateKey.generate())
    later = gzip.compress(gzip.decompress(body).replace(b'"e1"', b'"e2"', 1))
    return {
        "none": {},
        "another key": {"Collector-Signature": stranger.signed(body)},
        "another receiver": {"Collector-Signature": sender.signed(body, "c" * 32)},
        "another batch": {"Collector-Signature": sender.signed(later)},
        "no base64": {"Collector-Signature": "firma"},
        "too short": {"Collector-Signature": "Zm9v"},
    }[name]


@pytest.mark.parametrize("name", ["none", "another key", "another receiver", "another batch", "no base64", "too short"])
def test_a_missing_or_wrong_signature_keeps_nothing(name: str, make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central, key=Ed25519PrivateKey.generate())
    body = sender.batch([make_body()])
    before = central.everything()
    answer = sender.send(body, **forged(name, sender, body))
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")
    assert central.everything() == before
    assert sender.send_signed(body).status_code == 200


def test_the_token_alone_does_not_send_for_a_node_with_a_key(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central, key=Ed25519PrivateKey.generate())
    body = sender.batch([make_body()])
    stolen = {"Collector-Signature": sender.signed(body), "Authorization": "Bearer otro"}
    assert sender.send(body, **stolen).status_code == 401
    assert central.ids() == []


def test_a_key_that_is_none_is_refused_and_keeps_the_code(make_node: MakeNode) -> None:
    central = make_node("central")
    code = central.code()
    wish: dict[str, Any] = {"code": code, "name": "t", "node_id": SENDER}
    for wrong in ("", "x" * 42, "x" * 44, "+" * 43, 7, None):
        answer = central.http.post(central.url + "/sync/v1/enroll", json=wish | {"public_key": wrong})
        assert answer.status_code == (201 if wrong == "" else 400), wrong
        if wrong == "":
            code = wish["code"] = central.code()
    assert central.http.post(central.url + "/sync/v1/enroll", json=wish).status_code == 201


def test_a_node_without_key_goes_on_until_it_brings_one_and_cannot_change_it(
    make_node: MakeNode, make_body: MakeBody
) -> None:
    central = make_node("central")
    old = Sender(central)
    assert old.hello()["key"] is False
    assert old.send(old.batch([make_body()])).status_code == 200
    old.key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    for _ in range(2):  # a lost answer: it asks again
        assert old.ask("PUT", "/key", {"public_key": key_text(old.key)}).json() == {"key": True}
    assert "key" not in old.hello()
    answer = old.ask("PUT", "/key", {"public_key": key_text(other)})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_differs")
    assert old.ask("PUT", "/key", {"public_key": "corta"}).status_code == 400
    body = old.batch([make_body()], after=1)
    assert old.send(body).status_code == 403
    assert old.send_signed(body).status_code == 200


def test_an_enrolment_changes_the_key(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    first = Sender(central, key=Ed25519PrivateKey.generate())
    second = Sender(central, key=Ed25519PrivateKey.generate())
    body = second.batch([make_body()])
    assert second.send(body, **{"Collector-Signature": first.signed(body)}).status_code == 403
    assert second.send_signed(body).status_code == 200


def test_a_tablet_of_an_older_release_brings_its_key_with_its_next_hello(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    with writing(central.engine) as session:  # as a release without keys left it
        row = session.get(Row, tablet.id)
        assert row is not None
        row.public_key = ""
        session.add(row)
    tablet.capture(2)
    assert tablet.sync().error == ""
    [(known,)] = central.rows("SELECT public_key FROM node")
    assert known == keys.public_text(keys.signing_key(tablet.engine))
    assert len(central.ids()) == 2


def test_every_node_learns_centrals_key_and_keeps_its_own(make_node: MakeNode) -> None:
    central, hub, tablet = make_node("central"), make_node("municipio"), make_node("tableta")
    tablet.enrol_at(hub)  # before the hub has an upstream: it passes for central
    assert tablet.fact("central_key") != ""
    hub.enrol_at(central)
    tablet.sync(SyncState())
    with writing(central.engine) as session:
        own = keys.central_key(session)
    assert own == hub.fact("central_key") == tablet.fact("central_key")
    assert [node.fact("signing_key") for node in (hub, tablet)] == [
        keys.signing_key(node.engine).private_bytes_raw().hex() for node in (hub, tablet)
    ]


@pytest.mark.parametrize("path", ["/hello", "/receipts", "/feed", "/forms"])
def test_another_number_of_the_protocol_is_told_to_upgrade(path: str, make_node: MakeNode) -> None:
    sender = Sender(make_node("central"))
    assert sender.ask("GET", path, **{"Collector-Protocol": "1"}).status_code == 200
    answer = sender.ask("GET", path, **{"Collector-Protocol": "2"})
    assert (answer.status_code, answer.json()["code"]) == (426, "protocol")
    assert (answer.json()["wanted"], answer.json()["known"]) == ("2", 1)


def test_a_batch_of_another_protocol_keeps_nothing(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    assert sender.send(sender.batch([make_body()]), **{"Collector-Protocol": "2"}).status_code == 426
    assert central.ids() == []
