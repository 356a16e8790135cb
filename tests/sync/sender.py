"""A sender written from the protocol's text: it has a token, perhaps a key, and sends what it is told to."""

import gzip
import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.batches import log_line, pack_batch
from tests.sync.conftest import Node

SENDER = "a" * 32
NDJSON = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
SENT_AT = "2026-11-20T10:42:00.000Z"


def key_text(key: Ed25519PrivateKey) -> str:
    return urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")


def head_of(bodies: list[str], head: bytes = bytes(32)) -> bytes:
    """Return the chain's head after these records."""
    for body in bodies:
        head = hashlib.sha256(head + hashlib.sha256(body.encode()).digest()).digest()
    return head


class Sender:
    """A node of somebody else's making that pushes to `receiver`."""

    def __init__(self, receiver: Node, node_id: str = SENDER, key: Ed25519PrivateKey | None = None) -> None:
        self.receiver, self.node_id, self.key = receiver, node_id, key
        wish = {"code": receiver.code(), "name": "tableta", "node_id": node_id}
        wish |= {"public_key": key_text(key)} if key else {}
        answer = receiver.http.post(receiver.url + "/sync/v1/enroll", json=wish)
        assert answer.status_code == 201
        self.enrolled: dict[str, str] = answer.json()
        self.headers = {"Authorization": "Bearer " + self.enrolled["token"]}

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
        address = self.receiver.url + "/sync/v1" + path
        return self.receiver.http.request(method, address, json=content, headers={**self.headers, **headers})

    def send(self, body: bytes, **headers: str) -> httpx.Response:
        address = self.receiver.url + "/sync/v1/batches"
        return self.receiver.http.post(address, content=body, headers={**self.headers, **NDJSON, **headers})

    def signed(self, body: bytes, receiver_id: str = "") -> str:
        """Return the signature of a batch for a receiver, ours when none is named."""
        assert self.key is not None
        first = gzip.decompress(body).partition(b"\n")[0]
        text = f"collector-sync/1\n{receiver_id or self.receiver.id}\n{hashlib.sha256(first).hexdigest()}"
        return b64encode(self.key.sign(text.encode())).decode()

    def send_signed(self, body: bytes) -> httpx.Response:
        return self.send(body, **{"Collector-Signature": self.signed(body)})

    def batch(self, bodies: list[str], after: int = 0, via: str = "[]", sent_at: str = SENT_AT, **change: Any) -> bytes:
        lines = [log_line(after + at, via, body) for at, body in enumerate(bodies, 1)]
        zipped = pack_batch(self.node_id, "e1", after, after + len(bodies), lines, sent_at).body
        if not change:
            return zipped
        head, _, rest = gzip.decompress(zipped).partition(b"\n")
        return gzip.compress(json.dumps({**json.loads(head), **change}).encode() + b"\n" + rest)

    def lines(self, lines: list[str], after: int, upto: int, chain: bytes, epoch: str = "e1") -> bytes:
        """Return a batch of lines that are written already, with the chain's head."""
        return pack_batch(self.node_id, epoch, after, upto, lines, SENT_AT, chain.hex()).body

    def hello(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", "/hello").json()
        return found


class OldUpstream(httpx.HTTPTransport):
    """Shows an upstream as the release before chains, the feed and reports: what it did not know is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[bytes] = []
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rsplit("/", 1)[-1]
        self.paths.append(path)
        request.headers.pop("if-none-match", None)
        if path in ("feed", "report", "key", "trace", "proof", "rooms"):
            return _problem(404, "not_found")
        if path == "batches":
            self.batches.append(gzip.decompress(request.content))
            if any(b'"rec":' not in line for line in self.batches[-1].splitlines()[1:]):
                return _problem(400, "bad_line")
        response = super().handle_request(request)
        return _without(response, ("feed", "key", "revoked", "rooms")) if path == "hello" else response


def _problem(status: int, code: str) -> httpx.Response:
    body = {"type": f"urn:collector:problem:{code}", "code": code}
    headers = {"Content-Type": "application/problem+json", "X-Collector": "1"}
    return httpx.Response(status, content=json.dumps(body), headers=headers)


def _without(response: httpx.Response, keys: tuple[str, ...]) -> httpx.Response:
    response.read()
    content = {key: value for key, value in response.json().items() if key not in keys}
    return httpx.Response(response.status_code, json=content, headers={"X-Collector": "1"})
