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
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from collector.clock import parse_iso

try:
    import orjson
except ImportError:  # where there is no wheel of it, the standard library does the same, slower
    orjson = None  # type: ignore[assignment]

MAX_RECORD_BYTES = 256 * 1024
MAX_DEPTH = 32
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
REQUIRED_TEXT = ("id", "kind", "form", "version", "form_sha", "started", "finished", "lang", "salt")
# kinds that speak of another record, and the key that names it; a contribution belongs to what opened its room
ABOUT = {"edit": "replaces", "annotation": "about", "tombstone": "erases", "contribution": "session"}
FORMLESS = ("annotation", "tombstone", "contribution")  # of no form
REQUIRED_OF_FORMLESS = ("id", "kind", "finished", "salt")
ENVELOPE = itemgetter(*REQUIRED_TEXT)
ONLY_TEXT = frozenset({str})
CLAIM = re.compile(r"[0-9a-f]{32}")


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


class ReadRecord(NamedTuple):
    """A record as read from its bytes. why: None, or the quarantine reason ("bad_record", "not_canonical").

    about: the id of the record it speaks of, or ""; device_ms: when it was finished, by the device, 0 when unreadable;
    claim: what the person's receipt code hashes to, or "".
    """

    id: str
    sha256: bytes
    body: str
    kind: str
    form: str
    version: str
    why: str | None
    content: dict[str, Any]
    about: str = ""
    device_ms: int = 0
    claim: str = ""


def read_record(body: str | bytes) -> ReadRecord:
    """Read one record. Never raises for a JSON object: what cannot be used says why and is to be kept in quarantine.

    Raises ValueError when `body` is not a JSON object at all, or not UTF-8: the whole batch is damaged then.
    """
    raw, body = (body.encode(), body) if isinstance(body, str) else (body, body.decode())
    sha256 = hashlib.sha256(raw).digest()
    content, is_canonical = _read(raw, body)
    usual = _read_usual(content, sha256, body) if is_canonical else None
    return usual or _judge(content, is_canonical, sha256, body)


def _read_usual(content: dict[str, Any], sha256: bytes, body: str) -> ReadRecord | None:
    """Return a submission in which all is as it should be, by a third of the questions of `_judge`; else None."""
    try:
        texts = ENVELOPE(content)
    except KeyError:
        return None
    if not ONLY_TEXT.issuperset(map(type, texts)):
        return None
    record_id, kind, form, version, _, _, finished, _, _ = texts
    if kind != "submission" or type(content.get("answers")) is not dict or not UUID_FORM.fullmatch(record_id):
        return None
    moment = parse_iso(finished)
    claim = _claim(content) if "claim" in content else ""
    device_ms = moment[0] if moment else 0
    return ReadRecord(record_id, sha256, body, kind, form, version, None, content, "", device_ms, claim)


def _judge(content: dict[str, Any], is_canonical: bool, sha256: bytes, body: str) -> ReadRecord:
    """Return any other record, with why it is to be kept in quarantine, if it is."""
    is_named = _is_uuid(content.get("id"))
    why = _unusable(content) if is_named else "bad_record"
    if why is None and not is_canonical:
        why = "not_canonical"
    if why:
        record_id = content["id"] if is_named else _id_of_bytes(sha256)
        return ReadRecord(record_id, sha256, body, "", "", "", why, content, "", _moment(content), "")
    kind = content["kind"]
    about = _text(content, ABOUT[kind]) if kind in ABOUT else ""
    form, version = _text(content, "form"), _text(content, "version")
    claim = _claim(content) if "claim" in content else ""
    return ReadRecord(content["id"], sha256, body, kind, form, version, None, content, about, _moment(content), claim)


def _text(content: dict[str, Any], key: str) -> str:
    found = content.get(key)
    return found if isinstance(found, str) else ""


def _moment(content: dict[str, Any]) -> int:
    moment = parse_iso(_text(content, "finished"))
    return moment[0] if moment else 0


def _claim(content: dict[str, Any]) -> str:
    found = _text(content, "claim")
    return found if CLAIM.fullmatch(found) else ""


def _id_of_bytes(sha256: bytes) -> str:
    """Return an id for a record without a usable one: its bytes name it, so that sending it again finds it again."""
    return str(uuid.UUID(bytes=sha256[:16]))


def _read(raw: bytes, body: str) -> tuple[dict[str, Any], bool]:
    """Return (content, whether these are its canonical bytes). Raises ValueError for what is no JSON object.

    The quick way says yes or nothing at all: what it cannot vouch for is read again by the standard library.
    """
    found = _read_quickly(raw, body) if orjson is not None else None
    if found is not None:
        return found, True
    content, has_float = _parse(body)
    return content, not has_float and _is_canonical(content, body, len(raw))


def _read_quickly(raw: bytes, body: str) -> dict[str, Any] | None:
    """Return the content of a record that is canonical beyond doubt, else None."""
    if len(raw) > MAX_RECORD_BYTES or (b"\\" in raw and b"\\u0000" in raw):  # one byte is found much sooner than six
        return None
    try:
        content = orjson.loads(raw)
        same = orjson.dumps(content, option=orjson.OPT_SORT_KEYS) == raw
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return content if same and type(content) is dict and _has_no_float(content) and _is_nfc(body) else None


def _is_nfc(body: str) -> bool:
    """Tell whether a text is in NFC, sooner where it has letters of Western Europe alone: all of those always are."""
    try:
        body.encode("latin-1")
    except UnicodeEncodeError:
        return unicodedata.is_normalized("NFC", body)
    return True


def _has_no_float(content: dict[str, Any]) -> bool:
    """Tell whether there is no float in a record, nor too much nesting; at once where all but the answers is text."""
    answers = content.get("answers")
    if type(answers) is dict and list(map(type, content.values())).count(str) == len(content) - 1:
        return _is_plain(answers.values(), MAX_DEPTH - 2)
    return _is_plain(content.values(), MAX_DEPTH - 1)


def _is_plain(values: Iterable[Any], levels: int) -> bool:
    """Tell whether there is no float among the values nor inside them, and no more than `levels` of nesting."""
    if ONLY_TEXT.issuperset(map(type, values)):
        return True
    for value in [value for value in values if type(value) is not str]:
        kind = type(value)
        if kind is float:
            return False
        inside = value.values() if kind is dict else value if kind is list else None
        if inside is not None and (levels == 0 or not _is_plain(inside, levels - 1)):
            return False
    return True


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
    kind = content.get("kind")
    required = REQUIRED_OF_FORMLESS if kind in FORMLESS else REQUIRED_TEXT
    if not ONLY_TEXT.issuperset(map(type, map(content.get, required))):
        return "bad_record"
    if kind in ("submission", "edit") and not isinstance(content.get("answers"), dict):
        return "bad_record"
    # kind is text here; what speaks of no record that could be is kept, but does nothing
    is_whole = kind not in ABOUT or _is_uuid(content.get(ABOUT[str(kind)]))
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
