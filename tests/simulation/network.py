"""The line between machines: it loses requests and answers, keeps some for later, repeats, damages, and shows a portal.

Requests reach the routes themselves: the ASGI application runs here, without a server and without threads.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import httpx

from tests.simulation.by_seed import Clocks
from tests.simulation.crash_vfs import PowerCut
from tests.simulation.machine import Machine

FAULTS = ("lost request", "lost answer", "delayed", "damaged", "damaged inside", "portal")
PORTAL = b"<html><title>Wi-Fi</title><body>Acepte las condiciones</body></html>"


MOST_IN_ONE_GO = 300  # requests while one thing happens


class Endless(AssertionError):
    """I8: machines go on talking without an end."""


@dataclass(frozen=True)
class Message:
    """A request as it is on the line."""

    target: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} at {self.target}"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass
class Network:
    """All lines. fault_rate: how many requests of a hundred meet a fault."""

    machines: dict[str, Machine]
    clocks: Clocks
    chance: Random
    note: Callable[[str], None]
    fault_rate: int = 0
    recorded: list[Message] = field(default_factory=list)
    delayed: list[Message] = field(default_factory=list)
    in_one_go: int = 0
    watch: Callable[[Message], None] = lambda _message: None  # told before a machine works on a request

    def client(self, sender: str) -> httpx.Client:
        return _Client(transport=_Line(self, sender), trust_env=False)

    def carry(self, message: Message) -> Reply:
        """Bring the request there and its answer back, or not. Raises httpx.TransportError, Endless."""
        self.in_one_go += 1
        if self.in_one_go > MOST_IN_ONE_GO:
            raise Endless(f"I8: {message} is the request {self.in_one_go} of one event")
        fault = self.chance.choice(FAULTS) if self.chance.randrange(100) < self.fault_rate else ""
        if fault:
            self.note(f"  {fault}: {message}")
        if fault in ("lost request", "delayed"):
            self.delayed += [message] if fault == "delayed" else []
            raise httpx.ReadTimeout("no answer")
        if fault == "portal":
            return Reply(200, [(b"content-type", b"text/html")], PORTAL)
        if fault in ("damaged", "damaged inside"):
            # a browser's outbox has no digest of its own: only what gzip notices
            is_inside = fault == "damaged inside" and not message.path.endswith("/outbox")
            message = damage(message, self.chance, is_inside)
        reply = self.deliver(message)
        if message.method == "POST" and not fault.startswith("damaged"):
            self.recorded.append(message)
        if fault == "lost answer" or reply is None:
            raise httpx.ReadError("the line was cut")
        return reply

    def deliver(self, message: Message) -> Reply | None:
        """Let the target work; None when its power went before it answered."""
        machine = self.machines[message.target]
        if machine.disk.is_cut:
            raise httpx.ConnectError("nobody is there")
        self.watch(message)
        with self.clocks.of(message.target):
            try:
                reply = ask_application(machine.app, message)
            except PowerCut as cut:
                if cut.disk is not machine.disk:
                    raise
                self.note(f"  power cut at {message.target} during {message}")
                return None
        self.note(f"  {message} -> {reply.status}")
        return reply


class _Client(httpx.Client):
    """HTTPX's client without its cookies, redirects and passwords: nothing in the protocol uses them."""

    def send(self, request: httpx.Request, **_how: Any) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        return response


class _Line(httpx.BaseTransport):
    """A machine's way out, as its HTTP client sees it."""

    def __init__(self, network: Network, sender: str) -> None:
        self._network, self._sender = network, sender

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        headers = tuple((name.lower(), value) for name, value in request.headers.raw)
        body = request.read()
        message = Message(url.host, request.method, url.path, url.query.decode(), headers, body)
        reply = self._network.carry(message)
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


def ask_application(app: Any, message: Message) -> Reply:
    """Run an ASGI application for one request, to its end, without an event loop: nothing in it may wait."""
    parts = [{"type": "http.request", "body": message.body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    work = app(_scope(message), receive, send)
    try:
        work.send(None)
    except StopIteration:
        start = sent[0]
        return Reply(start["status"], list(start["headers"]), b"".join(event.get("body", b"") for event in sent[1:]))
    work.close()
    raise RuntimeError(f"{message} waits for something; the simulator has no event loop")


def _scope(message: Message) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": message.path,
        "raw_path": message.path.encode(),
        "query_string": message.query.encode(),
        "root_path": "",
        "headers": list(message.headers),
        "client": ("10.42.0.7", 40000),
        "server": (message.target, 80),
    }


def damage(message: Message, chance: Random, inside: bool) -> Message:
    """Change one byte of the body; inside: of its content, and zip it again, so that gzip notices nothing."""
    is_zipped = dict(message.headers).get(b"content-encoding") == b"gzip"
    content = bytearray(gzip.decompress(message.body) if inside and is_zipped else message.body)
    if not content:
        return message
    if inside:
        _change_letter(content, chance)
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    body = gzip.compress(bytes(content), mtime=0) if inside and is_zipped else bytes(content)
    return replace(message, body=body)


def _change_letter(content: bytearray, chance: Random) -> None:
    """Change a letter of a word, so that the line is still JSON and only its digest can tell."""
    first = content.find(b"\n") + 1  # the header line is not what this is about
    letters = [at for at in range(first, len(content)) if 97 <= content[at] <= 122]
    if letters:
        at = chance.choice(letters)
        content[at] = 97 + (content[at] - 97 + chance.randrange(1, 26)) % 26
