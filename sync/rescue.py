"""Answers that a phone saved into a file because it could not send them, taken in on any node (docs/bundles.md).

    RECORD                                                      a record a line, as the phone would have posted it
    {"blob":"<sha256>","at":0,"content":"<base64>"}             a piece of a file, after the records that name it

What is whole is taken even when the rest of the file is damaged: this is often the last copy.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from sqlalchemy import Engine

from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.queries.blobs import is_sha256
from sync.batches import is_number, read_body_line
from sync.blobs import catch_up
from sync.bundle_import import add_piece
from sync.limits import MAX_OUTBOX_RECORDS
from sync.receive import Check, no_check, receive_outbox

MAX_LINE_BYTES = 1536 * 1024  # a piece of a file as base64, or a record
FIRST = b'{"blob":'  # no canonical record begins so: "answers", "about" and "by" stand before it


@dataclass
class Rescued:
    """What became of a phone's file. files: how many are whole here; damaged: numbers of lines that could not be read.

    unnamed: how many files were left out, because no record here names them.
    """

    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    files: int = 0
    unnamed: int = 0
    damaged: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """A piece of a file, as it stands in a line."""

    sha256: str
    at: int
    content: bytes


def import_outbox(engine: Engine, file: IO[bytes], now_ms: int, check: Check = no_check) -> Rescued:
    """Take in what a phone saved. Raises bundle_unknown when not one line of the file is ours."""
    rescue = _Rescue(engine, now_ms, check)
    file.seek(0)
    for at, line in _lines(file):
        rescue.take(at, line)
    return rescue.finish()


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give (number, line). Of one that is too long only its beginning, which cannot be read then: memory is bounded."""
    at = 0
    while line := file.readline(MAX_LINE_BYTES):
        at += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
        if line.strip():
            yield at, line.removesuffix(b"\n").removesuffix(b"\r")


class _Rescue:
    """One file on its way in: records wait for others, so that fifty cost one transaction."""

    def __init__(self, engine: Engine, now_ms: int, check: Check) -> None:
        self.engine, self.now_ms, self.check = engine, now_ms, check
        self.result = Rescued()
        self.waiting: list[bytes] = []
        self.hashes: set[str] = set()
        self.unnamed: set[str] = set()

    def take(self, at: int, line: bytes) -> None:
        """Take a line, or note that it is damaged."""
        if line.startswith(FIRST):
            piece = read_piece(line)
            self._take_piece(piece) if piece else self.result.damaged.append(at)
        elif _is_record(line, at):
            self.waiting.append(line)
            if len(self.waiting) == MAX_OUTBOX_RECORDS:
                self._keep_records()
        else:
            self.result.damaged.append(at)

    def _keep_records(self) -> None:
        if not self.waiting:
            return
        received = receive_outbox(self.engine, b"\n".join(self.waiting), False, self.now_ms, self.check)
        outcomes = list(received.answer["results"].values())
        self.result.stored += outcomes.count("stored")
        self.result.duplicate += outcomes.count("duplicate")
        self.result.quarantined += outcomes.count("quarantined")
        self.waiting = []

    def _take_piece(self, piece: Piece) -> None:
        if self.waiting or piece.sha256 not in self.hashes:
            self._keep_records()
            catch_up(self.engine)
        self.hashes.add(piece.sha256)
        if not add_piece(self.engine, piece.sha256, piece.at, piece.content):
            self.unnamed.add(piece.sha256)

    def finish(self) -> Rescued:
        """Keep what still waits, and say what became of all."""
        self._keep_records()
        result = self.result
        if result.damaged and not (result.stored or result.duplicate or result.quarantined or self.hashes):
            raise ProblemError(PROBLEMS["bundle_unknown"])
        result.unnamed = len(self.unnamed)
        with reading(self.engine) as session:
            held = blobs.held(session, sorted(self.hashes))
        result.files = sum(found.is_whole for found in held.values())
        return result


def _is_record(line: bytes, at: int) -> bool:
    """Tell what a phone may have written: its own records have an id and a kind, any other JSON does not."""
    try:
        content = read_body_line(line, at).content
    except ProblemError:
        return False
    return isinstance(content.get("id"), str) and isinstance(content.get("kind"), str)


def read_piece(line: bytes) -> Piece | None:
    """Read the line of a file's piece; None when it is not whole."""
    try:
        found: Any = json.loads(line)
        sha256, at, content = found["blob"], found["at"], base64.b64decode(found["content"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
    return Piece(sha256, at, content) if is_sha256(sha256) and is_number(at) and content else None
