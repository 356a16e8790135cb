"""What the lab takes away: a form as CSV, or as a ZIP of CSV when it has repeats; one record as ODK's XML."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from collector.clock import iso, parse_iso
from collector.db import reading
from collector.forms.submission_xml import to_xml
from collector.lab.csv import CsvRecord, Layout, csv_lines, file_names, file_stem, row_lines, split_choices
from collector.lab.listed import questions_in, with_place_columns
from collector.lab.tables import Table
from collector.lab.whole_record import files_of
from collector.lab.zipped import in_pieces, zip_pieces
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries.places import bodies_with_places
from collector.routes.access import lab_user
from collector.routes.lab_opened import Opened, OpenForm
from collector.routes.lab_scope import zone_here
from collector.tables import Record
from collector.territory import place_labels
from sync.blobs import catch_up

router = APIRouter(include_in_schema=False)
User = Annotated[str, Depends(lab_user)]

CSV_RECORDS = 500
MOST_HASHES = 500
POINT = "geopoint"
WHOLE_CHOICE = 4000  # characters of an answer in which choices are looked for


@router.get("/forms/{form_id}/export.csv")
def export_csv(
    request: Request,
    user: User,
    opened: Opened,
    bom: bool = True,
    split: bool = False,
    extra: bool = False,
    safe: bool = False,
    sets: bool = True,
) -> Response:
    """Send every usable record, newest first, a page of records at a time: flat memory whatever the size.

    A form with repeats comes as a ZIP: each file of it reads the log again up to the same last record.
    """
    choices = _split(request, opened) if split else {}
    layout = Layout(opened.table, choices, bom, extra, safe, sets, _placed(request, opened))
    if not any(table.steps for table in opened.table.walk()):
        pieces: Iterable[str | bytes] = in_pieces(csv_lines(layout, _each_record(request, opened.form_id)))
        return _sent(pieces, f"{opened.form_id}.csv", "text/csv")
    return _sent(_zip(request, layout, opened.form_id), f"{opened.form_id}.zip", "application/zip")


def _sent(pieces: Iterable[str | bytes], name: str, media_type: str) -> Response:
    return StreamingResponse(pieces, media_type=media_type, headers={"Content-Disposition": _as_file(name)})


def _as_file(name: str) -> str:
    quoted = quote(name, safe="")
    return f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quoted}"


def _zip(request: Request, layout: Layout, form_id: str) -> Iterator[bytes]:
    with reading(request.app.state.engine) as session:
        end = record_queries.last_number(session) + 1
    names = file_names(form_id, layout.table)
    files = (
        (names[table.steps], _lines(layout, table, _each_record(request, form_id, end)))
        for table in layout.table.walk()
    )
    return zip_pieces(files, datetime.now(zone_here()))


def _lines(layout: Layout, table: Table, records: Iterator[CsvRecord]) -> Iterator[str]:
    return row_lines(layout, table, records) if table.steps else csv_lines(layout, records)


def _split(request: Request, opened: OpenForm) -> dict[str, list[str]]:
    found = {}
    with reading(request.app.state.engine) as session:
        for table in opened.table.walk():
            columns = [column for column in table.columns if column.is_multiple]
            keys = {column.key: WHOLE_CHOICE for column in columns}
            values = lab_queries.answer_counts(session, opened.form_id, keys, table.steps)
            found.update({column.name: split_choices(column, values[column.key]) for column in columns})
    return found


def _placed(request: Request, opened: OpenForm) -> set[str]:
    """Return the questions beside which some record keeps a place chosen from the list."""
    asked = {column.name for table in opened.table.walk() for column in table.columns if column.question.type == POINT}
    found: set[str] = set()
    if asked:
        with reading(request.app.state.engine) as session:
            for body in bodies_with_places(session, opened.form_id):
                found |= questions_in(json.loads(body))
    return found & asked


def _each_record(request: Request, form_id: str, before: int | None = None) -> Iterator[CsvRecord]:
    """Read a page at a time, each in its own short transaction: a slow download holds nothing up."""
    engine: Engine = request.app.state.engine
    own_id = str(request.app.state.node_id)
    catch_up(engine)  # a file that a browser without scripts posted: is it here whole?
    while True:
        with reading(engine) as session:
            records = lab_queries.newest_records(session, form_id, before, CSV_RECORDS)
        if not records:
            return
        contents = [json.loads(record.body or "{}") for record in records]
        held = _whole_files(engine, contents)
        for record, content in zip(records, contents, strict=True):
            here = frozenset(name for name, sha256 in files_of(content).items() if sha256 in held)
            device = record.origin or own_id
            whole = with_place_columns(content, place_labels())
            yield CsvRecord(whole, iso(record.received_ms), device, record.state, record.flags, here)
        before = records[-1].n


def _whole_files(engine: Engine, contents: Iterable[dict[str, Any]]) -> set[str]:
    """Return the hashes of the files named by these records whose bytes are all here."""
    hashes = sorted({sha256 for content in contents for sha256 in files_of(content).values()})
    found: set[str] = set()
    for start in range(0, len(hashes), MOST_HASHES):
        with reading(engine) as session:
            held = blobs.held(session, hashes[start : start + MOST_HASHES])
        found.update(sha256 for sha256, one in held.items() if one.is_whole)
    return found


# --- one record


@router.get("/records/{record_id}.xml")
def export_xml(request: Request, user: User, record_id: str) -> Response:
    """Send a record as ODK writes it. Raises record_not_found (also once erased) and form_not_found."""
    with reading(request.app.state.engine) as session:
        record = record_queries.record_by_id(session, record_id)
    if record is None or record.body is None:
        raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
    name = quote(f"{file_stem(record.id)}.xml", safe="")
    headers = {"Content-Disposition": f"inline; filename=\"{name}\"; filename*=UTF-8''{name}"}
    return Response(_xml(request, record, record.body), media_type="application/xml", headers=headers)


def _xml(request: Request, record: Record, body: str) -> str:
    form = request.app.state.forms.get(record.form, record.version)
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{record.form} {record.version}")
    content = json.loads(body)
    ended = parse_iso(str(content.get("finished"))) or (record.received_ms, 0)
    return to_xml(form, content | {"now": ended})
