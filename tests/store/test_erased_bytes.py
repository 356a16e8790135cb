"""What was erased is in no byte of the store's file: not in its log, and not where rows once stood on a page."""

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import erasures, gaps, store
from collector.queries.copies import find_wrong, integrity_check
from collector.queries.erasures import look_for_gaps, wipe_traces
from collector.queries.gaps import Gap, find_gaps
from collector.queries.records import Arrival, ingest
from sync.loop import SyncLoop
from sync.records import new_salt, uuid7
from sync.statements import made, make_decision, make_tombstone

MOMENT = 1_795_000_000_000
WHEN = "2026-11-18T08:00:00.000-05:00"
# lengths of answers, and which of them are released, one after the other: found by trial. When the last one goes, its
# page takes rows from the next, is built anew, and the old bytes of COPIED stay in the middle of it
LENGTHS = (1500, 1500, 10, 200, 1000, 200, 600, 10, 200, 10, 1500, 10, 10, 200, 1500)
RELEASED = (12, 8, 2, 10)
COPIED = 11
GOES, STAYS = b"<this piece goes>", b"<this piece stays>"

pytestmark = pytest.mark.sqlite_file


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_store(tmp_path, 4096)
    yield engine
    engine.dispose()


def new_store(folder: Path, page_bytes: int) -> Engine:
    path = folder / "collector.db"
    with sqlite3.connect(path) as file:
        file.execute(f"PRAGMA page_size = {page_bytes}")
        file.execute("VACUUM")
    file.close()
    engine = open_engine(f"sqlite:///{path}")
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    return engine


def submission(length: int, at: int = 0) -> Arrival:
    content = {
        "id": uuid7(MOMENT + at), "kind": "submission", "form": "servicios", "version": "1", "form_sha": "0" * 16,
        "started": WHEN, "finished": WHEN, "lang": "es", "salt": new_salt(), "answers": {"agua": "x" * length},
    }  # fmt: skip
    return made(content)


def salt_of(record: Arrival) -> bytes:
    return str(json.loads(record.body)["salt"]).encode()


def keep(engine: Engine, *arrivals: Arrival) -> None:
    with writing(engine) as session:
        ingest(session, arrivals, MOMENT)


def erase(engine: Engine, *records: Arrival) -> None:
    keep(engine, *(make_tombstone(record.id, "person", "") for record in records))


