"""Voices: facilitators record a form's texts in a language of its people; the form's page plays them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from collector.clock import iso_here, now_ms
from collector.db import reading, writing
from collector.fill.post_body import Posted, read_posted
from collector.fill.spoken import Spoken, texts_to_speak
from collector.fill.voices import Voice, tongue_name, tongues_of
from collector.forms.model import Form
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.queries import voices
from collector.queries.forms import FileFacts
from collector.queries.voices import MAX_FORM_BYTES, MAX_VOICE_BYTES, VoiceFacts
from collector.routes.access import facilitator
from collector.routes.links import newest_form
from collector.routes.media import file_headers, range_of
from collector.routes.staff_scope import staff_scope
from collector.tables.forms import Voice as VoiceRow

router = APIRouter(include_in_schema=False)
Facilitator = Annotated[str, Depends(facilitator)]


# --- what is heard


@router.get("/f/{form_id}/{version}/media/voice/{digest}")
def send_voice(request: Request, form_id: str, version: str, digest: str) -> Response:
    """Send a recording, or the range of it that a player asks for. Named by its content, so it never changes."""
    with reading(request.app.state.engine) as session:
        found = voices.find_voice(session, form_id, digest)
    if found is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    media_type, content = found
    headers = file_headers(FileFacts(digest[:12], digest, media_type, len(content)))
    wanted = range_of(request.headers.get("range", ""), len(content))
    if wanted is None:
        return Response(content, headers=headers)
    if not wanted:
        said = {"Content-Range": f"bytes */{len(content)}", "Content-Type": "text/plain", "Cache-Control": "no-store"}
        return Response(status_code=416, headers=headers | said)
    piece = content[wanted.start : wanted.stop]
    return Response(piece, 206, headers | {"Content-Range": f"bytes {wanted.start}-{wanted.stop - 1}/{len(content)}"})


def voices_in(request: Request, form: Form) -> dict[tuple[str, str], tuple[Voice, ...]]:
    """Return (place, text) -> recordings of it by language, for the form's page."""
    with reading(request.app.state.engine) as session:
        rows = sorted(voices.list_voices(session, form.form_id), key=lambda row: row.language)
    if not rows:
        return {}
    standing = {(spoken.place, spoken.key) for spoken in texts_to_speak(form)}
    found: dict[tuple[str, str], tuple[Voice, ...]] = {}
    for row in (row for row in rows if (row.place, row.text) in standing):
        voice = Voice(row.language, tongue_name(row.language, form), row.sha256, row.size_bytes)
        found[row.place, row.text] = (*found.get((row.place, row.text), ()), voice)
    return found


def voice_addresses(home: str, found: Mapping[tuple[str, str], tuple[Voice, ...]], most_bytes: int) -> list[str]:
    """List the recordings that the page at `home` keeps for when there is no signal, `most_bytes` in all."""
    kept: dict[str, int] = {}
    for voice in (voice for several in found.values() for voice in several):
        if sum(kept.values()) + voice.size_bytes <= most_bytes:
            kept[f"{home}/media/voice/{voice.sha256}"] = voice.size_bytes
    return list(kept)


# --- where they are recorded


@dataclass(frozen=True)
class Line:
    """A text with the recording it has in the language of the page, None for none yet."""

    spoken: Spoken
    held: VoiceFacts | None
    anchor: str


@dataclass(frozen=True)
class Desk:
    """Where voices are recorded: by facilitators or by the lab. scope: its band and frame; back: where to go on."""

    address: str
    back: str
    scope: Mapping[str, Any]


def _facilitators(request: Request, form_id: str) -> Desk:
    return Desk(f"/equipo/voces/{quote(form_id, safe='')}", "/equipo", staff_scope(request, "/equipo/voces"))


@router.get("/equipo/voces/{form_id}")
def show(request: Request, form_id: str, _who: Facilitator, lengua: str = "") -> HTMLResponse:
    """List the texts of a form, each with its recording in one language and the way to make one."""
    return voices_page(request, newest_form(request, form_id), _facilitators(request, form_id), lengua)


