"""What records say of each other takes effect here: edits, decisions on quarantine, erasures.

The state of a record is a function of what the log holds, whatever the order in which it came:

    erased      a tombstone names it, or another record of its family; only its hash stays
    contested   several contents claim its id, and nobody has decided which one counts
    replaced    an edit took its place
    no_consent  it did not accept its form's notice, as the check of this node says, and nobody decided to use it
    usable      what people count, see and export

What the lab said of a record stands beside its state, in `review`: the last word on that very content, by the device's
time and then by id. An edit is another content: it begins as received.

A family is a submission and all edits of it. Of several edits at the end of their chains the latest counts, by the
device's time and then by id: every node comes to the same answer.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select

from collector.clock import parse_iso
from collector.queries import store
from collector.queries.families import Family, families_of
from collector.queries.numbers import take_numbers
from collector.tables.files import Blob, BlobChunk, BlobName
from collector.tables.lab import Quality
from collector.tables.log import Quarantine, Record

UNREADABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
CLAIM = re.compile(r"[0-9a-f]{32}")  # what a receipt code hashes to
UNCONSENTED = '"what": "no_consent"'  # as the check of a record writes its flags
# how a review says a state -> how the column `review` has it
REVIEWS = {"received": "", "has_issues": "has_issues", "approved": "approved", "rejected": "rejected"}
ABOUT = {"edit": "replaces", "annotation": "about", "tombstone": "erases", "contribution": "session"}


def settle(session: Session, ids: Iterable[str]) -> None:
    """Give the records of these ids, and those that hang on them, the state that the log says they have.

    Reads all families at once: as many statements for five hundred records as for one, but where quarantine gives
    something back, after which the rest is read again.
    """
    waiting, done = set(ids), set[str]()
    numbers = _Numbers(session, len(waiting))
    while waiting:
        session.flush()
        session.expire_all()  # ingest writes by the driver, behind this session's back
        released: set[str] = set()
        for family in families_of(session, waiting):
            done |= family.ids
            released |= _settle_family(session, family, numbers)
            if family.is_moved:
                break
        # what was released speaks of its family from now on, also of one that was settled without it a moment ago:
        # that one is not done any more, however many others have their turn before it
        done -= released
        waiting = (waiting | released) - done
    session.flush()


class _Numbers:
    """Numbers for what changes: taken together, as many as there were ids, once one is needed."""

    def __init__(self, session: Session, together: int) -> None:
        self._session, self._together = session, max(together, 1)
        self._left: list[int] = []

    def next(self) -> int:
        """Return a number of the log that nothing else has."""
        if not self._left:
            first = take_numbers(self._session, self._together)
            self._left = list(range(first + self._together - 1, first - 1, -1))
        return self._left.pop()


def _settle_family(session: Session, family: Family, numbers: _Numbers) -> set[str]:
    """Settle one family and return the ids of records that this changes beyond it."""
    tombstone = family.tombstone()
    if tombstone is not None:
        return _erase(session, family, tombstone, numbers)
    released: set[str] = set()
    contested: set[str] = set()
    for record_id in sorted(family.ids):
        released |= _decide(session, family, record_id, contested, numbers)
    _give_states(session, family, contested, numbers)
    return released


def _change(session: Session, numbers: _Numbers, record: Record, **values: Any) -> None:
    """Set columns and, when one of them is new, the number by which readers see the change."""
    fresh = {name: value for name, value in values.items() if getattr(record, name) != value}
    if fresh:
        for name, value in fresh.items():
            setattr(record, name, value)
        record.changed_n = numbers.next()
        session.add(record)


# --- erasure


def _erase(session: Session, family: Family, tombstone: Record, numbers: _Numbers) -> set[str]:
    """Take away what the family's records say; their ids and hashes stay, so that they are known if they come again.

    Returns the ids of what an erased word was about: it has to stand as if nobody had said that.
    """
    taken_back = {it.about for it in family.members.values() if it.kind == "annotation" and it.body is not None}
    spoken = [it for it in family.statements if it.kind == "annotation"]
    for record in (*family.members.values(), *spoken):
        if record.kind == "tombstone":
            continue
        if record.body is not None:
            store.set_fact(session, "unwiped", "1")  # see erasures.wipe_traces
        gone: dict[str, Any] = {"state": "erased", "review": "", "body": None, "flags": "", "claim": ""}
        _change(session, numbers, record, **gone, term_place=None)
    for variant in family.variants:
        if variant.body is not None:
            store.set_fact(session, "unwiped", "1")
        variant.body, variant.resolved_by = None, tombstone.id
        session.add(variant)
    session.flush()
    session.execute(delete(Quality).where(col(Quality.record_id).in_(sorted(family.ids))))
    _forget_files(session, sorted(family.ids | {it.id for it in spoken}))
    return taken_back - {""}


def _forget_files(session: Session, ids: Sequence[str]) -> None:
    """Take away the files that only these records named."""
    names = col(BlobName.record_id).in_(ids)
    hashes = set(session.exec(select(BlobName.sha256).where(names)).all())
    session.execute(delete(BlobName).where(names))
    others = set(session.exec(select(BlobName.sha256).where(col(BlobName.sha256).in_(hashes))).all())
    for sha256 in hashes - others:
        session.execute(delete(BlobChunk).where(col(BlobChunk.sha256) == sha256))
        session.execute(delete(Blob).where(col(Blob.sha256) == sha256))


# --- decisions


@dataclass(frozen=True)
class _Decision:
    """A person's word on one content of a record. action: "use" (it counts) or "set_aside" (it does not)."""

    id: str
    action: str
    sha256: bytes
    form: str
    version: str


