"""Codes that count once: serials of paper sheets, links for one person. Which record used one is settled here."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from collector.tables.forms import SingleUse

PAPER, TICKET = "paper", "ticket"
FIRST_SEEN = text(
    "INSERT INTO single_use (kind, code, form, version, language, batch, made_ms, record_id, used_ms) "
    "VALUES (:kind, :code, :form, :version, '', '', 0, '', 0) ON CONFLICT (kind, code) DO NOTHING"
)
TAKE = text(
    "UPDATE single_use SET record_id = :record_id, used_ms = :now_ms "
    "WHERE kind = :kind AND code = :code AND record_id = ''"
)

BATCHES = text(
    "SELECT batch, version, language, MAX(made_ms) AS made_ms, COUNT(*) AS made, "
    "SUM(CASE WHEN record_id <> '' THEN 1 ELSE 0 END) AS used "
    "FROM single_use WHERE kind = :kind AND form = :form AND batch <> '' "
    "GROUP BY batch, version, language ORDER BY MAX(made_ms) DESC, batch LIMIT :most"
)


@dataclass(frozen=True)
class Made:
    """Codes that were made together. used: how many of them have a record here."""

    batch: str
    version: str
    language: str
    made_ms: int
    count: int
    used: int


def add_codes(session: Session, rows: Sequence[SingleUse]) -> None:
    """Keep new codes. Raises IntegrityError for one that is here already."""
    session.add_all(rows)
    session.flush()


def batches_of(session: Session, kind: str, form: str, limit: int = 20) -> list[Made]:
    """Return the newest batches of a form's codes that were made on this node."""
    rows = session.execute(BATCHES, {"kind": kind, "form": form, "most": limit})
    return [Made(r.batch, r.version, r.language, int(r.made_ms), int(r.made), int(r.used)) for r in rows]


def codes_in(session: Session, kind: str, batch: str) -> list[SingleUse]:
    """Return the codes of a batch, in the order of their letters."""
    wanted = select(SingleUse).where(SingleUse.kind == kind, SingleUse.batch == batch)
    return list(session.exec(wanted.order_by(col(SingleUse.code))))


def find_code(session: Session, kind: str, code: str) -> SingleUse | None:
    """Return what is known here of a code; one that was made elsewhere is known once it is used."""
    return session.get(SingleUse, (kind, code))


def count_used_since(session: Session, kind: str, form: str, since_ms: int) -> int:
    """Return how many codes of a form were used since then."""
    wanted = select(func.count()).where(SingleUse.kind == kind, SingleUse.form == form, SingleUse.used_ms >= since_ms)
    return int(session.execute(wanted).scalar_one())


def take_code(session: Session, kind: str, code: str, record_id: str, form: str, version: str, now_ms: int) -> str:
    """Let a record use a code, once, and return the id of the record that has it: this one, or who was first.

    Ask inside a write transaction: it is the only one then.
    """
    session.execute(FIRST_SEEN, {"kind": kind, "code": code, "form": form, "version": version})
    session.execute(TAKE, {"kind": kind, "code": code, "record_id": record_id, "now_ms": now_ms})
    return holder_of(session, kind, code)


def holder_of(session: Session, kind: str, code: str) -> str:
    """Return the id of the record that used a code, "" while none did."""
    wanted = select(SingleUse.record_id).where(SingleUse.kind == kind, SingleUse.code == code)
    return session.execute(wanted).scalar() or ""
