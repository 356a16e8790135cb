"""Requests to every address of the sync protocol, as they should be or wrong behind a right digest and signature.

Everything follows from one `random.Random`, so that a request can be made again. `damage.py` spoils them further.
"""

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import keys
from sync.records import canonical_bytes, uuid7
from tests.sync.conftest import record_content

MARK = "@@here@@"
# pieces of JSON text: what stands for a value of any kind, well-formed or not
VALUES = (
    *("null", "true", "false", "0", "-1", "1", "3.5", "-0", "9007199254740992", "18446744073709551616"),
    *("1e308", "1e999", "NaN", "-Infinity", "1" * 400, "1" * 5000, '""', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff"'),
    *('"💧"', '"\\u202e"', '"e\\u0301"', '"../../etc/passwd"', '"\' OR 1=1 --"', '"%00"', '"{}"', '"NaN"', '"\\n"'),
    *("[]", "{}", "[[]]", '[{"":null}]', '{"":{}}', "[null]", '["a","a"]', "[1,2,3]", '[["a"]]', '{"n":1,"n":2}'),
    *('"2026-11-20T10:42:00.123-05:00"', '"9999-12-31T23:59:59.999-23:59"', '"0001-01-01T00:00:00+23:59"'),
    *('"1969-12-31T23:59:59Z"', '"2026-02-30T00:00:00Z"', '"' + "0" * 64 + '"', '"' + "F" * 64 + '"', '"tombstone"'),
    *('"annotation"', '"contribution"', '"submission"', '"' + "a" * 65 + '"', '"' + "x" * 70_000 + '"'),
    *("[" * 20 + "]" * 20, "[" * 200 + "]" * 200, "[" * 20_000 + "]" * 20_000, '{"a":' * 2_000 + "1" + "}" * 2_000),
    *("[", "{", '"', "tru", "01", "+1", ".5", "'a'", "\x00", "\x7f", "\ufeff1", "[1,]", "{a:1}", "//", ""),
)
KEYS = ("n", "via", "rec", "why", "gone", "batch", "from", "epoch", "after", "upto", "count", "sha256", "chain", "id")


@dataclass(frozen=True)
class Request:
    """A request as a server's loop hands it over."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    address: str = "10.0.0.1"

    def with_headers(self, **fields: str) -> "Request":
        """Return it with these fields instead of those of the same name; `_` stands for the hyphen."""
        new = {name.replace("_", "-").lower().encode(): value.encode("latin-1") for name, value in fields.items()}
        rest = tuple(pair for pair in self.headers if pair[0] not in new)
        return replace(self, headers=(*rest, *new.items()))


@dataclass
class Sender:
    """A node that may send: its token and its key."""

    node_id: str
    token: str
    key: Ed25519PrivateKey
    receiver: str


@dataclass
class Noise:
    """Makes valid requests, and some with an error deep inside.

    revoked: the token of a revoked node; codes: enrolment codes that are good; files: that records here name.
    """

    chance: random.Random
    sender: Sender
    revoked: str
    codes: list[str] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    forms: list[tuple[str, str]] = field(default_factory=list)

    def token(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"authorization", f"Bearer {self.sender.token}".encode()),)

    def json(self, method: str, path: str, content: Any) -> Request:
        fields = ((b"content-type", b"application/json"), *self.token())
        return Request(method, path, "", fields, json.dumps(content).encode())

    def hash(self) -> str:
        """Return the hash of a file that is named here, or of none."""
        if self.files and self.chance.random() < 0.7:
            return hashlib.sha256(self.chance.choice(self.files)).hexdigest()
        return self.chance.randbytes(32).hex()

    # --- batches

    def lines(self, count: int) -> list[str]:
        """Return lines of new records, some with what only some have."""
        return [self.line(n) for n in range(1, count + 1)]

    def line(self, n: int) -> str:
        record = canonical_bytes(self.record()).decode()
        shape = self.chance.random()
        if shape < 0.1:
            return f'{{"n":{n},"gone":"{self.chance.randbytes(32).hex()}"}}'
        hop = {"node": "a1", "epoch": "e1", "n": n, "received": "2026-11-20T10:42:00.123Z", "skew": 400_000}
        via = json.dumps([hop], separators=(",", ":")) if shape < 0.3 else "[]"
        why = '"why":"revoked_node",' if 0.3 < shape < 0.35 else ""
        return f'{{"n":{n},"via":{via},{why}"rec":{record}}}'

    def record(self) -> dict[str, Any]:
        """Return the content of a record, now and then a statement about another, or one with a file."""
        content = record_content(answers={"agua": self.chance.choice(("sí", "no")), "nota": "x" * 20})
        kind = self.chance.random()
        if kind < 0.05:
            content |= {"kind": "tombstone", "erases": uuid7(), "reason": "persona", "by": "lab"}
        elif kind < 0.1:
            decision = {"action": "use", "sha256": self.hash()}
            content |= {"kind": "annotation", "about": uuid7(), "decision": decision, "by": "lab"}
        elif kind < 0.2 and self.files:
            file = self.chance.choice(self.files)
            sha256 = hashlib.sha256(file).hexdigest()
            content["blobs"] = [{"name": "foto.jpg", "sha256": sha256, "bytes": len(file), "type": "image/jpeg"}]
        return content

    def batch(self, first: str, lines: bytes) -> Request:
        """Return a batch with this header line, signed and zipped as it should be."""
        content = first.encode("utf-8", "surrogatepass")
        fields = ((b"content-type", b"application/x-ndjson"), (b"content-encoding", b"gzip"), *self.token())
        body = gzip.compress(content + b"\n" + lines, 1, mtime=0)
        signature = keys.sign(self.sender.key, self.sender.receiver, content)
        signed = ((b"collector-signature", signature.encode()), *fields)
        return Request("POST", "/sync/v1/batches", "", signed, body)

    def header(self, lines: bytes, count: int) -> dict[str, Any]:
        return {
            "batch": self.chance.randbytes(8).hex(),
            "from": self.sender.node_id,
            "epoch": f"e{self.chance.randrange(10**9)}",
            "after": 0,
            "upto": count,
            "count": count,
            "sha256": hashlib.sha256(lines).hexdigest(),
            "sent_at": "2026-11-20T10:42:00.123Z",
        }


# --- requests as they should be


def _batch(noise: Noise) -> Request:
    """A batch, in one of three with something wrong behind a right digest and a right signature."""
    count = noise.chance.randrange(1, 4)
    lines = noise.lines(count)
    spoil = noise.chance.randrange(3)
    if spoil == 0:
        at = noise.chance.randrange(count)
        lines[at] = change_json(noise.chance, lines[at])
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    first = json.dumps(noise.header(content, count), separators=(",", ":"))
    return noise.batch(change_json(noise.chance, first) if spoil == 1 else first, content)


def _outbox(noise: Noise) -> Request:
    records = [canonical_bytes(noise.record()).decode() for _ in range(noise.chance.randrange(1, 4))]
    if noise.chance.random() < 0.5:
        records[0] = change_json(noise.chance, records[0])
    body = "\n".join(records).encode("utf-8", "surrogatepass")
    return Request("POST", "/sync/v1/outbox", "", ((b"content-type", b"application/x-ndjson"),), body)


def _enroll(noise: Noise) -> Request:
    code = noise.chance.choice(noise.codes) if noise.codes else "2222-2222"
    key = keys.public_text(Ed25519PrivateKey.generate())
    node_id = noise.chance.choice(("f" * 32, noise.sender.receiver, noise.chance.randbytes(16).hex()))
    wish = {"code": code, "name": "Tableta", "node_id": node_id, "public_key": key}
    return noise.json("POST", "/sync/v1/enroll", wish)


def _key(noise: Noise) -> Request:
    key = noise.sender.key if noise.chance.random() < 0.5 else Ed25519PrivateKey.generate()
    return noise.json("PUT", "/sync/v1/key", {"public_key": keys.public_text(key)})


def _get(path: str, query: str = "") -> Callable[[Noise], Request]:
    return lambda noise: Request("GET", f"/sync/v1{path}", query, noise.token())


def _form(noise: Noise) -> Request:
    form_id, version = noise.chance.choice([*noise.forms, ("ñandú", "1")])
    return Request("GET", f"/sync/v1/forms/{form_id}/{version}", "", noise.token())


def _form_file(noise: Noise) -> Request:
    return Request("GET", f"/sync/v1/form-files/{noise.hash()}", "start=0", noise.token())


def _ids(path: str, key: str) -> Callable[[Noise], Request]:
    return lambda noise: noise.json("POST", f"/sync/v1{path}", {key: [uuid7() for _ in range(3)]})


def _ask_blobs(noise: Noise) -> Request:
    return noise.json("POST", "/sync/v1/blobs/ask", {"sha256": [noise.hash() for _ in range(3)]})


def _proof(noise: Noise) -> Request:
    entries = [[uuid7(), noise.hash()] for _ in range(3)]
    return noise.json("POST", "/sync/v1/proof", {"entries": entries, "files": [noise.hash()]})


def _report(noise: Noise) -> Request:
    below = {"id": "b2", "name": "otra", "last_contact": 5, "unconfirmed": [uuid7()], "report": {"waiting": 2}}
    report = {"version": "0.1.0", "epoch": "e1", "waiting": 3, "quarantine": 0, "free_bytes": 10**9, "below": [below]}
    return noise.json("POST", "/sync/v1/report", report | {"forms": [["servicios", "1"]], "feed": ["e1", 4]})


def _head_blob(noise: Noise) -> Request:
    return Request("HEAD", f"/sync/v1/blobs/{noise.hash()}", "", noise.token())


def _patch_blob(noise: Noise) -> Request:
    file = noise.chance.choice(noise.files) if noise.files else noise.chance.randbytes(5000)
    at = noise.chance.choice((0, 0, 4096, len(file)))
    piece = file[at : at + 4096]
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    path = f"/sync/v1/blobs/{hashlib.sha256(file).hexdigest()}"
    fields = {"upload-offset": str(at), "upload-length": str(len(file)), "content-digest": f"sha-256=:{digest}:"}
    return Request("PATCH", path, "", noise.token(), piece).with_headers(**fields)


def _handover(method: str, rest: str) -> Callable[[Noise], Request]:
    """Return the maker of a request about a sealed package: one of two names, so that some of them are there."""
    proof = hashlib.sha256(b"proof").hexdigest()
    sealed = b"sealed"
    said = {
        "": {
            "pieces": [hashlib.sha256(sealed).hexdigest()],
            "proof_sha256": hashlib.sha256(proof.encode()).hexdigest(),
        },
        "/taken": {"proof": proof},
    }

    def make(noise: Noise) -> Request:
        path = f"/sync/v1/handovers/{noise.chance.choice('ab') * 32}{rest}"
        if method == "POST":
            return noise.json("POST", path, said[rest])
        return Request(method, path, "", (), sealed if method == "PUT" else b"")

    return make


ROUTES: dict[str, Callable[[Noise], Request]] = {
    "POST /sync/v1/enroll": _enroll,
    "PUT /sync/v1/key": _key,
    "GET /sync/v1/hello": _get("/hello"),
    "POST /sync/v1/batches": _batch,
    "GET /sync/v1/receipts": _get("/receipts", "since=0"),
    "POST /sync/v1/outbox": _outbox,
    "POST /sync/v1/receipts/ask": _ids("/receipts/ask", "ids"),
    "GET /sync/v1/feed": _get("/feed", "after=0&limit=10&epoch="),
    "GET /sync/v1/rooms": _get("/rooms"),
    "GET /sync/v1/rooms/{room}": lambda noise: Request(
        "GET", f"/sync/v1/rooms/{noise.record()['id']}", "", noise.token()
    ),
    "POST /sync/v1/report": _report,
    "POST /sync/v1/trace": _ids("/trace", "ids"),
    "POST /sync/v1/proof": _proof,
    "GET /sync/v1/forms": _get("/forms"),
    "GET /sync/v1/plans": _get("/plans"),
    "GET /sync/v1/forms/{form_id}/{version}": _form,
    "GET /sync/v1/form-files/{sha256}": _form_file,
    "POST /sync/v1/blobs/ask": _ask_blobs,
    "HEAD /sync/v1/blobs/{sha256}": _head_blob,
    "PATCH /sync/v1/blobs/{sha256}": _patch_blob,
    "GET /sync/v1/voices/{sha256}": lambda noise: Request("GET", f"/sync/v1/voices/{noise.hash()}", "", noise.token()),
    "PUT /sync/v1/handovers/{handover_id}/{number}": _handover("PUT", "/0"),
    "POST /sync/v1/handovers/{handover_id}": _handover("POST", ""),
    "GET /sync/v1/handovers/{handover_id}": _handover("GET", ""),
    "GET /sync/v1/handovers/{handover_id}/{number}": _handover("GET", "/0"),
    "POST /sync/v1/handovers/{handover_id}/taken": _handover("POST", "/taken"),
}
VALID = (*ROUTES.values(), *[_batch] * 8, *[_outbox] * 3, *[_patch_blob] * 2)


# --- JSON that is wrong


def change_json(chance: random.Random, text: str) -> str:
    """Return JSON text with one thing wrong: a value of another kind, a key lost, doubled or made up."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    places = list(_places(found))
    if not places:
        return chance.choice(VALUES)
    holder, key = chance.choice(places)
    how = chance.random()
    if how < 0.1:
        del holder[key]
        return _dump(found)
    if how < 0.3:
        return _insert_key(chance, _dump(found))
    holder[key] = MARK
    return _dump(found).replace(f'"{MARK}"', chance.choice(VALUES), 1)


def _places(found: Any, levels: int = 6) -> Any:
    """Yield (holder, key) of everything inside, as deep as our own requests go."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in list(inside):
        yield found, key
        if levels:
            yield from _places(value, levels - 1)


def _dump(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _insert_key(chance: random.Random, text: str) -> str:
    """Put one more key, often one that is there already, at the beginning of some object."""
    starts = [at for at, letter in enumerate(text) if letter == "{" and text[at + 1 : at + 2] == '"']
    if not starts:
        return text
    at = chance.choice(starts) + 1
    return f'{text[:at]}"{chance.choice(KEYS)}":{chance.choice(VALUES)},{text[at:]}'
