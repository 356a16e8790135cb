"""One contribution, read from the body of a record and checked. Whoever stores or sends one calls this first.

    {"id", "kind": "contribution", "session", "what", "finished", "salt", "by", "count",
     "seat"? | "ballot"? + "segments"?, "step"?, "ref"?, "mode"?, "payload"?}

Votes are secret. A kind of `SECRET` carries a ballot, a random token that a device gets once for a room, and declared
segments; it never carries a seat. What else could tie the two is refused as well: its writer is the ballot itself and
not the device that signs notes, and neither `finished` nor the time inside its UUIDv7 tells more than the minute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.clock import parse_iso
from collector.rooms import rules
from collector.rooms.payloads import FACILITATOR, MODES, NEEDS, SECRET, SHAPES, check_payload
from collector.rooms.refusals import Refusal, shown

__all__ = [
    "FACILITATOR",
    "SECRET",
    "Contribution",
    "ids_of_seat",
    "in_order",
    "parse_contribution",
    "parse_contributions",
]

MINUTE_MS = 60_000
MOST_COUNT = 2**53 - 1
NO_SEGMENTS: Mapping[str, str] = {}
REQUIRED: Mapping[str, rules.Rule] = {
    "id": rules.uuid,
    "session": rules.uuid,
    "what": rules.name,
    "finished": rules.moment,
    "by": rules.token,
    "count": rules.whole(0, MOST_COUNT),
}
OPTIONAL: Mapping[str, rules.Rule] = {
    "seat": rules.name,
    "step": rules.name,
    "ref": rules.uuid,
    "ballot": rules.token,
    "mode": rules.one_of(*MODES),
    "segments": rules.map_of(rules.name, 12),
}


@dataclass(frozen=True)
class Contribution:
    """A contribution whose envelope and payload are as they must be.

    at_ms: `finished` in epoch milliseconds; by: the random id of the device or tab, of a vote its ballot; count: the
    writer's own counter; ref: the contribution it speaks of; segments: declared with a ballot, {} otherwise.
    """

    id: str
    session: str
    what: str
    finished: str
    at_ms: int
    by: str
    count: int
    payload: Mapping[str, object] = field(default_factory=dict)
    seat: str = ""
    step: str = ""
    ref: str = ""
    ballot: str = ""
    mode: str = "phone"
    segments: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_secret(self) -> bool:
        """Tell a vote, or another kind that nobody may tie to a seat."""
        return self.what in SECRET

    @property
    def place(self) -> tuple[int, str, int, str]:
        """Return what a session is ordered by: time, writer, the writer's counter, id. No two share it."""
        return self.at_ms, self.by, self.count, self.id


def parse_contribution(body: Mapping[str, object]) -> Contribution:
    """Read the body of a record of kind "contribution". Raises Refusal, which names the value and what to do.

    A kind that this release does not know passes with its payload as it is; what is known of its envelope is checked.
    """
    _check_envelope(body)
    what = str(body["what"])
    payload = rules.entries("payload", body.get("payload", {}))
    if what in SHAPES:
        for key in NEEDS.get(what, ()):
            _must_have(what, body, key)
        _check_secrecy(what, body)
        check_payload(what, str(body.get("mode", "phone")), payload)
    if body.get("ref") == body["id"]:
        raise Refusal("about_itself")
    return _made(body, payload)


def _check_envelope(body: Mapping[str, object]) -> None:
    for key, rule in REQUIRED.items():
        _must_have("contribution", body, key)
        rule(key, body[key])
    for key, rule in OPTIONAL.items():
        if key in body:
            rule(key, body[key])


def _must_have(what: str, body: Mapping[str, object], key: str) -> None:
    if key not in body:
        raise Refusal("missing", what=what, key=key)


def _check_secrecy(what: str, body: Mapping[str, object]) -> None:
    """Refuse what would tie a ballot to a seat, to the device of a seat, or to a moment somebody could have seen."""
    if what not in SECRET:
        if "ballot" in body:
            raise Refusal("ballot_elsewhere", what=what)
        return
    if "seat" in body:
        raise Refusal("seat_with_vote", value=shown(body["seat"]))
    _must_have(what, body, "ballot")
    if body["by"] != body["ballot"]:
        raise Refusal("writer_with_vote")
    if _at_ms(str(body["finished"])) % MINUTE_MS:
        raise Refusal("moment_with_vote", key="finished")
    if _ms_of_id(str(body["id"])) % MINUTE_MS:
        raise Refusal("moment_with_vote", key="id")


def _at_ms(finished: str) -> int:
    moment = parse_iso(finished)
    return moment[0] if moment else 0


def _ms_of_id(contribution_id: str) -> int:
    """Return the time inside a UUIDv7; other versions hold none that this project writes, and count as told."""
    digits = contribution_id.replace("-", "")
    return int(digits[:12], 16) if digits[12] == "7" else 1


def _made(body: Mapping[str, object], payload: Mapping[str, object]) -> Contribution:
    segments = body.get("segments", NO_SEGMENTS)
    return Contribution(
        id=str(body["id"]),
        session=str(body["session"]),
        what=str(body["what"]),
        finished=str(body["finished"]),
        at_ms=_at_ms(str(body["finished"])),
        by=str(body["by"]),
        count=int(str(body["count"])),
        payload=payload,
        seat=str(body.get("seat", "")),
        step=str(body.get("step", "")),
        ref=str(body.get("ref", "")),
        ballot=str(body.get("ballot", "")),
        mode=str(body.get("mode", "phone")),
        segments={key: str(value) for key, value in rules.entries("segments", segments).items()},
    )


def parse_contributions(bodies: Iterable[Mapping[str, object]]) -> tuple[list[Contribution], list[Refusal]]:
    """Return (those that can be used, why the others cannot), so that one bad record never takes a room down."""
    good: list[Contribution] = []
    refused: list[Refusal] = []
    for body in bodies:
        try:
            good.append(parse_contribution(body))
        except Refusal as refusal:
            refused.append(refusal)
    return good, refused


def ids_of_seat(contributions: Iterable[Contribution], seat: str) -> frozenset[str]:
    """Return what to erase when a seat asks for it: all that names the seat. Votes do not, so nobody can find them."""
    return frozenset(each.id for each in contributions if each.seat == seat)


def in_order(contributions: Iterable[Contribution]) -> list[Contribution]:
    """Return each contribution once, in the order of the session, whatever the order of arrival.

    Two contents under one id cannot both be kept; the record core keeps the first and puts the other in quarantine.
    Where both are given here all the same, the one that comes first in the order counts.
    """
    found: dict[str, Contribution] = {}
    for contribution in sorted(contributions, key=lambda each: each.place):
        known = found.setdefault(contribution.id, contribution)
        if known is not contribution and known.place == contribution.place:
            found[contribution.id] = min(known, contribution, key=_content)
    return list(found.values())


def _content(contribution: Contribution) -> str:
    return repr(sorted(vars(contribution).items()))
