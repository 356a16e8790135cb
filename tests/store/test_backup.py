"""A backup is whole and proved, whatever happens meanwhile; a restore puts it in place, keeps what was, and says so."""

import errno
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from collector.backups.backup import backup, restore
from collector.backups.marker import begin_turn
from collector.cli.store import add_store_commands
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import copies, store
from collector.settings import Settings
from collector.tables.files import Blob, BlobChunk
from tests.store.conftest import body_of, keep, rows


@pytest.fixture
def settings(
    make_database_url: Callable[..., str], tmp_path: Path, database_kind: str, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Settings:  # fmt: skip
    """A node's settings, its store ready."""
    if database_kind == "postgres":
        server = request.getfixturevalue("postgres_server")
        monkeypatch.setenv("PATH", str(server.binaries), prepend=os.pathsep)
    folder = tmp_path / "datos"
    folder.mkdir()
    made = Settings(data_dir=folder, database_url=make_database_url(folder))
    engine = opened(made)
    keep(engine, *(body_of() for _ in range(5)))
    keep(engine, '{"id":"x"}')  # one in quarantine
    engine.dispose()
    return made


def opened(settings: Settings) -> Engine:
    engine = open_engine(settings.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    return engine


def bodies(settings: Settings) -> list[str]:
    engine = opened(settings)
    found = [body for (body,) in rows(engine, "SELECT body FROM record ORDER BY n")]
    engine.dispose()
    return found


def fact(settings: Settings, key: str) -> str:
    engine = opened(settings)
    with reading(engine) as session:
        found = store.fact(session, key)
    engine.dispose()
    return found


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_backed_up_comes_back_with_a_new_epoch_and_what_was_there_is_kept(
    settings: Settings, tmp_path: Path
) -> None:
    before, node_id, epoch = bodies(settings), fact(settings, "node_id"), fact(settings, "epoch")
    copy, held = backup(settings, tmp_path / "copia")
    assert (held.records, held.quarantined, held.forms, held.files) == (5, 1, 0, 0)
    engine = opened(settings)
    later = body_of()
    keep(engine, later)
    engine.dispose()
    aside, restored = restore(settings, copy)
    assert restored == held and bodies(settings) == before
    assert fact(settings, "node_id") == node_id
    assert fact(settings, "epoch") != epoch and fact(settings, "epoch_reason") == "restored"
    assert aside is not None and aside.parent == settings.data_dir and aside.is_file()
    restore(settings, aside)
    assert bodies(settings) == [*before, later]


def test_two_restores_of_one_second_keep_both_stores_that_were_there(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.backups.names.now_ms", lambda: 1_795_000_000_000)
    copy, _ = backup(settings, tmp_path / "copia")
    engine = opened(settings)
    later = body_of()
    keep(engine, later)
    engine.dispose()
    first, _ = restore(settings, copy)
    second, _ = restore(settings, copy)
    assert first is not None and second is not None and first != second and second.is_file()
    restore(settings, first)
    assert later in bodies(settings)


def test_the_epoch_of_a_restore_is_the_one_that_the_server_goes_on_with(settings: Settings, tmp_path: Path) -> None:
    engine = opened(settings)
    begin_turn(engine, settings.data_dir).end()
    engine.dispose()
    copy, _ = backup(settings, tmp_path / "copia")
    restore(settings, copy)
    epoch = fact(settings, "epoch")
    engine = opened(settings)
    begin_turn(engine, settings.data_dir).end()
    engine.dispose()
    assert fact(settings, "epoch") == epoch


def test_a_restore_is_refused_while_a_server_runs_on_the_store(settings: Settings, tmp_path: Path) -> None:
    copy, _ = backup(settings, tmp_path / "copia")
    engine = opened(settings)
    turn = begin_turn(engine, settings.data_dir)
    before = rows(engine, "SELECT key, value FROM meta ORDER BY key")
    with pytest.raises(ProblemError) as caught:
        restore(settings, copy)
    assert "Collector está abierto" in caught.value.sentence("es")
    assert rows(engine, "SELECT key, value FROM meta ORDER BY key") == before
    turn.end()
    engine.dispose()
    restore(settings, copy)


def test_an_older_file_is_not_replaced_unless_it_is_said(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copia"
    target.write_text("otra cosa")
    with pytest.raises(ProblemError, match="--force"):
        backup(settings, target)
    assert target.read_text() == "otra cosa"
    backup(settings, target, force=True)
    assert target.stat().st_size > 1000


def test_in_a_folder_the_copy_gets_a_name_that_says_when(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    copy, _ = backup(settings, folder)
    assert copy.name.startswith("collector-20") and left_in(folder) == {copy.name}


@pytest.mark.sqlite_file
def test_a_copy_made_while_others_write_is_one_moment_and_whole(settings: Settings, tmp_path: Path) -> None:
    stop, engine = threading.Event(), opened(settings)

    def write() -> None:
        while not stop.is_set():
            keep(engine, *(body_of() for _ in range(20)))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    counts = []
    for number in range(5):
        time.sleep(0.1)
        counts.append(backup(settings, tmp_path / f"{number}.db")[1].records)
    stop.set()
    for writer in writers:
        writer.join()
    engine.dispose()
    assert counts == sorted(counts) and counts[-1] > counts[0]
    for number, count in enumerate(counts):
        with sqlite3.connect(tmp_path / f"{number}.db") as copy:
            assert copy.execute("SELECT count(*), max(n) FROM record").fetchone() == (count, count + 1)
            assert (count - 5) % 20 == 0  # no half batch
        copy.close()


def test_a_record_that_is_not_what_its_hash_says_makes_no_backup(settings: Settings, tmp_path: Path) -> None:
    engine = opened(settings)
    with writing(engine) as session:
        session.connection().execute(text("UPDATE record SET body = replace(body, 'veces', 'vacas') WHERE n = 3"))
    engine.dispose()
    with pytest.raises(ProblemError, match="record 0"):
        backup(settings, tmp_path / "copia")
    assert not list(tmp_path.glob("copia*"))


def test_a_file_of_an_answer_that_is_not_what_its_hash_says_makes_no_backup(settings: Settings, tmp_path: Path) -> None:
    engine = opened(settings)
    sha256 = hashlib.sha256(b"foto").hexdigest()
    with writing(engine) as session:
        session.add(Blob(sha256=sha256, bytes=4, have=4, received_ms=1))
        session.add(BlobChunk(sha256=sha256, at=0, content=b"foto"))
    assert backup(settings, tmp_path / "copia")[1].files == 1
    with writing(engine) as session:
        session.connection().execute(text("UPDATE blob_chunk SET content = :other"), {"other": b"roto"})
    engine.dispose()
    with pytest.raises(ProblemError, match=f"blob {sha256}"):
        backup(settings, tmp_path / "otra")


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    nowhere = Settings(data_dir=tmp_path / "nada")
    with pytest.raises(ProblemError, match="no Collector store"):
        backup(nowhere, tmp_path / "copia.db")
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "cut", "flipped", "other database"])
def test_what_is_no_whole_backup_is_not_restored(settings: Settings, tmp_path: Path, kind: str) -> None:
    copy, _ = backup(settings, tmp_path / "copia")
    whole = copy.read_bytes()
    if kind == "missing":
        copy.unlink()
    elif kind == "other database":
        copy.unlink()
        sqlite3.connect(copy).execute("CREATE TABLE record (x)").connection.close()
    else:
        middle = whole.index(b"a veces") if b"a veces" in whole else len(whole) // 2
        flipped = whole[:middle] + b"A" + whole[middle + 1 :]
        copy.write_bytes({"text": b"hola", "empty": b"", "cut": whole[: len(whole) // 2], "flipped": flipped}[kind])
    before, epoch, files = bodies(settings), fact(settings, "epoch"), left_in(settings.data_dir)
    with pytest.raises(ProblemError):
        restore(settings, copy)
    assert (bodies(settings), fact(settings, "epoch")) == (before, epoch)
    assert left_in(settings.data_dir) | {"collector.lock"} == files | {"collector.lock"}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), sqlite3.OperationalError("database or disk is full")])
def test_a_full_disk_is_said_in_plain_words_and_leaves_no_half_copy(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(_session: Any, target: sqlite3.Connection) -> None:
        target.execute("CREATE TABLE half (x)")
        target.commit()
        raise error

    monkeypatch.setattr(copies, "copy_sqlite", full)
    with pytest.raises(ProblemError) as caught:
        backup(settings, tmp_path / "copia")
    assert "No hay espacio" in caught.value.sentence("es")
    assert not list(tmp_path.glob("copia*"))


@pytest.mark.sqlite_file
def test_a_restore_onto_a_full_disk_leaves_the_store_as_it_was(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, _ = backup(settings, tmp_path / "copia")
    before, files = bodies(settings), left_in(settings.data_dir)

    def full(_from: Path, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ProblemError, match="No space"):
        restore(settings, copy)
    assert bodies(settings) == before and left_in(settings.data_dir) == files | {"collector.lock"}


@pytest.mark.sqlite_file
def test_a_restore_killed_while_it_copies_leaves_the_store_and_can_be_repeated(
    settings: Settings, tmp_path: Path
) -> None:
    copy, held = backup(settings, tmp_path / "copia")
    before, epoch = bodies(settings), fact(settings, "epoch")
    code = f"""
import os, signal
from pathlib import Path
from collector.backups import backup
from collector.settings import Settings
backup._keep = lambda _part: os.kill(os.getpid(), signal.SIGKILL)
backup.restore(Settings(data_dir=Path({str(settings.data_dir)!r})), Path({str(copy)!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert (bodies(settings), fact(settings, "epoch")) == (before, epoch)
    assert restore(settings, copy)[1] == held


@pytest.mark.sqlite_file
def test_a_store_that_was_killed_is_moved_aside_with_all_that_it_had_committed(
    settings: Settings, tmp_path: Path
) -> None:
    copy, _ = backup(settings, tmp_path / "copia")
    code = f"""
import os, signal
from collector.db import open_engine
from tests.store.conftest import body_of, keep
keep(open_engine({settings.url!r}), body_of(), body_of())
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
    assert (settings.data_dir / "collector.db-wal").stat().st_size > 0
    aside, _ = restore(settings, copy)
    assert aside is not None and {name for name in left_in(settings.data_dir) if "-" in name} == {aside.name}
    with sqlite3.connect(aside) as kept:
        assert kept.execute("SELECT count(*) FROM record").fetchone() == (7,)
    kept.close()


@pytest.mark.sqlite_file
def test_a_damaged_store_is_kept_aside_byte_by_byte(settings: Settings, tmp_path: Path) -> None:
    copy, held = backup(settings, tmp_path / "copia")
    database = settings.data_dir / "collector.db"
    database.write_bytes(b"nada que se pueda leer" * 500)
    aside, restored = restore(settings, copy)
    assert restored == held and aside is not None
    assert aside.read_bytes() == b"nada que se pueda leer" * 500


@pytest.mark.sqlite_file
def test_a_backup_of_release_1_is_restored_as_a_store_of_this_release(old: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "datos")
    aside, held = restore(settings, old)
    assert aside is None and (held.records, held.quarantined) == (6, 1)
    assert len(bodies(settings)) == 6


def test_postgresql_without_its_programs_is_said_with_what_to_install(
    tmp_path: Path, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    url = postgres_server.borrow_database()
    with pytest.raises(ProblemError) as caught:
        backup(Settings(data_dir=tmp_path, database_url=url), tmp_path / "copia")
    assert "pg_dump" in caught.value.sentence("es") and "postgresql-client" in caught.value.sentence("es")
    postgres_server.give_back(url)


def test_the_commands_say_what_is_in_the_copy_and_where_the_replaced_store_is(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = click.Group()
    add_store_commands(group)
    monkeypatch.setenv("COLLECTOR_DATABASE_URL", settings.database_url)
    copy = str(tmp_path / "copia")
    data = ["--data", str(settings.data_dir)]
    made = CliRunner().invoke(group, ["backup", copy, *data], catch_exceptions=False)
    assert "Copia hecha y probada" in made.output and "Registros: 5. En revisión: 1." in made.output
    put = CliRunner().invoke(group, ["restore", copy, *data], catch_exceptions=False)
    assert "Registros: 5." in put.output and f"quedó en {settings.data_dir}" in put.output
