"""The receipt that goes back with the person who carried a bundle: proof of what its receiver holds (docs/bundles.md).

Made with the secret that stands inside the bundle, so only who could open it can make one; and central names its own
key, so that a computer that merely stands alone cannot pass for it.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import iso
from collector.db import writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs, bundles, nodes, receipts, store
from collector.queries.blobs import Held, is_sha256
from sync import keys
from sync.batches import is_number
from sync.bundle_format import Manifest

if TYPE_CHECKING:
    from sync.bundle_import import Imported

FORMAT = 1
MAX_RECEIPT_BYTES = 1024 * 1024
MAX_FILES = 2000
Receipt = dict[str, Any]


@dataclass(frozen=True)
class Cleared:
    """What a receipt says. is_central: the records are at central now and are counted so here.

    node: who gives it; records: how many entries it speaks of; files: how many of them are there; missing: how many
    that these records name are not.
    """

    bundle: str
    node: str
    is_central: bool
    records: int
    files: int
    missing: int


def make_receipt(engine: Engine, manifest: Manifest, result: "Imported", now_ms: int) -> Receipt:
    """Return the receipt of a bundle that was taken in."""
    with writing(engine) as session:  # central may have to make its key
        node, central = store.fact(session, "node_id"), nodes.is_central(session)
        key = keys.central_key(session) if central else ""
    counts = {"stored": result.stored, "duplicate": result.duplicate, "quarantined": result.quarantined}
    receipt: Receipt = {
        "collector-receipt": FORMAT,
        "bundle": manifest.id,
        "node": node,
        "central": central,
        "central_key": key,
        "epoch": manifest.epoch,
        "upto": manifest.upto,
        "counts": counts,
        "files": result.files[:MAX_FILES],
        "missing_files": result.missing[:MAX_FILES],
        "at": iso(now_ms),
    }
    return receipt | {"mac": _mac(manifest.secret, receipt)}


def write_receipt(receipt: Receipt) -> bytes:
    """Return the receipt as a file."""
    return json.dumps(receipt, ensure_ascii=False, indent=1).encode() + b"\n"


def _mac(secret: str, receipt: Receipt) -> str:
    """Return HMAC-SHA256 with the bundle's secret over the canonical JSON of all but the mac."""
    rest = {key: value for key, value in receipt.items() if key != "mac"}
    return hmac.new(secret.encode(), _canonical(rest), hashlib.sha256).hexdigest()


def _canonical(rest: Receipt) -> bytes:
    return json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def is_receipt(content: bytes) -> bool:
    """Tell a receipt from other JSON."""
    return _read(content) is not None


def _read(content: bytes) -> Receipt | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "collector-receipt" in found else None


def take_receipt(engine: Engine, content: bytes, now_ms: int) -> Cleared:
    """Believe a receipt that is right: what it covers counts as received at central. May be taken several times.

    Raises bundle_unknown (no receipt), receipt_unknown (of a bundle of another node), receipt_forged.
    """
    receipt = _read(content)
    if receipt is None:
        raise ProblemError(PROBLEMS["bundle_unknown"])
    with writing(engine) as session:
        sent = bundles.get_sent(session, str(receipt.get("bundle"))[:64])
        if sent is None:
            raise ProblemError(PROBLEMS["receipt_unknown"])
        if not _is_right(receipt, sent.secret) or (receipt.get("epoch"), receipt.get("upto")) != (
            sent.epoch,
            sent.upto,
        ):
            raise ProblemError(PROBLEMS["receipt_forged"])
        is_central = _is_of_our_central(session, receipt)
        files = [sha256 for sha256 in _listed(receipt, "files") if is_sha256(sha256)]
        if is_central:
            # entries keep their numbers for life, in every epoch: the bundle carried exactly these
            receipts.add_receipts_upto(session, sent.after, sent.upto, now_ms)
            blobs.note_upstream(session, files, {sha256: Held(sha256, 1, 1, True) for sha256 in files})
            bundles.clear_sent(session, sent.id, now_ms)
    missing = len(_listed(receipt, "missing_files"))
    return Cleared(str(receipt["bundle"]), str(receipt.get("node")), is_central, _count(receipt), len(files), missing)


def _listed(receipt: Receipt, key: str) -> list[Any]:
    found = receipt.get(key)
    return found if isinstance(found, list) else []


def _count(receipt: Receipt) -> int:
    """Return how many entries the receipt speaks of."""
    counts = receipt.get("counts")
    return sum(n for n in counts.values() if is_number(n)) if isinstance(counts, dict) else 0


def _is_right(receipt: Receipt, secret: str) -> bool:
    """Tell whether the writer knew the bundle's secret, and so could open it."""
    said = receipt.get("mac")
    return isinstance(said, str) and said.isascii() and hmac.compare_digest(said, _mac(secret, receipt))


def _is_of_our_central(session: Session, receipt: Receipt) -> bool:
    """Tell whether it is central that speaks: by its key, or by its id where it is our upstream."""
    upstream, key = nodes.get_upstream(session), store.fact(session, "central_key")
    if receipt.get("central") is not True or upstream is None:
        return False
    return receipt.get("node") == upstream.node_id or (key != "" and receipt.get("central_key") == key)
