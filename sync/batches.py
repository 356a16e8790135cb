"""Batches as bytes: NDJSON with a header line, gzip. Pure: no store, no network (docs/protocol.md, "Batches").

    {"batch":…,"from":…,"epoch":…,"after":0,"upto":17,"count":1,"sha256":…,"sent_at":…}
    {"n":16,"gone":"5f0e…"}
    {"n":17,"via":[…],"rec":RECORD}

`rec` is the last key of its line, so that the record's bytes are everything between `"rec":` and the final `}`: they
are cut out and kept, never parsed and written again. A `gone` line is an erased entry: its hash alone, for the chain.
"""

import gzip
import hashlib
import json
import re
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

from collector.clock import parse_iso
from collector.problems import PROBLEMS, ProblemError
from sync.limits import MAX_BATCH_RECORDS, MAX_HOPS, MAX_INFLATED_BYTES
from sync.records import MAX_RECORD_BYTES, ReadRecord, read_record

NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")  # node ids, epochs and batch ids; \Z by fullmatch
MAX_N = 2**53 - 1  # whole in every language's numbers
DECODER = json.JSONDecoder()
ENCODER = json.JSONEncoder(separators=(",", ":"))
SHA256_HEX = re.compile(r"[0-9a-f]{64}")
# reasons of quarantine that the next node cannot find out by itself
FORWARDED = ("revoked_node", "not_allowed", "room_refused", "room_late")
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
    chain: str = ""  # head of the sender's chain at `upto`, in hex; "" from a sender that keeps none


@dataclass(frozen=True)
class Hop:
    """A node that held the record before: its number there, and when the next node received it.

    skew: how many ms its clock was behind the next node's, when that is worth saying; else 0.
    """

    node: str
    epoch: str
    n: int
    received: str
    skew: int = 0


class Line(NamedTuple):
    """One entry of the sender's log: its number there, the hops before the sender, and the record.

    why: the sender keeps it in quarantine for this reason, one of FORWARDED; else "".
    """

    n: int
    via: tuple[Hop, ...]
    record: ReadRecord
    why: str = ""

    @property
    def sha256(self) -> bytes:
        return self.record.sha256


@dataclass(frozen=True)
class Gone:
    """An erased entry of the sender's log: its number, and the hash that stays."""

    n: int
    sha256: bytes


@dataclass(frozen=True)
class Batch:
    """A batch as read. first_line: the header's bytes, which the signature is over; entries: all that follows it."""

    header: Header
    first_line: bytes
    entries: tuple[Line | Gone, ...]
    lines: tuple[Line, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(entry for entry in self.entries if isinstance(entry, Line)))


@dataclass(frozen=True)
class Packed:
    """A batch ready to leave: its name, its header's bytes for the signature, and all of it as gzip."""

    batch: str
    first_line: bytes
    body: bytes


# --- write


def log_line(n: int, via: str, body: str, why: str = "") -> str:
    """Return one line. `via` is JSON text as stored; `body` the record's bytes, put in as they are."""
    said = f'"why":"{why}",' if why in FORWARDED else ""
    return f'{{"n":{n},"via":{via},{said}"rec":{body}}}'


def gone_line(n: int, sha256: bytes) -> str:
    """Return the line of an erased entry."""
    return f'{{"n":{n},"gone":"{sha256.hex()}"}}'


def pack_batch(
    sender: str, epoch: str, after: int, upto: int, lines: Sequence[str], sent_at: str, chain: str = ""
) -> Packed:
    """Return the batch of `lines`, each made by `log_line` or `gone_line`."""
    batch = secrets.token_hex(8)  # only echoed: it need not be unlike all others ever made
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
    first = ENCODER.encode(header | ({"chain": chain} if chain else {})).encode()
    return Packed(batch, first, gzip.compress(first + b"\n" + rest, 9, mtime=0))


