"""Published forms."""

from sqlmodel import Session, col, select

from collector.tables import FormVersion


def list_forms(session: Session) -> list[FormVersion]:
    """Return every published version, newest first."""
    newest = (col(FormVersion.published_ms).desc(), col(FormVersion.version).desc())
    return list(session.exec(select(FormVersion).order_by(*newest)))


def list_manifest(session: Session) -> list[tuple[str, str, str, str]]:
    """Return (form_id, version, sha256, title) of every version, newest first, without the forms themselves."""
    columns = (col(FormVersion.form_id), col(FormVersion.version), col(FormVersion.sha256), col(FormVersion.title))
    newest = (col(FormVersion.published_ms).desc(), col(FormVersion.version).desc())
    rows = session.execute(select(*columns).order_by(*newest))
    return [(form_id, version, sha256, title) for form_id, version, sha256, title in rows]


def get_form(session: Session, form_id: str, version: str) -> FormVersion | None:
    """Return one published version, or None."""
    return session.get(FormVersion, (form_id, version))


def add_form(session: Session, row: FormVersion) -> None:
    """Add a version. The caller has asked `get_form` first: versions are immutable."""
    session.add(row)
