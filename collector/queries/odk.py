"""What the addresses of ODK ask the store: submissions with their edits, who sends by a key, and what changed since.

A submission and its edits are one thing there, known by the id of the first. They go by the number of that first
record, newest first, so an edit stays in its place.

Keys of devices and the numbers of people ("actors") stand among the node's own facts:
    odk_key/SHA256 of the key      {"id", "name", "created_ms", "forms": [form ids], "revoked": bool}
    odk_actor/e-mail               its number
    odk_actors                     the last number given
"""

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, or_
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from collector.queries import blobs, store
from collector.queries.families import Family, families_of
from collector.queries.records import COLLECTED, last_number
from collector.tables.log import Record

KEY, ACTOR, ACTORS = "odk_key/", "odk_actor/", "odk_actors"
SHOWN = ("usable", "replaced")


@dataclass(frozen=True)
class Seen:
    """A submission. root: its first version; head: the one that counts; words: what was said of either, oldest first.

    edits: how many versions came after the first.
    """

    root: Record
    head: Record
    edits: tuple[Record, ...]
    words: tuple[Record, ...]


def numbers_of(session: Session, form: str) -> "array[int]":
    """Return the numbers of the first versions of a form's submissions, newest first: 8 bytes each.

    Left out is what does not count: erased, contested, without consent. An edit whose first version is not here stands
    for itself. One statement, in which each record of the form is looked at once: the pages after it need no order.
    """
    above = aliased(Record)
    orphan = and_(col(Record.kind) == "edit", ~exists().where(col(above.id) == col(Record.about)))
    wanted = and_(col(Record.form) == form, col(Record.state).in_(SHOWN))
    statement = select_columns(col(Record.n)).where(wanted, or_(col(Record.kind) == "submission", orphan))
    rows = session.execute(statement.order_by(col(Record.n).desc()).execution_options(yield_per=5000))
    return array("q", (n for (n,) in rows))


def page_of(session: Session, numbers: Sequence[int]) -> list[Seen]:
    """Return the submissions whose first versions have these numbers, in their order; give at most 1,000.

    Statements: two, and some more where there are edits or words on them: two for each step along the longest chain.
    """
    rows = {record.n: record for record in session.exec(select(Record).where(col(Record.n).in_(numbers)))}
    found = [rows[number] for number in numbers if number in rows]
    ids = [record.id for record in found]
    about = (Record.about != "", col(Record.about).in_(ids), Record.kind != "contribution")
    spoken = set(session.exec(select(Record.about).where(*about).distinct()))
    families = {each: family for family in families_of(session, spoken) for each in family.ids} if spoken else {}
    seen = [_seen(root, families.get(root.id) or Family({root.id}, {root.id: root})) for root in found]
    return [each for each in seen if each is not None]


def one_of(session: Session, form: str, record_id: str) -> Seen | None:
    """Return the submission that a record is a version of, None when it does not count or is of another form."""
    [family] = families_of(session, [record_id])
    root = _root_of(family)
    return _seen(root, family) if root is not None and root.form == form else None


def _root_of(family: Family) -> Record | None:
    """Return the first version: what replaces nothing that is here."""
    collected = [record for record in family.members.values() if record.kind in COLLECTED]
    return next((record for record in collected if record.about not in family.members), None)


def _seen(root: Record, family: Family) -> Seen | None:
    collected = [record for record in family.members.values() if record.kind in COLLECTED]
    head = next((record for record in collected if record.state == "usable"), None)
    if head is None or head.body is None or root.body is None:
        return None
    words = [word for word in family.statements if word.kind == "annotation" and word.body]
    edits = sorted((record for record in collected if record is not root), key=lambda it: it.n)
    return Seen(root, head, tuple(edits), tuple(sorted(words, key=lambda it: (it.device_ms, it.id))))


def first_held(session: Session, form: str, ids: Iterable[str]) -> Record | None:
    """Return the first of these records that is here and of this form."""
    for record_id in ids:
        found = session.exec(select(Record).where(Record.id == record_id, Record.form == form)).first()
        if found is not None:
            return found
    return None


def state_mark(session: Session) -> str:
    """Return what is another text as soon as anything here is: an entry of the log, or the last piece of a file."""
    files = int(session.execute(blobs.WHOLE_HERE).scalar_one())
    return f"{store.fact(session, 'epoch')}.{last_number(session)}.{files}"


# --- who sends


@dataclass(frozen=True)
class AppUser:
    """A device that may send by a key. forms: those that it may send answers to."""

    key_sha256: str
    id: int
    name: str
    created_ms: int
    forms: frozenset[str] = frozenset()
    revoked: bool = False


def actor_id(session: Session, email: str) -> int:
    """Return the number by which ODK's clients know a person; given at the first time. Writes then."""
    held = store.fact(session, ACTOR + email)
    if held:
        return int(held)
    number = _next_actor(session)
    store.set_fact(session, ACTOR + email, str(number))
    return number


def _next_actor(session: Session) -> int:
    number = int(store.fact(session, ACTORS) or 0) + 1
    store.set_fact(session, ACTORS, str(number))
    return number


def add_app_user(session: Session, key_sha256: str, name: str, created_ms: int) -> AppUser:
    """Let a device send by a new key; to no form yet."""
    user = AppUser(key_sha256, _next_actor(session), name, created_ms)
    put_app_user(session, user)
    return user


def put_app_user(session: Session, user: AppUser) -> None:
    """Keep what is known of a device."""
    fields = {"id": user.id, "name": user.name, "created_ms": user.created_ms, "forms": sorted(user.forms)}
    store.set_fact(session, KEY + user.key_sha256, json.dumps(fields | {"revoked": user.revoked}, ensure_ascii=False))


def app_user(session: Session, key_sha256: str) -> AppUser | None:
    """Return the device of a key, None for a key that nobody gave."""
    held = store.fact(session, KEY + key_sha256)
    return _app_user(key_sha256, held) if held else None


def app_users(session: Session) -> list[AppUser]:
    """Return every device that ever got a key, the latest first."""
    found = [_app_user(key.removeprefix(KEY), held) for key, held in store.facts(session, KEY).items()]
    return sorted(found, key=lambda user: user.id, reverse=True)


def _app_user(key_sha256: str, held: str) -> AppUser:
    fields = json.loads(held)
    forms = frozenset(fields["forms"])
    return AppUser(key_sha256, fields["id"], fields["name"], fields["created_ms"], forms, fields["revoked"])
