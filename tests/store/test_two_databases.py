"""SQLite and PostgreSQL keep the same promises: one row an id, numbers in commit order, one moment for a reader."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from collector import db
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import lab, store
from collector.queries.records import ingest, last_number, log_after
from sync.records import uuid7
from tests.store.conftest import MOMENT, MakeStore, arrival_of, body_of, keep, rows

# --- F12


@pytest.mark.parametrize("senders", [8, 2])
def test_overlapping_batches_at_once_are_stored_once_and_nobody_meets_a_deadlock(
    make_store: MakeStore, senders: int
) -> None:
    engine = make_store()
    bodies = [body_of() for _ in range(60)]

    def push(seed: int) -> list[str]:
        chance = random.Random(seed)
        outcomes: list[str] = []
        for _ in range(4):
            batch = chance.sample(bodies, 40)  # in another order each time
            with writing(engine) as session:
                outcomes += ingest(session, [arrival_of(body) for body in batch], MOMENT)
        return outcomes

    with ThreadPoolExecutor(senders) as pool:
        outcomes = [outcome for told in pool.map(push, range(senders)) for outcome in told]
    stored = rows(engine, "SELECT id FROM record")
    assert outcomes.count("stored") == len(stored) == len(set(stored))
    assert set(outcomes) == {"stored", "duplicate"}
    numbers = [n for (n,) in rows(engine, "SELECT n FROM record ORDER BY n")]
    assert numbers == list(range(1, len(stored) + 1))


def test_without_the_writers_turn_overlapping_batches_fail(
    make_store: MakeStore, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches that hold the same new record, the second beginning before the first commits."""
    if database_kind == "postgres":
        monkeypatch.setattr(db, "TAKE_TURN", "SELECT 1")
    engine = make_store()
    body = body_of()
    first_has_stored, errors = threading.Event(), []

    def second() -> None:
        assert first_has_stored.wait(5)
        try:
            keep(engine, body)
        except DBAPIError as error:
            errors.append(error)

    other = threading.Thread(target=second)
    other.start()
    with writing(engine) as session:
        ingest(session, [arrival_of(body)], MOMENT)
        first_has_stored.set()
        threading.Event().wait(0.3)
    other.join()
    # SQLite has its own lock: there the turn cannot be taken away
    assert len(errors) == (1 if database_kind == "postgres" else 0)
    assert len(rows(engine, "SELECT id FROM record")) == 1


# --- F13


def test_a_reader_of_the_log_skips_no_number_while_slow_writers_commit(make_store: MakeStore) -> None:
    engine = make_store()
    writers, each = 4, 12
    done = threading.Event()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(each):
            with writing(engine) as session:
                ingest(session, [arrival_of(body_of()) for _ in range(chance.randint(1, 4))], MOMENT)
                threading.Event().wait(chance.uniform(0, 0.02))  # numbered, not committed

    def read() -> list[int]:
        seen: list[int] = []
        while True:
            was_done = done.is_set()
            with reading(engine) as session:
                seen += [entry.n for entry in log_after(session, seen[-1] if seen else 0, 500)]
            if was_done:
                return seen

    with ThreadPoolExecutor(writers + 1) as pool:
        reader = pool.submit(read)
        list(pool.map(write, range(writers)))
        done.set()
        seen = reader.result(30)
    with reading(engine) as session:
        assert seen == list(range(1, last_number(session) + 1))


def test_a_sequence_of_the_database_would_skip(postgres_server: Any) -> None:
    """What the log's own row is there for: a sequence hands a number out before the one below it commits."""
    url = postgres_server.borrow_database()
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE fila (n bigserial PRIMARY KEY)"))
    with engine.connect() as slow, engine.connect() as quick:
        slow.execute(text("INSERT INTO fila DEFAULT VALUES"))
        quick.execute(text("INSERT INTO fila DEFAULT VALUES"))
        quick.commit()
        assert rows(engine, "SELECT n FROM fila") == [(2,)]  # a reader goes on from 2 and never sees 1
        slow.commit()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE fila"))
    engine.dispose()
    postgres_server.give_back(url)


# --- a transaction


def test_a_reader_sees_one_moment_and_cannot_write(make_store: MakeStore, database_kind: str) -> None:
    engine = make_store()
    keep(engine, body_of())
    with reading(engine) as session:
        before = len(log_after(session, 0, 10))
        keep(engine, body_of())
        assert len(log_after(session, 0, 10)) == before == 1
    if database_kind == "postgres":
        with reading(engine) as session, pytest.raises(DBAPIError, match="read-only"):
            store.set_fact(session, "name", "otro")
            session.flush()


