"""The log of a node: records, what could not be used of them, and how far other logs were read.

   record ─┐ one log: `n` numbers both tables, in commit order
quarantine ─┘ what could not be used, kept with its reason and forwarded like a record
"""

from sqlalchemy import DDL, BigInteger, Column, Index, LargeBinary, Text, event
from sqlmodel import Field, SQLModel

from collector.tables import Stored


class Meta(Stored, table=True):
    """Facts about this store: node_id, epoch, name, schema, pin_hash."""

    key: str = Field(primary_key=True)
    value: str


class Log(Stored, table=True):
    """The log's next number: one row (`slot` = 1), moved inside each ingest, so that numbers follow commits."""

    slot: int = Field(primary_key=True)
    next_n: int = Field(sa_column=Column(BigInteger, nullable=False))


OPENS_ROOM = "kind = 'contribution' AND about = id"
# indexes over some rows: name, table, columns, which. Written out, because Index(postgresql_where=...) imports the
# whole of SQLAlchemy's PostgreSQL on every start
DECIDES = "about <> '' AND kind = 'annotation' AND body LIKE '%\"decision\"%'"
PARTIAL_INDEXES = (
    ("ix_record_about", "record", "about", "about <> ''"),
    ("ix_record_flagged", "record", "n", "flags <> ''"),
    ("ix_record_room", "record", "n", OPENS_ROOM),
    ("ix_record_claim", "record", "claim", "claim <> ''"),
    ("ix_record_review", "record", "form, review, n", "review <> ''"),
    # among the reviews of a busy lab the few that decide on quarantine
    ("ix_record_decision", "record", "n", DECIDES),
    # what comes down to other nodes: each of them asks for its end whenever it says hello
    ("ix_record_feed", "record", "changed_n", "about <> '' AND kind IN ('tombstone', 'annotation')"),
    ("ix_quarantine_open", "quarantine", "why, n", "resolved_by = '' AND body IS NOT NULL"),
)


class Record(Stored, table=True):
    """One immutable record. `body` is its canonical bytes (UTF-8) verbatim, NULL once erased.

    about: the id of the record that this one speaks of (edit, annotation, tombstone), of a contribution the id of the
    record that opened its room, else "".
    device_ms: when it was finished by the device's own clock, 0 when it does not say; skew_ms: how far the clocks on
    its way are behind this node's. changed_n: the log number at which this row last changed (first its own `n`): who
    reads by it misses no erasure, decision or edit. review: what the lab said of it last ("has_issues", "approved",
    "rejected"; "" while nobody has), made from the annotations about it.
    term: "direct" when its direct answers were removed by their term, so that `body` is no more what `sha256` is of;
    "raw" when all of it was; "" before. term_ms: when. term_place: of one that counted when it was erased by its term,
    the code of its municipality, "" for none: it goes on counting there (docs/retention.md).
    """

    # pages of one form in order of change: without the number in it each page would sort the whole form
    __table_args__ = (
        Index("ix_record_form_changed_n", "form", "changed_n"),
        Index("ix_record_form_n", "form", "n"),  # the same, of pages of one form in order of arrival
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
    review: str = Field(default="", sa_column_kwargs={"server_default": ""})
    changed_n: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    flags: str = ""  # JSON list of what the check on this node found; "" = nothing
    term: str = Field(default="", sa_column_kwargs={"server_default": ""})
    term_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    term_place: str | None = None
    via: str = "[]"  # JSON list of hops {node, epoch, n, received}
    body: str | None = Field(sa_column=Column(Text, nullable=True))


class Quarantine(Stored, table=True):
    """What arrived and cannot be used as it is: kept whole, with the reason, and forwarded upstream like a record."""

    id: str = Field(primary_key=True, max_length=36)
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    n: int = Field(sa_column=Column(BigInteger, unique=True, nullable=False))
    why: str  # conflict, bad_record, not_canonical, revoked_node
    received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    resolved_by: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the decision's id; "" while open
    term: str = Field(default="", sa_column_kwargs={"server_default": ""})  # as in Record
    term_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    via: str = "[]"
    body: str | None = Field(sa_column=Column(Text, nullable=True))  # NULL once erased


for _name, _table, _columns, _which in PARTIAL_INDEXES:
    _ddl = DDL(f"CREATE INDEX {_name} ON {_table} ({_columns}) WHERE {_which.replace('%', '%%')}")  # type: ignore[no-untyped-call]
    event.listen(SQLModel.metadata.tables[_table], "after_create", _ddl)


class Receipt(Stored, table=True):
    """Central holds record `id` with these bytes, durably. Learned from upstream."""

    id: str = Field(primary_key=True, max_length=36)
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    at_ms: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))


class Cursor(Stored, table=True):
    """How far this store has read the log of `peer` in that log's `epoch`. Moves in the records' own transaction.

    head: the chain's hash at `n`; NULL when it was read before there were chains.
    """

    peer: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    n: int = Field(sa_column=Column(BigInteger, nullable=False))
    head: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
