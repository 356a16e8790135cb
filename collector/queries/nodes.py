"""Nodes: those that push here (codes, tokens, cursors), the upstream this one pushes to, receipts, and the status."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, insert, true, union_all, update
from sqlmodel import Session, col, delete, select

from collector.clock import iso
from collector.problems import PROBLEMS, Problem, ProblemError
from collector.queries import store
from collector.queries.records import add_receipts, last_number, receipts_of
from collector.tables import Cursor, EnrolCode, Node, Quarantine, Receipt, Record, Upstream

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, no U beside V
CODE_MINUTES = 15
RECEIPT_PAGE = 500
# asked for every batch and made once: a statement built anew costs more than asking it
HOLDER = select(col(Node.id), col(Node.revoked_ms)).where(col(Node.token_sha256) == bindparam("token"))
CONTACT = update(Node).where(col(Node.id) == bindparam("node")).values(last_contact_ms=bindparam("now"))
AT = and_(col(Cursor.peer) == bindparam("at_peer"), col(Cursor.epoch) == bindparam("at_epoch"))
CURSOR = select(col(Cursor.n)).where(AT).with_for_update()
MOVE = update(Cursor).where(AT).values(n=bindparam("upto"))
IS_SENDER = select(col(Upstream.slot)).where(col(Upstream.slot) == 1)


def hash_token(token: str) -> str:
    """Return what is kept of a token or a code."""
    return hashlib.sha256(token.encode()).hexdigest()


# --- nodes that push here


def make_enrol_code(session: Session, now_ms: int) -> str:
    """Return a new code as people see it, "XXXX-XXXX": good for 15 minutes and for one node. Ended ones are dropped."""
    session.execute(delete(EnrolCode).where(col(EnrolCode.expires_ms) < now_ms))
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    session.add(EnrolCode(code_sha256=hash_token(code), expires_ms=now_ms + CODE_MINUTES * 60_000))
    return f"{code[:4]}-{code[4:]}"


def enrol_node(session: Session, code: str, name: str, node_id: str, now_ms: int) -> str:
    """Use up `code` for the node and return its new bearer token. Raises ProblemError code_invalid.

    A node known already gets a new token and is let in again: the code says that the lab wants it.
    """
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    free = and_(col(EnrolCode.used_by).is_(None), col(EnrolCode.expires_ms) > now_ms)
    use = update(EnrolCode).where(col(EnrolCode.code_sha256) == hash_token(plain), free).values(used_by=node_id)
    # one statement asks and takes: two nodes with the same code cannot both get in
    if session.execute(use.returning(col(EnrolCode.code_sha256))).first() is None:
        raise ProblemError(PROBLEMS["code_invalid"], enrol_code=code)
    token = secrets.token_urlsafe(32)
    node = session.get(Node, node_id) or Node(id=node_id, name=name, token_sha256="", enrolled_ms=now_ms)
    node.name, node.token_sha256, node.enrolled_ms, node.revoked_ms = name, hash_token(token), now_ms, None
    session.add(node)
    return token


def node_of_token(session: Session, token: str) -> str:
    """Return the id of the node that holds `token`. Raises ProblemError unknown_node or revoked."""
    found = session.execute(HOLDER, {"token": hash_token(token)}).first()
    if found is None:
        raise ProblemError(PROBLEMS["unknown_node"])
    node_id, revoked_ms = found
    if revoked_ms is not None:
        raise ProblemError(PROBLEMS["revoked"])
    return str(node_id)


def list_nodes(session: Session) -> list[Node]:
    """Return the nodes that push here, by name."""
    return list(session.exec(select(Node).order_by(col(Node.name), col(Node.id))))


def revoke_node(session: Session, node_id: str, now_ms: int) -> None:
    """Let the node in no more, until it enrols with a new code."""
    session.execute(update(Node).where(col(Node.id) == node_id).values(revoked_ms=now_ms))


def note_contact(session: Session, node_id: str, now_ms: int) -> None:
    """Note that the node was heard from."""
    session.connection().execute(CONTACT, {"node": node_id, "now": now_ms})


def cursors_of(session: Session, peer: str) -> dict[str, int]:
    """Return epoch -> how far this store has read that log of `peer`."""
    return {row.epoch: row.n for row in session.exec(select(Cursor).where(Cursor.peer == peer))}


def cursor_of(session: Session, peer: str, epoch: str) -> int:
    """Return how far this store has read the log; locks the row where the database can, for `move_cursor`."""
    found: int | None = session.connection().execute(CURSOR, {"at_peer": peer, "at_epoch": epoch}).scalar()
    return found or 0


def move_cursor(session: Session, peer: str, epoch: str, n: int) -> int:
    """Move the cursor up to `n`, never back, and return where it stands."""
    before = cursor_of(session, peer, epoch)
    if n > before or n == 0:
        moved = session.connection().execute(MOVE, {"at_peer": peer, "at_epoch": epoch, "upto": n}).rowcount
        if not moved:
            session.connection().execute(insert(Cursor), {"peer": peer, "epoch": epoch, "n": n})
    return max(before, n)


# --- the upstream


def get_upstream(session: Session) -> Upstream | None:
    """Return the node this one pushes to, or None at central."""
    return session.get(Upstream, 1)


def is_central(session: Session) -> bool:
    """Tell whether this node is central: it has no upstream."""
    return session.execute(IS_SENDER).first() is None


def set_upstream(session: Session, url: str, node_id: str, token: str) -> None:
    """Push to this node from now on, from the cursor it will tell. What central held is learned anew."""
    forget_receipts(session)
    session.execute(delete(Upstream))
    session.add(Upstream(slot=1, url=url, node_id=node_id, token=token))


def change_upstream(session: Session, **values: Any) -> None:
    """Set columns of the upstream's row."""
    session.execute(update(Upstream).where(col(Upstream.slot) == 1).values(**values))


