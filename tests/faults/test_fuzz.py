"""Noise to every address of the sync protocol. `python -m tests.faults.fuzz` sends 100,000 requests, this some."""

import hashlib
import json
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from collector.routes.blobs import router as blobs_router
from collector.routes.handover import router as handover_router
from collector.routes.sync import router
from tests.faults import fuzz
from tests.faults.damage import BOMB_BYTES, bomb, next_request
from tests.faults.forked import ForkedNode, Forker, free_port
from tests.faults.fuzz import Target
from tests.faults.noise import ROUTES

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 1_500
OPEN_TO_ALL = ("/enroll", "/outbox", "/receipts/ask", "/trace", "/blobs", "/handovers")


def test_every_address_and_method_is_among_the_noise() -> None:
    app = FastAPI()
    app.include_router(router)
    app.include_router(blobs_router)
    known = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    # the same router has pages, so it is not in the description
    routes = [route for route in handover_router.routes if isinstance(route, APIRoute)]
    known |= {f"{method} {it.path}" for it in routes if it.path.startswith("/sync/v1") for method in it.methods}
    assert known == set(ROUTES)


def test_noise_gets_no_500_changes_nothing_when_refused_and_takes_little_memory() -> None:
    """In a process of its own, so that its memory is that of the application."""
    command = [sys.executable, "-m", "tests.faults.fuzz", "--requests", str(REQUESTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-6000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["requests"] == REQUESTS and set(ROUTES) <= set(report["by_route"])
    assert 0.5 < report["refused"] / REQUESTS < 0.95, "most are refused, and enough gets in to matter"
    assert report["growth_bytes"] < fuzz.MOST_BYTES


def whole_store(file: Path) -> str:
    """Return a hash of every row of every table."""
    with closing(sqlite3.connect(file)) as database:
        return hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with fuzz.without_threads():
        made = Target(tmp_path)
        yield made
        made.file.close()
        made.engine.dispose()


@pytest.mark.parametrize("token", ["", "Bearer nadie", "revoked"])
def test_who_has_no_good_token_changes_not_one_row(target: Target, tmp_path: Path, token: str) -> None:
    noise = target.noise(random.Random(7))
    bearer = f"Bearer {noise.revoked}" if token == "revoked" else token
    before = whole_store(tmp_path / "collector.db")
    asked = 0
    while asked < 150:
        request = next_request(noise)
        if any(request.path.startswith(f"/sync/v1{start}") for start in OPEN_TO_ALL):
            continue
        rest = tuple(pair for pair in request.headers if pair[0] != b"authorization")
        answer = target.ask(replace(request, headers=(*rest, (b"authorization", bearer.encode()))))
        # a revoked node may still ask where it stands, and that it was heard is noted
        is_hello = token == "revoked" and request.path == "/sync/v1/hello"
        assert answer.status >= 300 or is_hello, (request, answer)
        asked += not is_hello
        if is_hello:
            before = whole_store(tmp_path / "collector.db")
    assert whole_store(tmp_path / "collector.db") == before


@pytest.fixture
def server(tmp_path: Path, forker: Forker) -> Iterator[ForkedNode]:
    node = forker.start(tmp_path / "central", free_port())
    yield node
    node.kill()


def peak_bytes(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def test_a_gzip_of_1_gb_in_1_mb_is_refused_by_a_server_that_does_not_grow(server: ForkedNode) -> None:
    url = f"http://127.0.0.1:{server.port}/sync/v1/outbox"
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert httpx.post(url, content=b"x", headers=headers).status_code == 400
    assert len(bomb()) <= 1024 * 1024 and BOMB_BYTES == 1024**3
    before = peak_bytes(server.pid)
    for _ in range(3):
        answer = httpx.post(url, content=bomb(), headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert peak_bytes(server.pid) - before < fuzz.MOST_BYTES
