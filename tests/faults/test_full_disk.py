"""A disk that takes nothing more: 507, "no se guardó", nothing confirmed that is not there, and well again with space.

The node is a process of its own whose files may not grow: the kernel refuses the write, as a full disk does.
"""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from collector.app import create_app
from collector.clock import now_ms
from collector.db import open_engine, writing
from collector.queries import nodes
from collector.settings import Settings
from sync.push import SyncState, enrol
from sync.records import canonical_bytes
from tests.browser.rich_form import small_xform
from tests.faults.forked import ForkedNode, Forker, free_port
from tests.faults.rig import Tablet
from tests.sync.conftest import record_content

NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass
class Central:
    """A node whose disk can be full."""

    data_dir: Path
    node: ForkedNode
    page: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.node.port}"

    def fill_disk(self) -> None:
        """Let no file of the node grow, nor be written beyond its first bytes."""
        self._limit(1)

    def free_disk(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        resource.prlimit(self.node.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def ids(self) -> set[str]:
        with closing(sqlite3.connect(self.data_dir / "collector.db")) as database:
            found = [row[0] for row in database.execute("SELECT id FROM record")]
        assert len(found) == len(set(found))
        return set(found)

    def post_record(self) -> tuple[str, httpx.Response]:
        """Send one record as a phone does."""
        content = record_content()
        return str(content["id"]), httpx.post(
            f"{self.url}/sync/v1/outbox", content=canonical_bytes(content), headers=NDJSON
        )

    def post_page(self) -> httpx.Response:
        """Send the form as a browser without scripts does."""
        return httpx.post(self.url + self.page, data={"nota": "sí", "_go": "send"}, headers={"Accept": "text/html"})


@pytest.fixture
def central(tmp_path: Path, forker: Forker) -> Iterator[Central]:
    data_dir = tmp_path / "central"
    app = create_app(Settings(data_dir=data_dir, name="central", sync_seconds=0))
    app.state.install_form(small_xform(), "paso.xlsx")
    [form] = app.state.forms.current()
    app.state.engine.dispose()
    made = Central(data_dir, forker.start(data_dir, free_port()), f"/f/{form.form_id}/{form.version}")
    yield made
    made.node.kill()


@pytest.fixture
def tablet(tmp_path: Path, central: Central) -> Iterator[Tablet]:
    folder = tmp_path / "tableta"
    folder.mkdir()
    made = Tablet(folder, "tableta", lambda _content: "", f"sqlite:///{folder / 'collector.db'}")
    engine = open_engine(f"sqlite:///{central.data_dir / 'collector.db'}")
    with writing(engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    engine.dispose()
    enrol(made.engine, made.http, central.url, code, "tableta")
    yield made
    made.close()
    made.http.close()


def test_a_full_disk_confirms_nothing_and_recovers_when_there_is_space(central: Central, tablet: Tablet) -> None:
    state, kept = SyncState(), set(tablet.capture(3))
    assert tablet.sync(state).error == ""
    first, answer = central.post_record()
    assert answer.json()["results"] == {first: "stored"}
    kept.add(first)

    central.fill_disk()
    waiting = tablet.capture(4)
    for one in (state, SyncState()):
        result = tablet.sync(one)
        assert (result.error, result.sent) == ("upstream_busy", 0) and "507" in result.reason
    refused, answer = central.post_record()
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert "NO se guardó" in answer.json()["title"]
    assert tablet.status().counts.saved == 4
    assert central.ids() == kept

    central.free_disk()
    assert tablet.sync(state).error == "" and tablet.status().counts.saved == 0
    again, answer = central.post_record()
    assert answer.json()["results"] == {again: "stored"}
    assert central.ids() == kept | {*waiting, again} and refused not in central.ids()


def test_a_page_says_that_the_answer_was_not_saved(central: Central) -> None:
    assert central.post_page().status_code == 303
    assert len(central.ids()) == 1
    central.fill_disk()
    full = central.post_page()
    assert full.status_code == 507 and "NO se guardó" in full.text
    assert len(central.ids()) == 1
    central.free_disk()
    assert central.post_page().status_code == 303
    assert len(central.ids()) == 2


def test_what_was_confirmed_on_a_disk_that_filled_up_is_there_after_a_power_cut(central: Central) -> None:
    confirmed = {central.post_record()[0] for _ in range(5)}
    central.fill_disk()
    assert central.post_record()[1].status_code == 507
    central.node.kill()
    assert central.ids() == confirmed
    with closing(sqlite3.connect(central.data_dir / "collector.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    central.node = central.node.again(central.data_dir)
    assert central.post_record()[1].status_code == 200


def test_on_a_full_disk_pages_can_still_be_read(central: Central) -> None:
    central.fill_disk()
    assert httpx.get(central.url + central.page).status_code == 200
    asked = httpx.post(f"{central.url}/sync/v1/receipts/ask", json={"ids": ["nadie"]})
    assert asked.json() == {"central": {}, "held": [], "erased": []}
