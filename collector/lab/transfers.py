"""The register of what was given to somebody outside the lab, out of the audit: who got which answers, and how. Pure.

Source: privacy requirement P28: recipient, purpose, fields, profile and hash of each file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.clock import iso
from collector.tables.lab import AuditEntry

COLUMNS = (
    "at", "who", "role", "recipient", "form", "purpose", "records", "format", "k", "profile", "review", "fields",
    "sha256", "bytes",
)  # fmt: skip


@dataclass(frozen=True)
class Transfer:
    """One file that was given away. fields: sheet -> its columns; profile: what made it safe to share, None if whole.

    k: how many people share what stands in it at least; None where it is whole.
    """

    entry: AuditEntry
    recipient: str
    format: str
    review: str
    profile: Mapping[str, Any] | None
    fields: Mapping[str, list[str]]
    sha256: str
    size_bytes: int

    @property
    def k(self) -> int | None:
        """Return the k of the profile."""
        return None if self.profile is None else int(self.profile.get("k", 0))

    @property
    def field_count(self) -> int:
        """Return how many columns the file had."""
        return sum(map(len, self.fields.values()))

    def line(self) -> tuple[object, ...]:
        """Return the cells under COLUMNS."""
        entry = self.entry
        profile = json.dumps(self.profile, ensure_ascii=False) if self.profile else ""
        fields = "; ".join(f"{name}: {' '.join(columns)}" for name, columns in self.fields.items())
        return (
            iso(entry.at_ms), entry.who, entry.role, self.recipient, entry.subject, entry.purpose, entry.count,
            self.format, self.k, profile, self.review, fields, self.sha256, self.size_bytes,
        )  # fmt: skip


def transfer_of(entry: AuditEntry) -> Transfer:
    """Read an act of the audit; what an earlier release did not note is empty."""
    detail = json.loads(entry.detail)
    profile = detail.get("profile")
    return Transfer(
        entry=entry,
        recipient=str(detail.get("recipient", "")),
        format=str(detail.get("format", "")),
        review=str(detail.get("review", "")),
        profile=json.loads(profile) if isinstance(profile, str) else profile,  # an earlier release kept it as text
        fields=detail.get("fields", {}),
        sha256=str(detail.get("sha256", "")),
        size_bytes=int(detail.get("bytes", 0)),
    )
