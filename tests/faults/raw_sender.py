"""A node reduced to its requests: makes batches as `sync` does, sends them over a plain connection, keeps nothing."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.clock import iso, now_ms
from collector.db import writing
from collector.queries import nodes, store
from sync import chain, keys
from sync.batches import Packed, log_line, pack_batch
from sync.records import canonical_bytes, read_record, uuid7
from tests import conftest
from tests.sync.conftest import record_content

TIMEOUT_SECONDS = 10


@dataclass
class RawSender:
    """One node known to `central`. sent: entries of its log that central confirmed; head: of the chain there."""

    central: conftest.Node
    node_id: str = field(default_factory=lambda: uuid7().replace("-", ""))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sent: int = 0
    head: bytes = chain.START

    def __post_init__(self) -> None:
        with writing(self.central.app.state.engine) as session:
            code = nodes.make_enrol_code(session, now_ms())
            public_key = keys.public_text(self.key)
            self.token = nodes.enrol_node(session, code, "prueba", self.node_id, now_ms(), public_key)
            self.receiver = store.fact(session, "node_id")

    def pack(self, count: int) -> tuple[Packed, list[str], bytes]:
        """Return the next batch of `count` new records, their ids and the chain's head after them."""
        contents = [record_content() for _ in range(count)]
        bodies = [canonical_bytes(content).decode() for content in contents]
        lines = [log_line(n, "[]", body) for n, body in enumerate(bodies, self.sent + 1)]
        head = chain.fold(self.head, (read_record(body).sha256 for body in bodies))
        upto = self.sent + count
        packed = pack_batch(self.node_id, "e1", self.sent, upto, lines, iso(now_ms()), head.hex())
        return packed, [str(content["id"]) for content in contents], head

    def headers(self, packed: Packed) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Collector-Signature": keys.sign(self.key, self.receiver, packed.first_line),
        }

    def post(self, port: int, packed: Packed) -> dict[str, Any] | None:
        """Send a batch to a port of this machine; None when the line broke before the whole answer was there."""
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        try:
            line.request("POST", "/sync/v1/batches", packed.body, self.headers(packed))
            answer = line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            line.close()
        return _echo_of(packed, content)

    def confirm(self, count: int, head: bytes) -> None:
        """Go on after a confirmed batch."""
        self.sent, self.head = self.sent + count, head


def _echo_of(packed: Packed, content: bytes) -> dict[str, Any] | None:
    """Return the answer if it is one: this library takes headers without their end for whole ones."""
    try:
        found: dict[str, Any] = json.loads(content)
    except ValueError:
        return None
    assert found.get("batch") == packed.batch, content
    return found
