"""Sends noise to `/sync/v1/*` of a whole application and looks after each request what it did.

    never a 500, and never an answer that is not ours
    what is refused changes nothing: triggers in the store count each change of what a node holds
    what is accepted is there, and no request, a gzip bomb least of all, takes 64 MB of memory

Usage: python -m tests.faults.fuzz [--requests 100000] [--seed N] [--seconds S]
"""

import argparse
import hashlib
import json
import logging
import os
import random
import re
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio.to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pyxform.xls2xform import convert

from collector.app import create_app
from collector.clock import now_ms
from collector.db import writing
from collector.problems import PROBLEMS
from collector.queries import nodes, store
from collector.settings import Settings
from sync import keys
from sync.records import canonical_bytes
from tests.conftest import STARTER
from tests.faults.damage import bomb, next_request
from tests.faults.noise import ROUTES, Noise, Request, Sender
from tests.sync.conftest import record_content

NDJSON = ((b"content-type", b"application/x-ndjson"),)
MOST_BYTES = 64 * 1024 * 1024
REQUESTS_OF_A_SENDER = 500
MOST_FAILURES = 20
ALLOWED_5XX = {502, 503, 507, 508}  # each says what it is; 500 says that we do not know
WATCHED = ("record", "quarantine", "cursor", "log", "receipt", "form", "form_file")
NODE_COLUMNS = "id, name, token_sha256, public_key, revoked_ms"


@dataclass
class Answer:
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class Report:
    """What was seen. growth_bytes: of the process, fuzzer and all, over what it had after the first valid requests."""

    requests: int = 0
    refused: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    by_route: Counter[str] = field(default_factory=Counter)
    records: int = 0
    growth_bytes: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)

    def note(self, number: int, request: Request, error: Exception) -> None:
        """Keep the first request of each kind of failure."""
        kind = f"{type(error).__name__}: {error}"[:120]
        if kind not in self.failures and len(self.failures) < MOST_FAILURES:
            self.failures[kind] = f"request {number}: {_shown(request)}"
            traceback.print_exception(error)

    def as_json(self) -> str:
        said = {**self.__dict__, "by_status": {str(key): self.by_status[key] for key in sorted(self.by_status)}}
        return json.dumps(said | {"seconds": round(self.seconds, 1)})


class Target:
    """The application and, beside it, a look into its file."""

    def __init__(self, folder: Path) -> None:
        self.app: FastAPI = create_app(Settings(data_dir=folder, name="central", sync_seconds=0))
        self.engine = self.app.state.engine
        xform = convert(str(STARTER / "servicios.xlsx"), validate=False).xform
        self.app.state.install_form(xform, "servicios.xlsx")
        self.file = sqlite3.connect(folder / "collector.db", isolation_level=None)
        self.file.execute("CREATE TABLE fuzz_changes (count INTEGER NOT NULL)")
        self.file.execute("INSERT INTO fuzz_changes VALUES (0)")
        for table in WATCHED:
            for event in ("INSERT", "UPDATE", "DELETE"):
                self._count(f"{table}_{event}", f"{event} ON {table}")
        self._count("node_insert", "INSERT ON node")
        self._count("node_update", f"UPDATE OF {NODE_COLUMNS} ON node")

    def _count(self, name: str, event: str) -> None:
        counting = "BEGIN UPDATE fuzz_changes SET count = count + 1; END"
        self.file.execute(f"CREATE TRIGGER fuzz_{name} AFTER {event} {counting}")

    def changes(self) -> int:
        """Return how often a row that matters was changed, and stayed so."""
        return int(self.file.execute("SELECT count FROM fuzz_changes").fetchone()[0])

    def rows(self, table: str) -> int:
        return int(self.file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def sender(self, key: bool = True) -> Sender:
        """Enrol a node."""
        with writing(self.engine) as session:
            mine, node_id = Ed25519PrivateKey.generate(), random.randbytes(16).hex()
            code = nodes.make_enrol_code(session, now_ms())
            public = keys.public_text(mine) if key else ""
            token = nodes.enrol_node(session, code, "ruido", node_id, now_ms(), public)
            return Sender(node_id, token, mine, store.fact(session, "node_id"))

    def noise(self, chance: random.Random) -> Noise:
        """Return a maker of requests that knows a node, a revoked one, codes, forms and files of this store."""
        revoked, sender = self.sender(), self.sender(key=chance.random() < 0.8)
        with writing(self.engine) as session:
            nodes.revoke_node(session, revoked.node_id, now_ms())
            codes = [nodes.make_enrol_code(session, now_ms()) for _ in range(3)]
        files = [random.Random(n).randbytes(5000 + 4096 * n) for n in range(3)]
        forms = [tuple(row) for row in self.file.execute("SELECT form_id, version FROM form")]
        return Noise(chance, sender, revoked.token, codes, files, forms)

    def ask(self, request: Request) -> Answer:
        """Run the application for one request to its end; nothing in it may wait for an event loop."""
        parts = [{"type": "http.request", "body": request.body, "more_body": False}]
        answer = Answer()

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                answer.status, answer.headers = event["status"], dict(event["headers"])
            answer.body += event.get("body", b"")

        work = self.app(_scope(request), receive, send)
        try:
            work.send(None)
        except StopIteration:
            return answer
        raise AssertionError("the application waits for something")


def _scope(request: Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"central.lan"), *request.headers],
        "client": (request.address, 40000),
        "server": ("central.lan", 80),
    }


