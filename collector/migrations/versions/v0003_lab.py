"""What the lab needs: roles and rights, the audit, plans of forms, reviews of records, what looks odd in
them, and what their terms took away.

Additions only. Everybody who had an account could do everything: they become admins. Tokens read everything: they do.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from collector import append_only

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add what is new. Cost: 2 s for a million records, the index over their forms."""
    _add("account", _text("role", "lab"), _text("municipality"), _number("closed_ms"), _text("totp_secret"))
    _add("account", _number("totp_step"), sa.Column("must_change", sa.Integer, nullable=False, server_default="0"))
    _add("api_token", _text("scope", "records"), _text("forms"), _number("expires_ms"), _text("purpose"))
    _add("api_token", _text("made_by"), _number("used_ms"))
    _add("node", _text("municipality"))
    _add("record", _text("review"), _text("term"), _number("term_ms"), sa.Column("term_place", sa.String))
    _add("quarantine", _text("term"), _number("term_ms"))
    op.execute("UPDATE account SET role = 'admin'")
    op.execute("UPDATE api_token SET scope = 'identifiers'")
    op.execute("CREATE INDEX ix_record_form_n ON record (form, n)")
    op.execute("CREATE INDEX ix_record_review ON record (form, review, n) WHERE review <> ''")
    fed = "about <> '' AND kind IN ('tombstone', 'annotation')"
    op.execute(f"CREATE INDEX ix_record_feed ON record (changed_n) WHERE {fed}")
    decides = """about <> '' AND kind = 'annotation' AND body LIKE '%"decision"%'"""
    op.execute(f"CREATE INDEX ix_record_decision ON record (n) WHERE {decides}")
    op.execute("CREATE INDEX ix_quarantine_open ON quarantine (why, n) WHERE resolved_by = '' AND body IS NOT NULL")
    _make_audit()
    _make_plans()
    _make_quality()
    _make_term_counts()


def _text(name: str, default: str = "") -> "sa.Column[Any]":
    return sa.Column(name, sa.String, nullable=False, server_default=default)


def _number(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _add(table: str, *columns: "sa.Column[Any]") -> None:
    for column in columns:
        op.add_column(table, column)


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("who", "role", "action", "subject", "purpose")),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    for name in ("who", "action", "subject"):
        op.create_index(f"ix_audit_{name}", "audit", [name, "id"])
    append_only.keep(op.get_bind())


def _make_plans() -> None:
    op.create_table(
        "form_plan",
        sa.Column("form_id", sa.String, primary_key=True),
        sa.Column("closed_ms", sa.BigInteger, nullable=False),
        sa.Column("frequency_days", sa.Integer, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )


def _make_quality() -> None:
    op.create_table(
        "quality",
        sa.Column("record_id", sa.String(36), primary_key=True),
        sa.Column("form", sa.String, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
    )
    op.create_index("ix_quality_form", "quality", ["form"])


def _make_term_counts() -> None:
    keys = ("form", "question", "choice", "place", "month")
    op.create_table(
        "term_count",
        *(sa.Column(name, sa.String, primary_key=True) for name in keys),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
