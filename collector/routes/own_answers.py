"""What a person may have of their own answers with the receipt code: read them, and take everything away in one file.

The code stands in the body of posts only. Works on any node that has the record, without internet (privacy: access and
portability).
"""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from collector.db import reading
from collector.forms.listed import labels_of
from collector.forms.model import Form
from collector.lab.results import moment_in
from collector.lab.tables import answers_of, language_of, tables_of
from collector.lab.whole_record import Answer, RecordReader, Rows, files_of
from collector.pages import page, page_language, render
from collector.queries import blobs
from collector.routes.lab_scope import zone_here
from collector.routes.withdrawal import Posted, WrongCodes, with_claimed
from collector.tables.log import Record
from collector.territory import place_labels

router = APIRouter(include_in_schema=False)
IN_MEMORY = 1024 * 1024
PART = 256 * 1024


@dataclass(frozen=True)
class OwnRecord:
    """A record as its person reads it. content: the record itself; answers: its questions in form order."""

    id: str
    title: str
    moment: str
    content: dict[str, Any]
    answers: list[Answer | Rows]
    files: dict[str, str]


@router.post("/codigo/ver")
def read_own(request: Request, posted: Posted, wrong: WrongCodes) -> Response:
    """Show the answers that a code claims, question by question."""

    def show(code: str, records: list[Record]) -> Response:
        own = [_own(request, record) for record in records]
        return page(request, "citizen/own_answers.html", {"code": code, "records": own, "base": "base_citizen.html"})

    return with_claimed(request, posted, wrong, show)


@router.post("/codigo/descargar")
def download_own(request: Request, posted: Posted, wrong: WrongCodes) -> Response:
    """Send everything tied to a code as one ZIP: a page to read, the same as JSON, and the files of the answers."""

    def send(code: str, records: list[Record]) -> Response:
        own = [_own(request, record) for record in records]
        scope = {"code": code, "records": own, "base": "citizen/_alone.html", "lang": page_language(request)}
        made = _zip(request.app.state.engine, own, render(request, "citizen/own_answers.html", scope))
        headers = {"Content-Disposition": 'attachment; filename="mis-respuestas.zip"'}
        return StreamingResponse(_parts(made), headers=headers, media_type="application/zip")

    return with_claimed(request, posted, wrong, send)


def _own(request: Request, record: Record) -> OwnRecord:
    form: Form | None = request.app.state.forms.get(record.form, record.version)
    content: dict[str, Any] = json.loads(record.body or "{}")
    language = language_of(form, page_language(request)) if form else ""
    places = labels_of(content.get("places"), place_labels())
    reader = RecordReader(language, files_of(content), places=places)
    return OwnRecord(
        record.id,
        form.title if form else record.form,
        moment_in(str(content.get("finished", "")), zone_here()),
        content,
        reader.parts(tables_of([form] if form else []), answers_of(content)),
        files_of(content),
    )


def _zip(engine: Engine, records: list[OwnRecord], html: str) -> IO[bytes]:
    """Write the ZIP; beyond 1 MiB on the disk. A file that is not here whole is named in the JSON and left out."""
    made: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mis-respuestas.html", html)
        contents = [record.content for record in records]
        archive.writestr("mis-respuestas.json", json.dumps(contents, ensure_ascii=False, indent=2))
        for record in records:
            for name, sha256 in record.files.items():
                _add_file(engine, archive, f"archivos/{record.id}-{_plain_name(name)}", sha256)
    made.seek(0)
    return made


def _add_file(engine: Engine, archive: zipfile.ZipFile, path: str, sha256: str) -> None:
    with reading(engine) as session:
        held = blobs.held(session, [sha256]).get(sha256)
        if held is None or not held.is_whole:
            return
        with archive.open(path, "w") as out:
            for at in range(0, held.bytes, PART):
                out.write(blobs.read_part(session, sha256, at, min(PART, held.bytes - at)))


def _plain_name(name: str) -> str:
    """Return a name that every system takes as a file's: a record comes from anywhere."""
    return (
        "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in name)[-80:].lstrip(".")
        or "archivo"
    )


def _parts(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        while part := made.read(PART):
            yield part
