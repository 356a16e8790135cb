"""The record log: one ingest for web capture, sync and imports, and what is read from the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, union_all, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from collector.tables import Log, Quarantine, Receipt, Record

Outcome = Literal["stored", "duplicate", "quarantined"]


@dataclass(frozen=True)
class Arrival:
    """A record as it reached this store.

    body: its bytes as UTF-8 text, verbatim; why: a quarantine reason, or None when usable; origin, origin_epoch,
    origin_n: where it was first stored ("" and 0 when that is here); via: JSON list of hops before this store.
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


def ingest(session: Session, arrivals: Sequence[Arrival], received_ms: int) -> list[Outcome]:
    """Store what is new, keep what conflicts in quarantine, and say for each arrival what became of it.

    Same id and bytes: duplicate. Same id, other bytes: the first stays and is marked contested, the second is kept
    in quarantine. One read and two inserts a call, however many arrivals. Give at most 500.
    """
    held = _held(session, [arrival.id for arrival in arrivals]) if arrivals else {}
    outcomes: list[Outcome] = []
    new: list[Arrival] = []
    aside: list[tuple[Arrival, str]] = []
    contested: set[str] = set()
    for arrival in arrivals:
        known = held.setdefault(arrival.id, {})
        if arrival.sha256 in known:
            outcomes.append("duplicate")
            continue
        # what cannot be used says nothing against what can
        conflict = arrival.why is None and "record" in known.values()
        why = arrival.why or ("conflict" if conflict else None)
        if conflict:
            contested.add(arrival.id)
        if why:
            aside.append((arrival, why))
        else:
            new.append(arrival)
        known[arrival.sha256] = "quarantine" if why else "record"
        outcomes.append("quarantined" if why else "stored")
    _insert(session, new, aside, received_ms)
    if contested:
        still_usable = (col(Record.id).in_(contested), col(Record.state) == "usable")
        session.execute(update(Record).where(*still_usable).values(state="contested"))
    return outcomes


def _held(session: Session, ids: list[str]) -> dict[str, dict[bytes, str]]:
    """Return id -> {sha256: "record" | "quarantine"} for those of `ids` that the store has."""
    held: dict[str, dict[bytes, str]] = {}
    connection = session.connection()
    marks = ", ".join([_mark(connection)] * len(ids))
    for place in ("record", "quarantine"):
        # by the driver: building these statements cost a third of a batch
        rows = connection.exec_driver_sql(f"SELECT id, sha256 FROM {place} WHERE id IN ({marks})", tuple(ids))  # noqa: S608
        for record_id, sha256 in rows:
            held.setdefault(record_id, {})[bytes(sha256)] = place
    return held


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.name == "sqlite" else "%s"


RECORD_COLUMNS = (
    "n", "id", "sha256", "kind", "form", "version", "origin", "origin_epoch", "origin_n",
    "received_ms", "skew_ms", "state", "flags", "via", "body",
)  # fmt: skip
QUARANTINE_COLUMNS = ("n", "id", "sha256", "why", "received_ms", "via", "body")


def _insert(session: Session, new: list[Arrival], aside: list[tuple[Arrival, str]], received_ms: int) -> None:
    if not new and not aside:
        return
    first = _take_numbers(session, len(new) + len(aside))
    rows = [
        (
            n, a.id, a.sha256, a.kind, a.form, a.version, a.origin, a.origin_epoch, a.origin_n or n,
            received_ms, a.skew_ms, "usable", a.flags, a.via, a.body,
        )
        for n, a in enumerate(new, first)
    ]  # fmt: skip
    _insert_rows(session, "record", RECORD_COLUMNS, rows)
    aside_rows = [
        (n, a.id, a.sha256, why, received_ms, a.via, a.body) for n, (a, why) in enumerate(aside, first + len(new))
    ]
    _insert_rows(session, "quarantine", QUARANTINE_COLUMNS, aside_rows)


def _take_numbers(session: Session, count: int) -> int:
    """Return the first of `count` log numbers; the row's lock keeps numbers in commit order on PostgreSQL too."""
    connection = session.connection()
    statement = f"UPDATE log SET next_n = next_n + {_mark(connection)} WHERE slot = 1 RETURNING next_n"  # noqa: S608
    return int(connection.exec_driver_sql(statement, (count,)).scalar_one()) - count


