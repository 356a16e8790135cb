"""Published forms at hand: read once from the store, kept as typed Forms. Also where a form is published."""

import hashlib
import json
import logging
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from threading import Lock

from sqlalchemy import Engine

from collector.clock import now_ms
from collector.db import reading, writing
from collector.forms.model import FORM_SHAPE, Form, form_from_json, form_to_json
from collector.forms.report import FormErrors, FormProblem
from collector.problems import PROBLEMS, ProblemError
from collector.queries import forms as form_queries
from collector.queries import plans as plan_queries
from collector.queries.forms import MAX_FILES_BYTES, FileFacts, StoredFile
from collector.tables.forms import FormVersion

TEXT_ENDINGS = (".csv", ".xml", ".geojson")  # lists: what the form's expressions read
MAX_NAME_LETTERS = 200
log = logging.getLogger("collector.forms")
UNKNOWN_TYPE = "application/octet-stream"
# by the name's ending alone, the same on every machine; nothing here that a browser could run as a page of ours
MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8", ".xml": "application/xml", ".geojson": "application/geo+json",
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".svg": "image/svg+xml", ".avif": "image/avif", ".bmp": "image/bmp",
    ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".aac": "audio/aac", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".opus": "audio/ogg", ".wav": "audio/wav", ".amr": "audio/amr",
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".3gp": "video/3gpp", ".pdf": "application/pdf",
}  # fmt: skip


class VersionTaken(Exception):
    """The same form_id and version stand here with other content."""


class FormStore:
    """Forms of one node, cached; a version never changes once published."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._forms: dict[tuple[str, str], Form] = {}
        self._lock = Lock()

    def get(self, form_id: str, version: str) -> Form | None:
        """Return the form, or None when this node does not hold it."""
        with self._lock:
            known = self._forms.get((form_id, version))
        if known is not None:
            return known
        with reading(self._engine) as session:
            row = form_queries.get_form(session, form_id, version)
        if row is None:
            return None
        form = self._form_of(row)
        with self._lock:
            # two threads may have read it at once: everybody goes on with the same one
            return self._forms.setdefault((form_id, version), form)

    def _form_of(self, row: FormVersion) -> Form:
        """Return a stored form; one that an older release compiled is read again from its XForm."""
        definition = json.loads(row.definition)
        if definition.get("shape") == FORM_SHAPE:
            return form_from_json(definition)
        from collector.forms.xform import read_xform  # not on every start, and seldom at all

        with reading(self._engine) as session:
            names = [file.name for file in form_queries.list_files(session, row.form_id, row.version)]
            held = [form_queries.get_file(session, row.form_id, row.version, name) for name in names]
        files = {file.name: file.content for file in held if file is not None}
        try:
            return read_xform(row.xform, media=texts_of(files), sha256=row.sha256)
        except FormErrors:  # refused today, published then: it stays valid as it was compiled
            log.exception("form %s %s cannot be read again", row.form_id, row.version)
            return form_from_json(definition)

    def versions(self, form_id: str | None = None) -> list[FormVersion]:
        """Return published versions, newest first; of one form when given."""
        with reading(self._engine) as session:
            rows = form_queries.list_forms(session)
        return [row for row in rows if form_id is None or row.form_id == form_id]

    def current(self) -> list[FormVersion]:
        """Return the newest version of each form, newest form first."""
        newest: dict[str, FormVersion] = {}
        for row in self.versions():
            newest.setdefault(row.form_id, row)
        return list(newest.values())

    def open(self) -> list[FormVersion]:
        """Return the newest version of each form that takes new answers on this node, newest form first."""
        with reading(self._engine) as session:
            closed = plan_queries.not_open(session)
        return [row for row in self.current() if row.form_id not in closed]

    def public(self) -> list[FormVersion]:
        """Return the newest version of each form with a page of results for everybody, newest form first."""
        with reading(self._engine) as session:
            told = {form_id for form_id, plan in plan_queries.plans(session).items() if plan.is_public}
        return [row for row in self.current() if row.form_id in told] if told else []

    def file(self, form_id: str, version: str, name: str) -> StoredFile | None:
        """Return one file of a version with its content, None when there is none of that name."""
        with reading(self._engine) as session:
            return form_queries.get_file(session, form_id, version, as_name(name))

    def files(self, form_id: str, version: str) -> list[FileFacts]:
        """Return the files of a version by name, without their content."""
        with reading(self._engine) as session:
            return form_queries.list_files(session, form_id, version)

    def file_piece(self, sha256: str, start: int, count: int) -> bytes:
        """Return up to `count` bytes from `start` of a file that stands here; b"" for none."""
        with reading(self._engine) as session:
            return form_queries.read_content(session, sha256, start, count)

    def install(
        self, xform: str, source_name: str = "", source: bytes = b"", files: Mapping[str, bytes] | None = None
    ) -> bool:
        """Publish an XForm that was checked here or upstream, with the files it names; True when it is new.

        Raises VersionTaken for other content under a version already published: records name their version. Also
        FormErrors for what cannot be used, ProblemError too_large for files that weigh too much together.
        """
        from collector.forms.xform import read_xform
        from collector.forms.xform.digest import form_digest

        named = usable_files(files or {})
        sha256 = form_digest(xform, named)
        form = read_xform(xform, media=texts_of(named), sha256=sha256)
        with writing(self._engine) as session:
            held = form_queries.get_form(session, form.form_id, form.version)
            if held is not None:
                if held.sha256 == sha256:
                    return False
                raise VersionTaken(f"{form.form_id} {form.version}")
            row = FormVersion(
                form_id=form.form_id,
                version=form.version,
                sha256=sha256,
                title=form.title,
                xform=xform,
                definition=json.dumps(form_to_json(form), ensure_ascii=False),
                source_name=source_name,
                source=source,
                published_ms=now_ms(),
            )
            form_queries.add_form(session, row, [stored_file(name, content) for name, content in named.items()])
        return True


# --- a form's files


def stored_file(name: str, content: bytes) -> StoredFile:
    """Return a file with what a store knows of it."""
    return StoredFile(name, hashlib.sha256(content).hexdigest(), media_type_of(name), len(content), content)


def as_name(name: str) -> str:
    """Return a file's name with its accents composed: a Mac takes them apart, the form's author does not."""
    return unicodedata.normalize("NFC", name)


def media_type_of(name: str) -> str:
    """Return the media type that a file is sent with."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), UNKNOWN_TYPE)


