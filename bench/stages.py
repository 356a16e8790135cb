"""Where the CPU time of a batch goes, stage by stage, in this process: what to look at when ingest is slow."""

import secrets
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median
from time import process_time
from typing import TypeVar

from sqlalchemy import Engine

from bench.ingest import BATCH, Source
from bench.node import Peer
from collector.clock import now_ms
from collector.db import writing
from collector.form_store import FormStore
from collector.queries import nodes
from collector.submissions import flags_of
from sync.batches import inflate, read_batch
from sync.receive import receive_batch

BATCHES = 12
Work = TypeVar("Work")
HEAD = "| stage of a batch of 100, without HTTP | CPU | share |\n|---|---:|---:|"


def stage_table(engine: Engine, forms: FormStore, source: Source) -> str:
    """Return a Markdown table of the stages; the store takes the batches."""
    peer = Peer(secrets.token_hex(16), "", secrets.token_hex(8))
    bodies = source.bodies(BATCHES * BATCH, seed=70)
    packed = [peer.batch(islice(bodies, BATCH)) for _ in range(BATCHES)]
    with writing(engine) as session:
        nodes.enrol_node(session, nodes.make_enrol_code(session, now_ms()), "bench", peer.node_id, now_ms())
    found = _stages(engine, forms, peer.node_id, packed)
    whole = found["whole"]
    return "\n".join([HEAD, *(f"| {name} | {spent:.1f} ms | {spent / whole:.0%} |" for name, spent in found.items())])


def _stages(engine: Engine, forms: FormStore, sender: str, packed: Sequence[bytes]) -> dict[str, float]:
    """Return stage -> CPU ms of a batch; the batches are new to the store."""
    plain = [inflate(body) for body in packed]
    contents = [[line.record.content for line in read_batch(body).lines] for body in plain]
    found = {
        "unzip": _milliseconds(packed, inflate),
        "read the lines, check that records are canonical": _milliseconds(plain, read_batch),
        "check answers against their form": _milliseconds(
            contents, lambda some: [flags_of(forms, one) for one in some]
        ),
    }

    def receive(body: bytes) -> object:
        return receive_batch(engine, sender, body, True, now_ms(), lambda content: flags_of(forms, content))

    whole = _milliseconds(packed, receive)
    found["hops, the transaction and its commit (the rest)"] = whole - sum(found.values())
    return {**found, "whole": whole}


def _milliseconds(several: Sequence[Work], act: Callable[[Work], object]) -> float:
    """Return the median CPU time of `act`; the first one warms up."""
    spent = []
    for one in several:
        before = process_time()
        act(one)
        spent.append((process_time() - before) * 1000)
    return median(spent[1:])
