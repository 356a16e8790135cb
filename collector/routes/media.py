"""The files of a form as its page shows them: pictures and sounds of labels and choices, lists.

They come from whoever wrote the form, so nothing in them may run. Pictures, sounds and videos are shown; the rest is
a download. SVG too: an <img> draws it all the same (it looks at neither disposition nor policy), and opened by itself
it would be a page of this origin, with scripts. The sandbox is for what a browser opens in spite of that.
"""

import gzip
import re
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from collector.form_store import FormStore, as_name
from collector.forms.model import Form
from collector.kept_pages import WEEK
from collector.problems import PROBLEMS, ProblemError
from collector.queries.forms import FileFacts

router = APIRouter(include_in_schema=False)
SANDBOX = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox"
DRAWN = ("image/", "audio/", "video/")
ZIPPED = ("text/", "image/svg+xml", "application/xml", "application/geo+json")  # sent gzipped, and not in ranges
ONE_RANGE = re.compile("bytes=([0-9]{0,15})-([0-9]{0,15})")
KEPT_SOUND_BYTES = 200_000  # half a minute of speech
KEPT_BYTES = 3_000_000


@router.api_route("/f/{form_id}/{version}/media/{name}", methods=["GET", "HEAD"])
def form_file(request: Request, form_id: str, version: str, name: str) -> Response:
    """Send a file of a form, or the range of it that a player asks for. Its bytes never change."""
    forms: FormStore = request.app.state.forms
    facts = {file.name: file for file in forms.files(form_id, version)}.get(as_name(name))
    if facts is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    headers = file_headers(facts)
    if headers["ETag"] in _etags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if headers["Accept-Ranges"] == "bytes" and request.headers.get("if-range", headers["ETag"]) == headers["ETag"]:
        wanted = range_of(request.headers.get("range", ""), facts.size_bytes)
        if wanted is not None:
            return _send_range(forms, facts, wanted, headers)
    return _send_whole(request, forms, facts, headers)


def file_headers(facts: FileFacts) -> dict[str, str]:
    """Return the headers of a file that anybody may have written."""
    is_shown = facts.media_type.startswith(DRAWN) and facts.media_type != "image/svg+xml"
    disposition = "inline" if is_shown else "attachment"
    return {
        "Content-Type": facts.media_type,
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(facts.name, safe='')}",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": WEEK,
        "ETag": f'"{facts.sha256[:16]}"',
        "Accept-Ranges": "none" if facts.media_type.startswith(ZIPPED) else "bytes",
    }


def _etags(header: str) -> list[str]:
    """Return the tags of If-None-Match; a weak one names the same bytes."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def range_of(header: str, size: int) -> range | None:
    """Return the bytes that a Range header asks for, an empty range for none of them, None for the whole file.

    Several ranges at once, or a header that is not understood, get the whole file, as RFC 9110 allows.
    """
    match = ONE_RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


def _send_range(forms: FormStore, facts: FileFacts, wanted: range, headers: dict[str, str]) -> Response:
    if not wanted:
        outside = {"Content-Range": f"bytes */{facts.size_bytes}", "Content-Type": "text/plain"}
        return Response(status_code=416, headers={**headers, **outside, "Cache-Control": "no-store"})
    piece = forms.file_piece(facts.sha256, wanted.start, len(wanted))
    said = f"bytes {wanted.start}-{wanted.stop - 1}/{facts.size_bytes}"
    return Response(piece, 206, {**headers, "Content-Range": said})


def _send_whole(request: Request, forms: FormStore, facts: FileFacts, headers: dict[str, str]) -> Response:
    content = forms.file_piece(facts.sha256, 0, facts.size_bytes)
    if headers["Accept-Ranges"] == "bytes":
        return Response(content, headers=headers)
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content, headers=headers)
    return Response(gzip.compress(content, mtime=0), headers={**headers, "Content-Encoding": "gzip"})


# --- for the form's page


def media_address(form_id: str, version: str, reference: str) -> str:
    """Return the address of a file that a form names ("jr://images/agua.png", "agua.png")."""
    name = as_name(reference.rpartition("/")[2])
    return f"/f/{quote(form_id, safe='')}/{quote(version, safe='')}/media/{quote(name, safe='')}"


def media_addresses(form: Form, files: list[FileFacts]) -> list[str]:
    """List the files that the form's page should keep for when there is no signal, in the order of the form.

    Pictures of labels and choices, and sounds of half a minute; 3 MB in all. Longer sounds and videos are played from
    the node. files: `FormStore.files(form_id, version)`.
    """
    held = {file.name: file for file in files}
    kept: dict[str, int] = {}
    for reference in _named_media(form):
        facts = held.get(as_name(reference.rpartition("/")[2]))
        if facts is not None and _is_kept(facts) and sum(kept.values()) + facts.size_bytes <= KEPT_BYTES:
            kept[media_address(form.form_id, form.version, facts.name)] = facts.size_bytes
    return list(kept)


def _is_kept(facts: FileFacts) -> bool:
    is_short = facts.media_type.startswith("audio/") and facts.size_bytes <= KEPT_SOUND_BYTES
    return is_short or facts.media_type.startswith("image/")


def _named_media(form: Form) -> list[str]:
    """Return what labels and choices show or play, each once, in the order of the form."""
    found: dict[str, None] = {}
    for question in form.questions:
        choices = form.lists.get(question.list_name, ())
        for media in (question.media, *(choice.media for choice in choices)):
            found |= dict.fromkeys(name for said in media.values() for name in said.values())
    return list(found)
