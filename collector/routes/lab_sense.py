"""What the lab's pages of codes share: the codebook of all, who put which code on what, and what can be coded."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fastapi import Request

from collector.db import reading
from collector.lab.open_answers import Answered, OpenForm, pieces_of_record
from collector.lab.results import territory_columns
from collector.pages import page_language
from collector.queries import records as record_queries
from collector.queries.open_answers import usable_records
from collector.room_store import Writer, make_contribution
from collector.rooms.guide import text_in
from collector.rooms.room import Room
from collector.rooms.sense.agreement import meaning
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.coding import Coded, CoderAgreement, agreement, coded, read_codebook, read_codings
from collector.rooms.sense.pieces import Piece, pieces_of, pieces_of_rooms, said_in_order
from collector.rooms.sense.sessions import CODEBOOK_SESSION, answers_session
from collector.routes.lab_opened import municipalities, open_form
from collector.routes.rooms_common import next_count, rooms_of
from collector.sense_store import SenseStore
from collector.tables.log import Record

PAGE_PIECES = 50
MOST_SEGMENTS = 12


@dataclass(frozen=True)
class Work:
    """What coders see: the book of all, who put what, and what can be coded here."""

    book: Codebook
    coded: Coded
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Segments:
    """Groups by which themes can be divided. labels: segment -> what people call it; values: the same of its values."""

    labels: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]


# --- reading


def sense_of(request: Request) -> SenseStore:
    """Return the codings of this node that belong to no room."""
    state = request.app.state
    if not hasattr(state, "sense"):
        state.sense = SenseStore(state.engine)
    store: SenseStore = state.sense
    return store


def real_rooms(request: Request) -> list[Room]:
    """Return the rooms of this node, demonstrations left out."""
    store = rooms_of(request)
    return [room for room in map(store.get, store.ids()) if room is not None and not room.facts.demo]


def form_ids(request: Request) -> list[str]:
    """Return the forms that are published here."""
    return sorted({row.form_id for row in request.app.state.forms.versions()})


@dataclass(frozen=True)
class FormLine:
    """A form with open questions, and on how many of its answers somebody put a code."""

    form_id: str
    title: str
    questions: int
    coded: int


def form_lines(request: Request) -> list[FormLine]:
    """Return the published forms that ask something in people's own words."""
    found = []
    for form_id in form_ids(request):
        form = read_form(request, form_id)
        codings = read_codings(sense_of(request).get(answers_session(form_id)).items)
        found.append(FormLine(form_id, form.title, len(form.questions), len({each.target for each in codings})))
    return [line for line in found if line.questions]


def read_form(request: Request, form_id: str) -> OpenForm:
    """Return a form as its open answers are read. Raises ProblemError form_not_found."""
    opened = open_form(request, form_id)
    territory = territory_columns(opened.table.columns, municipalities())
    versions = {form.version: form for form in opened.forms}
    return OpenForm(opened.title, opened.table, versions, territory, opened.language)


def work_on(request: Request, sessions: Iterable[Room], pieces: Iterable[Piece]) -> Work:
    """Return the work on what `sessions` hold, with the codebook of all, in the language of the page."""
    items = said_in_order([sense_of(request).get(CODEBOOK_SESSION), *sessions])
    book = read_codebook(items, page_language(request))
    return Work(book, coded(read_codings(items), book), tuple(pieces))


def work_on_room(request: Request, room: Room) -> Work:
    """Return the work on one room."""
    return work_on(request, [room], pieces_of(room))


def work_on_all(request: Request) -> Work:
    """Return the work on all rooms and on the open answers that carry a coding, as nothing was written since."""
    state, language = request.app.state, page_language(request)
    with reading(state.engine) as session:
        moment = record_queries.last_number(session)
    kept: dict[str, tuple[int, Work]] = state.lab_work if hasattr(state, "lab_work") else {}
    if language not in kept or kept[language][0] != moment:
        kept[language] = (moment, _work_on_all(request))
        state.lab_work = kept
    return kept[language][1]


