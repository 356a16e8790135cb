"""What it costs a node to keep records: batches of other nodes, outboxes of phones, against the bare endpoints."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.drive import LANES, Lane, Load, compare, request, times
from bench.node import Node, Peer, enrol
from bench.report import Bar, Row, per_request
from bench.samples import Generator, compact, records_of, starter_records
from bench.servers import Server
from collector.forms.model import Form

ROUNDS = 6  # the first warms up
BATCH_ROUNDS = 12  # the median of so many is steady enough to be held against a bar
BATCH = 100
BATCHES = 2  # a lane and round
OF_FLOOR = Bar(least=0.4)
OF_SQLMODEL = Bar(least=1.5, unit="x")
NDJSON = {"Content_Type": "application/x-ndjson", "Content_Encoding": "gzip"}
# records a request -> requests a lane and round; an address may send 600 records a minute
OUTBOXES = {1: 12, 20: 3}

MakeLane = Callable[[int], Lane]


@dataclass(frozen=True)
class Source:
    """Where records come from. Without the shared generator they are of the starter form, and raw ones are missing."""

    generator: Generator | None
    forms: Mapping[str, Form]

    def bodies(self, count: int, seed: int) -> Iterator[bytes]:
        """Give `count` records of ours, in canonical bytes."""
        if self.generator is None:
            return starter_records(self.forms["confianza"], range(seed * count, (seed + 1) * count))
        return records_of(self.generator.raw(count, seed), self.forms)


def ingest_rows(node: Node, floor: Server | None, source: Source, run: int = 0) -> list[Row]:
    """Measure batches of 100, full semantics. run: another number for each run on the same servers.

    Records must be new to the servers: what is held already costs less, and `/store_sqlmodel` fails at it.
    """
    seed = 1 + 1000 * run
    bodies = source.bodies(LANES * BATCH_ROUNDS * BATCHES * BATCH, seed)
    peers = [enrol(node, Ed25519PrivateKey.generate()) for _ in range(LANES)]
    loads = {"node": Load(node.server, _rounds(lambda lane: _batches(peers[lane], bodies), BATCH_ROUNDS))}
    if floor is not None and source.generator is not None:
        raw = iter(source.generator.raw(LANES * BATCH_ROUNDS * BATCHES * BATCH, seed))
        again = iter(source.generator.raw(LANES * BATCH_ROUNDS * BATCHES * BATCH, seed + 1))
        bare = _rounds(lambda _: Lane([_bare(raw, BATCH) for _ in range(BATCHES)]), BATCH_ROUNDS)
        by_model = _rounds(lambda _: Lane([_sqlmodel(again) for _ in range(BATCHES)]), BATCH_ROUNDS)
        loads |= {"bare": Load(floor, bare), "sqlmodel": Load(floor, by_model)}
    found = compare(loads)
    name = f"keep a batch of {BATCH}, against "
    rate = f"keep a batch of {BATCH}: records a core-second (noisy)"
    rows = [Row(rate, f"{BATCH * 1000 / median(found['node']):,.0f}")]
    if "bare" in found:
        rows.append(_share(name + "`/store_sqlite_full`", found["node"], found["bare"], OF_FLOOR))
        rows.append(_share(name + "`/store_sqlmodel`", found["node"], found["sqlmodel"], OF_SQLMODEL))
    return rows


def outbox_rows(node: Node, floor: Server | None, source: Source) -> list[Row]:
    """Measure what phones send: one record, and twenty gathered without a signal."""
    return [_outbox_row(node, floor, source, records, count) for records, count in OUTBOXES.items()]


def _outbox_row(node: Node, floor: Server | None, source: Source, records: int, count: int) -> Row:
    total = LANES * ROUNDS * count * records
    bodies = source.bodies(total, seed=10 + records)
    loads = {"node": Load(node.server, _rounds(lambda lane: _outboxes(bodies, records, count, lane)))}
    if floor is not None and source.generator is not None:
        raw = iter(source.generator.raw(total, 30 + records))
        loads["bare"] = Load(floor, _rounds(lambda _: Lane([_bare(raw, records) for _ in range(count)])))
    found = compare(loads)
    name = f"keep a phone's outbox of {records}"
    if "bare" not in found:
        return Row(name, per_request(median(found["node"])))
    return _share(f"{name}, against `/store_sqlite_full`", found["node"], found["bare"], None)


def _rounds(make: MakeLane, rounds: int = ROUNDS) -> list[list[Lane]]:
    return [[make(lane) for lane in range(LANES)] for _ in range(rounds)]


def _batches(peer: Peer, bodies: Iterator[bytes]) -> Lane:
    token = f"Bearer {peer.token}"
    return Lane([_batch(peer, token, islice(bodies, BATCH)) for _ in range(BATCHES)])


def _batch(peer: Peer, token: str, bodies: Iterator[bytes]) -> bytes:
    body, signature = peer.signed_batch(bodies)
    fields = {"Authorization": token, "Collector_Signature": signature, **NDJSON}
    return request("POST", "/sync/v1/batches", body, **fields)


def _outboxes(bodies: Iterator[bytes], records: int, count: int, lane: int) -> Lane:
    sent = [gzip.compress(b"".join(body + b"\n" for body in islice(bodies, records)), 6) for _ in range(count)]
    # each lane has its own address, as phones have: Linux takes all of 127.0.0.0/8 for this machine
    address = f"127.0.{records}.{lane + 1}"
    return Lane([request("POST", "/sync/v1/outbox", body, **NDJSON) for body in sent], address)


def _bare(raw: Iterator[dict[str, Any]], records: int) -> bytes:
    body = b"".join(compact(record) + b"\n" for record in islice(raw, records))
    return request("POST", "/store_sqlite_full", gzip.compress(body, 6), Content_Encoding="gzip")


def _sqlmodel(raw: Iterator[dict[str, Any]]) -> bytes:
    body = compact({"v": 1, "records": list(islice(raw, BATCH))})
    return request("POST", "/store_sqlmodel", body, Content_Type="application/json")


def _share(name: str, node: list[float], floor: list[float], bar: Bar | None) -> Row:
    """Return a row whose ratio is the share of the floor's speed that the node reaches."""
    ratio = times(floor, node)
    return Row(name, per_request(median(node)), ratio, bar, per_request(median(floor)), f"{ratio:.2f}")
