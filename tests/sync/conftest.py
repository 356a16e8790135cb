"""Nodes for the sync tests: real databases of both kinds, real HTTP on 127.0.0.1, several in one process."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text

from collector.clock import iso, now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import nodes, store
from collector.queries.forms import add_form
from collector.queries.nodes import NodeStatus
from collector.queries.records import Arrival, ingest
from collector.routes.blobs import router as blobs_router
from collector.routes.sync import router
from collector.settings import Settings
from collector.tables.forms import FormVersion
from sync.push import SyncResult, SyncState, enrol, sync_once
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from tests.conftest import Node as WholeNode
from tests.conftest import serve as serve_whole
from tests.prompt_server import PromptServer
from tests.shared import put_empty_tables

# tests about the file of a store (old copies of it put back, its disk, a process that is killed over it)
ABOUT_FILES = {
    "test_files_never_take_the_last_of_the_disk",
    "test_a_central_put_back_from_before_the_files_gets_them_again",
    "test_what_central_lost_is_not_called_received_any_more",
    "test_central_put_back_to_an_old_copy_gets_everything_again",
    "test_a_tablet_put_back_to_an_old_copy_begins_a_new_epoch_and_loses_nothing",
    "test_two_clones_of_one_tablet_both_arrive_whole",
    "test_a_node_killed_at_any_step_of_a_batch_loses_and_doubles_nothing",
    "test_a_node_killed_at_random_moments_loses_and_doubles_nothing",
    "test_a_node_killed_between_pieces_goes_on_from_where_it_stood",
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark those for `tests/conftest.py`, which then leaves them on SQLite."""
    if getattr(item, "originalname", "") in ABOUT_FILES:
        item.add_marker(pytest.mark.sqlite_file)


def record_content(**given: Any) -> dict[str, Any]:
    """Return the content of a usable submission; `given` replaces keys."""
    moment = iso(now_ms())
    return {
        "id": uuid7(),
        "kind": "submission",
        "form": "servicios",
        "version": "2026.1",
        "form_sha": "0" * 16,
        "started": moment,
        "finished": moment,
        "lang": "es",
        "salt": new_salt(),
        "answers": {"agua": "a veces", "edad": "34"},
        **given,
    }


def sync_app(engine: Any, check: Callable[[dict[str, Any]], str] = lambda _content: "") -> FastAPI:
    """Return an application with the sync routes alone."""
    app = FastAPI()
    app.state.engine, app.state.check = engine, check
    app.state.kicks = 0

    def kick() -> None:
        app.state.kicks += 1

    app.state.kick = kick
    app.include_router(router)
    app.include_router(blobs_router)

    @app.exception_handler(ProblemError)
    def known(_request: Request, error: ProblemError) -> Response:
        return JSONResponse(error.as_json(), error.problem.status, media_type="application/problem+json")

    return app


class Server:
    """uvicorn in a thread on a free port."""

    def __init__(self, app: Any) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1)
        self.uvicorn = PromptServer(config)
        self.thread = threading.Thread(target=self.uvicorn.run, kwargs={"sockets": [self.listener]})
        self.thread.start()

    def stop(self) -> None:
        self.uvicorn.stop()
        self.thread.join(10)
        self.listener.close()
        assert not self.thread.is_alive()


