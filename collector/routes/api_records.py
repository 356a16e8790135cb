"""The interface for programs: the feed of records, and one record. docs/api.md has it for people.

A page of the feed costs one entry in the audit, written before it leaves. Whoever has read everything gets 304 out of
four numbers: no record is looked at.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sqlmodel import Session

from collector.clock import iso, parse_iso
from collector.db import reading
from collector.forms.model import Form
from collector.lab.cursors import Place, cursor_of, place_of
from collector.lab.identifiers import without_identifiers
from collector.problems import PROBLEMS, ProblemError
from collector.queries import pulls
from collector.queries.pulls import Fed, Mark
from collector.queries.records import COLLECTED
from collector.routes import api_shapes as shapes
from collector.routes.access import Person
from collector.routes.api_common import PREFIX, ApiRoute, Reader, check_form, is_known, tag_of, with_tag
from collector.routes.audited import note, said_purpose

router = APIRouter(prefix=PREFIX, route_class=ApiRoute)
NDJSON = "application/x-ndjson"
# four letters or more; programs send accents as UTF-8, which HTTP reads byte by byte as Latin-1
PURPOSE = "^([!-~\u0080-\u00ff][ -~\u0080-\u00ff]{2,398}[!-~\u0080-\u00ff])?$"
# a day of the calendar, with or without a time: what passes here can be read
DAY = (
    "(20[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    "|20([02468][048]|[13579][26])-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?Z)?"
)


@dataclass(frozen=True)
class Asked:
    """What a program asks of the feed. after and epoch: the same as `cursor`, for programs written before there was."""

    cursor: Annotated[
        str, Query(pattern="^[A-Za-z0-9_-]{1,200}$", description="As the last page gave it; none: from the start.")
    ] = ""
    since: Annotated[
        str,
        Query(pattern=f"^{DAY}$", description="Without a cursor: from this moment on, UTC.", examples=["2026-11-20"]),
    ] = ""
    # empty is refused: a program whose variable is empty must not get every form
    form: Annotated[str, Query(min_length=1, max_length=200, description="Only records of this form.")] = ""
    limit: Annotated[int, Query(ge=1, le=1000, description="Most records of a page.")] = 500
    after: Annotated[int, Query(ge=0, le=2**53, include_in_schema=False)] = 0
    epoch: Annotated[str, Query(include_in_schema=False)] = ""


def _purpose(
    request: Request,
    person: Reader,
    purpose: Annotated[str, Query(include_in_schema=False)] = "",
    x_purpose: Annotated[
        str,
        Header(
            pattern=PURPOSE,
            description="What the data is for, where the token does not say it. Stands in the audit.",
        ),
    ] = "",
) -> str:
    """Return what the records are for. Raises ProblemError purpose_missing."""
    return said_purpose(request, person)


Purpose = Annotated[str, Depends(_purpose)]


@router.get("/records", response_model=shapes.RecordPage)
def list_records(request: Request, person: Reader, purpose: Purpose, asked: Annotated[Asked, Depends()]) -> Response:
    """Return the records that changed after the cursor, in the order in which they changed.

    A record that changes after it was read (erased, replaced by an edit, decided on, reviewed) comes again. `more`
    says whether to ask again with `cursor`; a page may be shorter than `limit` and `more` still be true. As JSON, or by
    `Accept: application/x-ndjson` the head in the first line and a record a line.
    """
    if asked.form:
        check_form(person, asked.form)
    with reading(request.app.state.engine) as session:
        mark = pulls.mark(session)
        place = _place(session, asked, mark)
        tag = _tag(request, person, mark)
        if is_known(request, tag):
            return with_tag(request, tag, Response)
        page, more = pulls.feed(session, place.after, asked.limit, _forms_of(session, person, asked.form))
    upto = page[-1].n if more else max(mark.last, place.after)
    answer = _Page(request, person, mark, page, upto, more).answer()
    if page:
        note(request, person, "export", asked.form or "records", purpose=purpose, count=len(page), format="api")
    return with_tag(request, tag, lambda: answer)


@router.get("/records/{record_id}", response_model=shapes.Entry)
def show_record(request: Request, record_id: str, person: Reader, purpose: Purpose) -> Response:
    """Return one record of any kind and state."""
    with reading(request.app.state.engine) as session:
        entry = None if "\0" in record_id else pulls.fed_record(session, record_id)
    if entry is None or not person.may_read(entry.form):
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    body = _Teller(request, person).line(entry)
    note(request, person, "read_record", record_id, purpose=purpose, count=1, format="api")
    return with_tag(request, tag_of(body.encode()), lambda: Response(body, media_type="application/json"))


def _place(session: Session, asked: Asked, mark: Mark) -> Place:
    """Return where to read from. Raises ProblemError cursor_unknown, feed_changed."""
    if asked.cursor:
        place = place_of(asked.cursor)
        if place is None or place.epoch != mark.epoch or place.after > mark.last:
            raise ProblemError(PROBLEMS["cursor_unknown"])
        return place
    if asked.epoch and asked.epoch != mark.epoch:
        raise ProblemError(PROBLEMS["feed_changed"], epoch=mark.epoch)
    after = pulls.number_at(session, _moment_of(asked.since)) if asked.since else asked.after
    return Place(mark.epoch, after)


def _moment_of(since: str) -> int:
    """Return the moment in ms: "2026-11-20" or "2026-11-20T16:00Z"."""
    day, _, time = since.partition("T")
    clock = time.removesuffix("Z") or "00:00"
    moment = parse_iso(f"{day}T{clock if clock.count(':') == 2 else clock + ':00'}Z")
    return moment[0] if moment else 0


def _forms_of(session: Session, person: Person, form_id: str) -> frozenset[str] | None:
    """Return the forms to read, None for all. Raises ProblemError form_not_found for one that nobody knows."""
    if not form_id:
        return person.forms
    if not pulls.form_facts(session, form_id) and not pulls.names_form(session, form_id):
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    return frozenset({form_id})


def _tag(request: Request, person: Person, mark: Mark) -> str:
    """Return the tag of a page without reading it: what an address says can only change with one of these.

    The same at every address of the feed: who has read all of it asks behind its end with the tag of the last page.
    """
    forms = sorted(person.forms) if person.forms is not None else None
    return tag_of(mark, person.role, forms, _wants_lines(request))


def _wants_lines(request: Request) -> bool:
    """Tell whether a program asks for a record a line: by name, and not with "q=0"."""
    for each in request.headers.get("accept", "").split(","):
        media_type, _, said = each.replace(" ", "").lower().partition(";")
        if media_type == NDJSON:
            return not re.fullmatch(r"(.*;)?q=0(\.0*)?(;.*)?", said)
    return False


# --- a page


@dataclass(frozen=True)
class _Page:
    request: Request
    person: Person
    mark: Mark
    records: list[Fed]
    upto: int
    more: bool

    def answer(self) -> Response:
        """Return the page as the program takes it."""
        head = json.dumps(
            {
                "epoch": self.mark.epoch, "next": self.upto, "cursor": cursor_of(Place(self.mark.epoch, self.upto)),
                "last": self.mark.last, "forms": f"{self.mark.forms}-{self.mark.form_ms}",
                "count": len(self.records), "more": self.more,
            }
        )  # fmt: skip
        teller = _Teller(self.request, self.person)
        lines = [teller.line(entry) for entry in self.records]
        if _wants_lines(self.request):
            return Response("\n".join([head, *lines]) + "\n", media_type=NDJSON)
        # spliced, not parsed and written again: the record's bytes stay what their hash says
        return Response(f'{head[:-1]}, "records": [' + ",\n".join(lines) + "]}", media_type="application/json")


class _Teller:
    """Writes records as one program may read them."""

    def __init__(self, request: Request, person: Person) -> None:
        self._state, self._person = request.app.state, person
        self._forms: dict[str, list[Form]] = {}

    def line(self, entry: Fed) -> str:
        """Return the record with what this node knows of it, as JSON."""
        hidden, body = self._body(entry)
        about = {
            "n": entry.n,
            "first": entry.first,
            "id": entry.id,
            "kind": entry.kind,
            "form": entry.form,
            "version": entry.version,
            "received": iso(entry.received_ms),
            "state": entry.state,
            "review": (entry.review or "received") if entry.kind in COLLECTED else "",
            "via_origin": entry.origin or self._state.node_id,
            "hidden": hidden,
        }
        return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "record": {body or "null"}}}'

    def _body(self, entry: Fed) -> tuple[str, str | None]:
        """Return what was left out ("", "identifiers" or "all"), and the body."""
        if entry.state == "no_consent":  # nobody reads it outside the lab's quarantine
            return "all", None
        # what its term took away is away for everybody
        left_out = "identifiers" if entry.term == "direct" else ""
        if entry.body is None or self._person.may("identifiers"):
            return left_out, entry.body
        if entry.kind not in COLLECTED:  # what people of the lab or of a room wrote, with their names
            return "all", None
        whole = json.loads(entry.body)
        kept = without_identifiers(whole, self._versions(entry.form))
        # one that says nothing of anybody leaves as it was born
        return (left_out, entry.body) if kept == whole else ("identifiers", json.dumps(kept, ensure_ascii=False))

    def _versions(self, form_id: str) -> list[Form]:
        if form_id not in self._forms:
            self._forms[form_id] = list(_each_version(self._state, form_id))
        return self._forms[form_id]


def _each_version(state: object, form_id: str) -> Iterator[Form]:
    forms, engine = state.forms, state.engine  # type: ignore[attr-defined]
    with reading(engine) as session:
        rows = pulls.form_facts(session, form_id)
    yield from (form for row in reversed(rows) if (form := forms.get(form_id, row.version)))
