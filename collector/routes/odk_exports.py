"""Submissions as files, at ODK Central's addresses: CSV, all tables with media in a ZIP, places as GeoJSON.

Each is noted in the audit before the first byte leaves, and made while it is sent: memory stays flat at any size. A
file of choices in columns, or of several tables, reads the submissions once more for each.
"""

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from collector.db import reading
from collector.exports.records import file_pieces
from collector.lab.odk_csv import Layout, Sent, add_choices, in_order, root_lines, row_lines
from collector.lab.odk_fields import AUDIT, Field, fields_of, merged
from collector.lab.odk_filter import EVERYTHING, Filter, FilterError, read_filter
from collector.lab.odk_geojson import count_asked, feature_of, geojson_pieces
from collector.lab.odk_names import MediaNames, as_download, sanitized, table_names
from collector.lab.odk_zip import audit_lines
from collector.lab.tables import text_at
from collector.lab.zipped import archive_pieces, in_pieces
from collector.odk_problems import OdkError
from collector.odk_submissions import Known, Shelf
from collector.queries import odk
from collector.routes.access import Person
from collector.routes.audited import note
from collector.routes.lab_scope import zone_here
from collector.routes.odk_common import (
    PLACES_TYPE,
    OdkRoute,
    Project,
    places_asked,
    purpose_of,
    said_no,
    said_yes,
    shelf_of,
    who_may,
)

router = APIRouter(prefix="/v1", include_in_schema=False, route_class=OdkRoute)
Exporter = Annotated[Person, Depends(who_may("export"))]
BASE = "/projects/{project_id}/forms/{form_id}"
MOST_LIMIT = 2**31
_LEADING_NUMBER = re.compile(r"\s*\+?0*([1-9][0-9]{0,17})", re.ASCII)
ASKED = ["GET", "HEAD"]
# POST brings the passphrases of encrypted forms; there are none here, and what it brings is left unread
BOTH = [*ASKED, "POST"]


@dataclass(frozen=True)
class Export:
    """What was asked for. numbers: of the submissions of this moment, so that all parts of a file tell of the same."""

    shelf: Shelf
    asked: Filter
    numbers: Sequence[int]

    def each(self) -> Iterator[Known]:
        """Give the submissions asked for, newest first."""
        return self.shelf.each(self.asked, self.numbers)

    def rows(self) -> Iterator[Sent]:
        """Give them as rows of tables."""
        return (known.sent for known in self.each())


@router.api_route(f"{BASE}/submissions.csv", methods=BOTH)
def export_csv(request: Request, project_id: Project, form_id: str, person: Exporter) -> Response:
    """Send the submissions without their repeats."""
    shelf, wanted = shelf_of(request, person, form_id), filter_of(request)
    headers = _headers(request, person, form_id) | {
        "Content-Disposition": as_download(f"{sanitized(form_id)}.csv"),
        "Content-Type": "text/csv; charset=utf-8",
    }
    if answer := _without_body(request, headers):
        return answer
    export = _begin(request, person, shelf, wanted, "csv")
    layout = _layout(request, export)
    return StreamingResponse(in_pieces(root_lines(layout, export.rows())), headers=headers)


@router.api_route(f"{BASE}/submissions.csv.zip", methods=BOTH)
def export_zip(request: Request, project_id: Project, form_id: str, person: Exporter) -> Response:
    """Send every table and, unless `attachments=false`, the files that answers name."""
    shelf, wanted = shelf_of(request, person, form_id), filter_of(request)
    ending = "csv.zip" if said_no(request, "attachments") else "zip"
    headers = _headers(request, person, form_id) | {
        "Content-Disposition": as_download(f"{sanitized(form_id)}.{ending}"),
        "Content-Type": "application/zip",
    }
    if answer := _without_body(request, headers):
        return answer
    export = _begin(request, person, shelf, wanted, "zip")
    layout = _layout(request, export)
    files = _tables(export, layout)
    if not said_no(request, "attachments"):
        files = itertools.chain(files, _media(export), _audits(export))
    return StreamingResponse(archive_pieces(files, datetime.now(zone_here())), headers=headers)


@router.api_route(f"{BASE}/submissions.geojson", methods=ASKED)
def export_geojson(request: Request, project_id: Project, form_id: str, person: Exporter) -> Response:
    """Send where submissions are: of the field that `fieldpath` names, else of the first one outside repeats.

    `limit` counts the newest submissions, whether they have a place or not.
    """
    shelf, asked = shelf_of(request, person, form_id), places_asked(request)
    if len(asked) > 1:
        raise OdkError("one_place", count=len(asked))
    wanted = filter_of(request)
    headers = _headers(request, person, form_id) | {"Content-Type": PLACES_TYPE}
    if answer := _without_body(request, headers):
        return answer
    limit = _limit(request)
    export = _begin(request, person, shelf, wanted, "geojson")
    return StreamingResponse(in_pieces(geojson_pieces(_features(export, asked, limit))), headers=headers)


