"""Fixtures: real nodes over real HTTP with real SQLite files, each in its own thread of this process.

A test that asks for `make_database_url` runs twice: with SQLite files and with databases of a real PostgreSQL. One that
is about the file itself says so: `@pytest.mark.sqlite_file`.
"""

import gc
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import settings as hypothesis_settings
from pyxform.xls2xform import convert

from collector import people
from collector.app import create_app
from collector.clock import iso, now_ms
from collector.db import writing
from collector.queries import nodes
from collector.settings import Settings
from sync.push import enrol
from sync.records import canonical_bytes, new_salt, uuid7
from tests.prompt_server import PromptServer
from tests.shared import put_empty_tables, shared_work

if TYPE_CHECKING:
    from tests.faults.forked import Forker
    from tests.store.postgres_server import PostgresServer

# how long one example takes is up to what else the machine does; what must be quick is measured by a test that says so
hypothesis_settings.register_profile("no_deadline", deadline=None)
hypothesis_settings.load_profile("no_deadline")

STARTER = Path(__file__).parent.parent / "collector" / "starter"


@dataclass
class Node:
    """A node being served. `url` without a slash at the end."""

    app: FastAPI
    server: PromptServer
    thread: threading.Thread
    url: str
    port: int
    data_dir: Path

    def stop(self) -> None:
        """End the server; the store stays."""
        self.server.stop()
        self.thread.join(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(settings: Settings, port: int = 0) -> Node:
    """Serve a node on 127.0.0.1 and wait until it answers."""
    port = port or free_port()
    if not settings.database_url:
        put_empty_tables(settings.data_dir / "collector.db")
    app = create_app(settings)
    server = PromptServer(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", date_header=False, server_header=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the node did not start"
        time.sleep(0.01)
    return Node(app, server, thread, f"http://127.0.0.1:{port}", port, settings.data_dir)


@pytest.fixture(scope="session", autouse=True)
def _shared_work() -> Iterator[None]:
    with shared_work():
        yield


# --- the two databases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses `database_kind` on both databases."""
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", ["sqlite", "postgres"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to SQLite what is about its file, and to PostgreSQL one of a test's many inputs.

    The others differ before the store is asked.
    """
    seen: set[str] = set()
    extra: list[pytest.Item] = []
    for item in items:
        call = getattr(item, "callspec", None)
        if call is not None and call.params.get("database_kind") == "postgres":
            name = item.nodeid.partition("[")[0]
            is_of_one = item.get_closest_marker("sqlite_file") or item.get_closest_marker("one_database")
            extra += [item] if name in seen or is_of_one else []
            seen.add(name)
    config.hook.pytest_deselected(items=extra)
    items[:] = [item for item in items if item not in extra]


def pytest_collection_finish() -> None:
    """Set aside what stands now, half a million objects of tests and modules: no search for rubbish goes through them.

    That spares an eighth of the time of tests of pages.
    """
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["PostgresServer"]:
    """Give a running PostgreSQL, started when the first test asks for it. Cannot be had: the tests fail."""
    from tests.store.postgres_server import PostgresServer

    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def make_database_url(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., str]]:
    """Give a function that returns the address of a store's database: `make_database_url(folder)`."""
    borrowed: list[str] = []
    server: PostgresServer | None = None
    if database_kind == "postgres":
        server = request.getfixturevalue("postgres_server")

    def make(folder: Path | None = None) -> str:
        if server is None:
            return f"sqlite:///{(folder or tmp_path) / 'collector.db'}"
        borrowed.append(server.borrow_database())
        return borrowed[-1]

    yield make
    for url in borrowed:
        assert server is not None
        server.give_back(url)


@pytest.fixture(scope="session")
def forker() -> Iterator["Forker"]:
    """Give the one parent of all nodes that a test wants to kill."""
    from tests.faults.forked import Forker

    made = Forker()
    yield made
    made.stop()


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Give a function that starts a node: `make_node("campo", upstream=central, sync_seconds=0.2)`."""
    running: list[Node] = []

    def make(name: str = "nodo", upstream: Node | None = None, sync_seconds: float = 0, port: int = 0) -> Node:
        node = serve(Settings(data_dir=tmp_path / name, name=name, sync_seconds=sync_seconds), port)
        running.append(node)
        if upstream is not None:
            with writing(upstream.app.state.engine) as session:
                code = nodes.make_enrol_code(session, now_ms())
            with httpx.Client() as http:
                enrol(node.app.state.engine, http, upstream.url, code, name)
        return node

    yield make
    for node in reversed(running):
        node.stop()


@pytest.fixture(scope="session")
def starter_xforms() -> dict[str, str]:
    """Give the XForms of the starter forms by form_id, converted once."""
    return {
        name: convert(str(STARTER / f"{name}.xlsx"), validate=False).xform
        for name in ("confianza", "servicios", "tarjeta")
    }


@pytest.fixture
def publish(starter_xforms: dict[str, str]) -> Callable[[Node, str], None]:
    """Give a function that publishes a starter form on a node."""
    return lambda node, name: node.app.state.forms.install(starter_xforms[name], f"{name}.xlsx")


def submission(form: str = "confianza", version: str = "2026112200", **changes: object) -> dict[str, object]:
    """Return a record's content with good defaults."""
    moment = iso(now_ms())
    content: dict[str, object] = {
        "id": uuid7(), "kind": "submission", "form": form, "version": version, "form_sha": "0" * 16,
        "started": moment, "finished": moment, "lang": "es", "mode": "web", "salt": new_salt(),
        "answers": {"edad": "18_29", "lugar/provincia": "08", "lugar/municipio": "0810", "brecha": "crecio",
                    "trato": "nunca", "escucha": "poco", "reuniones": "una", "confianza_gente": "7",
                    "confianza_municipio": "ns"},
    }  # fmt: skip
    return content | changes


@pytest.fixture
def send_outbox() -> Callable[..., httpx.Response]:
    """Give a function that posts records to a node as a phone does."""

    def send(node: Node, *contents: dict[str, object]) -> httpx.Response:
        body = b"".join(canonical_bytes(content) + b"\n" for content in contents)
        return httpx.post(f"{node.url}/sync/v1/outbox", content=body, headers={"Content-Type": "application/x-ndjson"})

    return send


@pytest.fixture
def lab_login() -> Iterator[Callable[[Node], httpx.Client]]:
    """Give a function that returns a signed-in browser-like client of a node's lab."""
    clients: list[httpx.Client] = []

    def login(node: Node) -> httpx.Client:
        with writing(node.app.state.engine) as session:
            people.add_user(session, "lab@example.org", "una clave larga")
        clients.append(
            client := httpx.Client(base_url=node.url, follow_redirects=True, headers={"Accept": "text/html"})
        )
        answer = client.post(
            "/lab/login", data={"email": "lab@example.org", "password": "una clave larga", "next": "/lab"}
        )
        assert answer.status_code == 200, answer.text
        return client

    yield login
    for client in clients:
        client.close()


def sha(text: str) -> str:
    """Return the sha256 of a text as hex."""
    return hashlib.sha256(text.encode()).hexdigest()