@router.post("/equipo/voces/{form_id}")
async def change(request: Request, form_id: str, _who: Facilitator) -> Response:
    """Keep a recording, or remove one."""
    posted = await read_posted(request)
    return await run_in_threadpool(change_voice, request, form_id, posted, _facilitators(request, form_id))


def change_voice(request: Request, form_id: str, posted: Posted, desk: Desk) -> Response:
    """Keep the recording that was posted, or remove one, and lead back to its line."""
    form = newest_form(request, form_id)
    fields = posted.fields
    tongue, place, key = fields.get("lengua", ""), fields.get("place", ""), fields.get("text", "")
    known = {(spoken.place, spoken.key) for spoken in texts_to_speak(form)}
    if tongue not in tongues_of(form) or (place, key) not in known:
        raise ProblemError(PROBLEMS["bad_request"], reason="ese texto ya no está en la encuesta")
    trouble = _drop(request, form, place, key, tongue) if fields.get("go") == "drop" else ""
    if fields.get("go") != "drop":
        trouble = _keep(request, form, VoiceRow(
            form_id=form_id, place=place, text=key, language=tongue, sha256="", media_type="",
            made_by=request.app.state.node_name, made_ms=now_ms(),
            content=posted.files[0].content if posted.files else b"",
        ))  # fmt: skip
    if trouble:
        return voices_page(request, form, desk, tongue, trouble, anchor_of(place), 422)
    query = urlencode({"lengua": tongue})
    return RedirectResponse(f"{desk.address}?{query}#{anchor_of(place)}", 303)


def _keep(request: Request, form: Form, row: VoiceRow) -> str:
    """Store the recording; return why not, or ""."""
    row.sha256, row.media_type = sha256(row.content).hexdigest(), sound_type(row.content)
    if not row.content:
        return "none"
    if not row.media_type:
        return "no_sound"
    if len(row.content) > MAX_VOICE_BYTES:
        return "too_large"
    with writing(request.app.state.engine) as session:
        held = sum(each.size_bytes for each in voices.list_voices(session, form.form_id))
        if held + len(row.content) > MAX_FORM_BYTES:
            return "full"
        voices.put_voice(session, row)
    return ""


def _drop(request: Request, form: Form, place: str, key: str, tongue: str) -> str:
    with writing(request.app.state.engine) as session:
        voices.drop_voice(session, form.form_id, place, key, tongue)
    return ""


def sound_type(content: bytes) -> str:
    """Return the media type of a sound by its first bytes, "" for what no phone would play."""
    if content.startswith(b"\x1aE\xdf\xa3"):
        return "audio/webm"
    if content.startswith(b"OggS"):
        return "audio/ogg"
    if content[4:8] == b"ftyp":
        return "audio/mp4"
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return "audio/wav"
    if content.startswith(b"ID3") or (content[:1] == b"\xff" and content[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa")):
        return "audio/mpeg"
    return "audio/aac" if content[:1] == b"\xff" and content[1:2] in (b"\xf1", b"\xf9") else ""


def anchor_of(place: str) -> str:
    """Return the id of a text's line in the page."""
    return "t-" + sha256(place.encode()).hexdigest()[:8]


def voices_page(
    request: Request, form: Form, desk: Desk, tongue: str, trouble: str = "", where: str = "", status: int = 200
) -> HTMLResponse:
    """List the texts with their recordings in one language; `trouble`: why the one at `where` was not kept."""
    tongues = tongues_of(form)
    tongue = tongue if tongue in tongues else next(iter(tongues))
    with reading(request.app.state.engine) as session:
        rows = voices.list_voices(session, form.form_id)
    held = {(row.place, row.text): row for row in rows if row.language == tongue}
    lines = [Line(each, held.get((each.place, each.key)), anchor_of(each.place)) for each in texts_to_speak(form)]
    scope = {
        "form": form, "tongues": tongues, "tongue": tongue, "lines": lines, "trouble": trouble, "where": where,
        "done": sum(line.held is not None for line in lines), "spoken": {row.language for row in rows},
        "home": f"/f/{quote(form.form_id, safe='')}/{quote(form.version, safe='')}",
        "day": lambda ms: iso_here(ms)[:10], "here": desk.address, "back": desk.back,
    }  # fmt: skip
    return page(request, "facilitator/voices.html", scope | dict(desk.scope), status=status)
