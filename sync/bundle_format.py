"""The inside of a bundle, once opened: a manifest line, then its parts one after the other (docs/bundles.md). Pure.

{"collector-bundle":1,"id":…,"from":…,"name":…,"epoch":…,"after":0,"upto":17,"records":17,"made":…,
 "public_key":…,"secret":…,"parts":[{"kind":"batch","bytes":2104,"sha256":…,"signature":…},
                                    {"kind":"blob","bytes":812334,"sha256":…}]}
2,104 bytes of a batch, as /sync/v1/batches takes them, then 812,334 bytes of a file
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collector.problems import PROBLEMS, ProblemError
from sync.batches import is_name, is_number, is_sha256
from sync.keys import is_public_key
from sync.limits import MAX_BODY_BYTES

FORMAT = 1
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_TEXT = 200
PIECE_BYTES = 256 * 1024
ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Part:
    """A part: a "batch" with its signature, or a "blob", a whole file whose name is its sha256."""

    kind: str
    bytes: int
    sha256: str
    signature: str = ""


@dataclass(frozen=True)
class Manifest:
    """The first line. The bundle carries the log of `epoch` of node `sender` from `after` (exclusive) to `upto`.

    secret: what a return receipt is proved with; public_key: the sender's, for a receiver that does not know it.
    """

    id: str
    sender: str
    name: str
    epoch: str
    after: int
    upto: int
    records: int
    made: str
    public_key: str
    secret: str
    parts: tuple[Part, ...]


def write_manifest(manifest: Manifest) -> bytes:
    """Return the first line, its line feed included."""
    keys = ("id", "name", "epoch", "after", "upto", "records", "made", "public_key", "secret")
    values = {key: getattr(manifest, key) for key in keys}
    parts = [_part_json(part) for part in manifest.parts]
    line = {"collector-bundle": FORMAT, "from": manifest.sender, **values, "parts": parts}
    return ENCODER.encode(line).encode() + b"\n"


def _part_json(part: Part) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": part.kind, "bytes": part.bytes, "sha256": part.sha256}
    return row | ({"signature": part.signature} if part.signature else {})


def read_manifest(line: bytes) -> Manifest:
    """Read the first line. Raises bundle_damaged, bundle_newer, bundle_unknown. Keys it does not know are ignored."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProblemError(PROBLEMS["bundle_unknown"]) from error
    if not isinstance(found, dict) or "collector-bundle" not in found:
        raise ProblemError(PROBLEMS["bundle_unknown"])
    if found["collector-bundle"] != FORMAT:
        raise ProblemError(PROBLEMS["bundle_newer"], wanted=str(found["collector-bundle"])[:20], known=FORMAT)
    parts = found.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise damaged('"parts" is missing')
    return Manifest(
        id=_name(found, "id"),
        sender=_name(found, "from"),
        name=_text(found, "name"),
        epoch=_name(found, "epoch"),
        after=_number(found, "after"),
        upto=_number(found, "upto"),
        records=_number(found, "records"),
        made=_text(found, "made"),
        public_key=_public_key(found.get("public_key")),
        secret=_text(found, "secret"),
        parts=tuple(_read_part(part) for part in parts),
    )


def _read_part(found: dict[str, Any]) -> Part:
    kind, sha256 = found.get("kind"), found.get("sha256")
    if kind not in ("batch", "blob") or not is_sha256(sha256):
        raise damaged("a part has no kind or no hash")
    size = _number(found, "bytes")
    if size == 0 or (kind == "batch" and size > MAX_BODY_BYTES):
        raise damaged(f"a part of {size} bytes")
    return Part(str(kind), size, sha256, _text(found, "signature") if kind == "batch" else "")


def _name(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not is_name(value):
        raise damaged(f'"{key}" is missing or not a name')
    return value


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise damaged(f'"{key}" is missing or not a text')
    return value


def _number(found: dict[str, Any], key: str) -> int:
    value = found.get(key)
    if not is_number(value):
        raise damaged(f'"{key}" is missing or not a number')
    return value


def _public_key(value: object) -> str:
    if not is_public_key(value):
        raise damaged('"public_key" is missing or not a key')
    return str(value)


def damaged(reason: str) -> ProblemError:
    """Return the problem of a file that is not as it was written."""
    return ProblemError(PROBLEMS["bundle_damaged"], reason=reason)


@dataclass(frozen=True)
class Takers:
    """Who gets what `Parser` reads: a whole batch, or a file piece by piece, its place in the file with it."""

    manifest: Callable[[Manifest], None]
    batch: Callable[[Part, bytes], None]
    piece: Callable[[Part, int, bytes], None]


class Parser:
    """Takes the opened bytes as they come, in pieces of any size, and hands out what they are. Holds one piece.

    Raises bundle_damaged, or what a taker raises. A file's last piece is handed out only when its hash is right.

        manifest line -> part 1 -> part 2 -> … -> nothing more may come
    """

    def __init__(self, takers: Takers) -> None:
        self.takers = takers
        self.manifest: Manifest | None = None
        self.held = bytearray()
        self.parts: list[Part] = []  # those to come, the next one last
        self.at = 0  # within the part
        self.hash = hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Take the next bytes; says how many, as a file does."""
        self.held += content
        if self.manifest is None and not self._take_manifest():
            return len(content)
        while self.parts and self._take_piece(self.parts[-1]):
            pass
        if self.held and not self.parts:
            raise damaged("something follows the last part")
        return len(content)

    def flush(self) -> None:
        """Stand for a file's: there is nothing to do."""

    def end(self) -> Manifest:
        """Say that no more comes; return the manifest."""
        if self.manifest is None:
            raise damaged("there is no manifest")
        if self.parts:
            raise damaged("the file ends too early")
        return self.manifest

    def _take_manifest(self) -> bool:
        end = self.held.find(b"\n")
        if end < 0 and len(self.held) > MAX_MANIFEST_BYTES:
            raise ProblemError(PROBLEMS["bundle_unknown"])
        if end < 0:
            return False
        self.manifest = read_manifest(bytes(self.held[:end]))
        self.parts = list(reversed(self.manifest.parts))
        del self.held[: end + 1]
        self.takers.manifest(self.manifest)
        return True

    def _take_piece(self, part: Part) -> bool:
        """Hand out the next piece, as soon as it is whole: all of a batch, PIECE_BYTES of a file."""
        left = part.bytes - self.at
        size = left if part.kind == "batch" else min(left, PIECE_BYTES)
        if len(self.held) < size:
            return False
        content = bytes(self.held[:size])
        del self.held[:size]
        self.hash.update(content)
        is_last = size == left
        if is_last and self.hash.hexdigest() != part.sha256:
            raise damaged("a part is not what the manifest says")
        if part.kind == "batch":
            self.takers.batch(part, content)
        else:
            self.takers.piece(part, self.at, content)
        self.at += size
        if is_last:
            self.parts.pop()
            self.at, self.hash = 0, hashlib.sha256()
        return True