def hops_json(hops: Sequence[Hop]) -> str:
    """Return `hops` as the JSON text that is stored and sent."""
    return ENCODER.encode([_hop_json(hop) for hop in hops])


def _hop_json(hop: Hop) -> dict[str, Any]:
    row: dict[str, Any] = {"node": hop.node, "epoch": hop.epoch, "n": hop.n, "received": hop.received}
    return row | ({"skew": hop.skew} if hop.skew else {})


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
    entries = tuple(_read_line(line, at) for at, line in enumerate(split_lines(rest, MAX_BATCH_RECORDS), 2))
    if len(entries) != header.count or not entries:
        raise bad_line(1, f"count says {header.count}, there are {len(entries)} lines")
    return Batch(header, first, entries)


def check_order(batch: Batch, receiver: str) -> None:
    """Check what stands after the cursor in the protocol's order: no loop, and numbers rising within (after, upto]."""
    for line in batch.lines:
        if line.via and (len(line.via) >= MAX_HOPS or any(hop.node == receiver for hop in line.via)):
            raise ProblemError(PROBLEMS["loop"])
    last = batch.header.after
    for at, entry in enumerate(batch.entries, 2):
        if not last < entry.n <= batch.header.upto:
            raise bad_line(at, f"n {entry.n} is not within ({last}, {batch.header.upto}]")
        last = entry.n


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
    if not is_sha256(digest) or not isinstance(sent_at, str):
        raise bad_line(1, '"sha256" is missing or no hash, or "sent_at" is not text')
    chain = found.get("chain", "")
    if chain != "" and not is_sha256(chain):
        raise bad_line(1, '"chain" is not a hash')
    numbers = (found["after"], found["upto"], found["count"])
    return Header(found["batch"], found["from"], found["epoch"], *numbers, digest, sent_at, chain)


def _read_line(line: bytes, at: int) -> Line | Gone:
    own = OWN_LINE.match(line)
    if own is not None and line.endswith(b"}") and (n := int(own[1])) <= MAX_N:
        return Line(n, (), read_body_line(line[own.end() : -1], at))
    try:
        keys, record = cut_record(line.decode())
    except (ValueError, RecursionError, IndexError) as error:
        raise bad_line(at, str(error)) from error
    if not is_number(keys.get("n")):
        raise bad_line(at, '"n" is missing or not a whole number')
    if record is None:
        return Gone(keys["n"], _gone_hash(keys.get("gone"), at))
    why = keys.get("why")
    known = why if isinstance(why, str) and why in FORWARDED else ""
    return Line(keys["n"], _read_hops(keys.get("via", []), at), read_body_line(record.encode(), at), known)


def _gone_hash(found: Any, at: int) -> bytes:
    if not is_sha256(found):
        raise bad_line(at, "there is no record, and no hash of a gone one")
    return bytes.fromhex(found)


def cut_record(text: str) -> tuple[dict[str, Any], str | None]:
    """Return the keys before `rec` and the record's own text, None where the line ends without one.

    Walks key by key: `"rec":` may stand inside a value.
    """
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
        if text[position:] == "}":
            return keys, None
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
    skew = hop.get("skew", 0)
    return Hop(hop["node"], hop["epoch"], hop["n"], received, skew if is_skew(skew) else 0)


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether `value` may name a node, an epoch, a batch or a record."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_sha256(value: Any) -> TypeGuard[str]:
    """Tell a hash as it travels: 64 lower-case hex digits."""
    return isinstance(value, str) and SHA256_HEX.fullmatch(value) is not None


def is_skew(value: Any) -> TypeGuard[int]:
    """Tell whether `value` may be the difference of two clocks."""
    return type(value) is int and abs(value) <= MAX_N // MAX_HOPS  # so that their sum is a number too


def is_number(value: Any) -> TypeGuard[int]:
    """Tell whether `value` may number an entry of a log."""
    return type(value) is int and 0 <= value <= MAX_N  # not isinstance: True is an int too