def _work_on_all(request: Request) -> Work:
    rooms, store = real_rooms(request), sense_of(request)
    sessions = {form: store.get(answers_session(form)) for form in form_ids(request)}
    coded_forms = {form: session for form, session in sessions.items() if session.items}
    answers = [piece for form, session in coded_forms.items() for piece in coded_answers(request, form, session)]
    return work_on(request, [*rooms, *coded_forms.values()], [*pieces_of_rooms(rooms), *answers])


def coded_answers(request: Request, form_id: str, session: Room) -> Iterator[Piece]:
    """Give the open answers of a form that somebody coded and that still count: an erased one is gone."""
    form = read_form(request, form_id)
    targets = {coding.target for coding in read_codings(session.items)}
    with reading(request.app.state.engine) as database:
        records = usable_records(database, form_id, {target.partition("#")[0] for target in targets})
    pieces = (piece for record in records for piece in pieces_of_record(form, answered(record)))
    return (piece for piece in pieces if piece.target in targets)


def answered(record: Record) -> Answered:
    """Return a record of the log with its answers."""
    return Answered(record.id, record.version, record.device_ms or record.received_ms, json.loads(record.body or "{}"))


def segments_of(request: Request) -> Segments:
    """Return the groups that rooms declare, then those that surveys ask; at most 12."""
    language = page_language(request)
    labels: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for room in real_rooms(request):
        for segment in room.segments:
            labels.setdefault(segment.name, text_in(segment.label, language))
            named = {value: text_in(label, language) for value, label in segment.values.items()}
            values[segment.name] = named | values.get(segment.name, {})
    for name, label, named in _asked_segments(request):
        labels.setdefault(name, label)
        values[name] = named | values.get(name, {})
    first = list(labels)[:MOST_SEGMENTS]
    return Segments({name: labels[name] for name in first}, {name: values[name] for name in first})


def _asked_segments(request: Request) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Give (name, label, values) of the questions with one choice of the forms whose answers carry codings."""
    for form_id in form_ids(request):
        if sense_of(request).get(answers_session(form_id)).items:
            form = read_form(request, form_id)
            for name, column in form.segments.items():
                yield name, column.label(form.language), column.choice_labels(form.language)


# --- writing


def coder_writer(user: str) -> Writer:
    """Return who writes for somebody of the lab: an id drawn from their name."""
    return Writer(hashlib.sha256(f"collector-coder/1\n{user}".encode()).hexdigest()[:24])


def say_in(request: Request, session: str, what: str, payload: Mapping[str, Any], user: str, **more: Any) -> None:
    """Store a contribution of somebody of the lab. Raises Refusal."""
    rooms_of(request).add(make_contribution(session, what, payload, coder_writer(user), next_count(), **more))


def put_coding(request: Request, session: str, said: Mapping[str, Any], user: str, is_real: bool = True) -> None:
    """Store a coding, and put its code into the book of all where it is new. Demonstrations add nothing to the book."""
    if is_real and said["on"] and said["path"] not in book_of(request).codes:
        say_in(request, CODEBOOK_SESSION, "code", {"path": said["path"]}, user)
    say_in(request, session, "coding", said, user)


def book_of(request: Request) -> Codebook:
    """Return the codebook as its own session has it, without what only codings use."""
    return read_codebook(sense_of(request).get(CODEBOOK_SESSION).items, page_language(request))


# --- what a page of codings shows


def coding_scope(work: Work, user: str, pieces: Iterable[Piece]) -> dict[str, Any]:
    """Return the names that templates/lab/_coding.html asks for."""
    return {
        "work": work,
        "pieces": [(piece, _mine(piece, work, user), _others(piece, work, user)) for piece in pieces],
        "compared": _compared(work),
        "written": written,
        "meaning": meaning,
    }


def _compared(work: Work) -> CoderAgreement:
    return agreement(work.coded, work.book)


def _mine(piece: Piece, work: Work, user: str) -> list[str]:
    return sorted(work.coded.by_target.get(piece.target, {}).get(user, ()))


def _others(piece: Piece, work: Work, user: str) -> list[tuple[str, list[str]]]:
    found = work.coded.by_target.get(piece.target, {})
    return [(coder, sorted(paths)) for coder, paths in found.items() if coder != user and paths]


def written(share: Fraction | None) -> str:
    """Return a figure with two decimals, "–" where it is not defined."""
    return "–" if share is None else f"{float(share):.2f}"