class Node:
    """A node under test. `http` is its client as a sender."""

    def __init__(self, folder: Path, name: str, check: Callable[[dict[str, Any]], str], database_url: str) -> None:
        self.file = folder / "collector.db"  # when the store is a file
        self.database_url = database_url
        self.name, self.check = name, check
        self.http = httpx.Client(trust_env=False)
        self.state: SyncState | None = None
        self.server: Server | None = None
        self.installed: list[tuple[str, str]] = []
        self.refused: set[str] = set()
        self.open()

    def open(self) -> None:
        if self.database_url.startswith("sqlite"):
            put_empty_tables(self.file)
        self.engine = open_engine(self.database_url)
        prepare_store(self.engine)
        with writing(self.engine) as session:
            store.first_facts(session, self.name)
        self.app = sync_app(self.engine, self.check)

    def close(self) -> None:
        if self.server:
            self.server.stop()
            self.server = None
        self.engine.dispose()

    @property
    def url(self) -> str:
        if self.server is None:
            self.server = Server(self.app)
        return self.server.url

    @property
    def id(self) -> str:
        return self.fact("node_id")

    def fact(self, key: str) -> str:
        with reading(self.engine) as session:
            return store.fact(session, key)

    def code(self, at_ms: int | None = None) -> str:
        with writing(self.engine) as session:
            return nodes.make_enrol_code(session, at_ms or now_ms())

    def enrol_at(self, upstream: "Node") -> None:
        enrol(self.engine, self.http, upstream.url, upstream.code(), self.name)

    def capture(self, count: int = 1, **given: Any) -> list[str]:
        """Store new records as a web form would; return their ids."""
        bodies = [canonical_bytes(record_content(**given)).decode() for _ in range(count)]
        return self.capture_bodies(bodies)

    def capture_bodies(self, bodies: list[str]) -> list[str]:
        records = [read_record(body) for body in bodies]
        arrivals = [Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version, r.why) for r in records]
        with writing(self.engine) as session:
            ingest(session, arrivals, now_ms())
        return [record.id for record in records]

    def sync(self, state: SyncState | None = None) -> SyncResult:
        return sync_once(self.engine, self.http, now_ms(), self.install, state)

    def install(self, xform: str, source_name: str) -> None:
        """Stand for the application's installer, which compiles the form: that is tested elsewhere."""
        if xform in self.refused:
            raise ValueError("this form cannot be compiled")
        self.installed.append((xform, source_name))
        form_id, version, _ = xform.split("|")
        self.publish(form_id, version, len(self.installed))

    def publish(self, form_id: str, version: str, at_ms: int, sha256: str = "") -> str:
        """Publish a form whose text is of no matter here; return that text."""
        xform = f"{form_id}|{version}|ñ"
        row = FormVersion(
            form_id=form_id,
            version=version,
            sha256=sha256 or hashlib.sha256(xform.encode()).hexdigest(),
            title=form_id.title(),
            xform=xform,
            definition="{}",
            source_name=f"{form_id}.xlsx",
            published_ms=at_ms,
        )
        with writing(self.engine) as session:
            add_form(session, row)
        return xform

    def status(self) -> NodeStatus:
        with reading(self.engine) as session:
            return nodes.node_status(session)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with reading(self.engine) as session:
            return [tuple(row) for row in session.connection().execute(text(statement))]

    def ids(self, table: str = "record") -> list[str]:
        return [row[0] for row in self.rows(f"SELECT id FROM {table} ORDER BY id")]

    def everything(self) -> list[tuple[Any, ...]]:
        """Return all that a refused request must leave as it was."""
        return [self.rows(f"SELECT * FROM {table}") for table in ("record", "quarantine", "cursor", "log")]  # type: ignore[misc]


def chain(make_node: Callable[..., Node]) -> tuple[Node, Node, Node]:
    """Return a tablet, its hub and central, each enrolled at the next."""
    central, hub, tablet = make_node("central"), make_node("municipio"), make_node("tableta")
    hub.enrol_at(central)
    tablet.enrol_at(hub)
    return tablet, hub, central


@pytest.fixture
def make_node(tmp_path: Path, make_database_url: Callable[[Path], str]) -> Iterator[Callable[..., Node]]:
    """Give a function that makes a node. Every test that uses it runs on SQLite and on PostgreSQL."""
    made: list[Node] = []

    def make(name: str = "nodo", check: Callable[[dict[str, Any]], str] = lambda _content: "") -> Node:
        folder = tmp_path / f"{len(made)}-{name}"
        folder.mkdir()
        made.append(Node(folder, name, check, make_database_url(folder)))
        return made[-1]

    yield make
    for node in made:
        node.close()
        node.http.close()


@pytest.fixture
def make_whole_node(tmp_path: Path) -> Iterator[Callable[..., WholeNode]]:
    """Give a function that serves a whole node, pages and all, enrolled where told."""
    running: list[WholeNode] = []

    def make(name: str, upstream: WholeNode | None = None) -> WholeNode:
        node = serve_whole(Settings(data_dir=tmp_path / name, name=name, sync_seconds=0))
        running.append(node)
        if upstream is not None:
            with writing(upstream.app.state.engine) as session:
                code = nodes.make_enrol_code(session, now_ms())
            with httpx.Client(trust_env=False) as http:
                enrol(node.app.state.engine, http, upstream.url, code, name)
        return node

    yield make
    for node in reversed(running):
        node.stop()
        node.app.state.engine.dispose()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve any ASGI application and return its address."""
    running: list[Server] = []

    def start(app: Any) -> str:
        running.append(Server(app))
        return running[-1].url

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def make_content() -> Callable[..., dict[str, Any]]:
    return record_content


@pytest.fixture
def make_body() -> Callable[..., str]:
    return lambda **given: canonical_bytes(record_content(**given)).decode()
