"""Nodes: those that push here (codes, tokens, keys, cursors), the upstream this one pushes to, and the status."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, exists, func, true, update
from sqlmodel import Session, col, delete, select

from collector.clock import iso
from collector.problems import PROBLEMS, Problem, ProblemError
from collector.queries import store
from collector.queries.feed import feed_top
from collector.queries.numbers import asked, told
from collector.tables.log import Meta, Quarantine, Receipt, Record
from collector.tables.nodes import EnrolCode, Node, Upstream

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, no U beside V
CODE_MINUTES = 15
# asked for every batch, by the driver: building a statement costs more than asking it
HOLDER = "SELECT id, revoked_ms FROM node WHERE token_sha256 = ?"
SENDER = "SELECT public_key, revoked_ms FROM node WHERE id = ?"
CONTACT = "UPDATE node SET last_contact_ms = ?, skew_ms = coalesce(?, skew_ms) WHERE id = ?"
CURSOR = "SELECT n, head FROM cursor WHERE peer = ? AND epoch = ?"
OWN_FACTS = (("node_id", "me"), ("epoch", "life"))
CURSORS = "SELECT epoch, n, head FROM cursor WHERE peer = ?"
MOVE = """
INSERT INTO cursor (peer, epoch, n, head) VALUES (?, ?, ?, ?) ON CONFLICT (peer, epoch) DO UPDATE SET
n = CASE WHEN excluded.n > cursor.n THEN excluded.n ELSE cursor.n END,
head = CASE WHEN excluded.n > cursor.n THEN excluded.head ELSE cursor.head END
RETURNING n"""
UPSTREAM = select(
    *Upstream.__table__.columns,  # type: ignore[attr-defined]
    *(select(Meta.value).where(Meta.key == key).scalar_subquery().label(name) for key, name in OWN_FACTS),
).where(col(Upstream.slot) == 1)
IS_SENDER = "SELECT slot FROM upstream WHERE slot = 1"
MEETING = """
SELECT me.value, node.public_key, node.revoked_ms, (SELECT count(*) FROM upstream WHERE slot = 1)
FROM meta AS me LEFT JOIN node ON node.id = ? WHERE me.key = 'node_id'"""


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


def enrol_node(session: Session, code: str, name: str, node_id: str, now_ms: int, public_key: str = "") -> str:
    """Use up `code` for the node and return its new bearer token. Raises ProblemError code_invalid.

    A node known already gets a new token, and the key that it brings, and is let in again: the code says that the lab
    wants it.
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
    node.public_key = public_key
    session.add(node)
    return token


class Holder(NamedTuple):
    """Whose token it is, and whether that node was revoked."""

    node_id: str
    is_revoked: bool


def holder_by_token(connection: Connection, token: str) -> Holder:
    """Return the node that holds `token`. Raises ProblemError unknown_node."""
    found = asked(connection, HOLDER, hash_token(token))
    if not found:
        raise ProblemError(PROBLEMS["unknown_node"])
    node_id, revoked_ms = found[0]
    return Holder(str(node_id), revoked_ms is not None)


class Sender(NamedTuple):
    """What is known of a node that sends: its ed25519 key ("" for one of an early release), whether it was revoked."""

    public_key: str
    is_revoked: bool


def sender_of(session: Session, node_id: str) -> Sender:
    """Return what is known of the sender; nothing of a node that never enrolled."""
    found = asked(session.connection(), SENDER, node_id)
    return Sender(found[0][0], found[0][1] is not None) if found else Sender("", False)


class Meeting(NamedTuple):
    """Who meets over a batch: this node's id, what is known of the sender, and whether this node is central."""

    me: str
    sender: Sender
    is_central: bool


def meeting_with(session: Session, node_id: str) -> Meeting:
    """Return what a batch of that node asks for first, by one statement."""
    me, public_key, revoked_ms, upstreams = asked(session.connection(), MEETING, node_id)[0]
    return Meeting(me, Sender(public_key or "", revoked_ms is not None), upstreams == 0)


def add_public_key(session: Session, node_id: str, public_key: str) -> bool:
    """Note the key of a node that enrolled without one; False when it has another already."""
    free = and_(col(Node.id) == node_id, col(Node.public_key).in_(("", public_key)))
    noted = update(Node).where(free).values(public_key=public_key).returning(col(Node.id))
    return session.execute(noted).first() is not None


def note_alarm(session: Session, node_id: str, alarm: str) -> None:
    """Put up what a person should look at; "" takes it down."""
    session.execute(update(Node).where(col(Node.id) == node_id).values(alarm=alarm))