def _decisions_on(family: Family, record_id: str) -> list[_Decision]:
    """Return the decisions on a record, oldest first."""
    spoken = [it for it in family.statements if it.kind == "annotation" and it.about == record_id and it.body]
    found = (_read_decision(it) for it in sorted(spoken, key=lambda it: (it.device_ms, it.id)))
    return [decision for decision in found if decision is not None]


def _read_decision(record: Record) -> _Decision | None:
    """Return the decision that an annotation holds; None for a comment, or for what cannot be read as one."""
    said = json.loads(record.body or "{}").get("decision")
    if not isinstance(said, dict) or said.get("action") not in ("use", "set_aside"):
        return None
    try:
        sha256 = bytes.fromhex(said.get("sha256", ""))
    except (TypeError, ValueError):
        return None
    form, version = said.get("form", ""), said.get("version", "")
    is_text = isinstance(form, str) and isinstance(version, str)
    return _Decision(record.id, said["action"], sha256, form, version) if is_text else None


def _decide(session: Session, family: Family, record_id: str, contested: set[str], numbers: _Numbers) -> set[str]:
    """Let the decisions on one record take effect. Returns what a released record speaks of; notes a contested id."""
    record = family.members.get(record_id)
    variants = [variant for variant in family.variants if variant.id == record_id]
    decisions = _decisions_on(family, record_id)
    used = next((it for it in reversed(decisions) if it.action == "use"), None)
    aside = {it.sha256: it.id for it in decisions if it.action == "set_aside"}
    chosen = used.sha256 if used else _only_one_left(record, variants, aside)
    held = {bytes(variant.sha256): variant for variant in variants if is_readable(variant.body)}
    released: set[str] = set()
    if chosen in held:
        record, released = _take(session, family, record, held.pop(chosen), used, numbers)
        held = {bytes(it.sha256): it for it in family.variants if it.id == record_id}
    if used and record is not None and bytes(record.sha256) == used.sha256 and used.form:
        is_given = (record.form, record.version) != (used.form, used.version)
        # what was noticed of it as a record of another form is void; who decides here checks it again
        flags = "" if is_given else record.flags
        _change(session, numbers, record, form=used.form, version=used.version, flags=flags)
    is_decided = record is not None and bytes(record.sha256) == chosen
    decider = used.id if used else min(aside.values(), default="")
    for sha256, variant in held.items():
        is_beaten = is_decided and (used is not None or variant.why == "conflict")
        variant.resolved_by = aside.get(sha256, decider if is_beaten else "")
        session.add(variant)
    is_open = any(it.why == "conflict" and not it.resolved_by for it in held.values())
    if record is not None and not is_decided and is_open:
        contested.add(record_id)
    return released


def is_readable(body: str | None) -> bool:
    """Tell whether a database can look into a content: U+0000 and lone surrogates stop PostgreSQL's JSON functions.

    Such a content is kept and forwarded as any, but it can never count.
    """
    return body is None or UNREADABLE.search(body) is None


def _only_one_left(record: Record | None, variants: Sequence[Quarantine], aside: dict[bytes, str]) -> bytes | None:
    """Return the content that is left when people have set the others aside; None when several or none are."""
    rivals = [bytes(record.sha256)] if record else []
    rivals += [bytes(variant.sha256) for variant in variants if variant.why == "conflict"]
    left = [sha256 for sha256 in rivals if sha256 not in aside]
    return left[0] if len(left) == 1 and len(rivals) > 1 else None


