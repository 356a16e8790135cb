"""Records that speak of other records, and any record made ready for the store. Pure (docs/protocol.md, "Kinds").

tombstone    erases a record everywhere: its content goes, its id and hash stay, so that it cannot come back
annotation   a person's word on a record: a comment, a review, or a decision on what stands in quarantine
edit         takes the place of a submission
"""

from typing import Any

from collector.clock import iso, now_ms
from collector.queries.records import Arrival
from sync.records import ReadRecord, canonical_bytes, new_salt, read_record, uuid7

ACTIONS = ("use", "set_aside")


def arrival_of(
    record: ReadRecord,
    why: str | None = None,
    origin: str = "",
    origin_epoch: str = "",
    origin_n: int = 0,
    skew_ms: int = 0,
    flags: str = "",
    via: str = "[]",
) -> Arrival:
    """Return the record ready for `ingest`, with the facts of its way. why: a reason beyond what its bytes say."""
    record_id, sha256, body, kind, form, version, own_why, _, about, device_ms, claim = record
    # by place: twice as quick as by name, and every record of a batch comes through here
    return Arrival(
        record_id, sha256, body, kind, form, version, own_why or why, origin, origin_epoch, origin_n, skew_ms, flags,
        via, about, device_ms, claim,
    )  # fmt: skip


def made(content: dict[str, Any]) -> Arrival:
    """Return a record that is born here. Raises ValueError for what cannot be canonical."""
    return arrival_of(read_record(canonical_bytes(content)))


def make_tombstone(erases: str, by: str, reason: str, at_ms: int | None = None) -> Arrival:
    """Return the erasure of a record. by: "person" (with the receipt code), or the e-mail of who did it."""
    return made(_statement("tombstone", at_ms) | {"erases": erases, "by": by, "reason": reason})


def make_decision(
    about: str, action: str, sha256: str, by: str, form: str = "", version: str = "", at_ms: int | None = None
) -> Arrival:
    """Return a decision on one content of a record: "use" it, as a record of this form when given, or "set_aside"."""
    decision = {"action": action, "sha256": sha256} | ({"form": form, "version": version} if form else {})
    return made(_statement("annotation", at_ms) | {"about": about, "by": by, "decision": decision})


def make_review(
    about: str, state: str, by: str, comment: str = "", sha256: str = "", at_ms: int | None = None
) -> Arrival:
    """Return a review of a record. state: "received", "has_issues", "approved" or "rejected"; comment: to the team.

    sha256: hex, of the content that was looked at: another content of the same id stays unreviewed.
    """
    review = {"state": state} | ({"sha256": sha256} if sha256 else {})
    return made(_statement("annotation", at_ms) | {"about": about, "by": by, "review": review, "comment": comment})


def make_comment(about: str, by: str, comment: str, at_ms: int | None = None, **more: str) -> Arrival:
    """Return what somebody says of a record, which changes nothing in it. by: an e-mail, or "pin"."""
    return made(_statement("annotation", at_ms) | {"about": about, "by": by, "comment": comment} | more)


def _statement(kind: str, at_ms: int | None) -> dict[str, Any]:
    moment = now_ms() if at_ms is None else at_ms
    return {"id": uuid7(moment), "kind": kind, "finished": iso(moment), "salt": new_salt()}
