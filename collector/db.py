"""The engine and the transaction. SQLite: WAL, synchronous=FULL, one writer by BEGIN IMMEDIATE. PostgreSQL by URL.

what holds in a transaction      SQLite                       PostgreSQL
reading: one moment              BEGIN                        REPEATABLE READ, READ ONLY
asking: one statement            nothing                      BEGIN
writing: nobody else writes      BEGIN IMMEDIATE              the row of `log` is locked first
a wait for the writer, at most   busy_timeout 5 s             lock_timeout 5 s
committed is on the disk         synchronous=FULL             synchronous_commit=on
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlmodel import Session

from collector import tables
from collector.problems import PROBLEMS, ProblemError
from collector.store_problems import BAD_URL, DRIVER_MISSING, NOT_UTF8, UNREACHABLE
from collector.tables.log import Meta

WAIT_SECONDS = 5
SCHEMA = text("SELECT value FROM meta WHERE key = 'schema'")
# one writer at a time, as on SQLite: who holds this row sees all that was committed before, so numbers follow commits,
# what was read inside still holds at the commit, and two batches in opposite order cannot wait for each other
TAKE_TURN = "SELECT next_n FROM log WHERE slot = 1 FOR UPDATE"
TAKE_TABLES = "SELECT pg_advisory_xact_lock(4201746883)"  # any number, the same in every release
SETTINGS_OF_POSTGRES = (
    "SET synchronous_commit = on",
    f"SET lock_timeout = '{WAIT_SECONDS}s'",
    "SET idle_in_transaction_session_timeout = '60s'",  # a process that hangs must not stop the others from writing
    "SET client_min_messages = warning",
)


def open_engine(url: str) -> Engine:
    """Return an engine for `url`; makes the folder of an SQLite file. Does not touch tables: see `prepare_store`.

    Takes postgresql:// and postgres:// as hosting services write them. Raises ProblemError for a URL that cannot be.
    """
    if not url.startswith("sqlite"):
        return _open_postgres(url)
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": WAIT_SECONDS})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def is_sqlite(engine: Engine) -> bool:
    """Tell whether the store is a file of ours."""
    return engine.dialect.name == "sqlite"


def _open_postgres(url: str) -> Engine:
    scheme, _, rest = url.partition("://")
    driver = "postgresql+psycopg" if scheme in ("postgres", "postgresql") else scheme
    try:
        engine = create_engine(
            f"{driver}://{rest}",
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=30,  # a connection for each thread of the server
            connect_args={"connect_timeout": WAIT_SECONDS},
        )
    except ModuleNotFoundError as error:
        raise ProblemError(DRIVER_MISSING) from error
    except (ArgumentError, ValueError) as error:  # its text may hold the password
        raise ProblemError(BAD_URL) from error
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "begin", _take_turn)
    return engine


def _prepare_postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        for setting in SETTINGS_OF_POSTGRES:
            cursor.execute(setting)
    connection.commit()


def _take_turn(connection: Any) -> None:
    writes = connection.get_execution_options().get("collector_writes", False)
    if writes:
        connection.exec_driver_sql(TAKE_TABLES if writes == "tables" else TAKE_TURN)


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: IMMEDIATE for writers
    # busy_timeout first: switching to WAL can itself meet a lock
    for pragma in (
        f"busy_timeout={WAIT_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    options = connection.get_execution_options()
    if options.get("collector_asks", False):
        return  # a statement by itself is a transaction by itself
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("collector_writes", False) else "BEGIN")


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Give a connection for one statement that writes nothing: it sees one moment anyhow, at a third of the cost."""
    with engine.connect().execution_options(collector_asks=True) as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that sees one moment of the store and writes nothing."""
    if is_sqlite(engine):
        with Session(engine) as session:
            yield session
        return
    moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**moment) as connection, Session(bind=connection) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Give the session of one write transaction; commits when the block ends well, else rolls back.

    The write lock is taken with the first statement, so that what was read inside still holds at the commit.
    """
    with _writing(engine, True) as session:
        yield session


@contextmanager
def changing_tables(engine: Engine) -> Iterator[Session]:
    """Give a write transaction for changes of tables, one process at a time. All of it holds, or nothing."""
    with _writing(engine, "tables") as session:
        yield session


@contextmanager
def _writing(engine: Engine, what: bool | str) -> Iterator[Session]:
    connection = engine.connect().execution_options(collector_writes=what)
    with connection, Session(bind=connection) as session, session.begin():
        yield session


# --- the tables


def prepare_store(engine: Engine) -> None:
    """Make the tables of a new store; bring those of an earlier release up to this one.

    Asks for one number when there is nothing to do. Raises ProblemError: `newer_database` for a store written by a
    later release, and what `_reach` raises.
    """
    _reach(engine)
    if schema_of(engine) == tables.SCHEMA_VERSION:
        return
    if _is_new(engine):
        _make_tables(engine)
    if schema_of(engine) != tables.SCHEMA_VERSION:
        from collector.migrations.run import upgrade  # not on every start: it loads alembic

        upgrade(engine)


def schema_of(engine: Engine) -> int | None:
    """Return the store's schema number, None when it has none yet. Raises ProblemError `newer_database`."""
    with reading(engine) as session:
        if not inspect(session.connection()).has_table("meta"):
            return None
        row = session.connection().execute(SCHEMA).first()
    found = int(row[0]) if row else None
    if found is not None and found > tables.SCHEMA_VERSION:
        raise ProblemError(PROBLEMS["newer_database"], found=found, known=tables.SCHEMA_VERSION)
    return found


def _is_new(engine: Engine) -> bool:
    with reading(engine) as session:
        return not inspect(session.connection()).has_table("meta")


def _make_tables(engine: Engine) -> None:
    """Make all tables as they are today. A test holds that the migrations lead to exactly the same."""
    from collector.migrations import HEAD, stamp

    with changing_tables(engine) as session:
        connection = session.connection()
        if inspect(connection).has_table("meta"):
            return  # another process was first
        tables.every_table().create_all(connection)
        stamp(connection, HEAD)
        session.add(Meta(key="schema", value=str(tables.SCHEMA_VERSION)))


def _reach(engine: Engine) -> None:
    """Ask PostgreSQL for an answer. Raises ProblemError `database_unreachable` or `database_encoding`."""
    if is_sqlite(engine):
        return
    try:
        with engine.connect() as connection:
            encoding = str(connection.execute(text("SHOW server_encoding")).scalar_one())
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise ProblemError(UNREACHABLE, url=engine.url.render_as_string(), reason=reason) from error
    if encoding != "UTF8":
        raise ProblemError(NOT_UTF8, encoding=encoding)
