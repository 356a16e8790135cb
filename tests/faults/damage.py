"""Requests as no client should make them: those of `noise.py`, damaged in all the ways we could think of.

a valid request  ->  change its JSON, its lines, its bytes, its gzip, its headers, its address, its token
"""

import functools
import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.faults.noise import VALID, VALUES, Noise, Request, change_json

MOST_CHANGED_BYTES = 200_000
HEADER_VALUES = (b"", b" ", b"0", b"-1", b"1e9", b"9" * 400, b"gzip, gzip", b"br", b"text/html", b"\xff\xfe", b"*/*")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get")
JUNK_PATHS = ("", "/", "/..", "/%00", "/ñ", "/" + "a" * 5000, "/hello/", "//hello", "/forms/ñ/\x00", "/forms/a/b/c/d")
BOMB_BYTES, BOMB_BLOCK_BYTES = 1024**3, 16 * 1024**2


def next_request(noise: Noise) -> Request:
    """Return the next request: every tenth as it was made, the others damaged once or more."""
    request = noise.chance.choice(VALID)(noise)
    if noise.chance.random() >= 0.1:
        for _ in range(noise.chance.choice((1, 1, 1, 2, 3))):
            request = noise.chance.choice(DAMAGES)(noise, request)
        request = _by_somebody(noise, request)
    address = f"10.{noise.chance.randrange(256)}.{noise.chance.randrange(256)}.1"
    return replace(request, address=address)


def _by_somebody(noise: Noise, request: Request) -> Request:
    """Let most come from the node, some from a revoked one, from nobody, from a stranger."""
    who = noise.chance.random()
    if who < 0.75:
        return request
    rest = tuple(pair for pair in request.headers if pair[0] != b"authorization")
    if who < 0.82:
        return replace(request, headers=rest)
    token = noise.chance.choice((f"Bearer {noise.revoked}", "Bearer x", "Bearer", "Basic eDp5", "bearer \xff"))
    return replace(request, headers=rest).with_headers(authorization=token)


def _with_changed_json(noise: Noise, request: Request) -> Request:
    """Change the JSON of a body: a zipped batch is unzipped, changed in a line, and zipped again."""
    is_zipped = (b"content-encoding", b"gzip") in request.headers
    if len(request.body) > MOST_CHANGED_BYTES:  # a bomb is not for us to open
        return request
    try:
        content = gzip.decompress(request.body) if is_zipped else request.body
    except (OSError, EOFError, zlib.error):
        return request
    lines = content.decode("utf-8", "surrogatepass").split("\n") if _is_text(content) else []
    if not lines:
        return request
    at = noise.chance.randrange(len(lines))
    lines[at] = change_json(noise.chance, lines[at])
    changed = "\n".join(lines).encode("utf-8", "surrogatepass")
    return replace(request, body=gzip.compress(changed, 1, mtime=0) if is_zipped else changed)


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return len(content) < MOST_CHANGED_BYTES


def _with_changed_bytes(noise: Noise, request: Request) -> Request:
    body, chance = bytearray(request.body), noise.chance
    if not body:
        return replace(request, body=chance.randbytes(chance.randrange(200)))
    at = chance.randrange(len(body))
    how = chance.randrange(5)
    if how == 0:
        body[at] ^= 1 << chance.randrange(8)
    elif how == 1:
        del body[at:]
    elif how == 2:
        body[at:at] = chance.randbytes(chance.randrange(1, 40))
    elif how == 3:
        body = body + body
    else:
        body = bytearray()
    return replace(request, body=bytes(body))


def _with_other_gzip(noise: Noise, request: Request) -> Request:
    """Zip what was not, zip twice, say it was zipped, add a second member, or send a bomb."""
    how = noise.chance.randrange(12)
    if how == 0:
        return replace(request, body=bomb()).with_headers(content_encoding="gzip")
    if how < 4:
        return replace(request, body=gzip.compress(request.body, 1, mtime=0)).with_headers(content_encoding="gzip")
    if how < 6:
        return replace(request, body=request.body + gzip.compress(b"x", 1, mtime=0))
    if how < 8:
        return request.with_headers(content_encoding="identity")
    return request.with_headers(content_encoding="gzip")


def _with_other_headers(noise: Noise, request: Request) -> Request:
    chance = noise.chance
    names = [name for name, _ in request.headers]
    name = chance.choice([*names, b"content-type", b"content-length", b"if-none-match", b"accept", b"origin", b"host"])
    name = chance.choice([name, name, b"collector-protocol", b"accept-encoding", b"upload-offset", b"range", b"cookie"])
    rest = tuple(pair for pair in request.headers if pair[0] != name)
    if chance.random() < 0.2:
        return replace(request, headers=rest)
    value = chance.choice(HEADER_VALUES) if chance.random() < 0.8 else chance.randbytes(30).translate(None, b"\r\n\0")
    return replace(request, headers=(*(request.headers if chance.random() < 0.2 else rest), (name, value)))


def _with_other_address(noise: Noise, request: Request) -> Request:
    chance = noise.chance
    how = chance.randrange(5)
    if how == 0:
        return replace(request, method=chance.choice(METHODS))
    if how == 1:
        return replace(request, path="/sync/v1" + chance.choice(JUNK_PATHS))
    if how == 2:
        return replace(request, path=request.path + chance.choice(JUNK_PATHS))
    if how == 3:
        return replace(request, path="/".join((*request.path.split("/")[:-1], chance.choice(("x", "ñ", "0" * 64)))))
    key = chance.choice(("since", "after", "limit", "epoch", "start", "x"))
    value = chance.choice(("", "-1", "9" * 30, "abc", "%00", "%f0%9f", "1&since=2", "9007199254740993", "1.5", "%ff"))
    return replace(request, query=f"{key}={value}")


def _with_body_of_another(noise: Noise, request: Request) -> Request:
    return replace(request, body=noise.chance.choice(VALID)(noise).body)


def _with_bare_value(noise: Noise, request: Request) -> Request:
    return replace(request, body=noise.chance.choice(VALUES).encode("utf-8", "surrogatepass"))


DAMAGES: tuple[Callable[[Noise, Request], Request], ...] = (
    *[_with_changed_json] * 6,
    *[_with_changed_bytes] * 3,
    *[_with_other_headers] * 2,
    *[_with_other_address] * 2,
    _with_other_gzip,
    _with_body_of_another,
    _with_bare_value,
)


@functools.cache
def bomb() -> bytes:
    """Return 1 MB of gzip that holds 1 GB: one block of zeros after the other, each zipped to the same bytes."""
    zeros, count = bytes(BOMB_BLOCK_BYTES), BOMB_BYTES // BOMB_BLOCK_BYTES
    zipping = zlib.compressobj(9, wbits=-15)
    block = zipping.compress(zeros) + zipping.flush(zlib.Z_FULL_FLUSH)
    end = zipping.flush()
    check = 0
    for _ in range(count):
        check = zlib.crc32(zeros, check)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    return head + block * count + end + check.to_bytes(4, "little") + (BOMB_BYTES % 2**32).to_bytes(4, "little")
