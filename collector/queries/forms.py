"""Published forms, the files that they came with, and files that are still on their way here.

The content of a file stands in pieces, which no form owns: read from the middle without reading the rest (measured: a
range of an 18 MB video in one value took 28 ms), kept once for all versions, and a file that arrives is simply there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from collector.tables.forms import FormFile, FormFilePiece, FormVersion

MAX_FILES_BYTES = 20 * 1024 * 1024  # of all files of a form, the same on every node: what one takes the next one takes

PIECE_BYTES = 128 * 1024  # half a minute on a slow line, so little is lost by a cut
NEWEST_FIRST = (col(FormVersion.published_ms).desc(), col(FormVersion.version).desc())
# made once: each hello asks them
MANIFEST = select_columns(
    col(FormVersion.form_id), col(FormVersion.version), col(FormVersion.sha256), col(FormVersion.title)
).order_by(*NEWEST_FIRST)
FILES = select_columns(
    *(col(getattr(FormFile, name)) for name in ("form_id", "version", "name", "sha256", "media_type", "size_bytes"))
)


@dataclass(frozen=True)
class FileFacts:
    """What is known of a form's file without reading it. sha256: lower-case hex."""

    name: str
    sha256: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True)
class StoredFile(FileFacts):
    """A form's file, whole."""

    content: bytes


def list_forms(session: Session) -> list[FormVersion]:
    """Return every published version, newest first."""
    return list(session.exec(select(FormVersion).order_by(*NEWEST_FIRST)))


def list_manifest(session: Session) -> list[tuple[str, str, str, str]]:
    """Return (form_id, version, sha256, title) of every version, newest first, without the forms themselves."""
    return [(form_id, version, sha256, title) for form_id, version, sha256, title in session.execute(MANIFEST)]


def get_form(session: Session, form_id: str, version: str) -> FormVersion | None:
    """Return one published version, or None."""
    return session.get(FormVersion, (form_id, version))


def add_form(session: Session, row: FormVersion, files: Sequence[StoredFile] = ()) -> None:
    """Add a version with its files. The caller has asked `get_form` first: versions are immutable."""
    session.add(row)
    for file in files:
        session.add(
            FormFile(
                form_id=row.form_id,
                version=row.version,
                name=file.name,
                sha256=file.sha256,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
            )
        )
    for sha256, content in {file.sha256: file.content for file in files}.items():
        _keep_content(session, sha256, content)


def _keep_content(session: Session, sha256: str, content: bytes) -> None:
    """Keep content that may be here already: another form's, or as it arrived (perhaps not all of it)."""
    if arrived_content(session, sha256) == content:
        return
    session.execute(delete(FormFilePiece).where(col(FormFilePiece.sha256) == sha256))
    starts = range(0, len(content), PIECE_BYTES)
    session.add_all(
        FormFilePiece(sha256=sha256, start=start, content=content[start : start + PIECE_BYTES]) for start in starts
    )


# --- files of published forms


def list_files(session: Session, form_id: str, version: str) -> list[FileFacts]:
    """Return the files of one version, by name."""
    rows = session.exec(select(FormFile).where(FormFile.form_id == form_id, FormFile.version == version))
    return sorted((_facts(row) for row in rows), key=lambda file: file.name)


def files_by_form(session: Session) -> dict[tuple[str, str], list[FileFacts]]:
    """Return (form_id, version) -> its files by name; versions without files are left out."""
    found: dict[tuple[str, str], list[FileFacts]] = {}
    for form_id, version, *facts in session.execute(FILES):
        found.setdefault((form_id, version), []).append(FileFacts(*facts))
    return {key: sorted(files, key=lambda file: file.name) for key, files in found.items()}


def _facts(row: FormFile) -> FileFacts:
    return FileFacts(row.name, row.sha256, row.media_type, row.size_bytes)


def get_file(session: Session, form_id: str, version: str, name: str) -> StoredFile | None:
    """Return one file with its content, or None."""
    row = session.get(FormFile, (form_id, version, name))
    if row is None:
        return None
    return StoredFile(row.name, row.sha256, row.media_type, row.size_bytes, arrived_content(session, row.sha256))


def find_content(session: Session, sha256: str) -> FileFacts | None:
    """Return the facts of any published form's file with this content, or None."""
    row = session.exec(select(FormFile).where(FormFile.sha256 == sha256).limit(1)).first()
    return _facts(row) if row else None


def read_content(session: Session, sha256: str, start: int, count: int) -> bytes:
    """Return up to `count` bytes from `start` of what is here of a content; only the pieces in question are read."""
    first, size = col(FormFilePiece.start), func.length(col(FormFilePiece.content))
    asked = select(first, col(FormFilePiece.content)).where(col(FormFilePiece.sha256) == sha256)
    rows = session.execute(asked.where(first < start + count, first + size > start).order_by(first)).all()
    if not rows:
        return b""
    skipped = start - rows[0][0]
    return b"".join(piece for _, piece in rows)[skipped : skipped + count]


# --- files on their way here


def arrived_bytes(session: Session, sha256: str) -> int:
    """Return how much of a file has arrived: pieces come in order, each where the one before it ended."""
    size = func.sum(func.length(col(FormFilePiece.content)))
    return int(session.execute(select(size).where(col(FormFilePiece.sha256) == sha256)).scalar() or 0)


def add_piece(session: Session, sha256: str, start: int, content: bytes) -> None:
    """Keep the piece that begins at `start`, unless another process has brought it (or more) meanwhile."""
    if arrived_bytes(session, sha256) == start:
        session.add(FormFilePiece(sha256=sha256, start=start, content=content))


def arrived_content(session: Session, sha256: str) -> bytes:
    """Return what is here of a content, put together."""
    pieces = select(col(FormFilePiece.content)).where(col(FormFilePiece.sha256) == sha256)
    return b"".join(session.execute(pieces.order_by(col(FormFilePiece.start))).scalars())


def forget_pieces(session: Session, sha256s: Collection[str] | None = None) -> None:
    """Forget what has arrived and belongs to no form here; of these contents when given."""
    statement = delete(FormFilePiece).where(col(FormFilePiece.sha256).not_in(select(FormFile.sha256)))
    session.execute(statement if sha256s is None else statement.where(col(FormFilePiece.sha256).in_(sha256s)))
