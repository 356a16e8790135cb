"""Reviewing on this node: words on records are written as records, and a record's whole story is read for a person.

give_reviews()  says of many records at once that they are right, have issues, are refused, or wait again
say()           a comment: a question, an answer; changes nothing in the record
read_story()    one record with its answers and all that happened to it
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.forms.listed import labels_of
from collector.forms.model import Form
from collector.lab.identifiers import without_identifiers
from collector.lab.reviewing import Event, Told, content_of, history, is_answered, last_comment, state_said
from collector.lab.tables import answers_of, language_of, tables_of
from collector.lab.whole_record import Answer, Notice, RecordReader, Rows, files_of, notices
from collector.problems import PROBLEMS, ProblemError
from collector.queries import quality, reviews
from collector.queries.records import COLLECTED, Arrival, ingest
from collector.queries.reviews import Picked
from collector.tables.log import Record
from collector.territory import place_labels
from sync.statements import make_comment, make_review

MOST_AT_ONCE = 500  # of one write: others wait for it
NEEDS_COMMENT = ("has_issues", "rejected")
AGAIN_MS = 10_000  # the very same word within this time is a second tap on the same button
SHORT_HASH = 16  # letters of a content's sha256 by which a page names it

Note = Callable[[Session, int], None]  # what is noted in the same write, and of how many records


@dataclass(frozen=True)
class Verdict:
    """What somebody says of records. state: one of reviewing.STATES; by: an e-mail; comment: for the team, or ""."""

    state: str
    by: str
    comment: str = ""


@dataclass(frozen=True)
class Given:
    """What became of it. skipped: records that changed meanwhile, or are gone: nothing was said of them."""

    done: int
    skipped: int


def give_reviews(engine: Engine, form: str, picks: Sequence[tuple[str, str]], verdict: Verdict, note: Note) -> Given:
    """Write a review of each record of a form that still is what was looked at, in one write.

    picks: (id, first letters of the sha256 of the content). Raises ProblemError nothing_chosen, and comment_needed
    where it must be said what is wrong.
    """
    asked = dict(picks[:MOST_AT_ONCE])
    if not asked:
        raise ProblemError(PROBLEMS["nothing_chosen"])
    if verdict.state in NEEDS_COMMENT and not verdict.comment:
        raise ProblemError(PROBLEMS["comment_needed"])
    with writing(engine) as session:
        here = [it for it in reviews.picked(session, list(asked)) if it.form == form]
        found = [it for it in here if it.is_usable and _is_same(it, asked[it.id])]
        new = _not_said(session, found, verdict)
        if new:
            note(session, len(new))
            ingest(session, [_review(it, verdict) for it in new], now_ms())
    return Given(len(found), len(asked) - len(found))


def _not_said(session: Session, found: Sequence[Picked], verdict: Verdict) -> list[Picked]:
    """Return those of which the same person has not just said the very same. verdict: state "" for a comment."""
    recent = [it.id for it in found if it.last_ms >= now_ms() - AGAIN_MS]
    words = reviews.words_of(session, recent) if recent else {}
    last = {about: content_of(said[-1].body) for about, said in words.items()}
    wanted = verdict.state, verdict.by, verdict.comment
    said = {about for about, it in last.items() if (state_said(it), it.get("by"), it.get("comment", "")) == wanted}
    return [it for it in found if it.id not in said]


def _is_same(picked: Picked, sha256: str) -> bool:
    return len(sha256) >= SHORT_HASH and picked.sha256.hex().startswith(sha256)


def _review(picked: Picked, verdict: Verdict) -> Arrival:
    sha256 = picked.sha256.hex()
    return make_review(picked.id, verdict.state, verdict.by, verdict.comment, sha256, _moment(picked))


def _moment(picked: Picked) -> int:
    """Return now, or just after the last word: somebody's clock may be ahead, and what is said now has to count."""
    return max(now_ms(), picked.last_ms + 1)


