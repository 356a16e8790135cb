"""Recordings of a form's texts: kept whole, a few kilobytes each."""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, delete, event, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from collector.tables.forms import Voice

MAX_VOICE_BYTES = 1024 * 1024  # a minute of speech, even uncompressed by a careless recorder
MAX_FORM_BYTES = 40 * 1024 * 1024
# who is told, once a change is in the store, of which form a voice came or went
_WATCHERS: "WeakKeyDictionary[Engine, Callable[[str], None]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class VoiceFacts:
    """A recording without its sound. sha256: lower-case hex."""

    place: str
    text: str
    language: str
    sha256: str
    media_type: str
    made_by: str
    made_ms: int
    size_bytes: int


def list_voices(session: Session, form_id: str) -> list[VoiceFacts]:
    """Return the recordings of a form, in no order."""
    size = func.length(col(Voice.content))
    columns = (col(Voice.place), col(Voice.text), col(Voice.language), col(Voice.sha256), col(Voice.media_type),
               col(Voice.made_by), col(Voice.made_ms), size)  # fmt: skip
    return [VoiceFacts(*row) for row in session.execute(select_columns(*columns).where(col(Voice.form_id) == form_id))]


def find_voice(session: Session, form_id: str, sha256: str) -> tuple[str, bytes] | None:
    """Return (media type, sound) of a recording of this form, or None."""
    asked = select(Voice).where(col(Voice.sha256) == sha256, col(Voice.form_id) == form_id).limit(1)
    row = session.exec(asked).first()
    return (row.media_type, row.content) if row else None


def read_voice(session: Session, sha256: str) -> bytes:
    """Return the sound of any recording with this content, b"" for none."""
    row = session.exec(select(Voice).where(col(Voice.sha256) == sha256).limit(1)).first()
    return row.content if row else b""


def voice_at(session: Session, form_id: str, place: str, text: str, language: str) -> Voice | None:
    """Return the recording of these words in this language, or None."""
    return session.get(Voice, (form_id, place, text, language))


def put_voice(session: Session, row: Voice) -> None:
    """Keep a recording in the place of an earlier one of the same words in the same language."""
    drop_voice(session, row.form_id, row.place, row.text, row.language)
    session.add(row)


def drop_voice(session: Session, form_id: str, place: str, text: str, language: str) -> None:
    """Remove a recording; nothing happens where there is none."""
    named = (col(Voice.form_id) == form_id, col(Voice.place) == place)
    session.execute(delete(Voice).where(*named, col(Voice.text) == text, col(Voice.language) == language))
    tell_watcher(session, form_id)


def tell_watcher(session: Session, form_id: str) -> None:
    """Let the watcher of this store know, once it is committed, that pages of a form must be drawn anew."""
    watcher = _WATCHERS.get(session.get_bind().engine)
    if watcher is not None:
        event.listen(session, "after_commit", lambda _session: watcher(form_id), once=True)


def watch_voices(engine: Engine, watcher: Callable[[str], None]) -> None:
    """Let `watcher` know the form of every voice that comes or goes, and of every plan that changes, by any door."""
    _WATCHERS[engine] = watcher
