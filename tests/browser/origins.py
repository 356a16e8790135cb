"""One node and one browser for many tests: each gets a phone of its own (a context), on a secure or a plain origin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from collector.db import reading
from collector.queries import records
from collector.settings import Settings
from tests.browser.conftest import ready
from tests.conftest import Node, serve
from tests.forms.usual_form import usual_xform
from tests.stored import count_entries

HOSTS = ["localhost", "nodo.lan"]  # a secure origin; plain http on the local network
SAVED = "Guardado en este dispositivo"
OUTBOX = "**/sync/v1/outbox"
FIND_MODULE = "(name) => import(document.querySelector('[src*=\"app.js\"]').src.replace('app.js', name))"


@dataclass
class Visitor:
    """A phone at an address of the shared node. new_ids: what it brought to the node since it came."""

    node: Node
    host: str
    context: BrowserContext

    @property
    def url(self) -> str:
        """Return the address of the node as this phone knows it."""
        return f"http://{self.host}:{self.node.port}"

    @property
    def is_secure(self) -> bool:
        """Tell whether browsers count this origin as secure."""
        return self.host == "localhost"

    def page(self) -> Page:
        """Open a tab."""
        page = self.context.new_page()
        page.add_init_script(f"window.module = {FIND_MODULE}")
        return page

    def form(self, name: str = "tarjeta", page: Page | None = None, fragment: str = "") -> Page:
        """Open a form and wait for its scripts."""
        page = page or self.page()
        page.goto(f"{self.url}/f/{name}{fragment}")
        ready(page)
        return page

    def mine(self, page: Page | None = None) -> Page:
        """Open "Mis respuestas"."""
        page = page or self.page()
        page.goto(f"{self.url}/mis-respuestas")
        return page

    def devtools(self, page: Page) -> CDPSession:
        """Return a session of the browser's own tools for this tab."""
        return self.context.new_cdp_session(page)


def entries(page: Page) -> list[dict[str, Any]]:
    """Return the outbox of the page's origin."""
    found: list[dict[str, Any]] = page.evaluate("async () => (await module('outbox.js')).all()")
    return found


def drafts(page: Page) -> list[dict[str, Any]]:
    """Return the drafts of the page's origin."""
    found: list[dict[str, Any]] = page.evaluate("async () => (await module('outbox.js')).drafts()")
    return found


def held(node: Node, record_id: str) -> int:
    """Return how many records of this id the node holds: none or one."""
    with reading(node.app.state.engine) as session:
        return int(records.record_by_id(session, record_id) is not None)


def counts(node: Node) -> tuple[int, int]:
    """Return how many records the node holds, and how many in quarantine."""
    with reading(node.app.state.engine) as session:
        return count_entries(session), records.count_quarantine(session)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    """A node with two forms, for all tests of a module."""
    node = serve(Settings(data_dir=tmp_path_factory.mktemp("campo"), name="campo", sync_seconds=0))
    node.app.state.forms.install(starter_xforms["tarjeta"], "tarjeta.xlsx")
    node.app.state.forms.install(usual_xform())
    yield node
    node.stop()


@pytest.fixture
def visit(shared: Node, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Give a function that lets a new phone come: `visit("nodo.lan")`; more options are those of a context."""
    contexts: list[BrowserContext] = []

    def come(host: str, **options: Any) -> Visitor:
        contexts.append(browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA", **options))
        return Visitor(shared, host, contexts[-1])

    yield come
    for context in contexts:
        context.close()


@pytest.fixture(params=HOSTS)
def visitor(request: pytest.FixtureRequest, visit: Callable[..., Visitor]) -> Visitor:
    """A new phone, on each kind of origin."""
    return visit(request.param)