def say(engine: Engine, form: str, record_ids: Sequence[str], by: str, comment: str, note: Note) -> int:
    """Keep what somebody says of these records of a form; return of how many. Raises ProblemError comment_needed."""
    if not comment:
        raise ProblemError(PROBLEMS["comment_needed"])
    with writing(engine) as session:
        found = [it for it in reviews.picked(session, record_ids[:MOST_AT_ONCE]) if it.form == form]
        new = _not_said(session, found, Verdict("", by, comment))
        if new:
            note(session, len(new))
            ingest(session, [make_comment(it.id, by, comment, _moment(it)) for it in new], now_ms())
    return len(found)


# --- one record with its story


@dataclass(frozen=True)
class Story:
    """A record as somebody who reviews reads it. current: id of the record of its family that counts, "" when none.

    comment: what was asked for last; is_answered: somebody said something since. hides: the reader may not see who
    the person is, and such answers are left out.
    """

    record: Record
    content: dict[str, Any]
    form: Form | None
    title: str
    answers: "list[Answer | Rows]"
    flags: list[Notice]
    quality: list[dict[str, str]]
    events: list[Event]
    current: str
    comment: str
    is_answered: bool
    hides: bool


@dataclass
class Reader:
    """Who reads, in which language; sees_identifiers: also who the person is. Keeps what is asked again and again."""

    forms: FormStore
    lang: str
    sees_identifiers: bool
    _versions: dict[str, list[Form]] = field(default_factory=dict)

    def content(self, record: Record) -> dict[str, Any]:
        """Return what a record says, as far as the reader may know."""
        content = content_of(record.body)
        if self.sees_identifiers or record.kind not in COLLECTED or not content:
            return content
        return without_identifiers(content, self.versions(record.form))

    def versions(self, form_id: str) -> list[Form]:
        """Return every version of a form that is here, the newest first."""
        if form_id not in self._versions:
            found = (self.forms.get(form_id, row.version) for row in self.forms.versions(form_id))
            self._versions[form_id] = [form for form in found if form is not None]
        return self._versions[form_id]

    def told(self, records: Iterable[Record]) -> list[Told]:
        """Return records as a history is told of them."""
        return [
            Told(it.id, it.kind, it.about, it.form, it.version, it.device_ms or it.received_ms, self.content(it))
            for it in records
        ]  # fmt: skip

    def title(self, form_id: str) -> str:
        """Return the title of a form's newest version, or its name."""
        versions = self.versions(form_id)
        return versions[0].title if versions else form_id


def read_story(engine: Engine, record_id: str, reader: Reader) -> Story:
    """Return a record with its answers and all that happened to it. Raises ProblemError record_not_found."""
    with reading(engine) as session:
        family = reviews.family_of(session, record_id)
        odd = quality.findings(session, record_id)
    record = family.members.get(record_id)
    if record is None or record.kind not in COLLECTED:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    collected = [it for it in family.members.values() if it.kind in COLLECTED]
    words = reader.told(it for it in family.statements if it.kind == "annotation")
    told = reader.told(collected) + words
    current = next((it.id for it in collected if it.state == "usable"), "")
    own = [word for word in words if word.about == record_id]
    return Story(
        record, *_read(record, reader), odd, history(told, reader.forms.get, reader.lang, place_labels()),
        current, last_comment(own), is_answered(own), not reader.sees_identifiers,
    )  # fmt: skip


def _read(
    record: Record, reader: Reader
) -> "tuple[dict[str, Any], Form | None, str, list[Answer | Rows], list[Notice]]":
    """Return what a record says, its form, the title, the answers in words, and what was noticed of it."""
    content = reader.content(record)
    form = reader.forms.get(record.form, record.version)
    language = language_of(form, reader.lang) if form else ""
    table = tables_of([form] if form else [])
    flags = json.loads(record.flags or "[]")
    # the text of a notice is what somebody answered there
    found = notices(table, flags if reader.sees_identifiers else [it | {"text": ""} for it in flags], language)
    noticed: dict[str, list[Notice]] = {}
    for key, notice in found:
        noticed.setdefault(key, []).append(notice)
    labels = labels_of(content.get("places"), place_labels())
    files = files_of(content) if reader.sees_identifiers else {}
    parts = RecordReader(language, files, noticed, places=labels).parts(table, answers_of(content))
    title = form.title if form else record.form
    return content, form, title, parts if record.body else [], [notice for _, notice in found]
