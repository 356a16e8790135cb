"""Files of answers for people of the lab: photos are shown, everything else is a download. Nothing in them may run."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import blobs
from collector.queries.blobs import NamedFile
from collector.routes.access import lab_user
from sync.blobs import catch_up

router = APIRouter(prefix="/lab", include_in_schema=False)
User = Annotated[str, Depends(lab_user)]
# what a browser only draws; an SVG may hold scripts, so it is a download like the rest
DRAWN = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp")


@router.get("/archivo/{sha256}")
def show_file(request: Request, user: User, sha256: str) -> Response:
    """Send a file of an answer. Its bytes came from a stranger: no type is guessed and nothing in it runs."""
    engine: Engine = request.app.state.engine
    catch_up(engine)  # a file posted without scripts is named by its record alone, and nobody may have looked yet
    with reading(engine) as session:
        found = blobs.file_named(session, sha256)
    if found is None:
        raise ProblemError(PROBLEMS["file_not_here"], sha256=sha256)
    kind = "inline" if found.media_type in DRAWN else "attachment"
    headers = {
        "Content-Length": str(found.bytes),
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_pieces(engine, found), headers=headers, media_type=found.media_type)


def _pieces(engine: Engine, found: NamedFile) -> Iterator[bytes]:
    """Read piece by piece, each in a transaction of its own: a slow reader must not hold one open."""
    for at in range(0, found.bytes, blobs.PIECE_BYTES):
        with reading(engine) as session:
            yield blobs.read_part(session, found.sha256, at, blobs.PIECE_BYTES)