def _features(export: Export, asked: tuple[str, ...], limit: int) -> Iterator[str]:
    left = limit
    for known in export.each():
        left -= count_asked(known.fields, asked)
        if left < 0:
            return
        feature = feature_of(known.sent, known.fields, asked)
        if feature is not None:
            yield feature


def _limit(request: Request) -> int:
    given = _LEADING_NUMBER.match(request.query_params.get("limit", ""))
    return min(int(given[1]), MOST_LIMIT) if given else MOST_LIMIT


# --- what is asked for


def _begin(request: Request, person: Person, shelf: Shelf, asked: Filter, kind: str) -> Export:
    """Begin an export: it is noted before anything of it leaves."""
    export = Export(shelf, asked, shelf.numbers())
    count, query = len(export.numbers), str(request.url.query)[:500]
    purpose = purpose_of(request, person)
    note(request, person, "export", shelf.form_id, purpose=purpose, count=count, format=f"odk {kind}", query=query)
    return export


def filter_of(request: Request) -> Filter:
    """Return the filter of a request; without one, all but what was removed.

    Raises OdkError filter, field, expression, mistyped.
    """
    given = request.query_params.get("$filter")
    if given is None:
        return EVERYTHING
    try:
        return read_filter(given)
    except FilterError as error:
        name = {"unparseable": "filter", "type": "mistyped"}.get(error.kind, error.kind)
        raise OdkError(name, text=error.text, at=error.at) from error


def _layout(request: Request, export: Export) -> Layout:
    fields = _fields(export.shelf, said_yes(request, "deletedFields"))
    split: dict[str, list[str]] = {}
    if said_yes(request, "splitSelectMultiples"):
        found: dict[str, set[str]] = {}
        for known in export.each():
            if not known.is_removed:
                add_choices(found, known.fields, known.sent.answers)
        split = in_order(found)
    return Layout(fields, split, not said_no(request, "groupPaths"))


def _fields(shelf: Shelf, is_all: bool) -> tuple[Field, ...]:
    versions = shelf.versions()
    return merged(versions) if is_all else fields_of(versions[-1])


# --- what is in a ZIP


def _tables(export: Export, layout: Layout) -> Iterator[tuple[str, Iterable[bytes]]]:
    names = table_names(export.shelf.form_id, layout.fields)
    for steps in layout.tables():
        lines = row_lines(layout, steps, export.rows()) if steps else root_lines(layout, export.rows())
        yield names[steps], _encoded(lines)


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8", "replace") for piece in in_pieces(lines))


def _media(export: Export) -> Iterator[tuple[str, Iterable[bytes]]]:
    names = MediaNames()
    for known in export.each():
        audit = _audit_name(known)
        for name, sha256 in known.files.items():
            given = names.give(name, known.seen.root.id, sha256) if name != audit else ""
            if given:
                yield given, file_pieces(export.shelf.engine, sha256)


def _audits(export: Export) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Give the audits of Collect as one file, if there are any: whether there are is seen at the first line.

    The oldest submission's come first. They tell what people wrote and took back, names too: only whoever sees direct
    identifiers gets them.
    """
    if not export.shelf.is_open:
        return
    lines = audit_lines(
        (known.sent.key, b"".join(file_pieces(export.shelf.engine, known.files[name])))
        for known in export.shelf.each(export.asked, export.numbers[::-1])
        if (name := _audit_name(known)) in known.files
    )
    first = next(lines, None)
    if first is not None:
        yield sanitized(f"{export.shelf.form_id} - audit.csv"), _encoded(itertools.chain([first], lines))


def _audit_name(known: Known) -> str:
    field = next((field for field in known.fields if field.path == AUDIT), None)
    return text_at(known.sent.answers, field.key).strip() if field else ""


# --- headers


def _headers(request: Request, person: Person, form_id: str) -> dict[str, str]:
    """Return headers with a mark that changes with the data, the form, the question, and what the person may see."""
    engine: Engine = request.app.state.engine
    with reading(engine) as session:
        mark = odk.state_mark(session)
    versions = ",".join(row.sha256 for row in request.app.state.forms.versions(form_id))
    parts = (mark, versions, request.url.path, request.url.query, person.may("identifiers"))
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    return {"ETag": f'W/"{digest}"', "Cache-Control": "private, no-cache"}


def _without_body(request: Request, headers: dict[str, str]) -> Response | None:
    """Return the answer to who has the file already, or asks for its headers alone; None where it has to be sent."""
    held = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if request.method in ASKED and headers["ETag"].removeprefix("W/") in held:
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    return StreamingResponse(iter(()), headers=headers) if request.method == "HEAD" else None