def note_sending(session: Session, upto: int) -> None:
    """Note, before a batch leaves, how far this store has ever sent. See `sent_upto`."""
    store.set_fact(session, "sent_upto", str(max(upto, sent_upto(session))))


def sent_upto(session: Session) -> int:
    """Return the highest number this store ever tried to send.

    A receiver that has more heard it from another life of this store: this one is an old copy, or a clone.
    """
    return int(store.fact(session, "sent_upto") or 0)


def start_epoch(session: Session) -> str:
    """Begin a new life of this log, so that its numbers are not taken for those of the other copy; return its name."""
    epoch = uuid.uuid4().hex[:16]
    store.set_fact(session, "epoch", epoch)
    store.set_fact(session, "receipts_life", uuid.uuid4().hex[:16])
    return epoch


# --- receipts


def forget_receipts(session: Session) -> None:
    """Forget what central was known to hold, after it was put back or changed; nodes below are told to ask anew."""
    session.execute(delete(Receipt))
    store.set_fact(session, "receipts_life", uuid.uuid4().hex[:16])


def _next_receipt_ms(session: Session, now_ms: int) -> int:
    """Return a time later than every receipt's: `at_ms` is also the order in which they are relayed.

    A clock set back would else hide new receipts behind the readers' cursors.
    """
    newest = session.execute(select(func.max(Receipt.at_ms))).scalar_one()
    return now_ms if newest is None else max(now_ms, int(newest) + 1)


def add_receipts_upto(session: Session, after: int, upto: int, now_ms: int) -> int:
    """Note that central holds every entry of this log with `after` < n <= `upto`; return how many entries."""
    entries = _entries().subquery()
    within = select(entries.c.id, entries.c.sha256).where(entries.c.n > after, entries.c.n <= upto)
    held = [(row.id, bytes(row.sha256)) for row in session.execute(within.order_by(entries.c.n))]
    add_new_receipts(session, held, now_ms)
    return len(held)


def add_new_receipts(session: Session, held: Sequence[tuple[str, bytes]], now_ms: int) -> None:
    """Note receipts, at most 500 with the same time, so that a page of the feed can end between two times."""
    at_ms = _next_receipt_ms(session, now_ms)
    for page, first in enumerate(range(0, len(held), RECEIPT_PAGE)):
        add_receipts(session, held[first : first + RECEIPT_PAGE], at_ms + page)


@dataclass(frozen=True)
class Feed:
    """Receipts from one point on. entries: [n, id, first 8 hex digits of its sha256]; next: ask with it next time."""

    epoch: str
    next: int
    entries: list[tuple[int, str, str]]


def receipt_feed(session: Session, since: int, limit: int) -> Feed:
    """Return up to `limit` receipts after `since`: at central its own log, on a hub what it learned."""
    if is_central(session):
        entries = _entries().subquery()
        statement = select(entries.c.n, entries.c.id, entries.c.sha256).where(entries.c.n > since)
        rows = session.execute(statement.order_by(entries.c.n).limit(limit)).all()
    else:
        rows = _relayed(session, since, limit)
    found = [(row[0], row[1], bytes(row[2]).hex()[:8]) for row in rows]
    return Feed(feed_epoch(session), found[-1][0] if found else since, found)


def _relayed(session: Session, since: int, limit: int) -> Sequence[Any]:
    """Return receipts after the time `since`, never some of one time without the others."""
    statement = select(Receipt.at_ms, Receipt.id, Receipt.sha256).where(col(Receipt.at_ms) > since)
    rows = session.execute(statement.order_by(col(Receipt.at_ms), col(Receipt.id)).limit(limit)).all()
    if len(rows) < limit or rows[0][0] == rows[-1][0]:
        return rows
    return [row for row in rows if row[0] < rows[-1][0]]


