"""Files of answers for people of the lab: photos are shown, everything else is a download. Nothing in them may run."""

import json
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from collector.db import reading
from collector.lab.identifiers import without_identifiers
from collector.lab.whole_record import files_of
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.queries.blobs import NamedFile
from collector.queries.records import record_by_id
from collector.routes.access import Person, person_who_may
from collector.routes.audited import note
from collector.routes.lab_opened import versions_of
from sync.blobs import catch_up

router = APIRouter(prefix="/lab", include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("records"))]
MOST_NAMING = 100  # records of one file that are looked through for an answer that may be seen
# what a browser only draws; an SVG may hold scripts, so it is a download like the rest
DRAWN = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp")

# of a file that came from a stranger
FILE_RULES = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


@router.get("/archivo/{sha256}")
def show_file(request: Request, reader: Reader, sha256: str) -> Response:
    """Send a file of an answer. Its bytes came from a stranger: no type is guessed and nothing in it runs.

    Raises file_not_here, also where it answers only questions about who somebody is and the reader may not see those.
    """
    engine: Engine = request.app.state.engine
    catch_up(engine)  # a file posted without scripts is named by its record alone, and nobody may have looked yet
    with reading(engine) as session:
        found = blobs.file_named(session, sha256)
    if found is None or not (reader.may("identifiers") or _is_of_no_person(request, sha256)):
        raise ProblemError(PROBLEMS["file_not_here"], sha256=sha256)
    note(request, reader, "read_file", sha256, count=1)
    kind = "inline" if found.media_type in DRAWN else "attachment"
    headers = {
        "Content-Length": str(found.bytes),
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(found.name, safe='')}",
        **FILE_RULES,
    }
    return StreamingResponse(pieces_of(engine, found), headers=headers, media_type=found.media_type)


def _is_of_no_person(request: Request, sha256: str) -> bool:
    """Tell whether some record names the file as an answer that does not say who somebody is."""
    with reading(request.app.state.engine) as session:
        ids = blobs.records_naming(session, sha256, MOST_NAMING)
        records = [record for each in ids if (record := record_by_id(session, each)) and record.body]
    for record in records:
        content = json.loads(record.body or "{}")
        if sha256 in files_of(without_identifiers(content, versions_of(request, record.form))).values():
            return True
    return False


def pieces_of(engine: Engine, found: NamedFile) -> Iterator[bytes]:
    """Read piece by piece, each in a transaction of its own: a slow reader must not hold one open."""
    for at in range(0, found.bytes, blobs.PIECE_BYTES):
        with reading(engine) as session:
            yield blobs.read_part(session, found.sha256, at, blobs.PIECE_BYTES)