def check(target: Target, request: Request, answer: Answer, changed: int) -> None:
    """Look at one answer and at what the request changed. Raises AssertionError."""
    assert answer.status < 500 or answer.status in ALLOWED_5XX, answer.body
    assert answer.headers.get(b"x-collector") == b"1", "an answer that is not ours"
    if answer.status >= 400:
        assert not changed, f"refused, and {changed} rows changed"
        if request.method != "HEAD":
            assert answer.headers[b"content-type"] in (b"application/problem+json", b"text/html; charset=utf-8")
        if answer.headers.get(b"content-type") == b"application/problem+json":
            said = answer.content
            assert PROBLEMS[said["code"]].status == answer.status == said["status"]
            assert said["type"] == f"urn:collector:problem:{said['code']}"
    elif request.method == "POST" and request.path == "/sync/v1/batches":
        _check_kept(target, answer.content)


def _check_kept(target: Target, said: dict[str, Any]) -> None:
    """A batch is said to be kept: its cursor stands in the store, and so does what was set aside."""
    standing = "SELECT count(*) FROM cursor WHERE epoch = ? AND n = ?"
    assert target.file.execute(standing, (said["epoch"], said["cursor"])).fetchone()[0], "the cursor is not there"
    for aside in said["outcomes"]["quarantined"]:
        held = target.file.execute("SELECT count(*) FROM quarantine WHERE id = ?", (aside["qid"],)).fetchone()
        assert held[0], "said to be set aside, and not there"


@contextmanager
def without_threads() -> Iterator[None]:
    """Let who waits for a thread of the server's pool do the work: then a request needs no event loop."""

    async def here(function: Any, *values: Any, **_how: Any) -> Any:
        return function(*values)

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with patch.object(anyio.to_thread, "run_sync", here):
            yield
    finally:
        logging.disable(before)


def _in_memory() -> str | None:
    """Return a folder in memory where there is one: noise says nothing about disks, and each answer waits for one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def run(count: int, seed: int, most_seconds: float = inf) -> Report:
    """Send `count` requests, fewer when the time is up. Raises AssertionError with those that were answered wrongly."""
    report, started = Report(), time.monotonic()
    with without_threads(), tempfile.TemporaryDirectory(dir=_in_memory()) as name:
        target = Target(Path(name))
        with closing(target.file):
            _warm_up(target)
            base = _peak_bytes(reset=True)
            _send(target, report, count, random.Random(seed), started + most_seconds)
            report.growth_bytes = _peak_bytes() - base
            report.records = target.rows("record") + target.rows("quarantine")
            assert target.file.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        target.engine.dispose()
    report.seconds = time.monotonic() - started
    assert not report.failures and report.growth_bytes < MOST_BYTES, report.as_json()
    return report


def _warm_up(target: Target) -> None:
    """Ask each address some times as one should, and name the files in records."""
    bomb()
    noise = target.noise(random.Random(0))
    for file in noise.files:
        record = canonical_bytes(record_content(blobs=[_entry(file)]))
        answer = target.ask(
            Request("POST", "/sync/v1/outbox", "", ((b"content-type", b"application/x-ndjson"),), record)
        )
        assert answer.status == 200, answer.body
    for make in ROUTES.values():
        for _ in range(20):
            target.ask(make(noise))


def _entry(file: bytes) -> dict[str, Any]:
    return {"name": "foto.jpg", "sha256": hashlib.sha256(file).hexdigest(), "bytes": len(file), "type": "image/jpeg"}


def _send(target: Target, report: Report, count: int, chance: random.Random, until: float) -> None:
    before = target.changes()
    for number in range(count):
        if number % REQUESTS_OF_A_SENDER == 0:
            if time.monotonic() > until:
                return
            noise = target.noise(chance)
            before = target.changes()
        request = next_request(noise)
        answer = Answer()
        try:
            answer = target.ask(request)
            check(target, request, answer, target.changes() - before)
        except Exception as error:  # whatever it is, the next requests may find something else
            report.note(number, request, error)
        before = target.changes()
        report.requests += 1
        report.refused += answer.status >= 400
        report.by_status[answer.status] += 1
        report.by_route[_route_of(request)] += 1


def _route_of(request: Request) -> str:
    known = next((route for route in ROUTES if re.fullmatch(re.sub(r"{\w+}", "[^/]+", route), _line(request))), "")
    return known or "elsewhere"


def _line(request: Request) -> str:
    return f"{request.method} {request.path}"


def _shown(request: Request) -> str:
    text = repr(request)
    return text if len(text) < 2000 else f"{text[:2000]}… ({len(text)} letters)"


def _peak_bytes(reset: bool = False) -> int:
    """Return the most memory this process has had; reset: counted from now on."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def main() -> None:
    """Send as much noise as asked and say what was seen, as JSON."""
    parser = argparse.ArgumentParser(description="Send noise to the sync protocol.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=inf, help="stop after this time, whatever was sent by then")
    wanted = parser.parse_args()
    seed = wanted.seed if wanted.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    print(run(wanted.requests, seed, wanted.seconds).as_json())


if __name__ == "__main__":
    main()
