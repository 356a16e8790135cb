"""Sealed packages on a node: whole or not there, given only under their name, dropped only with the proof."""

import hashlib
import secrets
from collections.abc import Callable

import httpx
import pytest

from collector.db import reading
from collector.queries import handovers
from tests.conftest import Node


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Package:
    """A package as a browser leaves it: pieces of noise, for a node that could not read them anyway."""

    def __init__(self, node: Node, *sizes: int) -> None:
        self.address = f"{node.url}/sync/v1/handovers/{secrets.token_hex(16)}"
        self.pieces = [secrets.token_bytes(size) for size in sizes]
        self.proof = secrets.token_hex(32)

    def put(self, number: int, content: bytes | None = None) -> httpx.Response:
        return httpx.put(f"{self.address}/{number}", content=content or self.pieces[number])

    def leave(self) -> httpx.Response:
        said = {"pieces": [sha256(piece) for piece in self.pieces], "proof_sha256": sha256(self.proof.encode())}
        return httpx.post(self.address, json=said)

    def take(self, proof: str) -> httpx.Response:
        return httpx.post(f"{self.address}/taken", json={"proof": proof})


def test_a_package_is_there_once_every_piece_is_as_it_was_sent(make_node: Callable[..., Node]) -> None:
    package = Package(make_node("campo"), 200_000, 90_000, 17)
    package.put(0)
    package.put(1, b"damaged on the way")
    refused = package.leave().json()
    assert (refused["code"], refused["missing"]) == ("handover_missing", [1, 2])
    assert httpx.get(package.address).status_code == 404
    assert httpx.get(package.address + "/0").status_code == 404
    package.put(1)
    package.put(2)
    assert package.leave().status_code == package.leave().status_code == 200
    assert httpx.get(package.address).json()["pieces"] == 3
    assert [httpx.get(f"{package.address}/{n}").content for n in range(3)] == package.pieces


def test_a_whole_package_does_not_change(make_node: Callable[..., Node]) -> None:
    package = Package(make_node("campo"), 50)
    package.put(0)
    package.leave()
    answer = package.put(0, b"other")
    assert (answer.status_code, answer.json()["code"]) == (409, "handover_whole")
    assert httpx.get(package.address + "/0").content == package.pieces[0]


def test_a_package_is_dropped_by_who_could_open_it_and_by_nobody_else(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    package = Package(node, 50, 60)
    package.put(0)
    package.put(1)
    package.leave()
    assert package.take(secrets.token_hex(32)).status_code == 404
    assert httpx.get(package.address).status_code == 200
    assert package.take(package.proof).status_code == 200
    assert httpx.get(package.address).status_code == 404
    with reading(node.app.state.engine) as session:
        assert handovers.bytes_waiting(session) == 0


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "/160", b"x", 400),
        ("PUT", "/-1", b"x", 400),
        ("PUT", "/0", b"", 413),
        ("PUT", "/0", b"x" * (256 * 1024 + 257), 413),
        ("PUT", "/uno", b"x", 400),
        ("POST", "", b"[]", 400),
        ("POST", "", b'{"pieces": [], "proof_sha256": "00"}', 400),
        ("POST", "", b'{"pieces": ["\\ud800"], "proof_sha256": null}', 400),
        ("POST", "/taken", b'{"proof": "\\ud800"}', 400),
        ("GET", "/99999999999999999999999", b"", 404),
    ],
)
def test_what_is_no_piece_is_refused_in_words(
    make_node: Callable[..., Node], method: str, path: str, content: bytes, status: int
) -> None:
    answer = httpx.request(method, Package(make_node("campo"), 1).address + path, content=content)
    assert answer.status_code == status
    assert answer.json()["title"]


def test_a_name_that_is_no_name_leads_nowhere(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    assert httpx.get(f"{node.url}/sync/v1/handovers/../../hello").status_code in (401, 404)
    assert httpx.get(f"{node.url}/sync/v1/handovers/{'A' * 32}").status_code == 404
