"""A room as it is taken along: by another node with its sync, or in a small file (docs/protocol.md, "Rooms").

    {"room":"019c…","title":"…","holds":"prepared","count":9,"sha256":"…","names":{"8f3c…":"Tableta 1"}}
    {"origin":"8f3c…","rec":RECORD}                      one a line, the records verbatim

"prepared" is what a second note-taker needs, and nothing that a participant said: facts of the session, seats,
consents, how the steps stand. "notes" adds all that was said in the open. Votes are in neither.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collector.problems import ProblemError
from collector.queries.contributions import Said
from collector.queries.records import Arrival
from collector.rooms.contributions import Contribution, parse_contributions
from collector.rooms.payloads import SECRET, SHAPES
from collector.rooms.room import room_of
from sync.batches import cut_record, is_name, is_number, is_sha256, read_body_line, split_lines
from sync.records import UUID_FORM, ReadRecord
from sync.statements import arrival_of

PREPARED, NOTES = "prepared", "notes"
FACTS = frozenset({"session", "seat", "consent", "step", "presentes"})
# to be known of a room before it is offered: whether it is closed, and what was taken back
ASKED = FACTS | {"undo", "close"}
HELD: Mapping[str, frozenset[str]] = {PREPARED: FACTS | {"undo"}, NOTES: frozenset(SHAPES) - SECRET}
MOST_LINES = 20_000
MOST_TITLE = 200


class NotARoom(ValueError):
    """The bytes are not a room that can be taken. reason: "strange" for something else, "damaged" for a part of one."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class CarriedRoom:
    """A room on its way. sha256: over the hashes of its records, whatever their order."""

    room: str
    title: str
    holds: str
    said: tuple[Said, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Return what tells this content from any other."""
        return hash_of(each.sha256 for each in self.said)

    def with_names(self, names: Mapping[str, str]) -> "CarriedRoom":
        """Return the same with what the nodes are called where its records were born."""
        return replace(self, names=names)


def hash_of(hashes: Iterable[bytes]) -> str:
    """Return the sha256 over sorted hashes, in hex: the same on every node that holds the same records."""
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


def carried(room: str, found: Iterable[Said], holds: str = PREPARED) -> CarriedRoom | None:
    """Return what of a room goes along; None for a demonstration, a room without its first record, or nothing to do.

    A closed room has nothing to prepare for; its notes still go along, so that one tablet can have all of them.
    """
    said = {each.id: each for each in found}
    contributions = parse_contributions(json.loads(each.body) for each in said.values())[0]
    made = room_of(contributions) if room in said else None
    if made is None or made.facts.demo or room not in {each.id for each in contributions}:
        return None
    if made.is_closed and holds == PREPARED:
        return None
    chosen = _chosen(contributions, holds)
    return CarriedRoom(room, made.facts.title[:MOST_TITLE], holds, tuple(said[each] for each in said if each in chosen))


def _chosen(contributions: Iterable[Contribution], holds: str) -> set[str]:
    """Return the ids that go along: those of the kinds, and of what was taken back only what speaks of them."""
    every = list(contributions)
    chosen = {each.id for each in every if each.what in HELD[holds] and each.what != "undo"}
    undoing = [each for each in every if each.what == "undo"]
    while found := {each.id for each in undoing if each.ref in chosen} - chosen:
        chosen |= found
    return chosen


# --- as lines


def lines_of(carried_room: CarriedRoom, me: str) -> bytes:
    """Return a room as it travels. me: this node, the origin of what was born here."""
    head = {
        "room": carried_room.room, "title": carried_room.title, "holds": carried_room.holds,
        "count": len(carried_room.said), "sha256": carried_room.sha256, "names": dict(carried_room.names),
    }  # fmt: skip
    lines = [json.dumps(head, ensure_ascii=False, separators=(",", ":"))]
    lines += [f'{{"origin":"{each.origin or me}","rec":{each.body}}}' for each in carried_room.said]
    return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True)
class ReadRoom:
    """A room that was read: what its first line says, and its records ready to store."""

    room: str
    title: str
    holds: str
    sha256: str
    names: Mapping[str, str]
    arrivals: tuple[Arrival, ...]


def read_lines(content: bytes, me: str) -> ReadRoom:
    """Read a room as it travels. Raises NotARoom "strange" for anything else, "damaged" where a part is missing."""
    head = _head(content.partition(b"\n")[0])
    try:
        rest = split_lines(content, MOST_LINES)[1:]
        found = [_line(line, at, me) for at, line in enumerate(rest, 2)]
    except (ValueError, RecursionError, IndexError, ProblemError) as error:
        raise NotARoom("damaged") from error
    if len(found) != head["count"] or hash_of(record.sha256 for record, _ in found) != head["sha256"]:
        raise NotARoom("damaged")
    if not all(_belongs(record, head["room"], head["holds"]) for record, _ in found):
        raise NotARoom("strange")
    if head["room"] not in {record.id for record, _ in found}:
        raise NotARoom("strange")
    arrivals = tuple(arrival_of(record, origin=origin) for record, origin in found)
    return ReadRoom(head["room"], head["title"], head["holds"], head["sha256"], head["names"], arrivals)


def _head(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotARoom("strange") from error
    told = found if isinstance(found, dict) else {}
    room, title, names = told.get("room"), told.get("title"), told.get("names")
    is_right = (
        isinstance(room, str) and UUID_FORM.fullmatch(room) and isinstance(title, str)
        and told.get("holds") in HELD and is_number(told.get("count")) and is_sha256(told.get("sha256"))
    )  # fmt: skip
    if not is_right:
        raise NotARoom("strange")
    known = names.items() if isinstance(names, dict) else ()
    return told | {
        "title": str(title)[:MOST_TITLE],
        "names": {node: name[:100] for node, name in known if is_name(node) and _is_short_text(name)},
    }


def _is_short_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _line(line: bytes, at: int, me: str) -> tuple[ReadRecord, str]:
    """Return a record and where it was born: "" when that is here."""
    keys, record = cut_record(line.decode())
    origin = keys.get("origin")
    if record is None or not is_name(origin):
        raise ValueError(f"line {at} has no record or no origin")
    return read_body_line(record.encode(), at), "" if origin == me else origin


def _belongs(record: ReadRecord, room: str, holds: str) -> bool:
    """Tell whether a record may come in this way: of this room, as it must be, and of a kind that goes along.

    A kind that a later release knows is kept and ignored, as everywhere.
    """
    if record.why or record.kind != "contribution" or record.about != room:
        return False
    what = record.content.get("what")
    if what not in SHAPES:
        return isinstance(what, str) and "ballot" not in record.content
    _, refused = parse_contributions([record.content])
    return what in HELD[holds] and not refused
