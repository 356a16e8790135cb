"""Submissions as the addresses of ODK show them: the store's records put together, one after another, in flat memory.

    page of the store -> Known: the row of a table (lab/odk_csv.py), the facts a filter asks for, the files it names

Whoever may not see direct identifiers gets every submission without them, before anything else looks at it.
"""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from collector.clock import iso
from collector.db import reading
from collector.form_store import FormStore
from collector.forms.model import Form
from collector.lab.identifiers import without_identifiers
from collector.lab.odk_csv import NOT_DECRYPTED, NOTHING_TO_DECRYPT, Sent
from collector.lab.odk_fields import Field, fields_of, names_of_files
from collector.lab.odk_filter import Facts, Filter
from collector.lab.odk_whole import answers_by_all
from collector.lab.reviewing import odk_state, state_said
from collector.lab.tables import answers_of
from collector.lab.whole_record import files_of
from collector.odk_receiving import XML_NAME
from collector.queries import blobs, odk
from collector.queries.odk import Seen
from collector.tables.log import Record
from sync.blobs import catch_up
from sync.records import MAX_RECORD_BYTES

PAGE = 500
MOST_HASHES = 500
MOST_XML_BYTES = 4 * MAX_RECORD_BYTES  # tags weigh more than what stands between them
HALF = timedelta(microseconds=500)
REMOVED, STATE = "odk_removed", "odk_state"  # keys of annotations: docs/odk.md


@dataclass(frozen=True)
class Known:
    """A submission. fields: of the version that its answers are in; facts: what a filter may ask.

    files: name -> sha256 of those that its answers name and that are here whole; expected: all that they name;
    content, first: what its last and its first version hold; updated_ms: when somebody last changed or reviewed it, 0
    for never; spoken: what the words of `seen` hold.
    """

    sent: Sent
    fields: Sequence[Field]
    facts: Facts
    files: Mapping[str, str]
    expected: Sequence[str]
    seen: Seen
    content: Mapping[str, Any]
    first: Mapping[str, Any]
    updated_ms: int
    spoken: Sequence[Mapping[str, Any]] = ()

    def words(self) -> list[tuple[Record, Mapping[str, Any]]]:
        """List what was said of it, oldest first: the annotation and what it holds."""
        return list(zip(self.seen.words, self.spoken, strict=True))

    @property
    def is_removed(self) -> bool:
        """Tell whether a client of ODK has removed it."""
        return self.facts["__system/deletedAt"] is not None


@dataclass(frozen=True)
class Shelf:
    """A form's submissions for one who asks. is_open: direct identifiers too; own_id: of this node."""

    engine: Engine
    forms: FormStore
    form_id: str
    is_open: bool
    own_id: str

    def versions(self) -> list[Form]:
        """Return every version of the form, oldest first."""
        rows = reversed(self.forms.versions(self.form_id))
        found = (self.forms.get(row.form_id, row.version) for row in rows)
        return [form for form in found if form is not None]

    def numbers(self) -> "array[int]":
        """Return the numbers of all submissions here, newest first: 8 bytes each."""
        with reading(self.engine) as session:
            return odk.numbers_of(session, self.form_id)

    def each(self, asked: Filter, numbers: Sequence[int] | None = None) -> Iterator[Known]:
        """Give what the filter takes, a page at a time, each in a short transaction of its own.

        numbers: of the submissions to look at, in the order asked for; all, the newest first, when not given.
        """
        catch_up(self.engine)
        reader = _Reader(self, self.versions())
        wanted = self.numbers() if numbers is None else numbers
        for start in range(0, len(wanted), PAGE):
            with reading(self.engine) as session:
                page = odk.page_of(session, wanted[start : start + PAGE])
            yield from (known for known in reader.read(page) if asked.takes(known.facts))

    def one(self, record_id: str) -> Known | None:
        """Return the submission with this record as one of its versions, removed or not; None when it is not here."""
        catch_up(self.engine)
        with reading(self.engine) as session:
            seen = odk.one_of(session, self.form_id, record_id)
        return next(iter(_Reader(self, self.versions()).read([seen])), None) if seen else None


