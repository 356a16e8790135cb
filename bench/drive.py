"""Keep-alive sockets that drive two servers in turn, and the CPU time a request costs each of them."""

import socket
import statistics
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from bench.servers import Server

LANES = 4  # connections at a time


class Refused(Exception):
    """A server answered something else than was measured for: the figures would mean nothing."""


@dataclass(frozen=True)
class Lane:
    """One connection: what it sends, one request after the other's answer, and the address that it comes from."""

    requests: Sequence[bytes]
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Load:
    """What a server is to bear: lanes for each round. The first round warms up and does not count."""

    server: Server
    rounds: Sequence[Sequence[Lane]]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a request; `Content_Type="…"` becomes the header field Content-Type."""
    fields = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if method == "POST":
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def same_for_all(one: bytes, count: int, rounds: int) -> list[list[Lane]]:
    """Return rounds in which every lane sends `one` request `count` times."""
    return [[Lane([one] * count)] * LANES] * rounds


def compare(loads: Mapping[str, Load]) -> dict[str, list[float]]:
    """Return name -> CPU ms a request, by round. The servers take turns, so that a neighbour meets each alike."""
    found: dict[str, list[float]] = {name: [] for name in loads}
    for number in range(min(len(load.rounds) for load in loads.values())):
        for name, load in loads.items():
            lanes = load.rounds[number]
            before = load.server.cpu_seconds()
            drive(load.server.port, lanes)
            spent = load.server.cpu_seconds() - before
            if number > 0:
                found[name].append(spent * 1000 / sum(len(lane.requests) for lane in lanes))
    return found


def times(some: Sequence[float], others: Sequence[float]) -> float:
    """Return how many times `others` the CPU of `some` is: the median over the rounds."""
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def drive(port: int, lanes: Sequence[Lane]) -> None:
    """Send everything and wait for the answers. Raises Refused unless each is a 200."""
    wrong: list[str] = []
    threads = [threading.Thread(target=_send_lane, args=(port, lane, wrong)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise Refused(wrong[0])


def _send_lane(port: int, lane: Lane, wrong: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), 60, (lane.address, 0)) as line, line.makefile("rb") as answers:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for content in lane.requests:
            line.sendall(content)
            status, body = read_answer(answers)
            if status != 200:
                wrong.append(f"{status} to {content[:60]!r}: {body[:300]!r}")
                return


def read_answer(answers: BinaryIO) -> tuple[int, bytes]:
    """Read one answer and return (status, body). Both servers send Content-Length."""
    status, length = int(answers.readline().split()[1]), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, answers.read(length)
