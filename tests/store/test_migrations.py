"""A store of release 1 becomes one of this release: whole, once, and after a kill in the middle too."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from collector import migrations, tables
from collector.db import changing_tables, open_engine, prepare_store, schema_of, writing
from collector.migrations.run import revisions, upgrade
from collector.problems import ProblemError
from collector.tables.log import PARTIAL_INDEXES
from tests.store.conftest import keep, rows

if TYPE_CHECKING:
    from tests.store.postgres_server import PostgresServer

OpenEmpty = Callable[[], Engine]


@pytest.fixture
def make_empty(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OpenEmpty]:
    """Give a function that opens a database without tables that nobody had before."""
    made: list[Engine] = []

    def make() -> Engine:
        url = f"sqlite:///{tmp_path / f'{len(made)}.db'}"
        if database_kind == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = server.make_database("template0")
        made.append(open_engine(url))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
def empty(make_empty: OpenEmpty) -> Engine:
    """A database without tables."""
    return make_empty()


def shape(engine: Engine) -> dict[str, Any]:
    """Return every table with its columns, keys and indexes, in no order that depends on how it came to be."""
    asked = inspect(engine)
    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], _plain(c["default"])) for c in asked.get_columns(table)
            ),
            "key": asked.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(u["column_names"] for u in asked.get_unique_constraints(table)),
            "indexes": sorted((i["name"], i["column_names"], _where(i)) for i in asked.get_indexes(table)),
        }
        for table in asked.get_table_names()
    }


def _plain(default: str | None) -> str | None:
    return default if default is None else default.partition("::")[0].strip("('\")")


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return "".join(str(value) for name, value in options.items() if name.endswith("_where"))


def test_the_migrations_lead_to_exactly_the_tables_of_a_new_store(
    make_empty: OpenEmpty,
) -> None:
    # both made here: one that was borrowed may have been restored, and PostgreSQL writes a restored index differently
    empty, new = make_empty(), make_empty()
    upgrade(empty)
    prepare_store(new)
    assert shape(empty) == shape(new)
    with empty.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), tables.every_table())
    # the partial ones are no part of SQLModel's metadata; `shape` has compared them
    assert {(what, index.name) for what, index in found} == {("remove_index", name) for name, *_ in PARTIAL_INDEXES}


def test_the_last_revision_is_the_schema_that_the_tables_are_of() -> None:
    assert migrations.REVISION_OF_SCHEMA[tables.SCHEMA_VERSION] == migrations.HEAD == revisions()[-1]
    assert sorted(migrations.REVISION_OF_SCHEMA.values()) == revisions()


def test_a_table_that_differs_is_seen(empty: Engine) -> None:
    upgrade(empty)
    with writing(empty) as session:
        session.connection().execute(text("ALTER TABLE node DROP COLUMN alarm"))
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.every_table()) != []


@pytest.mark.sqlite_file
def test_a_store_of_release_1_keeps_every_byte_and_its_records_say_what_new_ones_say(old: Path) -> None:
    before = sqlite3.connect(old).execute("SELECT id, sha256, body FROM record ORDER BY n").fetchall()
    engine = open_engine(f"sqlite:///{old}")
    prepare_store(engine)
    assert schema_of(engine) == tables.SCHEMA_VERSION
    assert rows(engine, "SELECT id, sha256, body FROM record ORDER BY n") == before
    first = "019c2f4e-8a30-7c1b-9d2e-000000000001"
    assert rows(engine, "SELECT n, changed_n, device_ms, about, claim FROM record ORDER BY n") == [
        *((n, n, 1_795_323_205_940, "", "") for n in (1, 2, 3, 4)),
        (6, 6, 1_795_189_380_123, first, "0123456789abcdef0123456789abcdef"),
        (7, 7, 0, "", ""),
    ]
    assert rows(engine, "SELECT n, why, resolved_by FROM quarantine") == [(5, "conflict", "")]
    assert keep(engine, before[0][2]) == ["duplicate"]
    engine.dispose()


def test_what_reads_the_tables_of_release_1_reads_those_of_this_one(empty: Engine) -> None:
    upgrade(empty, "0001")
    before = shape(empty)
    upgrade(empty)
    after = shape(empty)
    for table in before:
        kept = {column[0] for column in before[table]["columns"]}
        assert kept <= {column[0] for column in after[table]["columns"]}
        new = [column for column in after[table]["columns"] if column[0] not in kept]
        assert all(nullable or default is not None for _, _, nullable, default in new)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.sqlite_file
def test_a_kill_in_the_middle_of_a_migration_changes_nothing_and_the_next_start_goes_on(old: Path, moment: str) -> None:
    code = f"""
import os, signal
from alembic import command
from collector.db import open_engine, prepare_store
plain = command.upgrade
def killed(config, revision):
    if revision == "0002" and {moment!r} == "after":
        plain(config, revision)
    if revision == "0002":
        os.kill(os.getpid(), signal.SIGKILL)
    plain(config, revision)
command.upgrade = killed
prepare_store(open_engine({f"sqlite:///{old}"!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    engine = open_engine(f"sqlite:///{old}")
    assert schema_of(engine) == 1
    assert "changed_n" not in {column["name"] for column in inspect(engine).get_columns("record")}
    prepare_store(engine)
    assert schema_of(engine) == tables.SCHEMA_VERSION
    assert len(rows(engine, "SELECT changed_n FROM record")) == 6
    engine.dispose()


def test_a_migration_that_fails_leaves_the_store_as_it_was(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(empty, "0001")
    before = shape(empty)
    from alembic.operations import Operations

    def full(*_given: Any, **_named: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Operations, "drop_index", full)  # near the end of 0002
    with pytest.raises(OSError, match="no space"):
        prepare_store(empty)
    assert shape(empty) == before
    monkeypatch.undo()
    prepare_store(empty)
    assert schema_of(empty) == tables.SCHEMA_VERSION


def test_two_processes_that_open_one_new_store_at_once_make_it_once(
    empty: Engine,
) -> None:
    code = "import sys; from collector.db import open_engine, prepare_store; prepare_store(open_engine(sys.argv[1]))"
    url = empty.url.render_as_string(hide_password=False)
    both = [subprocess.Popen([sys.executable, "-c", code, url], env=os.environ) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert schema_of(empty) == tables.SCHEMA_VERSION


@pytest.mark.parametrize("found", ["4", "41"])
def test_a_store_of_a_later_release_is_refused_and_left_alone(empty: Engine, found: str) -> None:
    prepare_store(empty)
    with writing(empty) as session:
        session.connection().execute(text(f"UPDATE meta SET value = '{found}' WHERE key = 'schema'"))
    before = shape(empty)
    with pytest.raises(ProblemError, match=f"schema {found}; this release knows {tables.SCHEMA_VERSION}"):
        prepare_store(empty)
    assert shape(empty) == before


def test_a_revision_that_this_release_does_not_know_is_refused(empty: Engine) -> None:
    upgrade(empty, "0001")
    with changing_tables(empty) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(ProblemError, match="0099"):
        prepare_store(empty)


@pytest.mark.sqlite_file
def test_a_store_that_is_up_to_date_loads_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'collector.db'}"
    code = "import sys; from collector.db import open_engine, prepare_store; prepare_store(open_engine(sys.argv[1]))"
    code += "; print('alembic' in sys.modules)"
    said = [
        subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said == ["False\n", "False\n"]
