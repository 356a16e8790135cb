"""May this device be wiped? Asked of central itself, now, entry by entry and file by file; nothing is deleted here.

    proven       central holds every entry and file that is here, by id and hash
    not proven   it lacks some, each listed with the reason as this store sees it; or something new came meanwhile
    cannot ask   a ProblemError: what this store remembers of receipts is no proof

What stands in browsers (drafts, outboxes of phones) is not in this store and is not asked for.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes
from collector.queries.blobs import index_records
from collector.queries.waiting import EntryHere, FileHere, entries_of, files_of, list_incomplete, moment
from sync.client import UpstreamClient
from sync.proof import Proof, ask_upstream, prove

MOST_LISTED = 50
PAGE = 500
# why central does not have it, as this store sees it
NOT_SENT, SENT, LOST, APART = "not_sent", "sent", "lost", "apart"
INCOMPLETE, UNNAMED, FILE_MISSING = "incomplete", "unnamed", "file_missing"


@dataclass(frozen=True)
class Lacking:
    """An entry that central lacks. why: not_sent, sent (no receipt), lost (it had a receipt), apart (quarantine)."""

    entry: EntryHere
    why: str


@dataclass(frozen=True)
class LackingFile:
    """A file that central lacks. why: file_missing, incomplete (not whole here), unnamed (no answer names it yet)."""

    file: FileHere
    why: str


@dataclass
class WipeReport:
    """What came of the question. entries, files: how many were asked for; reasons: why -> how many are lacking.

    listed, listed_files: the first of them; is_moving: something arrived while central was asked.
    """

    upstream: str
    entries: int = 0
    files: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    listed: list[Lacking] = field(default_factory=list)
    listed_files: list[LackingFile] = field(default_factory=list)
    is_moving: bool = False

    @property
    def is_proven(self) -> bool:
        """Tell whether nothing would be lost with this store."""
        return not self.reasons and not self.is_moving

    @property
    def more(self) -> int:
        """Return how many lacking ones are not listed."""
        return self.reasons.total() - len(self.listed) - len(self.listed_files)

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs; the keys are stable."""
        return {
            "safe": self.is_proven,
            "upstream": self.upstream,
            "asked": {"entries": self.entries, "files": self.files},
            "reasons": dict(self.reasons),
            "entries": [
                {"id": it.entry.id, "sha256": it.entry.sha256, "form": it.entry.form, "why": it.why,
                 "received": iso(it.entry.received_ms)}
                for it in self.listed
            ],
            "files": [
                {"sha256": it.file.sha256, "name": it.file.name, "record": it.file.record_id, "why": it.why,
                 "have": it.file.have, "bytes": it.file.bytes}
                for it in self.listed_files
            ],
            "not_listed": self.more,
            "moving": self.is_moving,
        }  # fmt: skip


def check_wipe(engine: Engine, http: httpx.Client) -> WipeReport:
    """Ask central for all that is here and return what it lacks.

    Raises ProblemError: wipe_alone where this node is central itself, upstream_… when central cannot be asked now.
    """
    _index(engine)
    with reading(engine) as session:
        upstream, before = nodes.get_upstream(session), moment(session)
    if upstream is None:
        raise ProblemError(PROBLEMS["wipe_alone"])
    client = UpstreamClient(http, upstream.url, upstream.token)
    # also when nothing is here: who says that central confirmed something has asked it
    ask_upstream(client, [], [])
    report = WipeReport(upstream.url)
    _add_proof(engine, prove(engine, http), report)
    _add_incomplete(engine, client, report)
    with reading(engine) as session:
        report.is_moving = moment(session) != before
    return report


def _index(engine: Engine) -> None:
    """Note which files the log names, all of it."""
    has_more = True
    while has_more:
        with writing(engine) as session:
            has_more = index_records(session)


def _add_proof(engine: Engine, proof: Proof, report: WipeReport) -> None:
    report.entries, report.files = proof.entries, proof.files
    with reading(engine) as session:
        for entry in entries_of(session, proof.missing):
            _list(report, Lacking(entry, _why(entry)))
        for start in range(0, len(proof.files_missing), PAGE):
            for file in files_of(session, proof.files_missing[start : start + PAGE]):
                _list_file(report, LackingFile(file, FILE_MISSING if file.record_id else UNNAMED))


def _why(entry: EntryHere) -> str:
    if entry.has_receipt:
        return LOST
    if not entry.is_sent:
        return NOT_SENT
    return APART if entry.is_apart else SENT


def _add_incomplete(engine: Engine, client: UpstreamClient, report: WipeReport) -> None:
    """Add files that answers name, that are not whole here, and that central does not have either.

    A phone may still hold them; here a part of them may stand.
    """
    for page in _incomplete_pages(engine):
        _, missing = ask_upstream(client, [], page)
        report.files += len(page)
        with reading(engine) as session:
            for file in files_of(session, missing):
                _list_file(report, LackingFile(file, INCOMPLETE))


def _incomplete_pages(engine: Engine) -> Iterator[list[str]]:
    after = ""
    while True:
        with reading(engine) as session:
            page = list_incomplete(session, after, PAGE)
        if not page:
            return
        yield page
        after = page[-1]


def _list(report: WipeReport, lacking: Lacking) -> None:
    report.reasons[lacking.why] += 1
    if len(report.listed) < MOST_LISTED:
        report.listed.append(lacking)


def _list_file(report: WipeReport, lacking: LackingFile) -> None:
    report.reasons[lacking.why] += 1
    if len(report.listed_files) < MOST_LISTED:
        report.listed_files.append(lacking)
