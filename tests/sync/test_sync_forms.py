"""Forms come down whole: their files first, piece by piece, and one bad form holds up no other.

Run as a module (`python -m tests.sync.test_sync_forms FOLDER`) it is a node that loses its power at the third piece.
"""

import hashlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_store import FormStore
from collector.queries import forms, nodes, records
from collector.queries.forms import PIECE_BYTES
from sync.push import SyncResult, SyncState, sync_once
from tests.conftest import Node, submission
from tests.test_form_files import FILES, xform_with_files

MakeNode = Callable[..., Node]
BIG = random.Random(1).randbytes(5 * PIECE_BYTES + 77)  # a picture of six pieces
WITH_BIG = FILES | {"pozo azul.png": BIG}
PLAIN = xform_with_files().replace('<instance id="fuentes" src="jr://file-csv/fuentes.csv"/>', "").replace(
    "instance('fuentes')", "instance('si')"
)  # fmt: skip


class Line(httpx.HTTPTransport):
    """A line to the upstream that counts what is asked for, and does `before` and `after` around each request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.before: Callable[[httpx.Request], None] = lambda _request: None
        self.after: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda _request, response: response

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode().removeprefix("/sync/v1/"))
        self.before(request)
        return self.after(request, super().handle_request(request))

    def pieces(self) -> list[str]:
        """Return the pieces asked for since the last time, as the beginning of the file's sha256 and the start."""
        found = [path.removeprefix("form-files/") for path in self.asked if path.startswith("form-files/")]
        self.asked.clear()
        return [f"{path[:4]} {path.rpartition('=')[2]}" for path in found]


