"""Files of answers on their way up: after the records that name them, piece by piece, from where the upstream stands.

    whole here, not known there   ask how much it has, send the rest
    sent, upstream is a hub       ask again when its hello says that central got some
    said to be there              asked once in the life of this process, in case the upstream was put back

One call spends some seconds on files and no more, so that a line that carries a kilobyte a second still brings hello,
forms and receipts in between; new records go before the next piece.
"""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from collector.db import reading, writing
from collector.queries import blobs
from collector.queries.blobs import Held
from sync import limits
from sync.batches import is_number
from sync.client import Refusal, UpstreamSlow
from sync.run import Run
from sync.upload import QUICK_SECONDS, has_entries, send_log

FILES_SECONDS = 20.0
ASKED_AT_ONCE = 50
MOST_REPEATS = 8  # of one piece: more than the halvings from the largest to the smallest


def send_blobs(run: Run) -> None:
    """Send files until all are there or the time is up; then `result.has_more`."""
    if not run.state.blobs.most:
        return
    catch_up(run.engine)
    _check_sent(run)
    until = time.monotonic() + FILES_SECONDS
    unknown: list[str] = []  # of which the upstream has no record, or none yet
    while not run.stopped():
        waiting = _next_files(run, unknown)
        if not waiting:
            return
        told = _ask(run, list(waiting))
        unknown += [sha256 for sha256 in waiting if sha256 not in told]
        for sha256, found in told.items():
            if not _send_file(run, found, waiting[sha256], until) or time.monotonic() > until:
                run.result.has_more = True
                return


def catch_up(engine: Engine) -> None:
    """Note the files that new records name, unless that is done; in a transaction for each page of the log."""
    with reading(engine) as session:
        more = not blobs.is_indexed(session)
    while more:
        with writing(engine) as session:
            more = blobs.index_records(session)


def _next_files(run: Run, unknown: Sequence[str]) -> dict[str, int]:
    leave_out = [*unknown, *run.state.blobs.refused]
    with reading(run.engine) as session:
        return {row.sha256: row.bytes for row in blobs.list_unsent(session, ASKED_AT_ONCE, leave_out)}


def _check_sent(run: Run) -> None:
    """Ask again about files the upstream said it has: all of them once, then those whose way to central is open."""
    state = run.state.blobs
    if state.has_checked and not state.has_news:
        return
    last = ""
    while True:
        with reading(run.engine) as session:
            page = blobs.list_sent(session, last, limits.MAX_ASKED_IDS, without_central=state.has_checked)
        if not page:
            break
        _ask(run, page)
        last = page[-1]
    state.has_checked, state.has_news = True, False


def _ask(run: Run, hashes: list[str]) -> dict[str, Held]:
    """Ask how much the upstream has of these files, and note what is whole there."""
    content = run.client.ask_blobs(hashes).content
    entries = content.get("blobs") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise run.client.strange("the answer about files names none")
    told = {sha256: _read(run, sha256, entries[sha256]) for sha256 in hashes if sha256 in entries}
    with writing(run.engine) as session:
        blobs.note_upstream(session, hashes, told)
    return told


def _read(run: Run, sha256: str, entry: Any) -> Held:
    found = entry if isinstance(entry, dict) else {}
    have, whole = found.get("have"), found.get("bytes")
    if not is_number(have) or not is_number(whole) or have > whole:
        raise run.client.strange("the answer about a file has no sizes")
    return Held(sha256, whole, have, found.get("central") is True)


def _send_file(run: Run, found: Held, whole_bytes: int, until: float) -> bool:
    """Send what is missing of one file; False when the time was up first."""
    repeats = 0
    while not found.is_whole:
        if run.stopped():
            return False
        if has_entries(run.engine, run.known().cursor):
            send_log(run)  # text first
        moved = _send_piece(run, found, whole_bytes)
        if moved is None:
            return True
        repeats = 0 if moved.have > found.have else repeats + 1
        if repeats > MOST_REPEATS:
            raise run.client.strange("the upstream does not get on with a file")
        found = moved
        if time.monotonic() > until and not found.is_whole:
            return False  # here, not above: on the slowest line each call still moves a piece
    run.state.blobs.central += found.central
    with writing(run.engine) as session:
        blobs.note_upstream(session, [found.sha256], {found.sha256: found})
    run.result.files += 1
    return True


def _send_piece(run: Run, found: Held, whole_bytes: int) -> Held | None:
    """Send one piece and return how much is there now; None when the upstream will not take this file."""
    state = run.state.blobs
    size = max(limits.MIN_BLOB_CHUNK_BYTES, min(state.piece, state.most))
    with reading(run.engine) as session:
        content = blobs.read_part(session, found.sha256, found.have, size)
    started = time.monotonic()
    try:
        answer = run.client.patch_blob(found.sha256, found.have, whole_bytes, content)
    except UpstreamSlow:
        if size <= limits.MIN_BLOB_CHUNK_BYTES:
            raise
        state.piece = size // 2
        return found
    except Refusal as refusal:
        return _after_refusal(run, found, refusal)
    if time.monotonic() - started < QUICK_SECONDS:
        state.piece = min(size * 2, limits.MAX_BLOB_CHUNK_BYTES)
    echo = answer.content.get("sha256") if isinstance(answer.content, dict) else None
    if echo != found.sha256:
        raise run.client.strange("the answer does not echo the file")
    return _read(run, found.sha256, answer.content)


def _after_refusal(run: Run, found: Held, refusal: Refusal) -> Held | None:
    """Go on from where the upstream stands, repeat a damaged piece, or leave out a file it cannot take.

    A file that arrived whole and wrong begins again: another sender may have mixed in; `_send_file` counts.
    """
    have = refusal.answer.get("have")
    if refusal.remote == "blob_offset" and is_number(have) and have <= found.bytes:
        return Held(found.sha256, found.bytes, have, False)
    if refusal.remote == "chunk_digest":
        return found
    if refusal.remote == "blob_digest":
        return Held(found.sha256, found.bytes, 0, False)
    if refusal.remote in ("blob_unknown", "bad_request", "too_large"):
        run.state.blobs.refused.add(found.sha256)
        return None
    raise refusal
