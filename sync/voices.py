"""Voices on their way down: what was recorded of a form's texts, upstream, comes with the list of forms.

They only come down, and only newer ones replace what is here: a voice recorded here stays, one removed upstream stays
too. A voice that cannot be had holds nothing up; the list is asked for again.
"""

import logging
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from collector.db import reading, writing
from collector.queries import voices
from collector.tables.forms import Voice

MOST_LETTERS = 300
log = logging.getLogger("collector.sync")


@dataclass(frozen=True)
class ListedVoice(voices.VoiceFacts):
    """A voice as the upstream lists it, with its form."""

    form_id: str


def pull_voices(engine: Engine, listed: list[Any], ask: Callable[[str], dict[str, Any]]) -> bool:
    """Fetch the voices that are not here or newer there; tell whether all are here. `ask`: GET, raises for the line."""
    wanted = [voice for voice in _listed(listed) if _is_wanted(engine, voice)]
    failed = [voice for voice in wanted if not _pull(engine, voice, ask)]
    return not failed


def _listed(entries: list[Any]) -> Iterator[ListedVoice]:
    for entry in entries:
        for one in (entry.get("voices") or ()) if isinstance(entry, dict) else ():
            voice = _read(entry, one)
            if voice is None:
                log.warning("a voice left out: %.200s", one)
            else:
                yield voice


def _read(entry: dict[str, Any], one: Any) -> ListedVoice | None:
    try:
        texts = {key: str(one[key]) for key in ("place", "text", "language", "sha256", "media_type", "made_by")}
        facts = {"made_ms": int(one["made_ms"]), "size_bytes": int(one["bytes"])}
        voice = ListedVoice(form_id=str(entry["form_id"]), **texts, **facts)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError):
        return None
    is_usable = 0 < voice.size_bytes <= voices.MAX_VOICE_BYTES and len(voice.text) == 16
    is_short = all(len(text) <= MOST_LETTERS and text.isprintable() for text in texts.values())
    return voice if is_usable and is_short and voice.media_type.startswith("audio/") else None


def _is_wanted(engine: Engine, voice: ListedVoice) -> bool:
    with reading(engine) as session:
        held = voices.voice_at(session, voice.form_id, voice.place, voice.text, voice.language)
    return held is None or (held.sha256 != voice.sha256 and held.made_ms < voice.made_ms)


def _pull(engine: Engine, voice: ListedVoice, ask: Callable[[str], dict[str, Any]]) -> bool:
    try:
        content = b64decode(str(ask(f"/voices/{quote(voice.sha256, safe='')}").get("content", "")), validate=True)
    except ValueError:
        content = b""
    if sha256(content).hexdigest() != voice.sha256:
        log.warning("a voice of %s came as something else", voice.form_id)
        return False
    row = Voice(
        form_id=voice.form_id, place=voice.place, text=voice.text, language=voice.language, sha256=voice.sha256,
        media_type=voice.media_type, made_by=voice.made_by, made_ms=voice.made_ms, content=content,
    )  # fmt: skip
    with writing(engine) as session:
        voices.put_voice(session, row)
    return True
