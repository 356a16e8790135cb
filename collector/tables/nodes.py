"""Nodes that push to this one, the one that it pushes to, and the bundles that it wrote."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field

from collector.tables import Stored


class Node(Stored, table=True):
    """A node that pushes to this one. Only the hash of its token is kept.

    public_key: ed25519, base64url; "" for a node of an early release. feed_n: it has applied our feed up to there.
    alarm: "" or what a person should look at ("history_changed"). report: what it last said of itself, JSON.
    """

    id: str = Field(primary_key=True)
    name: str
    token_sha256: str = Field(index=True)
    enrolled_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_contact_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    revoked_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    public_key: str = Field(default="", sa_column_kwargs={"server_default": ""})
    skew_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    feed_epoch: str = Field(default="", sa_column_kwargs={"server_default": ""})
    feed_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    alarm: str = Field(default="", sa_column_kwargs={"server_default": ""})
    report: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    report_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    municipality: str = Field(default="", sa_column_kwargs={"server_default": ""})  # code of the place it works in


class EnrolCode(Stored, table=True):
    """A one-time code by which a node enrols; 15 minutes, one use."""

    __tablename__ = "enrol_code"
    code_sha256: str = Field(primary_key=True)
    expires_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    used_by: str | None = None


class Upstream(Stored, table=True):
    """The node this one pushes to: at most one row (`slot` = 1)."""

    slot: int = Field(primary_key=True)
    url: str
    node_id: str
    token: str
    cursor_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    receipts_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    receipts_epoch: str = ""
    forms_etag: str = ""
    last_try_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    last_contact_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    last_error: str = ""  # a code of problems.py, or ""
    public_key: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the upstream's ed25519, base64url
    chain_head: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))  # at cursor_n
    feed_epoch: str = Field(default="", sa_column_kwargs={"server_default": ""})
    feed_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))


class BundleSent(Stored, table=True):
    """A bundle that was written to a file: the log of `epoch` from `after` to `upto`.

    secret: stands inside the bundle, encrypted; a return receipt proves with it that its writer could open the bundle.
    """

    __tablename__ = "bundle_sent"
    id: str = Field(primary_key=True)
    epoch: str
    after: int = Field(sa_column=Column(BigInteger, nullable=False))
    upto: int = Field(sa_column=Column(BigInteger, nullable=False))
    secret: str
    made_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    cleared_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
