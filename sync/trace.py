"""Where is my answer? The nodes that held a record, one after the other, as far as they can be asked.

What this node knows stands beside the record: the hops before it. What happened after it the upstream says, when it
can be asked now; else the cursor and the receipts tell that it went on, without the times.
"""

import json
from collections.abc import Sequence
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import iso
from collector.db import reading
from collector.problems import ProblemError
from collector.queries import nodes, receipts, store
from collector.queries.records import receipts_of
from sync.batches import is_name
from sync.client import UpstreamClient
from sync.line import open_line

LONGEST_MS = 3_000
STEP_MS = 400  # of its time a node keeps this for its own answer
Trace = dict[str, Any]


def trace(engine: Engine, ids: Sequence[str], wait_ms: int = LONGEST_MS) -> dict[str, Trace]:
    """Return id -> {hops, central, asked} for those of `ids` that are known here or above.

    hops: [{node, name, received}] in order of time, "" where it is not known; central: since when central has it, "";
    asked: the upstream itself has answered. wait_ms: how long it may take to ask upwards.
    """
    wait_ms = min(wait_ms, LONGEST_MS)
    with reading(engine) as session:
        found = _known_here(session, ids)
        upstream = nodes.get_upstream(session)
    if upstream is None or wait_ms <= STEP_MS:
        return found
    above = _ask(upstream.url, upstream.token, ids, wait_ms)
    if above is None:
        return found
    with reading(engine) as session:
        me = store.fact(session, "node_id")
    merged = {record_id: _merge(found.get(record_id), above.get(record_id), me) for record_id in ids}
    return {record_id: one for record_id, one in merged.items() if one is not None}


def _known_here(session: Session, ids: Sequence[str]) -> dict[str, Trace]:
    me, name = store.fact(session, "node_id"), store.fact(session, "name")
    names = {node.id: node.name for node in nodes.list_nodes(session)} | {me: name}
    upstream = nodes.get_upstream(session)
    receipt_times = receipts_of(session, ids)
    found: dict[str, Trace] = {}
    for record_id, here in receipts.paths_of(session, ids).items():
        hops = _hops(json.loads(here.via), me, here.received_ms, names)
        central_ms = receipt_times.get(record_id) if upstream else here.received_ms
        if upstream and (here.n <= upstream.cursor_n or central_ms is not None):
            hops.append({"node": upstream.node_id, "name": "", "received": ""})
        central = "" if central_ms is None else iso(central_ms)
        found[record_id] = {"hops": hops, "central": central, "asked": upstream is None}
    return found


def _hops(via: list[dict[str, Any]], me: str, received_ms: int, names: dict[str, str]) -> list[dict[str, str]]:
    """Turn "who sent it when" into "who got it when": a hop's time is when the next node received it."""
    holders = [*(hop["node"] for hop in via), me]
    times = ["", *(hop["received"] for hop in via)]
    times[-1] = iso(received_ms)
    return [
        {"node": node, "name": names.get(node, ""), "received": at} for node, at in zip(holders, times, strict=True)
    ]


def _ask(url: str, token: str, ids: Sequence[str], wait_ms: int) -> dict[str, Trace] | None:
    """Ask the upstream; None when it does not answer in time, or is of an earlier release."""
    left_ms = wait_ms - STEP_MS
    timeout = httpx.Timeout(left_ms / 1000)
    try:
        with open_line() as http:
            client = UpstreamClient(http, url, token, timeout)
            content = client.post("/trace", {"ids": list(ids), "wait_ms": left_ms}).content
    except ProblemError:
        return None
    traces = content.get("traces") if isinstance(content, dict) else None
    if not isinstance(traces, dict):
        return None
    return {record_id: traces[record_id] for record_id in ids if _is_trace(traces.get(record_id))}


def _is_trace(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("hops"), list):
        return False
    return all(_is_hop(hop) for hop in found["hops"]) and isinstance(found.get("central"), str)


def _is_hop(found: Any) -> bool:
    if not isinstance(found, dict) or not is_name(found.get("node")):
        return False
    return isinstance(found.get("name"), str) and isinstance(found.get("received"), str)


def _merge(here: Trace | None, above: Trace | None, me: str) -> Trace | None:
    """Put together what is known here and above: our hops up to us, theirs after us."""
    if above is None:
        return here and {**here, "asked": True}
    if here is None:
        return {**above, "asked": True}
    ours = here["hops"][: next(at for at, hop in enumerate(here["hops"], 1) if hop["node"] == me)]
    known = {hop["node"] for hop in ours}
    return {
        "hops": [*ours, *(hop for hop in above["hops"] if hop["node"] not in known)],
        "central": above["central"] or here["central"],
        "asked": True,
    }
