"""The record log: one ingest for web capture, sync and imports, and what is read from the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, Text, bindparam, case, cast, func, literal, null, union_all
from sqlalchemy import select as select_columns
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from collector.queries.numbers import among, asked, marks, take_numbers, told_of_each
from collector.queries.settling import settle, state_of_new
from collector.tables.log import Log, Quarantine, Receipt, Record

Outcome = Literal["stored", "duplicate", "quarantined"]
COLLECTED = ("submission", "edit")  # kinds that hold a person's answers to a form


class Arrival(NamedTuple):
    """A record as it reached this store.

    body: its bytes as UTF-8 text, verbatim; why: a quarantine reason, or None when usable; about: the record that it
    speaks of; origin, origin_epoch, origin_n: where it was first stored ("" and 0 when that is here); via: JSON list
    of hops before this store; skew_ms: how far the clocks on its way were behind; device_ms: 0 when it does not say.
    """

    id: str
    sha256: bytes
    body: str
    kind: str = ""
    form: str = ""
    version: str = ""
    why: str | None = None
    origin: str = ""
    origin_epoch: str = ""
    origin_n: int = 0
    skew_ms: int = 0
    flags: str = ""
    via: str = "[]"
    about: str = ""
    device_ms: int = 0
    claim: str = ""


@dataclass
class _Sorted:
    """What one call of `ingest` found: what to insert, and which records it changes beyond that."""

    outcomes: list[Outcome] = field(default_factory=list)
    new: list[Arrival] = field(default_factory=list)
    aside: list[tuple[Arrival, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


def ingest(session: Session, arrivals: Sequence[Arrival], received_ms: int) -> list[Outcome]:
    """Store what is new, keep what conflicts in quarantine, and say for each arrival what became of it.

    Same id and bytes: duplicate. Same id, other bytes: the first stays and is marked contested, the second is kept
    in quarantine. Of an erased id nothing is kept but its hash. What a record says of another (an edit, a decision,
    an erasure) takes effect at once, in whatever order the two arrive. Give at most 500.
    """
    if not arrivals:
        return []
    found = _sort(arrivals, *_known(session, [arrival.id for arrival in arrivals]))
    _insert(session, found.new, found.aside, received_ms)
    if found.touched:
        settle(session, found.touched)
    return found.outcomes


def _sort(arrivals: Sequence[Arrival], held: dict[str, dict[bytes, str]], spoken_of: set[str]) -> _Sorted:
    found = _Sorted()
    for arrival in arrivals:
        known = held.setdefault(arrival.id, {})
        if arrival.sha256 in known:
            found.outcomes.append("duplicate")
            continue
        # what cannot be used says nothing against what can
        conflict = arrival.why is None and "record" in known.values()
        why = arrival.why or ("conflict" if conflict else None)
        if why:
            found.aside.append((arrival, why))
        else:
            found.new.append(arrival)
        if conflict or arrival.id in spoken_of:
            found.touched.add(arrival.id)
        if arrival.about and arrival.kind != "contribution":
            found.touched.add(arrival.about)
        known[arrival.sha256] = "quarantine" if why else "record"
        found.outcomes.append("quarantined" if why else "stored")
    return found


def _known(session: Session, ids: list[str]) -> tuple[dict[str, dict[bytes, str]], set[str]]:
    """Return id -> {sha256: "record" | "quarantine"} for those of `ids` that the store has; and those of `ids` that
    records here speak of.
    """
    held, spoken_of = dict[str, dict[bytes, str]](), set[str]()
    connection = session.connection()
    which, given = among(connection, ids)
    # by the driver: building this statement cost a third of a batch
    statement = f"""SELECT id, sha256, 'record' FROM record WHERE id {which}
        UNION ALL SELECT id, sha256, 'quarantine' FROM quarantine WHERE id {which}
        UNION ALL SELECT about, NULL, 'about' FROM record
        WHERE about <> '' AND about {which} AND kind <> 'contribution'"""  # noqa: S608
    for record_id, sha256, place in asked(connection, statement, *given, *given, *given):
        if place == "about":
            spoken_of.add(record_id)
        else:
            held.setdefault(record_id, {})[bytes(sha256)] = place
    return held, spoken_of


RECORD_COLUMNS = (
    "n", "id", "sha256", "kind", "form", "version", "about", "claim", "origin", "origin_epoch", "origin_n",
    "device_ms", "received_ms", "skew_ms", "state", "changed_n", "flags", "via", "body",
)  # fmt: skip
QUARANTINE_COLUMNS = ("n", "id", "sha256", "why", "received_ms", "resolved_by", "via", "body")


def _insert(session: Session, new: list[Arrival], aside: list[tuple[Arrival, str]], received_ms: int) -> None:
    if not new and not aside:
        return
    first = take_numbers(session, len(new) + len(aside))
    rows = [
        (
            n, a.id, a.sha256, a.kind, a.form, a.version, a.about, a.claim, a.origin, a.origin_epoch, a.origin_n or n,
            a.device_ms, received_ms, a.skew_ms, state_of_new(a.flags), n, a.flags, a.via, a.body,
        )
        for n, a in enumerate(new, first)
    ]  # fmt: skip
    _insert_rows(session, "record", RECORD_COLUMNS, rows)
    aside_rows = [
        (n, a.id, a.sha256, why, received_ms, "", a.via, a.body) for n, (a, why) in enumerate(aside, first + len(new))
    ]
    _insert_rows(session, "quarantine", QUARANTINE_COLUMNS, aside_rows)


BINARY_TYPES = {int: "int8", bytes: "bytea"}


def _insert_rows(session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Insert by the driver: twice the speed of Core here (docs/architecture.md). Names are ours, values are bound."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        told_of_each(connection, f"INSERT INTO {table} ({names}) VALUES ({marks(len(columns))})", rows)  # noqa: S608
    else:
        _copy_rows(connection, f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)", rows)


def _copy_rows(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Copy rows into PostgreSQL: one statement for all, at a third of what inserting them row by row costs.

    In its binary format: nothing in a body has to be escaped. Columns are bigint, bytea or text.
    """
    driver: Any = connection.connection.driver_connection
    trouble: Any = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([BINARY_TYPES.get(type(value), "text") for value in rows[0]])
            for row in rows:
                copy.write_row(row)
    except trouble as error:  # as every other statement tells it, so that a lost database is answered in one way
        raise DBAPIError.instance(statement, None, error, trouble) from error


