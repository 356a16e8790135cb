"""Every table of a node, the same on SQLite and PostgreSQL. Only `queries/` and `db.py` import this.

Rules that keep the doors open (docs/architecture.md): no UNIQUE without the id it belongs to beyond the log's own,
upserts only ON CONFLICT DO NOTHING, times as epoch milliseconds (`_ms`), text bytes kept verbatim.

    record ─┐ one log: `n` numbers both tables, in commit order
 quarantine ─┘ what could not be used, kept with its reason and forwarded like a record
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 2


class Meta(SQLModel, table=True):
    """Facts about this store: node_id, epoch, name, schema, pin_hash."""

    key: str = Field(primary_key=True)
    value: str


class Log(SQLModel, table=True):
    """The log's next number: one row (`slot` = 1), moved inside each ingest, so that numbers follow commits."""

    slot: int = Field(primary_key=True)
    next_n: int = Field(sa_column=Column(BigInteger, nullable=False))


OPENS_ROOM = "kind = 'contribution' AND about = id"


class Record(SQLModel, table=True):
    """One immutable record. `body` is its canonical bytes (UTF-8) verbatim, NULL once erased.

    about: the id of the record that this one speaks of (edit, annotation, tombstone), of a contribution the id of the
    record that opened its room, else "".
    device_ms: when it was finished by the device's own clock, 0 when it does not say; skew_ms: how far the clocks on
    its way are behind this node's. changed_n: the log number at which this row last changed (first its own `n`): who
    reads by it misses no erasure, decision or edit.
    """

    # pages of one form in order of change: without the number in it each page would sort the whole form
    __table_args__ = (
        Index("ix_record_form_changed_n", "form", "changed_n"),
        Index("ix_record_about", "about", sqlite_where=text("about <> ''"), postgresql_where=text("about <> ''")),
        Index("ix_record_flagged", "n", sqlite_where=text("flags <> ''"), postgresql_where=text("flags <> ''")),
        Index("ix_record_room", "n", sqlite_where=text(OPENS_ROOM), postgresql_where=text(OPENS_ROOM)),
        Index("ix_record_claim", "claim", sqlite_where=text("claim <> ''"), postgresql_where=text("claim <> ''")),
    )
    n: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str = Field(unique=True, max_length=36)
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    kind: str
    form: str
    version: str
    about: str = Field(default="", sa_column_kwargs={"server_default": ""})
    claim: str = Field(
        default="", sa_column_kwargs={"server_default": ""}
    )  # by this the person's receipt code finds it
    origin: str
    origin_epoch: str
    origin_n: int = Field(sa_column=Column(BigInteger, nullable=False))
    device_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    skew_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = "usable"  # usable | contested | replaced | no_consent | erased
    changed_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    flags: str = ""  # JSON list of what the check on this node found; "" = nothing
    via: str = "[]"  # JSON list of hops {node, epoch, n, received}
    body: str | None = Field(sa_column=Column(Text, nullable=True))


class Quarantine(SQLModel, table=True):
    """What arrived and cannot be used as it is: kept whole, with the reason, and forwarded upstream like a record."""

    id: str = Field(primary_key=True, max_length=36)
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    n: int = Field(sa_column=Column(BigInteger, unique=True, nullable=False))
    why: str  # conflict, bad_record, not_canonical, revoked_node
    received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    resolved_by: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the decision's id; "" while open
    via: str = "[]"
    body: str | None = Field(sa_column=Column(Text, nullable=True))  # NULL once erased


class Receipt(SQLModel, table=True):
    """Central holds record `id` with these bytes, durably. Learned from upstream."""

    id: str = Field(primary_key=True, max_length=36)
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    at_ms: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))


class Cursor(SQLModel, table=True):
    """How far this store has read the log of `peer` in that log's `epoch`. Moves in the records' own transaction.

    head: the chain's hash at `n`; NULL when it was read before there were chains.
    """

    peer: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    n: int = Field(sa_column=Column(BigInteger, nullable=False))
    head: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))


class Node(SQLModel, table=True):
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


class EnrolCode(SQLModel, table=True):
    """A one-time code by which a node enrols; 15 minutes, one use."""

    __tablename__ = "enrol_code"
    code_sha256: str = Field(primary_key=True)
    expires_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    used_by: str | None = None