def feed_epoch(session: Session) -> str:
    """Return the life of the receipt feed: the store's own at central; on a hub it also ends when central changes."""
    if is_central(session):
        return store.fact(session, "epoch")
    return store.fact(session, "receipts_life")


def newest_receipt(session: Session) -> int:
    """Return where the receipt feed ends now."""
    if is_central(session):
        return last_number(session)
    return int(session.execute(select(func.max(Receipt.at_ms))).scalar_one() or 0)


def held_hashes(session: Session, ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Return id -> hashes of what this store holds under it (several when contested). Give at most 1000 ids."""
    entries = _entries().subquery()
    held: dict[str, list[bytes]] = {}
    for row in session.execute(select(entries.c.id, entries.c.sha256).where(entries.c.id.in_(ids))):
        held.setdefault(row.id, []).append(bytes(row.sha256))
    return held


def whereabouts(session: Session, ids: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return (id -> when central had it, ids held here) for those of `ids` that are known."""
    entries = _entries().subquery()
    rows = session.execute(select(entries.c.id, entries.c.received_ms).where(entries.c.id.in_(ids)))
    here = {row.id: int(row.received_ms) for row in rows}
    central = here if is_central(session) else receipts_of(session, ids)
    return central, sorted(here)


def _entries() -> Any:
    """Every entry of the log, erased ones too: (n, id, sha256, received_ms)."""
    return union_all(
        select(Record.n, Record.id, Record.sha256, Record.received_ms),
        select(Quarantine.n, Quarantine.id, Quarantine.sha256, Quarantine.received_ms),
    )


# --- the status


@dataclass(frozen=True)
class Counts:
    """saved: only here; sent: the upstream has it too; central: central has it; these add up to total.

    quarantined: how many of them are kept apart for a person to look at.
    """

    saved: int
    sent: int
    central: int
    quarantined: int
    total: int


@dataclass(frozen=True)
class NodeStatus:
    """How this node stands. error_es, error_en: the last trouble in plain words, "" when the last try went well."""

    name: str
    node_id: str
    epoch: str
    upstream: str
    is_central: bool
    counts: Counts
    last_contact_ms: int | None
    last_try_ms: int | None
    error_code: str
    error_es: str
    error_en: str

    def as_json(self) -> dict[str, Any]:
        """Return the status for programs; the keys are stable."""
        counts = self.counts
        trouble = {"code": self.error_code, "es": self.error_es, "en": self.error_en} if self.error_code else None
        return {
            "id": self.node_id,
            "name": self.name,
            "epoch": self.epoch,
            "central": self.is_central,
            "upstream": self.upstream,
            "counts": {
                "guardado": counts.saved,
                "enviado": counts.sent,
                "recibido_en_central": counts.central,
                "cuarentena": counts.quarantined,
                "total": counts.total,
            },
            "last_contact": None if self.last_contact_ms is None else iso(self.last_contact_ms),
            "last_try": None if self.last_try_ms is None else iso(self.last_try_ms),
            "last_error": trouble,
        }


def node_status(session: Session) -> NodeStatus:
    """Return how this node stands."""
    upstream = get_upstream(session)
    code, es, en = _last_error(session, upstream)
    return NodeStatus(
        name=store.fact(session, "name"),
        node_id=store.fact(session, "node_id"),
        epoch=store.fact(session, "epoch"),
        upstream=upstream.url if upstream else "",
        is_central=upstream is None,
        counts=_counts(session, upstream),
        last_contact_ms=upstream.last_contact_ms if upstream else None,
        last_try_ms=upstream.last_try_ms if upstream else None,
        error_code=code,
        error_es=es,
        error_en=en,
    )


def _counts(session: Session, upstream: Upstream | None) -> Counts:
    sent_n = upstream.cursor_n if upstream else 0
    total = central = sent = quarantined = 0
    for table in (Record, Quarantine):
        known = exists().where(col(Receipt.id) == table.id, col(Receipt.sha256) == table.sha256)
        has_receipt = known if upstream else true()
        by_state = select(
            func.count(),
            func.count().filter(has_receipt),
            func.count().filter(col(table.n) <= sent_n, ~has_receipt),
        ).select_from(table)
        here, with_receipt, without = session.execute(by_state).one()
        total, central, sent = total + here, central + with_receipt, sent + without
        quarantined = here  # the loop ends with Quarantine
    return Counts(total - central - sent, sent, central, quarantined, total)


class _Unsaid(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _last_error(session: Session, upstream: Upstream | None) -> tuple[str, str, str]:
    """Return (code, Spanish, English) of the last trouble; a code this release does not know speaks for itself."""
    if upstream is None or not upstream.last_error:
        return "", "", ""
    code = upstream.last_error
    problem: Problem | None = PROBLEMS.get(code)
    if problem is None:
        return code, code, code
    values = _Unsaid(url=upstream.url, reason=store.fact(session, "sync_reason"))
    return code, problem.es.format_map(values), problem.en.format_map(values)
