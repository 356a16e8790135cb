"""Batches as bytes: NDJSON with a header line, gzip. Pure: no store, no network (docs/protocol.md, "Batches").

    {"batch":…,"from":…,"epoch":…,"after":0,"upto":17,"count":1,"sha256":…,"sent_at":…}
    {"n":17,"via":[…],"rec":RECORD}

`rec` is the last key of its line, so that the record's bytes are everything between `"rec":` and the final `}`: they
are cut out and kept, never parsed and written again.
"""

import gzip
import hashlib
import json
import re
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from collector.clock import parse_iso
from collector.problems import PROBLEMS, ProblemError
from sync.limits import MAX_BATCH_RECORDS, MAX_HOPS, MAX_INFLATED_BYTES
from sync.records import MAX_RECORD_BYTES, ReadRecord, read_record

NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")  # node ids, epochs and batch ids; \Z by fullmatch
MAX_N = 2**53 - 1  # whole in every language's numbers
DECODER = json.JSONDecoder()
ENCODER = json.JSONEncoder(separators=(",", ":"))
# what a node writes for a record that was born there: nothing to walk through before the record
OWN_LINE = re.compile(rb'\{"n":(0|[1-9][0-9]{0,15}),"via":\[\],"rec":')


@dataclass(frozen=True)
class Header:
    """The first line. The batch carries the sender's log of `epoch` from `after` (exclusive) to `upto`."""

    batch: str
    sender: str
    epoch: str
    after: int
    upto: int
    count: int
    sha256: str
    sent_at: str


@dataclass(frozen=True)
class Hop:
    """A node that held the record before: its number there, and when the next node received it."""

    node: str
    epoch: str
    n: int
    received: str


@dataclass(frozen=True)
class Line:
    """One entry of the sender's log: its number there, the hops before the sender, and the record."""

    n: int
    via: tuple[Hop, ...]
    record: ReadRecord


@dataclass(frozen=True)
class Batch:
    header: Header
    lines: tuple[Line, ...]


# --- write


def log_line(n: int, via: str, body: str) -> str:
    """Return one line. `via` is JSON text as stored; `body` the record's bytes, put in as they are."""
    return f'{{"n":{n},"via":{via},"rec":{body}}}'


def encode_batch(
    sender: str, epoch: str, after: int, upto: int, lines: Sequence[str], sent_at: str
) -> tuple[str, bytes]:
    """Return (batch id, gzip bytes) of `lines`, each made by `log_line`."""
    batch = uuid.uuid4().hex
    rest = "".join(f"{line}\n" for line in lines).encode()
    header = {
        "batch": batch,
        "from": sender,
        "epoch": epoch,
        "after": after,
        "upto": upto,
        "count": len(lines),
        "sha256": hashlib.sha256(rest).hexdigest(),
        "sent_at": sent_at,
    }
    first = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    return batch, gzip.compress(first + rest, 9, mtime=0)


def hops_json(hops: Sequence[Hop]) -> str:
    """Return `hops` as the JSON text that is stored and sent."""
    rows = [{"node": hop.node, "epoch": hop.epoch, "n": hop.n, "received": hop.received} for hop in hops]
    return ENCODER.encode(rows)


# --- read


def inflate(body: bytes, limit: int = MAX_INFLATED_BYTES) -> bytes:
    """Unzip one gzip member, at most `limit` bytes of content: a bomb costs no more memory than that."""
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise ProblemError(PROBLEMS["bad_gzip"]) from error
    if len(content) > limit:
        raise ProblemError(PROBLEMS["too_large"], size=f"> {limit}", limit=limit)
    if not stream.eof or stream.unused_data:
        raise ProblemError(PROBLEMS["bad_gzip"])
    return content


def read_batch(content: bytes) -> Batch:
    """Read an inflated batch. Raises ProblemError digest_mismatch, bad_line, too_many_records or too_large.

    Nothing here depends on the store: what needs the cursor is `check_order`, inside the transaction.
    """
    first, _, rest = content.partition(b"\n")
    header = _read_header(first)
    found = hashlib.sha256(rest).hexdigest()
    if found != header.sha256:
        raise ProblemError(PROBLEMS["digest_mismatch"], found=found, said=header.sha256)
    lines = tuple(_read_line(line, at) for at, line in enumerate(split_lines(rest, MAX_BATCH_RECORDS), 2))
    if len(lines) != header.count or not lines:
        raise bad_line(1, f"count says {header.count}, there are {len(lines)} lines")
    return Batch(header, lines)


