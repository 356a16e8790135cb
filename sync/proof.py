"""Proof that central holds everything: asked entry by entry, by id and hash, before a device is wiped.

Central answers from its own store. A hub asks its upstream, now: what it remembers is no proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Engine

from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, receipts
from sync.client import UpstreamClient
from sync.limits import MAX_PROVED
from sync.line import open_line

Entry = tuple[str, str]  # id, sha256 in hex


@dataclass
class Proof:
    """What central answered. missing: (id, sha256) of entries that it lacks; files_missing: hashes of files."""

    entries: int = 0
    files: int = 0
    missing: list[Entry] = field(default_factory=list)
    files_missing: list[str] = field(default_factory=list)


def prove(engine: Engine, http: httpx.Client) -> Proof:
    """Ask central for every entry and file whose content is here. Erased ones need none.

    Raises ProblemError: no_upstream at central itself, upstream_… when central cannot be asked now.
    """
    with reading(engine) as session:
        upstream = nodes.get_upstream(session)
    if upstream is None:
        raise ProblemError(PROBLEMS["no_upstream"])
    client = UpstreamClient(http, upstream.url, upstream.token)
    proof = Proof()
    _prove_entries(engine, client, proof)
    _prove_files(engine, client, proof)
    return proof


def _prove_entries(engine: Engine, client: UpstreamClient, proof: Proof) -> None:
    after = 0
    while True:
        with reading(engine) as session:
            page = receipts.contents_after(session, after, MAX_PROVED)
        if not page:
            return
        entries = [(record_id, sha256.hex()) for _, record_id, sha256 in page]
        missing, _ = ask_upstream(client, entries, [])
        proof.missing += missing
        proof.entries += len(page)
        after = page[-1][0]


def _prove_files(engine: Engine, client: UpstreamClient, proof: Proof) -> None:
    after = ""
    while True:
        with reading(engine) as session:
            page = receipts.list_whole_files(session, after, MAX_PROVED)
        if not page:
            return
        _, missing = ask_upstream(client, [], page)
        proof.files_missing += missing
        proof.files += len(page)
        after = page[-1]


def ask_upstream(
    client: UpstreamClient, entries: Sequence[Entry], files: Sequence[str]
) -> tuple[list[Entry], list[str]]:
    """Return what of this central lacks. Raises ProblemError when the answer is not central's."""
    content = client.post("/proof", {"entries": [list(entry) for entry in entries], "files": list(files)}).content
    found: dict[str, Any] = content if isinstance(content, dict) else {}
    missing, files_missing = found.get("missing"), found.get("files_missing")
    if found.get("central") is not True or not isinstance(missing, list) or not isinstance(files_missing, list):
        raise client.strange("the proof is not central's")
    lacking = {tuple(entry) for entry in missing if isinstance(entry, list)}
    gone = [entry for entry in entries if entry in lacking]
    gone_files = [sha256 for sha256 in files if sha256 in files_missing]
    if len(gone) != len(missing) or len(gone_files) != len(files_missing):
        raise client.strange("the proof speaks of what was not asked")
    return gone, gone_files


def answer_proof(engine: Engine, entries: Sequence[Entry], files: Sequence[str]) -> dict[str, Any]:
    """Return the answer to somebody who asks for a proof: central's own, or the one that the upstream gives now."""
    with reading(engine) as session:
        upstream = nodes.get_upstream(session)
        if upstream is None:
            held = receipts.held_hashes(session, [record_id for record_id, _ in entries])
            missing = [entry for entry in entries if bytes.fromhex(entry[1]) not in held.get(entry[0], ())]
            return _answer(missing, receipts.without_whole_file(session, files))
    with open_line() as http:
        return _answer(*ask_upstream(UpstreamClient(http, upstream.url, upstream.token), entries, files))


def _answer(missing: Sequence[Entry], files_missing: Sequence[str]) -> dict[str, Any]:
    return {"central": True, "missing": [list(entry) for entry in missing], "files_missing": list(files_missing)}
