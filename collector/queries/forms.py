"""Published forms."""

from sqlmodel import Session, col, select

from collector.tables import FormVersion


def list_forms(session: Session) -> list[FormVersion]:
    """Return every published version, newest first."""
    newest = (col(FormVersion.published_ms).desc(), col(FormVersion.version).desc())
    return list(session.exec(select(FormVersion).order_by(*newest)))


def get_form(session: Session, form_id: str, version: str) -> FormVersion | None:
    """Return one published version, or None."""
    return session.get(FormVersion, (form_id, version))


def add_form(session: Session, row: FormVersion) -> None:
    """Add a version. The caller has asked `get_form` first: versions are immutable."""
    session.add(row)