def check_order(batch: Batch, receiver: str) -> None:
    """Check what stands after the cursor in the protocol's order: no loop, and numbers rising within (after, upto]."""
    for line in batch.lines:
        if len(line.via) >= MAX_HOPS or any(hop.node == receiver for hop in line.via):
            raise ProblemError(PROBLEMS["loop"])
    last = batch.header.after
    for at, line in enumerate(batch.lines, 2):
        if not last < line.n <= batch.header.upto:
            raise bad_line(at, f"n {line.n} is not within ({last}, {batch.header.upto}]")
        last = line.n


def split_lines(content: bytes, most: int) -> list[bytes]:
    """Split at line feeds only; the last one may be missing. Counts first: a million empty lines cost memory too."""
    count = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    if count > most:
        raise ProblemError(PROBLEMS["too_many_records"], count=count, limit=most)
    return content.removesuffix(b"\n").split(b"\n") if content else []


def read_body_line(line: bytes, at: int) -> ReadRecord:
    """Read a line that is a record and nothing else."""
    if len(line) > MAX_RECORD_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=len(line), limit=MAX_RECORD_BYTES)
    try:
        return read_record(line)
    except ValueError as error:
        raise bad_line(at, str(error)) from error


def bad_line(at: int, reason: str) -> ProblemError:
    """Return the problem of line `at` (the header is line 1)."""
    return ProblemError(PROBLEMS["bad_line"], line=at, reason=reason)


def _read_header(line: bytes) -> Header:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise bad_line(1, "the header is not JSON") from error
    if not isinstance(found, dict):
        raise bad_line(1, "the header is not a JSON object")
    for key in ("batch", "from", "epoch"):
        if not is_name(found.get(key)):
            raise bad_line(1, f'"{key}" is missing or not a name')
    for key in ("after", "upto", "count"):
        if not is_number(found.get(key)):
            raise bad_line(1, f'"{key}" is missing or not a whole number')
    digest, sent_at = found.get("sha256"), found.get("sent_at", "")
    if not isinstance(digest, str) or not isinstance(sent_at, str):
        raise bad_line(1, '"sha256" is missing, or "sent_at" is not text')
    return Header(
        found["batch"], found["from"], found["epoch"], found["after"], found["upto"], found["count"], digest, sent_at
    )


def _read_line(line: bytes, at: int) -> Line:
    own = OWN_LINE.match(line)
    if own is not None and is_number(int(own[1])) and line.endswith(b"}"):
        return Line(int(own[1]), (), read_body_line(line[own.end() : -1], at))
    try:
        keys, record = _cut_record(line.decode())
    except (ValueError, RecursionError, IndexError) as error:
        raise bad_line(at, str(error)) from error
    if not is_number(keys.get("n")):
        raise bad_line(at, '"n" is missing or not a whole number')
    return Line(keys["n"], _read_hops(keys.get("via", []), at), read_body_line(record.encode(), at))


def _cut_record(text: str) -> tuple[dict[str, Any], str]:
    """Return the keys before `rec` and the record's own text. Walks key by key: `"rec":` may stand inside a value."""
    keys: dict[str, Any] = {}
    position = _after(text, 0, "{")
    while True:
        key, position = DECODER.raw_decode(text, position)
        position = _after(text, position, ":")
        if key == "rec":
            if not text.endswith("}"):
                raise ValueError("no } after the record")
            return keys, text[position:-1]
        if not isinstance(key, str):
            raise ValueError("a key is not text")
        keys[key], position = DECODER.raw_decode(text, position)
        position = _after(text, position, ",")


def _after(text: str, position: int, mark: str) -> int:
    if text[position : position + 1] != mark:
        raise ValueError(f"{mark} expected at character {position}; the record is the last key of its line")
    return position + 1


def _read_hops(found: Any, at: int) -> tuple[Hop, ...]:
    if not isinstance(found, list):
        raise bad_line(at, '"via" is not a list')
    return tuple(_read_hop(hop, at) for hop in found)


def _read_hop(hop: Any, at: int) -> Hop:
    if not isinstance(hop, dict) or not is_name(hop.get("node")) or not is_name(hop.get("epoch")):
        raise bad_line(at, 'a hop of "via" has no node or epoch')
    received = hop.get("received")
    if not is_number(hop.get("n")) or not isinstance(received, str) or parse_iso(received) is None:
        raise bad_line(at, 'a hop of "via" has no n or no time')
    return Hop(hop["node"], hop["epoch"], hop["n"], received)


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether `value` may name a node, an epoch, a batch or a record."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_number(value: Any) -> TypeGuard[int]:
    """Tell whether `value` may number an entry of a log."""
    return type(value) is int and 0 <= value <= MAX_N  # not isinstance: True is an int too
