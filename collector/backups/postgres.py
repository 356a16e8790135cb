"""Copies of a store on PostgreSQL: pg_dump and pg_restore, tried out in a database that is made for it and dropped."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Engine

from collector.backups.marker import forget_markers, start_epoch
from collector.backups.names import free_name
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import copies
from collector.queries.copies import Holding
from collector.store_problems import IN_USE, NOT_A_BACKUP, TOOL_FAILED, TOOL_MISSING

LEAVING_SECONDS = 3.0
NO_OWNER = ("--no-owner", "--no-privileges")


def dump(engine: Engine, part: Path) -> Holding:
    """Write one moment of the store to a file of pg_dump's own kind, and try it out. Raises ProblemError."""
    with reading(engine) as session:
        expected = copies.holding(session)
        moment = copies.export_moment(session)
        _run("pg_dump", engine, "--format=custom", *NO_OWNER, f"--snapshot={moment}", f"--file={part}")
    with _restored(engine, part) as tried:
        found = _prove(tried, part)
    if found != expected:
        raise ProblemError(NOT_A_BACKUP, path=part, reason=f"{found} en vez de {expected}")
    return found


def put_back(engine: Engine, data_dir: Path, copy: Path) -> tuple[Path | None, Holding]:
    """Put a dump in the place of the store, in one transaction; what stood there is dumped into `data_dir` first."""
    _wait_till_alone(engine)
    with _restored(engine, copy) as tried:
        _prove(tried, copy)
    aside = free_name(data_dir, "collector", ".dump")
    _run("pg_dump", engine, "--format=custom", *NO_OWNER, f"--file={aside}")
    _run("pg_restore", engine, "--clean", "--if-exists", "--single-transaction", *NO_OWNER, str(copy))
    prepare_store(engine)
    with writing(engine) as session:
        forget_markers(session, data_dir)
        start_epoch(session, "restored")
    return aside, _prove(engine, copy)


def _wait_till_alone(engine: Engine) -> None:
    """Return when nobody else is connected: PostgreSQL forgets a program a while after it ended. Else ProblemError."""
    deadline = monotonic() + LEAVING_SECONDS
    while True:
        with reading(engine) as session:
            if not copies.others_connected(session):
                return
        if monotonic() > deadline:
            raise ProblemError(IN_USE, place=engine.url.render_as_string())
        sleep(0.05)


def _prove(engine: Engine, path: Path) -> Holding:
    from collector.backups.backup import prove

    return prove(engine, path)


@contextmanager
def _restored(engine: Engine, copy: Path) -> Iterator[Engine]:
    """Give a store that was made from the copy in a database of its own, and drop it afterwards."""
    name = f"collector_try_{uuid.uuid4().hex[:12]}"
    _run("createdb", engine, "--template=template0", "--encoding=UTF8", name)
    tried = open_engine(engine.url.set(database=name).render_as_string(hide_password=False))
    try:
        _run("pg_restore", tried, "--exit-on-error", *NO_OWNER, str(copy))
        yield tried
    finally:
        tried.dispose()
        _run("dropdb", engine, name)


def _run(tool: str, engine: Engine, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the database of `engine`; the password goes by the environment."""
    program = shutil.which(tool)
    if program is None:
        raise ProblemError(TOOL_MISSING, tool=tool)
    done = subprocess.run(  # noqa: S603
        [program, *_target(tool, engine), *arguments],
        env=os.environ | _connection(engine),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [str(done.returncode)])[-1]
        raise ProblemError(TOOL_FAILED, tool=tool, reason=reason)


def _target(tool: str, engine: Engine) -> list[str]:
    """Return the database to act on; createdb and dropdb connect elsewhere and name theirs themselves."""
    database = engine.url.database or ""
    return [] if tool in ("createdb", "dropdb") else [f"--dbname={database}"]


def _connection(engine: Engine) -> dict[str, str]:
    url = engine.url
    options = {key: value for key, value in url.query.items() if isinstance(value, str)}
    given = {
        "PGHOST": url.host or options.get("host", ""),
        "PGPORT": str(url.port or options.get("port", "")),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGSSLMODE": options.get("sslmode", ""),
        "PGSSLROOTCERT": options.get("sslrootcert", ""),
    }
    return {key: value for key, value in given.items() if value}