class _Reader:
    """Puts together what a page of the store holds."""

    def __init__(self, shelf: Shelf, versions: Sequence[Form]) -> None:
        self._shelf, self._versions = shelf, versions
        self._newest = fields_of(versions[-1]) if versions else ()

    def read(self, page: Sequence[Seen]) -> Iterator[Known]:
        """Give the submissions of a page."""
        drafts = [self._draft(seen) for seen in page]
        whole = self._whole({sha256 for draft in drafts for sha256 in draft.named.values()})
        yield from (draft.known(whole) for draft in drafts)

    def _draft(self, seen: Seen) -> "_Draft":
        first = _content(seen.root)
        content = first if seen.head is seen.root else _content(seen.head)
        spoken = [_content(word) for word in seen.words]
        named = files_of(content)
        for word in spoken:
            named |= files_of(word)
        if not self._shelf.is_open:
            content = without_identifiers(content, self._versions)
        elif _said(content).get("more"):
            content = content | {"answers": self._whole_answers(content)}
        form = self._shelf.forms.get(seen.head.form, seen.head.version)
        fields = fields_of(form) if form is not None else self._newest
        return _Draft(self._shelf, seen, content, first, fields, named, spoken)

    def _whole_answers(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return all that a submission's XML says, by the questions of any version; what is kept, where it is not here.

        Only for whoever may see everything: the XML stands there as it was sent.
        """
        sha256 = files_of(content).get(XML_NAME, "")
        with reading(self._shelf.engine) as session:
            xml = blobs.read_part(session, sha256, 0, MOST_XML_BYTES)
        try:
            return answers_by_all(self._versions, xml)
        except ValueError:
            return answers_of(content)

    def _whole(self, hashes: set[str]) -> set[str]:
        """Return which of these files are here whole."""
        found: set[str] = set()
        some = sorted(hashes)
        for start in range(0, len(some), MOST_HASHES):
            with reading(self._shelf.engine) as session:
                held = blobs.held(session, some[start : start + MOST_HASHES])
            found.update(sha256 for sha256, one in held.items() if one.is_whole)
        return found


@dataclass(frozen=True)
class _Draft:
    """A submission before it is known which of its files are here."""

    shelf: Shelf
    seen: Seen
    content: Mapping[str, Any]
    first: Mapping[str, Any]
    fields: Sequence[Field]
    named: Mapping[str, str]
    spoken: Sequence[Mapping[str, Any]]

    def known(self, whole: set[str]) -> Known:
        """Return it whole."""
        expected = self._sealed() or names_of_files(self.fields, answers_of(self.content))
        files = {name: self.named[name] for name in expected if self.named.get(name) in whole}
        sent = replace(self._sent(len(files), len(expected)), status=self._status(files))
        updated = self._updated_ms()
        facts = self._facts(sent, updated)
        seen, content, first = self.seen, self.content, self.first
        return Known(sent, self.fields, facts, files, expected, seen, content, first, updated, self.spoken)

    def _sealed(self) -> list[str]:
        """List the files of an encrypted submission; [] for a plain one."""
        names = _said(self.content).get("encrypted")
        return [str(name) for name in names] if isinstance(names, list) else []

    def _status(self, files: Mapping[str, str]) -> str:
        sealed = self._sealed()
        return (NOT_DECRYPTED if sealed[-1] in files else NOTHING_TO_DECRYPT) if sealed else ""

    def _sent(self, present: int, expected: int) -> Sent:
        root = self.seen.root
        said = _said(self.first)
        return Sent(
            key=instance_of(root, self.first),
            instance=instance_of(self.seen.head, self.content),
            answers=answers_of(self.content),
            created=iso(root.received_ms),
            submitter_id=str(said.get("submitter", "")),
            submitter=str(said.get("name", "")),
            device=self._device(said),
            review=self._review(),
            edits=len(self.seen.edits),
            version=str(said.get("version", root.version)),
            present=present,
            expected=expected,
        )

    def _device(self, said: Mapping[str, Any]) -> str:
        """Return what sent it: for a client of ODK its device, whose name tells whose it is, else the node."""
        if said:
            return str(said.get("device", "")) if self.shelf.is_open else ""
        return self.seen.root.origin or self.shelf.own_id

    def _review(self) -> str:
        """Return the state as ODK's clients know it; the lab's own word counts, as the store keeps it."""
        head = self.seen.head
        last = next((it for it in reversed(self._reviews()) if it.get("about") == head.id), None)
        if last is not None and STATE in last:
            return str(last[STATE])
        return odk_state(head.review, head.kind) or ""

    def _reviews(self) -> list[Mapping[str, Any]]:
        return [word for word in self.spoken if state_said(word)]

    def _updated_ms(self) -> int:
        changes = [edit.received_ms for edit in self.seen.edits]
        pairs = zip(self.seen.words, self.spoken, strict=True)
        changes += [word.received_ms for word, content in pairs if state_said(content)]
        return max(changes, default=0)

    def _facts(self, sent: Sent, updated_ms: int) -> Facts:
        removed_ms = 0
        for word, content in zip(self.seen.words, self.spoken, strict=True):
            if REMOVED in content:
                removed_ms = word.received_ms if content[REMOVED] is True else 0
        return {
            "__id": sent.key,
            "__system/submissionDate": _within(self.seen.root.received_ms),
            "__system/updatedAt": _within(updated_ms),
            "__system/submitterId": int(sent.submitter_id) if sent.submitter_id else None,
            "__system/reviewState": sent.review or None,
            "__system/deletedAt": _within(removed_ms),
        }


def _within(epoch_ms: int) -> datetime | None:
    """Return a time as a filter compares it: some time within the millisecond that is told; None for 0, which is none.

    Central keeps microseconds and tells milliseconds, so what came at a time told comes after that time. A client that
    asks for all after the last one it has (`gt`) then misses none that came in the same millisecond.
    """
    return datetime.fromtimestamp(epoch_ms / 1000, UTC) + HALF if epoch_ms else None


def instance_of(record: Record, content: Mapping[str, Any]) -> str:
    """Return the instanceID of a record: as its client sent it, else made from its id."""
    given = _said(content).get("instance")
    return given if isinstance(given, str) and given else f"uuid:{record.id}"


def _said(content: Mapping[str, Any]) -> Mapping[str, Any]:
    said = content.get("odk")
    return said if isinstance(said, dict) else {}


def _content(record: Record) -> dict[str, Any]:
    found = json.loads(record.body or "{}")
    return found if isinstance(found, dict) else {}
