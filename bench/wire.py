"""How many bytes a sender's line carries: the sender's own HTTP client, through a relay that counts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.ingest import BATCH, Source
from bench.node import Node, Peer, enrol
from bench.report import Bar, Row
from sync.client import UpstreamClient

BATCHES = 5
EACH_OF_MANY = Bar(most=160, unit=" B")
LONE = Bar(most=2_000, unit=" B")
ANSWER = Bar(most=300, unit=" B")
NOTHING_NEW = Bar(most=500, unit=" B")


@dataclass
class Line:
    """A relay's address and the bytes that have passed it, headers and all."""

    url: str
    up: int = 0
    down: int = 0


@contextmanager
def counted(port: int) -> Iterator[Line]:
    """Relay one connection to `port` of this machine and count it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        line = Line(f"http://127.0.0.1:{door.getsockname()[1]}")
        relay = threading.Thread(target=_relay, args=(door, port, line))
        relay.start()
        yield line
        relay.join()


def _relay(door: socket.socket, port: int, line: Line) -> None:
    near, _ = door.accept()
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        back = threading.Thread(target=_carry_down, args=(far, near, line))
        back.start()
        while part := near.recv(65536):
            line.up += len(part)
            far.sendall(part)
        far.shutdown(socket.SHUT_WR)
        back.join()


def _carry_down(far: socket.socket, near: socket.socket, line: Line) -> None:
    while part := far.recv(65536):
        line.down += len(part)
        near.sendall(part)


def wire_rows(node: Node, source: Source) -> list[Row]:
    """Measure batches of 100, a record that goes alone, and a call that finds nothing new. All signed and chained."""
    peer = enrol(node, Ed25519PrivateKey.generate())
    bodies = source.bodies(BATCHES * BATCH + 1, seed=50)
    sent = [_send(node, peer, list(islice(bodies, BATCH))) for _ in range(BATCHES)]
    lone, _ = _send(node, peer, list(bodies))
    each = sum(line.up for line, _ in sent) / (BATCHES * BATCH)
    answer = max(size for _, size in sent)
    return [
        Row(f"up-link a submission, batch of {BATCH}, with headers", f"{each:.1f} B", each, EACH_OF_MANY),
        Row("up-link of a lone record, with headers", f"{lone.up:,} B", lone.up, LONE),
        Row(f"answer to {BATCH} stored, body", f"{answer} B", answer, ANSWER),
        Row(f"answer to {BATCH} stored, with headers", f"{max(line.down for line, _ in sent)} B"),
        _idle_row(node, peer),
    ]


def _idle_row(node: Node, peer: Peer) -> Row:
    """Measure a hello that says what the sender knows already, both ways, headers and all."""
    with httpx.Client() as http:
        etag = UpstreamClient(http, node.url, peer.token).get("/hello").etag
    with counted(node.server.port) as line, httpx.Client() as http:
        UpstreamClient(http, line.url, peer.token).get("/hello", etag)
    both = line.up + line.down
    return Row("a call that finds nothing new, both ways", f"{both} B", both, NOTHING_NEW)


def _send(node: Node, peer: Peer, bodies: list[bytes]) -> tuple[Line, int]:
    """Send one batch and return (the counted line, the size of the answer's body)."""
    sizes: list[int] = []
    hooks = {"response": [lambda answer: sizes.append(int(answer.headers["content-length"]))]}
    with counted(node.server.port) as line, httpx.Client(event_hooks=hooks) as http:
        UpstreamClient(http, line.url, peer.token).post_batch(*peer.signed_batch(bodies))
    return line, sizes[0]