@dataclass(frozen=True)
class Logged:
    """One entry of the log as it is sent: its number, hops so far, when it came and its bytes.

    body: None once erased, and once its term took something out of it: what is left is not what was hashed.

    why: of what stands in quarantine, the reason; else "".
    """

    n: int
    id: str
    sha256: bytes
    via: str
    received_ms: int
    body: str | None
    why: str


def _log_statement() -> Any:
    shared = ("n", "id", "sha256", "via", "received_ms")
    of_records = (*(col(getattr(Record, name)) for name in shared), _as_hashed(Record), literal("").label("why"))
    of_quarantine = (*(col(getattr(Quarantine, name)) for name in shared), _as_hashed(Quarantine), col(Quarantine.why))
    both = union_all(
        select_columns(*of_records).where(col(Record.n) > bindparam("after")),
        select_columns(*of_quarantine).where(col(Quarantine.n) > bindparam("after")),
    ).subquery()
    return select_columns(both).order_by(both.c.n).limit(bindparam("most"))


def _as_hashed(table: Any) -> Any:
    return case((col(table.term) == "", col(table.body)), else_=cast(null(), Text)).label("body")


LOG = _log_statement()  # made once: building it costs more than asking it


def log_after(session: Session, after: int, limit: int) -> list[Logged]:
    """Return up to `limit` entries numbered above `after`, records and quarantine together, in order of `n`."""
    rows = session.connection().execute(LOG, {"after": after, "most": limit})
    return [Logged(r.n, r.id, bytes(r.sha256), r.via, r.received_ms, r.body, r.why) for r in rows]


def last_number(session: Session) -> int:
    """Return the highest log number given out so far; 0 in an empty store."""
    return int(session.execute(select(Log.next_n).where(Log.slot == 1)).scalar_one()) - 1


def record_by_id(session: Session, record_id: str) -> Record | None:
    """Return the record, or None."""
    return session.exec(select(Record).where(Record.id == record_id)).first()


def count_quarantine(session: Session) -> int:
    """Return how many entries of quarantine nobody has decided on."""
    waiting = select(func.count()).select_from(Quarantine).where(Quarantine.resolved_by == "")
    return int(session.execute(waiting).scalar_one())


def list_quarantine(session: Session, limit: int = 200) -> list[Quarantine]:
    """Return the newest quarantine entries."""
    return list(session.exec(select(Quarantine).order_by(col(Quarantine.n).desc()).limit(limit)))


ADD_RECEIPT = "INSERT INTO receipt (id, sha256, at_ms) VALUES (?, ?, ?) ON CONFLICT (id, sha256) DO NOTHING"


def add_receipts(session: Session, held: Sequence[tuple[str, bytes]], at_ms: int) -> None:
    """Note that central holds these (id, sha256). Known ones are left as they are."""
    if not held:
        return
    told_of_each(session.connection(), ADD_RECEIPT, [(record_id, sha256, at_ms) for record_id, sha256 in held])


def receipts_of(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Return id -> when central was known to hold it, for those of `ids` with a receipt."""
    rows: Sequence[Row[Any]] = session.execute(select(Receipt.id, Receipt.at_ms).where(col(Receipt.id).in_(ids))).all()
    return {row.id: row.at_ms for row in rows}


def count_by_form(session: Session) -> dict[str, int]:
    """Return form_id -> how many usable submissions this store has."""
    usable = (Record.state == "usable", col(Record.kind).in_(COLLECTED))
    rows = session.execute(select(Record.form, func.count()).where(*usable).group_by(Record.form))
    return {form: int(count) for form, count in rows}