def cut_log(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def on_disk(engine: Engine) -> bytes:
    folder = Path(str(engine.url.database)).parent
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def with_a_copy(engine: Engine) -> tuple[list[Arrival], Arrival]:
    """Fill a store so that SQLite leaves an old copy of a row behind; return all records, and that one."""
    records = [submission(length, at)._replace(why="revoked_node") for at, length in enumerate(LENGTHS)]
    keep(engine, *records)
    for at in RELEASED:
        keep(engine, make_decision(records[at].id, "use", records[at].sha256.hex(), "lab"))
    cut_log(engine)
    return records, records[COPIED]


def unwiped(engine: Engine) -> str:
    with reading(engine) as session:
        return store.fact(session, "unwiped")


def test_what_sqlite_left_of_a_row_it_moved_goes_when_the_row_is_erased(engine: Engine) -> None:
    records, copied = with_a_copy(engine)
    assert on_disk(engine).count(salt_of(copied)) == 2, "this SQLite moves rows in another way: look for other LENGTHS"
    erase(engine, copied)
    cut_log(engine)
    assert on_disk(engine).count(salt_of(copied)) == 1  # zeroed where it stood, and still where it once stood
    assert wipe_traces(engine)
    content = on_disk(engine)
    assert [record for record in records if salt_of(record) not in content] == [copied]


def test_covering_what_was_left_changes_no_record(engine: Engine) -> None:
    _, copied = with_a_copy(engine)
    erase(engine, copied)
    before = rows_of(engine)
    assert wipe_traces(engine)
    assert rows_of(engine) == before
    with reading(engine) as session:
        assert integrity_check(session) == ""
        assert find_wrong(session) == ""


def rows_of(engine: Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        tables = ("record", "quarantine", "blob_chunk")
        return [list(map(tuple, connection.exec_driver_sql(f"SELECT rowid, * FROM {name}"))) for name in tables]


@pytest.mark.parametrize("page_bytes", [4096, 65536])
def test_pages_of_any_size_keep_nothing_of_rows_that_came_and_went_in_any_order(
    tmp_path: Path, page_bytes: int
) -> None:
    engine = new_store(tmp_path, page_bytes)
    come_and_go(engine, Random("pages 2"))
    assert GOES in on_disk(engine), "this SQLite moves rows in another way: look for another seed"
    with writing(engine) as session:
        store.set_fact(session, "unwiped", "1")
    assert wipe_traces(engine)
    content = on_disk(engine)
    assert GOES not in content
    assert content.count(STAYS) == 1000
    with reading(engine) as session:
        assert integrity_check(session) == ""
    engine.dispose()


def come_and_go(engine: Engine, chance: Random) -> None:
    """Put pieces of files between others, in no order, and take half of them away."""
    marks = {chance.getrandbits(40): mark for mark in (GOES, STAYS) * 1000}
    with writing(engine) as session:
        line = session.connection()
        for place, mark in marks.items():
            content = b"a" * chance.choice((20, 200, 700, 2000, 6000)) + mark + b"b" * chance.choice((5, 100, 900))
            insert = "INSERT INTO blob_chunk (rowid, sha256, at, content) VALUES (?, ?, 0, ?)"
            line.exec_driver_sql(insert, (place, str(place), content))
    with writing(engine) as session:
        for place in (place for place, mark in marks.items() if mark == GOES):
            session.connection().exec_driver_sql("DELETE FROM blob_chunk WHERE rowid = ?", (place,))
    cut_log(engine)


def test_nobody_who_erases_waits_until_a_large_file_is_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, copied = with_a_copy(engine)
    monkeypatch.setattr(erasures, "AT_ONCE_BYTES", 1000)
    erase(engine, copied)
    assert not wipe_traces(engine)
    assert unwiped(engine)
    assert wipe_traces(engine, at_leisure=True)
    assert salt_of(copied) not in on_disk(engine)


def test_the_sync_loop_reads_a_large_file_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, copied = with_a_copy(engine)
    monkeypatch.setattr(erasures, "AT_ONCE_BYTES", 1000)
    erase(engine, copied)
    loop = SyncLoop(engine, 0, lambda *_given, **_files: None)
    loop.start()
    try:
        deadline = time.monotonic() + 30
        while unwiped(engine) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        loop.stop()
    assert not unwiped(engine)
    assert salt_of(copied) not in on_disk(engine)


def test_what_is_erased_in_the_meantime_is_not_forgotten(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = submission(10), submission(10)
    keep(engine, early, late)
    erase(engine, early)

    def looking(engine: Engine) -> list[Gap]:
        monkeypatch.undo()
        erase(engine, late)
        return look_for_gaps(engine)

    monkeypatch.setattr(erasures, "look_for_gaps", looking)
    assert not wipe_traces(engine)
    assert unwiped(engine)
    assert wipe_traces(engine)
    assert not unwiped(engine)


def test_a_writer_that_does_not_let_go_is_no_error_for_who_erases(engine: Engine) -> None:
    record = submission(10)
    keep(engine, record)
    erase(engine, record)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not wipe_traces(engine)
        other.execute("ROLLBACK")
    assert wipe_traces(engine)


@pytest.mark.parametrize(
    "trouble",
    [
        OSError("no more processes"),
        subprocess.TimeoutExpired("gaps.py", 600),
        subprocess.CalledProcessError(1, "gaps.py"),
        sqlite3.OperationalError("database or disk is full"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_trouble_while_wiping_is_no_error_for_who_erases(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    def failing(_engine: Engine) -> list[Gap]:
        raise trouble

    record = submission(10)
    keep(engine, record)
    erase(engine, record)
    monkeypatch.setattr(erasures, "look_for_gaps", failing)
    assert not wipe_traces(engine)
    assert unwiped(engine)
    assert str(trouble) in caplog.text
    monkeypatch.undo()
    assert wipe_traces(engine)


def test_a_file_that_is_no_store_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"\x0d" * 8192)
    with (tmp_path / "other.db").open("rb", buffering=0) as file, pytest.raises(ValueError, match="not an SQLite file"):
        find_gaps(file, {2})


def test_who_looks_for_gaps_needs_nothing_of_ours() -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import runpy, sys; runpy.run_path({gaps.__file__!r}); print(sys.modules)",
    ]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "'json'" in said
    assert not re.search(r"'(collector|sync|sqlalchemy|sqlmodel)\b", said)
