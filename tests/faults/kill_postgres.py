"""kill -9 of the PostgreSQL under a central node, again and again, while tablets send: what it confirmed must be there.

The node itself goes on: while its database is away tablets are told to wait, and when it is back nobody restarts
anything. One server, not a cluster with a second one that takes over: what is asked is the node's part of that.

Usage: python -m tests.faults.kill_postgres [--cycles 30]
"""

import argparse
import tempfile
import time
from pathlib import Path

import psycopg

from collector.clock import now_ms
from collector.db import writing
from collector.queries import nodes
from collector.settings import Settings
from tests.conftest import serve
from tests.faults.kill import CHANCE, Pusher, Survived, TabletPusher, send_the_rest
from tests.store.postgres_server import PostgresServer

DURABLE = ("shared_buffers=32MB", "max_connections=50", "listen_addresses=", "fsync=on")
LONGEST_LIFE_SECONDS = 1.5


def run(cycles: int) -> Survived:
    """Kill the database so often. AssertionError: something was lost, came twice, or the node did not come back."""
    server = PostgresServer(DURABLE)
    try:
        with tempfile.TemporaryDirectory() as name:
            return _run(server, Path(name), cycles)
    finally:
        server.stop()


def _run(server: PostgresServer, folder: Path, cycles: int) -> Survived:
    started, url = time.monotonic(), server.make_database()
    central = serve(Settings(data_dir=folder / "central", database_url=url))
    pushers: list[Pusher] = []
    try:
        for name in ("una", "otra"):
            with writing(central.app.state.engine) as session:
                code = nodes.make_enrol_code(session, now_ms())
            pushers.append(TabletPusher(folder / name, central.url, code))
        for pusher in pushers:
            pusher.start()
        for _ in range(cycles):
            time.sleep(CHANCE.uniform(0, LONGEST_LIFE_SECONDS))
            server.crash()
            confirmed = {record_id for pusher in pushers for record_id in pusher.confirmed()}
            server.restart()
            assert confirmed <= set(_ids(url)), "confirmed and not there"
        confirmed_then = sum(len(pusher.confirmed()) for pusher in pushers)
        made = send_the_rest(pushers)
        found = _ids(url)
        assert set(found) == made and len(found) == len(made), "lost, or there twice"
        broken = sum(pusher.broken for pusher in pushers)
        assert all(pusher.answered for pusher in pushers)
        return Survived(cycles, len(made), confirmed_then, broken, time.monotonic() - started)
    finally:
        for pusher in pushers:
            pusher.stop()
            pusher.close()
        central.stop()


def _ids(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM record")]


def main() -> None:
    """Kill as often as asked and say what was found."""
    parser = argparse.ArgumentParser(description="Kill the PostgreSQL under a node while tablets send to it.")
    parser.add_argument("--cycles", type=int, default=30)
    print(run(parser.parse_args().cycles))


if __name__ == "__main__":
    main()