class Pair:
    """Central, and a tablet below it with its line."""

    def __init__(self, central: Node, tablet: Node) -> None:
        self.central, self.tablet = central, tablet
        self.line = Line()
        self.http = httpx.Client(transport=self.line, trust_env=False)

    def sync(self, state: SyncState | None = None) -> SyncResult:
        node = self.tablet.app.state
        return sync_once(node.engine, self.http, now_ms(), node.install_form, state)

    def publish(self, version: str = "1", files: dict[str, bytes] = WITH_BIG, form_id: str = "agua") -> None:
        self.central.app.state.forms.install(xform_with_files(version, form_id), "agua.xlsx", b"", files)

    def publish_plain(self, form_id: str = "otra", version: str = "1") -> None:
        """Publish a form that needs no file."""
        xform = PLAIN.replace('id="agua" version="1"', f'id="{form_id}" version="{version}"')
        self.central.app.state.forms.install(xform, "otra.xlsx")

    def held(self) -> list[str]:
        """Return the forms of the tablet, oldest first."""
        return [f"{row.form_id} {row.version}" for row in reversed(self.tablet.app.state.forms.versions())]

    def count(self, table: str) -> int:
        with reading(self.tablet.app.state.engine) as session:
            return int(session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def damage(self, name: str, piece: bytes) -> None:
        """Let central hold another first piece of a file, as a failing disk does."""
        sha256 = hashlib.sha256(WITH_BIG[name]).hexdigest()
        self.at_central(
            "UPDATE form_file_piece SET content = :it WHERE start = 0 AND sha256 = :sha", it=piece, sha=sha256
        )

    def at_central(self, statement: str, **values: Any) -> None:
        with writing(self.central.app.state.engine) as session:
            session.connection().execute(text(statement), values)


@pytest.fixture
def pair(make_whole_node: MakeNode) -> Iterator[Pair]:
    central = make_whole_node("central")
    pair = Pair(central, make_whole_node("tableta", central))
    yield pair
    pair.http.close()


def cut_at(number: int) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Lose the answer to the piece of this number, as a line does that dies while it comes."""
    seen = 0

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        nonlocal seen
        seen += "/form-files/" in request.url.path
        if seen == number:
            seen += 1
            next(response.iter_raw())
            raise httpx.ReadError("connection reset", request=request)
        return response

    return after


def rewrite(path: str, change: Callable[[Any], Any]) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Let the answer to one address say something else."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if path not in request.url.raw_path.decode() or response.status_code != 200:
            return response
        response.read()
        headers = {name: response.headers[name] for name in ("content-type", "x-collector")}
        return httpx.Response(200, headers=headers, content=json.dumps(change(response.json())).encode())

    return after


# --- whole


def test_what_central_publishes_with_files_is_asked_on_every_node_below(make_whole_node: MakeNode) -> None:
    central = make_whole_node("central")
    hub = make_whole_node("municipio", central)
    tablet = make_whole_node("tableta", hub)
    central.app.state.forms.install(xform_with_files(), "agua.xlsx", b"", WITH_BIG)
    for node in (hub, tablet):
        result = node.app.state.sync_now()
        assert (result.forms, result.error) == (1, "")
        for name, content in WITH_BIG.items():
            answer = httpx.get(f"{node.url}/f/agua/1/media/{name}")
            assert (answer.status_code, answer.content) == (200, content)
        assert "¿De dónde toma el agua?" in httpx.get(f"{node.url}/f/agua/1").text
        form = node.app.state.forms.get("agua", "1")
        assert [choice.name for choice in form.lists["fuentes"]] == ["pozo", "rio"]
        assert form == central.app.state.forms.get("agua", "1")
        assert node.app.state.sync_now().forms == 0


def test_the_list_and_the_form_name_the_files_and_only_nodes_get_them(pair: Pair) -> None:
    pair.publish(files=FILES)
    pair.publish_plain()
    with reading(pair.tablet.app.state.engine) as session:
        upstream = nodes.get_upstream(session)
        assert upstream is not None
        headers = {"Authorization": f"Bearer {upstream.token}"}
    base = f"{pair.central.url}/sync/v1"
    plain, listed = httpx.get(f"{base}/forms", headers=headers).json()
    assert "files" not in plain
    assert [sorted(file) for file in listed["files"]] == [["bytes", "media_type", "name", "sha256"]] * 4
    given = httpx.get(f"{base}/forms/agua/1", headers=headers)
    assert given.json()["files"] == listed["files"] and given.headers["content-encoding"] == "gzip"
    sound = f"{base}/form-files/{listed['files'][3]['sha256']}"
    piece = httpx.get(f"{sound}?start=9998", headers=headers).json()
    assert piece == {
        "sha256": sound[-64:], "bytes": 10_000, "start": 9998, "content": b64encode(FILES["voz.mp3"][9998:]).decode()
    }  # fmt: skip
    assert httpx.get(f"{sound}?start=10000", headers=headers).json()["content"] == ""
    assert httpx.get(sound).status_code == 401
    missing = httpx.get(f"{base}/form-files/{'0' * 64}", headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_a_picture_weighs_on_the_line_what_it_weighs(pair: Pair) -> None:
    pair.publish()
    sizes: list[int] = []

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "/form-files/" in request.url.path:
            body = b"".join(response.iter_raw())
            sizes.append(len(body))
            return httpx.Response(200, headers=response.headers, content=body)
        return response

    pair.line.after = after
    assert pair.sync().forms == 1
    whole = sum(map(len, WITH_BIG.values()))
    assert len(sizes) == 9 and sum(sizes) < whole * 1.02
    assert max(sizes) > PIECE_BYTES  # the picture does not shrink, so this is what base64 costs after gzip


def test_content_that_another_form_brought_is_not_fetched_again(pair: Pair) -> None:
    pair.publish("1")
    assert pair.sync().forms == 1
    assert len(pair.line.pieces()) == 9
    pair.publish("2", WITH_BIG | {"fuentes.csv": b"name,label\nlluvia,Lluvia\n", "copia.png": BIG})
    assert pair.sync().forms == 1
    assert [piece.split()[1] for piece in pair.line.pieces()] == ["0"]  # the list alone
    file = pair.tablet.app.state.forms.file("agua", "2", "copia.png")
    assert file.content == BIG


def test_two_files_of_one_form_with_the_same_content_are_fetched_once(pair: Pair) -> None:
    pair.publish(files=FILES | {"a.png": BIG, "z.png": BIG, "nada.png": b"", "nada más.png": b""})
    assert pair.sync().forms == 1
    pieces = pair.line.pieces()
    assert len(pieces) == len(set(pieces)) == 4 + 6
    assert {len(pair.tablet.app.state.forms.file("agua", "1", name).content) for name in ("a.png", "z.png")} == {
        len(BIG)
    }
    assert pair.tablet.app.state.forms.file("agua", "1", "nada más.png").content == b""


# --- cut


def test_what_arrived_of_a_form_that_was_withdrawn_is_forgotten(pair: Pair) -> None:
    pair.publish()
    pair.publish_plain()
    pair.line.after = cut_at(3)
    pair.sync()
    assert pair.count("form_file_piece") == 2
    pair.at_central("DELETE FROM form WHERE form_id = 'agua'")
    assert (pair.sync().forms, pair.count("form_file_piece")) == (1, 0)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 9])
def test_a_cut_costs_one_piece_and_the_next_round_goes_on_from_there(pair: Pair, number: int) -> None:
    pair.publish()
    pair.line.after = cut_at(number)
    result = pair.sync()
    assert (result.forms, result.error) == (0, "upstream_unreachable")
    assert pair.held() == [] and pair.count("form_file") == 0
    assert httpx.get(f"{pair.tablet.url}/f/agua/1").status_code == 404
    first = pair.line.pieces()
    assert len(first) == number
    result = pair.sync()  # as another process would: nothing is remembered but the store
    assert (result.forms, result.error) == (1, "")
    second = pair.line.pieces()
    assert second[0] == first[-1] and len(first) + len(second) == 9 + 1
    file = pair.tablet.app.state.forms.file("agua", "1", "pozo azul.png")
    assert file.content == BIG
    assert pair.count("form_file_piece") == 9


def test_a_node_killed_between_two_pieces_goes_on_from_there(pair: Pair, make_whole_node: MakeNode) -> None:
    pair.publish()
    folder = pair.tablet.data_dir
    killed = subprocess.run([sys.executable, "-m", __name__, str(folder)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert (pair.count("form_file_piece"), pair.held()) == (2, [])
    assert pair.sync().forms == 1
    assert len(pair.line.pieces()) == 9 - 2
    assert pair.tablet.app.state.forms.file("agua", "1", "pozo azul.png").content == BIG


def test_a_piece_that_two_processes_bring_is_kept_once(pair: Pair) -> None:
    engine = pair.tablet.app.state.engine
    for start, content in [(0, b"abc"), (0, b"abc"), (3, b"de"), (0, b"a"), (9, b"z"), (3, b"de")]:
        with writing(engine) as session:
            forms.add_piece(session, "f" * 64, start, content)
    with reading(engine) as session:
        assert forms.arrived_content(session, "f" * 64) == b"abcde"
        assert forms.arrived_bytes(session, "f" * 64) == 5


def test_new_records_go_between_two_pieces(pair: Pair) -> None:
    pair.publish()
    captured: list[str] = []

    def before(request: httpx.Request) -> None:
        if "/form-files/" in request.url.path and not captured:
            content = submission()
            captured.append(str(content["id"]))
            body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            kind = {"Content-Type": "application/x-ndjson"}
            httpx.post(f"{pair.tablet.url}/sync/v1/outbox", content=body, headers=kind).raise_for_status()

    pair.line.before = before
    first = pair.sync()
    assert (first.sent, first.forms, first.error) == (0, 0, "")
    assert len(pair.line.pieces()) == 1
    second = pair.sync()
    assert (second.sent, second.forms) == (1, 1)
    order = [path.partition("/")[0].partition("?")[0] for path in pair.line.asked]
    assert order.index("batches") < order.index("form-files")
    with reading(pair.central.app.state.engine) as session:
        assert records.record_by_id(session, captured[0]) is not None


def test_a_long_download_leaves_the_round_to_others_and_says_that_there_is_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.publish()
    pair.publish_plain()
    monkeypatch.setattr("sync.pull.FILE_SECONDS", -1.0)
    result = pair.sync()
    assert (result.forms, result.error, result.has_more) == (1, "", True)
    assert pair.held() == ["otra 1"]
    monkeypatch.undo()
    result = pair.sync()
    assert (result.forms, result.has_more, sorted(pair.held())) == (1, False, ["agua 1", "otra 1"])


def test_a_newer_version_waits_for_the_files_of_the_older_one(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.publish("1")
    pair.publish_plain("agua", "2")
    monkeypatch.setattr("sync.pull.FILE_SECONDS", -1.0)
    assert pair.sync().forms == 0
    monkeypatch.undo()
    assert pair.sync().forms == 2
    assert pair.tablet.app.state.forms.current()[0].version == "2"


# --- damaged, strange


def test_a_damaged_file_is_thrown_away_and_its_form_stays_out(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    pair.publish()
    pair.publish_plain()
    pair.damage("pozo azul.png", BIG[:1000] + b"?" + BIG[1001:PIECE_BYTES])
    state = SyncState()
    with caplog.at_level(logging.WARNING):
        result = pair.sync(state)
    assert (result.forms, result.error) == (1, "upstream_strange")
    assert "pozo azul.png arrived damaged" in caplog.text
    assert pair.held() == ["otra 1"]
    assert pair.line.pieces()
    assert pair.sync(state).error == "" and pair.line.pieces() == []  # not fetched over and over
    assert pair.count("form_file_piece") == 1  # the list, which came before it
    pair.damage("pozo azul.png", BIG[:PIECE_BYTES])
    assert pair.sync().forms == 1  # asked for again by the next process
    assert pair.tablet.app.state.forms.file("agua", "1", "pozo azul.png").content == BIG


@pytest.mark.parametrize(
    "change",
    [
        lambda piece: piece | {"content": ""},
        lambda piece: piece | {"content": piece["content"] + "AAAA"},
        lambda piece: piece | {"content": "ñ"},
        lambda piece: piece | {"start": 5},
        lambda piece: {key: piece[key] for key in piece if key != "content"},
        lambda piece: [piece],
    ],
)
def test_a_piece_that_is_not_what_was_asked_for_is_not_kept(pair: Pair, change: Callable[[Any], Any]) -> None:
    pair.publish(files=FILES)
    pair.publish_plain()
    pair.line.after = rewrite("/form-files/", change)
    result = pair.sync()
    assert (result.forms, result.error, pair.held()) == (1, "upstream_strange", ["otra 1"])
    assert pair.count("form_file_piece") == 0


def test_a_form_that_is_not_the_one_announced_holds_up_no_other(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    for form_id in ("primera", "mala", "buena"):
        pair.publish_plain(form_id)
    pair.at_central("UPDATE form SET sha256 = 'no' WHERE form_id = 'mala'")
    state = SyncState()
    with caplog.at_level(logging.WARNING):
        result = pair.sync(state)
    assert (result.forms, result.error) == (2, "upstream_strange")
    assert pair.held() == ["primera 1", "buena 1"]
    assert caplog.text.count("mala 1 is not the one of the list") == 1
    pair.line.asked.clear()
    assert pair.sync(state).error == ""
    assert pair.line.asked == ["hello", "forms"]  # left alone until the process ends
    pair.publish_plain("nueva")
    assert pair.sync(state).forms == 1


def test_files_that_are_not_those_of_the_list_make_another_form(pair: Pair) -> None:
    pair.publish(files=FILES)
    pair.at_central("UPDATE form_file SET name = 'otra.mp3' WHERE name = 'voz.mp3'")
    result = pair.sync()
    assert (result.forms, result.error, pair.held()) == (0, "upstream_strange", [])


@pytest.mark.parametrize(
    "entry",
    [
        7, None, "agua", [], {}, {"form_id": "agua"}, {"form_id": "a", "version": "1", "sha256": "0", "files": 5},
        {"form_id": "a", "version": "1", "sha256": "0", "files": [{"name": "a", "sha256": "0", "bytes": -1}]},
        {"form_id": "a", "version": "1", "sha256": "0", "files": [{"name": "a", "sha256": "0", "bytes": 10**12}]},
        {"form_id": "a", "version": "1", "sha256": "0", "files": [{"name": "a"}]},
    ],
)  # fmt: skip
def test_an_entry_that_is_no_form_holds_up_no_other(pair: Pair, entry: Any) -> None:
    pair.publish_plain("vieja")
    pair.publish_plain("nueva")
    pair.line.after = rewrite(
        "/v1/forms", lambda listed: [listed[0], entry, listed[1]] if isinstance(listed, list) else listed
    )
    assert pair.sync().forms == 2
    assert pair.held() == ["vieja 1", "nueva 1"]


def answer_instead(path: str, response: Callable[[], httpx.Response]) -> Callable[..., httpx.Response]:
    return lambda request, real: response() if path in request.url.path else real


def test_a_page_instead_of_one_form_holds_up_no_other_and_is_asked_for_again(pair: Pair) -> None:
    for form_id in ("primera", "mala", "buena"):
        pair.publish_plain(form_id)
    portal = lambda: httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<p>Wi-Fi</p>")  # noqa: E731
    pair.line.after = answer_instead("/forms/mala", portal)
    state = SyncState()
    result = pair.sync(state)
    assert (result.forms, result.error, pair.held()) == (2, "upstream_strange", ["primera 1", "buena 1"])
    pair.line.after = Line().after
    assert (pair.sync(state).forms, len(pair.held())) == (1, 3)


def problem(status: int, code: str) -> Callable[[], httpx.Response]:
    content = {"type": f"urn:collector:problem:{code}", "code": code, "status": status}
    return lambda: httpx.Response(status, json=content, headers={"Content-Type": "application/problem+json"})


@pytest.mark.parametrize(("status", "again"), [(500, True), (404, False), (413, False)])
def test_a_refusal_of_one_form_holds_up_no_other(pair: Pair, status: int, again: bool) -> None:
    pair.publish_plain("mala")
    pair.publish_plain("buena")
    pair.line.after = answer_instead("/forms/mala", problem(status, "server_error"))
    state = SyncState()
    result = pair.sync(state)
    assert (result.forms, result.error, pair.held()) == (1, "", ["buena 1"])
    pair.line.after = Line().after
    assert pair.sync(state).forms == (1 if again else 0)


@pytest.mark.parametrize(("status", "code"), [(401, "unknown_node"), (503, "store_busy"), (507, "disk_full")])
def test_a_refusal_of_the_node_ends_the_round(pair: Pair, status: int, code: str) -> None:
    pair.publish_plain("primera")
    pair.publish_plain("segunda")
    pair.line.after = answer_instead("/forms/", problem(status, code))
    result = pair.sync()
    assert (result.forms, bool(result.error), len(pair.line.asked)) == (0, True, 3)


def test_a_version_older_than_one_that_is_here_is_left_alone(pair: Pair) -> None:
    pair.publish_plain("agua", "1")
    pair.publish_plain("agua", "2")
    pair.line.after = answer_instead("/forms/agua/1", problem(404, "form_not_found"))
    assert pair.sync().forms == 1
    pair.line.after = Line().after
    assert pair.sync().forms == 0  # by now it would pass for the newest
    assert pair.held() == ["agua 2"]


def lose_power_at_the_third_piece(folder: Path) -> None:
    """Sync the store in `folder`, and end as a power cut does."""
    engine = open_engine(f"sqlite:///{folder / 'collector.db'}")
    prepare_store(engine)
    line = Line()

    def after(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if sum(path.startswith("form-files/") for path in line.asked) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    line.after = after
    with httpx.Client(transport=line, trust_env=False) as http:
        sync_once(engine, http, now_ms(), FormStore(engine).install)


if __name__ == "__main__":
    lose_power_at_the_third_piece(Path(sys.argv[1]))