def test_a_writer_that_waits_too_long_is_told_that_the_store_is_busy(
    make_store: MakeStore, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(db, "SETTINGS_OF_POSTGRES", ("SET lock_timeout = '200ms'",))
    engine = make_store()
    with writing(engine) as session:
        ingest(session, [arrival_of(body_of())], MOMENT)
        with pytest.raises(OperationalError, match=r"locked|lock timeout"):
            keep(engine, body_of())
    assert keep(engine, body_of()) == ["stored"]


def test_a_transaction_that_fails_leaves_nothing_and_gives_its_numbers_back(make_store: MakeStore) -> None:
    engine = make_store()
    with pytest.raises(RuntimeError), writing(engine) as session:
        ingest(session, [arrival_of(body_of())], MOMENT)
        raise RuntimeError
    keep(engine, body_of())
    assert rows(engine, "SELECT n FROM record") == [(1,)]


def test_a_commit_is_on_the_disk_before_it_is_told(make_store: MakeStore, database_kind: str) -> None:
    engine = make_store()
    asked = {"sqlite": ("PRAGMA synchronous", 2), "postgres": ("SHOW synchronous_commit", "on")}
    question, answer = asked[database_kind]
    assert rows(engine, question) == [(answer,)]


def test_a_new_store_opened_twice_at_once_has_one_identity(make_store: MakeStore) -> None:
    engine = make_store()
    with writing(engine) as session:
        session.connection().execute(text("DELETE FROM log"))
        session.connection().execute(text("DELETE FROM meta WHERE key <> 'schema'"))

    def open_it(number: int) -> str:
        with writing(engine) as session:
            store.first_facts(session, str(number))
        with reading(engine) as session:
            return store.fact(session, "node_id") + store.fact(session, "name")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(open_it, range(4)))) == 1


# --- bytes


@pytest.mark.parametrize("answer", ["café 🐸", "a\\u0000b", "\\ud800", "a\u2028b"])
def test_bytes_come_back_as_they_went_in_usable_or_not(make_store: MakeStore, answer: str) -> None:
    body = f'{{"answers":{{"agua":"{answer}"}},"id":"{uuid7()}","kind":"submission"}}'
    engine = make_store()
    assert keep(engine, body) == ["quarantined"]
    with reading(engine) as session:
        assert [entry.body for entry in log_after(session, 0, 5)] == [body]


def test_a_byte_that_no_text_may_hold_is_refused_before_the_store_is_asked() -> None:
    with pytest.raises(ValueError):
        arrival_of(f'{{"answers":{{"agua":"a\0b"}},"id":"{uuid7()}","kind":"submission"}}')


# --- what the lab reads


def test_the_lab_reads_the_same_from_both(make_store: MakeStore) -> None:
    engine = make_store()
    visits: list[Any] = [{"quien": "Ana", "edad": "3"}, "nada", {"quien": "Luis", "edad": 4}]
    keep(
        engine,
        body_of(answers={"agua": "sí", "visita": visits}, finished="2026-11-20T10:42:00.123-05:00"),
        body_of(answers={"agua": "no", "visita": {}}, finished="2026-11-20T15:42:00.123Z"),
        body_of(answers={"agua": "sí", "peso": ["x"]}, finished="2026-11-20T10:59:00.123-05:00"),
        body_of(form="otro"),
    )
    with reading(engine) as session:
        assert {count.form: count.usable for count in lab.form_counts(session)} == {"servicios": 3, "otro": 1}
        counts = lab.answer_counts(session, "servicios", {"agua": 20, "peso": 0, "no": 1})
        assert {key: dict(count) for key, count in counts.items()} == {"agua": {"sí": 2, "no": 1}, "peso": {}, "no": {}}
        assert lab.answer_counts(session, "servicios", {"quien": 1}, ["visita"])["quien"] == {"A": 1, "L": 1}
        assert lab.answer_counts(session, "servicios", {"edad": 9}, ["visita"])["edad"] == {"3": 1}
        assert lab.row_counts(session, "servicios", ["visita"]) == (3, 1)
        assert sorted(lab.hour_counts(session, "servicios")) == [
            ("2026-11-20T10", False, 2),
            ("2026-11-20T15", True, 1),
        ]
        assert [len(pair) for pair in lab.each_duration(session, "servicios")] == [2, 2, 2]


# --- the address


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_address_may_be_written_as_hosting_services_write_it(scheme: str) -> None:
    engine = open_engine(f"{scheme}://ana:secreto@127.0.0.1:1/base")
    assert (engine.dialect.name, engine.driver, engine.url.database) == ("postgresql", "psycopg", "base")


def test_a_server_that_cannot_be_reached_is_said_without_the_password() -> None:
    engine = open_engine("postgres://ana:secreto@127.0.0.1:1/base")
    with pytest.raises(ProblemError) as caught:
        prepare_store(engine)
    for language in ("es", "en"):
        said = caught.value.sentence(language)
        assert "ana:***@127.0.0.1:1/base" in said and "secreto" not in said and "COLLECTOR_DATABASE_URL" in said


@pytest.mark.parametrize("url", ["ninguna", "mysql+nada://x", "postgresql://a:b@c:puerto/d"])
def test_an_address_that_is_none_is_said_in_plain_words(url: str) -> None:
    with pytest.raises(ProblemError, match=r"COLLECTOR_DATABASE_URL|citizen-collector"):
        open_engine(url)


def test_a_missing_driver_is_said_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_given: Any, **_named: Any) -> None:
        raise ModuleNotFoundError("psycopg")

    monkeypatch.setattr(db, "create_engine", missing)
    with pytest.raises(ProblemError, match=r"citizen-collector\[postgres\]"):
        open_engine("postgresql://x/y")


def test_a_database_that_is_not_in_utf8_is_refused(postgres_server: Any) -> None:
    postgres_server.command("CREATE DATABASE latina TEMPLATE template0 ENCODING 'LATIN1'")
    engine = open_engine(postgres_server.url("latina"))
    with pytest.raises(ProblemError, match="LATIN1"):
        prepare_store(engine)
    engine.dispose()
    postgres_server.command("DROP DATABASE latina")
