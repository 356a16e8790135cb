"""What trust in syncing needs: statements about records, receipt codes, chains, signatures, the feed, bundles.

Columns only, with what an earlier record would have had in them: its own bytes say when it was finished, what it speaks
of and by which code it is found.
"""

import json
import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

PAGE = 2000
ABOUT = {"edit": "replaces", "annotation": "about", "tombstone": "erases"}
CLAIM = re.compile(r"[0-9a-f]{32}")
READ = sa.text("SELECT n, kind, body FROM record WHERE n > :after ORDER BY n LIMIT :page")
WRITE = sa.text("UPDATE record SET about = :about, claim = :claim, device_ms = :device_ms, changed_n = n WHERE n = :n")


def upgrade() -> None:
    """Add what is new, then read the old records once. Cost: 30 s for a million records."""
    _add("record", _text("about"), _text("claim"), _number("device_ms"), _number("changed_n"))
    _add("quarantine", _text("resolved_by"))
    _add("cursor", sa.Column("head", sa.LargeBinary(32)))
    _add("node", *(_text(name) for name in ("public_key", "feed_epoch", "alarm")), _text("report", sa.Text()))
    _add("node", *(_number(name) for name in ("skew_ms", "feed_n", "report_ms")))
    _add("upstream", _text("public_key"), sa.Column("chain_head", sa.LargeBinary(32)), _text("feed_epoch"))
    _add("upstream", _number("feed_n"))
    _make_bundles()
    _make_handovers()
    _make_single_use()
    _make_voices()
    _let_quarantine_be_erased()
    _read_old_records()
    _index_records()


def _text(name: str, kind: Any = None) -> "sa.Column[Any]":
    return sa.Column(name, kind or sa.String(), nullable=False, server_default="")


def _number(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _add(table: str, *columns: "sa.Column[Any]") -> None:
    for column in columns:
        op.add_column(table, column)


def _make_bundles() -> None:
    op.create_table(
        "bundle_sent",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("epoch", sa.String, nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("cleared_ms", sa.BigInteger),
    )


def _make_handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("begun_ms", sa.BigInteger, nullable=False),
        sa.Column("left_ms", sa.BigInteger, nullable=False),
        sa.Column("pieces", sa.Integer, nullable=False),
        sa.Column("proof_sha256", sa.String, nullable=False),
    )
    op.create_table(
        "handover_piece",
        sa.Column("handover_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _make_single_use() -> None:
    op.create_table(
        "single_use",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("code", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("form", "version", "language", "batch")),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("used_ms", sa.BigInteger, nullable=False),
    )
    for name in ("form", "batch"):
        op.create_index(f"ix_single_use_{name}", "single_use", [name])


def _make_voices() -> None:
    op.create_table(
        "voice",
        *(sa.Column(name, sa.String, primary_key=True) for name in ("form_id", "place")),
        sa.Column("text", sa.String(16), primary_key=True),
        sa.Column("language", sa.String, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("media_type", "made_by")),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_voice_sha256", "voice", ["sha256"])


def _let_quarantine_be_erased() -> None:
    # SQLite cannot change a column: alembic makes the table anew and moves the rows
    with op.batch_alter_table("quarantine") as table:
        table.alter_column("body", existing_type=sa.Text(), nullable=True)


def _index_records() -> None:
    op.drop_index("ix_record_form_n", "record")
    op.create_index("ix_record_form_changed_n", "record", ["form", "changed_n"])
    for name, column, filled in (("about", "about", "about"), ("claim", "claim", "claim"), ("flagged", "n", "flags")):
        where = sa.text(f"{filled} <> ''")
        op.create_index(f"ix_record_{name}", "record", [column], sqlite_where=where, postgresql_where=where)
    where = sa.text("kind = 'contribution' AND about = id")
    op.create_index("ix_record_room", "record", ["n"], sqlite_where=where, postgresql_where=where)


def _read_old_records() -> None:
    connection, after = op.get_bind(), -1
    while rows := connection.execute(READ, {"after": after, "page": PAGE}).all():
        connection.execute(WRITE, [{"n": n, **_facts(kind, body)} for n, kind, body in rows])
        after = rows[-1][0]


def _facts(kind: str, body: str | None) -> dict[str, Any]:
    """Return what the columns say of a record; an erased one says nothing. `sync/records.py` reads new ones."""
    content: dict[str, Any] = json.loads(body) if body else {}
    claim = str(content.get("claim", ""))
    return {
        "about": str(content.get(ABOUT.get(kind, ""), "")),
        "claim": claim if CLAIM.fullmatch(claim) else "",
        "device_ms": _moment(content.get("finished")),
    }


def _moment(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return 0
    return round(moment.timestamp() * 1000) if moment.tzinfo and 1970 <= moment.year <= 9000 else 0