def note_feed(session: Session, node_id: str, epoch: str, n: int) -> None:
    """Note that the node says it has applied our feed up to `n`; it cannot have what is not there yet."""
    if epoch == store.fact(session, "epoch"):
        values = {"feed_epoch": epoch, "feed_n": min(n, feed_top(session))}
        session.execute(update(Node).where(col(Node.id) == node_id).values(**values))


def count_of_revoked(session: Session, node_id: str) -> int:
    """Return how many entries that the revoked node has sent wait in quarantine for a person."""
    by_it = col(Quarantine.via).contains(f'{{"node":"{node_id}",', autoescape=True)
    waiting = (Quarantine.why == "revoked_node", Quarantine.resolved_by == "")
    statement = select(func.count()).select_from(Quarantine).where(*waiting, by_it)
    return int(session.execute(statement).scalar_one())


def list_nodes(session: Session) -> list[Node]:
    """Return the nodes that push here, by name."""
    return list(session.exec(select(Node).order_by(col(Node.name), col(Node.id))))


def revoke_node(session: Session, node_id: str, now_ms: int) -> None:
    """Let the node in no more, until it enrols with a new code."""
    session.execute(update(Node).where(col(Node.id) == node_id).values(revoked_ms=now_ms))


def note_contact(session: Session, node_id: str, now_ms: int, skew_ms: int | None = None) -> None:
    """Note that the node was heard from and, where it said its time, how far its clock is behind ours."""
    told(session.connection(), CONTACT, now_ms, skew_ms, node_id)


def cursors_of(session: Session, peer: str) -> dict[str, int]:
    """Return epoch -> how far this store has read that log of `peer`."""
    return {epoch: int(n) for epoch, n, _ in asked(session.connection(), CURSORS, peer)}


def heads_of(session: Session, peer: str) -> dict[str, str]:
    """Return epoch -> the head of that log's chain at the cursor, in hex, where it is known."""
    rows = asked(session.connection(), CURSORS, peer)
    return {epoch: bytes(head).hex() for epoch, _, head in rows if head is not None}


class Position(NamedTuple):
    """How far a log was read, and the head of its chain there; None when it was read before there were chains."""

    n: int
    head: bytes | None


def cursor_of(session: Session, peer: str, epoch: str) -> Position:
    """Return how far this store has read the log. What writes has the store to itself: it holds for `move_cursor`."""
    found = asked(session.connection(), CURSOR, peer, epoch)
    if not found:
        return Position(0, None)
    n, head = found[0]
    return Position(int(n), None if head is None else bytes(head))


def move_cursor(session: Session, peer: str, epoch: str, n: int, head: bytes | None = None) -> int:
    """Move the cursor up to `n`, never back, with the chain's head there, and return where it stands."""
    return int(asked(session.connection(), MOVE, peer, epoch, n, head)[0][0])


# --- the upstream


def get_upstream(session: Session) -> Upstream | None:
    """Return the node this one pushes to, or None at central."""
    return session.get(Upstream, 1)


def upstream_row(session: Session) -> Any:
    """Return the upstream's row with this store's own `me` and `life` (its epoch), or None: asked for all the time."""
    if session.new or session.dirty:
        session.flush()
    return session.connection().execute(UPSTREAM).first()


def is_central(session: Session) -> bool:
    """Tell whether this node is central: it has no upstream."""
    if session.new or session.dirty or session.deleted:
        session.flush()
    return not asked(session.connection(), IS_SENDER)


def set_upstream(session: Session, url: str, node_id: str, token: str, public_key: str = "") -> None:
    """Push to this node from now on, from the cursor it will tell. What central held is learned anew."""
    forget_receipts(session)
    session.execute(delete(Upstream))
    session.add(Upstream(slot=1, url=url, node_id=node_id, token=token, public_key=public_key))


def forget_receipts(session: Session) -> None:
    """Forget what central was known to hold, after it was put back or changed; nodes below are told to ask anew."""
    session.execute(delete(Receipt))
    store.set_fact(session, "receipts_life", uuid.uuid4().hex[:16])


def change_upstream(session: Session, **values: Any) -> None:
    """Set columns of the upstream's row. A cursor that moves without the chain's head there leaves that unknown."""
    if "cursor_n" in values:
        values.setdefault("chain_head", None)
    if session.new or session.dirty or session.deleted:
        session.flush()
    columns = ", ".join(f"{name} = ?" for name in values)  # written in this project; values are bound
    told(session.connection(), f"UPDATE upstream SET {columns} WHERE slot = 1", *values.values())  # noqa: S608


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