def _insert_rows(session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Insert by the driver: twice the speed of Core here (docs/architecture.md). Names are ours, values are bound."""
    if not rows:
        return
    connection = session.connection()
    mark = _mark(connection)
    names, marks = ", ".join(columns), ", ".join([mark] * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


@dataclass(frozen=True)
class Logged:
    """One entry of the log as it is sent: its number, hops so far, when it came and its bytes."""

    n: int
    id: str
    sha256: bytes
    via: str
    received_ms: int
    body: str


def log_after(session: Session, after: int, limit: int) -> list[Logged]:
    """Return up to `limit` entries numbered above `after`, records and quarantine together, in order of `n`."""
    both = union_all(
        select_columns(
            col(Record.n),
            col(Record.id),
            col(Record.sha256),
            col(Record.via),
            col(Record.received_ms),
            col(Record.body),
        ).where(col(Record.n) > after, col(Record.body).is_not(None)),
        select_columns(
            col(Quarantine.n),
            col(Quarantine.id),
            col(Quarantine.sha256),
            col(Quarantine.via),
            col(Quarantine.received_ms),
            col(Quarantine.body),
        ).where(col(Quarantine.n) > after),
    ).subquery()
    rows = session.execute(select_columns(both).order_by(both.c.n).limit(limit))
    return [Logged(r.n, r.id, bytes(r.sha256), r.via, r.received_ms, r.body) for r in rows]


def last_number(session: Session) -> int:
    """Return the highest log number given out so far; 0 in an empty store."""
    return int(session.execute(select(Log.next_n).where(Log.slot == 1)).scalar_one()) - 1


def record_by_id(session: Session, record_id: str) -> Record | None:
    """Return the record, or None."""
    return session.exec(select(Record).where(Record.id == record_id)).first()


def records_after(session: Session, after: int, limit: int, form: str | None = None) -> list[Record]:
    """Return up to `limit` usable submissions with n > `after`, in order of n; of one form when given."""
    statement = select(Record).where(Record.n > after, Record.state == "usable", Record.kind == "submission")
    if form is not None:
        statement = statement.where(Record.form == form)
    return list(session.exec(statement.order_by(col(Record.n)).limit(limit)))


def count_records(session: Session) -> int:
    """Return how many entries the log has, quarantine included."""
    records = session.execute(select(func.count()).select_from(Record)).scalar_one()
    return int(records) + count_quarantine(session)


def count_quarantine(session: Session) -> int:
    """Return how many entries stand in quarantine."""
    return int(session.execute(select(func.count()).select_from(Quarantine)).scalar_one())


def list_quarantine(session: Session, limit: int = 200) -> list[Quarantine]:
    """Return the newest quarantine entries."""
    return list(session.exec(select(Quarantine).order_by(col(Quarantine.n).desc()).limit(limit)))


def add_receipts(session: Session, held: Sequence[tuple[str, bytes]], at_ms: int) -> None:
    """Note that central holds these (id, sha256). Known ones are left as they are."""
    if not held:
        return
    connection = session.connection()
    mark = _mark(connection)
    connection.exec_driver_sql(
        f"INSERT INTO receipt (id, sha256, at_ms) VALUES ({mark}, {mark}, {mark}) ON CONFLICT (id, sha256) DO NOTHING",  # noqa: S608
        [(record_id, sha256, at_ms) for record_id, sha256 in held],
    )


def receipts_of(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Return id -> when central was known to hold it, for those of `ids` with a receipt."""
    rows: Sequence[Row[Any]] = session.execute(select(Receipt.id, Receipt.at_ms).where(col(Receipt.id).in_(ids))).all()
    return {row.id: row.at_ms for row in rows}


def count_by_form(session: Session) -> dict[str, int]:
    """Return form_id -> how many usable submissions this store has."""
    usable = (Record.state == "usable", Record.kind == "submission")
    rows = session.execute(select(Record.form, func.count()).where(*usable).group_by(Record.form))
    return {form: int(count) for form, count in rows}
