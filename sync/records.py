"""Canonical records: made once where they are born, then stored and forwarded byte for byte.

Canonical bytes: a JSON object in UTF-8, keys sorted by code point, no blanks, NFC text, no floats, no U+0000, no lone
surrogates, at most 32 levels deep and 256 KiB long. `sha256` is over exactly these bytes.

Every node must judge the same bytes alike, or a record would be named one way here and another way upstream. So depth
and size are limits of the format, counted before parsing, and not whatever this interpreter happens to bear.
"""

import base64
import hashlib
import json
import re
import secrets
import time
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Any

MAX_RECORD_BYTES = 256 * 1024
MAX_DEPTH = 32
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
REQUIRED_TEXT = ("id", "kind", "form", "version", "form_sha", "started", "finished", "lang", "salt")


def uuid7(now_ms: int | None = None) -> str:
    """Return a UUIDv7 (RFC 9562): 48 bits of time in ms, the rest random. The time is a claim, never trusted."""
    ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    value = (ms & (2**48 - 1)) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def new_salt() -> str:
    """Return 96 random bits, so that the hash kept after an erasure reveals nothing."""
    return base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()


def canonical_bytes(record: dict[str, Any]) -> bytes:
    """Return the canonical bytes of `record`. Raises ValueError for floats, U+0000, lone surrogates, depth and size."""
    tidy = _tidy(record, MAX_DEPTH)
    try:
        content = ENCODER.encode(tidy).encode()
    except UnicodeEncodeError as error:
        raise ValueError("lone surrogate in text") from error
    if len(content) > MAX_RECORD_BYTES:
        raise ValueError(f"record of {len(content)} bytes, the limit is {MAX_RECORD_BYTES}")
    return content


def _tidy(value: Any, levels: int) -> Any:
    """Return `value` with NFC texts; `levels` of nesting are still allowed."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("U+0000 in text")
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float):
        raise ValueError(f"float {value!r}: decimals travel as text")
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {_tidy(key, levels): _tidy(item, levels - 1) for key, item in value.items()}
    return [_tidy(item, levels - 1) for item in value]


@dataclass(frozen=True)
class ReadRecord:
    """A record as read from its bytes. why: None, or the quarantine reason ("bad_record", "not_canonical")."""

    id: str
    sha256: bytes
    body: str
    kind: str
    form: str
    version: str
    why: str | None
    content: dict[str, Any]


def read_record(body: str | bytes) -> ReadRecord:
    """Read one record. Never raises for a JSON object: what cannot be used says why and is to be kept in quarantine.

    Raises ValueError when `body` is not a JSON object at all, or not UTF-8: the whole batch is damaged then.
    """
    raw, body = (body.encode(), body) if isinstance(body, str) else (body, body.decode())
    sha256 = hashlib.sha256(raw).digest()
    content, has_float = _parse(body)
    is_named = _is_uuid(content.get("id"))
    why = _unusable(content) if is_named else "bad_record"
    if why is None and (has_float or not _is_canonical(content, body, len(raw))):
        why = "not_canonical"
    return ReadRecord(
        id=content["id"] if is_named else _id_of_bytes(sha256),
        sha256=sha256,
        body=body,
        kind="" if why else content["kind"],
        form="" if why else content["form"],
        version="" if why else content["version"],
        why=why,
        content=content,
    )


def _id_of_bytes(sha256: bytes) -> str:
    """Return an id for a record without a usable one: its bytes name it, so that sending it again finds it again."""
    return str(uuid.UUID(bytes=sha256[:16]))


class _FloatFound(Exception):
    """Raised while parsing: a float stands outside the texts."""


def _refuse_float(_digits: str) -> Any:
    raise _FloatFound


WITHOUT_FLOATS = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float)


def _parse(body: str) -> tuple[dict[str, Any], bool]:
    """Return (content, whether it has floats); no content when nobody should parse it: too deep, or endless digits."""
    content: Any
    if _is_too_deep(body):
        content, has_float = {} if body.startswith("{") and body.endswith("}") else None, False
    else:
        content, has_float = _decode(body)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content, has_float


def _decode(body: str) -> tuple[Any, bool]:
    try:
        try:
            return WITHOUT_FLOATS.decode(body), False
        except _FloatFound:
            return json.loads(body), True
    except json.JSONDecodeError:
        raise
    except ValueError:  # the interpreter's limit on digits
        return {}, False


NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]')  # the last quote may be missing: else quadratic on bad text


def _is_too_deep(body: str) -> bool:
    if body.count("{") + body.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for match in NESTING.finditer(body):
        first = match.group()[0]
        depth += 1 if first in "[{" else -1 if first in "]}" else 0
        if depth > MAX_DEPTH:
            return True
    return False


def _unusable(content: dict[str, Any]) -> str | None:
    for key in REQUIRED_TEXT:
        if not isinstance(content.get(key), str):
            return "bad_record"
    is_whole = isinstance(content.get("answers"), dict) or content["kind"] != "submission"
    return None if is_whole else "bad_record"


def _is_canonical(content: dict[str, Any], body: str, size: int) -> bool:
    """Tell whether `body` is what `canonical_bytes(content)` gives, at a third of its cost; depth is checked before."""
    if "\\u0000" in body:  # as a character, or as letters in a text
        try:
            return canonical_bytes(content) == body.encode()
        except ValueError:
            return False
    # quotes part the texts and compose with nothing: the whole is NFC when each text is
    return size <= MAX_RECORD_BYTES and unicodedata.is_normalized("NFC", body) and ENCODER.encode(content) == body


UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _is_uuid(value: object) -> bool:
    """Tell a UUID as it is written here: lower case, hyphens in their places."""
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None
