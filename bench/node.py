"""A node to measure: its store prepared with forms, served as people serve it, with senders enrolled."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from bench.servers import Server, free_ports, node_command, running
from collector.clock import iso, now_ms
from collector.db import open_engine, prepare_store, writing
from collector.form_store import FormStore
from collector.queries import nodes, store
from collector.settings import Settings
from sync import chain, keys
from sync.batches import log_line, pack_batch

QUIET = {"COLLECTOR_SYNC_SECONDS": "0"}


@dataclass(frozen=True)
class Node:
    """A node being served as central, and the folder of its store."""

    server: Server
    data: Path

    @property
    def url(self) -> str:
        """Return the address without a slash at the end."""
        return f"http://127.0.0.1:{self.server.port}"


@dataclass
class Peer:
    """A sender: what is told by enrolling, its key if it has one, and how far its log has gone into batches."""

    node_id: str
    token: str
    epoch: str
    sent: int = 0
    upstream_id: str = ""
    key: Ed25519PrivateKey | None = None
    head: bytes = chain.START

    def batch(self, bodies: Iterable[bytes]) -> bytes:
        """Return the next batch of this sender's log, for a sender without a key."""
        return self.signed_batch(bodies)[0]

    def signed_batch(self, bodies: Iterable[bytes]) -> tuple[bytes, str]:
        """Return the next batch of this sender's log, as sync/upload.py makes it, and its signature."""
        after, lines = self.sent, list(bodies)
        self.sent += len(lines)
        self.head = chain.fold(self.head, (hashlib.sha256(body).digest() for body in lines))
        texts = [log_line(n, "[]", body.decode()) for n, body in enumerate(lines, after + 1)]
        packed = pack_batch(self.node_id, self.epoch, after, self.sent, texts, iso(now_ms()), self.head.hex())
        return packed.body, keys.sign(self.key, self.upstream_id, packed.first_line) if self.key else ""


@contextmanager
def own_store(data: Path, xforms: Iterable[str]) -> Iterator[Engine]:
    """Open a new store below `data` with the forms published, until the block ends."""
    settings = Settings(data_dir=data, name="central")
    engine = open_engine(settings.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, settings.name)
    forms = FormStore(engine)
    for xform in xforms:
        forms.install(xform)
    yield engine
    engine.dispose()


@contextmanager
def serving(data: Path, xforms: Iterable[str]) -> Iterator[Node]:
    """Serve a node with the forms published until the block ends."""
    with own_store(data, xforms):
        port = free_ports()
    with running(node_command(data, port), [port], data / "serve.log", QUIET) as server:
        yield Node(server, data)


def enrol(node: Node, key: Ed25519PrivateKey | None = None) -> Peer:
    """Enrol a new sender, over HTTP as any node; with a key it has to sign."""
    engine = open_engine(Settings(data_dir=node.data).url)
    with writing(engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    engine.dispose()
    wish = {"code": code, "name": "bench", "node_id": secrets.token_hex(16)}
    wish |= {"public_key": keys.public_text(key)} if key else {}
    answer = httpx.post(f"{node.url}/sync/v1/enroll", json=wish).raise_for_status().json()
    return Peer(wish["node_id"], answer["token"], secrets.token_hex(8), 0, answer["upstream_id"], key)
