"""The tables of release 1. A store that it made has them already: nothing that is there is touched."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make what is missing."""
    for make in (_log, _peers, _forms, _files, _people):
        make(_table)
    _index("ix_record_form_n", "record", "form", "n")
    _index("ix_receipt_at_ms", "receipt", "at_ms")
    _index("ix_node_token_sha256", "node", "token_sha256")
    _index("ix_blob_name_record_id", "blob_name", "record_id")
    _index("ix_form_file_sha256", "form_file", "sha256")


def _table(name: str, *columns: "sa.Column[Any] | sa.Constraint") -> None:
    op.create_table(name, *columns, if_not_exists=True)


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), if_not_exists=True)


def _text(name: str, length: int | None = None) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(length), nullable=False)


def _long(name: str, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger, nullable=nullable, autoincrement=False)


def _hash() -> "sa.Column[Any]":
    return sa.Column("sha256", sa.LargeBinary(32), nullable=False)


Table = Callable[..., None]
key = sa.PrimaryKeyConstraint


def _log(table: Table) -> None:
    table("meta", _text("key"), _text("value"), key("key"))
    table("log", sa.Column("slot", sa.Integer, primary_key=True), _long("next_n"))
    table(
        "record",
        _long("n"), _text("id", 36), _hash(), _text("kind"), _text("form"), _text("version"),
        _text("origin"), _text("origin_epoch"), _long("origin_n"), _long("received_ms"), _long("skew_ms"),
        _text("state"), _text("flags"), _text("via"), sa.Column("body", sa.Text), key("n"), sa.UniqueConstraint("id"),
    )  # fmt: skip
    table(
        "quarantine",
        _text("id", 36), _hash(), _long("n"), _text("why"), _long("received_ms"), _text("via"),
        sa.Column("body", sa.Text, nullable=False), key("id", "sha256"), sa.UniqueConstraint("n"),
    )  # fmt: skip
    table("receipt", _text("id", 36), _hash(), _long("at_ms"), key("id", "sha256"))
    table("cursor", _text("peer"), _text("epoch"), _long("n"), key("peer", "epoch"))


def _peers(table: Table) -> None:
    table(
        "node",
        _text("id"), _text("name"), _text("token_sha256"), _long("enrolled_ms"), _long("last_contact_ms", True),
        _long("revoked_ms", True), key("id"),
    )  # fmt: skip
    table("enrol_code", _text("code_sha256"), _long("expires_ms"), sa.Column("used_by", sa.String), key("code_sha256"))
    table(
        "upstream",
        sa.Column("slot", sa.Integer, primary_key=True), _text("url"), _text("node_id"), _text("token"),
        _long("cursor_n"), _long("receipts_n"), _text("receipts_epoch"), _text("forms_etag"),
        _long("last_try_ms", True), _long("last_contact_ms", True), _text("last_error"),
    )  # fmt: skip


def _forms(table: Table) -> None:
    table(
        "form",
        _text("form_id"), _text("version"), _text("sha256"), _text("title"),
        sa.Column("xform", sa.Text, nullable=False), sa.Column("definition", sa.Text, nullable=False),
        _text("source_name"), sa.Column("source", sa.LargeBinary, nullable=False), _long("published_ms"),
        key("form_id", "version"),
    )  # fmt: skip
    table(
        "form_file",
        _text("form_id"), _text("version"), _text("name"), _text("sha256", 64), _text("media_type"),
        sa.Column("size_bytes", sa.Integer, nullable=False), key("form_id", "version", "name"),
    )  # fmt: skip
    table("form_file_piece", _text("sha256", 64), _long("start"), _content(), key("sha256", "start"))


def _content() -> "sa.Column[Any]":
    return sa.Column("content", sa.LargeBinary, nullable=False)


def _files(table: Table) -> None:
    table(
        "blob",
        _text("sha256", 64), _long("bytes"), _long("have"), _text("media_type"), _long("received_ms"),
        _text("sent_life"), _text("central_life"), key("sha256"),
    )  # fmt: skip
    table("blob_chunk", _text("sha256", 64), _long("at"), _content(), key("sha256", "at"))
    table(
        "blob_name",
        _text("sha256", 64), _text("record_id", 36), _text("name"), _long("bytes"), _text("media_type"),
        key("sha256", "record_id", "name"),
    )  # fmt: skip


def _people(table: Table) -> None:
    table("account", _text("email"), _text("password_hash"), _long("created_ms"), key("email"))
    table("login_session", _text("token_sha256"), _text("subject"), _long("expires_ms"), key("token_sha256"))
    table("api_token", _text("token_sha256"), _text("name"), _long("created_ms"), key("token_sha256"))
