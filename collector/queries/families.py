"""Records that belong together: a submission, all its edits, and what people say of them, gathered for many at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from collector.tables.log import Quarantine, Record

SPOKEN = ("annotation", "tombstone")


@dataclass
class Family:
    """A submission, its edits, and what speaks of them. An id of `ids` without a member may still be spoken of.

    is_moved: a content of quarantine took a record's place: what others of the same reading say of it may be past.
    """

    ids: set[str] = field(default_factory=set)
    members: dict[str, Record] = field(default_factory=dict)
    statements: list[Record] = field(default_factory=list)
    variants: list[Quarantine] = field(default_factory=list)
    is_moved: bool = False

    def edits(self) -> list[Record]:
        """Return the members that take the place of another member."""
        return [record for record in self.members.values() if record.kind == "edit" and record.about in self.ids]

    def tombstone(self) -> Record | None:
        """Return the tombstone that erases the family: of several always the same one."""
        return min((it for it in self.statements if it.kind == "tombstone"), key=lambda it: it.id, default=None)


def families_of(session: Session, ids: Iterable[str]) -> list[Family]:
    """Gather the families of these records: up to what each replaces, down to what replaces it.

    Two statements for each step along the longest chain of edits and one for quarantine, however many ids are asked.
    """
    read = _Reading()
    ahead = set(ids)
    while ahead:
        read.ids |= ahead
        found = list(session.exec(select(Record).where(col(Record.id).in_(ahead))))
        # what is said in a room is about its first record, but changes nothing in it
        speaks = (Record.about != "", col(Record.about).in_(ahead), Record.kind != "contribution")
        speaking = list(session.exec(select(Record).where(*speaks)))
        ahead = read.take(found, speaking) - read.ids
    variants = list(session.exec(select(Quarantine).where(col(Quarantine.id).in_(read.ids))))
    return read.apart(variants)


class _Reading:
    """What was read so far of several families, and which ids are of one family."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.members: dict[str, Record] = {}
        self.statements: list[Record] = []
        self.above: dict[str, str] = {}

    def take(self, found: list[Record], speaking: list[Record]) -> set[str]:
        """Keep what was found, and return the ids that belong to it too."""
        self.members |= {record.id: record for record in found}
        self.statements += [record for record in speaking if record.kind in SPOKEN]
        edits = [record for record in (*found, *speaking) if record.kind == "edit" and record.about]
        for edit in edits:
            self.above[self._first(edit.id)] = self._first(edit.about)
        return {record_id for edit in edits for record_id in (edit.id, edit.about)}

    def _first(self, record_id: str) -> str:
        """Return the id by which the family of a record is known for now."""
        while (above := self.above.get(record_id, record_id)) != record_id:
            record_id = above
        return record_id

    def apart(self, variants: list[Quarantine]) -> list[Family]:
        """Return each family by itself, always in the same order."""
        families: dict[str, Family] = {}
        for record_id in sorted(self.ids):
            families.setdefault(self._first(record_id), Family()).ids.add(record_id)
        for record_id, record in self.members.items():
            families[self._first(record_id)].members[record_id] = record
        for statement in self._each_once():
            families[self._first(statement.about)].statements.append(statement)
        for variant in variants:
            families[self._first(variant.id)].variants.append(variant)
        return list(families.values())

    def _each_once(self) -> Iterator[Record]:
        yield from {statement.id: statement for statement in self.statements}.values()
