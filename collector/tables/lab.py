"""People and programs that may look into the lab, what they did there, and what the lab keeps beside the log."""

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel

from collector.append_only import keep_when_made
from collector.tables import Stored


class User(Stored, table=True):
    """A person who signs in. `password_hash` is argon2id. What a role may do stands in collector/rights.py.

    municipality: code of the only place whose page the person may see, for the role of that name. closed_ms: 0 while
    the account is open. totp_secret: base32, "" without a second factor; totp_step: the last time step that was used,
    so that a code counts once. must_change: 1 when an admin gave the password.
    """

    __tablename__ = "account"
    email: str = Field(primary_key=True)
    password_hash: str
    created_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    role: str = Field(default="lab", sa_column_kwargs={"server_default": "lab"})
    municipality: str = Field(default="", sa_column_kwargs={"server_default": ""})
    closed_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    totp_secret: str = Field(default="", sa_column_kwargs={"server_default": ""})
    totp_step: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    must_change: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class LoginSession(Stored, table=True):
    """A signed-in browser: lab (email) or facilitator (subject "pin"). Only the token's hash is kept."""

    __tablename__ = "login_session"
    token_sha256: str = Field(primary_key=True)
    subject: str
    expires_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class ApiToken(Stored, table=True):
    """A token for programs, shown once when made. Only its hash is kept.

    scope: "aggregates", "records" (without direct identifiers) or "identifiers". forms: JSON list of form ids, "" for
    all. expires_ms: 0 for never. purpose: what its maker said the data is for; stands in the audit with each use.
    """

    __tablename__ = "api_token"
    token_sha256: str = Field(primary_key=True)
    name: str
    created_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    scope: str = Field(default="records", sa_column_kwargs={"server_default": "records"})
    forms: str = Field(default="", sa_column_kwargs={"server_default": ""})
    expires_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    purpose: str = Field(default="", sa_column_kwargs={"server_default": ""})
    made_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    used_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))


class AuditEntry(Stored, table=True):
    """Who read, took away, changed or erased what, and for what purpose. Rows are only ever added.

    id: UUIDv7, so that the order is that of time. who: an e-mail, "pin", or "token NAME". subject: a record, a form, an
    account. count: how many records it was about. detail: what else belongs to it, JSON.
    """

    __tablename__ = "audit"
    # a page of one person's or one record's acts, newest first, without reading all the others
    __table_args__ = tuple(Index(f"ix_audit_{name}", name, "id") for name in ("who", "action", "subject"))
    id: str = Field(primary_key=True, max_length=36)
    at_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    who: str
    role: str
    action: str
    subject: str
    purpose: str = ""
    count: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))


keep_when_made(SQLModel.metadata.tables["audit"])


class Quality(Stored, table=True):
    """What looks odd in a record beside the others of its form. Made from the log, and made anew when rules change.

    found: JSON list of {"what", and the values that say why}.
    """

    record_id: str = Field(primary_key=True, max_length=36)
    form: str = Field(index=True)
    found: str = Field(sa_column=Column(Text, nullable=False))


class TermCount(Stored, table=True):
    """How often something was answered in records that their term erased: what stays of them (docs/retention.md).

    question: its whole key; choice: of a select the choice, else "" for every answer; question "" counts the records
    themselves. place: code of the municipality, month: "2026-11"; "" in both once too few stood there by themselves.
    """

    __tablename__ = "term_count"
    form: str = Field(primary_key=True)
    question: str = Field(primary_key=True)
    choice: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
