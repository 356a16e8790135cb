"""A tablet and its central, and what stands between them: a file that somebody carries."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import pytest

from collector.clock import now_ms
from collector.db import writing
from collector.problems import ProblemError
from collector.queries import blobs
from sync.blobs import catch_up
from sync.bundle_import import Imported, import_bundle
from sync.bundle_receipts import write_receipt
from sync.bundles import Written, export_bundle, lock_for
from sync.carried import take_file
from tests.sync.conftest import Node

PASSPHRASE = "tres palabras cualquiera"
TABLES = ("record", "quarantine", "cursor", "log", "blob", "blob_chunk", "receipt", "node")


@dataclass
class Trip:
    """A tablet enrolled at central, with a folder for what is carried."""

    central: Node
    tablet: Node
    file: Path

    def export(self, node: Node | None = None, **given: Any) -> Written:
        sender = node or self.tablet
        lock = lock_for(sender.engine, given.pop("recipient", ""), given.pop("passphrase", ""))
        return export_bundle(sender.engine, self.file, lock, now_ms(), **given)

    def bring(self, node: Node | None = None, passphrase: str = "") -> Imported:
        with self.file.open("rb") as file:
            return import_bundle((node or self.central).engine, file, now_ms(), passphrase=passphrase)

    def opened(self) -> bytes:
        """Return the content, as any tool that knows age gives it."""
        identity = pyrage.x25519.Identity.from_str(self.central.fact("age_identity"))
        return bytes(pyrage.decrypt(self.file.read_bytes(), [identity]))

    def close_again(self, content: bytes) -> None:
        recipient = pyrage.x25519.Recipient.from_str(self.tablet.fact("central_key"))
        self.file.write_bytes(pyrage.encrypt(content, [recipient]))


@pytest.fixture
def trip(make_node: Callable[..., Node], tmp_path: Path) -> Trip:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return Trip(central, tablet, tmp_path / "viaje.cbundle")


def everything(node: Node) -> list[list[tuple[Any, ...]]]:
    return [sorted(node.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES]


def refusal(take: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        take()
    assert caught.value.sentence("es") and caught.value.sentence("en")
    return caught.value.problem.code


def refusal_of_file(node: Node, content: bytes) -> str:
    return refusal(lambda: take_file(node.engine, io.BytesIO(content), now_ms()))


def bodies(node: Node) -> dict[str, str]:
    return dict(node.rows("SELECT id, body FROM record"))


def receipt_of(taken: Imported) -> bytes:
    assert taken.receipt is not None
    return write_receipt(taken.receipt)


def capture_with_file(node: Node, content: bytes, keep: bool = True) -> str:
    """Store a record that names a file, and the file unless it is still on its way; return the file's hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    entry = {"name": f"foto-{sha256[:6]}.jpg", "sha256": sha256, "bytes": len(content), "type": "image/jpeg"}
    node.capture(blobs=[entry])
    if keep:
        add_file(node, content)
    return sha256


def add_file(node: Node, content: bytes) -> None:
    catch_up(node.engine)
    sha256 = hashlib.sha256(content).hexdigest()
    with writing(node.engine) as session:
        for at in range(0, len(content), 200_000):
            blobs.add_part(session, sha256, at, len(content), content[at : at + 200_000])


def parts_of(content: bytes) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Give (part, where it begins, where it ends) of an opened bundle."""
    first, _, _ = content.partition(b"\n")
    at = len(first) + 1
    for part in json.loads(first)["parts"]:
        yield part, at, at + part["bytes"]
        at += part["bytes"]