def usable_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files under their names as kept here. Raises FormErrors, ProblemError too_large."""
    size = sum(map(len, files.values()))
    if size > MAX_FILES_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=size, limit=MAX_FILES_BYTES)
    named = {as_name(name): content for name, content in files.items()}
    problems = [_bad_name(name) for name in named if not is_usable_name(name)]
    problems += [_not_utf8(name) for name, content in named.items() if is_text(name) and _text(content) is None]
    if problems:
        raise FormErrors(problems)
    return named


def texts_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the text of the lists among the files; a byte order mark is left out."""
    texts = {name: _text(content) for name, content in files.items() if is_text(name)}
    return {name: text for name, text in texts.items() if text is not None}


def is_text(name: str) -> bool:
    """Tell whether a file is a list, which the form reads as text."""
    return name.lower().endswith(TEXT_ENDINGS)


def is_usable_name(name: str) -> bool:
    """Tell whether a file can have this name: one part of an address, nothing that cannot be seen."""
    return 0 < len(name) <= MAX_NAME_LETTERS and name.isprintable() and name[0] != "." and not set(name) & set("/\\")


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _bad_name(name: str) -> FormProblem:
    return FormProblem(
        "", "settings", f"Un archivo no se puede llamar «{name[:60]}».", "Use letras, números, espacios y un punto.",
        message_en=f'A file cannot be called "{name[:60]}".', hint_en="Use letters, digits, blanks and a dot.",
    )  # fmt: skip


def _not_utf8(name: str) -> FormProblem:
    return FormProblem(
        "", "settings", f"El archivo «{name}» no está en UTF-8.", "Guárdelo otra vez como «CSV UTF-8».",
        message_en=f'The file "{name}" is not UTF-8.', hint_en='Save it again as "CSV UTF-8".',
    )  # fmt: skip
