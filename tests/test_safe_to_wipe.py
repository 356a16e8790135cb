"""May a device be wiped? Real tablet → hub → central over HTTP: central is asked, and only what it confirms counts."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from collector.cli.main import main
from collector.clock import now_ms
from collector.db import reading, writing
from collector.fleet.status import WholeStatus, whole_status
from collector.fleet.wiping import check_wipe
from collector.queries import store
from collector.queries.blobs import add_part, index_records
from collector.queries.records import Arrival, ingest
from sync.push import sync_once
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from tests.conftest import Node
from tests.lab.conftest import PIN, hashed

Command = Callable[..., "Said"]
PHOTO = b"no es una foto, pero se cuenta byte por byte " * 200


@dataclass
class Device:
    """A node of the chain with what the tests do to it."""

    node: Node

    @property
    def engine(self) -> Engine:
        """Return its store."""
        engine: Engine = self.node.app.state.engine
        return engine

    def capture(self, photo: bytes = b"", has_content: bool = True, **given: object) -> str:
        """Store an answer, with a photo that it names where one is given; `has_content`: its bytes are here too."""
        sha256 = hashlib.sha256(photo).hexdigest()
        named = [{"bytes": len(photo), "name": "foto.jpg", "sha256": sha256, "type": "image/jpeg"}]
        record_id = self.put(content() | ({"blobs": named} if photo else {}) | given)
        if photo and has_content:
            self.add_file(photo)
        return record_id

    def put(self, record: dict[str, object]) -> str:
        """Store a record as it is."""
        read = read_record(canonical_bytes(record).decode())
        arrival = Arrival(read.id, read.sha256, read.body, read.kind, read.form, read.version, read.why)
        with writing(self.engine) as session:
            ingest(session, [arrival], now_ms())
        return read.id

    def add_file(self, photo: bytes, size: int = 0) -> None:
        """Put the bytes of a file into the store, or its first `size` ones."""
        with writing(self.engine) as session:
            index_records(session)
            part = photo[: size or len(photo)]
            add_part(session, hashlib.sha256(photo).hexdigest(), 0, len(photo), part)

    def sync(self) -> None:
        """Talk to the upstream once; it must work."""
        with httpx.Client() as http:
            result = sync_once(self.engine, http, now_ms(), self.node.app.state.install_form)
        assert result.error == "", result.reason

    def execute(self, statement: str, **values: object) -> None:
        """Change the store behind the program's back, as damage or an old copy does."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def status(self) -> WholeStatus:
        """Return how it stands."""
        with reading(self.engine) as session:
            return whole_status(session)

    @contextmanager
    def sign_in(self) -> Iterator[httpx.Client]:
        """Give a browser that gave the PIN."""
        with writing(self.engine) as session:
            store.set_fact(session, "pin_hash", hashed(PIN))
        with httpx.Client(base_url=self.node.url, headers={"Accept": "text/html"}, timeout=60) as browser:
            assert browser.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"}).status_code == 303
            yield browser


@dataclass
class Chain:
    """Tablet → hub → central."""

    tablet: Device
    hub: Device
    central: Device

    def sync(self) -> None:
        """Let everything go up, and what central says come down."""
        for device in (self.tablet, self.hub, self.tablet):
            device.sync()


def content() -> dict[str, object]:
    """Return the content of a usable answer."""
    moment = "2026-11-20T10:03:00.000-05:00"
    return {
        "id": uuid7(), "kind": "submission", "form": "barrio", "version": "1", "form_sha": "0" * 16,
        "started": moment, "finished": moment, "lang": "es", "salt": new_salt(), "answers": {"idea": "más luz"},
    }  # fmt: skip


@pytest.fixture
def chain(make_node: Callable[..., Node]) -> Chain:
    """Give three enrolled nodes; nothing goes by itself."""
    central = make_node("central")
    hub = make_node("nodo", upstream=central)
    return Chain(Device(make_node("tableta", upstream=hub)), Device(hub), Device(central))


@pytest.fixture
def browser(chain: Chain) -> Iterator[httpx.Client]:
    """Give a browser at the tablet, its facilitator signed in."""
    with chain.tablet.sign_in() as one:
        yield one


