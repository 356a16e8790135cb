"""What the store itself costs: with a million records in it, and on PostgreSQL beside bare inserts by its driver."""

import gzip
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import orjson
import psycopg
from sqlalchemy import Engine, text

from bench.ingest import BATCH, Source
from bench.node import Peer
from bench.report import Bar, Row
from collector.clock import now_ms
from collector.db import open_engine, prepare_store, writing
from collector.queries import nodes, store
from collector.queries.records import Arrival, ingest
from sync.receive import receive_batch
from sync.records import uuid7
from tests.store.postgres_server import PostgresServer

FEW, MANY = 10_000, 1_000_000
ROUNDS = 40  # the first ones warm up
WARM = 5
PAGE = 20_000
KEPT = Bar(least=0.8)
OF_DRIVER = Bar(least=0.4)
DURABLE = ("shared_buffers=128MB", "max_connections=50", "listen_addresses=")
BARE_TABLE = "CREATE TABLE bare (id uuid PRIMARY KEY, sha256 bytea NOT NULL, form text NOT NULL, body text NOT NULL)"
BARE_INSERT = "INSERT INTO bare VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"


def growth_row(folder: Path, source: Source, many: int = MANY) -> Row:
    """Compare batches into a store of ten thousand records with batches into one of a million."""
    stores = [_store(f"sqlite:///{folder / f'{count}.db'}", count) for count in (FEW, many)]
    works = [_receiver(engine, source.bodies(ROUNDS * BATCH, seed=90)) for engine in stores]
    few, filled = _alternate(works, process_time)
    for engine in stores:
        engine.dispose()
    name = f"keep a batch of {BATCH}: rate at {many:,} records of that at {FEW:,}"
    return Row(name, f"{filled:.2f} ms", few / filled, KEPT, f"{few:.2f} ms", f"{few / filled:.2f}")


def postgres_row(source: Source) -> Row:
    """Compare whole batches on PostgreSQL with the driver's own inserts of the same records, both to the disk."""
    server = PostgresServer(DURABLE)
    try:
        url = server.make_database()
        engine = _store(url, 0)
        with psycopg.connect(url) as connection:
            connection.execute(BARE_TABLE)
            connection.commit()
            bare = _driver(connection, source.bodies(ROUNDS * BATCH, seed=91))
            node, floor = _alternate([_receiver(engine, source.bodies(ROUNDS * BATCH, seed=92)), bare], perf_counter)
        engine.dispose()
    finally:
        server.stop()
    name = f"keep a batch of {BATCH} on PostgreSQL, against executemany (wall)"
    return Row(name, f"{node:.2f} ms", floor / node, OF_DRIVER, f"{floor:.2f} ms", f"{floor / node:.2f}")


def _alternate(works: Sequence[Callable[[], object]], clock: Callable[[], float]) -> list[float]:
    """Return the median of each work in ms, taken in turns so that the machine's moods meet all alike."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, spent, strict=True):
            before = clock()
            work()
            times.append((clock() - before) * 1000)
    return [median(times[WARM:]) for times in spent]


def _store(url: str, count: int) -> Engine:
    """Return a store that holds so many records already."""
    engine = open_engine(url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "central")
    for first in range(0, count, PAGE):
        with writing(engine) as session:
            for at in range(first, min(count, first + PAGE), 500):
                ingest(session, [_filler(n) for n in range(at, at + 500)], now_ms())
    if count:
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return engine


def _filler(number: int) -> Arrival:
    """Return a short record: what the indexes hold counts here, not the bodies."""
    record_id = uuid7(1_700_000_000_000 + number * 1000)
    body = json.dumps({"id": record_id, "kind": "submission", "answers": {"n": str(number)}})
    sha256 = hashlib.sha256(body.encode()).digest()
    return Arrival(record_id, sha256, body, "submission", f"form{number % 7}", "1", origin="x", origin_epoch="y")


def _receiver(engine: Engine, bodies: Iterator[bytes]) -> Callable[[], object]:
    """Return what takes in the next batch of a sender, as from the wire."""
    peer = Peer(secrets.token_hex(16), "", secrets.token_hex(8))
    with writing(engine) as session:
        nodes.enrol_node(session, nodes.make_enrol_code(session, now_ms()), "bench", peer.node_id, now_ms())
    batches = iter([peer.batch(islice(bodies, BATCH)) for _ in range(ROUNDS)])
    return lambda: receive_batch(engine, peer.node_id, next(batches), True, now_ms())


def _driver(connection: psycopg.Connection, bodies: Iterator[bytes]) -> Callable[[], object]:
    """Return what inserts the next batch by the driver alone: unzipped, each line parsed and hashed, stored."""
    peer = Peer(secrets.token_hex(16), "", secrets.token_hex(8))
    batches = iter([peer.batch(islice(bodies, BATCH)) for _ in range(ROUNDS)])

    def insert() -> None:
        rows = []
        for line in gzip.decompress(next(batches)).splitlines()[1:]:
            record = orjson.loads(line)["rec"]
            rows.append((record["id"], hashlib.sha256(line).digest(), record["form"], line.decode()))
        with connection.cursor() as cursor:
            cursor.executemany(BARE_INSERT, rows)
        connection.commit()

    return insert