def _take(
    session: Session,
    family: Family,
    record: Record | None,
    variant: Quarantine,
    used: _Decision | None,
    numbers: _Numbers,
) -> tuple[Record, set[str]]:
    """Let a content from quarantine be the record of its id, and put the present one in its place. Numbers stay."""
    content = object_of(variant.body)
    family.is_moved = True
    fresh = Record(
        n=variant.n, id=variant.id, sha256=variant.sha256, body=variant.body, via=variant.via,
        received_ms=variant.received_ms, skew_ms=0, device_ms=_moment_of(content),
        changed_n=numbers.next(), term=variant.term, term_ms=variant.term_ms,
        **_columns(content, used), **_origin(variant),
    )  # fmt: skip
    session.delete(variant)
    family.variants.remove(variant)
    if record is not None:
        session.delete(record)
    session.flush()
    if record is not None:
        former = Quarantine(
            id=record.id, sha256=record.sha256, n=record.n, why="conflict", received_ms=record.received_ms,
            via=record.via, body=record.body, term=record.term, term_ms=record.term_ms,
        )  # fmt: skip
        session.add(former)
        family.variants.append(former)
    session.add(fresh)
    family.members[fresh.id] = fresh
    session.flush()
    return fresh, {fresh.about} - {""}


def object_of(body: str | None) -> dict[str, Any]:
    """Return what a record's bytes say; {} for what cannot be read."""
    try:
        found = json.loads(body or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _columns(content: dict[str, Any], used: _Decision | None) -> dict[str, Any]:
    """Return what the record says of itself; a decision may say of which form it is."""
    said = {key: value for key, value in content.items() if isinstance(value, str)}
    kind = said.get("kind", "submission")
    form = (used.form if used else "") or said.get("form", "")
    version = (used.version if used else "") or said.get("version", "")
    claim = said.get("claim", "")
    return {
        "kind": kind,
        "form": form,
        "version": version,
        "about": said.get(ABOUT.get(kind, ""), ""),
        "claim": claim if CLAIM.fullmatch(claim) else "",
    }


def _moment_of(content: dict[str, Any]) -> int:
    """Return when the device finished it, as every node reads it: of two edits, or two decisions, the later counts."""
    finished = content.get("finished")
    moment = parse_iso(finished) if isinstance(finished, str) else None
    return moment[0] if moment else 0


def _origin(variant: Quarantine) -> dict[str, Any]:
    hops = json.loads(variant.via)
    first = hops[0] if hops else {"node": "", "epoch": "", "n": variant.n}
    return {"origin": first["node"], "origin_epoch": first["epoch"], "origin_n": first["n"]}


# --- edits


def state_of_new(flags: str) -> str:
    """Return the state of a record that nobody has spoken of yet."""
    return "no_consent" if UNCONSENTED in flags else "usable"


def _is_apart(family: Family, record: Record) -> bool:
    """Tell whether a record lacks consent, and nobody said that it counts all the same."""
    if state_of_new(record.flags) == "usable":
        return False
    return all(it.action != "use" or it.sha256 != bytes(record.sha256) for it in _decisions_on(family, record.id))


def _give_states(session: Session, family: Family, contested: set[str], numbers: _Numbers) -> None:
    apart = {record.id for record in family.members.values() if _is_apart(family, record)}
    edits = [edit for edit in family.edits() if edit.id not in contested | apart]
    replaced = {edit.about for edit in edits}
    ends = [edit for edit in edits if edit.id not in replaced]
    last = max(ends, key=lambda edit: (edit.device_ms, edit.id), default=None)
    for record in family.members.values():
        is_past = last is not None and record is not last and record.kind in ("submission", "edit")
        state = "contested" if record.id in contested else "replaced" if is_past else "usable"
        if record.id in apart - contested - replaced:
            state = "no_consent"
        if record.body is not None:  # a word that went with the record it was about does not come back
            _change(session, numbers, record, state=state, review=_review_of(family, record))


# --- reviews


def _review_of(family: Family, record: Record) -> str:
    """Return what was said last of this very record and content; "" while nobody has, or when that was taken back."""
    spoken = [it for it in family.statements if it.kind == "annotation" and it.about == record.id and it.body]
    found = ((it, review_in(object_of(it.body), record.sha256.hex())) for it in spoken)
    said = [((it.device_ms, it.id), review) for it, review in found if review is not None]
    return max(said, default=(None, ""))[1]


def review_in(content: dict[str, Any], sha256: str) -> str | None:
    """Return the review that an annotation gives the content with this hash: "" for received; None when it gives none.

    A review that names no hash is of whatever content has the id.
    """
    said = content.get("review")
    if not isinstance(said, dict) or said.get("sha256", sha256) != sha256:
        return None
    return REVIEWS.get(str(said.get("state")))
