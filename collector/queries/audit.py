"""The audit: who read, took away, changed or erased what. Rows are only ever added: nothing here changes one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from collector.tables.lab import AuditEntry

ACTIONS = (
    "read_record", "read_file", "export", "review", "edit", "erase", "repair", "publish", "plan", "account", "role",
    "password", "token", "code", "release", "retention",
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    """One act. subject: a record's id, a form's id, an account; count: how many records it was about."""

    who: str
    role: str
    action: str
    subject: str
    purpose: str = ""
    count: int = 0
    detail: str = ""


def add_entry(session: Session, done: Done, entry_id: str, at_ms: int, **detail: Any) -> None:
    """Add an act to the audit. Raises KeyError for an action that is not of ACTIONS.

    entry_id: a new UUIDv7; detail: what else belongs to it, kept as JSON.
    """
    if done.action not in ACTIONS:
        raise KeyError(done.action)
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True) if detail else done.detail
    session.add(
        AuditEntry(
            id=entry_id, at_ms=at_ms, who=done.who, role=done.role, action=done.action, subject=done.subject,
            purpose=done.purpose, count=done.count, detail=text,
        )
    )  # fmt: skip


def list_entries(
    session: Session, before: str = "", limit: int = 100, *, who: str = "", action: str = "", subject: str = ""
) -> Sequence[AuditEntry]:
    """Return the latest acts before the one with the id `before`, newest first; of one person, kind or subject."""
    asked = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    wanted = (("who", who), ("action", action), ("subject", subject))
    for name, value in wanted:
        if value:
            asked = asked.where(getattr(AuditEntry, name) == value)
    return session.exec(asked.where(AuditEntry.id < before) if before else asked).all()
