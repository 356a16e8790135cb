"""The records that go into a file, read a page at a time: all up to one number of the log, whatever comes later."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading
from collector.forms.model import Form
from collector.lab.csv import CsvRecord
from collector.lab.identifiers import hidden_keys, without
from collector.lab.listed import with_place_columns
from collector.lab.odk_names import sanitized
from collector.lab.whole_record import files_of
from collector.queries import blobs
from collector.queries.exports import count_taken, taken_page
from collector.queries.records import last_number
from collector.territory import place_labels
from sync.blobs import catch_up

try:
    import orjson
except ImportError:  # without a wheel (Termux)
    orjson = None  # type: ignore[assignment]

PAGE_RECORDS = 500
MOST_HASHES = 500
PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class Source:
    """Where a file's records come from. before: the log number at which it ends; hidden: full names left out.

    veiled: for whoever may not see direct identifiers, the versions of the form; each record is then judged by itself,
    since it may hold answers that no version asks for. None where everything may be seen.
    """

    engine: Engine
    own_id: str
    form_id: str
    before: int
    review: str | None = None
    hidden: frozenset[str] = frozenset()
    veiled: Sequence[Form] | None = None

    def count(self) -> int:
        """Return how many records there are."""
        with reading(self.engine) as session:
            return count_taken(session, self.form_id, self.before, self.review)

    def records(self) -> Iterator[CsvRecord]:
        """Give them, newest first, each page in a short transaction of its own: a slow download holds nothing up."""
        catch_up(self.engine)  # a file that a browser without scripts posted: is it here whole?
        before = self.before
        while True:
            with reading(self.engine) as session:
                page = taken_page(session, self.form_id, before, PAGE_RECORDS, self.review)
            if not page:
                return
            contents = [_content(taken.body) for taken in page]
            held = whole_files(self.engine, contents)
            for taken, content in zip(page, contents, strict=True):
                files = files_of(content) if "blobs" in content else {}
                shown = self._shown(content)
                yield CsvRecord(
                    with_place_columns(shown, place_labels()) if "places" in shown else shown,
                    iso(taken.received_ms),
                    taken.origin or self.own_id,
                    taken.state,
                    taken.flags,
                    frozenset(name for name, sha256 in files.items() if sha256 in held) if files else frozenset(),
                    taken.review,
                )
            before = page[-1].n

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Give the name in an archive and the bytes of each file that is here: "archivos/RECORD/foto.jpg"."""
        for record in self.records():
            named = files_of(record.content)
            # not the XML of a submission from Collect
            here = {name for name in record.files_here & named.keys() if not name.startswith("odk:")}
            given = set[str]()
            for name in sorted(here):
                safe = sanitized(name) or "archivo"
                safe = f"{named[name]}-{safe}" if safe.lower() in given else safe
                given.add(safe.lower())
                yield f"archivos/{record.content['id']}/{safe}", file_pieces(self.engine, named[name])

    def lines(self) -> Iterator[str]:
        """Give each record as a line of JSON: what this node knows of it, and its bytes where nothing is hidden."""
        before = self.before
        while True:
            with reading(self.engine) as session:
                page = taken_page(session, self.form_id, before, PAGE_RECORDS, self.review)
            if not page:
                return
            for taken in page:
                about = {
                    "n": taken.n,
                    "received": iso(taken.received_ms),
                    "node": taken.origin or self.own_id,
                    "review": taken.review,
                }
                yield f'{json.dumps(about)[:-1]}, "record": {self._body(taken.body)}}}\n'
            before = page[-1].n

    def _shown(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return a record's content as the reader may see it: the same object where nothing is left out."""
        hidden = self.hidden if self.veiled is None else self.hidden | hidden_keys(content, self.veiled)
        return without(content, hidden) if hidden else content

    def _body(self, body: str) -> str:
        """Return the record's bytes; written anew where something is left out of them."""
        if not self.hidden and self.veiled is None:
            return body
        content = _content(body)
        shown = self._shown(content)
        if shown == content:
            return body
        return json.dumps(shown, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def file_pieces(engine: Engine, sha256: str) -> Iterator[bytes]:
    """Give a file a piece at a time, each in a short transaction of its own."""
    at = 0
    while True:
        with reading(engine) as session:
            piece = blobs.read_part(session, sha256, at, PIECE_BYTES)
        if not piece:
            return
        yield piece
        at += len(piece)


def source_of(
    engine: Engine,
    own_id: str,
    form_id: str,
    review: str | None = None,
    hidden: frozenset[str] = frozenset(),
    veiled: Sequence[Form] | None = None,
) -> Source:
    """Return the records of a form as they stand now."""
    with reading(engine) as session:
        return Source(engine, own_id, form_id, last_number(session) + 1, review, hidden, veiled)


def _content(body: str) -> dict[str, Any]:
    found = json.loads(body or "{}") if orjson is None else orjson.loads(body or "{}")
    return found if isinstance(found, dict) else {}


def whole_files(engine: Engine, contents: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the hashes of the files named by these records whose bytes are all here."""
    naming = [content for content in contents if "blobs" in content]
    hashes = sorted({sha256 for content in naming for sha256 in files_of(content).values()})
    found: set[str] = set()
    for start in range(0, len(hashes), MOST_HASHES):
        with reading(engine) as session:
            held = blobs.held(session, hashes[start : start + MOST_HASHES])
        found.update(sha256 for sha256, one in held.items() if one.is_whole)
    return found
