"""One small file that a page posts, read whole and never beyond its limit."""

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from collector.web import read_body

PARTS_BYTES = 64 * 1024  # what a multipart body adds to the file
MOST_FIELDS = 5


async def posted_file(request: Request, most_bytes: int) -> tuple[str, bytes]:
    """Return (name, bytes) of the posted `file`; ("", b"") where none was chosen. Raises ProblemError too_large."""
    body = await read_body(request, most_bytes + PARTS_BYTES)

    async def again() -> Message:
        return {"type": "http.request", "body": body}

    async with Request(request.scope, again).form(max_files=1, max_fields=MOST_FIELDS) as posted:
        file = posted.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return "", b""
        return file.filename, await file.read()
