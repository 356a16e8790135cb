"""A node written from docs/protocol.md alone: the standard library and an ed25519 key, nothing of this project.

It keeps its log in memory. It is here to show that the text is enough; the section it follows stands with each part.
"""

import base64
import gzip
import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TIMEOUT_SECONDS = 30
DECODER = json.JSONDecoder()


class Refused(Exception):
    """An answer with a problem (section 12)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem, self.code = status, problem, str(problem.get("code", ""))
        super().__init__(f"{status} {problem}")


class NotOurs(Exception):
    """An answer that does not come from Collector: nothing may be believed (section 6, rule 1)."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given: Any) -> None:
        return None


def canonical(record: dict[str, Any]) -> bytes:
    """Section 2: keys sorted, no blanks, letters as they are."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One entry of the log. body: None when it was erased; its hash stays."""

    record_id: str
    digest: str
    body: bytes | None


@dataclass
class IndependentNode:
    """A tablet. log: entry n stands at index n - 1."""

    upstream: str
    name: str = "Independiente"
    node_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    epoch: str = field(default_factory=lambda: uuid.uuid4().hex)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    token: str = ""
    upstream_id: str = ""
    log: list[Entry] = field(default_factory=list)
    sent_upto: int = 0
    at_central: set[str] = field(default_factory=set)
    hello_etag: str = ""
    last_hello: dict[str, Any] = field(default_factory=dict)
    feed_at: tuple[str, int] = ("", 0)
    fed: list[tuple[str, bytes]] = field(default_factory=list)

    # --- requests

    def ask(self, method: str, path: str, body: bytes | None = None, **fields: str) -> Answer:
        """Send a request and return the answer, if it is Collector's."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.upstream}/sync/v1{path}", body, headers, method=method)
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as found:
                answer = Answer(found.status, {k.lower(): v for k, v in found.headers.items()}, found.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())
        return self._believe(answer)

    def _believe(self, answer: Answer) -> Answer:
        if "x-collector" not in answer.headers:
            raise NotOurs(answer.status)
        if answer.status >= 400:
            is_problem = answer.headers.get("content-type") == "application/problem+json"
            raise Refused(answer.status, answer.content if is_problem else {})
        return answer

    def post(self, path: str, content: dict[str, Any], method: str = "POST") -> Any:
        """Send a JSON object and return the one that comes back."""
        return self.ask(method, path, json.dumps(content).encode(), Content_Type="application/json").content

    # --- section 3

    def public_key(self) -> str:
        raw = self.key.public_key().public_bytes_raw()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def enrol(self, code: str, with_key: bool = True) -> None:
        wish = {"code": code, "name": self.name, "node_id": self.node_id}
        found = self.post("/enroll", wish | ({"public_key": self.public_key()} if with_key else {}))
        assert found["node_id"] == self.node_id
        self.token, self.upstream_id = found["token"], found["upstream_id"]

    def bring_key(self) -> None:
        assert self.post("/key", {"public_key": self.public_key()}, "PUT") == {"key": True}

    # --- section 4

    def hello(self) -> dict[str, Any]:
        """Return where this node stands there; what it said before while nothing changed."""
        answer = self.ask("GET", "/hello", If_None_Match=self.hello_etag or '"none"')
        if answer.status == 200:
            self.last_hello, self.hello_etag = answer.content, answer.headers["etag"]
        assert self.last_hello["protocol"] == 1 and self.last_hello["node_id"] == self.upstream_id
        return self.last_hello

    def cursor(self) -> int:
        """Return the receiver's cursor; one that is ahead of us means another copy of this node (section 6, rule 3)."""
        found = int(self.hello()["cursors"].get(self.node_id, {}).get(self.epoch, 0))
        if found > self.sent_upto:
            self.begin_epoch()
            return 0
        return found

    # --- sections 2 and 5

    def add(self, record: dict[str, Any]) -> str:
        """Keep a new record in the log; return its id."""
        body = canonical(record)
        self.log.append(Entry(record["id"], sha256(body), body))
        return str(record["id"])

    def chain(self, upto: int) -> bytes:
        """Fold the hashes of the log from its start."""
        head = bytes(32)
        for entry in self.log[:upto]:
            head = hashlib.sha256(head + bytes.fromhex(entry.digest)).digest()
        return head

    def sign(self, header: bytes) -> str:
        text = f"collector-sync/1\n{self.upstream_id}\n{sha256(header)}"
        return base64.b64encode(self.key.sign(text.encode())).decode()

    def batch(self, after: int, upto: int) -> tuple[dict[str, Any], bytes, str]:
        """Return header, body and signature of the batch (`after`, `upto`]."""
        lines = b"".join(self._line(n) for n in range(after + 1, upto + 1))
        header = {
            "batch": uuid.uuid4().hex,
            "from": self.node_id,
            "epoch": self.epoch,
            "after": after,
            "upto": upto,
            "count": upto - after,
            "sha256": sha256(lines),
            "sent_at": "2026-11-20T15:42:00.000Z",
            "chain": self.chain(upto).hex(),
        }
        first = json.dumps(header).encode()
        return header, gzip.compress(first + b"\n" + lines), self.sign(first)

    def _line(self, n: int) -> bytes:
        entry = self.log[n - 1]
        if entry.body is None:
            return b'{"n":%d,"gone":"%s"}\n' % (n, entry.digest.encode())
        return b'{"n":%d,"via":[],"rec":%s}\n' % (n, entry.body)

    def send(self, after: int, upto: int) -> dict[str, Any]:
        """Send one batch and return the answer that says it is kept."""
        header, body, signature = self.batch(after, upto)
        self.sent_upto = max(self.sent_upto, upto)
        fields = {"Content_Type": "application/x-ndjson", "Content_Encoding": "gzip"}
        answer = self.ask("POST", "/batches", body, Collector_Signature=signature, **fields)
        found: dict[str, Any] = answer.content
        said = (found["batch"], found["node"], found["epoch"])
        if answer.status != 200 or said != (header["batch"], self.upstream_id, self.epoch) or found["cursor"] < upto:
            raise NotOurs(found)
        if found["central"]:
            self.at_central |= {entry.record_id for entry in self.log[: found["cursor"]]}
        return found

    def push(self, most: int = 20) -> None:
        """Send all that is missing there (section 6)."""
        after = self.cursor()
        while after < len(self.log):
            try:
                after = int(self.send(after, min(after + most, len(self.log)))["cursor"])
            except Refused as refusal:
                if refusal.code == "cursor_gap":
                    after = refusal.problem["cursor"]
                elif refusal.code == "history_changed":
                    self.begin_epoch()
                    after = 0
                else:
                    raise

    def begin_epoch(self) -> None:
        self.epoch, self.sent_upto = uuid.uuid4().hex, 0

    # --- section 7

    def pull_receipts(self) -> None:
        held = {(entry.record_id, entry.digest[:8]) for entry in self.log}
        since = 0
        while True:
            found = self.ask("GET", f"/receipts?since={since}").content
            self.at_central |= {record for _, record, short in found["receipts"] if (record, short) in held}
            if found["next"] == since:
                return
            since = found["next"]

    # --- section 8

    def forms(self) -> dict[tuple[str, str], str]:
        """Return the XForms of all forms whose text and files are what the list says."""
        found = {}
        for row in self.ask("GET", "/forms").content:
            form_id, version = (urllib.parse.quote(row[key], safe="") for key in ("form_id", "version"))
            form = self.ask("GET", f"/forms/{form_id}/{version}").content
            whole = form["xform"].encode()
            for file in sorted(form.get("files", []), key=lambda file: file["name"]):
                assert sha256(self.form_file(file["sha256"])) == file["sha256"]
                whole += f"\n{file['name']} {file['sha256']}".encode()
            assert sha256(whole) == row["sha256"] == form["sha256"]
            found[row["form_id"], row["version"]] = form["xform"]
        return found

    def form_file(self, digest: str) -> bytes:
        content = b""
        while True:
            found = self.ask("GET", f"/form-files/{digest}?start={len(content)}").content
            content += base64.b64decode(found["content"])
            if len(content) == found["bytes"]:
                return content

    # --- section 10

    def upload(self, content: bytes, piece: int = 65536) -> dict[str, Any]:
        """Send a file that a record sent before names; return the last answer."""
        digest = sha256(content)
        [told] = self.post("/blobs/ask", {"sha256": [digest]})["blobs"].values()
        while told["have"] < told["bytes"]:
            part = content[told["have"] : told["have"] + piece]
            fields = {
                "Upload_Offset": str(told["have"]),
                "Upload_Length": str(len(content)),
                "Content_Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(part).digest()).decode()}:",
                "Content_Type": "application/octet-stream",
            }
            told = self.ask("PATCH", f"/blobs/{digest}", part, **fields).content
            assert told["sha256"] == digest
        return dict(told)

    # --- section 11

    def pull_feed(self) -> None:
        """Read what everybody has to know, to its end."""
        epoch, end = self.hello()["epoch"], self.last_hello["feed"]
        after, more = self.feed_at[1] if self.feed_at[0] == epoch else 0, True
        while more and after < end:
            answer = self.ask("GET", f"/feed?after={after}&limit=2&epoch={epoch}", Accept_Encoding="gzip")
            is_zipped = answer.headers.get("content-encoding") == "gzip"
            first, *lines = (gzip.decompress(answer.body) if is_zipped else answer.body).decode().split("\n")[:-1]
            head = json.loads(first)
            self.fed += [(str(keys["origin"]), record) for keys, record in map(cut, lines)]
            after, more = head["next"], head["more"]
            self.feed_at = (epoch, after)

    def report(self) -> str:
        """Say how this node stands; return central's key for bundles."""
        said = {"version": "9.9", "epoch": self.epoch, "waiting": len(self.log) - self.sent_upto, "quarantine": 0}
        return str(self.post("/report", said)["central_key"])

    def trace(self, *ids: str) -> dict[str, Any]:
        found: dict[str, Any] = self.post("/trace", {"ids": ids, "wait_ms": 3000})["traces"]
        return found

    def unproved(self, files: list[str]) -> tuple[list[str], list[str]]:
        """Return the ids and the files that central does not hold."""
        entries = [[entry.record_id, entry.digest] for entry in self.log]
        found = self.post("/proof", {"entries": entries, "files": files})
        assert found["central"] is True
        return [record_id for record_id, _ in found["missing"]], found["files_missing"]


def cut(line: str) -> tuple[dict[str, Any], bytes]:
    """Cut a line into the keys before `rec` and the record's bytes, key by key (section 5)."""
    keys: dict[str, Any] = {}
    at = 1
    while not line.startswith('"rec":', at):
        key, at = DECODER.raw_decode(line, at)
        keys[key], at = DECODER.raw_decode(line, at + 1)
        at += 1
    return keys, line[at + 6 : -1].encode()