class Upstream(SQLModel, table=True):
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


class BundleSent(SQLModel, table=True):
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


class FormVersion(SQLModel, table=True):
    """A published form. `xform` is pyxform's output verbatim; `definition` the compiled Form as JSON."""

    __tablename__ = "form"
    form_id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    sha256: str
    title: str
    xform: str = Field(sa_column=Column(Text, nullable=False))
    definition: str = Field(sa_column=Column(Text, nullable=False))
    source_name: str = ""
    source: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    published_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class Blob(SQLModel, table=True):
    """A file that answers consist of: a photo, a sound. Complete, and its hash proved, when `have` = `bytes`.

    sent_life, central_life: the life of the receipts (`queries/blobs.py: life`) in which the upstream, and central,
    said that they hold it whole; another life means: not known. So a new or restored upstream needs no clean-up here.
    """

    sha256: str = Field(primary_key=True, max_length=64)
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    have: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str = ""  # when a browser without scripts posted it here; else the records that name it say so
    received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    sent_life: str = ""
    central_life: str = ""


class BlobChunk(SQLModel, table=True):
    """A piece of a file, as it came, beginning `at`. In the store itself: one file is all there is to back up."""

    __tablename__ = "blob_chunk"
    sha256: str = Field(primary_key=True, max_length=64)
    at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BlobName(SQLModel, table=True):
    """A record names a file: what `record.body` says under "blobs", in a shape that can be asked. Made from the log."""

    __tablename__ = "blob_name"
    sha256: str = Field(primary_key=True, max_length=64)
    record_id: str = Field(primary_key=True, max_length=36, index=True)
    name: str = Field(primary_key=True)
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str


class FormFile(SQLModel, table=True):
    """A file that a published form came with: a list, a picture, a sound. Each version names its own."""

    __tablename__ = "form_file"
    form_id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    sha256: str = Field(index=True, max_length=64)
    media_type: str
    size_bytes: int


class FormFilePiece(SQLModel, table=True):
    """A piece of the content of forms' files. By content: versions that share a picture keep it once.

    No form_file names it while it is on its way down from the upstream.
    """

    __tablename__ = "form_file_piece"
    sha256: str = Field(primary_key=True, max_length=64)
    start: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Handover(SQLModel, table=True):
    """Drafts and answers that a browser left here sealed for another device. left_ms: 0 while pieces still come."""

    __tablename__ = "handover"
    id: str = Field(primary_key=True, max_length=32)
    begun_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    left_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    pieces: int = 0
    proof_sha256: str = ""


class HandoverPiece(SQLModel, table=True):
    """A piece of a sealed package, as it came."""

    __tablename__ = "handover_piece"
    handover_id: str = Field(primary_key=True, max_length=32)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    sha256: str = Field(max_length=64)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SingleUse(SQLModel, table=True):
    """A code that counts once: the serial of a paper sheet ("paper"), a link for one person ("ticket").

    batch: those made together; "" for a code that was made on another node. record_id: the record that used it, "" yet.
    """

    __tablename__ = "single_use"
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    form: str = Field(index=True)
    version: str
    language: str = ""  # of the sheet, as the form names it
    batch: str = Field(default="", index=True)
    made_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    record_id: str = ""
    used_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class Voice(SQLModel, table=True):
    """A form's text as somebody speaks it. place, text: where it stands and which words (`fill/voices.py`)."""

    form_id: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    text: str = Field(primary_key=True, max_length=16)
    language: str = Field(primary_key=True)
    sha256: str = Field(index=True, max_length=64)
    media_type: str
    made_by: str
    made_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class User(SQLModel, table=True):
    """A person of the lab. `password_hash` is argon2id."""

    __tablename__ = "account"
    email: str = Field(primary_key=True)
    password_hash: str
    created_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class LoginSession(SQLModel, table=True):
    """A signed-in browser: lab (email) or facilitator (subject "pin"). Only the token's hash is kept."""

    __tablename__ = "login_session"
    token_sha256: str = Field(primary_key=True)
    subject: str
    expires_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class ApiToken(SQLModel, table=True):
    """A token for pulling data, shown once when made."""

    __tablename__ = "api_token"
    token_sha256: str = Field(primary_key=True)
    name: str
    created_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