def reasons(device: Device) -> dict[str, int]:
    """Ask central, and return why -> how many it lacks."""
    with httpx.Client() as http:
        report = check_wipe(device.engine, http)
    assert report.is_proven == (not report.reasons)
    return dict(report.reasons)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Give a function that runs `collector …` on a folder as the shell does."""

    def run(name: str, data: Path, *more: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collector", name, "--data", str(data), *more])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)

    return run


# --- what central is asked


def test_what_was_not_sent_is_not_proven_and_each_record_is_named(chain: Chain) -> None:
    ids = [chain.tablet.capture() for _ in range(3)]
    with httpx.Client() as http:
        report = check_wipe(chain.tablet.engine, http)
    assert not report.is_proven and dict(report.reasons) == {"not_sent": 3}
    assert [(it.entry.id, it.entry.form) for it in report.listed] == [(one, "barrio") for one in ids]


def test_what_stands_at_the_hub_alone_is_not_proven(chain: Chain) -> None:
    chain.tablet.capture(PHOTO)
    chain.tablet.sync()
    assert reasons(chain.tablet) == {"sent": 1, "file_missing": 1}
    assert reasons(chain.hub) == {"not_sent": 1, "file_missing": 1}


def test_what_central_holds_is_proven_on_the_tablet_and_on_the_hub(chain: Chain) -> None:
    for _ in range(3):
        chain.tablet.capture(PHOTO)
    chain.sync()
    for device in (chain.tablet, chain.hub):
        with httpx.Client() as http:
            report = check_wipe(device.engine, http)
        assert report.is_proven and (report.entries, report.files, report.more) == (3, 1, 0)


def test_one_record_that_central_lost_is_found_among_many_though_it_had_a_receipt(chain: Chain) -> None:
    ids = [chain.tablet.capture() for _ in range(5)]
    chain.sync()
    assert chain.tablet.status().node.counts.central == 5
    chain.central.execute("DELETE FROM record WHERE id = :id", id=ids[3])
    with httpx.Client() as http:
        report = check_wipe(chain.tablet.engine, http)
    assert [(it.entry.id, it.why) for it in report.listed] == [(ids[3], "lost")]


def test_a_record_that_central_holds_with_other_bytes_is_not_proven(chain: Chain) -> None:
    record_id = chain.tablet.capture()
    chain.sync()
    other = hashlib.sha256(b"otra cosa").digest()
    chain.central.execute("UPDATE record SET sha256 = :sha WHERE id = :id", sha=other, id=record_id)
    assert reasons(chain.tablet) == {"lost": 1}


def test_both_contents_of_one_id_are_asked_for(chain: Chain) -> None:
    record = content()
    chain.tablet.put(record)
    chain.tablet.put(record | {"answers": {"idea": "otra"}})
    chain.sync()
    assert reasons(chain.tablet) == {}
    chain.central.execute("DELETE FROM quarantine WHERE id = :id", id=record["id"])
    assert reasons(chain.tablet) == {"lost": 1}


def test_a_file_that_central_lacks_is_named_with_its_record(chain: Chain) -> None:
    record_id = chain.tablet.capture(PHOTO)
    chain.sync()
    for table in ("blob", "blob_chunk"):
        chain.central.execute(f"DELETE FROM {table}")
    with httpx.Client() as http:
        report = check_wipe(chain.tablet.engine, http)
    assert [(it.file.record_id, it.file.name, it.why) for it in report.listed_files] == [
        (record_id, "foto.jpg", "file_missing")
    ]


@pytest.mark.parametrize("size", [0, 4096])
def test_a_photo_that_has_not_come_whole_from_its_phone_is_not_proven(chain: Chain, size: int) -> None:
    chain.tablet.capture(PHOTO, has_content=False)
    if size:
        chain.tablet.add_file(PHOTO, size)
    chain.sync()
    assert reasons(chain.tablet) == {"incomplete": 1}
    assert chain.tablet.status().files.incomplete == 1
    chain.central.add_file(PHOTO)  # it came by another way
    assert reasons(chain.tablet) == {}


def test_a_file_that_no_answer_names_yet_is_not_proven(chain: Chain) -> None:
    chain.tablet.capture(PHOTO)
    chain.sync()
    chain.tablet.execute("DELETE FROM blob_name")
    for table in ("blob", "blob_chunk"):
        chain.central.execute(f"DELETE FROM {table}")
    assert reasons(chain.tablet) == {"unnamed": 1}


def test_more_than_fifty_are_counted_and_not_all_listed(chain: Chain) -> None:
    for _ in range(60):
        chain.tablet.capture()
    with httpx.Client() as http:
        report = check_wipe(chain.tablet.engine, http)
    assert (dict(report.reasons), len(report.listed), report.more) == ({"not_sent": 60}, 50, 10)


def test_what_comes_while_central_is_asked_leaves_nothing_proven(chain: Chain) -> None:
    chain.tablet.capture()
    chain.sync()

    def capture_meanwhile(request: httpx.Request) -> None:
        if request.url.path.endswith("/proof") and b'"files":["' in request.content:
            chain.tablet.capture()

    chain.tablet.capture(PHOTO)
    chain.sync()
    with httpx.Client(event_hooks={"request": [capture_meanwhile]}) as http:
        report = check_wipe(chain.tablet.engine, http)
    assert not report.reasons and report.is_moving and not report.is_proven


# --- the command


def test_the_command_says_yes_by_its_exit_code_only_when_it_is_proven(chain: Chain, command: Command) -> None:
    record_id = chain.tablet.capture()
    not_yet = command("safe-to-wipe", chain.tablet.node.data_dir)
    assert not_yet.code == 1 and "TODAVÍA NO" in not_yet.out and record_id in not_yet.out
    chain.sync()
    done = command("safe-to-wipe", chain.tablet.node.data_dir)
    assert done.code == 0 and "Se puede vaciar" in done.out
    assert json.loads(command("safe-to-wipe", chain.tablet.node.data_dir, "--json").out) == {
        "safe": True, "upstream": chain.hub.node.url, "asked": {"entries": 1, "files": 0}, "reasons": {},
        "entries": [], "files": [], "not_listed": 0, "moving": False,
    }  # fmt: skip


def test_the_command_claims_nothing_when_central_cannot_be_asked(chain: Chain, command: Command) -> None:
    chain.tablet.capture()
    chain.sync()
    chain.central.node.stop()
    through_the_hub = command("safe-to-wipe", chain.tablet.node.data_dir)
    assert through_the_hub.code == 1 and "Se puede vaciar" not in through_the_hub.out
    chain.hub.node.stop()
    alone = command("safe-to-wipe", chain.tablet.node.data_dir)
    assert alone.code == 1 and "No hay señal" in alone.err


def test_an_empty_device_that_cannot_ask_claims_nothing_either(chain: Chain, command: Command) -> None:
    assert command("safe-to-wipe", chain.tablet.node.data_dir).code == 0
    chain.hub.node.stop()
    assert command("safe-to-wipe", chain.tablet.node.data_dir).code == 1


def test_the_command_at_central_and_on_a_folder_without_a_store_says_no(
    chain: Chain, command: Command, tmp_path: Path
) -> None:
    central = command("safe-to-wipe", chain.central.node.data_dir)
    assert central.code == 1 and "No lo vacíe" in central.err
    wrong = command("safe-to-wipe", tmp_path / "no")
    assert wrong.code == 1 and "No hay datos de Collector" in wrong.err and not (tmp_path / "no").exists()


# --- the page


def test_the_page_asks_nothing_by_itself_and_says_what_it_does_not_cover(chain: Chain, browser: httpx.Client) -> None:
    chain.hub.node.stop()
    shown = browser.get("/equipo/vaciar")
    assert shown.status_code == 200 and "No borra nada" in shown.text and "Lo que esto no cubre" in shown.text
    assert "Mis respuestas" in shown.text and "Sí, se puede vaciar" not in shown.text


def test_the_page_lists_what_is_missing_and_what_to_do(chain: Chain, browser: httpx.Client) -> None:
    record_id = chain.tablet.capture(PHOTO)
    shown = browser.post("/equipo/vaciar").text
    assert "Todavía no." in shown and record_id in shown and "Todavía sin enviar: 1" in shown
    assert "Archivos (fotos, sonidos) que central no tiene: 1" in shown and "Enviar ahora" in shown


def test_the_page_says_yes_when_central_confirmed_all_and_keeps_everything(chain: Chain, browser: httpx.Client) -> None:
    chain.tablet.capture(PHOTO)
    chain.sync()
    shown = browser.post("/equipo/vaciar").text
    assert "Sí, se puede vaciar." in shown and "respuestas 1, archivos 1" in shown
    assert chain.tablet.status().node.counts.total == 1
    assert "Yes, it can be wiped." in browser.post("/equipo/vaciar", headers={"Accept-Language": "en"}).text


def test_the_page_claims_nothing_when_central_is_out_of_reach(chain: Chain, browser: httpx.Client) -> None:
    chain.tablet.capture()
    chain.sync()
    chain.central.node.stop()
    answer = browser.post("/equipo/vaciar")
    assert answer.status_code == 502
    assert "No se pudo preguntar a central" in answer.text and "Sí, se puede vaciar" not in answer.text


def test_a_hub_is_told_which_nodes_send_to_it_and_central_not_to_wipe(chain: Chain) -> None:
    with chain.hub.sign_in() as hub, chain.central.sign_in() as central:
        assert "Estos equipos envían a este: tableta" in hub.get("/equipo/vaciar").text
        page = central.get("/equipo/vaciar").text
        assert "no lo vacíe" in page and "Preguntar a central ahora" not in page
        assert central.post("/equipo/vaciar").status_code == 409


def test_without_the_pin_nobody_asks(chain: Chain) -> None:
    with httpx.Client(base_url=chain.tablet.node.url, headers={"Accept": "text/html"}) as stranger:
        for answer in (stranger.get("/equipo/vaciar"), stranger.post("/equipo/vaciar")):
            assert answer.status_code == 303 and answer.headers["location"].startswith("/equipo/pin")


# --- the status


def test_the_three_steps_add_up_for_answers_and_for_files(chain: Chain) -> None:
    for number in range(3):
        chain.tablet.capture(PHOTO + bytes([number]))
    steps = []
    for device in (chain.tablet, chain.hub, chain.tablet):
        steps.append(_steps(chain.tablet))
        device.sync()
    steps.append(_steps(chain.tablet))
    assert steps == [((3, 0, 0), (3, 0, 0)), ((0, 3, 0), (0, 3, 0)), ((0, 3, 0), (0, 3, 0)), ((0, 0, 3), (0, 0, 3))]


def _steps(device: Device) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    status = device.status()
    counts, files = status.node.counts, status.files
    assert counts.saved + counts.sent + counts.central == counts.total
    assert files.saved + files.sent + files.central == files.total
    return (counts.saved, counts.sent, counts.central), (files.saved, files.sent, files.central)


def test_the_status_for_programs_keeps_its_keys_and_adds_the_files(
    chain: Chain, browser: httpx.Client, command: Command
) -> None:
    chain.tablet.capture(PHOTO)
    said = json.loads(command("status", chain.tablet.node.data_dir, "--json").out)
    old = {"id", "name", "epoch", "central", "upstream", "counts", "last_contact", "last_try", "last_error"}
    assert set(said) == old | {"files"}
    assert said["counts"] == {
        "guardado": 1, "enviado": 0, "recibido_en_central": 0, "cuarentena": 0, "total": 1,
    }  # fmt: skip
    assert said["files"] == {
        "guardado": 1, "enviado": 0, "recibido_en_central": 0, "total": 1, "incompleto": 0,
    }  # fmt: skip
    assert browser.get("/equipo/estado.json").json() == said
    assert "Guardado solo aquí: 1 (y 1 archivos)" in command("status", chain.tablet.node.data_dir).out


def test_today_counts_files_and_leads_to_the_question(chain: Chain, browser: httpx.Client) -> None:
    chain.tablet.capture(PHOTO)
    shown = browser.get("/equipo").text
    assert "Esperan señal. Archivos: 1" in shown and "Archivos que central todavía no confirmó: 1." in shown
    assert 'href="/equipo/vaciar"' in shown
    chain.sync()
    assert re.search(r'class="big">Sí<', browser.get("/equipo").text)


def test_central_counts_its_files_as_received(chain: Chain) -> None:
    chain.central.capture(PHOTO)
    files = chain.central.status().files
    assert (files.saved, files.sent, files.central, files.total) == (0, 0, 1, 1)
