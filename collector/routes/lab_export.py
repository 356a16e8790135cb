"""What the lab takes away: a form as CSV, or as a ZIP of CSV when it has repeats; one record as ODK's XML."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from collector.clock import parse_iso
from collector.db import reading
from collector.exports.records import source_of
from collector.forms.submission_xml import to_xml
from collector.lab.csv import Layout, csv_lines, file_stem, split_choices
from collector.lab.identifiers import direct_keys, without_identifiers
from collector.lab.listed import questions_in
from collector.lab.tables import without_columns
from collector.lab.zipped import in_pieces, zipped_tables
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries.places import bodies_with_places
from collector.routes.access import Person, person_who_may
from collector.routes.audited import Purpose, note
from collector.routes.lab_opened import Opened, OpenForm
from collector.routes.lab_scope import zone_here
from collector.tables.log import Record

router = APIRouter(include_in_schema=False)
Taker = Annotated[Person, Depends(person_who_may("export"))]
Reader = Annotated[Person, Depends(person_who_may("records"))]

POINT = "geopoint"
WHOLE_CHOICE = 4000  # characters of an answer in which choices are looked for


@router.get("/forms/{form_id}/export.csv")
def export_csv(
    request: Request,
    person: Taker,
    opened: Opened,
    purpose: Purpose,
    bom: bool = True,
    split: bool = False,
    extra: bool = False,
    safe: bool = False,
    sets: bool = True,
) -> Response:
    """Send every usable record, newest first, a page of records at a time: flat memory whatever the size.

    A form with repeats comes as a ZIP whose files all end at the same last record. Raises purpose_missing.
    """
    state = request.app.state
    hidden = frozenset[str]() if person.may("identifiers") else direct_keys(opened.forms)
    source = source_of(state.engine, state.node_id, opened.form_id, hidden=hidden)
    table = without_columns(opened.table, hidden)
    choices = _split(request, opened) if split else {}
    layout = Layout(table, choices, bom, extra, safe, sets, placed_questions(request, opened) - hidden)
    total = source.count()
    note(request, person, "export", opened.form_id, purpose=purpose, count=total, format="csv", upto=source.before - 1)
    if not any(table.steps for table in table.walk()):
        pieces: Iterable[str | bytes] = in_pieces(csv_lines(layout, source.records()))
        return _sent(pieces, f"{opened.form_id}.csv", "text/csv", total)
    moment = datetime.now(zone_here())
    archive = zipped_tables(layout, opened.form_id, source.records(), moment)
    return _sent(archive, f"{opened.form_id}.zip", "application/zip", total)


def _sent(pieces: Iterable[str | bytes], name: str, media_type: str, total: int) -> Response:
    headers = {"Content-Disposition": _as_file(name), "X-Total-Records": str(total)}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _as_file(name: str) -> str:
    quoted = quote(name, safe="")
    return f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quoted}"


def _split(request: Request, opened: OpenForm) -> dict[str, list[str]]:
    found = {}
    with reading(request.app.state.engine) as session:
        for table in opened.table.walk():
            columns = [column for column in table.columns if column.is_multiple]
            keys = {column.key: WHOLE_CHOICE for column in columns}
            values = lab_queries.answer_counts(session, opened.form_id, keys, table.steps)
            found.update({column.name: split_choices(column, values[column.key]) for column in columns})
    return found


def placed_questions(request: Request, opened: OpenForm) -> set[str]:
    """Return the questions beside which some record keeps a place chosen from the list."""
    asked = {column.name for table in opened.table.walk() for column in table.columns if column.question.type == POINT}
    found: set[str] = set()
    if asked:
        with reading(request.app.state.engine) as session:
            for body in bodies_with_places(session, opened.form_id):
                found |= questions_in(json.loads(body))
    return found & asked


# --- one record


@router.get("/records/{record_id}.xml")
def export_xml(request: Request, reader: Reader, record_id: str) -> Response:
    """Send a record as ODK writes it. Raises record_not_found (also once erased) and form_not_found.

    Who may not see direct identifiers gets it without those answers.
    """
    with reading(request.app.state.engine) as session:
        record = record_queries.record_by_id(session, record_id)
    if record is None or record.body is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    note(request, reader, "read_record", record_id, count=1)
    name = quote(f"{file_stem(record.id)}.xml", safe="")
    headers = {"Content-Disposition": f"inline; filename=\"{name}\"; filename*=UTF-8''{name}"}
    xml = _xml(request, record, record.body, is_whole=reader.may("identifiers"))
    return Response(xml, media_type="application/xml", headers=headers)


def _xml(request: Request, record: Record, body: str, is_whole: bool) -> str:
    forms = request.app.state.forms
    form = forms.get(record.form, record.version)
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{record.form} {record.version}")
    content = json.loads(body)
    if not is_whole:
        versions = (forms.get(record.form, row.version) for row in forms.versions(record.form))
        content = without_identifiers(content, [each for each in versions if each is not None])
    ended = parse_iso(str(content.get("finished"))) or (record.received_ms, 0)
    return to_xml(form, content | {"now": ended})
