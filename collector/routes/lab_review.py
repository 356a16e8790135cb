"""The lab reviews: a queue of a form by state, one record beside its actions, and many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from collector.db import reading
from collector.lab.filters import plain_word
from collector.lab.results import territory_columns
from collector.lab.reviewing import MOST_COMMENT
from collector.lab.tables import tables_of
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import reviews
from collector.queries.reviews import Asked, Waiting
from collector.review_store import MOST_AT_ONCE, SHORT_HASH, Given, Verdict, give_reviews, say
from collector.routes.access import Person, one_line, person_who_may, posted_pairs
from collector.routes.audited import note, note_in
from collector.routes.lab_opened import municipalities
from collector.routes.lab_scope import lab_scope
from collector.routes.reviewed import ACTIONS, as_query, reader_of, story_scope, words_scope
from collector.territory import place_labels

router = APIRouter(prefix="/lab/revisar", include_in_schema=False)
Reviewer = Annotated[Person, Depends(person_who_may("review"))]
After = Annotated[int | None, Query(ge=0, le=2**53)]

PAGE = 50
POST_BYTES, MOST_FIELDS = 128 * 1024, MOST_AT_ONCE + 20
QUEUES = ("received", "has_issues", "answered", "approved", "rejected")


@router.get("")
def show_forms(request: Request, reviewer: Reviewer) -> Response:
    """Show every form with how many of its records are in each state."""
    reader = reader_of(request, True)
    with reading(request.app.state.engine) as session:
        names = dict.fromkeys(row.form_id for row in reader.forms.versions())
        counts = {name: reviews.state_counts(session, name) for name in names}
    scope = lab_scope(request, reviewer.who, "/lab/revisar")
    lines = [(name, reader.title(name), counts[name]) for name in names]
    scope.update(lines=lines, most=reviews.MOST_COUNTED, **words_scope())
    return page(request, "lab/review_forms.html", scope)


# --- a queue


@dataclass(frozen=True)
class Filters:
    """What the address of a queue says. node: "here" for records born on this node; place: code of a municipality."""

    form: str
    state: str = "received"
    flagged: str = ""
    node: str = ""
    place: str = ""
    after: int | None = None

    def query(self, **other: str) -> str:
        """Return the query of the address, with other values in place of these; without the page it is on."""
        said = {"state": self.state, "flagged": self.flagged, "node": self.node, "place": self.place} | other
        if said["state"] == "received":
            del said["state"]
        return as_query(said)

    def query_here(self, **other: str) -> str:
        """Return the query of the very page."""
        return self.query(after="" if self.after is None else str(self.after), **other)


def read_filters(
    form_id: str, state: str = "received", flagged: str = "", node: str = "", place: str = "", after: After = None
) -> Filters:
    """Read the filters of an address; what is no state is "all"."""
    known = state if state in QUEUES else "all"
    return Filters(form_id, known, "1" if flagged else "", plain_word(node), plain_word(place), after)


Filtered = Annotated[Filters, Depends(read_filters)]


def _asked(request: Request, session: Session, filters: Filters) -> Asked:
    """Return the filters as the store is asked. A form without a municipality goes by where its nodes work."""
    asked = Asked(filters.form, "" if filters.state == "all" else filters.state, bool(filters.flagged))
    own = request.app.state.node_id
    if filters.node:
        asked = replace(asked, nodes=("", own) if filters.node in ("here", own) else (filters.node,))
    if not filters.place:
        return asked
    keys = _place_keys(request, filters.form)
    if keys:
        return replace(asked, keys=keys, place=filters.place)
    there = reviews.nodes_of_place(session, filters.place)
    return replace(asked, nodes=tuple(it for it in there if asked.nodes is None or it in asked.nodes))


def _place_keys(request: Request, form_id: str) -> tuple[str, ...]:
    """Return the keys of the questions that say the municipality, in any version of the form."""
    table = tables_of(list(reversed(reader_of(request, True).versions(form_id))))
    return tuple(column.key for column in territory_columns(table.columns, municipalities()))


@router.get("/{form_id}")
def show_queue(
    request: Request, reviewer: Reviewer, filters: Filtered, record: str = "", done: int = 0, skipped: int = 0
) -> Response:
    """Show the records of a queue, and the one that was chosen beside its actions; HTMX asks for that one alone."""
    if record and request.headers.get("hx-request") == "true":
        scope = lab_scope(request, reviewer.who, "/lab/revisar")
        scope.update(_beside(request, reviewer, filters, record, _ids(request, filters)))
        return page(request, "lab/review.html", scope, "beside")
    return _queue_page(request, reviewer, filters, record, Given(done, skipped))


@dataclass(frozen=True)
class Kept:
    """What a person had chosen and written when the page did not take it."""

    picks: frozenset[str] = frozenset()
    comment: str = ""


def _queue_page(
    request: Request,
    reviewer: Person,
    filters: Filters,
    record: str = "",
    given: Given | None = None,
    trouble: ProblemError | None = None,
    kept: Kept | None = None,
) -> Response:
    reader = reader_of(request, True)
    with reading(request.app.state.engine) as session:
        found = reviews.queue(session, _asked(request, session, filters), filters.after, PAGE)
        words = reviews.words_of(session, [line.id for line in found.lines])
        counts = reviews.state_counts(session, filters.form)
        names = lab_queries.node_names(session)
    if not any(counts.values()) and not reader.versions(filters.form):
        raise ProblemError(PROBLEMS["form_not_found"], form=filters.form)
    scope = lab_scope(request, reviewer.who, "/lab/revisar")
    ids = [line.id for line in found.lines]
    scope.update(_beside(request, reviewer, filters, record, ids) if record else {"story": None})
    scope.update(
        filters=filters, page=found, lines=_lines(found.lines, names), words=words, counts=counts, names=names,
        most=reviews.MOST_COUNTED, most_at_once=MOST_AT_ONCE, title=reader.title(filters.form), record_id=record,
        queues=QUEUES, window=reviews.WINDOW, given=given or Given(0, 0), kept=kept or Kept(),
        places=_places(), own_id=request.app.state.node_id,
        trouble=trouble.sentence(page_language(request)) if trouble else "", **words_scope(),
    )  # fmt: skip
    return page(request, "lab/review.html", scope, status=trouble.problem.status if trouble else 200)


@cache
def _places() -> list[tuple[str, str]]:
    """Return (code, name) of the municipalities that a queue can be asked by."""
    labels = place_labels()
    return sorted(((code, labels[code]) for code in municipalities() if code in labels), key=lambda each: each[1])


@dataclass(frozen=True)
class Line:
    """A line of the queue: the record, where it was born in words ("" for this node), how many things were noticed."""

    record: Waiting
    node: str
    noticed: int

    @property
    def pick(self) -> str:
        """Return what the page posts for this record: its id, and which content was looked at."""
        return f"{self.record.id} {self.record.sha256.hex()[:SHORT_HASH]}"


def _lines(found: Sequence[Waiting], names: dict[str, str]) -> list[Line]:
    return [Line(it, names.get(it.origin, it.origin[:8]), _noticed(it)) for it in found]


def _noticed(record: Waiting) -> int:
    return record.flags.count('"what"') + (record.quality or "").count('"what"')


def _ids(request: Request, filters: Filters) -> list[str]:
    """Return the ids of a page of a queue."""
    with reading(request.app.state.engine) as session:
        found = reviews.queue(session, _asked(request, session, filters), filters.after, PAGE)
    return [line.id for line in found.lines]


def _beside(request: Request, reviewer: Person, filters: Filters, record_id: str, ids: Sequence[str]) -> dict[str, Any]:
    """Return what draws one record beside its actions; ids: the page it stands on. Whoever reads it is noted first."""
    note(request, reviewer, "read_record", record_id, count=1)
    scope = story_scope(request, record_id, reviewer.may("identifiers"))
    if scope["story"].record.form != filters.form:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    place = ids.index(record_id) + 1 if record_id in ids else len(ids)
    return {**scope, "filters": filters, "next_id": ids[place] if place < len(ids) else "", "kept": Kept()}


# --- saying it


@dataclass(frozen=True)
class Said:
    """What was posted. picks: (id, beginning of its sha256); all: every record of the queue; next_id: to go to."""

    action: str
    picks: list[tuple[str, str]]
    comment: str
    all: bool
    next_id: str
    record_id: str


async def read_said(request: Request) -> Said:
    """Read the post of a review. Raises ProblemError too_large, bad_request."""
    pairs = await posted_pairs(request, POST_BYTES, MOST_FIELDS)
    fields = dict(pairs)
    action = fields.get("action", "")
    if action not in (*ACTIONS, "comment"):
        raise ProblemError(PROBLEMS["bad_request"], reason="no dice qué hacer")
    picks = [(left, right) for key, text in pairs if key == "pick" for left, _, right in [text.partition(" ")]]
    comment = one_line(fields.get("comment", ""), MOST_COMMENT)
    return Said(action, picks, comment, "all" in fields, fields.get("next", ""), fields.get("record", ""))


Posted = Annotated[Said, Depends(read_said)]


@router.post("/{form_id}")
def review(request: Request, reviewer: Reviewer, filters: Filtered, said: Posted) -> Response:
    """Say it of the chosen ones; of all that match only after a page that shows how many they are."""
    if said.all:
        return _confirm(request, reviewer, filters, said)
    try:
        given = _say(request, reviewer, filters, said)
    except ProblemError as error:
        kept = Kept(frozenset(each for each, _ in said.picks), said.comment)
        return _queue_page(request, reviewer, filters, said.record_id, trouble=error, kept=kept)
    request.app.state.kick()
    other = {"record": said.next_id, "done": str(given.done or ""), "skipped": str(given.skipped or "")}
    return RedirectResponse(f"/lab/revisar/{quote(filters.form, safe='')}{filters.query_here(**other)}", 303)


def _say(request: Request, reviewer: Person, filters: Filters, said: Said) -> Given:
    engine = request.app.state.engine
    subject = said.picks[0][0] if len(said.picks) == 1 else filters.form

    def noted(session: Session, count: int) -> None:
        note_in(session, reviewer, "review", subject, count=count, state=ACTIONS.get(said.action, "comment"))

    if said.action != "comment":
        return give_reviews(
            engine, filters.form, said.picks, Verdict(ACTIONS[said.action], reviewer.who, said.comment), noted
        )
    if not said.picks:
        raise ProblemError(PROBLEMS["nothing_chosen"])
    done = say(engine, filters.form, [each for each, _ in said.picks], reviewer.who, said.comment, noted)
    return Given(done, len(said.picks) - done)


def _confirm(request: Request, reviewer: Person, filters: Filters, said: Said) -> Response:
    """Show how many match, and ask again with exactly those: what arrives meanwhile is not among them."""
    with reading(request.app.state.engine) as session:
        found, is_more = reviews.all_in_queue(session, _asked(request, session, filters), MOST_AT_ONCE)
    if not found:
        return _queue_page(request, reviewer, filters, trouble=ProblemError(PROBLEMS["nothing_chosen"]))
    scope = lab_scope(request, reviewer.who, "/lab/revisar")
    scope.update(
        filters=filters, lines=_lines(found, {}), is_more=is_more, most_at_once=MOST_AT_ONCE, action=said.action,
        comment=said.comment, title=reader_of(request, True).title(filters.form),
        needs_comment=said.action in ("has_issues", "reject", "comment"),
        place=place_labels().get(filters.place, filters.place), **words_scope(),
    )  # fmt: skip
    return page(request, "lab/review_confirm.html", scope)
